"""A driver (PEP 249) as a SQLAlchemy engine, where SQLAlchemy brings no dialect: as much SQL as a sample needs."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import registry
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.pool import NullPool
from sqlalchemy.sql.compiler import IdentifierPreparer

from inventory.errors import SourceError


class _Quoting(IdentifierPreparer):
    """Quotes every name: what an unquoted one means differs from database to database."""

    def _requires_quotes(self, value: str) -> bool:
        del value
        return True


class _PlainDialect(DefaultDialect):
    preparer = _Quoting
    module = ""

    @classmethod
    def import_dbapi(cls) -> Any:
        return importlib.import_module(cls.module)

    def do_commit(self, dbapi_connection: Any) -> None:
        """Nothing is written, so no transaction needs an end."""

    def do_rollback(self, dbapi_connection: Any) -> None:
        """The same."""


class DuckDBDialect(_PlainDialect):
    """DuckDB's driver."""

    name, driver, module = "inventory_duckdb", "duckdb", "duckdb"
    default_paramstyle = "qmark"
    supports_statement_cache = True


class SnowflakeDialect(_PlainDialect):
    """Snowflake's driver."""

    name, driver, module = "inventory_snowflake", "connector", "snowflake.connector"
    default_paramstyle = "pyformat"
    supports_statement_cache = True


for _dialect in (DuckDBDialect, SnowflakeDialect):
    registry.register(_dialect.name, __name__, _dialect.__name__)


def plain_engine(source: str, dialect: type[_PlainDialect], connect: Callable[[], Any], extra: str) -> sa.Engine:
    """An engine whose connections `connect` opens. Raises SourceError naming the extra that brings the driver."""
    try:
        dialect.import_dbapi()
    except ImportError:
        cause = "its driver is not installed"
        raise SourceError(source, cause, f"pip install 'privacy-inventory[{extra}]'") from None
    return sa.create_engine(f"{dialect.name}://", creator=connect, poolclass=NullPool, hide_parameters=True)
