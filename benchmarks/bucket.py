"""A bucket of many objects: its scan next to bare listing and the same range reads through obstore.

The server (moto, or with --versitygw the program of that name, which is faster to fill) is filled first; then each way
is run in turn, seven times over, and the shortest time of each counts, and the least of this process's CPU (the server
has its own). The bare way lists everything and makes the very requests that the scan makes, with as many at once, and
does nothing with what comes back. `unchanged` is the scan of a bucket in which nothing has changed.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import os
import random
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import obstore

import scanners.buckets.reading as engine
from inventory.model import Covered, DatasetSeen, Observation
from scanners.base import ScanContext
from scanners.buckets.bucket import READERS
from scanners.buckets.grouping import ObjectRef
from scanners.buckets.objects import PAGE, read_range
from scanners.buckets.s3 import S3Scanner, S3Settings
from scanners.detection import ColumnDetector
from seed.estate.servers.object_store import object_store
from seed.estate.servers.process import LOOPBACK, running

BUCKET = "lake"
ROUNDS = 7
Request = tuple[ObjectRef, int, int]


def main() -> None:
    """Fill, measure, print."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.bucket", description=__doc__)
    options.add_argument("--objects", type=int, default=20_000)
    options.add_argument("--datasets", type=int, default=4, help="templates that the objects' keys follow")
    options.add_argument("--versitygw", type=Path, help="path of the program")
    chosen = options.parse_args()
    os.environ |= {"BENCHMARK_KEY_ID": "key", "BENCHMARK_KEY": "secret"}
    with tempfile.TemporaryDirectory() as folder, served(Path(folder), chosen.versitygw) as address:
        scanner = scanner_of(address)
        fill(address, scanner, chosen.objects, chosen.datasets)
        context = ScanContext(ColumnDetector())
        requests: list[Request] = []
        seen = scan(scanner, context, requests)
        tokens = {each.scope: each.token for each in seen if isinstance(each, Covered) and each.token}
        rescan = ScanContext(context.detection, tokens=tokens)
        ways = {"bare": lambda: bare(scanner, requests), "scan": lambda: scan(scanner, context, []),
                "unchanged": lambda: scan(scanner, rescan, [])}  # fmt: skip
        times = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, way in ways.items():
                times[name].append(timed(way))
        datasets = sum(1 for each in seen if isinstance(each, DatasetSeen))
        size = sum(min(end, ref.size) - start for ref, start, end in requests) / 2**20
        print(f"{chosen.objects} objects in {datasets} datasets; {len(requests)} range reads of {size:.1f} MiB")
        best = {name: tuple(map(min, zip(*measured, strict=True))) for name, measured in times.items()}
        for name, (wall, cpu) in best.items():
            of_wall, of_cpu = wall / best["bare"][0], cpu / best["bare"][1]
            print(f"{name:10} {wall:6.2f} s  {of_wall:5.2f} of the bare way   CPU {cpu:6.2f} s  {of_cpu:5.2f}")


def timed(way: Callable[[], object]) -> tuple[float, float]:
    """Seconds of the clock, and of this process's CPU."""
    begun, used = time.perf_counter(), time.process_time()
    way()
    return time.perf_counter() - begun, time.process_time() - used


@contextmanager
def served(folder: Path, program: Path | None) -> Iterator[str]:
    """The address of a running S3 server with the keys `key` and `secret`."""
    if program is None:
        with object_store(folder / "log") as address:
            yield address
        return
    data = folder / "data"
    data.mkdir()
    command = [str(program.absolute()), "--access", "key", "--secret", "secret"]

    def on(port: int) -> list[str]:
        return [*command, "--port", f"{LOOPBACK}:{port}", "posix", str(data)]

    with running("versitygw", on, listens, folder / "log") as port:
        yield f"http://{LOOPBACK}:{port}"


def listens(port: int) -> bool:
    """Whether something answers there."""
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0


def scanner_of(address: str) -> S3Scanner:
    """The scanner of the bucket."""
    keys = {"access_key_id": {"env": "BENCHMARK_KEY_ID"}, "secret_access_key": {"env": "BENCHMARK_KEY"}}
    content = {"name": "lake", "type": "s3", "bucket": BUCKET, "endpoint": address, "allow_http": True, **keys}
    return S3Scanner(S3Settings.model_validate(content))


def fill(address: str, scanner: S3Scanner, objects: int, datasets: int) -> None:
    """Like-named tables of people, a few hundred rows each, compressed."""
    import boto3

    client = boto3.client(
        "s3", endpoint_url=address, region_name="us-east-1", aws_access_key_id="key", aws_secret_access_key="secret"
    )
    client.create_bucket(Bucket=BUCKET)
    store = scanner.open()
    contents = [table(seed) for seed in range(16)]

    def put(number: int) -> None:
        day = date(2020, 1, 1) + timedelta(days=number // datasets % 2000)
        key = f"exports/{'abcdefghijklmnopqrstuvwxyz'[number % datasets]}/{day}/host-{number}.csv.gz"
        obstore.put(store, key, contents[number % len(contents)])

    with ThreadPoolExecutor(READERS) as pool:
        for _ in pool.map(put, range(objects)):
            pass


def table(seed: int) -> bytes:
    """Three hundred rows."""
    chance = random.Random(seed)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["id", "email", "amount", "status"])
    for _ in range(300):
        row = [chance.randrange(10**6), f"person{chance.randrange(10**6)}@example.ca", chance.random(), "paid"]
        writer.writerow(row)
    return gzip.compress(text.getvalue().encode())


def scan(scanner: S3Scanner, context: ScanContext, requests: list[Request]) -> list[Observation]:
    """The whole scan; its requests are noted."""

    def noted(store, ref, start, end, source):
        requests.append((ref, start, end))
        return read_range(store, ref, start, end, source)

    engine.read_range = noted
    return list(scanner.scan(context))


def bare(scanner: S3Scanner, requests: list[Request]) -> None:
    """List everything, then read what the scan reads."""
    store = scanner.open()
    for _ in obstore.list(store, chunk_size=PAGE):
        pass

    def read(request: Request) -> None:
        ref, start, end = request
        obstore.get_range(store, ref.key, start=start, end=min(end, ref.size))

    with ThreadPoolExecutor(READERS) as pool:
        for _ in pool.map(read, requests):
            pass


if __name__ == "__main__":
    main()
