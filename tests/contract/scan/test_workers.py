"""Reading by real processes: of this machine, and of a dask cluster; some are killed."""

from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime

import psutil
import pytest

from inventory.errors import ConfigError
from inventory.model import Aspect, Covered
from inventory.scan.run import run_scans, scan_source
from inventory.scan.workers import ATTEMPTS, cluster_workers, process_workers
from scanners.base import ScanContext
from scanners.detection import ColumnDetector

TABLES = 30  # two chunks


@pytest.fixture
def tables(database):
    for number in range(TABLES):
        database.execute(
            f"CREATE TABLE t{number} AS SELECT i, 'p' || i || '@b.ca' AS mail FROM generate_series(1, 9) i"
        )
    database.execute("SELECT pg_stat_force_next_flush()")  # the state of the tables is the same from now on
    return database


@pytest.fixture
def slow_view(tables):
    """A view whose reading takes a minute, until it is told to be quick."""
    tables.execute("CREATE TABLE pace AS SELECT 60 AS seconds")
    tables.execute("CREATE VIEW slow AS SELECT mail FROM t1, pace WHERE pg_sleep(seconds) IS NOT NULL")
    return tables


@pytest.fixture(scope="module")
def context():
    return ScanContext(ColumnDetector())


@pytest.fixture(scope="module")
def dask_cluster():
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as cluster:
        yield cluster


@pytest.fixture(params=["processes", "dask"])
def workers(request, monkeypatch):
    """Two worker processes. Secrets are in their own environment, as they do not travel."""
    monkeypatch.setenv("SCAN_TEST_PASSWORD", "correct horse")
    if request.param == "processes":
        with process_workers(2) as opened:
            yield opened
        return
    cluster = request.getfixturevalue("dask_cluster")
    with cluster_workers(cluster.scheduler_address) as opened:
        yield opened


def collected(_, observations):
    return list(observations)


def said(observations):
    return sorted(map(repr, observations))


def test_workers_say_what_the_scan_itself_says(tables, source, context, workers, tmp_path):
    from scanners.buckets.local import SCANNER

    (tmp_path / "people.csv").write_text("name,email\n" + "Zoe,zoe@b.ca\n" * 30)
    settings = {"type": "local", "name": "files", "path": str(tmp_path)}
    folder = SCANNER(SCANNER.settings_type.model_validate(settings))
    with ThreadPoolExecutor(2) as threads:
        alone = {o.source: o for o in run_scans([source(), folder], context, collected, threads)}
        helped = {o.source: o for o in run_scans([source(), folder], context, collected, threads, workers)}
    for name in ("pg", "files"):
        assert helped[name].complete, helped[name]
        assert said(helped[name].report) == said(alone[name].report)
    assert helped["pg"].report is not None
    last = helped["pg"].report[-1]
    assert isinstance(last, Covered)
    assert last.aspect is Aspect.LISTING


def reader_of_slow_view(database, known):
    """The process that reads the slow view now, other than the known sessions; waits for it."""
    query = (
        "SELECT pid, client_port FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
    )
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        for session, port in database.execute(query).fetchall():
            for process in psutil.Process().children(recursive=True):
                with_port = session not in known and any(
                    connection.laddr.port == port for connection in process.net_connections("tcp")
                )
                if with_port:
                    known.add(session)
                    return process.pid
        threading.Event().wait(0.02)
    raise AssertionError("nobody reads the view")


@contextmanager
def scanning(scanner, context, sink, workers):
    with ThreadPoolExecutor(1) as thread:
        yield thread.submit(scan_source, scanner, context, sink, workers)


def test_a_worker_killed_in_the_middle_is_as_if_it_had_not_been(slow_view, source, context, workers, embedded_graph):
    from inventory.graph.writer import GraphWriter, ScanRun

    writer = GraphWriter(embedded_graph)

    def load(name, observations):
        return writer.load(ScanRun("killed", name, datetime.now(UTC)), observations)

    scanner = source(budget={"concurrency": 2}, statement_timeout=300)
    with scanning(scanner, context, load, workers) as outcome:
        victim = reader_of_slow_view(slow_view, set())
        slow_view.execute("UPDATE pace SET seconds = 0")
        os.kill(victim, signal.SIGKILL)
    assert outcome.result().complete, outcome.result()
    (row,) = embedded_graph.read(
        "MATCH (d:Dataset) WITH count(d) AS datasets MATCH ()-[r:CLASSIFIED_AS]->() "
        "RETURN datasets, count(r) AS edges, count(DISTINCT r.id) AS classified"
    )
    assert row["datasets"] == TABLES + 2
    assert row["edges"] == row["classified"] >= TABLES + 1
    again = scan_source(scanner, context, load)
    assert again.report is not None
    assert again.report.versions == 0


def test_a_dataset_that_kills_each_of_its_workers_is_a_finding_and_ends_nothing(
    slow_view, source, context, embedded_graph
):
    from inventory.graph.writer import GraphWriter, ScanRun

    writer, said = GraphWriter(embedded_graph), []

    def load(name, observations):
        def heard():
            for each in observations:
                said.append(each)
                yield each

        return writer.load(ScanRun(f"lost{len(said)}", name, datetime.now(UTC)), heard())

    def datasets():
        found = embedded_graph.read("MATCH (d:Dataset) WHERE d.valid_to IS NULL RETURN d.urn AS urn")
        return {row["urn"] for row in found}

    scanner = source(budget={"concurrency": 2}, statement_timeout=300)
    slow_view.execute("UPDATE pace SET seconds = 0")
    assert scan_source(scanner, context, load).complete
    before = datasets()
    assert len(before) == TABLES + 2

    said.clear()
    slow_view.execute("UPDATE pace SET seconds = 60")
    known = set()
    with process_workers(2) as workers, scanning(scanner, context, load, workers) as outcome:
        for _ in range(ATTEMPTS):
            os.kill(reader_of_slow_view(slow_view, known), signal.SIGKILL)
    assert [finding.code for finding in outcome.result().findings] == ["worker-lost"]
    read = {one.scope for one in said if isinstance(one, Covered) and one.aspect is Aspect.CONTENT}
    assert TABLES + 2 - 25 <= len(read) < TABLES + 2  # all but the chunk that it was in
    assert datasets() == before


def test_a_cluster_that_does_not_answer_is_one_line(monkeypatch):
    monkeypatch.setattr("inventory.scan.workers.STARTED", 0.5)
    with pytest.raises(ConfigError, match="no scheduler answers"), cluster_workers("tcp://127.0.0.1:9"):
        pass
