"""Who may open a connection for subscriptions, and what is spoken on it."""

from __future__ import annotations

import pytest
from starlette.testclient import WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

PROTOCOL = "graphql-transport-ws"
WATCH = {"id": "1", "type": "subscribe", "payload": {"query": "subscription { scanProgress { urn } }"}}


def opened(client, protocols=(PROTOCOL,), **headers):
    return client.websocket_connect("ws://127.0.0.1:8484/graphql", subprotocols=list(protocols), headers=headers)


def refusal(client, **headers):
    """Status and code of the answer to an attempt to connect."""
    with pytest.raises(WebSocketDenialResponse) as refused, opened(client, **headers):
        pass
    return refused.value.status_code, refused.value.json()["errors"][0]["extensions"]["code"]


def test_a_stranger_is_refused(service, client_of):
    assert refusal(client_of(service())) == (401, "UNAUTHENTICATED")


def test_a_wrong_token_is_refused(service, client_of):
    assert refusal(client_of(service(), authorization="Bearer nothing")) == (401, "UNAUTHENTICATED")


def test_a_page_of_another_site_is_refused_with_our_cookie(browser):
    assert refusal(browser, origin="http://evil.example") == (403, "FOREIGN_ORIGIN")
    with opened(browser, origin="http://127.0.0.1:8484") as connection:
        assert connection.accepted_subprotocol == PROTOCOL


def test_another_host_name_is_refused(program):
    assert refusal(program, host="rebound.example") == (421, "UNKNOWN_HOST")


def test_only_the_current_protocol_is_spoken(program):
    with pytest.raises(WebSocketDisconnect), opened(program, protocols=["graphql-ws"]) as connection:
        connection.receive_json()


def test_a_graph_that_does_not_answer_is_an_error_of_the_subscription(program):
    with opened(program) as connection:
        connection.send_json({"type": "connection_init"})
        assert connection.receive_json()["type"] == "connection_ack"
        connection.send_json(WATCH)
        answer = connection.receive_json()
    assert answer["id"] == "1"
    assert answer["payload"]["errors"][0]["extensions"] == {"code": "GRAPH_UNAVAILABLE"}


def test_limits_hold_on_a_connection_too(service, client_of):
    from inventory.api.settings import Limits

    app = service(limits=Limits(depth=4))
    client = client_of(app, authorization="Bearer a-token-for-programs-0123456789")
    deep = "subscription { scanProgress { systems { datasets { edges { node { urn } } } } } }"
    with opened(client) as connection:
        connection.send_json({"type": "connection_init"})
        connection.receive_json()
        connection.send_json({"id": "1", "type": "subscribe", "payload": {"query": deep}})
        answer = connection.receive_json()
    assert answer["type"] == "error"
    assert "limit `depth` is 4" in answer["payload"][0]["message"]
