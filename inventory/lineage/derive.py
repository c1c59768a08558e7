"""Deriving flows from what the graph holds, and loading them as the documents of their own that they are.

Runs after scans: the statements of views (provenance `sql`), and the flows that people wrote into the configuration
(provenance `config`). Each is one scope, so a flow that is no longer derived ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from inventory.graph.catalogue import Catalogue
from inventory.graph.connection import Graph
from inventory.graph.schema import EdgeFact, NodeFact, NodeRef
from inventory.graph.writer import GraphWriter, LoadReport
from inventory.lineage.views import DatasetRow, JobRow, derive
from inventory.model import Finding, FlowSeen, Provenance


class KnownFlow(Protocol):
    """A flow that people know of, as the configuration has it."""

    @property
    def source(self) -> str:
        """URN of the dataset or field it reads."""
        ...

    @property
    def target(self) -> str:
        """URN of the dataset or field it writes."""
        ...

    @property
    def job(self) -> str:
        """Short name of what moves the data."""
        ...

    @property
    def kind(self) -> str:
        """export, sync, copy, …"""
        ...


@dataclass(frozen=True, slots=True)
class Derived:
    """What deriving did: the load of each provenance, and the statements that were not understood."""

    loads: tuple[LoadReport, ...]
    findings: tuple[Finding, ...]


def derive_flows(graph: Graph, known: Iterable[KnownFlow] = ()) -> Derived:
    """Derive and load all flows. Raises GraphError."""
    catalogue, writer, now = Catalogue(graph), GraphWriter(graph), datetime.now(UTC)
    findings: list[Finding] = []
    edges: list[EdgeFact] = []
    for said in derive(_jobs(catalogue), _datasets(catalogue)):
        if isinstance(said, FlowSeen):
            edges.append(_edge(said))
        elif isinstance(said, Finding):
            findings.append(said)
    sql = writer.declare("lineage:sql", [], edges, now)
    flows = list(known)
    jobs = {flow.job: NodeFact("Job", _job(flow.job), {"name": flow.job, "kind": flow.kind}) for flow in flows}
    config = writer.declare("config:flows", jobs.values(), [_edge(_known(flow)) for flow in flows], now)
    return Derived((sql, config), tuple(findings))


def _known(flow: KnownFlow) -> FlowSeen:
    return FlowSeen(flow.source, flow.target, Provenance.CONFIG, job=_job(flow.job))


def _job(name: str) -> str:
    return f"job:config/{name}"


def _edge(flow: FlowSeen) -> EdgeFact:
    return EdgeFact(
        "FLOWS_TO",
        _end(flow.source),
        _end(flow.target),
        {"job": flow.job, "provenance": str(flow.provenance)},
        {"transformation": str(flow.transformation), "confidence": flow.confidence},
    )


def _end(urn: str) -> NodeRef:
    return NodeRef("Field" if "#" in urn else "Dataset", urn)


def _jobs(catalogue: Catalogue) -> Iterator[JobRow]:
    for row in catalogue.pages("jobs"):
        node = row["node"]
        yield JobRow(row["key"], row["dataset"], node.get("statement", ""), node.get("dialect", ""))


def _datasets(catalogue: Catalogue) -> Iterator[DatasetRow]:
    for system in catalogue.pages("systems"):
        for dataset in catalogue.pages("datasets", system=system["key"]):
            fields = catalogue.pages("fields", dataset=dataset["key"])
            name = dataset["node"].get("name", "")
            yield DatasetRow(dataset["key"], system["key"], name, tuple(field["key"] for field in fields))
