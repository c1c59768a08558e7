"""Real database servers: PostgreSQL (the wheel's and the system's) and those of the fleet."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from psycopg import sql

if TYPE_CHECKING:
    from seed.estate.servers.postgres import Postgres

PASSWORD = "correct horse"
SYSTEM_PROGRAMS = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture(scope="session", params=["wheel", "system-15"])
def server(request: pytest.FixtureRequest) -> Iterator[Postgres]:
    from seed.estate.servers.postgres import postgres

    programs = None
    if request.param == "system-15":
        if not (SYSTEM_PROGRAMS / "postgres").exists():
            pytest.skip(f"PostgreSQL 15 is not installed in {SYSTEM_PROGRAMS}")
        programs = SYSTEM_PROGRAMS
    # Not tmp_path: the server runs as another user when we are root, and that user must reach its data.
    with tempfile.TemporaryDirectory(prefix="inventory-test-") as room:
        Path(room).chmod(0o755)
        with postgres(Path(room, "cluster"), PASSWORD, Path(room, "log"), programs) as running:
            yield running


@pytest.fixture
def database(server: Postgres, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A fresh database of the test's own, and a superuser's connection to it."""
    name = re.sub(r"\W", "_", request.node.originalname)[:50]
    with server.connect() as superuser:
        superuser.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        superuser.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    with server.connect(name) as connection:
        yield connection
    with server.connect() as superuser:
        superuser.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def settings(server: Postgres, database: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Settings of the test's database, as superuser."""
    from scanners.databases.postgresql import PostgreSQLSettings

    monkeypatch.setenv("TEST_PG_PASSWORD", PASSWORD)
    return PostgreSQLSettings.model_validate(
        {
            "name": "pg",
            "host": "127.0.0.1",
            "port": server.port,
            "database": database.info.dbname,
            "user": "postgres",
            "password": {"env": "TEST_PG_PASSWORD"},
        }
    )


@pytest.fixture
def scanning_role(database: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Settings of a role that may read nothing yet; its name is `reader`."""
    monkeypatch.setenv("TEST_READER_PASSWORD", "only reads")
    database.execute("CREATE ROLE reader LOGIN PASSWORD 'only reads'")
    yield settings.model_copy(
        update={"user": "reader", "password": settings.password.model_copy(update={"env": "TEST_READER_PASSWORD"})}
    )
    database.execute("DROP OWNED BY reader; DROP ROLE reader")


@pytest.fixture(scope="session")
def ferretdb(running_store) -> int:
    """The port of a FerretDB of this test session."""
    return running_store("ferretdb")


@pytest.fixture(scope="session")
def redis_server(running_store) -> int:
    """The port of a Redis of this test session."""
    return running_store("redis")


@pytest.fixture(scope="session")
def mariadb() -> Iterator[Any]:
    """A running MariaDB of this test session; skips by name where it is not installed, and fails in CI."""
    fleet = _fleet("mariadb")
    try:
        with fleet.mariadb_server() as server:
            yield server
    except fleet.ToolchainMissing as missing:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(str(missing))


def _fleet(name: str) -> Any:
    """The module that starts a real server: tests/fleet/<name>/server.py."""
    path = Path(__file__).parents[2] / "fleet" / name / "server.py"
    spec = importlib.util.spec_from_file_location(f"{name}_fleet", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def opensearch_node(running_store) -> int:
    """The port of an OpenSearch node of this test session."""
    return running_store("opensearch")


@pytest.fixture(scope="session")
def fake_snowflake() -> list[tuple[str, dict[str, Any]]]:
    """What a scan of a fake Snowflake says, as pairs of an observation's type and its properties; skips as above."""
    fleet = _fleet("snowflake")
    try:
        return fleet.scanned()
    except fleet.ToolchainMissing as missing:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(str(missing))
