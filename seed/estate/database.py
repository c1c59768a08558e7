"""The control-plane database: schema, rows, and the role that the inventory reads it with."""

from __future__ import annotations

from pathlib import Path

import psycopg
from psycopg import sql

from seed.estate.content.tables import tables
from seed.estate.content.world import Table, World
from seed.estate.names import DATABASE

OWNER = "setbytes_owner"
SCANNER = "inventory_scanner"
SCHEMAS = ("accounts", "audit", "billing", "identity", "marketing", "platform", "staff", "support", "telemetry")
_SCHEMA_FILES = Path(__file__).with_name("schema")


def create_roles(superuser: psycopg.Connection, passwords: dict[str, str]) -> None:
    """Create or update the owner's and the scanner's role; the server is sent a hash (SCRAM), never a password."""
    for role, password in passwords.items():
        exists = superuser.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).rowcount
        hashed = superuser.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
        verb = sql.SQL("ALTER" if exists else "CREATE")
        superuser.execute(
            sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(verb, sql.Identifier(role), sql.Literal(hashed))
        )
    # The scanner's own settings hold even where a client forgets to ask for them.
    superuser.execute(sql.SQL("ALTER ROLE {} SET default_transaction_read_only = on").format(sql.Identifier(SCANNER)))


def exists(superuser: psycopg.Connection) -> bool:
    """Whether the server has the database."""
    return bool(superuser.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).rowcount)


def create_database(superuser: psycopg.Connection) -> None:
    """Create the empty database anew."""
    superuser.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(DATABASE)))
    superuser.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(OWNER)))
    superuser.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(DATABASE)))
    superuser.execute(
        sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(DATABASE), sql.Identifier(SCANNER))
    )


def fill(owner: psycopg.Connection, world: World) -> None:
    """Create the schema and copy all rows into it, in one transaction; then measure it (ANALYZE)."""
    with owner.transaction():
        for file in sorted(_SCHEMA_FILES.glob("*.sql")):
            owner.execute(file.read_bytes())
        for table in tables(world):
            _copy(owner, table)
        owner.execute("REFRESH MATERIALIZED VIEW telemetry.daily_activity")
        _grant_reading(owner)
    owner.execute("ANALYZE")


def _copy(owner: psycopg.Connection, table: Table) -> None:
    name = sql.Identifier(*table.name.split("."))
    columns = sql.SQL(", ").join(map(sql.Identifier, table.columns))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(name, columns)
    with owner.cursor() as cursor, cursor.copy(statement) as copy:
        for row in table.rows:
            copy.write_row(row)


def _grant_reading(owner: psycopg.Connection) -> None:
    """Grant by schema and not by pg_read_all_data, so that one table can be withheld (and is, in tests)."""
    for schema in SCHEMAS:
        for grant in ("GRANT USAGE ON SCHEMA {} TO {}", "GRANT SELECT ON ALL TABLES IN SCHEMA {} TO {}"):
            owner.execute(sql.SQL(grant).format(sql.Identifier(schema), sql.Identifier(SCANNER)))
