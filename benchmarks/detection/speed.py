"""How fast the whole verdict path is, next to the bare scan of the same bytes. Prints ratios, asserts nothing.

    python -m benchmarks.detection.speed                        100 MB of mixed columns, one core
    python -m benchmarks.detection.speed --megabytes 1000       for the peak of memory
    python -m benchmarks.detection.speed --small                many tables of 20 columns and 100 rows

Each way runs in a process of its own, so that its peak of memory is its own. `adaptive` is what a scan does: it stops
at a column whose verdict is settled, though it is offered every byte. `exhaustive` searches every text.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from faker import Faker

from benchmarks.detection import corpus
from benchmarks.detection.makers import KINDS

ROWS = 20_000
POOL = 4_000
# Half identifiers and facts, half people; a third of the bytes is prose, as in support and log tables.
COLUMNS = {
    "id": "key", "account_uuid": "uuid", "full_name": "full", "email": "email", "phone": "phone", "city": "city",
    "address": "address", "created_at": "created", "amount": "price", "status": "status", "card_number": "card",
    "ip": "ip", "user_agent": "ua", "etag": "etag", "order_number": "order16", "version": "version4", "sku": "sku",
    "ref_3": "email", "notes": "text_email", "body": "text", "log_line": "access", "token": "secret",
    "product": "product", "flag": "flag",
}  # fmt: skip


def batch() -> pa.RecordBatch:
    """One batch of mixed columns; values are drawn from a pool of each kind, so that making them is quick."""
    faker, rng = Faker("en_CA"), random.Random(4)
    faker.seed_instance(4)
    data: dict[str, list[Any]] = {}
    for column, kind in COLUMNS.items():
        pool = [KINDS[kind].make(faker, rng, row) for row in range(POOL)]
        data[column] = list(range(ROWS)) if kind == "key" else [rng.choice(pool) for _ in range(ROWS)]
    return pa.RecordBatch.from_pydict(data)


def batches(megabytes: int) -> Iterator[pa.RecordBatch]:
    """The batch again and again, as fresh buffers, until so many megabytes were given."""
    one = batch()
    given = 0
    while given < megabytes * 1_000_000:
        given += one.nbytes
        yield pa.RecordBatch.from_arrays([pa.concat_arrays([array]) for array in one.columns], schema=one.schema)


def run(way: str, megabytes: int) -> dict[str, float]:
    """Time one way in this process."""
    from scanners.detection import ColumnDetector
    from scanners.detection.engine import HyperscanEngine, Texts
    from scanners.detection.interface import ColumnContext, TableContext

    source = list(batches(min(megabytes, 100)))
    given = [source[i % len(source)] for i in range(max(1, round(megabytes * 1e6 / source[0].nbytes)))]
    size = sum(one.nbytes for one in given)
    values = sum(one.num_rows * one.num_columns for one in given)
    detector = ColumnDetector(exhaustive=way == "exhaustive")
    engine = detector.engine
    detector.names.look("warm")
    scan_only: list[int] = []
    started = time.process_time()
    if way == "bare":
        assert isinstance(engine, HyperscanEngine)
        scratch = engine._scratch()
        for one in given:
            for array in one.columns:
                if pa.types.is_string(array.type):
                    engine._database.scan(
                        Texts(array).block(),
                        match_event_handler=lambda i, s, e, f, c: scan_only.append(e),
                        scratch=scratch,
                    )
                    scan_only.clear()
    else:
        detection = detector.table(TableContext("mixed", tuple(ColumnContext(name) for name in COLUMNS)))
        for one in given:
            detection.feed(one)
        detection.verdicts()
    seconds = time.process_time() - started
    held = sum(one.nbytes for one in source) / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    return {
        "seconds": seconds, "megabytes": size / 1e6, "mb_s": size / 1e6 / seconds, "values_s": values / seconds,
        "peak_mb": peak - held,
    }  # fmt: skip


SMALL_ROWS, SMALL_COLUMNS = 100, 20
CORPUS_SEEDS = (5, 6)


def small_tables() -> Iterator[tuple[str, pa.RecordBatch]]:
    """The corpus's columns, 100 values of each, dealt into tables of 20; a second time with other values."""
    for seed in CORPUS_SEEDS:
        columns = [
            (column.name, table.data.column(column.name))
            for table in corpus.tables(rows=SMALL_ROWS, seed=seed)
            for column in table.columns
        ]
        for first in range(0, len(columns) - SMALL_COLUMNS + 1, SMALL_COLUMNS):
            dealt = columns[first : first + SMALL_COLUMNS]
            names: list[str] = []
            for name, _ in dealt:
                names.append(name if name not in names else f"{name}_{len(names)}")
            yield f"t{first}_{seed}", pa.RecordBatch.from_arrays([array for _, array in dealt], names=names)


def small() -> None:
    """Time the whole verdict of each small table, next to the bare scan of its bytes, and the start of a worker."""
    given = list(small_tables())
    values = SMALL_ROWS * SMALL_COLUMNS
    began = time.process_time()
    from scanners.detection import ColumnDetector
    from scanners.detection.engine import HyperscanEngine, Texts
    from scanners.detection.interface import ColumnContext, TableContext

    imported = time.process_time()
    detector = ColumnDetector()

    def judge(name: str, data: pa.RecordBatch) -> float:
        started = time.process_time()
        detection = detector.table(TableContext(name, tuple(ColumnContext(column) for column in data.schema.names)))
        detection.feed(data)
        detection.verdicts()
        return time.process_time() - started

    judge(*given[0])
    ready = time.process_time()
    half = len(given) // len(CORPUS_SEEDS)
    new = [judge(*table) for table in given[1:half]]
    known = [judge(*table) for table in given[half:]]
    engine = detector.engine
    assert isinstance(engine, HyperscanEngine)
    scratch, ends = engine._scratch(), list[int]()
    started = time.process_time()
    for _, data in given[half:]:
        for array in data.columns:
            if pa.types.is_string(array.type):
                engine._database.scan(
                    Texts(array).block(), match_event_handler=lambda i, s, e, f, c: ends.append(e), scratch=scratch
                )
                ends.clear()
    bare = (time.process_time() - started) / len(known)
    print(
        f"start   {imported - began:.2f} s of one core to import, {ready - imported:.2f} s more to the first verdicts"
    )
    for title, seconds in (("new", new), ("known", known)):
        each = sum(seconds) / len(seconds)
        print(
            f"{title:7} {each * 1000:6.1f} ms of one core a table   {values / each:9,.0f} values/s   "
            f"{each / bare:5.1f} times the bare scan ({bare * 1000:.2f} ms)"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--small", action="store_true", help="tables of 20 columns and 100 rows")
    parser.add_argument("--way", default="")
    options = parser.parse_args()
    if options.small:
        small()
        return
    if options.way:
        print(json.dumps(run(options.way, options.megabytes)))
        return
    results: dict[str, dict[str, float]] = {}
    for way in ("bare", "adaptive", "exhaustive"):
        command = [
            sys.executable,
            "-m",
            "benchmarks.detection.speed",
            "--way",
            way,
            "--megabytes",
            str(options.megabytes),
        ]
        results[way] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        r = results[way]
        ratio = r["mb_s"] / results["bare"]["mb_s"]
        print(
            f"{way:11} {r['mb_s']:8.1f} MB/s {r['values_s'] / 1e6:7.2f} M values/s  {r['seconds']:6.2f} s of one core  "
            f"{ratio:5.2f} of the bare scan  peak {r['peak_mb']:.0f} MB beside the input"
        )


if __name__ == "__main__":
    main()
