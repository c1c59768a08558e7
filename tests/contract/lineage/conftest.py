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
def dbt_shop(tmp_path_factory):
    """A built dbt project: its target folder, its database, the OpenLineage events of the run."""
    import importlib.util
    import os
    from pathlib import Path

    path = Path(__file__).parents[2] / "fleet" / "dbt" / "shop.py"
    spec = importlib.util.spec_from_file_location("dbt_fleet", path)
    fleet = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fleet)
    try:
        return fleet.built(tmp_path_factory.mktemp("dbt"))
    except fleet.ToolchainMissing as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing))
        pytest.skip(str(missing))
