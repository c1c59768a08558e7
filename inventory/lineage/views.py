"""From the statements of views, triggers and logged queries to flows between datasets and fields.

Reads what scans have left in the graph, as plain rows, and yields observations for the same writer that scans use.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from inventory.errors import UnreadableError
from inventory.lineage.sql.batch import Asked, lineages
from inventory.lineage.sql.cache import LineageCache
from inventory.lineage.sql.statements import Lineage
from inventory.lineage.sql.tables import Table
from inventory.model import Finding, FlowSeen, Observation, Provenance, Severity, column_of


@dataclass(frozen=True, slots=True)
class JobRow:
    """A Job with a statement: its URN, the URN of the dataset that it writes, the SQL and sqlglot's dialect name."""

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


def derive(
    jobs: Iterable[JobRow], datasets: Iterable[DatasetRow], cache: LineageCache | None = None
) -> Iterator[Observation]:
    """The flows of every job within its own system; a Finding about the dataset whose statement is not understood."""
    tables: dict[str, Table] = {}
    neighbours: defaultdict[str, list[Table]] = defaultdict(list)
    systems: dict[str, str] = {}
    for row in datasets:
        tables[row.urn] = table = table_of(row)
        systems[row.urn] = row.system
        neighbours[row.system].append(table)
    read = [job for job in jobs if job.dataset in tables and job.statement]
    asked = [Asked(job.statement, job.dialect, tables[job.dataset], systems[job.dataset]) for job in read]
    for job, said in zip(read, lineages(asked, neighbours, cache), strict=True):
        yield from _of_job(job, tables[job.dataset], said)


def _of_job(job: JobRow, target: Table, said: Lineage | UnreadableError) -> Iterator[Observation]:
    if isinstance(said, UnreadableError):
        yield Finding(target.urn, "lineage-unknown", Severity.WARNING, str(said))
        return
    yield from flows_of(job.urn, said)
    if said.gap:
        yield gap_finding(target.urn, target.name, said)


def flows_of(job: str, lineage: Lineage) -> Iterator[FlowSeen]:
    """The flows of a job's statement."""
    for flow in lineage.flows:
        yield FlowSeen(flow.source, flow.target, Provenance.SQL, flow.transformation, job, flow.confidence)


def gap_finding(about: str, name: str, lineage: Lineage) -> Finding:
    """That some columns of a statement, or all, could not be followed."""
    if lineage.guessed:
        said = f"{name}: {lineage.gap} (of its lineage only the datasets that it names are known)"
        return Finding(about, "lineage-guessed", Severity.WARNING, said)
    return Finding(about, "lineage-incomplete", Severity.INFO, f"{name}: {lineage.gap} (its lineage has gaps)")


def table_of(row: DatasetRow) -> Table:
    """The dataset as statements name it."""
    columns: list[str] = []
    pointers: defaultdict[str, set[str]] = defaultdict(set)
    for urn in row.fields:
        column, pointer = column_of(urn)
        if pointer:
            pointers[column].add(pointer)
        else:
            columns.append(column)
    return Table(row.urn, row.name, tuple(columns), pointers)
