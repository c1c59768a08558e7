"""Who may ask: nobody, unless signed in by link or token."""

import pytest

from inventory.api.app import create_sign_in_link
from inventory.api.sign_in import ExpiringSecrets

ADDRESS = "http://127.0.0.1:8484"
QUESTION = {"query": "{ __typename }"}


@pytest.mark.parametrize(
    "method, path",
    [
        ("POST", "/graphql"),
        ("GET", "/graphql"),
        ("GET", "/"),
        ("POST", "/sign-out"),
        ("GET", "/static/graphiql/graphiql.html"),
        ("GET", "/whatever"),
        ("OPTIONS", "/graphql"),
    ],
)
def test_strangers_are_refused_everywhere(service, client_of, method, path):
    answer = client_of(service()).request(method, path)
    assert answer.status_code == 401
    assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_browsers_are_told_what_to_do(service, client_of):
    answer = client_of(service(), accept="text/html,*/*").get("/graphql")
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("text/html")
    assert "one-time link" in answer.text


def test_a_link_signs_one_browser_in_once(service, client_of):
    app = service()
    link = create_sign_in_link(app, ADDRESS)
    first, second = client_of(app, origin=ADDRESS), client_of(app)
    answer = first.get(link)
    assert (answer.status_code, answer.headers["location"]) == (303, "/graphql")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert first.post("/graphql", json=QUESTION).json() == {"data": {"__typename": "Query"}}
    refused = second.get(link)
    assert refused.status_code == 401
    assert "set-cookie" not in refused.headers
    assert second.post("/graphql", json=QUESTION).status_code == 401


def test_a_preview_of_the_link_does_not_use_it_up(service, client_of):
    app = service()
    link = create_sign_in_link(app, ADDRESS)
    assert client_of(app).head(link).status_code == 405
    assert client_of(app).get(link).status_code == 303


@pytest.mark.parametrize("token", ["", "?", "é", "x" * 5000])
def test_a_made_up_link_signs_nobody_in(service, client_of, token):
    answer = client_of(service()).get("/sign-in", params={"token": token})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


def test_behind_tls_the_cookie_is_for_this_host_alone(service, client_of):
    app = service(https=True)
    cookie = client_of(app).get(create_sign_in_link(app, "https://127.0.0.1:8484")).headers["set-cookie"]
    assert cookie.startswith("__Host-")
    assert "secure" in cookie.lower()


def test_signing_out_ends_the_session(browser):
    assert browser.post("/graphql", json=QUESTION).status_code == 200
    cookie = dict(browser.cookies)
    assert browser.post("/sign-out").json() == {"signedOut": True}
    browser.cookies.update(cookie)
    assert browser.post("/graphql", json=QUESTION).status_code == 401


@pytest.mark.parametrize(
    "header", ["Bearer wrong", "Bearer", "Bearer ", "Basic YTpi", "a-token-for-programs-0123456789"]
)
def test_a_wrong_token_is_refused(service, client_of, header):
    assert client_of(service(), authorization=header).post("/graphql", json=QUESTION).status_code == 401


def test_a_wrong_token_does_not_fall_back_on_the_cookie(browser):
    assert browser.post("/graphql", json=QUESTION, headers={"authorization": "Bearer wrong"}).status_code == 401


def test_a_right_token_may_ask(program):
    assert program.post("/graphql", json=QUESTION).json() == {"data": {"__typename": "Query"}}


def test_secrets_expire_and_old_ones_make_room():
    now = 0.0
    secrets = ExpiringSecrets[str](60, most=2, clock=lambda: now)
    first, short = secrets.issue("first", 3600), secrets.issue("short", 5)
    assert [secrets.find(first), secrets.find(short)] == ["first", "short"]
    now = 6.0
    assert [secrets.find(first), secrets.find(short)] == ["first", None]
    now = 61.0
    assert secrets.find(first) is None
    kept = [secrets.issue(f"number {n}") for n in range(3)]
    assert [secrets.find(secret) for secret in kept] == [None, "number 1", "number 2"]
    assert [secrets.take(kept[2]), secrets.take(kept[2])] == ["number 2", None]


def test_no_secret_is_kept_as_it_is(service):
    app = service()
    token = create_sign_in_link(app, ADDRESS).partition("token=")[2]
    kept = repr(vars(app.state.doorkeeper)) + repr(vars(app.state.doorkeeper._links)) + repr(app.state.settings)
    assert token not in kept
    assert "a-token-for-programs" not in kept
