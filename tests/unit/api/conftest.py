"""The service over a graph that does not answer: what is tested here happens before, or without, the graph."""

from __future__ import annotations

import socket

import pytest
from pydantic import SecretStr

TOKEN = "a-token-for-programs-0123456789"


@pytest.fixture(scope="session")
def deaf_catalogue():
    from inventory.graph.catalogue import Catalogue
    from inventory.graph.connection import Graph, GraphSettings

    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        settings = GraphSettings(uri=f"bolt://127.0.0.1:{closed.getsockname()[1]}")
        with Graph(settings, retry_seconds=0.0) as graph:
            yield Catalogue(graph)


@pytest.fixture
def service(deaf_catalogue):
    """Builds the service with these settings."""
    from inventory.api.app import create_app
    from inventory.api.settings import ApiSettings

    return lambda **settings: create_app(deaf_catalogue, ApiSettings(tokens=(SecretStr(TOKEN),), **settings))


@pytest.fixture
def client_of():
    """A client of the service that calls it by its loopback address, as a stranger unless told otherwise."""
    from starlette.testclient import TestClient

    def client(app, **headers):
        return TestClient(
            app,
            base_url="http://127.0.0.1:8484",
            headers=headers,
            follow_redirects=False,
            raise_server_exceptions=False,
        )

    return client


@pytest.fixture
def program(service, client_of):
    """A client that is signed in by token."""
    return client_of(service(), authorization=f"Bearer {TOKEN}")


@pytest.fixture
def browser(service, client_of):
    """A client that is signed in by a one-time link."""
    from inventory.api.app import create_sign_in_link

    app = service()
    client = client_of(app, origin="http://127.0.0.1:8484")
    assert client.get(create_sign_in_link(app, "http://127.0.0.1:8484")).status_code == 303
    return client
