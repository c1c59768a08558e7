"""Any further SQL database that has a SQLAlchemy dialect, by its URL.

What the dialect's inspector tells is what is known; a sample is the first rows. Dialects have no common word for a
read-only session or a time limit: give it an account that may read and nothing else, with limits of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar, Literal

import sqlalchemy as sa
from pydantic import Field, field_validator
from sqlalchemy.engine.reflection import Inspector
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, NoSuchTableError, SQLAlchemyError
from sqlalchemy.pool import NullPool
from sqlglot.dialects.dialect import Dialect

from inventory.errors import SourceError
from inventory.model import DatasetKind
from scanners.base import Secret, SourceSettings
from scanners.databases.catalog import Column, Fault, ForeignKey, Relation
from scanners.databases.relational import RelationalScanner, RelationalSettings, Sample, sampled

SYSTEM_SCHEMAS = frozenset({"information_schema", "pg_catalog", "sys", "system", "mysql", "performance_schema"})


class SQLAlchemySettings(RelationalSettings):
    """One database, at a SQLAlchemy URL without its password."""

    type: Literal["sqlalchemy"] = "sqlalchemy"
    url: str = Field(description="Such as oracle+oracledb://reader@db.example.ca:1521/?service_name=shop")
    password: Secret | None = None

    @field_validator("url")
    @classmethod
    def _has_no_password(cls, text: str) -> str:
        try:
            url = sa.make_url(text)
        except ArgumentError:
            raise ValueError("is no SQLAlchemy URL: dialect+driver://user@host:port/database") from None
        if url.password is not None:
            raise ValueError("holds a password: give it as `password`, by a variable or a file")
        return text


class _AsText(sa.TypeDecorator[str]):
    """Whatever the driver makes of a value, as text: no cast is the same in all dialects."""

    impl = sa.types.NullType
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Any) -> str | None:
        """Bytes as the text that they may be."""
        del dialect
        if value is None or isinstance(value, str):
            return value
        return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)


class SQLAlchemyScanner(RelationalScanner[SQLAlchemySettings]):
    """Scans what the URL leads to."""

    settings_type: ClassVar[type[SourceSettings]] = SQLAlchemySettings
    engine_name = "sqlalchemy"

    def __init__(self, settings: SQLAlchemySettings) -> None:
        super().__init__(settings)
        self._url = sa.make_url(settings.url)
        backend = self._url.get_backend_name()
        name = _SQLGLOT.get(backend, backend)
        self.sql_dialect = name if Dialect.get(name) is not None else ""

    @property
    def system(self) -> str:
        """`dialect://host:port`, or with the database where there is no host: `sqlite:///the/file`."""
        url = self._url
        if self.settings.namespace:
            return self.settings.namespace
        if not url.host:
            return f"{url.get_backend_name()}://{url.database or ''}"
        host = f"[{url.host}]" if ":" in url.host else url.host
        return f"{url.get_backend_name()}://{host}" + (f":{url.port}" if url.port else "")

    def dataset_name(self, schema: str, name: str) -> str:
        """`database.schema.table`."""
        return f"{self.name_prefix}{schema}.{name}"

    @property
    def name_prefix(self) -> str:
        """`database.`, on a host that may have several."""
        return f"{self._url.database}." if self._url.host and self._url.database else ""

    # --- connection ----------------------------------------------------------------------------------------

    def engine(self) -> sa.Engine:
        """A new engine of the dialect and driver that the URL names."""
        name, url, secret = self.settings.name, self._url, self.settings.password
        if secret is not None:
            url = url.set(password=secret.reveal().get_secret_value())
        dialect = url.drivername
        try:
            return sa.create_engine(url, poolclass=NullPool, hide_parameters=True)
        except NoSuchModuleError:
            cause = f"no SQLAlchemy dialect {dialect} is installed"
        except ImportError as error:
            cause = f"the driver of {dialect} is not installed" + (f" ({error.name})" if error.name else "")
        except (SQLAlchemyError, TypeError, ValueError):
            cause = "its URL is not one that the dialect takes"
        raise SourceError(name, cause, "install it beside privacy-inventory, or check the URL")

    def fault(self, error: BaseException) -> Fault:
        """By the classes that all drivers share (PEP 249), which say little."""
        cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        kind = type(cause).__name__
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            return Fault("unreachable", "the server ended the connection", "scan again when it is back", fatal=True)
        if isinstance(error, DBAPIError) and error.statement is None:
            return Fault(
                "unreachable", f"the session could not be opened ({kind})", "check address, user, password", fatal=True
            )
        if isinstance(error, NoSuchTableError):
            return Fault("changed", "it was dropped or changed while it was read", "scan again")
        return Fault("unreadable", f"it could not be read ({kind})", "check the account's rights and the server's log")

    # --- catalog -------------------------------------------------------------------------------------------

    def schemas(self, connection: sa.Connection) -> Sequence[str]:
        """All but those that databases commonly keep for themselves."""
        names = sa.inspect(connection).get_schema_names()
        return [name for name in names if name.lower() not in SYSTEM_SCHEMAS]

    def listing(self, connection: sa.Connection, inspector: Inspector, schema: str) -> Iterable[Relation]:
        """Tables and views; a view's definition where the dialect tells it."""
        del connection
        for name in inspector.get_table_names(schema=schema):
            yield Relation(schema, name, DatasetKind.TABLE, ())
        for kind, names in self._views(inspector, schema):
            for name in names:
                definition = ""
                with suppress(NotImplementedError, NoSuchTableError):
                    definition = inspector.get_view_definition(name, schema=schema) or ""
                yield Relation(schema, name, kind, (), definition=definition)

    def _views(self, inspector: Inspector, schema: str) -> Iterator[tuple[DatasetKind, Sequence[str]]]:
        with suppress(NotImplementedError):
            yield DatasetKind.VIEW, inspector.get_view_names(schema=schema)
        with suppress(NotImplementedError):
            yield DatasetKind.MATERIALIZED_VIEW, inspector.get_materialized_view_names(schema=schema)

    def primary_keys(self, inspector: Inspector, schema: str) -> Mapping[str, tuple[str, ...]]:
        """None where the dialect has no such notion."""
        with suppress(NotImplementedError):
            return super().primary_keys(inspector, schema)
        return {}

    def foreign_keys(
        self, connection: sa.Connection, inspector: Inspector, schema: str
    ) -> Mapping[str, tuple[ForeignKey, ...]]:
        """None where the dialect has no such notion."""
        with suppress(NotImplementedError):
            return super().foreign_keys(connection, inspector, schema)
        return {}

    # --- sample --------------------------------------------------------------------------------------------

    def sample(self, connection: sa.Connection, relation: Relation, columns: Sequence[Column]) -> Sample:
        """The first rows, by key where there is one."""
        del connection
        names = dict.fromkeys([*(column.name for column in columns), *relation.primary_key])
        table = sa.table(relation.name, *(sa.column(name, _AsText()) for name in names), schema=relation.schema)
        statement = sampled([table.c[column.name] for column in columns], table).limit(self.settings.sampling.rows)
        return Sample([statement.order_by(*(table.c[name] for name in relation.primary_key))])


SCANNER = SQLAlchemyScanner

#: Where sqlglot calls a dialect otherwise than SQLAlchemy.
_SQLGLOT = {"postgresql": "postgres", "mssql": "tsql", "awsathena": "athena", "mariadb": "mysql"}
