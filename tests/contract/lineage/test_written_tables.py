"""Triggers and logged queries of a real PostgreSQL: from the server to the flows that are derived of them."""

from __future__ import annotations

import tempfile
from pathlib import Path

import psycopg
import pytest

from inventory.lineage.views import DatasetRow, JobRow, derive
from inventory.model import DatasetSeen, FieldSeen, FlowSeen, JobSeen
from scanners.base import ScanContext
from scanners.databases.postgresql import PostgreSQLScanner, PostgreSQLSettings

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
PASSWORD = "correct horse"

SCHEMA = """
CREATE TABLE customers (id int PRIMARY KEY, email text, phone text);
CREATE TABLE audit (who text, what text);
CREATE TABLE contacts (id int, email text, phone text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.email <> OLD.email THEN
        INSERT INTO audit (who, what) VALUES (NEW.email, 'canary; trigger');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER noted AFTER UPDATE ON customers FOR EACH ROW EXECUTE FUNCTION note();
"""


@pytest.fixture(scope="module")
def logging_server():
    """A PostgreSQL 15 that logs the statements it runs (`pg_stat_statements` must be loaded when it starts)."""
    from seed.estate.servers.postgres import postgres

    if not (PROGRAMS / "postgres").exists() or not (PROGRAMS.parent / "lib/pg_stat_statements.so").exists():
        pytest.skip("PostgreSQL 15 with its contributed modules is not installed (tests/fleet/install.sh)")
    with tempfile.TemporaryDirectory(prefix="inventory-test-") as room:
        Path(room).chmod(0o755)
        arguments = Path(room, "cluster"), PASSWORD, Path(room, "log"), PROGRAMS
        with postgres(*arguments) as first, first.connect() as superuser:
            superuser.execute("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'")
        with postgres(*arguments) as running:
            with running.connect() as superuser:
                superuser.execute(SCHEMA)
                superuser.execute("CREATE EXTENSION pg_stat_statements")
            yield running


@pytest.fixture
def said(logging_server, small_detection, monkeypatch):
    """What a scan says after a pipeline has run."""
    with logging_server.connect() as pipeline:
        pipeline.execute(
            "INSERT INTO contacts SELECT id, md5(email), phone FROM customers WHERE email <> 'canary@query.ca'"
        )
        pipeline.execute("INSERT INTO contacts VALUES (1, 'canary@values.ca', '')")
        with pytest.raises(psycopg.Error):
            pipeline.execute("INSERT INTO contacts SELECT nothing FROM customers")
    monkeypatch.setenv("TEST_PG_PASSWORD", PASSWORD)
    settings = PostgreSQLSettings.model_validate(
        {
            "name": "pg",
            "host": "127.0.0.1",
            "port": logging_server.port,
            "database": "postgres",
            "user": "postgres",
            "password": {"env": "TEST_PG_PASSWORD"},
        }
    )
    return list(PostgreSQLScanner(settings).scan(ScanContext(detection=small_detection)))


def test_what_writes_a_table_is_a_job_without_literals(said):
    jobs = [each for each in said if isinstance(each, JobSeen) and each.kind in ("query", "trigger")]
    assert {(job.kind, job.dataset.rpartition(".")[2]) for job in jobs} == {("trigger", "audit"), ("query", "contacts")}
    assert "canary" not in repr(jobs)


def test_flows_follow_from_them(said):
    jobs = [JobRow(j.urn, j.dataset, j.statement, j.dialect) for j in said if isinstance(j, JobSeen)]
    fields: dict[str, list[str]] = {}
    for each in said:
        if isinstance(each, FieldSeen):
            fields.setdefault(each.dataset, []).append(each.urn)
    rows = {
        each.urn: DatasetRow(each.urn, each.system, each.name, tuple(fields[each.urn]))
        for each in said
        if isinstance(each, DatasetSeen) and each.urn in fields
    }
    found = {
        (flow.source.rpartition(".")[2], flow.target.rpartition(".")[2], flow.transformation.value)
        for flow in derive(jobs, rows.values())
        if isinstance(flow, FlowSeen) and "#" in flow.source and "pg_stat" not in flow.source + flow.target
    }
    assert found == {
        ("customers#email", "audit#who", "copied"),
        ("customers#id", "contacts#id", "copied"),
        ("customers#email", "contacts#email", "hashed"),
        ("customers#phone", "contacts#phone", "copied"),
    }
