"""SQLite 3 files, opened read-only."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal
from urllib.parse import quote

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy.engine.reflection import Inspector
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from inventory.model import DatasetKind
from scanners.base import SourceSettings
from scanners.databases.catalog import Carrier, Column, Fault, Relation
from scanners.databases.files import file_state
from scanners.databases.relational import (
    RelationalScanner,
    RelationalSettings,
    Sample,
    sample_seed,
    sampled,
    stretches,
)
from scanners.databases.writers import MOST_STATEMENTS, SeenStatement

HEADER = 100  # bytes
COUNT_LIMIT = 100_000  # a row count is exact up to here, and an estimate from ANALYZE or unknown beyond
CHECK_EVERY = 10_000  # virtual machine instructions between two looks at the clock


class SQLiteSettings(RelationalSettings):
    """One SQLite file."""

    type: Literal["sqlite"] = "sqlite"
    path: Path = Field(description="The database file.")


class SQLiteScanner(RelationalScanner[SQLiteSettings]):
    """Scans one SQLite file; attached databases do not exist for it, so its one schema is `main`."""

    settings_type: ClassVar[type[SourceSettings]] = SQLiteSettings
    engine_name = "sqlite"
    sql_dialect = "sqlite"

    def __init__(self, settings: SQLiteSettings) -> None:
        super().__init__(settings)
        self._deadline = float("inf")

    @property
    def system(self) -> str:
        """`sqlite://` and the absolute path."""
        return self.settings.namespace or f"sqlite://{self.settings.path.expanduser().absolute()}"

    def dataset_name(self, schema: str, name: str) -> str:
        """The table's name: a file has one schema."""
        del schema
        return name

    @property
    def name_prefix(self) -> str:
        """Nothing: a file is one database."""
        return ""

    def engine(self) -> sa.Engine:
        """A new engine on the file, which is never created nor written."""
        return sa.create_engine("sqlite://", creator=self._connect, poolclass=NullPool, hide_parameters=True)

    def _connect(self) -> sqlite3.Connection:
        path = quote(str(self.settings.path.expanduser().absolute()))
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=self.settings.lock_timeout)
        connection.text_factory = _lenient_text
        connection.execute("PRAGMA trusted_schema = OFF")  # views and generated columns call no risky function
        connection.execute("PRAGMA query_only = ON")
        connection.set_progress_handler(self._is_late, CHECK_EVERY)
        return connection

    def _is_late(self) -> int:
        return time.monotonic() > self._deadline

    def begin(self, connection: sa.Connection) -> None:
        """A transaction as a whole gets the time of a statement: it reads one catalog or one sample."""
        del connection
        self._deadline = time.monotonic() + self.settings.statement_timeout

    def version(self, connection: sa.Connection) -> str:
        """The library's version: a file has none."""
        return str(connection.exec_driver_sql("SELECT sqlite_version()").scalar_one())

    def schemas(self, connection: sa.Connection) -> Sequence[str]:
        """`main`, after a first look at the file, so that what is no database is said at once."""
        connection.exec_driver_sql("SELECT count(*) FROM sqlite_schema").scalar_one()
        return ["main"]

    def fault(self, error: BaseException) -> Fault:
        """By SQLite's result code (sqlite.org/rescode.html)."""
        cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        name = str(getattr(cause, "sqlite_errorname", ""))
        for prefix, fault in _FAULTS.items():
            if name.startswith(prefix):
                return fault
        return Fault("unreadable", f"it could not be read ({name or type(cause).__name__})", "check the file")

    def listing(self, connection: sa.Connection, inspector: Inspector, schema: str) -> Iterable[Relation]:
        """Tables with a row count, views with their CREATE statement."""
        analysed, state = self._analysed(connection), self._state()
        for name in inspector.get_table_names(schema=schema):
            estimate = self._row_estimate(connection, name, analysed.get(name))
            foreign = MISSING_MODULE if self._columns_of(connection, name) is None else None
            yield Relation(schema, name, DatasetKind.TABLE, (), row_estimate=estimate, unknown=foreign, state=state)
        views = connection.exec_driver_sql("SELECT name, sql FROM sqlite_schema WHERE type = 'view'").all()
        for name, statement in views:
            broken = BROKEN_VIEW if self._columns_of(connection, name) is None else None
            yield Relation(schema, name, DatasetKind.VIEW, (), definition=statement, unknown=broken)

    def statements(self, connection: sa.Connection) -> Iterable[SeenStatement]:
        """The bodies of triggers."""
        query = "SELECT name, tbl_name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY name LIMIT ?"
        for name, table, body in connection.exec_driver_sql(query, (MOST_STATEMENTS,)):
            yield SeenStatement(body or "", name, ("main", table))

    def _state(self) -> str:
        """A write changes the counter in the header (sqlite.org/fileformat.html, 1.3.7) or the write-ahead log."""
        path = self.settings.path.expanduser().absolute()
        return file_state([path, path.with_name(f"{path.name}-wal")], HEADER)

    def columns(self, connection: sa.Connection, inspector: Inspector, schema: str) -> Mapping[str, tuple[Column, ...]]:
        """The columns with their types as they were declared, of all that SQLite can tell them of."""
        del inspector, schema
        names = connection.exec_driver_sql("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')").scalars()
        return {name: self._columns_of(connection, name) or () for name in names.all()}

    def _columns_of(self, connection: sa.Connection, name: str) -> tuple[Column, ...] | None:
        """None for a view whose table is gone, and for a virtual table whose module we lack."""
        statement = "SELECT name, type, \"notnull\" FROM pragma_table_xinfo(?, 'main') WHERE hidden <> 1 ORDER BY cid"
        try:
            rows = connection.exec_driver_sql(statement, (name,)).all()
        except OperationalError as error:
            if self.fault(error).code in ("locked", "statement-timeout"):
                raise
            return None
        return tuple(Column(column, declared, _carrier(declared), not fixed) for column, declared, fixed in rows)

    def _analysed(self, connection: sa.Connection) -> dict[str, int]:
        """Row counts that ANALYZE left: the first number of `stat` (sqlite.org/fileformat2.html#stat1tab)."""
        known = connection.exec_driver_sql("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'").scalar()
        if not known:
            return {}
        rows = connection.exec_driver_sql("SELECT tbl, stat FROM sqlite_stat1").all()
        return {
            table: int(str(stat).split()[0])
            for table, stat in rows
            if str(stat).split()[:1] and str(stat).split()[0].isdigit()
        }

    def _row_estimate(self, connection: sa.Connection, name: str, analysed: int | None) -> int | None:
        head = (
            sa.select(sa.literal_column("1", sa.Integer))
            .select_from(sa.table(name, schema="main"))
            .limit(COUNT_LIMIT + 1)
        )
        try:
            count = int(connection.execute(sa.select(sa.func.count()).select_from(head.subquery())).scalar_one())
        except DBAPIError:
            return analysed  # a virtual table whose module we lack
        return count if count <= COUNT_LIMIT else analysed

    def sample(self, connection: sa.Connection, relation: Relation, columns: Sequence[Column]) -> Sample:
        """Short stretches spread over the rowids of a large table, the first rows by rowid or key of any other."""
        rows = self.settings.sampling.rows
        names = dict.fromkeys([*(column.name for column in columns), *relation.primary_key])
        table = sa.table(relation.name, *(sa.column(name, sa.Text) for name in names), schema="main")
        carried = [_carried(table.c[column.name], self.settings.sampling.value_bytes) for column in columns]
        statement = sampled(carried, table)
        rowid = self._rowid(connection, relation)
        if rowid is None:
            return Sample([statement.order_by(*(table.c[name] for name in relation.primary_key)).limit(rows)])
        lowest, highest = self._bounds(connection, table, rowid)
        if highest - lowest < 2 * rows or (relation.row_estimate is not None and relation.row_estimate <= 2 * rows):
            return Sample([statement.order_by(rowid).limit(rows)])
        seed = sample_seed(self.settings, relation.name)
        return Sample(stretches(statement, rowid, (lowest, highest), [rowid], seed=seed, rows=rows))

    def _rowid(self, connection: sa.Connection, relation: Relation) -> sa.ColumnElement[int] | None:
        """The rowid by a name that no column hides; None for views and WITHOUT ROWID tables."""
        hidden = {column.name.lower() for column in relation.columns}
        free = next((name for name in ("rowid", "_rowid_", "oid") if name not in hidden), None)
        if relation.kind is not DatasetKind.TABLE or free is None:
            return None
        without = connection.exec_driver_sql(
            "SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?", (relation.name,)
        ).scalar()
        return None if without else sa.literal_column(free, sa.Integer)

    def _bounds(
        self, connection: sa.Connection, table: sa.TableClause, rowid: sa.ColumnElement[int]
    ) -> tuple[int, int]:
        lowest = connection.execute(sa.select(sa.func.min(rowid)).select_from(table)).scalar()
        highest = connection.execute(sa.select(sa.func.max(rowid)).select_from(table)).scalar()
        return (lowest or 0), (highest or 0)


SCANNER = SQLiteScanner


def _carried(column: sa.ColumnElement[Any], limit: int) -> sa.ColumnElement[Any]:
    """A blob is cut in bytes and read as text: text with invalid UTF-8 and text stored as a blob are both common."""
    return sa.func.substr(sa.cast(column, sa.Text), 1, limit)


def _carrier(declared: str) -> Carrier:
    """Text whatever is declared: any value may be of any storage class (sqlite.org/datatype3.html)."""
    return Carrier.JSON if declared.upper().startswith("JSON") else Carrier.TEXT


def _lenient_text(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")


_source_fault = partial(Fault, fatal=True)  # nothing of the file can be read

MISSING_MODULE = Fault("missing-module", "it is a virtual table of a module that is not here", "scan its source")
BROKEN_VIEW = Fault("broken-view", "it names a table or column that does not exist", "repair or drop it")
LOCKED = Fault("locked", "another process holds its lock", "scan again later")

_FAULTS = {
    "SQLITE_BUSY": LOCKED,
    "SQLITE_LOCKED": LOCKED,
    "SQLITE_INTERRUPT": Fault("statement-timeout", "reading it took too long", "raise statement_timeout"),
    "SQLITE_CANTOPEN": _source_fault("unreachable", "cannot open the file", "check the path and its permissions"),
    "SQLITE_NOTADB": _source_fault("not-a-database", "it is no SQLite database, or an encrypted one", "check the path"),
    "SQLITE_CORRUPT": Fault("damaged", "its storage is damaged", "check the file"),
    "SQLITE_IOERR": Fault("damaged", "the file could not be read", "check the disk"),
    "SQLITE_PERM": _source_fault("no-permission", "no permission to read the file", "check its permissions"),
    "SQLITE_READONLY": _source_fault(
        "unreachable",
        "its write-ahead log cannot be opened read-only",
        "checkpoint it, or let its directory be written",
    ),
}
