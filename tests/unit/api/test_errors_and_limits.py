"""What a question may be, what its asker is told, and what the log keeps of it."""

import logging

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inventory.errors import QuestionError

CANARY = "ada.lovelace@canary.example"


def ask(client, query, **variables):
    return client.post("/graphql", json={"query": query, "variables": variables}).json()


def messages(answer):
    return [error["message"] for error in answer["errors"]]


def test_validation_errors_are_not_hidden(program):
    (message,) = messages(ask(program, "{ systms { edges { cursor } } }"))
    assert "systms" in message
    (message,) = messages(ask(program, "{ systems(first: 1"))
    assert "Syntax Error" in message


def test_depth_has_a_limit(program):
    below = "{ key }"
    for _ in range(20):
        below = "{ parent " + below + " }"
    answer = ask(program, '{ category(key: "user") ' + below + " }")
    assert any("limit `depth`" in message for message in messages(answer))


def test_depth_counts_fragments_once_and_ends_at_cycles(program):
    doubling = " ".join(f"fragment F{i} on Category {{ ...F{i + 1} ... on Node {{ ...F{i + 1} }} }}" for i in range(60))
    query = '{ category(key: "x") { ...F0 } } ' + doubling + " fragment F60 on Category { key }"
    assert "errors" in ask(program, query)
    cycle = '{ category(key: "x") { ...A } } fragment A on Category { parent { ...A } }'
    assert any("itself" in message for message in messages(ask(program, cycle)))


def test_aliases_have_a_limit(program):
    query = "{ " + " ".join(f"a{i}: __typename" for i in range(40)) + " }"
    assert "alias" in messages(ask(program, query))[0].lower()


def test_tokens_have_a_limit(program):
    query = "{ " + "__typename " * 3000 + "}"
    assert "2000 tokens" in messages(ask(program, query))[0]


@pytest.mark.parametrize(
    "shape", ["{a" * 900 + "}" * 900, "[" * 900, "{ category(key: " + "[" * 900 + "]" * 900 + ") { key } }"]
)
def test_deep_nesting_is_an_error_and_no_failure(program, shape):
    answer = program.post("/graphql", json={"query": shape})
    assert answer.status_code in {200, 400}
    assert answer.json()["errors"]


def test_deep_variables_are_an_error_and_no_failure(program):
    nested = "[" * 5000 + "]" * 5000
    body = '{"query": "query ($k: String!) { category(key: $k) { key } }", "variables": {"k": ' + nested + "}}"
    answer = program.post("/graphql", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in {200, 400}
    assert answer.json()["errors"]


def test_a_graph_that_does_not_answer_is_named(program):
    answer = ask(program, '{ category(key: "user") { key } }')
    assert answer["errors"][0]["extensions"]["code"] == "GRAPH_UNAVAILABLE"
    assert "not reachable" in messages(answer)[0]


def test_what_is_asked_wrongly_is_explained(program):
    answer = ask(program, "{ categories(first: 5000) { edges { cursor } } }")
    assert answer["errors"][0]["extensions"]["code"] == "BAD_QUESTION"
    assert "1 to 200" in messages(answer)[0]


def test_unexpected_errors_are_masked_and_their_text_is_nowhere(program, deaf_catalogue, monkeypatch, capsys, caplog):
    async def broken(*_, **__):
        raise RuntimeError(f"driver says {CANARY}")

    monkeypatch.setattr(deaf_catalogue.graph, "aread", broken)
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as logged:
        answer = ask(program, '{ category(key: "user") { key } }')
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "INTERNAL"
    assert error["extensions"]["incident"] in error["message"]
    (line,) = [line for line in logged if line["event"] == "unexpected error"]
    assert line["incident"] == error["extensions"]["incident"]
    assert line["error"] == "RuntimeError"
    seen = capsys.readouterr()
    assert CANARY not in str(answer) + str(logged) + caplog.text + seen.out + seen.err


@pytest.mark.parametrize(
    "query",
    [
        '{ category(key: "%s") { key } }',
        '{ category(key: "%s" { key } }',
        '{ category(kee: "%s") { key } }',
        '{ systems(first: "%s") { edges { cursor } } }',
        '{ node(id: "%s") { id } }',
    ],
)
def test_no_question_is_logged(program, query, capsys, caplog):
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as logged:
        ask(program, query % CANARY, key=CANARY)
        ask(program, "query ($key: Int!) { __typename }", key=CANARY)
        program.get(f"/{CANARY}?x={CANARY}")
    seen = capsys.readouterr()
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("http")]  # the test's client
    assert CANARY not in str(logged) + str(ours) + seen.out + seen.err
    assert {line["route"] for line in logged if line["event"] == "request"} == {"/graphql", "other"}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    query=st.text(max_size=200), variables=st.dictionaries(st.text(max_size=8), st.integers() | st.text(max_size=20))
)
def test_whatever_is_asked_the_service_does_not_fail(program, query, variables):
    answer = program.post("/graphql", json={"query": query, "variables": variables})
    assert answer.status_code in {200, 400}


def test_strings_from_a_command_line_are_read_as_the_operation_says():
    from inventory.api.contract import coerce_variables, operations

    search, flows = operations()["Search"], operations()["Flows"]
    assert coerce_variables(search, {"text": "42", "first": "7", "kinds": "FIELD, DATASET"}) == {
        "text": "42",
        "first": 7,
        "kinds": ["FIELD", "DATASET"],
    }
    assert coerce_variables(search, {"kinds": '["FIELD"]'}) == {"kinds": ["FIELD"]}
    assert coerce_variables(flows, {"from": '{"urn": "a"}'}) == {"from": {"urn": "a"}}
    with pytest.raises(QuestionError, match="is not a Int"):
        coerce_variables(search, {"first": "seven"})
    with pytest.raises(QuestionError, match="no variable 'txt'"):
        coerce_variables(search, {"txt": "x"})
