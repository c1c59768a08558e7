"""From the statements of views to flows between datasets and fields.

Reads what scans have left in the graph, as plain rows, and yields observations for the same writer that scans use.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from inventory.errors import UnreadableError
from inventory.lineage.sql import Lineage, Table, flows_of_statement
from inventory.model import Finding, FlowSeen, Observation, Provenance, Severity, column_of


@dataclass(frozen=True, slots=True)
class JobRow:
    """A Job with a statement: its URN, the URN of the dataset that it defines, the SQL and sqlglot's dialect name."""

    urn: str
    dataset: str
    statement: str
    dialect: str


@dataclass(frozen=True, slots=True)
class DatasetRow:
    """A Dataset of the same systems: its URN, its system's URN, its name and its fields' URNs in order."""

    urn: str
    system: str
    name: str
    fields: tuple[str, ...]


def derive(jobs: Iterable[JobRow], datasets: Iterable[DatasetRow]) -> Iterator[Observation]:
    """The flows of every job within its own system; a Finding about the dataset whose statement is not understood."""
    tables: dict[str, Table] = {}
    neighbours: defaultdict[str, list[Table]] = defaultdict(list)
    systems: dict[str, str] = {}
    for row in datasets:
        tables[row.urn] = table = _table(row)
        systems[row.urn] = row.system
        neighbours[row.system].append(table)
    for job in jobs:
        target = tables.get(job.dataset)
        if target is None or not job.statement:
            continue
        yield from _of_job(job, target, neighbours[systems[job.dataset]])


def _of_job(job: JobRow, target: Table, tables: Iterable[Table]) -> Iterator[Observation]:
    try:
        lineage = flows_of_statement(job.statement, job.dialect, target, tables)
    except UnreadableError as error:
        yield Finding(target.urn, "lineage-unknown", Severity.WARNING, str(error))
        return
    yield from _flows(job, lineage)
    if not lineage.resolved:
        message = f"{target.name}: some of its columns could not be followed through its SQL (its lineage has gaps)"
        yield Finding(target.urn, "lineage-incomplete", Severity.INFO, message)


def _flows(job: JobRow, lineage: Lineage) -> Iterator[FlowSeen]:
    for flow in lineage.flows:
        yield FlowSeen(flow.source, flow.target, Provenance.SQL, flow.transformation, job.urn)


def _table(row: DatasetRow) -> Table:
    columns: list[str] = []
    pointers: defaultdict[str, set[str]] = defaultdict(set)
    for urn in row.fields:
        column, pointer = column_of(urn)
        if pointer:
            pointers[column].add(pointer)
        else:
            columns.append(column)
    return Table(row.urn, row.name, tuple(columns), pointers)
