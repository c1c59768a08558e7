"""What a dbt project lets flow: between relations by what models depend on, between columns by their compiled SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from inventory.errors import UnreadableError
from inventory.graph.schema import EdgeFact, NodeFact, NodeRef
from inventory.lineage.dbt.artifacts import Exposure, Project, Relation
from inventory.lineage.sql import Flow, Lineage, Table, Tables, flows_of_statement
from inventory.model import Finding, Provenance, Severity, Transformation, dataset_urn, quote_name
from scanners.databases.statements import without_literals
from scanners.recipients.catalogue import of_host

SENT = 0.7  # how sure it is that an exposure at a vendor's address sends it the model's data


@dataclass(slots=True)
class Facts:
    """What is to be loaded, and what was not understood."""

    nodes: list[NodeFact] = field(default_factory=list[NodeFact])
    edges: list[EdgeFact] = field(default_factory=list[EdgeFact])
    findings: list[Finding] = field(default_factory=list[Finding])


def dataset_name(relation: Relation, adapter: str) -> str:
    """As scanners name it, after OpenLineage: `database.schema.table`; a file's or MySQL's without the first part."""
    parts = (relation.database, relation.schema, relation.table)
    if adapter in ("duckdb", "sqlite", "mysql", "clickhouse"):
        parts = parts[1:]
    return ".".join(part for part in parts if part)


def facts_of(project: Project, namespace: str, redact: Callable[[str], str]) -> Facts:
    """Jobs (one a model), flows and disclosures of the project, whose tables are in the system `namespace`."""
    facts = Facts()
    tables = {key: _table(relation, project.adapter, namespace) for key, relation in project.relations.items()}
    known = Tables(tables.values(), project.dialect) if project.dialect else None
    for key, relation in project.relations.items():
        if relation.node.resource_type in ("model", "snapshot") and relation.built:
            _model(project, key, tables, known, redact, facts)
    for exposure in project.exposures:
        facts.edges.extend(_disclosures(exposure, tables, redact))
    for key in sorted(project.stale & tables.keys()):
        message = f"{tables[key].name}: dbt found it older than it should be (see its sources' freshness)"
        facts.findings.append(Finding(tables[key].urn, "stale", Severity.INFO, message))
    return facts


def _table(relation: Relation, adapter: str, namespace: str) -> Table:
    name = ".".join(part for part in (relation.database, relation.schema, relation.table) if part)  # as SQL has it
    return Table(dataset_urn(namespace, dataset_name(relation, adapter)), name, relation.columns)


def _model(
    project: Project,
    key: str,
    tables: Mapping[str, Table],
    known: Tables | None,
    redact: Callable[[str], str],
    facts: Facts,
) -> None:
    node, target = project.relations[key].node, tables[key]
    job = f"job:dbt/{quote_name(key)}"
    statement = project.relations[key].sql
    lineage = _followed(statement, target, known, facts)
    said = {
        "name": redact(node.name),
        "namespace": "dbt",
        "kind": "dbt",
        "materialized": node.config.materialized,
        "description": redact(node.description or ""),
        "statement": without_literals(statement, project.dialect) if statement and len(statement) < 100_000 else "",
        "dialect": project.dialect if statement else "",
    }
    facts.nodes.append(NodeFact("Job", job, {**said}))
    facts.edges.append(EdgeFact("DEFINED_BY", NodeRef("Dataset", target.urn), NodeRef("Job", job)))
    sources = [tables[source].urn for source in project.upstream(node)]
    facts.edges.extend(_edge(flow, job) for flow in _flows(sources, target.urn, lineage))


def _followed(statement: str, target: Table, known: Tables | None, facts: Facts) -> Lineage | None:
    if not statement:
        facts.findings.append(_gap(target, "its columns could not be followed: there is no compiled SQL of it"))
        return None
    if known is None:
        facts.findings.append(_gap(target, "its columns could not be followed: the adapter's SQL is not known"))
        return None
    try:
        lineage = flows_of_statement(statement, known.dialect, target, known)
    except UnreadableError as error:
        facts.findings.append(_gap(target, f"its columns could not be followed: {error.cause}"))
        return None
    if lineage.gap:
        facts.findings.append(_gap(target, f"some of its columns could not be followed: {lineage.gap}"))
    return lineage


def _gap(target: Table, cause: str) -> Finding:
    return Finding(target.urn, "lineage-incomplete", Severity.INFO, f"{target.name}: {cause}")


def _flows(sources: list[str], target: str, lineage: Lineage | None) -> Iterator[Flow]:
    """Between relations those that dbt knows, as its SQL shows them; and all between columns."""
    followed = lineage.flows if lineage else ()
    shown = {(flow.source, flow.target): flow.transformation for flow in followed}
    followed_all = lineage is not None and not lineage.gap  # then what is named without a flow only decides or counts
    otherwise = Transformation.AGGREGATED if followed_all else Transformation.UNKNOWN
    for source in sources:
        if source != target:
            yield Flow(source, target, shown.get((source, target), otherwise))
    for flow in followed:
        if "#" in flow.source and flow.source != flow.target:
            yield flow


def _edge(flow: Flow, job: str) -> EdgeFact:
    label = "Field" if "#" in flow.source else "Dataset"
    return EdgeFact(
        "FLOWS_TO",
        NodeRef(label, flow.source),
        NodeRef(label, flow.target),
        {"job": job, "provenance": str(Provenance.DBT)},
        {"transformation": str(flow.transformation), "confidence": flow.confidence},
    )


def _disclosures(exposure: Exposure, tables: Mapping[str, Table], redact: Callable[[str], str]) -> Iterator[EdgeFact]:
    """What is used at a known vendor's address; a dashboard of our own is no disclosure."""
    host = _host(exposure.url or "")
    recipient = of_host(host) if host else None
    if recipient is None or not recipient.known:
        return
    evidence = f"the dbt exposure {redact(exposure.name)} is at {recipient.named_by(host)}"
    for key in exposure.depends_on.nodes:
        if key in tables:
            yield EdgeFact(
                "DISCLOSED_TO",
                NodeRef("Dataset", tables[key].urn),
                NodeRef("Processor", recipient.processor),
                {"provenance": str(Provenance.DBT)},
                {"evidence": evidence, "confidence": SENT},
            )


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
