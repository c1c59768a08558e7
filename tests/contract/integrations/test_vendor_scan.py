"""Scanning by a connector: all that it can say, before a server that does what the test writes."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inventory.errors import ConfigError, InventoryError, SourceError
from inventory.model import (
    Aspect,
    Covered,
    DatasetSeen,
    DisclosureSeen,
    FieldClassified,
    FieldSeen,
    Finding,
    ProcessorSeen,
    SystemSeen,
)
from scanners.base import ScanContext
from scanners.integrations.connector import Connector
from scanners.integrations.engine import Limits
from scanners.integrations.vendor import VendorScanner, VendorSettings

SECRET = "sk_canary_secret"
PEOPLE = {
    "name": "people",
    "path": "/people",
    "records": "/data",
    "fields": {"/mail": {"category": "user.contact.email"}},
}


def connector(*resources: dict, **changes) -> Connector:
    return Connector.model_validate(
        {
            "vendor": "crm",
            "name": "CRM",
            "legal_entity": "CRM Inc.",
            "processor": "crm-inc",
            "service_class": "crm",
            "role": "processor",
            "head_office": "US",
            "regions": ["US", "CA"],
            "documentation": "https://crm.example/docs",
            "verified": "documentation",
            "contacts": {"erasure": "mailto:erase@crm.example"},
            "base_url": "https://api.crm.example",
            "auth": {"scheme": "bearer", "token": "token"},
            "check": "/check",
            "resources": list(resources or [PEOPLE]),
            **changes,
        }
    )


@pytest.fixture
def scan(misbehaving, small_detection, monkeypatch):
    """Scan the server by a connector; what was seen."""
    monkeypatch.setenv("CANARY_SECRET", SECRET)
    misbehaving.answer("/check", {})

    def scan(described: Connector, limits: Limits | None = None, **settings):
        names = ("token", "user", "client", "secret", "key", "access", "session")
        settings = {"base_url": misbehaving.address, **settings}
        given = VendorSettings.model_validate(
            {
                "name": "crm",
                "type": "crm",
                "account": "a-1",
                "credentials": {name: {"env": "CANARY_SECRET"} for name in names},
                **settings,
            }
        )
        return list(VendorScanner(given, limits, described).scan(ScanContext(detection=small_detection)))

    return scan


def of(kind, observations):
    return [observation for observation in observations if isinstance(observation, kind)]


def names(observations) -> set[str]:
    return {each.urn.removeprefix("crm://a-1/") for each in of(FieldSeen, observations)}


def records(observations) -> dict[str, int | None]:
    return {each.name: each.row_estimate for each in of(DatasetSeen, observations)}


# --- shapes and pages -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "resource, answer, fields, count",
    [
        ({"shape": "list", "records": "/a/b"}, {"a": {"b": [{"x": 1}]}}, {"x"}, 1),
        ({"shape": "list", "records": "/a"}, {"a": None}, set(), 0),
        ({"shape": "list"}, [{"x": 1}, {"y": 1}], {"x", "y"}, 2),
        ({"shape": "list", "records": "/g/-/m"}, {"g": [{"m": [{"x": 1}]}, {"m": [{"x": 2}]}]}, {"x"}, 2),
        ({"shape": "list", "records": "/g/-/m"}, {"g": []}, set(), 0),
        ({"shape": "record", "records": "/me"}, {"me": {"x": 1}}, {"x"}, 1),
        ({"shape": "record"}, {"x": 1}, {"x"}, 1),
        ({"shape": "map", "records": "/all"}, {"all": {"k1": {"x": 1}, "k2": {"x": 2}}}, {"_key", "x"}, 2),
        ({"shape": "map"}, {"k1": "v"}, {"_key", "value"}, 1),
        ({"shape": "values", "records": "/v"}, {"v": ["a", "b"]}, {"value"}, 2),
    ],
)
def test_records_have_several_shapes(scan, misbehaving, resource, answer, fields, count):
    misbehaving.answer("/things", answer)
    seen = scan(connector({"name": "things", "path": "/things", **resource}))
    assert not of(Finding, seen)
    assert names(seen) == {f"things#{name}" for name in fields}
    assert records(seen) == {"things": count}


def test_pages_have_numbers(scan, misbehaving):
    misbehaving.sequence("/people", (200, {"data": [{"mail": 1}] * 2}, {}), (200, {"data": [{"mail": 1}]}, {}))
    paging = {"style": "number", "parameter": "page", "size_parameter": "per_page", "size": 2}
    assert records(scan(connector(PEOPLE, paging=paging))) == {"people": 3}
    assert [parse_qs(urlsplit(path).query) for path in misbehaving.asked[1:]] == [
        {"page": ["1"], "per_page": ["2"]},
        {"page": ["2"], "per_page": ["2"]},
    ]


def test_a_question_in_json_pages_inside_it(scan, misbehaving):
    misbehaving.sequence(
        "/people", (200, {"data": [{"mail": 1}], "next": "n1"}, {}), (200, {"data": [{"mail": 2}], "next": None}, {})
    )
    paging = {"style": "token", "parameter": "/paging/after", "token": "/next"}
    asking = {"method": "POST", "read_only": True, "body": {"q": "{account}", "paging": {"limit": 1}}}
    assert records(scan(connector({**PEOPLE, **asking, "parameters": {"v": "2"}}, paging=paging))) == {"people": 2}
    assert misbehaving.asked[1:] == ["/people?v=2"] * 2
    assert [json.loads(body) for body in misbehaving.bodies[1:]] == [
        {"q": "a-1", "paging": {"limit": 1}},
        {"q": "a-1", "paging": {"limit": 1, "after": "n1"}},
    ]


def test_a_form_is_sent_by_post(scan, misbehaving):
    misbehaving.answer("/people", {"data": []})
    scan(connector({**PEOPLE, "method": "POST", "read_only": True, "parameters": {"a": "b c"}}))
    assert misbehaving.bodies[1] == b"a=b+c"


def test_a_token_may_stay_after_the_last_page(scan, misbehaving):
    misbehaving.answer("/people", {"data": [{"mail": 1}], "next": "n1", "more": False})
    paging = {"style": "token", "parameter": "after", "token": "/next", "more": "/more"}
    assert records(scan(connector(PEOPLE, paging=paging))) == {"people": 1}


def test_lines_of_json_are_read_and_may_be_cut(scan, misbehaving):
    lines = b'{"mail": "a"}\n\n{"mail": "b"}\n{"mail": "c"}'
    misbehaving.answer("/people", lines, kind="application/x-ndjson")
    described = connector({key: value for key, value in PEOPLE.items() if key != "records"})
    assert records(scan(described)) == {"people": 3}
    misbehaving.answer("/people", (lines + b"\n") * 10, kind="application/x-ndjson")
    cut = scan(described, Limits(response=100))
    assert records(cut) == {"people": None}
    assert not of(Finding, cut)


def test_children_are_asked_for_by_their_parents_key(scan, misbehaving):
    misbehaving.answer("/people", {"data": [{"id": "a/b"}, {"id": ".."}, {"id": 7}, {}]})
    misbehaving.answers["/people/a%2Fb/notes"] = lambda handler: misbehaving.send(handler, b"[]")
    misbehaving.answers["/people/7/notes"] = lambda handler: misbehaving.send(handler, b'[{"text": "x"}]')
    parent = {"resource": "people", "key": "/id", "placeholder": "person"}
    notes = {"name": "notes", "path": "/people/{person}/notes", "parent": parent, "parameters": {"of": "{person}"}}
    seen = scan(connector(PEOPLE, notes))
    assert misbehaving.asked[2:] == ["/people/a%2Fb/notes?of=a%2Fb", "/people/7/notes?of=7"]
    assert names(seen) >= {"notes#text"}


def test_one_childs_failure_takes_nothing_from_the_others(scan, misbehaving):
    misbehaving.answer("/people", {"data": [{"id": n} for n in range(8)]})
    for n in range(8):
        misbehaving.answer(f"/people/{n}/notes", [{"text": "x"}] if n == 3 else {}, 200 if n in (0, 3) else 404)
    parent = {"resource": "people", "key": "/id", "placeholder": "person"}
    notes = {"name": "notes", "path": "/people/{person}/notes", "parent": parent}
    seen = scan(connector(PEOPLE, notes))
    assert [(each.about, each.code) for each in of(Finding, seen)] == [("crm://a-1/notes", "unexpected-answer")]
    assert names(seen) >= {"people#id"}


# --- addresses --------------------------------------------------------------------------------------------


def test_variables_stand_in_all_places(scan, misbehaving):
    misbehaving.answer("/acc/a-1/ca/people", {"data": [{"mail": 1}]})
    described = connector(
        {**PEOPLE, "path": "/acc/{account}/{region}/people", "parameters": {"r": "{region}"}},
        variables={"region": "Where the account is."},
        base_url="https://{region}.crm.example",
        headers=[{"name": "X-Region", "value": "{region}"}],
    )
    assert records(scan(described, variables={"region": "ca"})) == {"people": 1}
    assert misbehaving.asked[1] == "/acc/a-1/ca/people?r=ca"
    assert misbehaving.headers[1]["x-region"] == "ca"


def test_the_accounts_own_names_are_in_no_evidence(scan, misbehaving):
    misbehaving.answer("/of/boss@canary.example/people", {"data": [{"mail": 1}]})
    described = connector({**PEOPLE, "path": "/of/{person}/people"}, variables={"person": "Who is asked for."})
    seen = scan(described, variables={"person": "boss@canary.example"})
    assert {each.evidence for each in of(DisclosureSeen, seen)} == {"1 records returned by GET /of/{person}/people"}
    assert "canary" not in repr(seen)


@pytest.mark.parametrize(
    "variables, cause",
    [
        ({}, r"crm: variables\.region is missing \(Where the account is\.\)"),
        ({"region": "ca", "colour": "blue"}, r"crm: variables\.colour is unknown"),
        ({"region": "a@b"}, "crm: account and variables give no address"),
    ],
)
def test_variables_are_checked_before_anything_is_asked(scan, misbehaving, variables, cause: str):
    described = connector(variables={"region": "Where the account is."}, base_url="https://{region}.crm.example")
    with pytest.raises(ConfigError, match=cause):
        scan(described, variables=variables, base_url="")
    assert not misbehaving.asked


@pytest.mark.parametrize("value", ["..", "a/b", "a b", "", "a?b", "{account}", "é"])
def test_a_variable_is_one_word(scan, value: str):
    with pytest.raises(ValueError, match=r"variables\.region"):
        scan(connector(), variables={"region": value})
    with pytest.raises(ValueError, match="account"):
        scan(connector(), account=value)


def test_a_resource_may_be_on_another_host(scan, misbehaving):
    misbehaving.answer("/v2/people", {"data": [{"mail": 1}]})
    described = connector({**PEOPLE, "base_url": "https://other.crm.example/v2"})
    assert records(scan(described)) == {"people": 1}


def test_a_private_network_is_only_asked_when_the_user_names_it(scan, misbehaving):
    port = urlsplit(misbehaving.address).port
    with pytest.raises(SourceError, match="its address is of a private network, which is refused"):
        scan(connector(base_url=f"https://127.0.0.1:{port}"), base_url="")
    assert not misbehaving.asked


def test_another_address_of_the_api_does_not_move_where_tokens_come_from(scan):
    described = connector(auth={**CLIENT, "token_url": "https://127.0.0.1:1/token"})
    with pytest.raises(SourceError) as caught:
        scan(described, base_url="https://127.0.0.1:2")
    assert caught.value.code == "elsewhere"  # of a private network: it is not the address that the user named
    with pytest.raises(SourceError) as caught:
        scan(connector(), Limits(attempts=1), base_url="https://127.0.0.1:2")
    assert caught.value.code == "unreachable"


@pytest.mark.parametrize("location", ["http://169.254.169.254/latest/meta-data/", "http://[fe80::1]/", "/elsewhere"])
def test_a_redirect_is_not_followed(scan, misbehaving, location: str):
    misbehaving.answer("/people", {}, 302, Location=location)
    assert [each.code for each in of(Finding, scan(connector()))] == ["redirect"]
    assert len(misbehaving.asked) == 2


# --- who receives it --------------------------------------------------------------------------------------


def test_the_vendor_is_described_before_what_is_disclosed_to_it(scan, misbehaving):
    misbehaving.answer("/people", {"data": [{"mail": "a@canary.example"}]})
    seen = scan(connector())
    assert isinstance(seen[0], SystemSeen)
    kinds = [type(each) for each in seen]
    assert kinds.index(ProcessorSeen) < kinds.index(DisclosureSeen)
    assert of(ProcessorSeen, seen) == [
        ProcessorSeen(
            "crm-inc",
            "CRM",
            "processor",
            ("crm",),
            "CRM Inc.",
            "US",
            ("US", "CA"),
            ("erasure: mailto:erase@crm.example",),
        )
    ]
    assert {each.processor for each in of(DisclosureSeen, seen)} == {"crm-inc"}


def test_a_known_vendor_is_described_as_by_every_other_source(scan, misbehaving):
    from scanners.recipients.catalogue import known

    misbehaving.answer("/people", {"data": []})
    assert of(ProcessorSeen, scan(connector(processor="stripe"))) == [known("stripe")]


def test_where_the_vendor_sends_it_on_to(scan, misbehaving):
    hooks = [
        {"url": "https://user:canary@hooks.canary-unknown.com/canary?token=canary", "type": "http"},
        {"url": "https://hooks.our-shop.com/canary"},
        {"url": "http://10.0.0.7/"},
        {"url": "s3://canary-bucket/logs?region=canary"},
        {"url": "https://api.stripe.com/canary", "type": "sendgrid"},
        {"url": "::canary::", "type": None},
    ]
    misbehaving.answer("/hooks", hooks)
    onward = [
        {"at": "/url", "kind": "url", "note": "events by webhook"},
        {"at": "/type", "kind": "vendor", "note": "events as they come"},
    ]
    seen = scan(connector({"name": "hooks", "path": "/hooks", "onward": onward}), own_domains=["our-shop.com"])
    sent = {each.processor: each for each in of(DisclosureSeen, seen) if each.processor != "crm-inc"}
    assert set(sent) == {"unknown:canary-unknown.com", "aws", "stripe", "sendgrid"}
    assert {each.key for each in of(ProcessorSeen, seen)} == {*sent, "crm-inc"}
    assert sent["stripe"].source == "crm://a-1/hooks"
    assert sent["stripe"].evidence == "events by webhook (/url of hooks)"
    assert "canary" not in repr(seen).replace("canary-unknown.com", "")


# --- signing in -------------------------------------------------------------------------------------------


def tokens(misbehaving, *given: dict) -> None:
    misbehaving.sequence("/token", *((200, each, {}) for each in given))


CLIENT = {
    "scheme": "oauth2_client_credentials",
    "token_url": "https://login.crm.example/token",
    "client_id": "client",
    "client_secret": "secret",
    "scopes": ["read:people", "read:notes"],
    "audience": "https://{account}.crm.example",
}


@pytest.mark.parametrize("place", ["basic", "body"])
def test_a_token_is_asked_for_once(scan, misbehaving, place: str):
    tokens(misbehaving, {"access_token": "t1", "expires_in": 3600})
    misbehaving.answer("/people", {"data": [{"mail": 1}]})
    assert not of(Finding, scan(connector(auth={**CLIENT, "client_in": place})))
    assert misbehaving.asked == ["/token", "/check", "/people"]
    form = dict(parse_qsl(misbehaving.bodies[0].decode()))
    client = {"client_id": SECRET, "client_secret": SECRET} if place == "body" else {}
    assert form == {
        "grant_type": "client_credentials",
        "scope": "read:people read:notes",
        "audience": "https://a-1.crm.example",
        **client,
    }
    assert misbehaving.headers[0].get("authorization", "").startswith("Basic ") == (place == "basic")
    assert [each["authorization"] for each in misbehaving.headers[1:]] == ["Bearer t1"] * 2


def test_a_token_that_ends_is_asked_for_again(scan, misbehaving):
    tokens(misbehaving, {"access_token": "t1", "expires_in": 0}, {"access_token": "t2"})
    misbehaving.answer("/people", {"data": [{"mail": 1}]})
    assert not of(Finding, scan(connector(auth=CLIENT)))
    assert misbehaving.asked == ["/token", "/check", "/token", "/people"]


def test_a_token_that_is_refused_is_asked_for_again_once(scan, misbehaving):
    tokens(misbehaving, {"access_token": "t1", "expires_in": 3600}, {"access_token": "t2", "expires_in": 3600})
    misbehaving.sequence("/people", (401, {}, {}), (200, {"data": [{"mail": 1}]}, {}))
    assert not of(Finding, scan(connector(auth=CLIENT)))
    assert misbehaving.asked == ["/token", "/check", "/people", "/token", "/people"]
    misbehaving.asked.clear()
    misbehaving.answer("/check", {}, 401)
    with pytest.raises(SourceError, match="the credentials are refused"):
        scan(connector(auth=CLIENT))
    assert misbehaving.asked == ["/token", "/check", "/token", "/check"]


@pytest.mark.parametrize(
    "body, status, kind, code",
    [
        ({"error": "canary"}, 400, "application/json", "credentials"),
        ({"error": "canary"}, 401, "application/json", "credentials"),
        ({"access_token": ""}, 200, "application/json", "credentials"),
        ({"access_token": "a\nb: canary"}, 200, "application/json", "credentials"),
        (["canary"], 200, "application/json", "credentials"),
        (b"<html>canary", 200, "text/html", "not-json"),
        ({}, 302, "application/json", "redirect"),
    ],
)
def test_a_token_that_is_not_given_ends_the_scan(scan, misbehaving, body, status: int, kind: str, code: str):
    misbehaving.answer("/token", body, status, kind, Location="http://169.254.169.254/")
    with pytest.raises(SourceError) as caught:
        scan(connector(auth=CLIENT))
    assert caught.value.code == code
    assert misbehaving.asked == ["/token"]
    assert "canary" not in str(caught.value)


def test_a_service_account_signs_what_it_asks(scan, misbehaving, tmp_path):
    from joserfc import jwt
    from joserfc.jwk import RSAKey

    key = RSAKey.generate_key(2048, private=True)
    file = {
        "client_email": "robot@crm.example",
        "private_key": key.as_pem(private=True).decode(),
        "private_key_id": "k1",
    }
    (tmp_path / "key.json").write_text(json.dumps(file, indent=1), encoding="utf-8")
    tokens(misbehaving, {"access_token": "t1", "expires_in": 3600})
    misbehaving.answer("/people", {"data": [{"mail": 1}]})
    auth = {"scheme": "oauth2_service_account", "key": "key", "scopes": ["read", "more"], "subject": "person"}
    described = connector(auth=auth, variables={"person": "Whom the robot acts for."})
    credentials = {"key": {"file": str(tmp_path / "key.json")}}
    assert not of(Finding, scan(described, variables={"person": "admin@shop.example"}, credentials=credentials))
    form = dict(parse_qsl(misbehaving.bodies[0].decode()))
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    token = jwt.decode(form["assertion"], key, algorithms=["RS256"])
    assert token.header["kid"] == "k1"
    said = {name: token.claims[name] for name in ("iss", "scope", "aud", "sub")}
    google = "https://oauth2.googleapis.com/token"
    assert said == {"iss": "robot@crm.example", "scope": "read more", "aud": google, "sub": "admin@shop.example"}
    assert misbehaving.headers[1]["authorization"] == "Bearer t1"


@pytest.mark.parametrize("text", ["", "{}", "[]", "no json", '{"client_email": "x", "private_key": "canary"}'])
def test_a_file_without_a_key_is_said_before_anything_is_asked(scan, misbehaving, tmp_path, text: str):
    (tmp_path / "key.json").write_text(text, encoding="utf-8")
    auth = {"scheme": "oauth2_service_account", "key": "key", "scopes": ["read"]}
    with pytest.raises(ConfigError, match=r"crm: credentials\.key") as caught:
        scan(connector(auth=auth), credentials={"key": {"file": str(tmp_path / "key.json")}})
    assert "canary" not in str(caught.value)
    assert not misbehaving.asked


def test_each_request_is_signed(scan, misbehaving):
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    misbehaving.answer("/people", {"data": [{"mail": 1}]})
    auth = {
        "scheme": "sigv4",
        "service": "ses",
        "region": "region",
        "access_key_id": "access",
        "secret_access_key": "secret",
        "session_token": "session",
    }
    described = connector(
        {**PEOPLE, "method": "POST", "read_only": True, "body": {"n": 1}}, auth=auth, variables={"region": "Of AWS."}
    )
    assert not of(Finding, scan(described, variables={"region": "ca-central-1"}))
    sent = misbehaving.headers[1]
    request = AWSRequest("POST", f"{misbehaving.address}/people", data=misbehaving.bodies[1])
    request.context["timestamp"] = sent["x-amz-date"]
    for name in ("x-amz-date", "x-amz-security-token"):
        request.headers[name] = sent[name]
    signer = SigV4Auth(Credentials(SECRET, SECRET, SECRET), "ses", "ca-central-1")
    text = signer.string_to_sign(request, signer.canonical_request(request))
    assert sent["authorization"].endswith(f"Signature={signer.signature(text, request)}")


# --- what goes wrong --------------------------------------------------------------------------------------


def test_what_one_scope_would_grant_is_named_and_the_others_go_on(scan, misbehaving):
    misbehaving.answer("/people", {"message": "canary"}, 403)
    misbehaving.answer("/notes", [{"text": "x"}])
    seen = scan(connector({**PEOPLE, "scopes": ["people:read"]}, {"name": "notes", "path": "/notes"}))
    assert [(each.about, each.code, each.message) for each in of(Finding, seen)] == [
        ("crm://a-1/people", "not-granted", "crm: people: reading is not permitted (grant people:read)")
    ]
    assert records(seen) == {"people": None, "notes": 1}
    assert Covered("crm://a-1", Aspect.LISTING) in seen
    assert Covered("crm://a-1/people", Aspect.CONTENT) not in seen


def test_nothing_is_said_of_the_children_of_what_could_not_be_read(scan, misbehaving):
    misbehaving.answer("/people", {}, 403)
    parent = {"resource": "people", "key": "/id", "placeholder": "person"}
    notes = {"name": "notes", "path": "/people/{person}/notes", "parent": parent}
    below = {"name": "lines", "path": "/{note}", "parent": {"resource": "notes", "key": "/id", "placeholder": "note"}}
    seen = scan(connector(PEOPLE, notes, below))
    assert records(seen) == {"people": None, "notes": None, "lines": None}
    assert [each.about for each in of(Finding, seen)] == ["crm://a-1/people"]
    assert [each.scope for each in of(Covered, seen)] == ["crm://a-1"]


def test_a_key_that_opens_all_but_one_resource(scan, misbehaving):
    misbehaving.answer("/people", {"message": "canary"}, 401)
    misbehaving.answer("/notes", [{"text": "x"}])
    seen = scan(connector(PEOPLE, {"name": "notes", "path": "/notes"}))
    assert [(each.about, each.code) for each in of(Finding, seen)] == [("crm://a-1/people", "credentials")]
    assert records(seen) == {"people": None, "notes": 1}


@pytest.mark.parametrize(
    "body, status, kind, code",
    [
        ({"data": [{"mail": SECRET}]}, 401, "application/json", "credentials"),
        ({"data": [{"mail": SECRET}]}, 403, "application/json", "not-granted"),
        ({"data": [{"mail": SECRET}]}, 404, "application/json", "refused"),
        ({"data": [{"mail": SECRET}]}, 429, "application/json", "rate-limited"),
        ({"data": [{"mail": SECRET}]}, 500, "application/json", "server-error"),
        (f"<html>{SECRET}".encode(), 200, "text/html", "not-json"),
        (b'{"data": [{"mail": "%s"' % SECRET.encode(), 200, "application/json", "not-json"),
        ({"data": SECRET}, 200, "application/json", "unexpected-answer"),
        ({"data": [SECRET]}, 200, "application/json", "unexpected-answer"),
        ({"data": [{"id": SECRET}], "more": True}, 200, "application/json", "cycle"),
        ({"data": [], "more": True, "next": SECRET}, 200, "application/json", "half-page"),
    ],
)
def test_no_secret_and_no_value_is_logged_or_said(scan, misbehaving, caplog, body, status: int, kind: str, code: str):
    misbehaving.answer("/people", body, status, kind, Retry_After="0", X_Canary=SECRET, Set_Cookie=f"s={SECRET}")
    paging = {"style": "cursor", "parameter": "after", "key": "/id", "more": "/more"}
    with caplog.at_level(logging.DEBUG):
        seen = scan(connector(PEOPLE, paging=paging), Limits(attempts=2))
    assert [each.code for each in of(Finding, seen)] == [code]
    assert "canary" not in repr(seen) + caplog.text
    assert misbehaving.headers[0]["authorization"] == f"Bearer {SECRET}"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "id", "mail", "more", "url", "a/b", ""]) | st.text(max_size=4), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(answers=st.lists(JSON, min_size=2, max_size=2), shape=st.sampled_from(["list", "record", "map", "values"]))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_json_is_answered_the_scan_ends_well(scan, misbehaving, answers: list, shape: str):
    for path, answer in zip(("/people", "/hooks"), answers, strict=True):
        misbehaving.answer(path, answer)
    people = {
        "name": "people",
        "path": "/people",
        "shape": shape,
        "fields": {"/mail": {"category": "user.contact.email"}},
    }
    hooks = {
        "name": "hooks",
        "path": "/hooks",
        "records": "/data",
        "shape": shape,
        "primary_key": "/id",
        "references": {"/id": "people/id"},
        "onward": [{"at": "/url", "kind": "url", "note": "x"}, {"at": "/a~1b/-", "kind": "vendor", "note": "x"}],
    }
    paging = {"style": "token", "parameter": "after", "token": "/id", "more": "/more"}
    seen = scan(connector(people, hooks, paging=paging))
    assert {each.name for each in of(DatasetSeen, seen)} == {"people", "hooks"}
    assert seen[-1] == Covered("crm://a-1", Aspect.LISTING)


def test_no_secret_is_in_an_exception_or_what_it_came_from(scan, misbehaving, caplog):
    misbehaving.answer("/check", {"echo": SECRET}, 401)
    with caplog.at_level(logging.DEBUG), pytest.raises(InventoryError) as caught:
        scan(connector())
    error: BaseException | None = caught.value
    while error is not None:
        assert SECRET not in repr(error) + str(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    assert SECRET not in caplog.text


# --- the budget -------------------------------------------------------------------------------------------


def test_rows_and_bytes_of_the_budget_are_kept(scan, misbehaving):
    misbehaving.answer("/people", {"data": [{"mail": 1}] * 10})
    misbehaving.answer("/notes", [{"text": "x"}])
    described = connector(PEOPLE, {"name": "notes", "path": "/notes"})
    for budget in ({"rows": 10}, {"bytes": 20}):
        misbehaving.asked.clear()
        seen = scan(described, budget=budget)
        assert misbehaving.asked == ["/check", "/people"]
        assert [(each.about, each.code) for each in of(Finding, seen)] == [("crm://a-1", "over-budget")]
        assert set(records(seen)) == {"people", "notes"}
        assert Covered("crm://a-1/notes", Aspect.CONTENT) not in seen


def test_the_bytes_of_a_sample_are_kept(scan, misbehaving):
    pages = [(200, {"data": [{"id": n, "text": "x" * 900}], "more": n < 9}, {}) for n in range(10)]
    misbehaving.sequence("/people", *pages)
    paging = {"style": "cursor", "parameter": "after", "key": "/id", "more": "/more"}
    seen = scan(connector(PEOPLE, paging=paging), sampling={"bytes": 3000})
    assert len(misbehaving.asked) == 1 + 4
    assert records(seen) == {"people": None}


def test_nothing_is_sampled_outside_the_window(scan, misbehaving):
    now = datetime.now(UTC)
    window = f"{now + timedelta(hours=2):%H:%M}-{now + timedelta(hours=3):%H:%M}"
    seen = scan(connector(), budget={"window": window})
    assert misbehaving.asked == ["/check"]
    assert [each.code for each in of(Finding, seen)] == ["over-budget"]


def test_the_most_requests_a_second_are_kept(scan, misbehaving):
    import time

    pages = [(200, {"data": [{"id": n}], "more": n < 5}, {}) for n in range(6)]
    misbehaving.sequence("/people", *pages)
    paging = {"style": "cursor", "parameter": "after", "key": "/id", "more": "/more"}
    begun = time.monotonic()
    scan(connector(PEOPLE, paging=paging), budget={"queries_per_second": 20})
    assert time.monotonic() - begun >= 6 / 20


def test_a_plan_asks_nothing(misbehaving, small_detection):
    settings = VendorSettings(name="crm", type="crm", account="a-1", base_url=misbehaving.address)
    described = connector(PEOPLE, paging={"style": "number", "parameter": "page", "size": 50})
    planned = list(VendorScanner(settings, None, described).plan(ScanContext(detection=small_detection)))
    assert [(each.dataset, each.rows, each.queries) for each in planned] == [("people", 1000, 20)]
    assert not misbehaving.asked


def test_the_fields_that_are_documented_are_classified_without_a_record(scan, misbehaving):
    misbehaving.answer("/people", {"data": []})
    assert [each.field for each in of(FieldClassified, scan(connector()))] == ["crm://a-1/people#mail"]
