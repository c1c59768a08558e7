"""Scans are watched while another process runs them: the progress is in the graph, the service tells of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

TOKEN = "a-token-for-programs-0123456789"


@pytest.fixture
def connection(catalogue):
    from pydantic import SecretStr
    from starlette.testclient import TestClient

    from inventory.api.app import create_app
    from inventory.api.settings import ApiSettings

    app = create_app(catalogue, ApiSettings(tokens=(SecretStr(TOKEN),)))
    headers = {"authorization": f"Bearer {TOKEN}"}
    client = TestClient(app, base_url="http://127.0.0.1:8484", headers=headers)
    with (
        client,
        client.websocket_connect("ws://127.0.0.1:8484/graphql", subprotocols=["graphql-transport-ws"]) as opened,
    ):
        opened.send_json({"type": "connection_init"})
        assert opened.receive_json()["type"] == "connection_ack"
        yield opened


def test_a_scan_is_told_when_it_is_further_and_when_it_ends(connection, map_graph):
    from inventory.api.contract import operations
    from inventory.graph.writer import GraphWriter, ScanRun

    def told():
        return connection.receive_json()["payload"]["data"]["scanProgress"]

    writer, run = GraphWriter(map_graph), ScanRun("watched", "slow", datetime.now(UTC))
    payload = {"query": operations()["ScanProgress"].text, "variables": {"source": "slow"}}
    connection.send_json({"id": "1", "type": "subscribe", "payload": payload})

    def observations():
        first = told()
        assert (first["state"], first["done"]) == ("RUNNING", None)
        writer.progress(run, 3, 10, "shop.public.orders")
        further = told()
        assert (further["done"], further["total"]) == (3, 10)
        yield from ()

    writer.load(run, observations())
    last = told()
    assert last["state"] == "FAILED", "it reached no system"
    assert last["finishedAt"]
