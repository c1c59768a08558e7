"""DuckDB files, opened read-only in a process that lets them reach nothing else.

External access is off and the configuration is locked: a view that reads a file or a bucket, or wants an extension,
is told of and not followed. Folders of Parquet files need no database engine: they are a source of type `local`.
"""

from __future__ import annotations

import hashlib
import importlib
import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError

from inventory.model import DatasetKind
from scanners.base import SourceSettings
from scanners.databases.catalog import Carrier, Column, Fault, ForeignKey, Relation
from scanners.databases.files import file_state
from scanners.databases.plain import DuckDBDialect, plain_engine
from scanners.databases.relational import (
    RelationalScanner,
    RelationalSettings,
    Sample,
    sample_seed,
    sampled,
    stretches,
)

HEADERS = 3 * 4096  # bytes: the file's header and its two counters of writes (duckdb.org/docs/internals/storage)
_SHUT = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "threads": "1",  # or rows come in any order
    "lock_configuration": "true",
}


class DuckDBSettings(RelationalSettings):
    """One DuckDB file."""

    type: Literal["duckdb"] = "duckdb"
    path: Path = Field(description="The database file.")


class DuckDBScanner(RelationalScanner[DuckDBSettings]):
    """Scans one DuckDB file."""

    settings_type: ClassVar[type[SourceSettings]] = DuckDBSettings
    engine_name = "duckdb"
    sql_dialect = "duckdb"

    @property
    def _path(self) -> Path:
        return self.settings.path.expanduser().absolute()

    @property
    def system(self) -> str:
        """`duckdb://` and the absolute path."""
        return self.settings.namespace or f"duckdb://{self._path}"

    def dataset_name(self, schema: str, name: str) -> str:
        """`schema.table`."""
        return f"{schema}.{name}"

    @property
    def name_prefix(self) -> str:
        """Nothing: a file is one database."""
        return ""

    # --- connection ----------------------------------------------------------------------------------------

    def engine(self) -> sa.Engine:
        """A new engine on the file, which is never created nor written."""
        engine = plain_engine(self.settings.name, DuckDBDialect, self._connect, "duckdb")
        watches: dict[int, threading.Timer] = {}

        def begin(_: sa.Connection, cursor: Any, *__: object) -> None:
            """DuckDB knows no time limit for a statement, but can be interrupted."""
            watch = watches[id(cursor)] = threading.Timer(self.settings.statement_timeout, cursor.interrupt)
            watch.daemon = True
            watch.start()

        def end(_: sa.Connection, cursor: Any, *__: object) -> None:
            watches.pop(id(cursor)).cancel()

        def fail(context: Any) -> None:
            if context.execution_context is not None:
                end(context.connection, context.execution_context.cursor)

        event.listen(engine, "before_cursor_execute", begin)
        event.listen(engine, "after_cursor_execute", end)
        event.listen(engine, "handle_error", fail)
        return engine

    def _connect(self) -> Any:
        return importlib.import_module("duckdb").connect(str(self._path), read_only=True, config=_SHUT)

    def version(self, connection: sa.Connection) -> str:
        """The library's version: a file has none."""
        return str(connection.exec_driver_sql("SELECT library_version FROM pragma_version()").scalar_one())

    def fault(self, error: BaseException) -> Fault:
        """By the driver's class; what cannot be opened has one class for all, so by what its text holds."""
        cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        kind = type(cause).__name__
        if kind != "IOException":
            return _FAULTS.get(kind) or Fault("unreadable", f"it could not be read ({kind})", "check the file")
        text = str(cause)
        for words, fault in _UNOPENED.items():
            if words in text:
                return fault
        return _source_fault("damaged", "the file could not be read", "check the file and its disk")

    # --- catalog -------------------------------------------------------------------------------------------

    def schemas(self, connection: sa.Connection) -> Sequence[str]:
        """All of the file itself."""
        return connection.exec_driver_sql(_SCHEMAS).scalars().all()

    def relations(self, connection: sa.Connection, schema: str) -> Sequence[Relation]:
        """Tables and views, by name."""
        state = file_state([self._path, self._path.with_name(f"{self._path.name}.wal")], HEADERS)
        columns: defaultdict[str, list[Column]] = defaultdict(list)
        for relation, name, declared, nullable, comment in connection.exec_driver_sql(_COLUMNS, (schema,)):
            columns[relation].append(Column(name, declared, _carrier(declared), nullable, comment or ""))
        primary, foreign = self._keys(connection, schema)
        return [
            Relation(
                schema=schema,
                name=name,
                kind=DatasetKind.VIEW if definition else DatasetKind.TABLE,
                columns=tuple(columns[name]),
                primary_key=primary.get(name, ()),
                foreign_keys=tuple(foreign[name]),
                comment=comment or "",
                row_estimate=estimate,
                definition=definition or "",
                state="" if definition else hashlib.sha256(state.encode()).hexdigest() if state else "",
            )
            for name, comment, estimate, definition in connection.exec_driver_sql(_RELATIONS, (schema, schema))
        ]

    def _keys(
        self, connection: sa.Connection, schema: str
    ) -> tuple[Mapping[str, tuple[str, ...]], Mapping[str, Sequence[ForeignKey]]]:
        """A key points to a table of its own schema: DuckDB has no others."""
        primary: dict[str, tuple[str, ...]] = {}
        foreign: defaultdict[str, list[ForeignKey]] = defaultdict(list)
        for relation, kind, name, fields, target, targets in connection.exec_driver_sql(_KEYS, (schema,)):
            if kind == "PRIMARY KEY":
                primary[relation] = tuple(fields)
            else:
                foreign[relation].append(ForeignKey(name, tuple(fields), schema, target, tuple(targets)))
        return primary, foreign

    # --- sample --------------------------------------------------------------------------------------------

    def sample(self, connection: sa.Connection, relation: Relation, columns: Sequence[Column]) -> Sample:
        """Short stretches spread over the rows of a large table, the first rows of anything else."""
        del connection
        rows = self.settings.sampling.rows
        table = sa.table(relation.name, *(sa.column(one.name, sa.Text) for one in columns), schema=relation.schema)
        carried = [_carried(table.c[one.name], one.carrier, self.settings.sampling.value_bytes) for one in columns]
        statement = sampled(carried, table)
        hidden = any(column.name.lower() == "rowid" for column in relation.columns)
        if relation.kind is not DatasetKind.TABLE or hidden:
            return Sample([statement.limit(rows)])
        rowid, number = sa.literal_column("rowid", sa.Integer), relation.row_estimate or 0
        if number <= 2 * rows:
            return Sample([statement.order_by(rowid).limit(rows)])
        seed = sample_seed(self.settings, relation.schema, relation.name)
        return Sample(stretches(statement, rowid, (0, number - 1), [rowid], seed=seed, rows=rows))


SCANNER = DuckDBScanner


def _carrier(declared: str) -> Carrier:
    if declared.endswith("]") or declared.startswith(("STRUCT", "MAP", "UNION")) or declared == "JSON":
        return Carrier.JSON
    return _CARRIERS.get(declared, Carrier.TEXT)


_CARRIERS = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"), Carrier.INTEGER),
    **dict.fromkeys(("FLOAT", "DOUBLE"), Carrier.FLOAT),
    "BOOLEAN": Carrier.BOOLEAN,
    "BLOB": Carrier.BINARY,
}


def _carried(column: sa.ColumnElement[Any], carrier: Carrier, limit: int) -> sa.ColumnElement[Any]:
    """What to select so that no more than `limit` characters or bytes of a value are copied."""
    number = sa.literal_column(str(limit), sa.Integer)
    if carrier is Carrier.TEXT:
        return sa.func.left(sa.cast(column, sa.VARCHAR), number)
    if carrier is Carrier.JSON:
        return sa.func.left(sa.cast(sa.func.to_json(column), sa.VARCHAR), number)
    if carrier is Carrier.BINARY:
        return sa.func.array_slice(column, sa.literal_column("1", sa.Integer), number)
    return column


_SCHEMAS = """
SELECT schema_name FROM duckdb_schemas() WHERE database_name = current_database()
AND schema_name NOT IN ('information_schema', 'pg_catalog') ORDER BY schema_name
"""

_RELATIONS = """
SELECT table_name, comment, estimated_size, NULL FROM duckdb_tables()
WHERE database_name = current_database() AND schema_name = ? AND NOT internal
UNION ALL
SELECT view_name, comment, NULL, sql FROM duckdb_views()
WHERE database_name = current_database() AND schema_name = ? AND NOT internal
ORDER BY 1
"""

_COLUMNS = """
SELECT table_name, column_name, data_type, is_nullable, comment FROM duckdb_columns()
WHERE database_name = current_database() AND schema_name = ? AND NOT internal ORDER BY table_name, column_index
"""

_KEYS = """
SELECT table_name, constraint_type, constraint_name, constraint_column_names, referenced_table, referenced_column_names
FROM duckdb_constraints() WHERE database_name = current_database() AND schema_name = ?
AND constraint_type IN ('PRIMARY KEY', 'FOREIGN KEY') ORDER BY table_name, constraint_index
"""

_source_fault = partial(Fault, fatal=True)  # nothing of the file can be read

BROKEN_VIEW = Fault("broken-view", "it names a table or column that does not exist", "repair or drop it")

_FAULTS = {
    "InterruptException": Fault("statement-timeout", "reading it took too long", "raise statement_timeout"),
    "PermissionException": Fault("remote", "it reads from outside of the file, which is not followed", "scan that"),
    "CatalogException": BROKEN_VIEW,
    "BinderException": BROKEN_VIEW,
    "MissingExtensionException": Fault("missing-module", "it needs an extension, which is not loaded", "exclude it"),
    "OutOfMemoryException": Fault("unreadable", "reading it took too much memory", "exclude it"),
    "SerializationException": _source_fault("not-a-database", "it is of a newer DuckDB, or damaged", "update duckdb"),
}

_UNOPENED = {
    "does not exist": _source_fault("unreachable", "there is no such file", "check the path"),
    "Could not set lock": _source_fault("locked", "another process has it open to write", "scan a copy, or later"),
    "not a valid DuckDB": _source_fault("not-a-database", "it is no DuckDB database", "check the path"),
    "Permission denied": _source_fault("no-permission", "no permission to read the file", "check its permissions"),
    "encrypt": _source_fault("not-a-database", "it is encrypted", "scan it where its key is"),
    "version": _source_fault("not-a-database", "it is of another version of DuckDB", "update duckdb"),
}
