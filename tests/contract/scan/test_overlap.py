"""Two scans of one source at the same time: the second one is refused, whichever process the first one is in."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from inventory.graph.catalogue import moment
from inventory.graph.turn import LEASE
from inventory.graph.writer import GraphWriter, ScanRun
from inventory.model import Aspect, Covered, SystemKind, SystemSeen
from inventory.scan.run import scan_source
from scanners.base import ScanContext

SYSTEM = "postgres://127.0.0.1:1"


@pytest.fixture
def scan(graph, small_detection):
    """Scan the source `shop`, whose scanner does `work` in the middle; the outcome."""
    from scanners.databases.sqlite import SQLiteScanner, SQLiteSettings

    writer = GraphWriter(graph)

    class Scanner(SQLiteScanner):
        work: Any = None

        def scan(self, context):
            yield SystemSeen(SYSTEM, SystemKind.DATABASE, "shop", "postgresql")
            self.work()
            yield Covered(SYSTEM, Aspect.LISTING)

    def scan(run, work=lambda: None, name="shop"):
        scanner = Scanner(SQLiteSettings(name=name, path="shop.db"))  # pyright: ignore[reportArgumentType]
        scanner.work = work
        load = lambda _, said: writer.load(ScanRun(run, name, datetime.now(UTC)), said)  # noqa: E731
        return scan_source(cast(Any, scanner), ScanContext(small_detection), load)

    return scan


@pytest.fixture
def state(graph):
    def state(run):
        (row,) = graph.read("MATCH (s:Scan {urn: $urn}) RETURN s.state AS state", urn=f"scan:{run}/shop")
        return row["state"]

    return state


def test_a_second_scan_of_a_source_is_refused_while_the_first_one_runs(scan, state, graph):
    begun, go_on = threading.Event(), threading.Event()

    def wait():
        begun.set()
        assert go_on.wait(30)

    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(scan, "first", wait)
        assert begun.wait(30)
        asked = []
        second = scan("second", lambda: asked.append(1))
        other = scan("second", name="other")
        go_on.set()
        assert first.result().complete
    assert second.error is not None
    assert "shop: is being scanned by process" in str(second.error)
    assert (second.error.code, asked, second.complete) == ("being-scanned", [], False)
    assert other.complete
    assert state("first") == "completed"
    assert graph.read("MATCH (s:Scan {urn: 'scan:second/shop'}) RETURN s") == []
    assert scan("third").complete


def test_the_scan_of_another_process_counts_as_long_as_the_process_lives(scan, state, graph):
    claim = (
        "MERGE (s:Scan {urn: 'scan:other/shop'}) SET s.state = 'running', s.process = $process, s.alive_at = $at"
        ", s.host = coalesce($host, s.host), s.source = 'shop', s.started_at = $at"
    )
    scan("other")
    from inventory.graph.turn import _HOST

    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as process:
        now = moment()
        graph.write(claim, process=process.pid, at=now, host=_HOST)
        assert str(scan("second").error).startswith(f"shop: is being scanned by process {process.pid} on {_HOST}")
        assert state("other") == "running"
        process.kill()
    assert scan("third").complete
    assert state("other") == "interrupted"

    graph.write(claim, process=1, at=moment(), host="elsewhere")
    assert "on elsewhere" in str(scan("fourth").error)
    silent = moment(datetime.now(UTC) - timedelta(seconds=LEASE + 1))
    graph.write(claim, process=1, at=silent, host="elsewhere")
    assert scan("fifth").complete
    assert state("other") == "interrupted"
