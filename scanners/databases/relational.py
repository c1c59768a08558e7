"""What all SQL databases have in common: catalog, bounded sample, observations in the order the writer expects.

A database is one module beside this one: settings, a subclass of `RelationalScanner`, and `SCANNER`. What SQLAlchemy's
inspector tells in bulk is the default of every catalog question; a subclass replaces what its database can answer
better, and says how to sample (`sample`) and what its errors mean (`fault`).

Transactions are short and read-only: one for the catalog of each schema, one for each dataset's sample, none while
observations are handed over, so that a slow consumer holds no lock and no snapshot.
"""

from __future__ import annotations

import hashlib
import time
from abc import abstractmethod
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from operator import attrgetter, itemgetter
from typing import Any, ClassVar, Generic, TypeVar

import pyarrow as pa
import sqlalchemy as sa
from pydantic import Field
from sqlalchemy import event
from sqlalchemy.engine.interfaces import ReflectedColumn
from sqlalchemy.engine.reflection import Inspector, ObjectKind, ObjectScope
from sqlalchemy.exc import SQLAlchemyError

from inventory.errors import SourceError
from inventory.model import (
    Aspect,
    Covered,
    DatasetKind,
    DatasetSeen,
    FieldClassified,
    FieldProfiled,
    FieldReferences,
    FieldSeen,
    Finding,
    FlowSeen,
    JobSeen,
    Observation,
    Provenance,
    Severity,
    SystemKind,
    SystemSeen,
    Transformation,
    dataset_urn,
    field_urn,
)
from scanners.access import access_sightings
from scanners.base import Chunk, ChunkRead, Planned, Progress, ScanContext, SourceSettings, stable_seed
from scanners.budget import Budget, Meter
from scanners.databases.catalog import ARROW_TYPES, Carrier, Column, Fault, ForeignKey, Reader, Relation, Writer
from scanners.databases.comments import with_declared_references
from scanners.databases.statements import without_literals
from scanners.databases.writers import LOGGED, SeenStatement, with_writers
from scanners.detection.interface import ColumnContext, Detection, FieldVerdict, TableContext
from scanners.disclosure import configured_disclosure
from scanners.recipients.configuration import Configuration
from scanners.sightings import record_sightings, sketch_sightings

CHUNK_BYTES = 32 * 2**20  # most bytes of one chunk of a sample, if every value had its greatest length
CHUNK_ROWS = 500
STRETCHES = 32  # a large table is read in this many short stretches, spread over its keys

_WIDE = (Carrier.TEXT, Carrier.JSON, Carrier.BINARY)

CHUNK_DATASETS = 25  # what one worker reads at a time
ASSUMED_BYTES = 16  # a value, where the server does not tell how wide rows are

_all_of_column = attrgetter(*(field.name for field in fields(Column)))

Key = tuple[str | None, str]


class RelationalSettings(SourceSettings):
    """What the settings of every SQL database have."""

    include_schemas: tuple[str, ...] = Field(default=(), description="Only these schemas; all when empty.")
    exclude_schemas: tuple[str, ...] = Field(default=(), description="Not these schemas.")
    statement_timeout: float = Field(default=30.0, gt=0, description="Seconds after which a statement is given up.")
    lock_timeout: float = Field(default=1.0, gt=0, le=1.0, description="Seconds to wait for a lock, at most 1.")


SettingsT = TypeVar("SettingsT", bound=RelationalSettings, covariant=True)


class DriverFault(Exception):
    """A driver's error in our own words; it takes the place of the driver's own text."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(fault.cause)


@dataclass(frozen=True, slots=True)
class Sample:
    """The statements that together read a bounded sample of one relation; each selects the readable columns."""

    statements: Sequence[sa.Select[Any]]


class RelationalScanner(Generic[SettingsT]):
    """Scans one database through SQLAlchemy; see `scanners.base.Scanner` for what it yields."""

    settings_type: ClassVar[type[SourceSettings]]
    engine_name: ClassVar[str]  # "postgresql", "sqlite"
    sql_dialect: str  # sqlglot's name of the SQL dialect
    queries_of_sample: ClassVar[int] = 4  # most of one dataset: bounds of the transaction, size, sample

    def __init__(self, settings: SettingsT) -> None:
        self._settings = settings

    @property
    def settings(self) -> SettingsT:
        """The source's settings."""
        return self._settings

    # --- what a database says of itself ------------------------------------------------------------------

    @property
    @abstractmethod
    def system(self) -> str:
        """The OpenLineage namespace."""

    @abstractmethod
    def engine(self) -> sa.Engine:
        """A new engine without a pool; nothing is connected yet. May raise ConfigError for a missing secret."""

    @abstractmethod
    def dataset_name(self, schema: str, name: str) -> str:
        """The OpenLineage dataset name of a relation."""

    @property
    @abstractmethod
    def name_prefix(self) -> str:
        """What the names of all datasets of this source begin with: `database.` on a server with several."""

    @abstractmethod
    def fault(self, error: BaseException) -> Fault:
        """What a driver's error means. Its text is never quoted."""

    def sample(self, connection: sa.Connection, relation: Relation, columns: Sequence[Column]) -> Sample:
        """How to read a bounded sample, the same for the same data and seed. Runs in the sample's transaction."""
        raise NotImplementedError  # a database that reads its `rows` in its own way needs none

    def rows(
        self, connection: sa.Connection, relation: Relation, columns: Sequence[Column], at_once: int
    ) -> Generator[Sequence[Sequence[Any]]]:
        """The sample, so many rows at once. Runs in the sample's transaction."""
        for statement in self.sample(connection, relation, columns).statements:
            with connection.execute(statement, execution_options={"yield_per": at_once}) as result:
                yield from result.partitions()

    def version(self, connection: sa.Connection) -> str:
        """The server's version."""
        return ".".join(str(part) for part in connection.dialect.server_version_info or ())

    def begin(self, connection: sa.Connection) -> None:
        """Make the transaction that has just begun read-only and bounded in time."""
        del connection

    def safeguards(self, connection: sa.Connection) -> Iterable[Observation]:
        """What is known of encryption and other safeguards."""
        del connection
        return ()

    def readers(self, connection: sa.Connection) -> Sequence[Reader] | None:
        """Who may read everything, whatever the grants on a relation say; None when the server does not tell us."""
        del connection
        return None

    def statements(self, connection: sa.Connection) -> Iterable[SeenStatement]:
        """Statements that write tables, as the server keeps or has logged them: at most MOST_STATEMENTS of each."""
        del connection
        return ()

    def schemas(self, connection: sa.Connection) -> Sequence[str]:
        """The schemas that hold people's tables."""
        return sa.inspect(connection).get_schema_names()

    # --- the catalog of one schema: each question is one round trip, whatever the number of tables ----------

    def relations(self, connection: sa.Connection, schema: str) -> Sequence[Relation]:
        """Every table and view of a schema, with all that the catalog says of it, ordered by name."""
        inspector = sa.inspect(connection)
        columns = self.columns(connection, inspector, schema)
        keys = self.primary_keys(inspector, schema)
        references = self.foreign_keys(connection, inspector, schema)
        comments = self.comments(inspector, schema)
        return [
            replace(
                relation,
                columns=columns.get(relation.name, relation.columns),
                primary_key=keys.get(relation.name, ()),
                foreign_keys=references.get(relation.name, ()),
                comment=comments.get(relation.name, ""),
            )
            for relation in sorted(self.listing(connection, inspector, schema), key=lambda relation: relation.name)
        ]

    def listing(self, connection: sa.Connection, inspector: Inspector, schema: str) -> Iterable[Relation]:
        """Every relation with its kind, row estimate and view definition (columns and keys are added later)."""
        del connection
        for name in inspector.get_table_names(schema=schema):
            yield Relation(schema, name, DatasetKind.TABLE, ())
        for name in inspector.get_view_names(schema=schema):
            yield Relation(
                schema, name, DatasetKind.VIEW, (), definition=inspector.get_view_definition(name, schema=schema)
            )
        with suppress(NotImplementedError):
            for name in inspector.get_materialized_view_names(schema=schema):
                yield Relation(schema, name, DatasetKind.MATERIALIZED_VIEW, ())

    def columns(self, connection: sa.Connection, inspector: Inspector, schema: str) -> Mapping[str, tuple[Column, ...]]:
        """The columns of every relation, in order."""
        found = inspector.get_multi_columns(schema=schema, kind=ObjectKind.ANY, scope=ObjectScope.ANY)
        return {
            name: tuple(self._column(connection, column) for column in columns) for (_, name), columns in found.items()
        }

    def primary_keys(self, inspector: Inspector, schema: str) -> Mapping[str, tuple[str, ...]]:
        """The primary key's columns of every relation that has one."""
        found = inspector.get_multi_pk_constraint(schema=schema, kind=ObjectKind.TABLE, scope=ObjectScope.ANY)
        return {name: tuple(key["constrained_columns"]) for (_, name), key in found.items() if key}

    def foreign_keys(
        self, connection: sa.Connection, inspector: Inspector, schema: str
    ) -> Mapping[str, tuple[ForeignKey, ...]]:
        """The foreign keys of every relation."""
        del connection
        found = inspector.get_multi_foreign_keys(schema=schema, kind=ObjectKind.TABLE, scope=ObjectScope.ANY)
        return {
            name: tuple(
                ForeignKey(
                    name=key["name"] or ",".join(key["constrained_columns"]),
                    columns=tuple(key["constrained_columns"]),
                    target_schema=key["referred_schema"] or schema,
                    target_table=key["referred_table"],
                    target_columns=tuple(key["referred_columns"]),
                )
                for key in keys
            )
            for (_, name), keys in found.items()
        }

    def comments(self, inspector: Inspector, schema: str) -> Mapping[str, str]:
        """The comment of every relation that has one."""
        try:
            found = inspector.get_multi_table_comment(schema=schema, kind=ObjectKind.ANY, scope=ObjectScope.ANY)
        except NotImplementedError:
            return {}
        return {name: comment["text"] or "" for (_, name), comment in found.items() if comment}

    def carrier(self, type_name: str) -> Carrier:
        """How the values of a column of this declared type travel."""
        del type_name
        return Carrier.TEXT

    def _column(self, connection: sa.Connection, column: ReflectedColumn) -> Column:
        known = not isinstance(column["type"], sa.types.NullType)
        declared = column["type"].compile(dialect=connection.dialect) if known else ""
        return Column(
            name=column["name"],
            type=declared,
            carrier=self.carrier(declared),
            nullable=column["nullable"],
            comment=column.get("comment") or "",
        )

    # --- the scan ------------------------------------------------------------------------------------------

    def scan(self, context: ScanContext) -> Iterator[Observation]:
        """Look at the catalog, then at each dataset; see `scanners.base.Scanner`."""
        meter, context = Meter(self.settings.budget), _redacting_once(context)
        with self._connected(meter) as connection:
            for said in self._outline(connection, context, datasets=1):
                if isinstance(said, Chunk):
                    for done, relation in enumerate(_relations(said), start=said.done):
                        name = self.dataset_name(relation.schema, relation.name)
                        context.report(Progress(self.settings.name, done, said.total, name))
                        yield from self._look(connection, relation, context, meter)
                else:
                    yield said

    def outline(self, context: ScanContext) -> Iterator[Observation | Chunk]:
        """All but what reading the changed datasets would say; see `scanners.base.DivisibleScanner`."""
        with self._connected(Meter(self.settings.budget)) as connection:
            yield from self._outline(connection, _redacting_once(context), CHUNK_DATASETS)

    def read(self, context: ScanContext, chunk: Chunk, budget: Budget) -> ChunkRead:
        """Look at the datasets of a chunk, over a connection of its own. Raises SourceError."""
        meter, said, context = Meter(budget), list[Observation](), _redacting_once(context)
        with self._connected(meter) as connection:
            for relation in _relations(chunk):
                said += self._look(connection, relation, context, meter)
        return ChunkRead(tuple(said), meter.spent)

    def plan(self, context: ScanContext) -> Iterator[Planned]:
        """What a scan would read, from the catalog alone; see `scanners.base.PlanningScanner`."""
        with self._connected(Meter(self.settings.budget)) as connection:
            for said in self._outline(connection, context, CHUNK_DATASETS):
                if isinstance(said, DatasetSeen):
                    yield Planned(said.name, 0, 0, 0, unchanged=True)
                elif isinstance(said, Chunk):
                    yield from (self._planned(relation) for relation in _relations(said))

    def _planned(self, relation: Relation) -> Planned:
        most = self.settings.sampling.rows
        rows = most if relation.row_estimate is None else min(most, relation.row_estimate)
        rows = rows if any(column.readable for column in relation.columns) else 0
        widest = len(relation.columns) * self.settings.sampling.value_bytes
        width = min(relation.row_bytes or len(relation.columns) * ASSUMED_BYTES, widest)
        name = self.dataset_name(relation.schema, relation.name)
        return Planned(name, rows, rows * width, self.queries_of_sample if relation.columns else 0)

    def _outline(self, connection: sa.Connection, context: ScanContext, datasets: int) -> Iterator[Observation | Chunk]:
        with self._source_errors(), self._transaction(connection):
            opening = [self._system_seen(connection), *self.safeguards(connection)]
            opening += access_sightings(self.system, self.readers(connection), context.detection)
            schemas = self._wanted(self.schemas(connection))
        yield from opening

        listed: list[Relation] = []
        unlisted: set[str] = set()
        for schema in schemas:
            try:
                with self._transaction(connection):
                    listed += self.relations(connection, schema)
            except DriverFault as error:
                self._raise_if_fatal(error.fault)
                unlisted.add(schema)
                yield self._finding(self.system, f"{self.settings.name}: schema {schema}", error.fault)

        listed = with_writers(listed, self._statements(connection), self.sql_dialect)
        changed: list[Relation] = []
        for relation in with_declared_references(listed):
            if self._unchanged(relation, context):
                yield self._dataset_seen(relation, context.detection)
                yield from (self._writing_job(relation, each) for each in relation.writers if each.kind == LOGGED)
            else:
                changed.append(relation)
        unchanged, total = len(listed) - len(changed), len(listed)
        listed.clear()
        # What was never read comes first, so that a budget that is too small for all does not starve it.
        changed.sort(key=lambda relation: self._urn(relation) in context.tokens)
        for start in range(0, len(changed), datasets):
            yield Chunk(tuple(changed[start : start + datasets]), unchanged + start, total)
        context.report(Progress(self.settings.name, total, total))
        for name in self._listed_names(schemas, unlisted):
            yield Covered(dataset_urn(self.system, name), Aspect.LISTING)

    def _statements(self, connection: sa.Connection) -> list[SeenStatement]:
        """None where the server does not let us see them: they add to what is known, and are never missed."""
        try:
            with self._transaction(connection):
                return list(self.statements(connection))
        except DriverFault as error:
            self._raise_if_fatal(error.fault)
            return []

    def _look(
        self, connection: sa.Connection, relation: Relation, context: ScanContext, meter: Meter
    ) -> Iterator[Observation]:
        """All that is to be said of one dataset; its content as long as the budget lasts."""
        yield from self._structure(relation, context.detection)
        refusal = meter.refusal()
        if refusal:
            yield Finding(
                about=self.system,
                code="over-budget",
                severity=Severity.WARNING,
                message=f"{self.settings.name}: {refusal}, so that not all datasets were sampled "
                "(those not yet sampled are first at the next scan)",
            )
            return
        yield from self._content(connection, relation, context, meter)

    def _listed_names(self, schemas: Sequence[str], unlisted: Collection[str]) -> list[str]:
        """What the listed datasets' names begin with; another source may scan the other ones of the server."""
        settings = self.settings
        if not (settings.include_schemas or settings.exclude_schemas or unlisted):
            return [self.name_prefix]  # all that there is, so that a dropped schema ends too
        asked = settings.include_schemas or schemas
        return [
            self.dataset_name(schema, "") for schema in asked if schema not in {*settings.exclude_schemas, *unlisted}
        ]

    def _system_seen(self, connection: sa.Connection) -> SystemSeen:
        return SystemSeen(
            urn=self.system,
            kind=SystemKind.DATABASE,
            name=self.settings.name,
            engine=self.engine_name,
            version=self.version(connection),
            region=self.settings.region,
            processor=self.settings.processor,
        )

    def _wanted(self, schemas: Iterable[str]) -> list[str]:
        include, exclude = self.settings.include_schemas, self.settings.exclude_schemas
        return [schema for schema in schemas if (not include or schema in include) and schema not in exclude]

    # --- structure -----------------------------------------------------------------------------------------

    def _structure(self, relation: Relation, detection: Detection) -> Iterator[Observation]:
        dataset = self._urn(relation)
        yield self._dataset_seen(relation, detection)
        yield from configured_disclosure(self.settings, dataset)
        for position, column in enumerate(relation.columns, start=1):
            name, comment = column.name, column.comment
            yield FieldSeen(  # by position, as there are many of them
                field_urn(dataset, name),
                dataset,
                name,
                column.type,
                position,
                column.nullable,
                name in relation.primary_key,
                detection.redact(comment) if comment else "",
            )
        for key in relation.foreign_keys:
            yield from self._references(relation, key)
        if relation.definition:
            yield self._job(relation, relation.definition)
        for writer in relation.writers:
            yield self._writing_job(relation, writer)
        if relation.origin:
            yield FlowSeen(relation.origin, dataset, Provenance.CONFIG, Transformation.COPIED)
        yield from access_sightings(dataset, relation.readers, detection)
        if relation.unknown is None:
            yield Covered(dataset, Aspect.STRUCTURE)
        else:
            yield self._finding(dataset, self._title(relation), relation.unknown)

    def _dataset_seen(self, relation: Relation, detection: Detection) -> DatasetSeen:
        return DatasetSeen(
            urn=self._urn(relation),
            system=self.system,
            kind=relation.kind,
            name=self.dataset_name(relation.schema, relation.name),
            description=detection.redact(relation.comment) if relation.comment else "",
            row_estimate=relation.row_estimate,
        )

    def _references(self, relation: Relation, key: ForeignKey) -> Iterator[FieldReferences]:
        dataset = self._urn(relation)
        target = dataset_urn(self.system, self.dataset_name(key.target_schema, key.target_table))
        for position, (column, target_column) in enumerate(zip(key.columns, key.target_columns, strict=True), start=1):
            yield FieldReferences(
                source=field_urn(dataset, column),
                target=field_urn(target, target_column),
                group=f"{self.dataset_name(relation.schema, relation.name)}.{key.name}",
                position=position,
                provenance=key.provenance,
                confidence=key.confidence,
            )

    def _job(self, relation: Relation, definition: str) -> JobSeen:
        dataset = self._urn(relation)
        return JobSeen(
            urn=f"job:{dataset}",
            name=self.dataset_name(relation.schema, relation.name),
            kind=relation.kind.value,
            dataset=dataset,
            statement=without_literals(definition, self.sql_dialect),
            dialect=self.sql_dialect,
        )

    def _writing_job(self, relation: Relation, writer: Writer) -> JobSeen:
        dataset, name = self._urn(relation), self.dataset_name(relation.schema, relation.name)
        mark = hashlib.blake2b(writer.statement.encode(), digest_size=6).hexdigest()
        return JobSeen(
            urn=f"job:{dataset}/{writer.kind}/{mark}",
            name=f"{writer.name or 'query'} into {name}",
            kind=writer.kind,
            dataset=dataset,
            statement=writer.statement,
            dialect=self.sql_dialect,
        )

    # --- content -------------------------------------------------------------------------------------------

    def _content(
        self, connection: sa.Connection, relation: Relation, context: ScanContext, meter: Meter
    ) -> Iterator[Observation]:
        dataset, title, detection = self._urn(relation), self._title(relation), context.detection
        readable = [column for column in relation.columns if column.readable]
        if relation.unknown is not None and not relation.columns:
            return
        if relation.columns and not readable:
            yield self._finding(dataset, title, NO_PERMISSION)
            return
        configuration = Configuration((c.name for c in readable), self.settings.own_domains, self.settings.processor)
        try:
            verdicts = self._verdicts(connection, relation, readable, detection, meter, configuration)
        except DriverFault as error:
            self._raise_if_fatal(error.fault)
            yield self._finding(dataset, title, error.fault)
            return
        yield from self._said(relation, verdicts, detection)
        yield from configuration.sightings(dataset, detection)
        if relation.filtered:
            yield self._finding(dataset, title, ROWS_HIDDEN)
        elif len(readable) < len(relation.columns):
            yield self._finding(dataset, title, COLUMNS_HIDDEN)
        else:
            yield Covered(dataset, Aspect.CONTENT, self._token(relation, context))

    def _unchanged(self, relation: Relation, context: ScanContext) -> bool:
        dataset = self._urn(relation)
        return dataset in context.tokens and context.unchanged(dataset, self._token(relation, context))

    def _token(self, relation: Relation, context: ScanContext) -> str:
        """The state of the rows, and all that the catalog says: types, comments, keys, grants."""
        if not relation.state or relation.unknown is not None or relation.foreign:
            return ""
        columns = [_all_of_column(column) for column in relation.columns]  # a tenth of the time of their own repr
        kept = tuple(writer for writer in relation.writers if writer.kind != LOGGED)  # what is logged comes and goes
        others = replace(relation, columns=(), row_estimate=None, row_bytes=None, writers=kept)
        return context.token(self.settings, relation.state, repr(columns), repr(others))

    def _verdicts(
        self,
        connection: sa.Connection,
        relation: Relation,
        columns: Sequence[Column],
        detection: Detection,
        meter: Meter,
        configuration: Configuration,
    ) -> Sequence[FieldVerdict]:
        table = detection.table(self._table_context(relation, columns))
        if not columns:
            return table.verdicts()
        meter.wait()
        with self._transaction(connection, meter):
            for batch in self._batches(connection, relation, columns):
                meter.count_sample(batch.num_rows, batch.nbytes)
                configuration.see(batch)
                if not table.feed(batch):
                    break
        return table.verdicts()

    def _table_context(self, relation: Relation, columns: Sequence[Column]) -> TableContext:
        references = {
            column: f"{key.target_table}.{target}"
            for key in relation.foreign_keys
            for column, target in zip(key.columns, key.target_columns, strict=True)
        }
        return TableContext(
            name=relation.name,
            columns=tuple(
                ColumnContext(
                    name=column.name,
                    type=column.base_type or column.type,
                    comment=column.comment,
                    references=references.get(column.name, ""),
                    primary_key=column.name in relation.primary_key,
                )
                for column in columns
            ),
            comment=relation.comment,
        )

    def _batches(
        self, connection: sa.Connection, relation: Relation, columns: Sequence[Column]
    ) -> Iterator[pa.RecordBatch]:
        """The sample in batches of CHUNK_ROWS, or fewer where values are long: what is held stays bounded."""
        schema = pa.schema([pa.field(column.name, ARROW_TYPES[column.carrier]) for column in columns])
        wide = [index for index, column in enumerate(columns) if column.carrier in _WIDE]
        held, size = list[Sequence[Any]](), 0
        with closing(self.rows(connection, relation, columns, self._chunk_rows(columns))) as chunks:
            for chunk in chunks:
                held += chunk
                size += _length(chunk, wide)
                if len(held) >= CHUNK_ROWS or size >= CHUNK_BYTES:
                    yield self._batch(schema, held)
                    held, size = [], 0
        if held:
            yield self._batch(schema, held)

    def _chunk_rows(self, columns: Sequence[Column]) -> int:
        wide = sum(column.carrier in _WIDE for column in columns)
        return max(10, min(CHUNK_ROWS, CHUNK_BYTES // (max(wide, 1) * self.settings.sampling.value_bytes)))

    def _batch(self, schema: pa.Schema, rows: Sequence[Sequence[Any]]) -> pa.RecordBatch:
        columns = zip(zip(*rows, strict=True), schema.types, strict=True)
        arrays = [self._array(values, kind) for values, kind in columns]
        return pa.RecordBatch.from_arrays(arrays, schema=schema)  # pyright: ignore[reportUnknownMemberType]

    def _array(self, values: Sequence[Any], kind: pa.DataType) -> pa.Array[Any]:
        limit = self.settings.sampling.value_bytes
        array: pa.Array[Any] = pa.array(values, kind)
        if array.nbytes <= limit:
            return array
        return pa.array([_cut(value, limit) for value in values], kind)

    def _said(
        self, relation: Relation, verdicts: Sequence[FieldVerdict], detection: Detection
    ) -> Iterator[Observation]:
        """Fields found inside columns first, then the profiles, then the classifications."""
        dataset = self._urn(relation)
        positions = {column.name: position for position, column in enumerate(relation.columns, start=1)}
        named = [(verdict, detection.redact(verdict.pointer)) for verdict in verdicts]
        for verdict, pointer in named:
            if pointer:
                yield FieldSeen(
                    urn=field_urn(dataset, verdict.column, pointer),
                    dataset=dataset,
                    name=verdict.column + pointer,
                    type=verdict.type,
                    position=positions.get(verdict.column, 0),
                )
        for verdict, pointer in named:
            yield FieldProfiled(field_urn(dataset, verdict.column, pointer), verdict.profile)
        for verdict, pointer in named:
            for said in verdict.verdicts:
                yield FieldClassified(
                    field=field_urn(dataset, verdict.column, pointer),
                    category=said.category,
                    confidence=said.confidence,
                    evidence=said.evidence,
                    detector=detection.version,
                )
        for verdict, pointer in named:
            whole = any(sketch.rows < self.settings.sampling.rows for sketch in verdict.sketches)
            yield from sketch_sightings(field_urn(dataset, verdict.column, pointer), verdict, whole=whole)
        yield from record_sightings(
            dataset, relation.name, [(verdict.column, verdict.pointer) for verdict in verdicts], detection
        )

    # --- names, connection, errors -------------------------------------------------------------------------

    def _urn(self, relation: Relation) -> str:
        return dataset_urn(self.system, self.dataset_name(relation.schema, relation.name))

    def _title(self, relation: Relation) -> str:
        return f"{self.settings.name}: {self.dataset_name(relation.schema, relation.name)}"

    @contextmanager
    def _connected(self, meter: Meter | None = None) -> Generator[sa.Connection]:
        engine = self.engine()
        if meter is not None:
            event.listen(engine, "before_cursor_execute", lambda *_: meter.count_query())
        try:
            with self._source_errors(), self._own_words():
                connection = engine.connect()
            try:
                yield connection
            finally:
                with suppress(SQLAlchemyError):
                    connection.close()
        finally:
            engine.dispose()

    @contextmanager
    def _transaction(self, connection: sa.Connection, meter: Meter | None = None) -> Generator[None]:
        with self._own_words():
            try:
                with connection.begin():
                    began = time.monotonic()
                    self.begin(connection)
                    if meter is not None:
                        meter.feel(time.monotonic() - began)
                    yield
            finally:
                if connection.in_transaction() and not connection.invalidated:
                    connection.rollback()

    @contextmanager
    def _own_words(self) -> Generator[None]:
        """Replace a driver's error by a DriverFault that keeps nothing of its text."""
        try:
            yield
        except (SQLAlchemyError, UnicodeError, pa.ArrowException) as error:
            fault = self.fault(error)
        else:
            return
        raise DriverFault(fault)  # outside the handler, so that the driver's error is not its context

    @contextmanager
    def _source_errors(self) -> Generator[None]:
        try:
            yield
        except DriverFault as error:
            fault = error.fault
        else:
            return
        raise SourceError(self.settings.name, fault.cause, fault.remedy)

    def _raise_if_fatal(self, fault: Fault) -> None:
        if fault.fatal:
            raise SourceError(self.settings.name, fault.cause, fault.remedy) from None

    def _finding(self, about: str, title: str, fault: Fault) -> Finding:
        return Finding(about=about, code=fault.code, severity=Severity.ERROR, message=fault.sentence(title))


NO_PERMISSION = Fault("no-permission", "no permission to read it", "grant SELECT to the scanning role")
COLUMNS_HIDDEN = Fault(
    "no-permission", "no permission to read some of its columns", "grant SELECT to the scanning role"
)
ROWS_HIDDEN = Fault("row-security", "row security hides rows from the scanning role", "give it the right to bypass it")


class _RedactingOnce:
    """A detection that keeps what it said of a text: the same comments, and no place inside, are on many columns."""

    def __init__(self, detection: Detection) -> None:
        self.version = detection.version
        self.table = detection.table
        self.redact = lru_cache(maxsize=1024)(detection.redact)


def _redacting_once(context: ScanContext) -> ScanContext:
    return replace(context, detection=_RedactingOnce(context.detection))


def _relations(chunk: Chunk) -> Iterator[Relation]:
    return (item for item in chunk.items if isinstance(item, Relation))


def sampled(columns: Sequence[sa.ColumnElement[Any]], source: sa.FromClause) -> sa.Select[Any]:
    """SELECT of the carried columns, labelled by position because a column's own name may be anything."""
    return sa.select(*(column.label(f"c{index}") for index, column in enumerate(columns))).select_from(source)


def stretches(
    statement: sa.Select[Any],
    key: sa.ColumnElement[int],
    bounds: tuple[int, int],
    order: Sequence[Any],
    *,
    seed: int,
    rows: int,
) -> Sequence[sa.Select[Any]]:
    """`statement` cut into short stretches of equal width, spread over a large table's keys (`bounds` inclusive)."""
    lowest, highest = bounds
    number = min(STRETCHES, rows)
    width = (highest - lowest + 1) // number
    offset = seed % max(width // 2, 1)
    starts = [lowest + index * width for index in range(number)]
    return [
        statement.where(key >= start + offset, key < start + width).order_by(*order).limit(rows // number)
        for start in starts
    ]


def sample_seed(settings: RelationalSettings, *names: str) -> int:
    """The seed of one dataset's sample."""
    return stable_seed(str(settings.sampling.seed), *names)


def _length(rows: Sequence[Sequence[Any]], wide: Sequence[int]) -> int:
    """Characters and bytes of the values in the wide columns."""
    return sum(len(value) for index in wide for value in map(itemgetter(index), rows) if value)


def _cut(value: Any, limit: int) -> Any:
    """The server cuts characters; this cuts what still has more bytes than the limit."""
    if isinstance(value, str) and len(value) * 4 > limit:
        encoded = value.encode(errors="replace")
        return value if len(encoded) <= limit else encoded[:limit].decode(errors="ignore")
    return value
