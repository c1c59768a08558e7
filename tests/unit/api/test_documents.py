"""Trusted documents run by their hash, from addresses only where no identifier can stand in one."""

from __future__ import annotations

import hashlib
import json

import pytest
from graphql import parse, print_ast

from inventory.api.contract import contract_folder, operations
from inventory.api.documents import Documents, Refused


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def id_of(name):
    return "sha256:" + sha((contract_folder() / "operations" / f"{name}.graphql").read_text("utf-8"))


def code(answer):
    return answer.json()["errors"][0]["extensions"]["code"]


@pytest.fixture(scope="module")
def documents():
    return Documents(ad_hoc=True, tokens=2000)


@pytest.fixture
def strict(service, client_of):
    """A client of a service that answers trusted documents only."""
    return client_of(service(ad_hoc=False), authorization="Bearer a-token-for-programs-0123456789")


@pytest.mark.parametrize("name", operations())
def test_every_named_operation_is_known_by_its_file_and_as_printed(documents, name):
    text = operations()[name].text
    by_file = documents.chosen({"documentId": id_of(name)})
    assert (by_file.name, by_file.text, by_file.trusted) == (name, text, True)
    printed = print_ast(parse(text))
    assert documents.chosen({"documentId": f"sha256:{sha(printed)}"}) is by_file
    assert documents.chosen({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": sha(text)}}}) is by_file
    assert documents.chosen({"query": text}) is by_file
    assert documents.chosen({"query": f"{printed}\n\n"}) is by_file


@pytest.mark.parametrize(
    "asked, expected",
    [
        ({}, "BAD_REQUEST"),
        ({"query": ""}, "BAD_REQUEST"),
        ({"documentId": "Systems"}, "BAD_DOCUMENT_ID"),
        ({"documentId": 7}, "BAD_DOCUMENT_ID"),
        ({"documentId": "sha256:" + "A" * 64}, "BAD_DOCUMENT_ID"),
        ({"documentId": "sha256:" + "a" * 64}, "PERSISTED_QUERY_NOT_FOUND"),
        ({"extensions": {"persistedQuery": {"sha256Hash": "a" * 64}}}, "PERSISTED_QUERY_NOT_FOUND"),
        ({"extensions": {"persistedQuery": {"sha256Hash": ["a"]}}}, "BAD_DOCUMENT_ID"),
        ({"query": "{ __typename }", "documentId": "sha256:" + "a" * 64}, "BAD_REQUEST"),
    ],
)
def test_what_names_no_document_is_refused(documents, asked, expected):
    with pytest.raises(Refused) as raised:
        documents.chosen(asked)
    assert raised.value.code == expected


def test_a_hash_beside_a_text_registers_nothing(documents):
    text = "{ __typename }"
    documents.chosen({"query": text, "documentId": f"sha256:{sha(text)}"})
    with pytest.raises(Refused):
        documents.chosen({"documentId": f"sha256:{sha(text)}"})


def test_the_hash_of_an_untrusted_document_tells_no_value(documents):
    def asked(text, first):
        return documents.chosen({"query": f'{{ search(text: "{text}", first: {first}) {{ edges {{ cursor }} }} }}'})

    ada, eva = asked("ada@example.com", 5), asked("eva@example.com", 7)
    assert ada.hash == eva.hash
    assert ada.texts == ("ada@example.com",)


def test_trusted_documents_run_without_text(program):
    answer = program.post("/graphql", json={"documentId": id_of("Systems")})
    assert code(answer) == "GRAPH_UNAVAILABLE", "it ran as far as the graph"
    assert code(program.post("/graphql", json={"documentId": id_of("WhereIs")})) == "INVALID", "a variable is missing"
    answer = program.post("/graphql", json={"documentId": "sha256:" + "0" * 64})
    assert (answer.status_code, code(answer)) == (400, "PERSISTED_QUERY_NOT_FOUND")


def test_only_trusted_documents_run_where_others_are_switched_off(strict):
    assert code(strict.post("/graphql", json={"documentId": id_of("Systems")})) == "GRAPH_UNAVAILABLE"
    assert code(strict.post("/graphql", json={"query": operations()["Systems"].text})) == "GRAPH_UNAVAILABLE"
    for query in ("{ __typename }", "{ __schema { types { name } } }", "{ systms }", "{ sys"):
        answer = strict.post("/graphql", json={"query": query})
        assert (answer.status_code, code(answer)) == (403, "NOT_TRUSTED")
        message = answer.json()["errors"][0]["message"]
        assert "documentId" in message
        assert "systems" not in message
    assert strict.get("/graphql").status_code == 403


def test_no_names_are_suggested_where_introspection_is_off(strict):
    answer = strict.post("/graphql", json={"documentId": id_of("Fields"), "variables": {"state": "CONFIRMD"}})
    assert code(answer) == "INVALID"
    assert "Did you mean" not in answer.text
    assert "CONFIRMED" not in answer.text


@pytest.mark.parametrize(
    "name, variables",
    [("Systems", None), ("Systems", {"first": 3}), ("Fields", {"state": "CONFIRMED"}), ("Leaving", {})],
)
def test_trusted_documents_may_be_asked_by_address(program, name, variables):
    parameters = {"documentId": id_of(name)} | ({"variables": json.dumps(variables)} if variables is not None else {})
    for accept in ("application/json", "text/html,*/*"):
        answer = program.get("/graphql", params=parameters, headers={"accept": accept})
        assert code(answer) == "GRAPH_UNAVAILABLE"
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "name, variables",
    [
        ("Search", {"text": "ada@example.com"}),
        ("Node", {"id": "x"}),
        ("Fields", {"dataset": "x"}),
        ("Systems", {"unknown": 1}),
        ("DisclosuresAbout", {"people": []}),
        ("ReviewClassification", {}),
        ("ScanProgress", {}),
    ],
)
def test_what_could_hold_an_identifier_is_not_asked_by_address(program, name, variables):
    answer = program.get("/graphql", params={"documentId": id_of(name), "variables": json.dumps(variables)})
    assert (answer.status_code, code(answer)) == (405, "METHOD_NOT_ALLOWED")
    assert "ada@" not in answer.text


@pytest.mark.parametrize("variables", ["{", "[]", "5", "[" * 5000, '{"first": ' + "9" * 5000 + "}", "\ud800"])
def test_odd_variables_in_addresses_are_refused(program, variables):
    from urllib.parse import quote

    sent = quote(variables.encode("utf-8", "surrogatepass"))
    answer = program.get(f"/graphql?documentId={id_of('Systems')}&variables={sent}")
    assert answer.status_code == 400
