"""Deriving flows and keys from what the graph holds, and loading them as the documents of their own that they are.

Runs after scans: the statements of views, triggers and logged queries, SQL in files (provenance `sql`), the flows and
keys that people wrote into the configuration (`config`), and the keys that names suggest (`name`). Each is one scope,
so a flow that is no longer derived ends. What was not understood is kept as findings about the datasets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from inventory.graph.catalogue import Catalogue
from inventory.graph.connection import Graph
from inventory.graph.findings import keep_findings
from inventory.graph.schema import EdgeFact, NodeFact, NodeRef
from inventory.graph.statements import statements_of
from inventory.graph.writer import GraphWriter, LoadReport
from inventory.lineage.keys import Containment, KeyColumn, KeyTable, inferred_references
from inventory.lineage.scripts import Script, SqlFiles, scripts
from inventory.lineage.sql.cache import LineageCache
from inventory.lineage.sql.tables import Table
from inventory.lineage.views import DatasetRow, JobRow, derive, table_of
from inventory.model import FieldReferences, Finding, FlowSeen, Observation, Provenance, column_of

SQL = "lineage:sql"
FIELDS_AT_ONCE = 1000


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


class KnownReference(Protocol):
    """A key that people know of, as the configuration has it: `source[i]` holds keys of `target[i]`."""

    @property
    def source(self) -> Sequence[str]:
        """URNs of fields."""
        ...

    @property
    def target(self) -> Sequence[str]:
        """URNs of as many fields."""
        ...


@dataclass(frozen=True, slots=True)
class Derived:
    """What deriving did: the load of each provenance, and the statements that were not understood."""

    loads: tuple[LoadReport, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What the configuration knows of lineage."""

    flows: Sequence[KnownFlow] = ()
    references: Sequence[KnownReference] = ()
    files: Sequence[SqlFiles] = ()
    cache: Path | None = None  # the directory that keeps what statements were found to do
    contained: Containment | None = field(default=None, compare=False)  # see `inventory.lineage.keys`


def derive_flows(graph: Graph, known: Known | Iterable[KnownFlow] = ()) -> Derived:
    """Derive and load all flows and keys. Raises GraphError."""
    if not isinstance(known, Known):
        known = Known(tuple(known))
    catalogue, writer, now = Catalogue(graph), GraphWriter(graph), datetime.now(UTC)
    rows = list(_datasets(catalogue))
    said = list(_of_statements(catalogue, [row.dataset for row in rows], known.cache))
    read = list(scripts(known.files, _systems(row.dataset for row in rows)))
    findings = [each for each in said if isinstance(each, Finding)]
    findings += [finding for script in read for finding in script.findings]
    loads = [
        writer.declare(SQL, [], [_edge(each) for each in said if isinstance(each, FlowSeen)], now),
        writer.declare("lineage:sql-files", [_script_job(script) for script in read], list(_script_edges(read)), now),
        _load_flows(writer, known.flows, now),
        _load_references(writer, known.references, now),
        _load_inferred(catalogue, writer, [row.key_table for row in rows if row.key_table], known.contained, now),
    ]
    keep_findings(graph, SQL, findings, now)
    return Derived(tuple(loads), tuple(findings))


# --- SQL ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Row:
    """A dataset as statements name it, and as keys see it when it is a table."""

    dataset: DatasetRow
    key_table: KeyTable | None


def _of_statements(catalogue: Catalogue, datasets: Sequence[DatasetRow], directory: Path | None) -> list[Observation]:
    if directory is None:
        return list(derive(_jobs(catalogue), datasets))
    with closing(LineageCache(directory)) as cache:
        return list(derive(_jobs(catalogue), datasets, cache))


def _systems(rows: Iterable[DatasetRow]) -> Mapping[str, list[Table]]:
    systems: dict[str, list[Table]] = {}
    for row in rows:
        systems.setdefault(row.system, []).append(table_of(row))
    return systems


def _script_job(script: Script) -> NodeFact:
    return NodeFact("Job", script.job, {"name": script.name, "kind": "sql_file"})


def _script_edges(read: Iterable[Script]) -> Iterator[EdgeFact]:
    for script in read:
        yield from (_edge(flow) for flow in script.flows)
        for target in script.targets:
            yield EdgeFact("DEFINED_BY", NodeRef("Dataset", target), NodeRef("Job", script.job))


# --- what people know -----------------------------------------------------------------------------------------


def _load_flows(writer: GraphWriter, flows: Sequence[KnownFlow], now: datetime) -> LoadReport:
    jobs = {flow.job: NodeFact("Job", _job(flow.job), {"name": flow.job, "kind": flow.kind}) for flow in flows}
    return writer.declare("config:flows", jobs.values(), [_edge(_known(flow)) for flow in flows], now)


def _load_references(writer: GraphWriter, references: Sequence[KnownReference], now: datetime) -> LoadReport:
    edges = [
        _reference(FieldReferences(source, target, f"config:{','.join(each.source)}", position, Provenance.CONFIG))
        for each in references
        for position, (source, target) in enumerate(zip(each.source, each.target, strict=True), start=1)
    ]
    return writer.declare("config:references", [], edges, now)


def _known(flow: KnownFlow) -> FlowSeen:
    return FlowSeen(flow.source, flow.target, Provenance.CONFIG, job=_job(flow.job))


def _job(name: str) -> str:
    return f"job:config/{name}"


# --- keys -----------------------------------------------------------------------------------------------------


def _load_inferred(
    catalogue: Catalogue, writer: GraphWriter, tables: Sequence[KeyTable], contained: Containment | None, now: datetime
) -> LoadReport:
    found = list(inferred_references(tables, contained=contained))
    declared = _declared(catalogue, [each.source for each in found])
    known = {each.group for each in found if each.source in declared}
    return writer.declare("lineage:keys", [], [_reference(each) for each in found if each.group not in known], now)


def _declared(catalogue: Catalogue, fields: Sequence[str]) -> set[str]:
    """Those that a constraint, a comment or people say to be keys of others."""
    said: set[str] = set()
    for start in range(0, len(fields), FIELDS_AT_ONCE):
        rows = catalogue.ask("references_of_fields", keys=fields[start : start + FIELDS_AT_ONCE])
        said |= {
            row["key"] for row in rows if row["edge"].get("provenance") not in (Provenance.NAME, Provenance.OVERLAP)
        }
    return said


# --- from and to the graph --------------------------------------------------------------------------------------


def _edge(flow: FlowSeen) -> EdgeFact:
    return EdgeFact(
        "FLOWS_TO",
        _end(flow.source),
        _end(flow.target),
        {"job": flow.job, "provenance": str(flow.provenance)},
        {"transformation": str(flow.transformation), "confidence": flow.confidence},
    )


def _reference(reference: FieldReferences) -> EdgeFact:
    (edge,) = (fact for _, fact in statements_of(reference, "") if isinstance(fact, EdgeFact))
    return edge


def _end(urn: str) -> NodeRef:
    return NodeRef("Field" if "#" in urn else "Dataset", urn)


def _jobs(catalogue: Catalogue) -> Iterator[JobRow]:
    for row in catalogue.pages("jobs"):
        node = row["node"]
        yield JobRow(row["key"], row["dataset"], node.get("statement", ""), node.get("dialect", ""))


def _datasets(catalogue: Catalogue) -> Iterator[_Row]:
    for system in catalogue.pages("systems"):
        for dataset in catalogue.pages("datasets", system=system["key"]):
            fields = list(catalogue.pages("fields", dataset=dataset["key"]))
            node = dataset["node"]
            name = node.get("name", "")
            row = DatasetRow(dataset["key"], system["key"], name, tuple(each["key"] for each in fields))
            yield _Row(row, _key_table(row, fields) if node.get("kind") == "table" else None)


def _key_table(row: DatasetRow, fields: Sequence[dict[str, Any]]) -> KeyTable:
    columns = [
        KeyColumn(column, each["node"].get("type") or "", bool(each["node"].get("primary_key")))
        for each in fields
        for column, pointer in [column_of(each["key"])]
        if not pointer
    ]
    schema, _, name = row.name.rpartition(".")
    return KeyTable(row.urn, row.system, schema, name, tuple(columns))
