"""MySQL 8 and MariaDB 10.6 and later, by PyMySQL.

The catalog is read from `information_schema`, one question a schema and kind: SQLAlchemy's inspector runs
SHOW CREATE TABLE for each table. A "schema" is what these servers call a database; a source is a whole server
unless `include_schemas` says otherwise.
"""

from __future__ import annotations

import importlib
import re
import ssl
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from inventory.errors import SourceError
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
    stretches,
)
from scanners.databases.writers import MOST_STATEMENTS, SeenStatement

SETTLED = 2  # seconds after which a further change would show in UPDATE_TIME, which counts in seconds


class MySQLSettings(RelationalSettings):
    """The databases of a MySQL or MariaDB server; `include_schemas` names those to scan, all by default."""

    type: Literal["mysql", "mariadb"] = "mysql"
    host: str = Field(default="localhost", description="Host name or address.")
    port: int = Field(default=3306, ge=1, le=65535)
    user: str = Field(min_length=1, description="An account that may read, and nothing else.")
    password: Secret | None = None
    sslmode: Literal["disable", "prefer", "require", "verify-ca", "verify-full"] = "prefer"
    sslrootcert: Path | None = Field(default=None, description="The authorities that verify-ca and verify-full trust.")
    connect_timeout: int = Field(default=10, ge=2, le=300, description="Seconds to wait for the connection.")


class MySQLScanner(RelationalScanner[MySQLSettings]):
    """Scans the databases of one server."""

    settings_type: ClassVar[type[SourceSettings]] = MySQLSettings
    engine_name = "mysql"
    sql_dialect = "mysql"

    @property
    def system(self) -> str:
        """`mysql://host:port`, an IPv6 address in brackets."""
        settings = self.settings
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        return settings.namespace or f"mysql://{host}:{settings.port}"

    def dataset_name(self, schema: str, name: str) -> str:
        """`database.table`."""
        return f"{schema}.{name}"

    @property
    def name_prefix(self) -> str:
        """Nothing: a source is a server."""
        return ""

    # --- connection ----------------------------------------------------------------------------------------

    def engine(self) -> sa.Engine:
        """A new engine; parameters never show in its errors or logs."""
        settings = self.settings
        try:
            for module in ("pymysql", "cryptography"):  # MySQL 8's own way to sign in without TLS needs the second
                importlib.import_module(module)
        except ImportError:
            raise SourceError(
                settings.name, "its driver is not installed", "pip install 'privacy-inventory[mysql]'"
            ) from None
        url = sa.URL.create(
            "mysql+pymysql",
            username=settings.user,
            password=settings.password.reveal().get_secret_value() if settings.password else None,
            host=settings.host,
            port=settings.port,
        )
        patience = round(settings.statement_timeout) + 5  # the server gives up first; this is for a dead network
        arguments: dict[str, Any] = {
            "charset": "utf8mb4",
            "connect_timeout": settings.connect_timeout,
            "read_timeout": patience,
            "write_timeout": patience,
            "local_infile": False,  # the server could ask for any file of ours
            "init_command": "SET SESSION sql_mode = ''",  # what quotes and backslashes mean is ours to say
            **self._tls(),
        }
        return sa.create_engine(url, poolclass=NullPool, hide_parameters=True, connect_args=arguments)

    def _tls(self) -> dict[str, Any]:
        settings = self.settings
        if settings.sslmode == "disable":
            return {"ssl_disabled": True}
        if settings.sslmode == "prefer":
            return {}
        authorities = str(settings.sslrootcert.expanduser()) if settings.sslrootcert else None
        try:
            context = ssl.create_default_context(cafile=authorities)
        except OSError:
            cause = "sslrootcert cannot be read"
            raise SourceError(settings.name, cause, "check the path", code="wrong-certificate") from None
        context.check_hostname = settings.sslmode == "verify-full"
        if settings.sslmode == "require":
            context.verify_mode = ssl.CERT_NONE
        return {"ssl": context}

    def begin(self, connection: sa.Connection) -> None:
        """Bounds in the words of the server at hand; locks are waited for a whole second, the least MySQL knows."""
        seconds = self.settings.statement_timeout
        if self._is_mariadb(connection):
            connection.exec_driver_sql(f"SET SESSION max_statement_time = {seconds:.3f}")
        else:
            connection.exec_driver_sql(
                f"SET SESSION max_execution_time = {round(seconds * 1000)}, information_schema_stats_expiry = 0"
            )
        connection.exec_driver_sql("SET SESSION lock_wait_timeout = 1, innodb_lock_wait_timeout = 1")
        connection.exec_driver_sql("START TRANSACTION READ ONLY")

    def _is_mariadb(self, connection: sa.Connection) -> bool:
        return bool(getattr(connection.dialect, "is_mariadb", False))

    def version(self, connection: sa.Connection) -> str:
        """As the server says: "10.11.6-MariaDB", "8.4.2"."""
        return str(connection.exec_driver_sql("SELECT version()").scalar_one())

    def safeguards(self, connection: sa.Connection) -> Iterable[Observation]:
        """Whether our own session is encrypted, and the tablespaces if we may know."""
        statement = "SHOW SESSION STATUS WHERE variable_name IN ('Ssl_cipher', 'Ssl_version')"
        status = {row[0]: row[1] for row in connection.exec_driver_sql(statement)}
        cipher = status.get("Ssl_cipher", "")
        yield SafeguardSeen(
            system=self.system,
            safeguard="encryption_in_transit",
            present=bool(cipher),
            evidence=f"the scanner's own session: {status.get('Ssl_version', '')}, {cipher}"
            if cipher
            else "the scanner's own session is not encrypted",
        )
        statement = _MARIADB_TABLESPACES if self._is_mariadb(connection) else _MYSQL_TABLESPACES
        counted = self._allowed(connection, statement)
        if counted and counted[0].number:
            number, encrypted = int(counted[0].number), int(counted[0].encrypted)
            yield SafeguardSeen(
                system=self.system,
                safeguard="encryption_at_rest",
                present=number == encrypted,
                evidence=f"{encrypted} of {number} tablespaces with people's tables are encrypted",
            )

    def _allowed(self, connection: sa.Connection, statement: str) -> Sequence[sa.Row[Any]] | None:
        """The rows; None when our account may not ask for them (an error ends no transaction here)."""
        try:
            return connection.exec_driver_sql(statement).all()
        except DBAPIError as error:
            if self.fault(error).code in ("no-permission", "changed"):
                return None
            raise

    def fault(self, error: BaseException) -> Fault:
        """By the server's or the client library's error number."""
        cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        number = cause.args[0] if cause.args and isinstance(cause.args[0], int) else None
        if number is None:
            if isinstance(error, DBAPIError) and error.connection_invalidated:
                return SERVER_GONE
            return Fault("unreadable", f"its values could not be read ({type(cause).__name__})", "report this")
        if number in (2002, 2003, 2005):
            return self._unreachable(cause)
        known = _FAULTS.get(number)
        return known or Fault("unreadable", f"the server answered error {number}", "look it up in the server's log")

    def _unreachable(self, cause: BaseException) -> Fault:
        """PyMySQL wraps what went wrong in the handshake, a certificate too."""
        original = getattr(cause, "original_exception", None)
        if isinstance(original, ssl.SSLCertVerificationError):
            return _source_fault("wrong-certificate", "the server's certificate is not trusted", "check sslrootcert")
        if isinstance(original, ssl.SSLError):
            return _source_fault("no-encryption", "the encrypted session could not be opened", "check sslmode")
        settings = self.settings
        reached = f"cannot reach {settings.host}:{settings.port}"
        return _source_fault("unreachable", reached, "check host, port and network")

    # --- catalog -------------------------------------------------------------------------------------------

    def schemas(self, connection: sa.Connection) -> Sequence[str]:
        """All but the server's own."""
        return connection.exec_driver_sql(_SCHEMAS).scalars().all()

    def relations(self, connection: sa.Connection, schema: str) -> Sequence[Relation]:
        """Base tables and views, by name."""
        columns = self._columns(connection, schema)
        primary, foreign = self._keys(connection, schema)
        definitions = {
            row.name: row.definition
            for row in connection.execute(sa.text(_DEFINITIONS), {"schema": schema})
            if row.definition
        }
        rows = connection.execute(sa.text(_RELATIONS), {"schema": schema}).all()
        readers = self._relations_readers(connection, schema, [row.name for row in rows])
        return [
            Relation(
                schema=schema,
                name=row.name,
                kind=DatasetKind.VIEW if row.kind == "VIEW" else DatasetKind.TABLE,
                columns=tuple(columns[row.name]),
                primary_key=tuple(primary[row.name]),
                foreign_keys=tuple(foreign[row.name]),
                comment="" if row.kind == "VIEW" else row.comment or "",
                row_estimate=row.estimate,
                definition=definitions.get(row.name, ""),
                unknown=_unknown(row, definitions, columns),
                state=row.state or "",
                readers=None if readers is None else tuple(readers[row.name]),
            )
            for row in rows
        ]

    def statements(self, connection: sa.Connection) -> Iterable[SeenStatement]:
        """The bodies of triggers, and the digests of statements where the performance schema counts them."""
        for row in connection.execute(sa.text(_TRIGGERS), {"most": MOST_STATEMENTS}):
            yield SeenStatement(row.body or "", row.name, (row.watched, row.relation))
        try:
            with self._own_words():
                rows = connection.execute(sa.text(_DIGESTS), {"most": MOST_STATEMENTS}).all()
        except DriverFault as error:
            if error.fault.fatal:
                raise
            return  # we may not read it, or the server keeps none
        for row in rows:
            if not row.text.endswith("..."):  # cut off by the server
                yield SeenStatement(row.text, table=(row.home or "", ""))

    def _columns(self, connection: sa.Connection, schema: str) -> Mapping[str, Sequence[Column]]:
        found: defaultdict[str, list[Column]] = defaultdict(list)
        for row in connection.execute(sa.text(_COLUMNS), {"schema": schema}):
            found[row.relation].append(
                Column(
                    name=row.name,
                    type=row.type,
                    carrier=_carrier(row.base, row.type),
                    nullable=row.nullable == "YES",
                    comment=row.comment or "",
                    base_type=row.base,
                    readable="select" in (row.privileges or "").split(","),
                )
            )
        return found

    def _keys(
        self, connection: sa.Connection, schema: str
    ) -> tuple[Mapping[str, Sequence[str]], Mapping[str, Sequence[ForeignKey]]]:
        primary: defaultdict[str, list[str]] = defaultdict(list)
        pairs: defaultdict[tuple[str, str, str, str], list[tuple[str, str]]] = defaultdict(list)
        for row in connection.execute(sa.text(_KEYS), {"schema": schema}):
            if row.target_table is not None:
                key = (row.relation, row.name, row.target_schema, row.target_table)
                pairs[key].append((row.field, row.target_field))
            elif row.name == "PRIMARY":
                primary[row.relation].append(row.field)
        foreign: defaultdict[str, list[ForeignKey]] = defaultdict(list)
        for (relation, name, target_schema, target_table), fields in pairs.items():
            columns, targets = zip(*fields, strict=True)
            foreign[relation].append(ForeignKey(name, columns, target_schema, target_table, targets))
        return primary, foreign

    # --- who may read --------------------------------------------------------------------------------------

    def readers(self, connection: sa.Connection) -> Sequence[Reader] | None:
        """Accounts and roles with SELECT on everything; None unless we may read the grants of others."""
        grants = self._grants(connection)
        return None if grants is None else grants.server_wide()

    def _relations_readers(
        self, connection: sa.Connection, schema: str, names: Collection[str]
    ) -> Mapping[str, Sequence[Reader]] | None:
        grants = self._grants(connection)
        return None if grants is None else grants.of_schema(connection, schema, names)

    def _grants(self, connection: sa.Connection) -> _Grants | None:
        if self._allowed(connection, "SELECT 1 FROM mysql.user LIMIT 1") is None:
            return None
        if self._is_mariadb(connection):
            roles = self._allowed(connection, "SELECT user AS name FROM mysql.user WHERE is_role = 'Y'")
            edges = self._allowed(connection, "SELECT user AS member, role FROM mysql.roles_mapping")
        else:  # MySQL's roles are accounts that cannot sign in
            roles = self._allowed(connection, "SELECT DISTINCT from_user AS name FROM mysql.role_edges")
            edges = self._allowed(connection, "SELECT to_user AS member, from_user AS role FROM mysql.role_edges")
        everywhere = self._allowed(connection, _GLOBAL_GRANTS)
        if roles is None or edges is None or everywhere is None:
            return None
        return _Grants(
            roles={_name(row.name) for row in roles},
            members=[(_name(row.member), _name(row.role)) for row in edges],
            everywhere=[_grantee(row.grantee) for row in everywhere],
        )

    # --- sample --------------------------------------------------------------------------------------------

    def sample(self, connection: sa.Connection, relation: Relation, columns: Sequence[Column]) -> Sample:
        """Short stretches spread over the key of a large table whose key begins with a number; else its first rows."""
        settings, rows = self.settings, self.settings.sampling.rows
        names = dict.fromkeys([*(column.name for column in columns), *relation.primary_key])
        table = sa.table(relation.name, *(sa.column(name, sa.Text) for name in names), schema=relation.schema)
        carried = [_carried(table.c[column.name], column, settings.sampling.value_bytes) for column in columns]
        statement = sampled(carried, table)
        if not relation.primary_key or not {column.name for column in columns}.issuperset(relation.primary_key):
            return Sample([statement.limit(rows)])
        order = [table.c[name] for name in relation.primary_key]
        leading = next(column for column in columns if column.name == relation.primary_key[0])
        small = relation.row_estimate is not None and relation.row_estimate <= 2 * rows
        if leading.carrier is not Carrier.INTEGER or small:
            return Sample([statement.order_by(*order).limit(rows)])
        bounds = connection.execute(sa.select(sa.func.min(order[0]), sa.func.max(order[0])).select_from(table)).one()
        lowest, highest = int(bounds[0] or 0), int(bounds[1] or 0)
        if highest - lowest < 2 * rows:
            return Sample([statement.order_by(*order).limit(rows)])
        seed = sample_seed(settings, relation.schema, relation.name)
        return Sample(stretches(statement, order[0], (lowest, highest), order, seed=seed, rows=rows))


SCANNER = MySQLScanner


class _Grants:
    """Who has SELECT, with the roles that pass it on. An account is known by its name: its hosts are no one else."""

    def __init__(self, roles: set[str], members: Sequence[tuple[str, str]], everywhere: Sequence[str]) -> None:
        self.roles = roles
        self.everywhere = everywhere
        self.acting: defaultdict[str, set[str]] = defaultdict(set)
        for member, role in members:
            self.acting[role].add(member)

    def server_wide(self) -> list[Reader]:
        """Those with SELECT on all databases; they are not told of again with each relation."""
        return [reader for grantee in self.everywhere for reader in self._with_members(grantee, "all databases")]

    def of_schema(
        self, connection: sa.Connection, schema: str, names: Collection[str]
    ) -> Mapping[str, Sequence[Reader]]:
        """By relation: those with SELECT on its database, on itself or on some of its columns."""
        found: defaultdict[str, list[Reader]] = defaultdict(list)
        told = {reader.principal for reader in self.server_wide()}
        for row in connection.execute(sa.text(_SCHEMA_GRANTS)):
            if _pattern(row.pattern).fullmatch(schema):
                readers = list(self._with_members(_grantee(row.grantee), "the database"))
                for name in names:
                    found[name] += readers
        for row in connection.execute(sa.text(_TABLE_GRANTS), {"schema": schema}):
            columns = (row.field,) if row.field else ()
            place = "the column" if columns else "it"
            found[row.relation] += self._with_members(_grantee(row.grantee), place, columns)
        return defaultdict(
            list, {name: [one for one in readers if one.principal not in told] for name, readers in found.items()}
        )

    def _with_members(self, grantee: str, place: str, columns: tuple[str, ...] = ()) -> Iterator[Reader]:
        evidence = f"SELECT on {place} is granted to "
        yield Reader(grantee, self._kind(grantee), "SELECT", "", evidence + "it", columns)
        known, waiting = {grantee}, [grantee]
        while waiting:
            for member in sorted(self.acting[waiting.pop()] - known):
                known.add(member)
                waiting.append(member)
                yield Reader(member, self._kind(member), "SELECT", grantee, f"{evidence}{grantee}", columns)

    def _kind(self, name: str) -> PrincipalKind:
        if name == PUBLIC:
            return PrincipalKind.PUBLIC
        return PrincipalKind.ROLE if name in self.roles else PrincipalKind.USER


PUBLIC = "PUBLIC"


def _grantee(text: str) -> str:
    """`'app'@'10.%'` is an account and `'clerk'` or `'clerk'@''` a role; '' is whoever has no account."""
    match = re.fullmatch(r"'(.*)'@'.*'|'(.*)'|(.*)", text, re.DOTALL)
    return _name((match[1] or match[2] or match[3] or "") if match else text)


def _name(name: str | bytes) -> str:
    text = name.decode(errors="replace") if isinstance(name, bytes) else name
    return PUBLIC if text in ("", "PUBLIC") else text


def _pattern(pattern: str) -> re.Pattern[str]:
    """A grant's database name is a LIKE pattern: `shop\\_%`."""
    parts: list[str] = []
    for piece in re.finditer(r"\\.|.", pattern, re.DOTALL):
        wild = {"%": ".*", "_": "."}.get(piece[0])
        parts.append(wild or re.escape(piece[0].removeprefix("\\")))
    return re.compile("".join(parts), re.DOTALL | re.IGNORECASE)


def _unknown(row: sa.Row[Any], definitions: Mapping[str, str], columns: Mapping[str, Sequence[Column]]) -> Fault | None:
    if row.kind != "VIEW":
        return None
    if not columns[row.name]:
        return BROKEN_VIEW
    return None if row.name in definitions else DEFINITION_HIDDEN


_INTEGERS = {"tinyint", "smallint", "mediumint", "int", "bigint", "year"}
_BINARY = {"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"}
_TEXTS = {"char", "varchar", "tinytext", "text", "mediumtext", "longtext"}
_SHAPES = {
    *("geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon"),
    *("geometrycollection", "geomcollection"),
}


def _carrier(base: str, declared: str) -> Carrier:
    """Dates and decimals go as text: a zero date has no Python value."""
    if base in _INTEGERS and not (base == "bigint" and "unsigned" in declared):
        return Carrier.INTEGER
    if base in ("float", "double"):
        return Carrier.FLOAT
    if base in _BINARY:
        return Carrier.BINARY
    return Carrier.JSON if base == "json" else Carrier.TEXT


def _carried(column: sa.ColumnElement[Any], known: Column, limit: int) -> sa.ColumnElement[Any]:
    """What to select so that the server sends no more than `limit` characters or bytes of a value."""
    if known.carrier in (Carrier.INTEGER, Carrier.FLOAT):
        return column
    if known.base_type in _SHAPES:
        column = sa.func.ST_AsText(column)
    elif known.base_type not in _TEXTS | _BINARY:
        column = sa.cast(column, sa.CHAR)
    return sa.func.left(column, sa.literal_column(str(limit), sa.Integer))


_SCHEMAS = """
SELECT schema_name FROM information_schema.schemata
WHERE schema_name NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys') ORDER BY schema_name
"""

# UPDATE_TIME is unknown after a restart and for partitioned tables, and another change may fall into its second.
_RELATIONS = """
SELECT table_name AS name, table_type AS kind, table_comment AS comment, table_rows AS estimate,
       CASE WHEN update_time < now() - INTERVAL {settled} SECOND
            THEN concat_ws(' ', engine, create_time, update_time) END AS state
FROM information_schema.tables
WHERE table_schema = :schema AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED', 'VIEW') ORDER BY table_name
""".replace("{settled}", str(SETTLED))

_COLUMNS = """
SELECT table_name AS relation, column_name AS name, column_type AS type, lower(data_type) AS base,
       is_nullable AS nullable, column_comment AS comment, privileges AS privileges
FROM information_schema.columns WHERE table_schema = :schema ORDER BY table_name, ordinal_position
"""

_KEYS = """
SELECT table_name AS relation, constraint_name AS name, column_name AS field, referenced_table_schema AS target_schema,
       referenced_table_name AS target_table, referenced_column_name AS target_field
FROM information_schema.key_column_usage
WHERE table_schema = :schema ORDER BY table_name, constraint_name, ordinal_position
"""

_DEFINITIONS = """
SELECT table_name AS name, view_definition AS definition FROM information_schema.views WHERE table_schema = :schema
"""

_TRIGGERS = """
SELECT trigger_name AS name, event_object_schema AS watched, event_object_table AS relation, action_statement AS body
FROM information_schema.triggers WHERE event_object_schema NOT IN ('mysql', 'sys')
ORDER BY event_object_schema, trigger_name LIMIT :most
"""

# The server itself has put a question mark in the place of every literal.
_DIGESTS = """
SELECT schema_name AS home, digest_text AS text FROM performance_schema.events_statements_summary_by_digest
WHERE digest_text REGEXP '^(INSERT|REPLACE|UPDATE|CREATE TABLE|WITH) '
ORDER BY count_star DESC LIMIT :most
"""

_GLOBAL_GRANTS = """
SELECT grantee AS grantee FROM information_schema.user_privileges WHERE privilege_type = 'SELECT' ORDER BY grantee
"""

_SCHEMA_GRANTS = """
SELECT grantee AS grantee, table_schema AS pattern FROM information_schema.schema_privileges
WHERE privilege_type = 'SELECT' ORDER BY grantee
"""

_TABLE_GRANTS = """
SELECT grantee AS grantee, table_name AS relation, '' AS field FROM information_schema.table_privileges
WHERE privilege_type = 'SELECT' AND table_schema = :schema
UNION ALL
SELECT grantee, table_name, column_name FROM information_schema.column_privileges
WHERE privilege_type = 'SELECT' AND table_schema = :schema
ORDER BY relation, field, grantee
"""

_MARIADB_TABLESPACES = """
SELECT count(*) AS number, coalesce(sum(e.encryption_scheme = 1), 0) AS encrypted
FROM information_schema.innodb_sys_tablespaces s
LEFT JOIN information_schema.innodb_tablespaces_encryption e ON e.space = s.space
WHERE s.name LIKE '%%/%%' AND s.name NOT LIKE 'mysql/%%' AND s.name NOT LIKE 'sys/%%'
"""

_MYSQL_TABLESPACES = """
SELECT count(*) AS number, coalesce(sum(encryption = 'Y'), 0) AS encrypted FROM information_schema.innodb_tablespaces
WHERE name LIKE '%%/%%' AND name NOT LIKE 'mysql/%%' AND name NOT LIKE 'sys/%%'
"""

_source_fault = partial(Fault, fatal=True)  # nothing of the source can be read

BROKEN_VIEW = Fault(
    "broken-view", "the server cannot open it: it names what does not exist, or reading it would write", "repair it"
)
DEFINITION_HIDDEN = Fault("no-permission", "no permission to see its definition", "grant SHOW VIEW to the account")
SERVER_GONE = _source_fault("unreachable", "the server ended the connection", "scan again when it is back")
WRONG_PASSWORD = _source_fault("wrong-password", "wrong user or password", "check user and password")
EXPIRED = _source_fault("wrong-password", "the account is locked or its password has expired", "renew it")
OVERLOADED = _source_fault("overloaded", "the server has no connection left", "scan again later")
REFUSED = _source_fault("refused", "the server refuses our host", "check the account's host and the server's blocks")
NO_PERMISSION = Fault("no-permission", "no permission to read it", "grant SELECT to the account")
CHANGED = Fault("changed", "it was dropped or changed while it was read", "scan again")
LOCKED = Fault("locked", "another session's lock is in the way", "scan again later")
TOO_LONG = Fault("statement-timeout", "reading it took too long", "raise statement_timeout, or exclude it")
DAMAGED = Fault("damaged", "its storage is damaged", "check the server")
DISK_FULL = Fault("disk-full", "the server has no room for temporary tables", "make room there, or exclude it")

# The server's errors (1000-1999, 3000-; MySQL Server Error Message Reference, MariaDB Error Codes) and the client's.
_FAULTS: Mapping[int, Fault] = {
    **dict.fromkeys((1045, 1698, 1251), WRONG_PASSWORD),
    **dict.fromkeys((1820, 1862, 3118, 4151), EXPIRED),
    **dict.fromkeys((1040, 1203, 1226), OVERLOADED),
    **dict.fromkeys((1129, 1130), REFUSED),
    **dict.fromkeys((1044, 1142, 1143, 1227, 1370, 1449), NO_PERMISSION),
    **dict.fromkeys((1049, 1051, 1054, 1109, 1146, 1412, 1932), CHANGED),
    **dict.fromkeys((1205, 1213, 3572), LOCKED),
    **dict.fromkeys((1317, 1969, 3024), TOO_LONG),
    **dict.fromkeys((1034, 1035, 1194, 1195, 1877), DAMAGED),
    **dict.fromkeys((1021, 1041, 1114), DISK_FULL),
    **dict.fromkeys((0, 1053, 1079, 1158, 1159, 1160, 1161, 1927, 2006, 2013, 2055, 4031), SERVER_GONE),
    1356: BROKEN_VIEW,
    1792: Fault("writes", "reading it would write", "exclude it, or make its functions read-only"),
    2026: _source_fault("no-encryption", "the encrypted session could not be opened", "check sslmode on both sides"),
}
