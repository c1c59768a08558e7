"""Categories along flows, in the graph: what follows from a flow stands until a look or a person says otherwise."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from inventory.graph.catalogue import Catalogue
from inventory.graph.schema import EdgeFact, NodeRef
from inventory.graph.writer import GraphWriter
from inventory.lineage.categories import derive_categories
from inventory.model import ReviewState

T0 = "postgres://db.test:5432/shop.public.t0"
OUT = "s3://out/hashes.csv#digest"
EMAIL = "user.contact.email"


@pytest.fixture
def flowing(graph, estate, load):
    """The estate's scan, and a flow of hashed addresses to a field that no scan has judged."""
    load(graph, estate.scan())
    flow = EdgeFact(
        "FLOWS_TO",
        NodeRef("Field", f"{T0}#payload/email"),
        NodeRef("Field", OUT),
        {"job": "", "provenance": "config"},
        {"transformation": "hashed", "confidence": 1.0},
    )
    GraphWriter(graph).declare("config:flows", [], [flow], datetime.now(UTC))
    return graph


def said(graph):
    rows = Catalogue(graph).ask("classifications_of_fields", keys=[OUT])
    return [(row["category"], row["edge"]["provenance"], row["edge"]["state"]) for row in rows]


def test_a_field_that_nobody_could_judge_is_derived_with_its_origin(flowing):
    derive_categories(flowing)
    assert said(flowing) == [(EMAIL, "lineage", "suggested")]
    (row,) = Catalogue(flowing).ask("classifications_of_fields", keys=[OUT])
    assert f"{T0}#payload/email" in row["edge"]["evidence"][0]["detail"]
    assert derive_categories(flowing).loads[0].versions == 0


def test_what_a_person_rejects_is_gone_at_once_and_stays_away(flowing):
    derive_categories(flowing)
    GraphWriter(flowing).review(OUT, EMAIL, ReviewState.REJECTED, "ada", datetime.now(UTC))
    assert said(flowing) == [(EMAIL, "review", "rejected")]
    derive_categories(flowing)
    assert said(flowing) == [(EMAIL, "review", "rejected")]


def test_it_ends_with_its_flow(flowing):
    derive_categories(flowing)
    GraphWriter(flowing).declare("config:flows", [], [], datetime.now(UTC))
    derive_categories(flowing)
    assert said(flowing) == []
