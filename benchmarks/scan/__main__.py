"""What scanning a large PostgreSQL costs next to pg_dump, next to its bare queries, and again after a small change.

    python -m benchmarks.scan                  5,000 tables, 100,000 columns
    python -m benchmarks.scan --tables 500     the same in small
    python -m benchmarks.scan --distinct       the tables have no columns of the same names: nothing to share
    python -m benchmarks.scan --only memory    one of metadata, sample, link, rescan, memory, processes

Prints seconds and ratios, asserts nothing. Each measure runs in a process of its own. Detection, which has benchmarks
of its own, is left out where it says so: what is left is the cost of asking, carrying and saying. With detection first
scans take longer, so ratios to a first scan are then lower than those printed here.
"""

from __future__ import annotations

import argparse
import logging
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from benchmarks.scan.database import COLUMNS, PASSWORD, ROWS, SCHEMAS, Database, database
from benchmarks.scan.link import far_away

MEASURES = ("metadata", "sample", "link", "rescan", "memory", "processes")
DELAY = 0.02  # seconds there and back, of a link to another place


def scanner(port: int, **settings: Any) -> Any:
    from scanners.databases.postgresql import PostgreSQLScanner, PostgreSQLSettings

    os.environ["BENCHMARK_PASSWORD"] = PASSWORD
    given = {
        **{"name": "pg", "host": "127.0.0.1", "port": port, "database": "benchmark", "user": "postgres"},
        "password": {"env": "BENCHMARK_PASSWORD"},
        **settings,
    }
    return PostgreSQLScanner(PostgreSQLSettings.model_validate(given))


class NoDetection:
    """Takes everything and finds one thing in each column, so that the graph has as much to do as with detection."""

    version = "none/1"

    def table(self, context: Any) -> Any:
        from inventory.model import Evidence, Profile
        from scanners.detection.interface import FieldVerdict, Verdict

        said = (Verdict("user.contact.email", 0.9, (Evidence("value:email", "all sampled values", 4.0),)),)
        profile = Profile(ROWS, 0.0, 1.0, 3, 9, 6.0)

        class Table:
            def feed(self, batch: Any) -> bool:
                return batch.num_rows >= 0

            def verdicts(self) -> Any:
                return [FieldVerdict(column.name, "", column.type, profile, said) for column in context.columns]

        return Table()

    def redact(self, text: str) -> str:
        return text


def context(*, detecting: bool) -> Any:
    from scanners.base import ScanContext
    from scanners.detection import ColumnDetector

    if not detecting:
        return ScanContext(NoDetection())
    detector = ColumnDetector()
    _ = detector.engine  # compiled once in a process, whatever it scans
    return ScanContext(detector)


@dataclass(frozen=True)
class Cost:
    """Seconds on the wall, and of CPU: here with the programs that were run, and in the server."""

    wall: float
    here: float
    server: float
    result: Any

    @property
    def cpu(self) -> float:
        return self.here + self.server

    def __str__(self) -> str:
        return f"{self.wall:.2f} s (cpu {self.here:.2f} s and {self.server:.2f} s in the server)"

    def against(self, other: Cost) -> str:
        return f"  ratio {self.wall / other.wall:.2f} of time, {self.cpu / max(other.cpu, 0.01):.2f} of cpu"


def timed(port: int, work: Callable[[], Any]) -> Cost:
    server, wall, here = _server_cpu(port), time.perf_counter(), os.times()
    result = work()
    wall, now = time.perf_counter() - wall, os.times()
    used = sum(now[:4]) - sum(here[:4])
    return Cost(wall, used, _server_cpu(port) - server, result)


def watched(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds on the wall, and the result."""
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def _server_cpu(port: int) -> float:
    """Of all sessions that have ended: what the postmaster has waited for."""
    with _server(port).connect() as connection:
        said = connection.execute("SELECT pg_read_file('postmaster.pid')").fetchone()
        assert said is not None
    postmaster = psutil.Process(int(said[0].split()[0]))
    while any(_is_session(child) for child in postmaster.children()):
        time.sleep(0.02)
    times = postmaster.cpu_times()
    return times.children_user + times.children_system


def _is_session(process: psutil.Process) -> bool:
    try:
        command = " ".join(process.cmdline())
    except psutil.Error:  # it has ended meanwhile, and may not have been waited for
        return True
    return not command or "127.0.0.1(" in command


def exhausted(stream: Iterator[Any]) -> Counter[str]:
    return Counter(type(one).__name__ for one in stream)


# --- the measures -------------------------------------------------------------------------------------------


def metadata(port: int) -> None:
    """(a) All that the catalog says, as observations, next to `pg_dump --schema-only`; best of three each."""
    made, one = Database(_server(port), 0), scanner(port, budget={"rows": 0})
    given = context(detecting=True)  # comments are redacted
    dumps: list[Cost] = []
    runs: list[Cost] = []
    for _ in range(3):
        dumps.append(timed(port, made.dump_schema))
        runs.append(timed(port, lambda: exhausted(one.scan(given))))
    dump, run = (min(some, key=lambda cost: cost.cpu) for some in (dumps, runs))
    print(f"metadata: {run.result['DatasetSeen']:,} tables, {run.result['FieldSeen']:,} columns")
    print(f"  scan {run}")
    print(f"  pg_dump --schema-only {dump}")
    print(run.against(dump), flush=True)


def sample(port: int) -> None:
    """(a) The whole scan without the graph, next to a bare loop of the same sample queries."""
    # With detection a tenth of the tables: it takes the greater part, and its own benchmark is another one.
    for detecting, settings in ((False, {"include_schemas": ["s0", "s1"]}), (True, {"include_schemas": ["s0"]})):
        _sampled(port, port, detecting=detecting, **settings)


def link(port: int) -> None:
    """(a) The same over a link of 20 ms, with detection and without."""
    with far_away(port, DELAY) as far:
        for detecting in (False, True):
            print(f"over a link of {DELAY * 1000:.0f} ms")
            _sampled(port, far, detecting=detecting, include_schemas=["s0"])


def _sampled(port: int, reached_by: int, *, detecting: bool, **settings: Any) -> None:
    """Scan through the port that the server is reached by; then its statements in a bare loop."""
    import sqlalchemy as sa
    from sqlalchemy import event

    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if " AS c0" in statement:
            assert not parameters
            statements.append(statement.replace("%%", "%"))

    def bare() -> None:
        with Database(_server(reached_by), 0).connect() as connection:
            connection.execute("SET search_path TO pg_catalog")
            for statement in statements:
                connection.execute(statement.encode()).fetchall()

    one, given = scanner(reached_by, **settings), context(detecting=detecting)
    event.listen(sa.Engine, "before_cursor_execute", note)
    scan = timed(port, lambda: exhausted(one.scan(given)))
    event.remove(sa.Engine, "before_cursor_execute", note)
    loop = timed(port, bare)
    words = "with detection" if detecting else "without detection"
    print(f"sampled scan {words}: {len(statements):,} samples, {scan.result['FieldProfiled']:,} columns")
    print(f"  scan {scan}")
    print(f"  bare loop {loop}")
    print(scan.against(loop), flush=True)


def rescan(port: int) -> None:
    """(b) Into the graph, without detection: first scan, rescan of the unchanged, rescan after 1 % changed."""
    from inventory.graph.engine import engine_graph
    from inventory.graph.schema import migrate
    from inventory.graph.writer import GraphWriter, ScanRun
    from inventory.scan.run import scan_source
    from scanners.base import ScanContext

    one, given, made = scanner(port), context(detecting=False), Database(_server(port), 0)

    def scan(run: str) -> Any:
        tokens = writer.tokens(one.system)
        now = ScanContext(given.detection, tokens=tokens)
        return scan_source(one, now, lambda name, said: writer.load(ScanRun(run, name, datetime.now(UTC)), said))

    with tempfile.TemporaryDirectory() as room, engine_graph(Path(room, "graph")) as graph:
        migrate(graph)
        writer = GraphWriter(graph)
        first, outcome = watched(lambda: scan("first"))
        tables = len(writer.tokens(one.system))
        print(f"rescan: first scan {first:.1f} s: {outcome.report.summary}")
        again, outcome = watched(lambda: scan("second"))
        print(f"  unchanged {again:.1f} s, ratio {again / first:.3f}, {outcome.report.versions} versions written")
        made.change(max(1, tables // 100))
        changed, outcome = watched(lambda: scan("third"))
        print(f"  1 % changed ({max(1, tables // 100)} tables) {changed:.1f} s: {outcome.report.summary}")
        print(f"  ratio {changed / first:.3f}", flush=True)


def memory(port: int, schemas: int) -> None:
    """(d) Peak of memory of the scanning process, by number of tables, without detection."""
    one = scanner(port, include_schemas=[f"s{number}" for number in range(schemas)])
    given = context(detecting=False)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    said = exhausted(one.scan(given)) if schemas else Counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"memory: {said['DatasetSeen']:5,} tables: peak {peak:.0f} MB ({peak - before:+.0f} MB)", flush=True)


def processes(port: int) -> None:
    """(e) A tenth of the tables, with detection: in this process, and by one and two workers of both kinds."""
    from inventory.scan.run import observations
    from inventory.scan.workers import process_workers

    one = scanner(port, include_schemas=["s0"], budget={"concurrency": 2})
    given = context(detecting=True)
    alone = timed(port, lambda: exhausted(observations(one, given, [])))
    print(f"processes: {alone.result['DatasetSeen']} tables; in this process {alone}", flush=True)
    for name, opened in (("process", process_workers), ("dask", _dask_workers)):
        walls: list[float] = []
        for count in (1, 2):
            used = os.times()
            with opened(count) as workers:
                exhausted(observations(scanner(port, include_schemas=["s9"]), given, [], workers))  # starts them
                wall, _ = watched(lambda workers=workers: exhausted(observations(one, given, [], workers)))
            walls.append(wall)
            cpu = sum(os.times()[:4]) - sum(used[:4])
            print(f"  {count} {name} workers {wall:.1f} s (cpu {cpu:.1f} s with their start and as many tables before)")
        print(
            f"  speed-up of 2 over 1: {walls[0] / walls[1]:.2f}, of 2 over none: {alone.wall / walls[1]:.2f}",
            flush=True,
        )


@contextmanager
def _dask_workers(count: int) -> Iterator[Any]:
    from distributed import LocalCluster

    from inventory.scan.workers import cluster_workers

    logging.getLogger("distributed").setLevel(logging.ERROR)
    with (
        LocalCluster(n_workers=count, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as cluster,
        cluster_workers(cluster.scheduler_address) as workers,
    ):
        yield workers


# --- running them -------------------------------------------------------------------------------------------


def _server(port: int) -> Any:
    from seed.estate.servers.postgres import Postgres

    return Postgres(port, PASSWORD)


def _measure(name: str, port: int, *more: int) -> None:
    subprocess.run([sys.executable, "-m", "benchmarks.scan", "--measure", name, str(port), *map(str, more)], check=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tables", type=int, default=5000)
    parser.add_argument("--distinct", action="store_true", help="No two tables have columns of the same names.")
    parser.add_argument("--only", choices=MEASURES, action="append")
    parser.add_argument("--measure", nargs="+", help=argparse.SUPPRESS)  # in a process of its own
    options = parser.parse_args()
    if options.measure:
        name, *numbers = options.measure
        globals()[name](*map(int, numbers))
        return
    print(f"{options.tables:,} tables, {options.tables * len(COLUMNS):,} columns; {os.cpu_count()} cores", flush=True)
    with database(options.tables, distinct=options.distinct) as made:
        for name in options.only or MEASURES:
            if name == "memory":
                for schemas in (0, 1, SCHEMAS // 2, SCHEMAS):
                    _measure(name, made.server.port, schemas)
            else:
                _measure(name, made.server.port)


if __name__ == "__main__":
    main()
