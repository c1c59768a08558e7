"""A real PostgreSQL for the tests of whole scans."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest
from psycopg import sql

PASSWORD = "correct horse"


@pytest.fixture(scope="session")
def pg():
    from seed.estate.servers.postgres import postgres

    # Not tmp_path: the server runs as another user when we are root, and that user must reach its data.
    with tempfile.TemporaryDirectory(prefix="inventory-test-") as room:
        Path(room).chmod(0o755)
        with postgres(Path(room, "cluster"), PASSWORD, Path(room, "log")) as running:
            yield running


@pytest.fixture
def database(pg, request):
    """A fresh database of the test's own, and a superuser's connection to it."""
    name = re.sub(r"\W", "_", request.node.originalname)[:50]
    with pg.connect() as superuser:
        superuser.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        superuser.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    with pg.connect(name) as connection:
        yield connection
    with pg.connect() as superuser:
        superuser.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def source(pg, database, monkeypatch):
    """A scanner of the test's database; `source(budget={"rows": 9})` with other settings."""
    from scanners.databases.postgresql import PostgreSQLScanner, PostgreSQLSettings

    monkeypatch.setenv("SCAN_TEST_PASSWORD", PASSWORD)

    def configured(**settings):
        return PostgreSQLScanner(
            PostgreSQLSettings.model_validate(
                {
                    "name": "pg",
                    "host": "127.0.0.1",
                    "port": pg.port,
                    "database": database.info.dbname,
                    "user": "postgres",
                    "password": {"env": "SCAN_TEST_PASSWORD"},
                    **settings,
                }
            )
        )

    return configured


@pytest.fixture
def loaded(embedded_graph, small_detection):
    """Scan one source into the graph as `inventory scan` does: the outcome, and how many tables were read."""
    from datetime import UTC, datetime
    from itertools import count

    from inventory.graph.writer import GraphWriter, ScanRun
    from inventory.scan.run import scan_source
    from scanners.base import ScanContext

    writer, runs = GraphWriter(embedded_graph), count()

    class CountingDetection:
        version, redact = small_detection.version, small_detection.redact

        def __init__(self) -> None:
            self.tables: list[str] = []

        def table(self, context):
            self.tables.append(context.name)
            return small_detection.table(context)

    def scan(scanner, *, full=False):
        detection = CountingDetection()
        context = ScanContext(detection, tokens={} if full else writer.tokens(scanner.system))
        run = ScanRun(f"run{next(runs)}", scanner.settings.name, datetime.now(UTC))
        outcome = scan_source(scanner, context, lambda _, observations: writer.load(run, observations))
        return outcome, sorted(detection.tables)

    return scan
