"""Signing in with a real OpenID Connect provider: people by the code flow, programs by access tokens."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import html
import importlib.util
import json
import os
import re
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

ADDRESS = "http://127.0.0.1:8484"
CALLBACK = f"{ADDRESS}/sign-in/callback"
AUDIENCE = "urn:inventory"
SECRET = "a secret of the service: with + and %"
CLIENT = {"id": "inventory", "secret": SECRET, "redirects": [CALLBACK]}
PEOPLE = {
    "ada-the-person": {"groups": ["privacy team"], "name": "Ada"},
    "eve-the-person": {"groups": ["another team"], "name": "Eve"},
}
ROLES = {"privacy team": ("privacy",), "machines": ("engineer",)}
QUESTION = {"query": "{ __typename }"}


def key(kid):
    from joserfc.jwk import RSAKey

    return RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256", "kid": kid}, private=True)


@pytest.fixture(scope="module")
def fleet():
    path = Path(__file__).parents[2] / "fleet" / "oidc" / "server.py"
    spec = importlib.util.spec_from_file_location("oidc_fleet", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    try:
        module.program()
    except module.ToolchainMissing as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    return module


@pytest.fixture(scope="module")
def signing_key():
    return key("one")


@pytest.fixture(scope="module")
def provider(fleet, signing_key, tmp_path_factory):
    """The address of a provider."""
    keys, audiences = [signing_key.as_dict(private=True)], [AUDIENCE, "urn:another"]
    with fleet.provider(
        tmp_path_factory.mktemp("oidc"), keys=keys, client=CLIENT, audiences=audiences, people=PEOPLE
    ) as port:
        yield f"http://127.0.0.1:{port}"


def settings_for(issuer, **more):
    from inventory.api.settings import OidcSettings

    known = {"client_id": "inventory", "client_secret": SECRET, "audience": AUDIENCE, "roles_claim": "groups"}
    return OidcSettings(**{"issuer": issuer, **known, "roles": ROLES, **more})


@pytest.fixture
def service():
    """Builds the service, over a graph that does not answer, with an issuer at this address."""
    from inventory.api.app import create_app
    from inventory.api.settings import ApiSettings
    from inventory.graph.catalogue import Catalogue
    from inventory.graph.connection import Graph, GraphSettings

    graph = Graph(GraphSettings(uri="bolt://127.0.0.1:1"), retry_seconds=0.0)

    def build(issuer, **more):
        settings = ApiSettings(oidc=settings_for(issuer, **more))
        return create_app(Catalogue(graph), settings, pseudonym_key=b"k" * 32)

    with graph:
        yield build


def client_of(app, **headers):
    from starlette.testclient import TestClient

    return TestClient(app, base_url=ADDRESS, headers={"origin": ADDRESS, **headers}, follow_redirects=False)


def began(browser):
    """The address that the service sends the browser to."""
    answer = browser.get("/sign-in/start")
    assert answer.status_code == 303
    return answer.headers["location"]


def signed_in_at_issuer(address, login):
    """What a person does at the issuer's; the address that the issuer sends them back to."""
    with httpx.Client(follow_redirects=False) as person:
        answer = person.get(address)
        for _ in range(10):
            if answer.status_code == 200:
                form = html.unescape(re.findall(r'action="([^"]+)"', answer.text)[0])
                answer = person.post(form, data={"prompt": "login", "login": login, "password": "any"})
                continue
            assert answer.is_redirect, answer.text
            to = str(httpx.URL(answer.url).join(answer.headers["location"]))
            if to.startswith(CALLBACK):
                return to
            answer = person.get(to)
    raise AssertionError("the issuer did not send the person back")


def refused(answer):
    assert answer.status_code == 401
    assert "inventory-session=" not in answer.headers.get("set-cookie", "")
    return answer.json()["errors"][0]["message"]


def with_query(address, **changes):
    return str(httpx.URL(address).copy_merge_params(changes))


# --- people -----------------------------------------------------------------------------------------------


def test_a_person_signs_in_and_is_what_the_issuer_says(service, provider, capsys):
    from structlog.testing import capture_logs

    app = service(provider)
    browser = client_of(app)
    with capture_logs() as logged:
        back = signed_in_at_issuer(began(browser), "ada-the-person")
        answer = browser.get(back)
    assert answer.status_code == 200
    assert 'content="0;url=/graphql"' in answer.text
    session = next(c for c in answer.headers.get_list("set-cookie") if c.startswith("inventory-session="))
    assert "httponly" in session.lower()
    assert "samesite=strict" in session.lower()
    (seconds,) = re.findall(r"Max-Age=(\d+)", session)
    assert int(seconds) <= 600, "a session ends with the ID token, which lasts ten minutes here"
    assert browser.post("/graphql", json=QUESTION).json() == {"data": {"__typename": "Query"}}
    caller = app.state.doorkeeper.sessions.find(browser.cookies["inventory-session"])
    assert caller.roles == {"privacy"}
    assert re.fullmatch("person [0-9a-f]{16}", caller.name)
    seen = capsys.readouterr()
    assert not re.search("ada", (str(logged) + seen.out + seen.err).lower())
    assert browser.post("/sign-out").status_code == 200
    assert browser.post("/graphql", json=QUESTION).status_code == 401


def test_a_name_is_used_where_it_is_asked_for(service, provider):
    app = service(provider, name_claim="name", scopes=("openid", "profile"))
    browser = client_of(app)
    assert browser.get(signed_in_at_issuer(began(browser), "ada-the-person")).status_code == 200
    assert app.state.doorkeeper.sessions.find(browser.cookies["inventory-session"]).name == "person Ada"


def test_the_browser_is_sent_with_all_that_protects_it(service, provider):
    browser = client_of(service(provider))
    answer = browser.get("/sign-in/start", params={"next": "https://evil.example", "redirect_uri": "//evil.example"})
    assert "samesite=lax" in answer.headers["set-cookie"].lower()
    assert "httponly" in answer.headers["set-cookie"].lower()
    asked = parse_qs(urlsplit(answer.headers["location"]).query)
    assert asked["redirect_uri"] == [CALLBACK]
    assert asked["code_challenge_method"] == ["S256"]
    assert all(len(asked[name][0]) >= 43 for name in ("state", "nonce", "code_challenge"))
    assert "evil" not in answer.headers["location"]


def test_whoever_has_no_role_is_told_so(service, provider):
    browser = client_of(service(provider))
    answer = browser.get(signed_in_at_issuer(began(browser), "eve-the-person"))
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (403, "NO_ROLE")
    assert "inventory-session" not in browser.cookies
    browser = client_of(service(provider, default_roles=("viewer",)))
    assert browser.get(signed_in_at_issuer(began(browser), "eve-the-person")).status_code == 200


def test_an_answer_counts_once_in_the_browser_that_began(service, provider):
    app = service(provider)
    browser, stranger = client_of(app), client_of(app)
    back = signed_in_at_issuer(began(browser), "ada-the-person")
    began(stranger)
    assert "another attempt" in refused(stranger.get(back))
    assert "another browser" in refused(client_of(app).get(back))
    cookies = dict(browser.cookies)
    assert browser.get(back).status_code == 200
    again = client_of(app)
    again.cookies.update(cookies)
    assert "was used before" in refused(again.get(back))


@pytest.mark.parametrize(
    "changes, says",
    [
        ({"state": "made-up"}, "another attempt"),
        ({"state": ""}, "another attempt"),
        ({"iss": "https://evil.example"}, "another issuer"),
        ({"code": "made-up"}, "did not take the code"),
        ({"code": ""}, "did not let you in"),
        ({"error": "access_denied", "error_description": "<script>"}, "did not let you in"),
    ],
)
def test_an_answer_that_was_changed_is_refused(service, provider, changes, says):
    browser = client_of(service(provider))
    back = with_query(signed_in_at_issuer(began(browser), "ada-the-person"), **changes)
    message = refused(browser.get(back))
    assert says in message
    assert "script" not in message


def test_the_code_of_another_attempt_is_refused(service, provider):
    app = service(provider)
    browser, other = client_of(app), client_of(app)
    stolen = parse_qs(urlsplit(signed_in_at_issuer(began(other), "ada-the-person")).query)["code"][0]
    back = with_query(signed_in_at_issuer(began(browser), "ada-the-person"), code=stolen)
    assert "did not take the code" in refused(browser.get(back))


def test_another_nonce_is_refused(service, provider):
    browser = client_of(service(provider))
    back = signed_in_at_issuer(with_query(began(browser), nonce="n" * 43), "ada-the-person")
    assert "another attempt" in refused(browser.get(back))


def test_a_wrong_secret_of_ours_is_refused_by_the_issuer(service, provider):
    browser = client_of(service(provider, client_secret="another"))
    assert "did not take the code" in refused(browser.get(signed_in_at_issuer(began(browser), "ada-the-person")))


def test_the_page_names_the_ways(service, provider):
    browser = client_of(service(provider), accept="text/html")
    page, stopped = browser.get("/sign-in"), browser.get("/graphql")
    assert (page.status_code, stopped.status_code) == (200, 401)
    for text in (page.text, stopped.text):
        assert 'href="/sign-in/start"' in text
        assert "one-time link" in text


def test_an_issuer_that_does_not_answer_leaves_the_other_ways(service, signing_key):
    from inventory.api.app import create_sign_in_link

    app = service("http://127.0.0.1:1")
    browser = client_of(app)
    answer = browser.get("/sign-in/start")
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (503, "ISSUER_UNAVAILABLE")
    assert "does not answer" in answer.json()["errors"][0]["message"]
    token = forged(signing_key, claims_of("http://127.0.0.1:1"))
    assert client_of(app, authorization=f"Bearer {token}").post("/graphql", json=QUESTION).status_code == 503
    assert client_of(app, authorization="Bearer nonsense").post("/graphql", json=QUESTION).status_code == 401
    assert browser.get(create_sign_in_link(app, ADDRESS)).status_code == 303
    assert browser.post("/graphql", json=QUESTION).status_code == 200


def test_an_issuer_that_calls_itself_otherwise_is_refused(service, provider):
    answer = client_of(service(provider.replace("127.0.0.1", "localhost"))).get("/sign-in/start")
    assert answer.status_code == 503
    assert "calls itself otherwise" in answer.json()["errors"][0]["message"]


# --- programs ---------------------------------------------------------------------------------------------


def access_token(provider, audience=AUDIENCE):
    form = {"grant_type": "client_credentials", "resource": audience, "scope": "ask"}
    answer = httpx.post(f"{provider}/token", data=form, auth=("a-program", "a-program%27s+secret"))
    return answer.json()["access_token"]


def asks_with(app, token):
    return client_of(app, authorization=f"Bearer {token}").post("/graphql", json=QUESTION).status_code


def claims_of(issuer, **changes):
    now = int(time.time())
    said = {"iss": issuer, "aud": AUDIENCE, "sub": "x", "iat": now, "exp": now + 600, "groups": ["machines"]}
    return {name: value for name, value in {**said, **changes}.items() if value is not None}


def forged(signing_key, claims, **header):
    from joserfc import jwt

    algorithm = header.get("alg", "RS256")
    return jwt.encode({"alg": algorithm, "kid": "one", **header}, claims, signing_key, algorithms=[algorithm])


def signed_by_hand(header, claims, secret):
    """As a library refuses to: without a signature, or with one by a public key taken as a secret."""

    def part(content):
        return base64.urlsafe_b64encode(content).rstrip(b"=")

    body = part(json.dumps(header).encode()) + b"." + part(json.dumps(claims).encode())
    signature = part(hmac.new(secret, body, hashlib.sha256).digest()) if secret else b""
    return (body + b"." + signature).decode()


def test_programs_are_let_in_by_access_tokens_for_us(service, provider):
    app = service(provider)
    assert asks_with(app, access_token(provider)) == 200
    assert asks_with(app, access_token(provider, "urn:another")) == 401
    assert asks_with(service(provider, audience=""), access_token(provider)) == 401


def test_a_token_is_refused_for_each_thing_that_is_wrong_with_it(service, provider, signing_key):
    app, now = service(provider), int(time.time())
    assert asks_with(app, forged(signing_key, claims_of(provider))) == 200, "what is made here is what the issuer makes"
    wrong = {
        "expired": {"exp": now - 60},
        "without an end": {"exp": None},
        "with an end that is no time": {"exp": "tomorrow"},
        "not yet valid": {"nbf": now + 600},
        "of the future": {"iat": now + 600},
        "of another issuer": {"iss": "https://evil.example"},
        "of no issuer": {"iss": None},
        "for another audience": {"aud": ["urn:another"]},
        "for the client, as ID tokens are": {"aud": "inventory"},
        "for nobody": {"aud": None},
        "about nobody": {"sub": None},
    }
    for name, change in wrong.items():
        assert asks_with(app, forged(signing_key, claims_of(provider, **change))) == 401, name
    first, second, third = forged(signing_key, claims_of(provider)).split(".")
    unsigned = signed_by_hand({"alg": "none"}, claims_of(provider), None)
    hashed = signed_by_hand({"alg": "HS256", "kid": "one"}, claims_of(provider), signing_key.as_pem(private=False))
    other_body = forged(key("one"), claims_of(provider, groups=["privacy team"])).split(".")[1]
    for token in (
        unsigned,
        hashed,
        forged(key("one"), claims_of(provider)),
        forged(key("one"), claims_of(provider), kid="unknown"),
        f"{first}.{second}.",
        f"{first}.{other_body}.{third}",
        f"{first}.{second}.{third}.{third}.{third}",
        "." * 2,
        "e30.e30.e30",
        "x" * 20_000 + ".a.b",
    ):
        assert asks_with(app, token) == 401


def test_whoever_has_no_role_may_not_ask(service, provider, signing_key):
    app = service(provider)
    assert asks_with(app, forged(signing_key, claims_of(provider, groups=["another team"]))) == 403
    assert asks_with(app, forged(signing_key, claims_of(provider, groups={"machines": True}))) == 403


def test_keys_are_fetched_again_when_they_change_and_not_too_often(fleet, tmp_path):
    from inventory.api.oidc import ASKED_EVERY, Issuer

    old, new, now = key("old"), key("new"), 1000.0
    known = {"client": CLIENT, "audiences": [AUDIENCE], "people": PEOPLE}

    async def recognised(token):
        person = await issuer.recognise(token)
        return None if person is None else person.roles

    def run(token):
        return asyncio.run(recognised(token))

    with fleet.provider(tmp_path, keys=[old.as_dict(private=True)], **known) as port:
        address = f"http://127.0.0.1:{port}"
        issuer = Issuer(settings_for(address), b"k" * 32, clock=lambda: now)
        before = access_token(address)
        assert run(before) == {"engineer"}
    with fleet.provider(tmp_path, keys=[new.as_dict(private=True)], port=port, **known):
        after = access_token(address)
        assert run(after) is None, "the keys were fetched a moment ago"
        now += ASKED_EVERY + 1
        assert run(after) == {"engineer"}
        assert run(before) is None, "the old key is not the issuer's any more"
    now += ASKED_EVERY + 1
    assert run(after) == {"engineer"}, "an issuer that is away leaves its keys known"
    assert run(forged(key("x"), claims_of(address), kid="x")) is None
