"""A served inventory over an empty graph, for the clients that send lineage to it."""

from __future__ import annotations

import queue
import threading

import pytest
from pydantic import SecretStr

TOKEN = "a-token-for-pipelines-0123456789"


@pytest.fixture
def served(embedded_graph):
    """The address of a service over the embedded graph; it is stopped after the test."""
    from inventory.api.app import create_app, serve, stop
    from inventory.api.settings import ApiSettings, Limits
    from inventory.graph.catalogue import Catalogue

    limits = Limits(event_bytes=256 * 2**10)
    app = create_app(Catalogue(embedded_graph), ApiSettings(port=0, tokens=(SecretStr(TOKEN),), limits=limits))
    address: queue.Queue[str] = queue.Queue()
    thread = threading.Thread(target=serve, args=(app,), kwargs={"ready": address.put})
    thread.start()
    yield address.get(timeout=30)
    stop(app)
    thread.join()


@pytest.fixture(scope="session")
def fleet():
    """The programs that emit lineage."""
    import importlib.util
    from pathlib import Path

    path = Path(__file__).parents[2] / "fleet" / "lineage.py"
    spec = importlib.util.spec_from_file_location("lineage_fleet", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def running(fleet):
    """Calls something of the fleet; skips by name where it cannot run, and fails in CI."""
    import os

    def call(program, *arguments):
        try:
            return program(*arguments)
        except fleet.ToolchainMissing as missing:
            if os.environ.get("CI") == "true":
                pytest.fail(str(missing))
            pytest.skip(str(missing))

    return call


@pytest.fixture(scope="session")
def dbt_shop(fleet, running, tmp_path_factory):
    """A built dbt project: its target folder, its database, the OpenLineage events of the run."""
    return running(fleet.built, tmp_path_factory.mktemp("dbt"))
