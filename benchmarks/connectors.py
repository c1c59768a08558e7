"""Fifty pages of each of ten vendors: reading them by connectors next to a bare loop of httpx over the same pages.

A server in a process of its own (asyncio, canned answers, `--latency` before each) gives pages of a hundred records;
ten threads read ten accounts side by side, as a run does. Each way is run in turn, five times over, and the shortest
time of each counts, and the least of this process's CPU. `bare` asks and parses JSON; `read` is the HTTP engine with
its checks, limits and budget; `scan` is all of a scan, detection on every record included.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from urllib.parse import parse_qs, urlsplit

import httpx

from inventory.model import DatasetSeen
from scanners.base import Sampling, ScanContext
from scanners.detection import ColumnDetector
from scanners.integrations.connector import Connector
from scanners.integrations.engine import Engine, Pages, Request
from scanners.integrations.sign_in import FixedHeaders
from scanners.integrations.vendor import VendorScanner, VendorSettings

ROUNDS = 5
RECORDS = 100  # of a page
KEY = "benchmark"


def main() -> None:
    """Serve, measure, print."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.connectors", description=__doc__)
    options.add_argument("--pages", type=int, default=50)
    options.add_argument("--vendors", type=int, default=10)
    options.add_argument("--latency", type=float, default=20, help="milliseconds before each answer")
    options.add_argument("--no-scan", action="store_true", help="leave the whole scan out")
    chosen = options.parse_args()
    os.environ["BENCHMARK_KEY"] = KEY
    context = ScanContext(ColumnDetector())
    with served(chosen.pages, chosen.latency / 1000) as address:
        ways: dict[str, Callable[[], int]] = {
            "bare": lambda: bare(address),
            "read": lambda: read(address),
            "scan": lambda: scan(address, context),
        }
        if chosen.no_scan:
            del ways["scan"]
        best = {name: (float("inf"), float("inf")) for name in ways}
        for _ in range(ROUNDS):
            for name, way in ways.items():
                wall, cpu, records = timed(way, chosen.vendors)
                assert records == chosen.pages * chosen.vendors * RECORDS, (name, records)
                best[name] = min(best[name][0], wall), min(best[name][1], cpu)
    lists = f"{chosen.vendors} vendors of {chosen.pages} pages of {RECORDS} records"
    print(f"{lists}, {chosen.latency:.0f} ms before each answer")
    for name, (wall, cpu) in best.items():
        of_wall, of_cpu = wall / best["bare"][0], cpu / best["bare"][1]
        print(f"{name:6} {wall:6.2f} s  {of_wall:5.2f} of the bare way   CPU {cpu:6.2f} s  {of_cpu:5.2f}")


def timed(way: Callable[[], int], vendors: int) -> tuple[float, float, int]:
    """Seconds of the clock and of this process's CPU, and how many records were read."""
    begun, used = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(vendors) as executor:
        records = sum(executor.map(lambda _: way(), range(vendors)))
    return time.perf_counter() - begun, time.process_time() - used, records


# --- the ways ---------------------------------------------------------------------------------------------


def bare(address: str) -> int:
    """The loop that anybody would write."""
    records, after = 0, None
    with httpx.Client(headers={"Authorization": f"Bearer {KEY}"}) as client:
        while True:
            query = {"limit": str(RECORDS)} | ({"after": after} if after is not None else {})
            page = client.get(f"{address}/people", params=query).raise_for_status().json()
            records += len(page["data"])
            if not page["more"]:
                return records
            after = page["data"][-1]["id"]


def read(address: str) -> int:
    """The engine's way to the same records."""
    resource = CRM.resources[0]
    engine = Engine("crm", address, sign_in=FixedHeaders({"Authorization": f"Bearer {KEY}"}))
    request = Request(resource.name, resource.path, parameters=resource.parameters)
    try:
        return sum(1 for _ in engine.records(request, resource.records, CRM.paging, Pages()))
    finally:
        engine.close()


def scan(address: str, context: ScanContext) -> int:
    """All that a scan of the account does."""
    settings = VendorSettings.model_validate(
        {
            "name": "crm",
            "type": "crm",
            "account": "a1",
            "base_url": address,
            "credentials": {"key": {"env": "BENCHMARK_KEY"}},
            "sampling": Sampling(rows=1_000_000),
        }
    )
    seen = VendorScanner(settings, None, CRM).scan(context)
    return sum(each.row_estimate or 0 for each in seen if isinstance(each, DatasetSeen))


CRM = Connector.model_validate(
    {
        "vendor": "crm",
        "name": "CRM",
        "legal_entity": "CRM Inc.",
        "processor": "crm",
        "service_class": "crm",
        "role": "processor",
        "head_office": "US",
        "regions": ["US"],
        "documentation": "https://crm.example/docs",
        "verified": "documentation",
        "base_url": "https://api.crm.example",
        "auth": {"scheme": "bearer", "token": "key"},
        "paging": {"style": "cursor", "parameter": "after", "key": "/id", "more": "/more"},
        "check": "/me",
        "resources": [
            {
                "name": "people",
                "path": "/people",
                "parameters": {"limit": str(RECORDS)},
                "records": "/data",
                "primary_key": "/id",
                "fields": {"/email": {"category": "user.contact.email"}},
            }
        ],
    }
)


# --- the server -------------------------------------------------------------------------------------------


@contextmanager
def served(pages: int, latency: float) -> Iterator[str]:
    """The address of a server of so many pages, in a process of its own."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(pages, latency, theirs), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join(10)


def _serve(pages: int, latency: float, told: Connection) -> None:
    answers = {str(page * RECORDS): _page(page, page == pages - 1) for page in range(pages)}

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                while await reader.readline() not in (b"\r\n", b""):
                    pass
                parts = urlsplit(line.split()[1].decode())
                after = parse_qs(parts.query).get("after", ["0"])[0]
                body = answers[after] if parts.path == "/people" else b"{}"
                await asyncio.sleep(latency)
                head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
                writer.write(head.encode() + body)
                await writer.drain()
        except ConnectionError:
            pass
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        told.send(server.sockets[0].getsockname()[1])
        threading.Thread(target=_end_with, args=(told,), daemon=True).start()
        await server.serve_forever()

    asyncio.run(run())


def _end_with(told: Connection) -> None:
    try:
        told.recv()
    except (EOFError, OSError):
        os._exit(0)


def _page(page: int, last: bool) -> bytes:
    made = random.Random(page)
    rows = [
        {
            "id": page * RECORDS + n + 1,
            "email": f"person{made.randrange(10**6)}@mail.example",
            "name": f"Person {made.randrange(10**4)}",
            "phone": f"+1514555{made.randrange(10**4):04}",
            "address": {"line1": f"{made.randrange(900)} Main St", "city": "Montréal", "postal_code": "H2X 1Y4"},
            "plan": made.choice(["free", "team", "business"]),
            "created": 1_700_000_000 + made.randrange(10**7),
            "metadata": {"source": made.choice(["ad", "friend"]), "score": made.random()},
        }
        for n in range(RECORDS)
    ]
    return json.dumps({"data": rows, "more": not last}, ensure_ascii=False).encode()


if __name__ == "__main__":
    main()
