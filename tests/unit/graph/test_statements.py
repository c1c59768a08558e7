"""What observations state of the graph, and what facts the schema has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.errors import GraphError
from inventory.graph.batch import fingerprint
from inventory.graph.schema import EDGES, NODES, EdgeFact, NodeFact, NodeRef, check, digest, statements
from inventory.graph.statements import MeasureFact, Scope, data_ref, statements_of, stub_properties
from inventory.model import (
    AccessSeen,
    DatasetClassified,
    DatasetKind,
    DatasetSeen,
    DisclosureSeen,
    Evidence,
    FieldClassified,
    FieldProfiled,
    FieldReferences,
    FieldSeen,
    FlowSeen,
    JobSeen,
    PrincipalKind,
    ProcessorSeen,
    Profile,
    Provenance,
    SafeguardSeen,
    SystemKind,
    SystemSeen,
    dataset_urn,
    field_urn,
)

SYSTEM = "postgres://db:5432"
TABLE, OTHER = dataset_urn(SYSTEM, "shop.public.orders"), dataset_urn("s3://exports", "orders")
COLUMN, PLACE = field_urn(TABLE, "payload"), field_urn(TABLE, "payload", "/email")
OBSERVATIONS = [
    SystemSeen(SYSTEM, SystemKind.DATABASE, "shop", "postgresql"),
    SafeguardSeen(SYSTEM, "encryption_in_transit", False, "no TLS"),
    DatasetSeen(TABLE, SYSTEM, DatasetKind.TABLE, "shop.public.orders", row_estimate=3),
    FieldSeen(COLUMN, TABLE, "payload", "jsonb", 1),
    FieldSeen(PLACE, TABLE, "payload/email", "string", 1),
    FieldProfiled(PLACE, Profile(3, 0.0, 1.0)),
    FieldClassified(PLACE, "user.contact.email", 0.9, (Evidence("value:email", "3 of 3", 4.0),), "d/1"),
    DatasetClassified(TABLE, "user.telemetry.audit_log", 0.9, (Evidence("record:columns", "who, when", 2.4),), "d/1"),
    FieldReferences(COLUMN, field_urn(TABLE, "id"), "fk", 0, Provenance.CONSTRAINT),
    JobSeen("job:x/y", "y", "view", TABLE),
    FlowSeen(COLUMN, field_urn(OTHER, "payload"), Provenance.SQL),
    ProcessorSeen("stripe", "Stripe", service_classes=("payment_gateway",), regions=("US",)),
    DisclosureSeen(TABLE, "stripe", Provenance.CONFIG, "configured"),
    AccessSeen(TABLE, "analyst", PrincipalKind.ROLE, "SELECT"),
]


def scopes(observation):
    return {str(scope) for scope, _ in statements_of(observation, SYSTEM)}


def test_every_statement_is_in_the_schema():
    facts = [fact for observation in OBSERVATIONS for _, fact in statements_of(observation, SYSTEM)]
    check([fact for fact in facts if not isinstance(fact, MeasureFact)])
    for fact in facts:
        if isinstance(fact, MeasureFact):
            assert set(fact.properties) == NODES[fact.ref.label].measured


def test_what_ends_together_has_one_scope():
    said = {type(observation).__name__: scopes(observation) for observation in OBSERVATIONS}
    assert said["SafeguardSeen"] == {f"{SYSTEM}|listing"}
    assert said["DatasetSeen"] == {f"{TABLE}|listing"}
    assert said["FieldReferences"] == said["JobSeen"] == said["DisclosureSeen"] == {f"{TABLE}|structure"}
    assert said["FieldClassified"] == said["FieldProfiled"] == said["DatasetClassified"] == {f"{TABLE}|content"}
    assert said["ProcessorSeen"] == {f"{SYSTEM}|seen"}
    assert said["AccessSeen"] == {f"{TABLE}|access", f"{SYSTEM}|seen"}
    assert scopes(OBSERVATIONS[3]) == {f"{TABLE}|structure"}
    assert scopes(OBSERVATIONS[4]) == {f"{TABLE}|content"}  # a place inside a column is known by its values


def test_a_flow_belongs_to_the_end_that_is_of_the_scanned_system():
    flow = next(observation for observation in OBSERVATIONS if isinstance(observation, FlowSeen))
    assert {str(scope) for scope, _ in statements_of(flow, SYSTEM)} == {f"{TABLE}|structure"}
    assert {str(scope) for scope, _ in statements_of(flow, "s3://exports")} == {f"{OTHER}|structure"}
    assert {str(scope) for scope, _ in statements_of(flow, "kafka://x")} == {"kafka://x|listing"}


def test_a_name_alone_says_a_little():
    assert stub_properties(data_ref(PLACE, SYSTEM)) == {"dataset": TABLE, "name": "payload/email"}
    assert stub_properties(data_ref(TABLE, SYSTEM)) == {"name": "shop.public.orders"}
    assert data_ref(SYSTEM, SYSTEM).label == "System"


@pytest.mark.parametrize(
    "fact, says",
    [
        (NodeFact("Unicorn", "x"), "unknown"),
        (NodeFact("Category", ""), "no key"),
        (NodeFact("Category", "x", {"valid_from": "1"}), "cannot say valid_from"),
        (EdgeFact("EATS", NodeRef("Category", "a"), NodeRef("Category", "b")), "unknown"),
        (EdgeFact("CLASSIFIED_AS", NodeRef("Category", "a"), NodeRef("Field", "b")), "not allowed"),
        (EdgeFact("CLASSIFIED_AS", NodeRef("Field", ""), NodeRef("Category", "b")), "without a key"),
        (EdgeFact("DISCLOSED_TO", NodeRef("Category", "a"), NodeRef("Processor", "b")), "told apart by provenance"),
    ],
)
def test_a_fact_that_the_schema_does_not_have_is_refused(fact, says):
    with pytest.raises(GraphError, match=says):
        check([fact])


def test_two_scopes_state_one_edge_apart():
    edge = EdgeFact("BROADER", NodeRef("Category", "a.b"), NodeRef("Category", "a"))
    assert edge.id("one") != edge.id("other")
    assert edge.id("one") == EdgeFact("BROADER", edge.source, edge.target, {}, {"note": "x"}).id("one")


@given(st.floats(0, 1), st.floats(0, 1))
def test_confidence_counts_to_two_decimals(one, other):
    def classified(confidence):
        return EdgeFact(
            "CLASSIFIED_AS", NodeRef("Field", "f"), NodeRef("Category", "c"), {}, {"confidence": confidence}
        )

    same = fingerprint(classified(one)) == fingerprint(classified(other))
    assert same == (round(one, 2) == round(other, 2))


@given(st.dictionaries(st.text(), st.one_of(st.text(), st.integers(), st.booleans(), st.lists(st.text()))))
def test_a_digest_is_the_same_in_any_order(value):
    assert digest(value) == digest(dict(reversed(value.items())))
    assert len(digest(value)) == 16


def test_scopes_are_told_apart_by_aspect():
    assert str(Scope("x", "listing")) != str(Scope("x", "content"))


def test_every_type_gets_its_constraint_or_index():
    made = "\n".join(statements())
    assert all(f"(n:{label}) REQUIRE n.{node.key} IS UNIQUE" in made for label, node in NODES.items())
    assert all(edge.sources and edge.targets for edge in EDGES.values())
