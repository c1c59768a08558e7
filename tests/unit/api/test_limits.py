"""Every limit is reached exactly at its number, and no document takes long to judge."""

from __future__ import annotations

import json
import time

import pytest
from graphql import parse, validate
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.api.limits import shape_errors
from inventory.api.schema import build_schema
from inventory.api.settings import Limits

BODY = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def schema():
    return build_schema(Limits())._schema


@pytest.fixture(scope="module")
def beyond(schema):
    """Which limits a question goes beyond, with these numbers in place of the usual."""

    def judged(query, variables=None, **limits):
        found = shape_errors(schema, parse(query), None, variables or {}, Limits.model_validate(limits))
        return {(error.extensions or {})["limit"]: error.message for error in found}

    return judged


def nested(levels):
    return '{ category(key: "x") ' + "{ parent " * (levels - 2) + "{ key }" + " }" * (levels - 2) + " }"


def introspection(levels):
    return '{ __type(name: "x") ' + "{ ofType " * (levels - 2) + "{ name }" + " }" * (levels - 2) + " }"


@pytest.mark.parametrize(
    "limit, most, query_of",
    [
        ("depth", 15, nested),
        ("depth", 6, nested),
        ("aliases", 30, lambda n: "{ " + " ".join(f"a{i}: __typename" for i in range(n)) + " }"),
        ("aliases", 5, lambda n: "{ x: __typename ...F } fragment F on Query { " + "a: __typename " * (n - 1) + "}"),
        ("root_fields", 20, lambda n: "{ " + "__typename " * n + "}"),
        (
            "root_fields",
            7,
            lambda n: "{ ... { __typename } ...F } fragment F on Query { " + "__typename " * (n - 1) + "}",
        ),
        (
            "fragments",
            50,
            lambda n: "{ __typename }" + " ".join(f"fragment F{i} on Query {{ __typename }}" for i in range(n)),
        ),
        ("directives", 20, lambda n: "{ __typename " + "@include(if: true) " * n + "}"),
        ("introspection_depth", 15, introspection),
        (
            "cost",
            1000,
            lambda n: f'{{ systems(first: {n - 1}) {{ edges {{ cursor }} }} category(key: "x") {{ key }} }}',
        ),
        ("cost", 200_000, lambda n: f"{{ systems(first: {n}) {{ edges {{ node {{ urn }} }} }} }}"),
        (
            "repeats",
            20,
            lambda n: '{ category(key: "x") { ' + "parent { key } " * (n - 1) + "... { parent { id } } } }",
        ),
        ("list_items", 1000, lambda n: "{ nodes(ids: [" + '"a" ' * n + "]) { id } }"),
    ],
)
def test_each_limit_is_reached_at_its_number(beyond, limit, most, query_of):
    wide = {"root_fields": 10_000, "aliases": 10_000, "cost": 10**9, limit: most}
    assert beyond(query_of(most), **wide) == {}
    found = beyond(query_of(most + 1), **wide)
    assert set(found) == {limit}
    assert f"the limit `{limit}` is {most}" in found[limit]


def test_tokens_are_reached_at_their_number(program, service, client_of):
    client = client_of(
        service(limits={"tokens": 100, "root_fields": 1000}), authorization=program.headers["authorization"]
    )
    ask = lambda count: client.post("/graphql", json={"query": "{" + " __typename" * (count - 2) + "}"}).json()  # noqa: E731
    assert ask(100) == {"data": {"__typename": "Query"}}
    (error,) = ask(101)["errors"]
    assert error["extensions"] == {"code": "LIMIT", "limit": "tokens", "most": 100}
    assert "more than 100 tokens (limit `tokens`)" in error["message"]


def test_the_cost_is_that_of_the_pages_asked_for(beyond):
    pages = "systems(first: $n) { edges { node { datasets(first: 9) { edges { node { urn } } } } } }"
    query = "query ($n: Int! = 7) { " + pages + " }"
    assert beyond(query, cost=1000) == {}
    assert beyond(query, {"n": 100}, cost=1000) == {}
    assert "cost" in beyond(query, {"n": 101}, cost=1000)
    assert f"with {200 * 10} things" in beyond(query, {"n": 200}, cost=1000)["cost"]
    assert beyond(query, {"n": -5}, cost=1000) == {}
    assert "more than" in beyond(query, {"n": 10**400}, cost=1000)["cost"]
    literal = "{ systems(first: " + "9" * 500 + ") { edges { cursor } } }"
    assert "more than" in beyond(literal)["cost"]


def test_lists_in_variables_count_however_deep(beyond):
    assert beyond("{ __typename }", {"a": [[1] * 500, {"b": [2] * 498}]}) == {}
    assert "list_items" in beyond("{ __typename }", {"a": [[1] * 500, {"b": [2] * 499}]})
    deep: object = "x"
    for _ in range(100_000):
        deep = [deep]
    assert "list_items" in beyond("{ __typename }", {"a": deep})


def test_batches_are_refused_by_name(program):
    answer = program.post("/graphql", json=[{"query": "{ __typename }"}] * 2)
    assert "limit `batch` is 1" in answer.json()["errors"][0]["message"]


# --- time -------------------------------------------------------------------------------------------------------


def spread(fragments, spreads):
    """Fragments of which each spreads the next ones."""
    bodies = [
        f"fragment F{i} on Category {{ key "
        + " ".join(f"...F{j}" for j in range(i + 1, min(i + 1 + spreads, fragments)))
        + " }"
        for i in range(fragments)
    ]
    return '{ category(key: "x") { ...F0 ...F0 } } ' + " ".join(bodies)


@pytest.mark.parametrize(
    "query",
    [
        spread(50, 2),
        spread(50, 12),
        "{ " + "__typename " * 1990 + "}",
        '{ category(key: "x") { ' + "parent { key } " * 400 + "} }",
        '{ category(key: "x") { ' + "... { parent { key } } " * 240 + "} }",
        "{ nodes(ids: [" + '"a" ' * 990 + "]) { id } }",
        '{ category(key: "x") { ' + ("parent { " + "parent { " + "parent { key } " * 5 + "} " * 1 + "} ") * 20 + "} }",
        "query (" + " ".join(f"$v{i}: Int" for i in range(400)) + ") { __typename }",
    ],
    ids=["twice", "many times", "same leaf", "same object", "inline", "list", "same below", "variables"],
)
def test_the_largest_documents_take_no_time(schema, query):
    began = time.process_time()
    document = parse(query, max_tokens=2000)
    beyond = list(shape_errors(schema, document, None, {}, Limits()))
    if not beyond:
        validate(schema, document)
    assert time.process_time() - began < 1.5


def test_the_check_grows_with_the_document_and_not_faster(schema):
    def seconds(fragments):
        document = parse(spread(fragments, 8))
        limits = Limits(fragments=10_000)
        runs = []
        for _ in range(3):
            began = time.process_time()
            list(shape_errors(schema, document, None, {}, limits))
            runs.append(time.process_time() - began)
        return min(runs)

    assert seconds(160) < 16 * max(seconds(20), 0.0005), "eight times as much"


SELECTIONS = st.recursive(
    st.sampled_from(["key", "__typename", "a: key", "...F", "...G", "nope", "parent", "key @skip(if: true)"]),
    lambda inner: st.lists(inner, min_size=1, max_size=4).map(
        lambda parts: "parent { " + " ".join(parts) + " } ... on Category { " + " ".join(parts[:2]) + " }"
    ),
    max_leaves=40,
)


@settings(max_examples=60, deadline=None)
@given(top=SELECTIONS, first=SELECTIONS, second=SELECTIONS)
def test_random_documents_are_judged_in_bounded_time(schema, top, first, second):
    fragments = f"fragment F on Category {{ {first} }} fragment G on Category {{ {second} }}"
    query = f'{{ category(key: "x") {{ {top} }} }} {fragments}'
    document = parse(query)
    began = time.process_time()
    list(shape_errors(schema, document, None, {}, Limits()))
    assert time.process_time() - began < 0.5


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=5),
    max_leaves=20,
)


@pytest.fixture(scope="module")
def long_lived(deaf_catalogue):
    from pydantic import SecretStr
    from starlette.testclient import TestClient

    from inventory.api.app import create_app
    from inventory.api.settings import ApiSettings

    settings_ = ApiSettings(
        tokens=(SecretStr("a-token-for-programs-0123456789"),), limits=Limits(requests_at_once=10**6)
    )
    headers = {"authorization": "Bearer a-token-for-programs-0123456789"}
    return TestClient(create_app(deaf_catalogue, settings_), base_url="http://127.0.0.1:8484", headers=headers)


@settings(max_examples=60, deadline=None)
@given(
    variables=JSON,
    query=JSON,
    extra=st.dictionaries(st.sampled_from(["documentId", "extensions", "operationName"]), JSON),
)
def test_odd_requests_are_refused_and_never_failed_on(long_lived, variables, query, extra):
    body = {"query": query if query else "query ($k: String!) { __typename }", "variables": variables} | extra
    answer = long_lived.post("/graphql", content=json.dumps(body), headers=BODY)
    assert answer.status_code in {200, 400}


@pytest.mark.parametrize(
    "body",
    [
        b'{"query": "query ($n: Int) { __typename }", "variables": {"n": ' + b"9" * 5000 + b"}}",
        b'{"query": "{ __typename }", "variables": ' + b'{"a": ' * 20_000 + b"1" + b"}" * 20_000 + b"}",
        b'{"query": "\\ud800"}',
        '{"query": "{ __typename }"}'.encode("utf-16"),
        '{"query": "{ __typename # é }"}'.encode("latin-1"),
        b'{"query": "{ __typename }", "variables": {"n": NaN}}\x00',
        b"\xef\xbb\xbf",
    ],
)
def test_huge_numbers_deep_lists_and_odd_encodings_are_refused(long_lived, body):
    answer = long_lived.post("/graphql", content=body, headers=BODY)
    assert answer.status_code in {200, 400}
    assert "errors" in answer.json() or answer.json()["data"] == {"__typename": "Query"}
