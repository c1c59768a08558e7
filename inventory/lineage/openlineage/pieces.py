"""What one event adds to what is known of a job: names in the inventory's form, text without values.

The name of a dataset or a field may hold a personal value (an object's key, a key of a JSON document), so names are
redacted as scanners redact them, segment by segment, and join with theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias
from urllib.parse import quote

from sqlglot.dialects.dialect import Dialect

from inventory.graph.catalogue import moment
from inventory.lineage.openlineage.changes import most_telling, transformation_of
from inventory.lineage.openlineage.events import ColumnLineage, Dataset, Event, InputField, Job, OutputField, RunState
from inventory.model import Transformation, dataset_urn, field_urn, quote_name
from scanners.databases.statements import without_literals

MOST_STATEMENT = 100_000  # characters of SQL that are kept of a job
WHOLE = "*"  # in the place of a field: the whole dataset
_OPEN_ENDED = frozenset({"STREAMING", "SERVICE"})
_DIALECTS = {"postgresql": "postgres", "sqlserver": "tsql", "mssql": "tsql", "awsathena": "athena", "mariadb": "mysql"}
_FILES = ("duckdb://", "sqlite://")
_ADDRESSES = ("email:", "user:", "person:", "mailto:")

Ways: TypeAlias = dict[tuple[str, str], Transformation]
"""What happens to data between two places: datasets, or fields."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What an event says of a job, or of a dataset. `inputs` and `outputs` are None where it says nothing of them."""

    scope: str  # what its flows are loaded as
    job: str  # URN, "" of a DatasetEvent
    at: str  # as the graph keeps times
    run: str  # "" of a JobEvent or a DatasetEvent
    state: RunState | None
    inputs: frozenset[str] | None = None
    outputs: frozenset[str] | None = None
    fields: Ways = field(default_factory=Ways)
    datasets: Ways = field(default_factory=Ways)  # that column lineage tells of
    described: frozenset[str] = frozenset()  # outputs that have column lineage
    also: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])  # other names of datasets
    about: Mapping[str, str] = field(default_factory=dict[str, str])  # of the job: name, kind, statement, …
    endless: bool | None = None  # a job that never completes: what runs, flows


class Reader:
    """Makes pieces of events. `redact` replaces every personal value in a text by its kind."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        self._redact = lru_cache(maxsize=20_000)(redact)
        self._statement = lru_cache(maxsize=1000)(_statement)

    def piece(self, event: Event) -> Piece:
        """What the event adds."""
        at = moment(event.eventTime)
        if event.job is None:
            assert event.dataset is not None  # the event was refused otherwise
            return self._of_dataset(event.dataset, at)
        namespace, name = self._named(event.job.namespace), self._named(event.job.name)
        outputs = event.outputs or ()
        fields, shown, described = self._column_lineage(outputs)
        kind = event.job.facets.jobType if event.job.facets else None
        return Piece(
            scope=_scope("openlineage", namespace, name),
            job=f"job:{namespace}/{quote_name(name)}",
            at=at,
            run=str(event.run.runId) if event.run else "",
            state=event.eventType if event.run else None,
            inputs=None if event.inputs is None else frozenset(map(self._urn, event.inputs)),
            outputs=None if event.outputs is None else frozenset(map(self._urn, outputs)),
            fields=fields,
            datasets=shown,
            described=described,
            also=self._other_names((*(event.inputs or ()), *outputs)),
            about=self._about(event, event.job, namespace, name),
            endless=kind.processingType.upper() in _OPEN_ENDED if kind else None,
        )

    def _of_dataset(self, dataset: Dataset, at: str) -> Piece:
        urn = self._urn(dataset)
        fields, shown, described = self._column_lineage([dataset])
        return Piece(
            scope=_scope("openlineage-dataset", urn, ""),
            job="",
            at=at,
            run="",
            state=None,
            outputs=frozenset({urn}) if described else None,
            fields=fields,
            datasets=shown,
            described=described,
            also=self._other_names([dataset]),
        )

    # --- names --------------------------------------------------------------------------------------------

    def _named(self, name: str) -> str:
        return "/".join(part and self._redact(part) for part in name.split("/"))

    def _urn(self, dataset: Dataset | InputField) -> str:
        return self._urn_of(dataset.namespace, dataset.name)

    def _urn_of(self, namespace: str, name: str) -> str:
        return dataset_urn(self._named(namespace), self._named(name))

    def _field(self, dataset: str, name: str) -> str:
        """A slash begins a path inside the column, as `exporting` writes it."""
        column, slash, pointer = self._named(name).partition("/")
        return field_urn(dataset, column, slash + pointer) if column else field_urn(dataset, slash + pointer)

    def _other_names(self, datasets: Iterable[Dataset]) -> dict[str, tuple[str, ...]]:
        """Symbolic links, and the name that scans give to a table of a file, which has one database only."""
        also: dict[str, tuple[str, ...]] = {}
        for dataset in datasets:
            links = dataset.facets.symlinks if dataset.facets else None
            others = [self._urn_of(other.namespace, other.name) for other in (links.identifiers or ())] if links else []
            database, dot, rest = dataset.name.partition(".")
            if dataset.namespace.startswith(_FILES) and database and dot and "." in rest:
                others.append(self._urn_of(dataset.namespace, rest))
            if others:
                also[self._urn(dataset)] = tuple(others)
        return also

    # --- flows --------------------------------------------------------------------------------------------

    def _column_lineage(self, outputs: Iterable[Dataset]) -> tuple[Ways, Ways, frozenset[str]]:
        """Between fields, between datasets, and the outputs that have any."""
        fields: Ways = {}
        datasets: Ways = {}
        described: set[str] = set()
        for output in outputs:
            facet = output.facets.columnLineage if output.facets else None
            if facet is not None and (facet.fields or facet.dataset):
                target = self._urn(output)
                described.add(target)
                self._of_facet(facet, target, fields, datasets)
        return fields, datasets, frozenset(described)

    def _of_facet(self, facet: ColumnLineage, target: str, fields: Ways, datasets: Ways) -> None:
        for name, output in facet.fields.items():
            column = self._field(target, name)
            for source in output.inputFields:
                origin, way = self._urn(source), transformation_of(source, output)
                keep_most(datasets, (origin, target), way or Transformation.AGGREGATED)
                if way is not None:
                    keep_most(fields, (self._field(origin, source.field), column), way)
        for source in facet.dataset or ():
            pair, way = (self._urn(source), target), transformation_of(source, OutputField())
            if source.field == WHOLE:
                datasets[pair] = way or Transformation.AGGREGATED  # stands for what its fields tell
            else:
                keep_most(datasets, pair, Transformation.AGGREGATED)

    # --- the job ------------------------------------------------------------------------------------------

    def _about(self, event: Event, job: Job, namespace: str, name: str) -> dict[str, str]:
        said = {"name": name, "namespace": namespace}
        facets = job.facets
        if facets and facets.jobType:
            said["kind"] = self._redact(facets.jobType.integration.lower()[:100])
        if facets and facets.documentation:
            said["description"] = self._redact(facets.documentation.description[:2000])
        if facets and facets.ownership:
            owners = (owner.name[:200] for owner in facets.ownership.owners or ())
            said["owner"] = ", ".join(sorted({self._owner(owner) for owner in owners} - {""}))
        if facets and facets.sql and facets.sql.query:
            asked = facets.sql.dialect or next(iter(event.inputs or event.outputs or ()), job).namespace
            dialect = _dialect(asked.partition(":")[0])
            said["statement"], said["dialect"] = self._statement(facets.sql.query, dialect), dialect
        parent = event.run.facets.parent if event.run and event.run.facets else None
        if parent and parent.job:
            said["parent"] = f"job:{self._named(parent.job.namespace)}/{quote_name(self._named(parent.job.name))}"
        return {key: value for key, value in said.items() if value}

    def _owner(self, name: str) -> str:
        """A team's name; nothing of one who is a person."""
        if "@" in name or name.lower().startswith(_ADDRESSES):
            return ""
        return self._redact(name)


def keep_most(ways: Ways, pair: tuple[str, str], way: Transformation) -> None:
    """Of two ways between the same places the one stands that tells most of the data."""
    before = ways.get(pair)
    ways[pair] = way if before is None else most_telling((before, way))


def _scope(kind: str, namespace: str, name: str) -> str:
    """As the graph's scopes may be: no `|`, and no two names give one."""
    return quote(f"{kind}:{namespace}/{name}" if name else f"{kind}:{namespace}", safe="/:@.-_ {}<>‹›=,;+()[]*&$!'\"")


def _dialect(word: str) -> str:
    """sqlglot's name of the dialect that a namespace's scheme or the facet names; "" when it has none."""
    name = _DIALECTS.get(word.lower(), word.lower())
    return name if name and Dialect.get(name) is not None else ""


def _statement(query: str, dialect: str) -> str:
    if len(query) > MOST_STATEMENT:
        return ""
    return without_literals(query, dialect)[:MOST_STATEMENT]
