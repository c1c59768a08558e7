"""A PostgreSQL with many tables, as real ones are: people, identifiers, facts and prose in ten schemas."""

from __future__ import annotations

import random
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from faker import Faker

from benchmarks.detection.makers import KINDS
from seed.estate.servers.postgres import Postgres, find_programs, postgres

PASSWORD = "benchmark"  # of a server on loopback that lives as long as the benchmark
SCHEMAS = 10
ROWS = 100
COLUMNS = {
    "id": ("key", "bigint"),
    "account_uuid": ("uuid", "uuid"),
    "full_name": ("full", "text"),
    "email": ("email", "varchar(320)"),
    "phone": ("phone", "text"),
    "city": ("city", "text"),
    "address": ("address", "text"),
    "created_at": ("created", "text"),
    "amount": ("price", "text"),
    "status": ("status", "text"),
    "ip": ("ip", "text"),
    "user_agent": ("ua", "text"),
    "etag": ("etag", "text"),
    "order_number": ("order16", "text"),
    "version": ("version4", "text"),
    "sku": ("sku", "text"),
    "notes": ("text_email", "text"),
    "body": ("text", "text"),
    "product": ("product", "text"),
    "flag": ("flag", "text"),
}


@dataclass(frozen=True)
class Database:
    """The running server, and the number of tables in its database `benchmark`."""

    server: Postgres
    tables: int

    def connect(self) -> psycopg.Connection:
        return self.server.connect("benchmark")

    def change(self, tables: int) -> None:
        """Write a row to so many tables."""
        with self.connect() as connection:
            names = connection.execute(
                "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables "
                "WHERE schemaname LIKE 's_' ORDER BY md5(tablename) LIMIT %s",
                [tables],
            ).fetchall()
            for (name,) in names:
                connection.execute(f"INSERT INTO {name} (id, email) VALUES (1000001, 'new@example.ca')")
            connection.execute("SELECT pg_stat_force_next_flush()")

    def dump_schema(self) -> None:
        """`pg_dump --schema-only`, of the server's own version."""
        program = find_programs() / "pg_dump"
        command = [program if program.exists() else shutil.which("pg_dump"), "--schema-only", "--no-sync"]
        url = f"postgresql://postgres:{PASSWORD}@127.0.0.1:{self.server.port}/benchmark"
        subprocess.run([*command, "-f", "/dev/null", url], check=True)


@contextmanager
def database(tables: int, *, distinct: bool = False) -> Iterator[Database]:
    """Start the server and make so many tables of 20 columns and 100 rows.

    `distinct`: no column but `id` and `email` is called like one of another table.
    """
    # Not below our home: the server runs as another user when we are root.
    with tempfile.TemporaryDirectory(prefix="inventory-bench-") as room:
        Path(room).chmod(0o755)
        with postgres(Path(room, "cluster"), PASSWORD, Path(room, "log")) as server:
            with server.connect() as superuser:
                superuser.execute("CREATE DATABASE benchmark")
            made = Database(server, tables)
            with made.connect() as connection:
                _make(connection, tables, distinct=distinct)
            yield made


def _make(connection: psycopg.Connection, tables: int, *, distinct: bool) -> None:
    faker, rng = Faker("en_CA"), random.Random(5)
    faker.seed_instance(5)
    declared = ", ".join(f"{name} {kind}" for name, (_, kind) in COLUMNS.items())
    connection.execute(f"CREATE TABLE public.pool ({declared})")
    with connection.cursor().copy(f"COPY public.pool ({', '.join(COLUMNS)}) FROM STDIN") as copy:
        for row in range(20 * ROWS):
            copy.write_row(
                [row if kind == "key" else KINDS[kind].make(faker, rng, row) for kind, _ in COLUMNS.values()]
            )
    for schema in range(SCHEMAS):
        connection.execute(f"CREATE SCHEMA s{schema}")
    for number in range(tables):
        table = f"s{number * SCHEMAS // tables}.{rng.choice(['orders', 'users', 'events', 'tickets'])}_{number}"
        own = f"_{number}" if distinct else ""
        selected = ", ".join(name if name in ("id", "email") else f"{name} AS {name}{own}" for name in COLUMNS)
        connection.execute(
            f"CREATE TABLE {table} AS SELECT {selected} FROM public.pool WHERE id BETWEEN {number % 20 * ROWS} "
            f"AND {number % 20 * ROWS + ROWS - 1}; ALTER TABLE {table} ADD PRIMARY KEY (id); "
            f"COMMENT ON TABLE {table} IS 'Table number {number}'; COMMENT ON COLUMN {table}.email IS 'where to write'"
        )
    connection.execute("DROP TABLE public.pool")
    connection.execute("ANALYZE")
    connection.execute("SELECT pg_stat_force_next_flush()")
