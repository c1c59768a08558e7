"""Deriving categories from the flows that the graph holds, and loading them as a document of their own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from inventory.graph.catalogue import Catalogue
from inventory.graph.connection import Graph
from inventory.graph.findings import keep_findings
from inventory.graph.schema import NodeRef
from inventory.graph.statements import classification
from inventory.graph.writer import GraphWriter
from inventory.lineage.derive import Derived
from inventory.lineage.propagation import FieldFlow, Known, conflicts, propagated
from inventory.model import ReviewState, Transformation

CATEGORIES = "lineage:categories"


def derive_categories(graph: Graph) -> Derived:
    """Derive and load what fields hold by where their data comes from. Runs after the flows. Raises GraphError."""
    catalogue = Catalogue(graph)
    known = list(_known(catalogue))
    found = propagated(known, _flows(catalogue))
    edges = [classification(NodeRef("Field", each.field), each.classified()) for each in found.derived]
    now = datetime.now(UTC)
    load = GraphWriter(graph).declare(CATEGORIES, [], edges, now)
    findings = tuple(conflicts(found.contradicted, known))
    keep_findings(graph, CATEGORIES, findings, now)
    return Derived((load,), findings)


def _known(catalogue: Catalogue) -> Iterator[Known]:
    for row in catalogue.pages("classified_fields"):
        yield Known(row["key"], row["category"], row["confidence"] or 0.0, row["state"] != ReviewState.REJECTED)


def _flows(catalogue: Catalogue) -> Iterator[FieldFlow]:
    for row in catalogue.pages("field_flows"):
        transformation = Transformation(row["transformation"] or Transformation.UNKNOWN)
        confidence = 1.0 if row["confidence"] is None else row["confidence"]
        yield FieldFlow(row["source"], row["target"], transformation, confidence)
