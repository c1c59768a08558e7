"""What stands before every request."""

import json

import pytest

QUESTION = {"query": "{ __typename }"}


def code(answer):
    return answer.json()["errors"][0]["extensions"]["code"]


@pytest.mark.parametrize("path", ["/graphql", "/healthz", "/sign-in", "/nowhere", "/static/graphiql/none.js"])
def test_every_answer_has_the_security_headers(program, path):
    headers = program.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


def test_a_nonce_is_used_once(program):
    policies = {program.get("/healthz").headers["content-security-policy"] for _ in range(3)}
    assert len(policies) == 3


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8484", "127.0.0.1.evil.example", "", "[::2]", "a b"])
def test_other_host_names_are_refused(program, host):
    answer = program.post("/graphql", json=QUESTION, headers={"host": host})
    assert (answer.status_code, code(answer)) == (421, "UNKNOWN_HOST")


@pytest.mark.parametrize("host", ["127.0.0.1:8484", "LOCALHOST", "[::1]:8484", "inventory.example"])
def test_our_host_names_are_known(service, client_of, host):
    client = client_of(service(hosts=("inventory.example",)), authorization="Bearer a-token-for-programs-0123456789")
    assert client.post("/graphql", json=QUESTION, headers={"host": host}).status_code == 200


def test_probes_are_open_under_any_name(service, client_of):
    client = client_of(service(), host="10.0.0.7")
    assert client.get("/healthz").json() == {"status": "alive"}
    assert client.get("/readyz").status_code == 503


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "http://127.0.0.1:9999", "null", "", "http://127.0.0.1:8484.evil.example"]
)
def test_a_cookie_does_not_count_on_other_sites_pages(browser, origin):
    for path in ("/graphql", "/sign-out"):
        answer = browser.post(path, json=QUESTION, headers={"origin": origin})
        assert (answer.status_code, code(answer)) == (403, "FOREIGN_ORIGIN")


def test_a_cookie_without_an_origin_needs_the_browser_to_vouch(browser):
    del browser.headers["origin"]
    assert browser.post("/graphql", json=QUESTION).status_code == 403
    vouched = {"sec-fetch-site": "same-origin"}
    assert browser.post("/graphql", json=QUESTION, headers=vouched).status_code == 200
    assert browser.post("/graphql", json=QUESTION, headers={"sec-fetch-site": "cross-site"}).status_code == 403


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
def test_questions_are_json(program, content_type):
    answer = program.post("/graphql", content=json.dumps(QUESTION), headers={"content-type": content_type})
    assert (answer.status_code, code(answer)) == (415, "NOT_JSON")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"null",
        b"1",
        b'"x"',
        b"[]",
        b'[{"query": "{ __typename }"}]',
        b"{}",
        b'{"query": 1}',
        b'{"query": "{ __typename }", "variables": []}',
        b'{"query": "{ __typename }", "operationName": 5}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_question_is_refused_and_not_failed_on(program, body):
    answer = program.post("/graphql", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert code(answer) == "BAD_REQUEST"


def test_questions_in_addresses_are_refused(program):
    for query in ({"query": "{ __typename }"}, {"variables": "{}"}):
        answer = program.get("/graphql", params=query)
        assert (answer.status_code, code(answer)) == (405, "METHOD_NOT_ALLOWED")
    assert program.put("/graphql", json=QUESTION).status_code == 405


@pytest.mark.parametrize("announced", [True, False])
def test_bodies_have_a_limit(program, announced):
    body = b'{"query": "{ __typename }", "x": "' + b"x" * 300_000 + b'"}'
    content = body if announced else iter([body[:150_000], body[150_000:]])
    answer = program.post("/graphql", content=content, headers={"content-type": "application/json"})
    assert (answer.status_code, code(answer)) == (413, "BODY_TOO_LARGE")
    assert "body_bytes" in answer.text


def test_requests_have_a_time(service, client_of):
    app = service(limits={"seconds": 0.05})
    client = client_of(app, authorization="Bearer a-token-for-programs-0123456789")
    answer = client.post("/graphql", json={"query": "{ systems { edges { node { id } } } }"})
    assert answer.status_code in {200, 504}  # an unreachable graph may fail sooner
    if answer.status_code == 504:
        assert code(answer) == "TIMEOUT"


def test_nothing_is_here(program):
    answer = program.get("/nowhere")
    assert (answer.status_code, code(answer)) == (404, "NOT_FOUND")
