"""How often somebody may ask, and which other pages may."""

from __future__ import annotations

import pytest
from pydantic import SecretStr, ValidationError

from inventory.api.rates import Rate
from inventory.api.settings import ApiSettings, Limits, OidcSettings

TOKEN = "a-token-for-programs-0123456789"
QUESTION = {"query": "{ __typename }"}


def code(answer):
    return answer.json()["errors"][0]["extensions"]["code"]


def test_a_bucket_empties_and_fills():
    now = 0.0
    rate = Rate(2, 3, clock=lambda: now)
    assert [rate.wait("a") for _ in range(4)] == [0, 0, 0, 0.5]
    assert rate.wait("b") == 0, "each has a bucket of their own"
    now = 0.5
    assert [rate.wait("a"), rate.wait("a")] == [0, 0.5]
    now = 1000.0
    assert [rate.wait("a") for _ in range(4)] == [0, 0, 0, 0.5]


def test_only_so_many_names_are_remembered():
    rate = Rate(1, 1, most=2, clock=lambda: 0.0)
    assert [rate.wait(name) for name in "abab"] == [0, 0, 1, 1]
    rate.wait("c")
    assert [rate.wait("b"), rate.wait("a")] == [1, 0]


def test_a_caller_who_asks_too_often_waits(service, client_of):
    app = service(limits={"requests_per_second": 0.1, "requests_at_once": 2})
    client = client_of(app, authorization=f"Bearer {TOKEN}")
    assert [client.post("/graphql", json=QUESTION).status_code for _ in range(2)] == [200, 200]
    answer = client.post("/graphql", json=QUESTION)
    assert (answer.status_code, code(answer)) == (429, "TOO_MANY_REQUESTS")
    assert 1 <= int(answer.headers["retry-after"]) <= 10
    assert "requests_per_second" in answer.text
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("path", ["/sign-in?token=guess", "/sign-in/start", "/sign-in/callback?code=x&state=y"])
def test_signing_in_is_tried_so_often_from_an_address(service, client_of, path):
    client = client_of(service(limits={"sign_ins_per_minute": 2}))
    assert [client.get(path).status_code in {401, 404} for _ in range(2)] == [True, True]
    answer = client.get(path)
    assert (answer.status_code, code(answer)) == (429, "TOO_MANY_REQUESTS")
    assert "sign_ins_per_minute" in answer.text


def test_wrong_tokens_are_tried_so_often_and_right_ones_go_on(service, client_of):
    app = service(limits={"sign_ins_per_minute": 2})
    wrong, right = client_of(app, authorization="Bearer wrong"), client_of(app, authorization=f"Bearer {TOKEN}")
    assert [wrong.post("/graphql", json=QUESTION).status_code for _ in range(3)] == [401, 401, 429]
    assert right.post("/graphql", json=QUESTION).status_code == 200


def test_a_connection_that_asks_too_often_ends(service, client_of):
    from starlette.websockets import WebSocketDisconnect

    app = service(limits={"requests_per_second": 0.1, "requests_at_once": 3})
    client = client_of(app, authorization=f"Bearer {TOKEN}")
    with client.websocket_connect("ws://127.0.0.1:8484/graphql", subprotocols=["graphql-transport-ws"]) as opened:
        for message in ({"type": "connection_init"}, {"type": "ping"}, {"type": "ping"}):
            opened.send_json(message)
        assert [opened.receive_json()["type"] for _ in range(2)] == ["connection_ack", "pong"]
        with pytest.raises(WebSocketDisconnect) as ended:
            opened.receive_json()
    assert ended.value.code == 4429


# --- other pages ------------------------------------------------------------------------------------------

PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}


def test_other_pages_may_not_ask_unless_they_are_named(service, client_of):
    origin = {"origin": "https://explorer.example"}
    answer = client_of(service(), **origin).options("/graphql", headers=PREFLIGHT)
    assert answer.status_code == 401
    assert not any(name.startswith("access-control") for name in answer.headers)
    app = service(cors=("https://explorer.example",))
    answer = client_of(app, **origin).options("/graphql", headers=PREFLIGHT)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://explorer.example"
    assert "access-control-allow-credentials" not in answer.headers
    asked = client_of(app, **origin, authorization=f"Bearer {TOKEN}").post("/graphql", json=QUESTION)
    assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (200, "https://explorer.example")
    other = client_of(app, origin="https://evil.example").options("/graphql", headers=PREFLIGHT)
    assert "access-control-allow-origin" not in other.headers


def test_a_named_page_gets_nothing_by_the_cookie(service, client_of):
    from inventory.api.app import create_sign_in_link

    app = service(cors=("https://explorer.example",))
    client = client_of(app, origin="https://explorer.example")
    assert client.get(create_sign_in_link(app, "http://127.0.0.1:8484")).status_code == 303
    answer = client.post("/graphql", json=QUESTION)
    assert (answer.status_code, code(answer)) == (403, "FOREIGN_ORIGIN")


# --- settings ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", ["*", "null", "https://a.example/", "a.example", "https://", "ftp://a.example"])
def test_what_is_no_origin_is_refused(origin):
    with pytest.raises(ValidationError, match="should be an origin"):
        ApiSettings(cors=(origin,))


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "http://login.example"},
        {"issuer": "login.example"},
        {"issuer": "https://user:pw@login.example"},
        {"issuer": "https://login.example?x=1"},
        {"audience": "inventory"},
        {"scopes": ("profile",)},
        {"roles": {"staff": ("boss",)}},
        {"client_id": ""},
    ],
)
def test_an_issuer_that_is_not_safe_is_refused(wrong):
    right = {"issuer": "https://login.example", "client_id": "inventory", "client_secret": SecretStr("x")}
    assert OidcSettings(**right).roles == {}
    with pytest.raises(ValidationError):
        OidcSettings(**{**right, **wrong})


def test_the_configuration_says_it_all():
    from inventory.api.roles import Role
    from inventory.cli.road import served
    from inventory.scan.config import parse_config

    oidc = {
        "issuer": "https://login.example/realms/x",
        "client_id": "inventory",
        "roles_claim": "realm_access.roles",
        "roles": {"privacy-office": ["privacy", "dsar"]},
        "default_roles": ["viewer"],
    }
    limits = {"requests_per_second": 5}
    section = {"token_roles": ["viewer"], "cors": ["https://explorer.example"], "oidc": oidc, "limits": limits}
    settings = served(parse_config({"serve": section}, "test").serve)
    assert settings.token_roles == (Role.VIEWER,)
    assert settings.oidc is not None
    assert settings.oidc.roles == {"privacy-office": (Role.PRIVACY, Role.DSAR)}
    assert settings.limits == Limits(requests_per_second=5)
