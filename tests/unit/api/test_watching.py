"""Connections take subscriptions only, so many as may be, and survive whatever is sent."""

from __future__ import annotations

import pytest

from inventory.api.contract import operations

SUBSCRIPTION = operations()["ScanProgress"].text


@pytest.fixture
def connect(service, client_of):
    """Opens a connection to a service with these settings."""

    def connected(client):
        return client.websocket_connect("ws://127.0.0.1:8484/graphql", subprotocols=["graphql-transport-ws"])

    def opened(**settings):
        client = client_of(service(**settings), authorization="Bearer a-token-for-programs-0123456789")
        return lambda: connected(client)

    return opened


def greeted(connection):
    connection.send_json({"type": "connection_init"})
    assert connection.receive_json()["type"] == "connection_ack"
    return connection


def refusal(connection, payload, id_="1"):
    connection.send_json({"id": id_, "type": "subscribe", "payload": payload})
    answer = connection.receive_json()
    assert (answer["type"], answer["id"]) == ("error", id_)
    (error,) = answer["payload"]
    return error["extensions"]["code"], error["message"]


@pytest.mark.parametrize(
    "payload, code",
    [
        ({"query": "{ __typename }"}, "NOT_A_SUBSCRIPTION"),
        ({"query": 'mutation { reviewClassification(field: "x") { urn } }'}, "NOT_A_SUBSCRIPTION"),
        ({"query": "subscription {"}, "INVALID"),
        ({"query": 5}, "BAD_REQUEST"),
        ({}, "BAD_REQUEST"),
        ({"query": SUBSCRIPTION, "variables": []}, "BAD_REQUEST"),
        ({"query": SUBSCRIPTION, "operationName": {}}, "BAD_REQUEST"),
        ({"documentId": "sha256:" + "0" * 64}, "PERSISTED_QUERY_NOT_FOUND"),
    ],
)
def test_what_is_no_subscription_is_refused_and_the_connection_goes_on(connect, payload, code):
    with connect()() as connection:
        greeted(connection)
        assert refusal(connection, payload)[0] == code
        connection.send_json({"type": "ping"})
        assert connection.receive_json()["type"] == "pong"


@pytest.mark.parametrize("limit", ["subscriptions_per_connection", "subscriptions"])
def test_subscriptions_have_limits_by_connection_and_in_all(connect, monkeypatch, limit):
    import asyncio

    from inventory.graph.connection import Graph

    async def waits(*_, **__):
        await asyncio.Event().wait()

    monkeypatch.setattr(Graph, "aread", waits)
    opened = connect(limits={limit: 2})
    with opened() as connection:
        greeted(connection)
        for id_ in ("a", "b"):
            connection.send_json({"id": id_, "type": "subscribe", "payload": {"query": SUBSCRIPTION}})
        code, message = refusal(connection, {"query": SUBSCRIPTION}, "c")
        assert code == "LIMIT"
        assert f"limit `{limit}` is 2" in message
        connection.send_json({"id": "a", "type": "complete"})
        connection.send_json({"id": "c", "type": "subscribe", "payload": {"query": SUBSCRIPTION}})
        assert limit in refusal(connection, {"query": SUBSCRIPTION}, "d")[1]


def test_connections_have_a_limit(connect):
    from starlette.testclient import WebSocketDenialResponse

    opened = connect(limits={"connections": 1})
    with opened() as connection:
        greeted(connection)
        # The test client runs each connection in a loop of its own; the service counts them all the same.
        with pytest.raises(WebSocketDenialResponse) as denied, opened():
            pass
        assert denied.value.status_code == 503
        assert "limit `connections` is 1" in denied.value.text
    with opened() as connection:
        greeted(connection)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "null",
        '"x"',
        '{"type": 5}',
        '{"type": "' + "x" * 500 + '"}',
        '{"type": "subscribe", "id": {}, "payload": {}}',
        '{"type": "subscribe", "id": "1", "payload": []}',
        '{"type": "complete"}',
        "[" * 50_000,
        '{"type": ' + "9" * 5000 + "}",
    ],
)
def test_what_is_no_message_ends_the_connection_politely(connect, text):
    from starlette.websockets import WebSocketDisconnect

    with connect()() as connection:
        greeted(connection)
        connection.send_text(text)
        with pytest.raises(WebSocketDisconnect) as ended:
            connection.receive_json()
        assert ended.value.code == 4400
        assert len(ended.value.reason) < 123
