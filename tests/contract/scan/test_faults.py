"""What goes wrong in the middle of a scan: a finding, other sources complete, earlier knowledge kept."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from inventory.graph.writer import GraphWriter, ScanRun
from inventory.model import Aspect, Covered
from inventory.scan.recording import record_to
from inventory.scan.run import observations, run_scans, scan_source
from scanners.base import ScanContext


@pytest.fixture
def shop(tmp_path):
    """Another source, which nothing happens to."""
    from scanners.databases.sqlite import SQLiteScanner, SQLiteSettings

    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute("CREATE TABLE people (email TEXT)")
        connection.execute("INSERT INTO people VALUES ('a@b.ca')")
    return SQLiteScanner(SQLiteSettings(name="shop", path=tmp_path / "shop.db"))


@pytest.fixture
def tables(database):
    for number in range(4):
        database.execute(
            f"CREATE TABLE t{number} AS SELECT i, 'p' || i || '@b.ca' AS mail FROM generate_series(1, 9) i"
        )
    database.execute("SELECT pg_stat_force_next_flush()")
    return database


def valid_emails(graph):
    rows = graph.read(
        "MATCH (f:Field)-[r:CLASSIFIED_AS]->() WHERE r.valid_to IS NULL AND f.valid_to IS NULL RETURN f.urn AS urn"
    )
    return {row["urn"].rpartition(".")[2] for row in rows}


class Hooked:
    """Calls `hook` with each table's name before it is judged."""

    def __init__(self, detection, hook) -> None:
        self.version, self.redact = detection.version, detection.redact
        self._detection, self._hook = detection, hook

    def table(self, context):
        self._hook(context.name)
        return self._detection.table(context)


def test_a_server_that_is_stopped_in_mid_scan(small_detection, shop, embedded_graph, monkeypatch):
    from scanners.databases.postgresql import PostgreSQLScanner, PostgreSQLSettings
    from seed.estate.servers.postgres import postgres

    writer = GraphWriter(embedded_graph)
    monkeypatch.setenv("STOPPED_PASSWORD", "stopped")
    with tempfile.TemporaryDirectory(prefix="inventory-test-") as room:
        Path(room).chmod(0o755)
        with postgres(Path(room, "cluster"), "stopped", Path(room, "log")) as server:
            with server.connect() as connection:
                for number in range(4):
                    connection.execute(f"CREATE TABLE t{number} AS SELECT 'p@b.ca' AS mail".encode())
                pid = int(str(connection.execute("SELECT pg_read_file('postmaster.pid')").fetchone()[0]).split()[0])  # type: ignore[index]
            settings = {"name": "pg", "host": "127.0.0.1", "port": server.port, "database": "postgres"}
            scanner: Any = PostgreSQLScanner(
                PostgreSQLSettings.model_validate(
                    {**settings, "user": "postgres", "password": {"env": "STOPPED_PASSWORD"}}
                )
            )

            def scan(run, hook):
                def load(name, observations):
                    return writer.load(ScanRun(run, name, datetime.now(UTC)), observations)

                with ThreadPoolExecutor(2) as threads:
                    context = ScanContext(Hooked(small_detection, hook))
                    return {o.source: o for o in run_scans([scanner, shop], context, load, threads)}

            first = scan("first", lambda table: None)
            assert first["pg"].complete
            known = valid_emails(embedded_graph)

            def stop(table):
                if table == "t2":
                    os.kill(pid, signal.SIGQUIT)  # at once, as in a crash
                    ends = time.monotonic() + 20
                    while time.monotonic() < ends:
                        try:
                            socket.create_connection(("127.0.0.1", server.port), timeout=1).close()
                        except OSError:
                            return
                        threading.Event().wait(0.02)

            second = scan("second", stop)
    assert [finding.code for finding in second["pg"].findings] == ["source-failed"]
    assert "the server ended the connection" in second["pg"].findings[0].message
    assert second["shop"].complete
    assert valid_emails(embedded_graph) == known
    (state,) = embedded_graph.read("MATCH (s:Scan {urn: 'scan:second/pg'}) RETURN s.state AS state")
    assert state["state"] in ("partial", "failed")


def test_what_a_scan_could_not_read_stays_as_it_was_last_seen(tables, source, loaded, embedded_graph, pg):
    loaded(source())
    known = valid_emails(embedded_graph)
    assert known == {f"t{number}#mail" for number in range(4)}
    tables.execute("ALTER TABLE t1 ADD COLUMN new text")
    with pg.connect(tables.info.dbname) as holder, holder.transaction():
        holder.execute("LOCK TABLE t1 IN ACCESS EXCLUSIVE MODE")
        outcome, _ = loaded(source())
    assert [finding.code for finding in outcome.findings] == ["locked"]
    assert valid_emails(embedded_graph) == known
    (field,) = embedded_graph.read("MATCH (f:Field) WHERE f.urn ENDS WITH 't1#new' RETURN f.type AS type")
    assert field["type"] == "text"  # what the catalog says is known all the same


def test_a_scan_never_stands_in_a_writers_way(tables, source, small_detection):
    """While each table is judged, others may write to it and even drop it, without waiting."""
    waits = []

    def write(table):
        tables.execute("SET lock_timeout = '100ms'")
        try:
            tables.execute(f"INSERT INTO {table} VALUES (1, 'x')")
        except Exception as error:  # noqa: BLE001
            waits.append(repr(error))

    findings = []
    said = list(observations(source(), ScanContext(Hooked(small_detection, write)), findings))
    assert waits == findings == []
    assert len([one for one in said if isinstance(one, Covered) and one.aspect is Aspect.CONTENT]) == 4


def test_a_database_whose_disk_is_full_for_temporary_files(tables, source, small_detection):
    """A view that needs more temporary files than the server gives is a finding; the rest is read."""
    tables.execute("ALTER DATABASE " + tables.info.dbname + " SET temp_file_limit = '64kB'")
    tables.execute("ALTER DATABASE " + tables.info.dbname + " SET work_mem = '64kB'")
    tables.execute("CREATE VIEW big AS SELECT i::text AS a FROM generate_series(1, 100000) i")
    outcome = scan_source(source(), ScanContext(small_detection), lambda _, said: list(said))
    assert [(f.about.rpartition(".")[2], f.code) for f in outcome.findings] == [("big", "disk-full")]
    read = {one.scope for one in outcome.report or () if isinstance(one, Covered) and one.aspect is Aspect.CONTENT}
    assert len(read) == 4


def test_a_full_disk_under_a_recording_is_one_line(tables, source, small_detection, tmp_path):
    """`/dev/full` answers every write as a full disk does."""
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    (tmp_path / "pg.jsonl").symlink_to("/dev/full")

    def record(name, observations):
        return record_to(tmp_path / f"{name}.jsonl", name, datetime.now(UTC), observations)

    outcome = scan_source(source(), ScanContext(small_detection), record)
    assert outcome.error is not None
    assert str(outcome.error).endswith(
        "pg.jsonl: the recording was given up: no space left on device (make room and scan again)"
    )
