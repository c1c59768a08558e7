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
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

import psycopg
import sqlalchemy as sa
from psycopg.adapt import Buffer, Loader
from pydantic import Field, model_validator
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from inventory.model import DatasetKind, Observation, PrincipalKind, SafeguardSeen
from scanners.base import Secret, SourceSettings
from scanners.databases.catalog import Carrier, Column, Fault, ForeignKey, Reader, Relation
from scanners.databases.relational import (
    DriverFault,
    RelationalScanner,
    RelationalSettings,
    Sample,
    sample_seed,
    sampled,
)

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
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        bounds = {
            "statement_timeout": f"{round(self.settings.statement_timeout * 1000)}ms",
            "lock_timeout": f"{round(self.settings.lock_timeout * 1000)}ms",
            "search_path": "pg_catalog",
            "synchronize_seqscans": "off",  # or a scan may begin where another session's is
            "max_parallel_workers_per_gather": "0",  # or rows come in any order
        }
        connection.execute(
            sa.select(*(sa.func.pg_catalog.set_config(name, value, True) for name, value in bounds.items()))
        )

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
                return _fault_of_state(cause.sqlstate)
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
        return connection.execute(sa.text(_SCHEMAS)).scalars().all()

    def relations(self, connection: sa.Connection, schema: str) -> Sequence[Relation]:
        """Tables, partitioned tables without their partitions, foreign tables, views, materialised views."""
        rows = connection.execute(sa.text(_RELATIONS), {"schema": schema}).all()
        columns = self._columns(connection, schema)
        keys = self._foreign_keys(connection, schema)
        readers = self._relations_readers(connection, schema)
        views = [row.name for row in rows if row.kind in "vm"]
        definitions = self._definitions(connection, schema, views) if views else dict[str, str | None]()
        return [
            Relation(
                schema=schema,
                name=row.name,
                kind=_KINDS[row.kind],
                columns=tuple(columns[row.name]),
                primary_key=tuple(row.primary_key or ()),
                foreign_keys=tuple(keys[row.name]),
                comment=row.comment or "",
                row_estimate=row.estimate,
                row_bytes=row.width,
                state=row.state or "",
                definition=definitions.get(row.name) or "",
                unknown=DEFINITION_LOCKED if row.kind in "vm" and definitions[row.name] is None else None,
                filtered=row.filtered,
                foreign=row.kind == "f",
                readers=tuple(readers[row.name]),
            )
            for row in rows
        ]

    def _definitions(self, connection: sa.Connection, schema: str, views: Sequence[str]) -> Mapping[str, str | None]:
        """All in one go; when a lock below one of them is in the way, one by one, and None for those it holds up."""
        try:
            return self._definitions_of(connection, schema, views)
        except DriverFault as error:
            if error.fault.fatal or len(views) == 1:
                raise
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
            rows = connection.execute(sa.text(_DEFINITIONS), {"schema": schema, "names": list(views)})
            return dict.fromkeys(views) | {row.name: row.definition for row in rows}

    def _columns(self, connection: sa.Connection, schema: str) -> Mapping[str, Sequence[Column]]:
        found: defaultdict[str, list[Column]] = defaultdict(list)
        rows = connection.execute(sa.text(_COLUMNS), {"schema": schema}).all()
        for relation, name, not_null, declared, base_type, category, comment, readable in rows:
            found[relation].append(
                Column(
                    name=name,
                    type=sys.intern(declared),  # a few types, many columns
                    carrier=_carrier(base_type or declared, category),
                    nullable=not not_null,
                    comment=comment or "",
                    base_type=base_type or "",
                    readable=readable,
                )
            )
        return found

    def _foreign_keys(self, connection: sa.Connection, schema: str) -> Mapping[str, Sequence[ForeignKey]]:
        found: defaultdict[str, list[ForeignKey]] = defaultdict(list)
        for row in connection.execute(sa.text(_FOREIGN_KEYS), {"schema": schema}):
            found[row.relation].append(
                ForeignKey(row.name, tuple(row.columns), row.target_schema, row.target_table, tuple(row.target_columns))
            )
        return found

    # --- who may read --------------------------------------------------------------------------------------

    def readers(self, connection: sa.Connection) -> Sequence[Reader]:
        """Superusers and those of `pg_read_all_data`, with all who may act as one of them."""
        return [
            Reader(row.name, _principal_kind(row.login), row.privilege, row.via, _evidence(row.privilege, row.via))
            for row in connection.execute(sa.text(_ACTING + _SERVER_READERS))
        ]

    def _relations_readers(self, connection: sa.Connection, schema: str) -> Mapping[str, Sequence[Reader]]:
        """By relation: PUBLIC, roles with SELECT on it or on some columns and their members, if they use the schema."""
        roles = connection.execute(sa.text(_ACTING + _ROLES), {"schema": schema}).all()
        acting = defaultdict[int, list[sa.Row[Any]]](list)
        for role in roles:
            for group in role.groups:
                acting[group].append(role)
        public = bool(roles) and roles[0].public_uses
        found: defaultdict[str, list[Reader]] = defaultdict(list)
        for row in connection.execute(sa.text(_GRANTS), {"schema": schema}):
            columns = (row.field,) if row.field is not None else ()
            if row.grantee == 0 and public:
                evidence = _evidence("SELECT", PUBLIC)
                found[row.relation].append(Reader(PUBLIC, PrincipalKind.PUBLIC, "SELECT", "", evidence, columns))
                continue
            for role in roles if row.grantee == 0 else acting[row.grantee]:
                via = PUBLIC if row.grantee == 0 else row.name if row.grantee != role.oid else ""
                if role.uses:
                    kind, evidence = _principal_kind(role.login), _evidence("SELECT", via)
                    found[row.relation].append(Reader(role.name, kind, "SELECT", via, evidence, columns))
        return found

    # --- sample --------------------------------------------------------------------------------------------

    def sample(self, connection: sa.Connection, relation: Relation, columns: Sequence[Column]) -> Sample:
        """Random blocks of a large table, the first rows by key of a small one, the first rows of anything else."""
        rows = self.settings.sampling.rows
        names = [*(column.name for column in columns), *relation.primary_key]
        table = sa.table(
            relation.name, *(sa.column(name, sa.Text) for name in dict.fromkeys(names)), schema=relation.schema
        )
        carried = [
            _carried(table.c[column.name], column.carrier, self.settings.sampling.value_bytes) for column in columns
        ]
        percent = self._percent(connection, relation, rows) if relation.kind is not DatasetKind.VIEW else None
        if percent is not None:
            seed = sample_seed(self.settings, relation.schema, relation.name)
            blocks = table.tablesample(
                sa.func.system(sa.literal_column(f"{percent:.6f}")), name="sampled", seed=sa.literal_column(str(seed))
            )
            carried = [
                _carried(blocks.c[column.name], column.carrier, self.settings.sampling.value_bytes)
                for column in columns
            ]
            return Sample([sampled(carried, blocks).limit(_number(rows))])
        statement = sampled(carried, table).limit(_number(rows))
        readable = {column.name for column in columns}
        if relation.primary_key and readable.issuperset(relation.primary_key):
            statement = statement.order_by(*(table.c[name] for name in relation.primary_key))
        return Sample([statement])

    def _percent(self, connection: sa.Connection, relation: Relation, rows: int) -> float | None:
        """The share of blocks to sample so that they hold about twice the rows wanted; None: the table is small."""
        if relation.foreign:
            return None
        size = connection.execute(sa.text(_SIZE), {"schema": relation.schema, "name": relation.name}).one_or_none()
        if size is None or not size.blocks:
            return None
        density = size.tuples / size.pages if size.pages and size.tuples > 0 else MIN_ROWS_PER_BLOCK
        wanted = max(MIN_BLOCKS, 2 * rows / density)
        return 100 * wanted / size.blocks if size.blocks > 2 * wanted else None


SCANNER = PostgreSQLScanner

MIN_BLOCKS = 64  # fewer random blocks say too little of a table
MIN_ROWS_PER_BLOCK = 10.0  # assumed where the table was never analysed

_KINDS = {
    "r": DatasetKind.TABLE,
    "p": DatasetKind.TABLE,
    "f": DatasetKind.TABLE,
    "v": DatasetKind.VIEW,
    "m": DatasetKind.MATERIALIZED_VIEW,
}

_SCHEMAS = """
SELECT nspname FROM pg_catalog.pg_namespace
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY nspname
"""

# `state` says what was written to the table and its children: see docs/adr/0005-cost-follows-change.md. Counters tell
# nothing on a standby, nor when they are off; a crash loses them, and resets those of the background writer too.
# An unanalysed table has reltuples -1 (0 before version 14); a partitioned one has the sum of its partitions.
_RELATIONS = """
WITH RECURSIVE part(root, oid) AS (
    SELECT c.oid, c.oid FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'p' AND NOT c.relispartition AND n.nspname = :schema
  UNION ALL
    SELECT part.root, i.inhrelid FROM part JOIN pg_catalog.pg_inherits i ON i.inhparent = part.oid
), estimate AS (
    SELECT part.root, sum(greatest(c.reltuples, 0)) FILTER (WHERE c.relkind <> 'p')::bigint AS rows,
           bool_or(c.relkind <> 'p' AND (c.reltuples < 0 OR c.reltuples = 0 AND c.relpages = 0)) AS unknown
    FROM part JOIN pg_catalog.pg_class c ON c.oid = part.oid GROUP BY part.root
), tree(root, oid) AS (
    SELECT c.oid, c.oid FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition AND n.nspname = :schema
  UNION
    SELECT tree.root, i.inhrelid FROM tree JOIN pg_catalog.pg_inherits i ON i.inhparent = tree.oid
), epoch AS MATERIALIZED (
    SELECT pg_catalog.concat_ws(' ', d.oid, d.datname, s.stats_reset, w.stats_reset) AS text
    FROM pg_catalog.pg_database d
    JOIN pg_catalog.pg_stat_database s ON s.datid = d.oid
    CROSS JOIN pg_catalog.pg_stat_bgwriter w
    WHERE d.datname = pg_catalog.current_database() AND NOT pg_catalog.pg_is_in_recovery()
      AND pg_catalog.current_setting('track_counts')::bool
), state AS (
    SELECT tree.root, pg_catalog.string_agg(pg_catalog.concat_ws(' ', c.oid, c.relfilenode,
               pg_catalog.pg_stat_get_tuples_inserted(c.oid), pg_catalog.pg_stat_get_tuples_updated(c.oid),
               pg_catalog.pg_stat_get_tuples_deleted(c.oid)), ',' ORDER BY c.oid) AS text
    FROM tree JOIN pg_catalog.pg_class c ON c.oid = tree.oid
    GROUP BY tree.root HAVING pg_catalog.bool_and(c.relkind IN ('r', 'p', 'm'))
)
SELECT c.relname AS name, c.relkind::text AS kind,
       (SELECT epoch.text FROM epoch) || '; ' || state.text AS state,
       CASE WHEN c.reltuples > 0 AND c.relpages > 0 THEN
            (c.relpages * pg_catalog.current_setting('block_size')::float8 / c.reltuples)::bigint END AS width,
       CASE WHEN c.relkind = 'p' THEN CASE WHEN e.unknown THEN NULL ELSE coalesce(e.rows, 0) END
            WHEN c.relkind IN ('r', 'm') AND (c.reltuples > 0 OR c.reltuples = 0 AND c.relpages > 0)
            THEN c.reltuples::bigint END AS estimate,
       c.relkind IN ('r', 'p') AND c.relrowsecurity AND pg_catalog.row_security_active(c.oid) AS filtered,
       pg_catalog.obj_description(c.oid, 'pg_class') AS comment,
       (SELECT pg_catalog.array_agg(a.attname::text ORDER BY u.position)
        FROM pg_catalog.pg_constraint k
        CROSS JOIN LATERAL pg_catalog.unnest(k.conkey) WITH ORDINALITY u(number, position)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.number
        WHERE k.conrelid = c.oid AND k.contype = 'p') AS primary_key
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN estimate e ON e.root = c.oid
LEFT JOIN state ON state.root = c.oid
WHERE n.nspname = :schema AND c.relkind IN ('r', 'p', 'f', 'v', 'm') AND NOT c.relispartition
ORDER BY c.relname
"""

_DEFINITIONS = """
SELECT c.relname AS name, pg_catalog.pg_get_viewdef(c.oid) AS definition
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relkind IN ('v', 'm') AND c.relname = ANY(:names)
"""

_COLUMNS = """
WITH RECURSIVE base(domain, oid, typmod) AS (
    SELECT oid, typbasetype, typtypmod FROM pg_catalog.pg_type WHERE typtype = 'd'
  UNION ALL
    SELECT base.domain, t.typbasetype, CASE WHEN base.typmod >= 0 THEN base.typmod ELSE t.typtypmod END
    FROM base JOIN pg_catalog.pg_type t ON t.oid = base.oid WHERE t.typtype = 'd'
), relation AS MATERIALIZED (
    SELECT c.oid, c.relname, pg_catalog.has_table_privilege(c.oid, 'SELECT') AS whole,
           pg_catalog.has_schema_privilege(n.oid, 'USAGE') AS used
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = :schema AND c.relkind IN ('r', 'p', 'f', 'v', 'm') AND NOT c.relispartition
)
SELECT c.relname AS relation, a.attname AS name, a.attnotnull AS not_null,
       pg_catalog.format_type(a.atttypid, a.atttypmod) AS type,
       CASE WHEN b.oid IS NOT NULL THEN pg_catalog.format_type(b.oid, b.typmod) END AS base_type,
       t.typcategory::text AS category, d.description AS comment,
       c.used AND (c.whole OR pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT')) AS readable
FROM relation c
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN base b ON b.domain = a.atttypid
     AND NOT EXISTS (SELECT FROM pg_catalog.pg_type x WHERE x.oid = b.oid AND x.typtype = 'd')
JOIN pg_catalog.pg_type t ON t.oid = coalesce(b.oid, a.atttypid)
LEFT JOIN pg_catalog.pg_description d
     ON d.objoid = c.oid AND d.classoid = 'pg_catalog.pg_class'::regclass AND d.objsubid = a.attnum
ORDER BY c.relname, a.attnum
"""

# A key to a partitioned table has one row more for each partition: those have a parent constraint.
_FOREIGN_KEYS = """
SELECT c.relname AS relation, k.conname AS name, tn.nspname AS target_schema, tc.relname AS target_table,
       (SELECT pg_catalog.array_agg(a.attname::text ORDER BY u.position)
        FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY u(number, position)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number) AS columns,
       (SELECT pg_catalog.array_agg(a.attname::text ORDER BY u.position)
        FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY u(number, position)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number) AS target_columns
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class tc ON tc.oid = k.confrelid
JOIN pg_catalog.pg_namespace tn ON tn.oid = tc.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0 AND n.nspname = :schema AND NOT c.relispartition
ORDER BY c.relname, k.conname
"""

# Who may act as whom: itself, or by membership, unless that only lets it be given on (version 16 and later).
_ACTING = """
WITH RECURSIVE acting(role, as_role) AS (
    SELECT oid, oid FROM pg_catalog.pg_roles
  UNION
    SELECT m.member, acting.as_role FROM acting JOIN pg_catalog.pg_auth_members m ON m.roleid = acting.role
    WHERE coalesce((pg_catalog.to_jsonb(m) ->> 'inherit_option')::bool, true)
       OR coalesce((pg_catalog.to_jsonb(m) ->> 'set_option')::bool, true)
)
"""

_SERVER_READERS = """
SELECT DISTINCT ON (r.rolname) r.rolname AS name, r.rolcanlogin AS login,
       CASE WHEN g.rolsuper THEN 'SUPERUSER' ELSE 'SELECT' END AS privilege,
       CASE WHEN g.oid = r.oid THEN '' ELSE g.rolname END AS via
FROM acting JOIN pg_catalog.pg_roles r ON r.oid = acting.role JOIN pg_catalog.pg_roles g ON g.oid = acting.as_role
WHERE (g.rolsuper OR g.rolname = 'pg_read_all_data') AND r.rolname !~ '^pg_'
ORDER BY r.rolname, g.oid = r.oid DESC, g.rolsuper DESC, g.rolname
"""

# Superusers and those who may act as one are not told of again with each relation.
_ROLES = """
SELECT r.oid::bigint AS oid, r.rolname AS name, r.rolcanlogin AS login,
       pg_catalog.has_schema_privilege(r.oid, n.oid, 'USAGE') AS uses,
       pg_catalog.has_schema_privilege('public', n.oid, 'USAGE') AS public_uses,
       pg_catalog.array_agg(acting.as_role::bigint) AS groups
FROM acting JOIN pg_catalog.pg_roles r ON r.oid = acting.role JOIN pg_catalog.pg_roles g ON g.oid = acting.as_role
CROSS JOIN pg_catalog.pg_namespace n
WHERE n.nspname = :schema AND r.rolname !~ '^pg_' GROUP BY r.oid, r.rolname, r.rolcanlogin, n.oid
HAVING NOT bool_or(g.rolsuper) ORDER BY r.rolname
"""

# Grants on a column count where the whole relation is not granted. An absent list means what the owner has by default.
_GRANTS = """
WITH relation AS (
    SELECT c.oid, c.relname, c.relacl, c.relowner
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = :schema AND c.relkind IN ('r', 'p', 'f', 'v', 'm') AND NOT c.relispartition
), granted(relation, field, grantee) AS (
    SELECT r.relname, NULL::text, a.grantee FROM relation r
    CROSS JOIN LATERAL pg_catalog.aclexplode(coalesce(r.relacl, pg_catalog.acldefault('r', r.relowner))) a
    WHERE a.privilege_type = 'SELECT'
  UNION ALL
    SELECT r.relname, t.attname::text, a.grantee FROM relation r
    JOIN pg_catalog.pg_attribute t ON t.attrelid = r.oid AND t.attacl IS NOT NULL AND NOT t.attisdropped
    CROSS JOIN LATERAL pg_catalog.aclexplode(t.attacl) a WHERE a.privilege_type = 'SELECT'
)
SELECT g.relation, g.field, g.grantee::bigint AS grantee, r.rolname AS name
FROM granted g LEFT JOIN pg_catalog.pg_roles r ON r.oid = g.grantee ORDER BY g.relation, g.field NULLS FIRST, r.rolname
"""

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


PUBLIC = "PUBLIC"


def _principal_kind(login: bool) -> PrincipalKind:
    return PrincipalKind.USER if login else PrincipalKind.ROLE


def _evidence(privilege: str, via: str) -> str:
    if privilege == "SUPERUSER":
        return "may act as a superuser" if via else "is a superuser"
    return f"SELECT is granted to {via}" if via else "SELECT is granted to it, or it is the owner"


def _carrier(base_type: str, category: str) -> Carrier:
    """By the type below any domain. Dates and numeric go as text: infinity, BC and NaN have no Python value."""
    if base_type in ("json", "jsonb") or category in ("A", "C"):
        return Carrier.JSON
    return _CARRIERS.get(base_type, Carrier.TEXT)


_CARRIERS = {
    "smallint": Carrier.INTEGER,
    "integer": Carrier.INTEGER,
    "bigint": Carrier.INTEGER,
    "real": Carrier.FLOAT,
    "double precision": Carrier.FLOAT,
    "boolean": Carrier.BOOLEAN,
    "bytea": Carrier.BINARY,
}


def _carried(column: sa.ColumnElement[Any], carrier: Carrier, limit: int) -> sa.ColumnElement[Any]:
    """What to select so that the server sends no more than `limit` characters or bytes of a value."""
    if carrier is Carrier.TEXT:
        return sa.func.left(sa.cast(column, sa.Text), _number(limit))
    if carrier is Carrier.JSON:
        return sa.func.left(sa.cast(sa.func.to_jsonb(column), sa.Text), _number(limit))
    if carrier is Carrier.BINARY:
        return sa.func.substring(column, _number(1), _number(limit))
    return column


def _number(value: int) -> sa.ColumnElement[int]:
    return sa.literal_column(str(value), sa.Integer)


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
DEFINITION_LOCKED = Fault("locked", "its definition is held up by a lock on a table below it", "scan again later")
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


def _fault_of_state(state: str) -> Fault:
    """SQLSTATE, PostgreSQL manual, appendix A."""
    known = _STATES.get(state)
    if known is not None:
        return known
    if state.startswith("08"):
        return SERVER_GONE
    if state.startswith("HV"):
        return Fault("remote", "its foreign server could not be read", "check the foreign server")
    if state.startswith("28"):
        return REFUSED
    return Fault("unreadable", f"the server answered error {state}", "look it up in the server's log")
