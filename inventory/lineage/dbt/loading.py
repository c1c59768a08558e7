"""A dbt project into the graph: a document of its own, so that what it no longer says ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from inventory.errors import UnreadableError
from inventory.graph.catalogue import Catalogue
from inventory.graph.connection import Graph
from inventory.graph.writer import GraphWriter, LoadReport
from inventory.lineage.dbt.artifacts import Project, read_project
from inventory.lineage.dbt.flows import dataset_name, facts_of
from inventory.lineage.derive import Derived
from inventory.lineage.redaction import built_in_redaction
from inventory.model import Finding, Severity

#: How the names of the systems begin that an adapter's tables may be in, after OpenLineage.
_SCHEMES = {"sqlserver": "mssql", "redshift": "redshift", "databricks": "databricks"}


def load_project(
    graph: Graph, target: Path, namespace: str = "", redact: Callable[[str], str] | None = None
) -> Derived:
    """Load what dbt has written into the folder `target`.

    `namespace` is the system that the project's tables are in (`postgres://db.example:5432`), which dbt's files do not
    tell; by default it is the scanned one that holds the most of them. Raises UnreadableError, GraphError.
    """
    project = read_project(target)
    namespace = namespace or _found(graph, project, target)
    facts = facts_of(project, namespace, lru_cache(maxsize=10_000)(redact or built_in_redaction()))
    scope = f"dbt:{project.name or 'project'}@{namespace}".replace("|", "%7C")
    load = GraphWriter(graph).declare(scope, facts.nodes, facts.edges, datetime.now(UTC))
    return Derived((load,), tuple(facts.findings))


class KnownProject(Protocol):
    """A project as the configuration has it."""

    @property
    def target(self) -> Path:
        """dbt's target folder."""
        ...

    @property
    def namespace(self) -> str:
        """The system that its tables are in, "" to look for it."""
        ...


def load_projects(graph: Graph, projects: Iterable[KnownProject]) -> Derived:
    """Load several; one that cannot be read is a finding, and what was known of it stays. Raises GraphError."""
    loads: list[LoadReport] = []
    findings: list[Finding] = []
    for project in projects:
        try:
            done = load_project(graph, project.target, project.namespace)
        except UnreadableError as error:
            findings.append(Finding(f"file:{project.target}", "dbt-unreadable", Severity.WARNING, str(error)))
            continue
        loads.extend(done.loads)
        findings.extend(done.findings)
    return Derived(tuple(loads), tuple(findings))


def _found(graph: Graph, project: Project, target: Path) -> str:
    if project.adapter == "bigquery":
        return "bigquery"  # every project's tables are in this one namespace
    names = {dataset_name(relation, project.adapter) for relation in project.relations.values()}
    begins = f"{_SCHEMES.get(project.adapter, project.adapter)}:"
    systems = Counter(
        row["node"].get("system", "")
        for row in Catalogue(graph).pages("datasets_everywhere")
        if row["node"].get("name") in names and row["node"].get("system", "").startswith(begins)
    )
    if not systems:
        raise UnreadableError(
            str(target), "no scanned database holds its tables", "scan it first, or say which it is: namespace"
        )
    ordered = systems.most_common(2)
    if len(ordered) == 2 and ordered[0][1] == ordered[1][1]:
        raise UnreadableError(
            str(target), f"{ordered[0][0]} and {ordered[1][0]} hold its tables alike", "say which it is: namespace"
        )
    return ordered[0][0]
