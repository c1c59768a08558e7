"""The register in the graph: which categories went to which recipient, and how often. Nothing of the people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from inventory.disclosures.register import Entry, holding
from inventory.graph.schema import EdgeFact, NodeRef
from inventory.graph.writer import GraphWriter, LoadReport
from inventory.model import Provenance

SCOPE = "disclosure-register"


def declare_register(writer: GraphWriter, entries: Iterable[Entry], at: datetime) -> LoadReport:
    """Load what the register says, in the place of what it said before; who a recipient is, others say."""
    by_edge: dict[tuple[str, str], list[Entry]] = {}
    for entry in holding(entries):
        for category in entry.disclosure.categories:
            by_edge.setdefault((category, entry.disclosure.recipient), []).append(entry)
    return writer.declare(SCOPE, (), _edges(by_edge), at)


def _edges(by_edge: Mapping[tuple[str, str], list[Entry]]) -> list[EdgeFact]:
    return [
        EdgeFact(
            "DISCLOSED_TO",
            NodeRef("Category", category),
            NodeRef("Processor", recipient),
            {"provenance": str(Provenance.REGISTER)},
            {"evidence": _evidence(entries), "confidence": 1.0},
        )
        for (category, recipient), entries in sorted(by_edge.items())
    ]


def _evidence(entries: list[Entry]) -> str:
    numbers = ", ".join(str(entry.number) for entry in entries[-5:])
    last = max(entry.disclosure.disclosed_on for entry in entries)
    times = "once" if len(entries) == 1 else f"{len(entries)} times"
    return f"the disclosure register has it {times}, last on {last.isoformat()} (entry {numbers})"
