"""What the declared map becomes in the graph."""

import pytest

from inventory.graph.schema import NodeRef, check
from inventory.policy.document import read_declared
from inventory.policy.facts import Facts, policy_facts, vocabulary_facts
from inventory.vocabulary import categories


@pytest.fixture(scope="module")
def policy() -> Facts:
    return policy_facts(read_declared())


@pytest.fixture(scope="module")
def vocabulary() -> Facts:
    return vocabulary_facts()


def ends(facts: Facts, kind: str) -> set[tuple[str, str]]:
    return {(edge.source.key, edge.target.key) for edge in facts.edges if edge.type == kind}


def edge(facts: Facts, kind: str, source: str, target: str):
    [found] = [e for e in facts.edges if (e.type, e.source.key, e.target.key) == (kind, source, target)]
    return found.all_properties


def test_the_graph_takes_them_and_no_edge_hangs_in_the_air(policy, vocabulary):
    for facts in (policy, vocabulary):
        check(facts.nodes)
        check(facts.edges)
    known = {node.ref for facts in (policy, vocabulary) for node in facts.nodes}
    assert {end for facts in (policy, vocabulary) for e in facts.edges for end in (e.source, e.target)} <= known
    assert len({node.ref for node in policy.nodes} & {node.ref for node in vocabulary.nodes}) == 0


def test_every_clause_and_section_is_a_node_and_every_clause_is_below_its_section(policy):
    keys = {node.key for node in policy.nodes if node.label == "Clause"}
    clauses = {clause.key for clause in read_declared().policy.clauses}
    assert keys == clauses | {str(number) for number in range(1, 12)}
    assert {(key, key.partition(".")[0]) for key in clauses} <= ends(policy, "BROADER")


def test_every_clause_that_lists_something_declares_it(policy):
    declared = {target for _, target in ends(policy, "DECLARED_IN")}
    silent = {"notice", "acceptance", "law", "prohibition", "control", "change", "effective"}
    expected = {clause.key for clause in read_declared().policy.clauses if clause.kind not in silent}
    assert declared == expected


def test_everything_is_marked_as_declared(policy, vocabulary):
    for facts in (policy, vocabulary):
        assert all(node.properties["declared"] is True for node in facts.nodes)
        assert {e.all_properties["provenance"] for e in facts.edges} == {"declared"}


def test_a_disclosure_says_which_clause_and_what_for(policy):
    found = edge(policy, "DISCLOSED_TO", "user.contact.email", "email-delivery")
    assert found["clauses"] == ["3.7", "6.2"]
    assert found["purposes"] == ["essential.service.notifications.email", "marketing.communications.email"]
    assert found["consent_purposes"] == ["marketing.communications.email"]
    assert "6.2" in str(found["evidence"])


def test_an_instance_is_below_its_class_and_not_declared_by_a_clause(policy):
    assert ("stripe", "payment-gateways") in ends(policy, "BROADER")
    assert "stripe" not in {source for source, _ in ends(policy, "DECLARED_IN")}
    assert ("stripe", "US") in ends(policy, "LOCATED_IN")
    [stripe] = [node for node in policy.nodes if node.ref == NodeRef("Processor", "stripe")]
    assert stripe.properties["declared_as"] == "instance"


def test_the_controller_is_an_organisation_that_nothing_is_disclosed_to(policy):
    [controller] = [node for node in policy.nodes if node.properties.get("role") == "controller"]
    assert controller.key == "setbytes"
    assert "setbytes" not in {target for _, target in ends(policy, "DISCLOSED_TO")}


def test_promises(policy):
    assert edge(policy, "FOR_PURPOSE", "user.contact.email", "marketing.communications.email")["consent"] is True
    notice = edge(policy, "FOR_PURPOSE", "user.contact.email", "essential.service.notifications.email")
    assert notice["consent"] is False
    assert notice["clauses"] == ["3.6", "10.2"], "in the policy's order"
    assert ("user", "4.1") in ends(policy, "GOVERNED_BY")
    assert ("user.device.cookie", "8.2") in ends(policy, "GOVERNED_BY")
    assert ("user", "delete-after-grace") in ends(policy, "GOVERNED_BY")
    assert ("user", "erasure") in ends(policy, "GOVERNED_BY")
    assert ("user", "encryption_in_transit") in ends(policy, "PROTECTED_BY")
    assert ("user.government_id", "encryption_at_rest") in ends(policy, "PROTECTED_BY")
    assert ("anonymise-for-analytics", "analytics") in ends(policy, "FOR_PURPOSE")


def test_the_vocabulary_keeps_its_families(vocabulary):
    broader = ends(vocabulary, "BROADER")
    for term in categories():
        parent = categories().parent(term.key)
        assert parent is None or (term.key, parent.key) in broader
    assert ("CA-QC", "CA") in broader
    [email] = [node for node in vocabulary.nodes if node.key == "user.contact.email"]
    assert email.properties["fideslang"] == "user.contact.email"
    assert (email.properties["personal"], email.properties["sensitive"]) == (True, False)


def test_the_same_files_give_the_same_facts(policy):
    again = policy_facts(read_declared())
    assert (again.nodes, again.edges) == (policy.nodes, policy.edges)
