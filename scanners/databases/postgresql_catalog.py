"""PostgreSQL's catalog of one schema, in as few and as small rows as it has to tell.

A column comes as one short text (`t:23:-1:id`), all of a relation in one array, so that the same column of many
relations is one object here, and its type is asked for once. What few relations have is asked of those alone: grants
other than the owner's, columns that we may not read, partitions and children, keys to others.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import sqlalchemy as sa

from inventory.model import DatasetKind, PrincipalKind, dataset_urn
from scanners.databases.catalog import Carrier, Column, Fault, ForeignKey, Reader, Relation

PUBLIC = "PUBLIC"
AT_ONCE = 1000  # relations whose columns are asked for in one go

MOST_SHARED = 5000  # columns that are remembered for the relations to come

DEFINITION_LOCKED = Fault("locked", "its definition is held up by a lock on a table below it", "scan again later")

#: The definitions of these views of the schema, None for those that a lock holds up.
Definitions = Callable[[Sequence[str]], Mapping[str, str | None]]


def schema_names(connection: sa.Connection) -> Sequence[str]:
    """All but the system's own."""
    return connection.execute(sa.text(_SCHEMAS)).scalars().all()


def server_readers(connection: sa.Connection) -> Sequence[Reader]:
    """Superusers and those of `pg_read_all_data`, with all who may act as one of them."""
    return [
        Reader(row.name, _principal_kind(row.login), row.privilege, row.via, _evidence(row.privilege, row.via))
        for row in connection.execute(sa.text(_ACTING + _SERVER_READERS))
    ]


def view_definitions(connection: sa.Connection, schema: str, views: Sequence[str]) -> Mapping[str, str | None]:
    """The SQL of these views; None for one that is gone."""
    rows = connection.execute(sa.text(_DEFINITIONS), {"schema": schema, "names": list(views)})
    return dict.fromkeys(views) | {row.name: row.definition for row in rows}


def schema_relations(connection: sa.Connection, schema: str, definitions: Definitions) -> list[Relation]:
    """Tables, partitioned tables without their partitions, foreign tables, views, materialised views, by name.

    All is asked of one snapshot: a table that is swapped for another one meanwhile would have no columns.
    """
    shared = _Shared.of(connection)
    rows = connection.execute(sa.text(_RELATIONS), {"schema": schema}).all()
    views = [row.name for row in rows if row.kind in "vm"]
    defined = definitions(views) if views else dict[str, str | None]()
    roles = _Roles.of(connection, schema)
    found: list[Relation] = []
    for start in range(0, len(rows), AT_ONCE):
        some = rows[start : start + AT_ONCE]
        details = _Details.of(connection, some, roles, shared)
        found += [_relation(schema, row, details, defined) for row in some]
    return found


def _relation(schema: str, row: sa.Row[Any], details: _Details, defined: Mapping[str, str | None]) -> Relation:
    facts = cast("tuple[Any, ...]", row[:8])  # by name each would be a look-up
    oid, name, kind, state, width, estimate, filtered, primary_key = facts
    columns = details.columns.get(oid, ())
    tree = details.trees.get(oid)
    if tree is not None:
        state, estimate = tree.state, tree.estimate if kind == "p" else estimate
    is_view = kind in "vm"
    return Relation(
        schema,
        name,
        _KINDS[kind],
        tuple([column for column in columns if column is not None]),
        _named(columns, primary_key) if primary_key else (),
        tuple(details.foreign_keys.get(oid, ())),
        details.comments.get((oid, 0), ""),
        estimate,
        width,
        (defined.get(name) or "") if is_view else "",
        filtered,
        foreign=kind == "f",
        origin=details.origins.get(oid, ""),
        unknown=DEFINITION_LOCKED if is_view and defined[name] is None else None,
        state=state or "",
        readers=details.readers[oid],
    )


def _named(columns: Sequence[Column | None], numbers: Iterable[int]) -> tuple[str, ...]:
    """The columns of these numbers, which count from 1, dropped ones too."""
    known = [_at(columns, number) for number in numbers]
    return tuple(column.name for column in known if column is not None)


def _at(columns: Sequence[Column | None], number: int) -> Column | None:
    return columns[number - 1] if 0 < number <= len(columns) else None


@dataclass(slots=True)
class _Shared:
    """What the relations of a database have in common. Lives as long as the connection."""

    columns: dict[str, Column] = field(default_factory=dict[str, Column])  # by the text that they come in
    types: dict[tuple[str, str], tuple[str, str, Carrier]] = field(
        default_factory=dict[tuple[str, str], tuple[str, str, Carrier]]
    )  # by OID and modifier: as declared, what a domain is made of, how it travels
    with_comments: dict[tuple[Column, str], Column] = field(default_factory=dict[tuple[Column, str], Column])

    @classmethod
    def of(cls, connection: sa.Connection) -> _Shared:
        """Of this connection."""
        return connection.info.setdefault(cls, cls())

    def commented(self, column: Column, comment: str) -> Column:
        """The column with this comment."""
        if (column, comment) not in self.with_comments:
            self.with_comments[column, comment] = replace(column, comment=comment)
        return self.with_comments[column, comment]

    def take_in(self, connection: sa.Connection, texts: set[str]) -> None:
        """Learn these columns, with their types."""
        if len(self.columns) > MOST_SHARED:  # then few are like another
            self.columns.clear()
            self.with_comments.clear()
        split = {text: text.split(":", 3) for text in texts - self.columns.keys()}
        types = {(oid, modifier) for _, oid, modifier, _ in split.values()} - self.types.keys()
        if types:
            oids, modifiers = zip(*types, strict=True)
            asked = {"oids": list(map(int, oids)), "modifiers": list(map(int, modifiers))}
            for row in connection.execute(sa.text(_TYPES), asked):
                carrier = _carrier(row.base_type or row.type, row.category)
                self.types[str(row.oid), str(row.modifier)] = (row.type, row.base_type or "", carrier)
        for text, (not_null, oid, modifier, name) in split.items():
            declared, base_type, carrier = self.types.get((oid, modifier), _UNKNOWN_TYPE)
            self.columns[text] = Column(sys.intern(name), declared, carrier, not_null == "f", base_type=base_type)


@dataclass(frozen=True, slots=True)
class _Details:
    """What the catalog says of some relations, by their OIDs."""

    columns: Mapping[int, Sequence[Column | None]]  # by number, None where one was dropped
    comments: Mapping[tuple[int, int], str]  # by OID and number of the column, 0 for the relation
    foreign_keys: Mapping[int, Sequence[ForeignKey]]
    trees: Mapping[int, sa.Row[Any]]
    readers: Mapping[int, tuple[Reader, ...]]
    origins: Mapping[int, str]  # of foreign tables, see `_origin`

    @classmethod
    def of(cls, connection: sa.Connection, rows: Sequence[sa.Row[Any]], roles: _Roles, shared: _Shared) -> _Details:
        def asked(statement: str, oids: Sequence[int]) -> Sequence[sa.Row[Any]]:
            return connection.execute(sa.text(statement), {"oids": list(oids)}).all() if oids else ()

        everything = [row.oid for row in rows]
        told = asked(_COLUMNS, everything)
        shared.take_in(connection, {text for row in told for text in row.columns if text is not None})
        known = shared.columns
        columns: dict[int, list[Column | None]] = {
            row.oid: [known[text] if text is not None else None for text in row.columns] for row in told
        }
        comments = {(row.oid, row.number): row.description for row in asked(_COMMENTS, everything)}
        for (oid, number), comment in comments.items():
            column = _at(columns.get(oid, ()), number)
            if column is not None:
                columns[oid][number - 1] = shared.commented(column, comment)
        _mark_unreadable(columns, asked(_READABLE, [row.oid for row in rows if not row.whole]), rows)
        keys: defaultdict[int, list[ForeignKey]] = defaultdict(list)
        for row in asked(_FOREIGN_KEYS, everything):
            columns_of_key, targets = tuple(row.columns), tuple(row.target_columns)
            keys[row.oid].append(ForeignKey(row.name, columns_of_key, row.target_schema, row.target_table, targets))
        by_column = {row.oid for row in told if row.granted}
        granted = [row.oid for row in rows if row.granted or row.oid in by_column]
        readers = {row.oid: roles.owners_readers(row.owner, row.owner_name) for row in rows}
        readers |= dict.fromkeys(granted, ()) | roles.readers(asked(_GRANTS, granted))
        trees = {row.oid: row for row in asked(_TREES, [row.oid for row in rows if row.parent])}
        foreign = asked(_FOREIGN, [row.oid for row in rows if row.kind == "f"])
        return cls(columns, comments, keys, trees, readers, {row.oid: _origin(row) for row in foreign})


def _mark_unreadable(
    columns: Mapping[int, list[Column | None]], readable: Iterable[sa.Row[Any]], rows: Iterable[sa.Row[Any]]
) -> None:
    """Of relations that we may not read as a whole: the columns that we may not read."""
    allowed = {row.oid: set(row.numbers) for row in readable}
    for row in rows:
        if not row.whole and row.oid in columns:
            numbers = allowed.get(row.oid, set[int]())
            columns[row.oid][:] = [
                column if column is None or number in numbers else replace(column, readable=False)
                for number, column in enumerate(columns[row.oid], start=1)
            ]


def _origin(row: sa.Row[Any]) -> str:
    """The URN of what a foreign table of `postgres_fdw` reads, "" of others and of a server that is not told whole."""
    server: dict[str, str] = row.server or {}
    table: dict[str, str] = row.table_options or {}
    host, database = server.get("host", ""), server.get("dbname", "")
    if row.wrapper != "postgres_fdw" or not host or host.startswith("/") or not database:
        return ""
    host = f"[{host}]" if ":" in host else host
    schema, name = table.get("schema_name", row.schema), table.get("table_name", row.name)
    return dataset_urn(f"postgres://{host}:{server.get('port', '5432')}", f"{database}.{schema}.{name}")


# --- who may read -------------------------------------------------------------------------------------------


class _Roles:
    """Who may act as whom, of those who may use the schema."""

    def __init__(self, roles: Sequence[sa.Row[Any]]) -> None:
        self._all = [role for role in roles if role.uses]
        self._public = bool(roles) and bool(roles[0].public_uses)
        self._acting = defaultdict[int, list[sa.Row[Any]]](list)
        for role in self._all:
            for group in role.groups:
                self._acting[group].append(role)
        self._owners: dict[int, tuple[Reader, ...]] = {}

    @classmethod
    def of(cls, connection: sa.Connection, schema: str) -> _Roles:
        return cls(connection.execute(sa.text(_ACTING + _ROLES), {"schema": schema}).all())

    def owners_readers(self, owner: int, name: str) -> tuple[Reader, ...]:
        """Of a relation on which nothing was granted: its owner and whoever may act as it."""
        if owner not in self._owners:
            self._owners[owner] = tuple(self._readers(owner, name, ()))
        return self._owners[owner]

    def readers(self, grants: Iterable[sa.Row[Any]]) -> dict[int, tuple[Reader, ...]]:
        """By relation: PUBLIC, roles with SELECT on it or on some columns, and their members."""
        found: defaultdict[int, list[Reader]] = defaultdict(list)
        for row in grants:
            columns = (row.field,) if row.field is not None else ()
            found[row.oid] += self._readers(row.grantee, row.name or PUBLIC, columns)
        return {oid: tuple(readers) for oid, readers in found.items()}

    def _readers(self, grantee: int, name: str, columns: tuple[str, ...]) -> list[Reader]:
        if grantee == 0:
            if self._public:
                return [Reader(PUBLIC, PrincipalKind.PUBLIC, "SELECT", "", _evidence("SELECT", PUBLIC), columns)]
            return [self._reader(role, PUBLIC, columns) for role in self._all]
        return [
            self._reader(role, "" if grantee == role.oid else name, columns) for role in self._acting.get(grantee, ())
        ]

    def _reader(self, role: sa.Row[Any], via: str, columns: tuple[str, ...]) -> Reader:
        return Reader(role.name, _principal_kind(role.login), "SELECT", via, _evidence("SELECT", via), columns)


def _principal_kind(login: bool) -> PrincipalKind:
    return PrincipalKind.USER if login else PrincipalKind.ROLE


def _evidence(privilege: str, via: str) -> str:
    if privilege == "SUPERUSER":
        return "may act as a superuser" if via else "is a superuser"
    return f"SELECT is granted to {via}" if via else "SELECT is granted to it, or it is the owner"


# --- types --------------------------------------------------------------------------------------------------


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

_UNKNOWN_TYPE = ("", "", Carrier.TEXT)  # of a column whose type was dropped just now

_KINDS = {
    "r": DatasetKind.TABLE,
    "p": DatasetKind.TABLE,
    "f": DatasetKind.TABLE,
    "v": DatasetKind.VIEW,
    "m": DatasetKind.MATERIALIZED_VIEW,
}

# --- questions ----------------------------------------------------------------------------------------------

_SCHEMAS = """
SELECT nspname FROM pg_catalog.pg_namespace
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY nspname
"""

# `state` says what was written to a table: see docs/adr/0005-cost-follows-change.md. Counters tell nothing on a
# standby, nor when they are off; a crash loses them, and resets those of the background writer too.
_EPOCH = """
epoch AS MATERIALIZED (
    SELECT pg_catalog.concat_ws(' ', d.oid, d.datname, s.stats_reset, w.stats_reset) AS text
    FROM pg_catalog.pg_database d
    JOIN pg_catalog.pg_stat_database s ON s.datid = d.oid
    CROSS JOIN pg_catalog.pg_stat_bgwriter w
    WHERE d.datname = pg_catalog.current_database() AND NOT pg_catalog.pg_is_in_recovery()
      AND pg_catalog.current_setting('track_counts')::bool
)
"""

_COUNTERS = """
pg_catalog.concat_ws(' ', c.oid, c.relfilenode, pg_catalog.pg_stat_get_tuples_inserted(c.oid),
                     pg_catalog.pg_stat_get_tuples_updated(c.oid), pg_catalog.pg_stat_get_tuples_deleted(c.oid))
"""

# An unanalysed table has reltuples -1 (0 before version 14).
_RELATIONS = f"""
WITH {_EPOCH}
SELECT c.oid::bigint AS oid, c.relname AS name, c.relkind::text AS kind,
       CASE WHEN c.relkind IN ('r', 'm') AND NOT c.relhassubclass
            THEN (SELECT epoch.text FROM epoch) || '; ' || {_COUNTERS} END AS state,
       CASE WHEN c.reltuples > 0 AND c.relpages > 0 THEN
            (c.relpages * pg_catalog.current_setting('block_size')::float8 / c.reltuples)::bigint END AS width,
       CASE WHEN c.relkind IN ('r', 'm') AND (c.reltuples > 0 OR c.reltuples = 0 AND c.relpages > 0)
            THEN c.reltuples::bigint END AS estimate,
       c.relkind IN ('r', 'p') AND c.relrowsecurity AND pg_catalog.row_security_active(c.oid) AS filtered,
       (SELECT k.conkey FROM pg_catalog.pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'p') AS primary_key,
       c.relowner::bigint AS owner, pg_catalog.pg_get_userbyid(c.relowner) AS owner_name,
       c.relacl IS NOT NULL AS granted,
       c.relkind IN ('r', 'p', 'm') AND (c.relhassubclass OR c.relkind = 'p') AS parent,
       pg_catalog.has_schema_privilege(c.relnamespace, 'USAGE') AND
           pg_catalog.has_table_privilege(c.oid, 'SELECT') AS whole
FROM pg_catalog.pg_class c
WHERE c.relnamespace = (SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname = :schema)
  AND c.relkind IN ('r', 'p', 'f', 'v', 'm') AND NOT c.relispartition
ORDER BY c.relname
"""  # noqa: S608 - of constants

# A partitioned table is estimated by the sum of its partitions.
_TREES = f"""
WITH RECURSIVE {_EPOCH}, tree(root, oid) AS (
    SELECT root, root FROM pg_catalog.unnest(CAST(:oids AS oid[])) AS asked(root)
  UNION
    SELECT tree.root, i.inhrelid FROM tree JOIN pg_catalog.pg_inherits i ON i.inhparent = tree.oid
)
SELECT tree.root::bigint AS oid,
       CASE WHEN pg_catalog.bool_and(c.relkind IN ('r', 'p', 'm')) THEN (SELECT epoch.text FROM epoch) || '; ' ||
            pg_catalog.string_agg({_COUNTERS}, ',' ORDER BY c.oid) END AS state,
       CASE WHEN NOT coalesce(pg_catalog.bool_or(c.relkind <> 'p' AND (c.reltuples < 0 OR c.reltuples = 0
                 AND c.relpages = 0)), false)
            THEN coalesce(sum(greatest(c.reltuples, 0)) FILTER (WHERE c.relkind <> 'p'), 0)::bigint END AS estimate
FROM tree JOIN pg_catalog.pg_class c ON c.oid = tree.oid GROUP BY tree.root
"""  # noqa: S608 - of constants

_DEFINITIONS = """
SELECT c.relname AS name, pg_catalog.pg_get_viewdef(c.oid) AS definition
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relkind IN ('v', 'm') AND c.relname = ANY(:names)
"""

_COLUMNS = """
SELECT a.attrelid::bigint AS oid, pg_catalog.bool_or(a.attacl IS NOT NULL AND NOT a.attisdropped) AS granted,
       pg_catalog.array_agg(CASE WHEN NOT a.attisdropped THEN
           pg_catalog.concat_ws(':', a.attnotnull, a.atttypid, a.atttypmod, a.attname) END ORDER BY a.attnum) AS columns
FROM pg_catalog.pg_attribute a WHERE a.attrelid = ANY(CAST(:oids AS oid[])) AND a.attnum > 0 GROUP BY a.attrelid
"""

_COMMENTS = """
SELECT d.objoid::bigint AS oid, d.objsubid AS number, d.description FROM pg_catalog.pg_description d
WHERE d.objoid = ANY(CAST(:oids AS oid[])) AND d.classoid = 'pg_catalog.pg_class'::regclass
"""

_READABLE = """
SELECT a.attrelid::bigint AS oid, pg_catalog.array_agg(a.attnum) AS numbers
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
WHERE c.oid = ANY(CAST(:oids AS oid[])) AND pg_catalog.has_schema_privilege(c.relnamespace, 'USAGE')
  AND CASE WHEN pg_catalog.has_any_column_privilege(c.oid, 'SELECT')
           THEN NOT a.attisdropped AND pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT') END
GROUP BY a.attrelid
"""

_TYPES = """
WITH RECURSIVE base(domain, oid, typmod) AS (
    SELECT oid, typbasetype, typtypmod FROM pg_catalog.pg_type WHERE typtype = 'd'
  UNION ALL
    SELECT base.domain, t.typbasetype, CASE WHEN base.typmod >= 0 THEN base.typmod ELSE t.typtypmod END
    FROM base JOIN pg_catalog.pg_type t ON t.oid = base.oid WHERE t.typtype = 'd'
)
SELECT asked.oid::bigint AS oid, asked.modifier, pg_catalog.format_type(asked.oid, asked.modifier) AS type,
       CASE WHEN b.oid IS NOT NULL THEN pg_catalog.format_type(b.oid, b.typmod) END AS base_type,
       t.typcategory::text AS category
FROM unnest(CAST(:oids AS oid[]), CAST(:modifiers AS int[])) AS asked(oid, modifier)  -- a syntax of its own
LEFT JOIN base b ON b.domain = asked.oid
     AND NOT EXISTS (SELECT FROM pg_catalog.pg_type x WHERE x.oid = b.oid AND x.typtype = 'd')
JOIN pg_catalog.pg_type t ON t.oid = coalesce(b.oid, asked.oid)
"""

# A key to a partitioned table has one row more for each partition: those have a parent constraint.
_FOREIGN_KEYS = """
SELECT k.conrelid::bigint AS oid, k.conname AS name, tn.nspname AS target_schema, tc.relname AS target_table,
       (SELECT pg_catalog.array_agg(a.attname::text ORDER BY u.position)
        FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY u(number, position)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number) AS columns,
       (SELECT pg_catalog.array_agg(a.attname::text ORDER BY u.position)
        FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY u(number, position)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number) AS target_columns
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class tc ON tc.oid = k.confrelid
JOIN pg_catalog.pg_namespace tn ON tn.oid = tc.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0 AND k.conrelid = ANY(CAST(:oids AS oid[]))
ORDER BY k.conrelid, k.conname
"""

_FOREIGN = """
SELECT t.ftrelid::bigint AS oid, n.nspname AS schema, c.relname AS name, w.fdwname AS wrapper,
       (SELECT pg_catalog.json_object_agg(o.option_name, o.option_value)
        FROM pg_catalog.pg_options_to_table(s.srvoptions) o) AS server,
       (SELECT pg_catalog.json_object_agg(o.option_name, o.option_value)
        FROM pg_catalog.pg_options_to_table(t.ftoptions) o) AS table_options
FROM pg_catalog.pg_foreign_table t
JOIN pg_catalog.pg_class c ON c.oid = t.ftrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_foreign_server s ON s.oid = t.ftserver
JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw
WHERE t.ftrelid = ANY(CAST(:oids AS oid[]))
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
    SELECT c.oid, c.relacl, c.relowner FROM pg_catalog.pg_class c WHERE c.oid = ANY(CAST(:oids AS oid[]))
), granted(oid, field, grantee) AS (
    SELECT r.oid, NULL::text, a.grantee FROM relation r
    CROSS JOIN LATERAL pg_catalog.aclexplode(coalesce(r.relacl, pg_catalog.acldefault('r', r.relowner))) a
    WHERE a.privilege_type = 'SELECT'
  UNION ALL
    SELECT r.oid, t.attname::text, a.grantee FROM relation r
    JOIN pg_catalog.pg_attribute t ON t.attrelid = r.oid AND t.attacl IS NOT NULL AND NOT t.attisdropped
    CROSS JOIN LATERAL pg_catalog.aclexplode(t.attacl) a WHERE a.privilege_type = 'SELECT'
)
SELECT g.oid::bigint AS oid, g.field, g.grantee::bigint AS grantee, r.rolname AS name
FROM granted g LEFT JOIN pg_catalog.pg_roles r ON r.oid = g.grantee ORDER BY g.oid, g.field NULLS FIRST, r.rolname
"""
