"""Deriving copies, keys and disclosures from the sketches, and loading them as a document of their own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from inventory.graph.catalogue import Catalogue
from inventory.graph.connection import Graph
from inventory.graph.schema import EdgeFact
from inventory.graph.statements import statements_of
from inventory.graph.writer import GraphWriter
from inventory.lineage.derive import Derived
from inventory.lineage.overlap import FieldFacts, Overlap
from inventory.lineage.sketches import KeptSketch, SketchStore
from inventory.model import Provenance, ReviewState, dataset_of

AT_ONCE = 1000  # fields in a question


def derive_overlap(graph: Graph, store: SketchStore) -> Derived:
    """Derive and load which fields are copies of others by their sketches. Raises GraphError."""
    overlap = compared(Catalogue(graph), list(store.sketches()))
    edges = [fact for said in overlap.observations() for _, fact in statements_of(said, "")]
    facts = [fact for fact in edges if isinstance(fact, EdgeFact)]
    return Derived((GraphWriter(graph).declare("lineage:overlap", [], facts, datetime.now(UTC)),), ())


def compared(catalogue: Catalogue, sketches: Sequence[KeptSketch]) -> Overlap:
    """The sketches with what the graph knows of their fields; those of fields that have ended are left out."""
    fields = sorted({sketch.field for sketch in sketches})
    categories = _categories(catalogue)
    processors = _processors(catalogue, sorted({dataset_of(field) for field in fields}))
    facts: dict[str, FieldFacts] = {}
    references: list[tuple[str, str]] = []
    for some in _parts(fields):
        for row in catalogue.ask("fields_to_compare", keys=some):
            facts[row["key"]] = _facts(row, categories, processors)
        for row in catalogue.ask("references_of_fields", keys=some):
            if row["edge"].get("provenance") != Provenance.OVERLAP:  # those follow from here
                references.append((row["key"], row["node"]["urn"]))
    return Overlap(sketches, facts, references)


def _facts(row: dict[str, Any], categories: dict[str, str], processors: dict[str, list[str]]) -> FieldFacts:
    return FieldFacts(
        urn=row["key"],
        name=row["name"] or "",
        dataset=row["dataset"],
        dataset_kind=row["dataset_kind"] or "",
        system=row["system"],
        system_kind=row["system_kind"] or "",
        category=categories.get(row["key"], ""),
        primary_key=bool(row["primary_key"]),
        rows=row["rows"],
        processors=tuple(processors.get(row["dataset"], ())),
    )


def _categories(catalogue: Catalogue) -> dict[str, str]:
    """The surest category of each field."""
    best: dict[str, tuple[float, str]] = {}
    for row in catalogue.pages("classified_fields"):
        if row["state"] != ReviewState.REJECTED:
            said = (row["confidence"] or 0.0, row["category"])
            best[row["key"]] = max(best.get(row["key"], (0.0, "")), said)
    return {field: category for field, (_, category) in best.items()}


def _processors(catalogue: Catalogue, datasets: Sequence[str]) -> dict[str, list[str]]:
    """The organisations that a vendor's API showed to hold a dataset."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for some in _parts(datasets):
        for row in catalogue.ask("disclosures_of", keys=some):
            if row["edge"].get("provenance") == Provenance.API:
                found[row["key"]].append(row["processor"])
    return found


def _parts(urns: Sequence[str]) -> Iterator[Sequence[str]]:
    return (urns[start : start + AT_ONCE] for start in range(0, len(urns), AT_ONCE))
