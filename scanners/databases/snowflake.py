"""Snowflake, by snowflake-connector-python.

The catalog is `information_schema` and SHOW … KEYS, one question a schema and kind. Snowflake has no read-only session:
the role's grants are what keeps it from writing, and nothing but SELECT and SHOW is ever said.
"""

from __future__ import annotations

import importlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Literal

import sqlalchemy as sa
from pydantic import Field, model_validator
from sqlalchemy.exc import DBAPIError

from inventory.errors import ConfigError
from inventory.model import DatasetKind, Observation, PrincipalKind, SafeguardSeen
from scanners.base import Secret, SourceSettings
from scanners.databases.catalog import Carrier, Column, Fault, ForeignKey, Reader, Relation
from scanners.databases.plain import SnowflakeDialect, plain_engine
from scanners.databases.relational import RelationalScanner, RelationalSettings, Sample, sample_seed, sampled


class SnowflakeSettings(RelationalSettings):
    """One database of a Snowflake account."""

    type: Literal["snowflake"] = "snowflake"
    account: str = Field(pattern=r"^[A-Za-z0-9._-]+$", description="Such as myorg-account1.")
    database: str = Field(min_length=1, description="As Snowflake keeps it: SHOP, unless it was made in quotes.")
    user: str = Field(min_length=1)
    password: Secret | None = None
    private_key: Secret | None = Field(default=None, description="A PEM key without passphrase, instead of a password.")
    role: str = Field(default="", description="A role that may read, and nothing else.")
    warehouse: str = Field(default="", description="What runs the samples; the catalog's questions need one too.")
    connect_timeout: int = Field(default=30, ge=2, le=300, description="Seconds to wait for the session.")

    @model_validator(mode="after")
    def _signs_in(self) -> SnowflakeSettings:
        if (self.password is None) == (self.private_key is None):
            raise ValueError("give either password or private_key")
        return self


class SnowflakeScanner(RelationalScanner[SnowflakeSettings]):
    """Scans one database of an account."""

    settings_type: ClassVar[type[SourceSettings]] = SnowflakeSettings
    engine_name = "snowflake"
    sql_dialect = "snowflake"

    @property
    def system(self) -> str:
        """`snowflake://account`."""
        return self.settings.namespace or f"snowflake://{self.settings.account}"

    def dataset_name(self, schema: str, name: str) -> str:
        """`database.schema.table`."""
        return f"{self.name_prefix}{schema}.{name}"

    @property
    def name_prefix(self) -> str:
        """`database.`, as an account has several."""
        return f"{self.settings.database}."

    # --- connection ----------------------------------------------------------------------------------------

    def engine(self) -> sa.Engine:
        """A new engine; the driver's own log of statements stays silent."""
        return plain_engine(self.settings.name, SnowflakeDialect, self._connect, "snowflake")

    def _connect(self) -> Any:
        settings = self.settings
        arguments: dict[str, Any] = {
            "account": settings.account,
            "user": settings.user,
            "database": settings.database,
            "application": "privacy_inventory",
            "login_timeout": settings.connect_timeout,
            "network_timeout": round(settings.statement_timeout) + 5,
            "client_session_keep_alive": False,
            "session_parameters": {
                "STATEMENT_TIMEOUT_IN_SECONDS": max(1, round(settings.statement_timeout)),
                "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS": max(1, round(settings.statement_timeout)),
                "QUERY_TAG": "privacy-inventory",
            },
        }
        if settings.role:
            arguments["role"] = settings.role
        if settings.warehouse:
            arguments["warehouse"] = settings.warehouse
        if settings.password is not None:
            arguments["password"] = settings.password.reveal().get_secret_value()
        if settings.private_key is not None:
            arguments["private_key"] = self._key(settings.private_key.reveal().get_secret_value())
        return importlib.import_module("snowflake.connector").connect(**arguments)

    def _key(self, text: str) -> bytes:
        """The key in the form that the driver takes."""
        serialization: Any = importlib.import_module("cryptography.hazmat.primitives.serialization")
        try:
            key = serialization.load_pem_private_key(text.encode(), password=None)
        except (ValueError, TypeError):
            pass
        else:
            return key.private_bytes(
                serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        raise ConfigError(self.settings.name, "private_key holds no PEM key, or one with a passphrase", "give another")

    def version(self, connection: sa.Connection) -> str:
        """The service's version."""
        return str(connection.exec_driver_sql("SELECT CURRENT_VERSION()").scalar_one())

    def safeguards(self, connection: sa.Connection) -> Iterable[Observation]:
        """The driver speaks HTTPS alone. Nothing is told of encryption at rest."""
        del connection
        evidence = "the scanner's own session is HTTPS, as all of Snowflake's are"
        yield SafeguardSeen(self.system, "encryption_in_transit", True, evidence)

    def fault(self, error: BaseException) -> Fault:
        """By the driver's or the service's error number, or by SQLSTATE."""
        cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        number, state = getattr(cause, "errno", None), str(getattr(cause, "sqlstate", "") or "")
        known = _FAULTS.get(number) if isinstance(number, int) else None
        if known is not None:
            return known
        if state.startswith("08") or (isinstance(error, DBAPIError) and error.statement is None):
            return UNREACHABLE
        what = f"error {number}" if number else type(cause).__name__
        return Fault("unreadable", f"Snowflake answered {what}", "look it up in the query history")

    # --- catalog -------------------------------------------------------------------------------------------

    def schemas(self, connection: sa.Connection) -> Sequence[str]:
        """All but the database's own."""
        return connection.exec_driver_sql(_SCHEMAS).scalars().all()

    def relations(self, connection: sa.Connection, schema: str) -> Sequence[Relation]:
        """Tables, external and dynamic ones too, views and materialised views."""
        columns = self._columns(connection, schema)
        primary, foreign = self._keys(connection, schema)
        of_schema = {"schema": schema}
        readers = self._readers(connection, schema)
        definitions = {row[0]: row[1] for row in connection.exec_driver_sql(_DEFINITIONS, of_schema)}
        rows_of_tables = [tuple(row) for row in connection.exec_driver_sql(_RELATIONS, of_schema)]
        unlisted = sorted(definitions.keys() - {row[0] for row in rows_of_tables})
        views = [(name, "VIEW", "", None, None, None) for name in unlisted]
        return [
            Relation(
                schema=schema,
                name=name,
                kind=_KINDS.get(kind, DatasetKind.TABLE),
                columns=tuple(columns[name]),
                primary_key=tuple(primary[name]),
                foreign_keys=tuple(foreign[name]),
                comment=comment or "",
                row_estimate=rows if kind == "BASE TABLE" else None,
                row_bytes=volume // rows if rows and volume else None,
                definition=definitions.get(name) or "",
                unknown=DEFINITION_HIDDEN if kind in _KINDS and not definitions.get(name) else None,
                state=f"{altered} {rows} {volume}" if kind == "BASE TABLE" and altered is not None else "",
                foreign=kind == "EXTERNAL TABLE",
                readers=None if readers is None else tuple(readers.get(name, ())),
            )
            for name, kind, comment, rows, volume, altered in [*rows_of_tables, *views]
        ]

    def _readers(self, connection: sa.Connection, schema: str) -> Mapping[str, Sequence[Reader]] | None:
        """By relation, the roles that may read it; None when we may not ask. Who holds a role is not followed."""
        try:
            granted = connection.exec_driver_sql(_PRIVILEGES, {"schema": schema}).all()
        except DBAPIError as error:
            if self.fault(error).fatal:
                raise
            return None
        found: defaultdict[str, list[Reader]] = defaultdict(list)
        for relation, role, privilege in granted:
            found[relation].append(
                Reader(role, PrincipalKind.ROLE, privilege, evidence=f"{privilege} is granted to the role")
            )
        return found

    def _columns(self, connection: sa.Connection, schema: str) -> Mapping[str, Sequence[Column]]:
        found: defaultdict[str, list[Column]] = defaultdict(list)
        for relation, name, declared, nullable, comment in connection.exec_driver_sql(_COLUMNS, {"schema": schema}):
            found[relation].append(Column(name, declared, _carrier(declared), nullable == "YES", comment or ""))
        return found

    def _keys(
        self, connection: sa.Connection, schema: str
    ) -> tuple[Mapping[str, Sequence[str]], Mapping[str, Sequence[ForeignKey]]]:
        """Keys to other databases are left out: a name says nothing of what is in them."""
        place = ".".join(f'"{name.replace(chr(34), chr(34) * 2)}"' for name in (self.settings.database, schema))
        place = place.replace("%", "%%")
        primary: defaultdict[str, list[str]] = defaultdict(list)
        for key in _shown(connection, f"SHOW PRIMARY KEYS IN SCHEMA {place}"):
            primary[key["table_name"]].append(key["column_name"])
        pairs: defaultdict[tuple[str, str, str, str], list[tuple[str, str]]] = defaultdict(list)
        for key in _shown(connection, f"SHOW IMPORTED KEYS IN SCHEMA {place}"):
            if key["pk_database_name"] == self.settings.database:
                named = (key["fk_table_name"], key["fk_name"], key["pk_schema_name"], key["pk_table_name"])
                pairs[named].append((key["fk_column_name"], key["pk_column_name"]))
        foreign: defaultdict[str, list[ForeignKey]] = defaultdict(list)
        for (table, name, target_schema, target_table), fields in pairs.items():
            own, targets = zip(*fields, strict=True)
            foreign[table].append(ForeignKey(name, own, target_schema, target_table, targets))
        return primary, foreign

    # --- sample --------------------------------------------------------------------------------------------

    def sample(self, connection: sa.Connection, relation: Relation, columns: Sequence[Column]) -> Sample:
        """Some micro-partitions of a large table, by a seed; the first rows by key of a small one, or of a view."""
        del connection
        rows, limit = self.settings.sampling.rows, self.settings.sampling.value_bytes
        names = dict.fromkeys([*(column.name for column in columns), *relation.primary_key])
        table = sa.table(relation.name, *(sa.column(name, sa.Text) for name in names), schema=relation.schema)
        number = sa.literal_column(str(rows), sa.Integer)
        if relation.row_estimate is not None and relation.row_estimate > LARGE:
            percent = min(100.0, max(MOST_PERCENT, 200 * rows / relation.row_estimate))
            seed = sample_seed(self.settings, relation.schema, relation.name)
            some = table.tablesample(
                sa.func.system(sa.literal_column(f"{percent:.6f}")), name="s", seed=sa.literal_column(str(seed))
            )
            carried = [_carried(some.c[column.name], column.carrier, limit) for column in columns]
            return Sample([sampled(carried, some).limit(number)])
        carried = [_carried(table.c[column.name], column.carrier, limit) for column in columns]
        statement = sampled(carried, table).limit(number)
        return Sample([statement.order_by(*(table.c[name] for name in relation.primary_key))])


SCANNER = SnowflakeScanner

LARGE = 1_000_000  # rows: below, a table is a few micro-partitions, and a sample of them may be empty
MOST_PERCENT = 1.0

_KINDS = {"VIEW": DatasetKind.VIEW, "MATERIALIZED VIEW": DatasetKind.MATERIALIZED_VIEW}


def _shown(connection: sa.Connection, statement: str) -> list[dict[str, Any]]:
    """What a SHOW tells, in the order of keys, tables and places in them."""
    result = connection.exec_driver_sql(statement)
    names = dict.fromkeys(name.lower() for name in result.keys())  # noqa: SIM118 (a method of a result, not of a dict)
    rows = [dict(zip(names, row, strict=True)) for row in result]
    return sorted(rows, key=lambda row: int(row["key_sequence"]))


def _carrier(declared: str) -> Carrier:
    """NUMBER has 38 digits: it goes as text."""
    return _CARRIERS.get(declared.partition("(")[0], Carrier.TEXT)


_CARRIERS = {
    **dict.fromkeys(("VARIANT", "OBJECT", "ARRAY", "MAP"), Carrier.JSON),
    "FLOAT": Carrier.FLOAT,
    "BOOLEAN": Carrier.BOOLEAN,
}


def _carried(column: sa.ColumnElement[Any], carrier: Carrier, limit: int) -> sa.ColumnElement[Any]:
    """What to select so that the service sends no more than `limit` characters of a value."""
    number = sa.literal_column(str(limit), sa.Integer)
    if carrier is Carrier.TEXT:
        return sa.func.left(sa.cast(column, sa.VARCHAR), number)
    if carrier is Carrier.JSON:
        return sa.func.left(sa.func.to_json(column), number)
    return column


_SCHEMAS = "SELECT schema_name FROM information_schema.schemata WHERE schema_name <> 'INFORMATION_SCHEMA' ORDER BY 1"

_RELATIONS = """
SELECT table_name, table_type, comment, row_count, bytes, last_altered FROM information_schema.tables
WHERE table_schema = %(schema)s ORDER BY table_name
"""

_DEFINITIONS = "SELECT table_name, view_definition FROM information_schema.views WHERE table_schema = %(schema)s"

_PRIVILEGES = """
SELECT table_name, grantee, privilege_type FROM information_schema.table_privileges
WHERE table_schema = %(schema)s AND privilege_type IN ('SELECT', 'OWNERSHIP')
ORDER BY table_name, grantee, privilege_type DESC
"""

_COLUMNS = """
SELECT table_name, column_name, data_type, is_nullable, comment FROM information_schema.columns
WHERE table_schema = %(schema)s ORDER BY table_name, ordinal_position
"""

_source_fault = partial(Fault, fatal=True)  # nothing of the source can be read

UNREACHABLE = _source_fault("unreachable", "the session could not be opened, or ended", "check account and network")
WRONG_PASSWORD = _source_fault("wrong-password", "wrong user, password or key", "check them, and network policies")
DEFINITION_HIDDEN = Fault("no-permission", "no permission to see its definition", "it is secure, or owned by others")
GONE = Fault("no-permission", "it does not exist (any more), or may not be read", "grant SELECT to the role")

# docs.snowflake.com: client error codes (250…) and the service's.
_FAULTS: Mapping[int, Fault] = {
    **dict.fromkeys((250001, 390100, 390144, 394300, 394304), WRONG_PASSWORD),
    **dict.fromkeys((390114, 390195, 390318), _source_fault("expired", "the session has expired", "scan again")),
    **dict.fromkeys((250002, 250003, 250005, 251005, 290503), UNREACHABLE),
    **dict.fromkeys((2003, 2043, 3001), GONE),
    606: _source_fault("no-warehouse", "no warehouse is set that could run it", "give warehouse in the settings"),
    604: Fault("statement-timeout", "reading it was ended", "scan again"),
    630: Fault("statement-timeout", "reading it took too long", "raise statement_timeout, or exclude it"),
}
