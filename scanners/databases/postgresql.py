"""PostgreSQL 12 and later, by psycopg 3.

The catalog is read from `pg_catalog` without touching a user's table: SQLAlchemy's inspector calls functions that
open the tables (`pg_get_serial_sequence`, `pg_get_expr`), so that one exclusively locked table would hold up its
whole schema; it parses foreign keys back from text, which breaks on a comma in a name; it tells neither row estimates
nor privileges nor partitions, and takes twice the round trips.
`search_path` is `pg_catalog` alone: every name in a view's definition comes qualified, and no object that a user
planted in a schema on the path is ever called.
"""

from __future__ import annotations

import socket
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, Literal

import psycopg
import sqlalchemy as sa
from psycopg.adapt import Buffer, Loader
from pydantic import Field, model_validator
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from inventory.model import DatasetKind, Observation, SafeguardSeen
from scanners.base import Secret, SourceSettings
from scanners.databases import postgresql_catalog as catalog
from scanners.databases.catalog import Carrier, Column, Fault, Reader, Relation
from scanners.databases.relational import (
    DriverFault,
    RelationalScanner,
    RelationalSettings,
    sample_seed,
)
from scanners.databases.writers import MOST_STATEMENTS, SeenStatement

APPLICATION_NAME = "privacy-inventory"


class PostgreSQLSettings(RelationalSettings):
    """One database of a PostgreSQL server."""

    type: Literal["postgresql"] = "postgresql"
    host: str = Field(default="localhost", description="Host name, address, or the directory of a Unix socket.")
    port: int = Field(default=5432, ge=1, le=65535)
    database: str = Field(min_length=1)
    user: str = Field(min_length=1, description="A role that may read, and nothing else.")
    password: Secret | None = Field(default=None, description="Without it: .pgpass, a certificate, or trust.")
    sslmode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] = "prefer"
    sslrootcert: Path | None = Field(default=None, description="The authorities that verify-ca and verify-full trust.")
    connect_timeout: int = Field(default=10, ge=2, le=300, description="Seconds to wait for the connection.")

    @model_validator(mode="after")
    def _named(self) -> PostgreSQLSettings:
        if self.host.startswith("/") and not self.namespace:
            raise ValueError("a Unix socket needs a namespace, such as postgres://db.example.ca:5432")
        return self


class _LenientText(Loader):
    """Text that is not valid UTF-8 (a SQL_ASCII database may hold any bytes) is still read."""

    def load(self, data: Buffer) -> str:
        return bytes(data).decode("utf-8", errors="replace")


class PostgreSQLScanner(RelationalScanner[PostgreSQLSettings]):
    """Scans one database of a PostgreSQL server."""

    settings_type: ClassVar[type[SourceSettings]] = PostgreSQLSettings
    engine_name = "postgresql"
    sql_dialect = "postgres"
    queries_of_sample = 3

    @property
    def system(self) -> str:
        """`postgres://host:port`, an IPv6 address in brackets."""
        settings = self.settings
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        return settings.namespace or f"postgres://{host}:{settings.port}"

    def dataset_name(self, schema: str, name: str) -> str:
        """`database.schema.table`."""
        return f"{self.name_prefix}{schema}.{name}"

    @property
    def name_prefix(self) -> str:
        """`database.`, as a server has several."""
        return f"{self.settings.database}."

    # --- connection ----------------------------------------------------------------------------------------

    def engine(self) -> sa.Engine:
        """A new engine; parameters never show in its errors or logs."""
        settings = self.settings
        url = sa.URL.create(
            "postgresql+psycopg",
            username=settings.user,
            password=settings.password.reveal().get_secret_value() if settings.password else None,
            host=settings.host,
            port=settings.port,
            database=settings.database,
        )
        arguments: dict[str, Any] = {
            "application_name": APPLICATION_NAME,
            "client_encoding": "utf8",
            "connect_timeout": settings.connect_timeout,
            "sslmode": settings.sslmode,
            "prepare_threshold": None,  # a pooler between us may not know our prepared statements
        }
        if settings.sslrootcert:
            arguments["sslrootcert"] = str(settings.sslrootcert.expanduser())
        engine = sa.create_engine(url, poolclass=NullPool, hide_parameters=True, connect_args=arguments)
        event.listen(engine, "connect", _read_any_text, insert=True)
        return engine

    def begin(self, connection: sa.Connection) -> None:
        """Bounds that hold for this transaction alone, so that they also hold behind a transaction pooler."""
        bounds = {
            "statement_timeout": f"{round(self.settings.statement_timeout * 1000)}",
            "lock_timeout": f"{round(self.settings.lock_timeout * 1000)}",
            "search_path": "pg_catalog",
            "synchronize_seqscans": "off",  # or a scan may begin where another session's is
            "max_parallel_workers_per_gather": "0",  # or rows come in any order
        }
        settings = [
            "TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
            *(f"LOCAL {name} = {value}" for name, value in bounds.items()),
        ]
        together = "; ".join(f"SET {setting}" for setting in settings)  # in one round trip
        connection.exec_driver_sql(together, execution_options={"no_parameters": True})

    def version(self, connection: sa.Connection) -> str:
        """As `server_version` says, without the packager's remark: "16.4"."""
        return str(connection.exec_driver_sql("SHOW server_version").scalar_one()).split()[0]

    def safeguards(self, connection: sa.Connection) -> Iterable[Observation]:
        """Whether our own session is encrypted. Nothing is known of encryption at rest from inside."""
        if self.settings.host.startswith("/"):
            return  # a Unix socket is no transit
        row = connection.exec_driver_sql(
            "SELECT ssl, version, cipher FROM pg_catalog.pg_stat_ssl WHERE pid = pg_catalog.pg_backend_pid()"
        ).one_or_none()
        if row is not None:
            yield SafeguardSeen(
                system=self.system,
                safeguard="encryption_in_transit",
                present=bool(row.ssl),
                evidence=f"the scanner's own session: {row.version}, {row.cipher}"
                if row.ssl
                else "the scanner's own session is not encrypted",
            )

    def fault(self, error: BaseException) -> Fault:
        """By SQLSTATE; a refused connection has none, so by what the server's English text begins with."""
        cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        if isinstance(error, DBAPIError) and isinstance(cause, psycopg.Error):
            if cause.sqlstate:
                return _fault_of_state(cause.sqlstate, gone=error.connection_invalidated)
            if error.connection_invalidated:
                return SERVER_GONE
            return self._refusal(str(cause))
        if isinstance(cause, psycopg.OperationalError):
            return self._refusal(str(cause))
        return Fault("unreadable", f"its values could not be read ({type(cause).__name__})", "report this")

    def _refusal(self, text: str) -> Fault:
        settings = self.settings
        for words, fault in _REFUSALS.items():
            if words in text:
                return fault
        if "FATAL" not in text and not _listens(settings.host, settings.port):
            return Fault(
                "unreachable",
                f"cannot reach {settings.host}:{settings.port}",
                "check host, port and network",
                fatal=True,
            )
        return REFUSED

    # --- catalog -------------------------------------------------------------------------------------------

    def schemas(self, connection: sa.Connection) -> Sequence[str]:
        """All but the system's own."""
        return catalog.schema_names(connection)

    def relations(self, connection: sa.Connection, schema: str) -> Sequence[Relation]:
        """Tables, partitioned tables without their partitions, foreign tables, views, materialised views."""
        return catalog.schema_relations(connection, schema, lambda views: self._definitions(connection, schema, views))

    def _definitions(self, connection: sa.Connection, schema: str, views: Sequence[str]) -> Mapping[str, str | None]:
        """All in one go; when a lock below one of them is in the way, one by one, and None for those it holds up."""
        try:
            return self._definitions_of(connection, schema, views)
        except DriverFault as error:
            if error.fault.fatal:
                raise
            if len(views) == 1:
                return dict.fromkeys(views)
        found: dict[str, str | None] = {}
        for view in views:
            try:
                found |= self._definitions_of(connection, schema, [view])
            except DriverFault as error:
                if error.fault.fatal:
                    raise
                found[view] = None
        return found

    def _definitions_of(self, connection: sa.Connection, schema: str, views: Sequence[str]) -> Mapping[str, str | None]:
        with self._own_words(), connection.begin_nested():
            return catalog.view_definitions(connection, schema, views)

    def readers(self, connection: sa.Connection) -> Sequence[Reader]:
        """Superusers and those of `pg_read_all_data`, with all who may act as one of them."""
        return catalog.server_readers(connection)

    def statements(self, connection: sa.Connection) -> Iterable[SeenStatement]:
        """The bodies of triggers, and what pg_stat_statements has logged where that is there and readable."""
        parameters = {"most": MOST_STATEMENTS}
        for row in connection.execute(sa.text(_TRIGGERS), parameters):
            yield SeenStatement(row.body, row.trigger, (row.schema, row.name))
        where = connection.exec_driver_sql(_LOG_SCHEMA).scalar()
        if where is None:
            return
        try:
            with self._own_words(), connection.begin_nested():
                logged = connection.execute(sa.text(_LOGGED.format(schema=_quoted(where))), parameters).scalars().all()
        except DriverFault as error:
            if error.fault.fatal:
                raise
            return  # the library is not loaded, or is of another version
        yield from map(SeenStatement, logged)

    # --- sample --------------------------------------------------------------------------------------------

    def rows(
        self, connection: sa.Connection, relation: Relation, columns: Sequence[Column], at_once: int
    ) -> Generator[Sequence[Sequence[Any]]]:
        """By psycopg, as it streams without a cursor in the server, and making a statement takes SQLAlchemy longer
        than reading a small table."""
        statement = self._statement(connection, relation, columns)
        driver: Any = connection.connection.driver_connection
        with driver.cursor() as cursor:
            connection.dispatch.before_cursor_execute(connection, cursor, statement, None, None, False)
            try:
                size = at_once if _streams_chunks() else 1
                stream: Generator[tuple[Any, ...]] = cursor.stream(statement, size=size)
                with closing(stream) as rows:
                    while chunk := list(islice(rows, at_once)):
                        yield chunk
            except psycopg.Error as error:
                fault = _fault_of_state(error.sqlstate, gone=driver.closed) if error.sqlstate else SERVER_GONE
            else:
                return
        raise DriverFault(fault)

    def _statement(self, connection: sa.Connection, relation: Relation, columns: Sequence[Column]) -> str:
        """Random blocks of a large table, the first rows by key of a small one, the first rows of anything else."""
        rows, limit = self.settings.sampling.rows, self.settings.sampling.value_bytes
        carried = [
            f"{_carried(_quoted(column.name), column.carrier, limit)} AS c{index}"
            for index, column in enumerate(columns)
        ]
        selected = f"SELECT {', '.join(carried)} FROM {_quoted(relation.schema)}.{_quoted(relation.name)}"  # noqa: S608
        percent = self._percent(connection, relation, rows) if relation.kind is not DatasetKind.VIEW else None
        if percent is not None:
            seed = sample_seed(self.settings, relation.schema, relation.name)
            return f"{selected} TABLESAMPLE system({percent:.6f}) REPEATABLE ({seed}) LIMIT {rows}"
        readable = {column.name for column in columns}
        if relation.primary_key and readable.issuperset(relation.primary_key):
            selected += f" ORDER BY {', '.join(map(_quoted, relation.primary_key))}"
        return f"{selected} LIMIT {rows}"

    def _percent(self, connection: sa.Connection, relation: Relation, rows: int) -> float | None:
        """The share of blocks to sample so that they hold about twice the rows wanted; None: the table is small."""
        if relation.foreign or (relation.row_estimate is not None and relation.row_estimate <= rows // 2):
            return None
        size = connection.execute(sa.text(_SIZE), {"schema": relation.schema, "name": relation.name}).one_or_none()
        if size is None or not size.blocks:
            return None
        density = size.tuples / size.pages if size.pages and size.tuples > 0 else MIN_ROWS_PER_BLOCK
        wanted = max(MIN_BLOCKS, 2 * rows / density)
        return 100 * wanted / size.blocks if size.blocks > 2 * wanted else None


SCANNER = PostgreSQLScanner

_TRIGGERS = """
SELECT n.nspname AS schema, c.relname AS name, t.tgname AS trigger, p.prosrc AS body
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
JOIN pg_catalog.pg_language l ON l.oid = p.prolang
WHERE NOT t.tgisinternal AND NOT c.relispartition AND l.lanname = 'plpgsql' AND t.tgenabled <> 'D'
ORDER BY n.nspname, c.relname, t.tgname
LIMIT :most
"""

_LOG_SCHEMA = """
SELECT n.nspname FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname = 'pg_stat_statements'
"""

# Of this database, and only what may write: the server itself has put parameters in the place of literals.
_LOGGED = r"""
SELECT s.query FROM {schema}.pg_stat_statements s
JOIN pg_catalog.pg_database d ON d.oid = s.dbid
WHERE d.datname = pg_catalog.current_database()
  AND s.query ~* '^\s*(with|insert|update|merge|create)\M' AND s.query ~* '\m(insert|update|merge|create)\M'
ORDER BY s.calls DESC, s.queryid
LIMIT :most
"""

MIN_BLOCKS = 64  # fewer random blocks say too little of a table
MIN_ROWS_PER_BLOCK = 10.0  # assumed where the table was never analysed

# The true number of blocks (statistics may be old or absent), and the density that the statistics knew.
_SIZE = """
SELECT sum(pg_catalog.pg_relation_size(p.oid))::float8 / pg_catalog.current_setting('block_size')::int AS blocks,
       sum(c.relpages)::float8 AS pages, sum(greatest(c.reltuples, 0))::float8 AS tuples
FROM pg_catalog.pg_class root
JOIN pg_catalog.pg_namespace n ON n.oid = root.relnamespace
CROSS JOIN LATERAL (
    SELECT root.oid WHERE root.relkind <> 'p'
  UNION ALL
    SELECT t.relid::oid FROM pg_catalog.pg_partition_tree(root.oid) t WHERE root.relkind = 'p' AND t.isleaf
) p(oid)
JOIN pg_catalog.pg_class c ON c.oid = p.oid
WHERE n.nspname = :schema AND root.relname = :name AND c.relkind IN ('r', 'm')
"""


def _carried(column: str, carrier: Carrier, limit: int) -> str:
    """What to select so that the server sends no more than `limit` characters or bytes of a value."""
    if carrier is Carrier.TEXT:
        return f"left(CAST({column} AS text), {limit})"
    if carrier is Carrier.JSON:
        return f"left(CAST(to_jsonb({column}) AS text), {limit})"
    if carrier is Carrier.BINARY:
        return f"substring({column}, 1, {limit})"
    return column


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@cache
def _streams_chunks() -> bool:
    """Whether libpq knows how to hand over several rows at once (17 and later)."""
    return psycopg.capabilities.has_stream_chunked()


def _read_any_text(connection: psycopg.Connection, record: object) -> None:
    del record
    if connection.info.parameter_status("server_encoding") == "SQL_ASCII":
        for name in ("text", "varchar", "bpchar", "name", '"char"'):
            connection.adapters.register_loader(name, _LenientText)
        # Any other client encoding makes the server refuse to send bytes that are invalid in it.
        connection.execute("SET client_encoding TO 'SQL_ASCII'")
        connection.commit()


def _listens(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=2):
            return True
    except OSError:
        return False


_source_fault = partial(Fault, fatal=True)  # nothing of the source can be read

SERVER_GONE = _source_fault("unreachable", "the server ended the connection", "scan again when it is back")
REFUSED = _source_fault("refused", "the server refused the session", "check user, database and pg_hba.conf")
WRONG_PASSWORD = _source_fault("wrong-password", "wrong user or password", "check user and password")
UNKNOWN_DATABASE = _source_fault("unknown-database", "no such database", "check the name")

DISK_FULL = Fault("disk-full", "the server has no room for temporary files", "make room there, or exclude it")

_CERTIFICATE = "the server's certificate is not trusted"
_REFUSALS = {
    "does not exist": UNKNOWN_DATABASE,
    "password authentication failed": WRONG_PASSWORD,
    "no password supplied": _source_fault("wrong-password", "the server wants a password", "give one in the settings"),
    "no pg_hba.conf entry": REFUSED,
    "does not support SSL": _source_fault("no-encryption", "the server offers no encryption", "turn on ssl there"),
    "certificate verify failed": _source_fault("wrong-certificate", _CERTIFICATE, "check sslrootcert"),
    "server certificate for": _source_fault("wrong-certificate", "the certificate is for another host", "check host"),
    "too many": _source_fault("overloaded", "the server has no connection left", "scan again later"),
}

_STATES = {
    "22021": Fault("invalid-text", "it holds text that is invalid in the database's encoding", "repair the text"),
    "22P05": Fault("invalid-text", "it holds text that has no UTF-8 form", "repair the text"),
    "25006": Fault("writes", "reading it would write", "exclude it, or make its functions read-only"),
    "28P01": WRONG_PASSWORD,
    "3D000": UNKNOWN_DATABASE,
    "3F000": Fault("changed", "it was dropped or changed while it was read", "scan again"),
    "40P01": Fault("locked", "another session's lock is in the way", "scan again later"),
    "42501": Fault("no-permission", "no permission to read it", "grant SELECT to the scanning role"),
    "42703": Fault("changed", "it was dropped or changed while it was read", "scan again"),
    "42P01": Fault("changed", "it was dropped or changed while it was read", "scan again"),
    "53100": DISK_FULL,
    "53400": DISK_FULL,
    "55000": Fault("not-populated", "it holds no rows yet", "refresh the materialised view"),
    "55P03": Fault("locked", "another session's lock is in the way", "scan again later"),
    "57014": Fault("statement-timeout", "reading it took too long", "raise statement_timeout, or exclude it"),
    "57P01": SERVER_GONE,
    "57P02": SERVER_GONE,
    "57P03": SERVER_GONE,
    "58000": Fault("unreadable", "the server could not read its storage", "check the server"),
    "XX001": Fault("damaged", "its storage is damaged", "check the server"),
}


def _fault_of_state(state: str, *, gone: bool) -> Fault:
    """SQLSTATE, PostgreSQL manual, appendix A."""
    known = _STATES.get(state)
    if known is not None:
        return known
    if state.startswith("08") and gone:
        return SERVER_GONE
    if state.startswith(("HV", "08")):
        return Fault("remote", "its foreign server could not be read", "check the foreign server")
    if state.startswith("28"):
        return REFUSED
    return Fault("unreadable", f"the server answered error {state}", "look it up in the server's log")
