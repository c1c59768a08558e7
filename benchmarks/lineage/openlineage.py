"""How many OpenLineage events a second are taken, next to what the same takes at least.

    python -m benchmarks.lineage.openlineage                1,000 jobs, embedded engine
    python -m benchmarks.lineage.openlineage --jobs 200     the same in small

Each job starts and completes once: two inputs, one output, ten columns; an event has about 5 kB. Measured are a file
(`inventory lineage import`), HTTP from so many clients at once that a connection never waits for its own next event,
and one client alone. The bare cost is the JSON of the same events parsed, and the same nodes and edges created by the
bare driver with UNWIND, without looking at what is there and without history.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import queue
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import SecretStr

TOKEN = "a-token-of-the-benchmark-0123456789"
DB = "postgres://db.test:5432"
COLUMNS, CLIENTS, BATCH = 10, 64, 5000
RUN, NEXT_RUN = b'"runId": "0', b'"runId": "1'


def main() -> None:
    """Take the events each way, print events a second and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=1000)
    arguments = parser.parse_args()

    from inventory.cli.console import configure_logging
    from inventory.graph.engine import engine_graph
    from inventory.lineage.openlineage.files import import_events
    from inventory.lineage.openlineage.loading import Loader

    configure_logging(verbose=False)
    lines = [json.dumps(event).encode() for job in range(arguments.jobs) for event in events(job)]
    size = sum(map(len, lines)) / len(lines)
    print(f"{len(lines):,} events of {arguments.jobs:,} jobs, {size:,.0f} bytes each")
    with tempfile.TemporaryDirectory() as folder, engine_graph(Path(folder) / "graph", heap_mb=1024) as graph:
        file = Path(folder) / "events.ndjson"
        file.write_bytes(b"".join(line + b"\n" for line in lines))
        loader = Loader(graph)
        loader.load([])
        with emptied(graph):
            bare(graph, lines)  # once for nothing: plans are made, the engine is warm
        with emptied(graph):
            least = told("bare: parse, and create the same by the driver", lines, lambda: bare(graph, lines))
        with emptied(graph):
            told("file", lines, lambda: import_events(file, loader.load), least)
            later = [line.replace(b"2026-01-01", b"2026-01-02").replace(RUN, NEXT_RUN) for line in lines]
            file.write_bytes(b"".join(line + b"\n" for line in later))
            told("file, the next day's runs (the same flows)", later, lambda: import_events(file, loader.load), least)
            told("file, the same again", later, lambda: import_events(file, loader.load), least)
        with emptied(graph), served(graph) as address:
            told(f"HTTP, {CLIENTS} clients", lines, lambda: asyncio.run(sent(address, lines, CLIENTS)), least)
        some = lines[: max(len(lines) // 20, 20)]
        with emptied(graph), served(graph) as address:
            told("HTTP, one client", some, lambda: asyncio.run(sent(address, some, 1)))


def told(what: str, lines: list[bytes], work: Callable[[], object], least: float = 0.0) -> float:
    """Run and print; seconds."""
    began = time.perf_counter()
    work()
    seconds = time.perf_counter() - began
    ratio = f"  {seconds / least:5.1f} of the bare cost" if least else ""
    print(f"{what:<48} {seconds:7.2f} s  {len(lines) / seconds:8,.0f} events/s{ratio}", flush=True)
    return seconds


def events(job: int) -> Iterator[dict[str, Any]]:
    """A run that starts with its inputs and completes with its output."""
    sources, target = [f"shop.raw.t{job}", f"shop.raw.u{job}"], f"shop.mart.t{job}"
    identity = [{"type": "DIRECT", "subtype": "IDENTITY", "description": "", "masking": False}]
    fields = {
        f"c{n}": {
            "inputFields": [{"namespace": DB, "name": sources[n % 2], "field": f"c{n}", "transformations": identity}],
        }
        for n in range(COLUMNS)
    }
    schema = {"fields": [{"name": f"c{n}", "type": "text"} for n in range(COLUMNS)]}
    lineage = {"columnLineage": {"_producer": "https://test", "fields": fields}, "schema": schema}
    for second, state in enumerate(("START", "COMPLETE")):
        yield {
            "eventTime": f"2026-01-01T00:00:0{second}Z",
            "producer": "https://example.org/benchmark",
            "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
            "eventType": state,
            "run": {"runId": str(UUID(int=job)), "facets": {}},
            "job": {"namespace": "benchmark", "name": f"job-{job}", "facets": {}},
            "inputs": [{"namespace": DB, "name": name, "facets": {"schema": schema}} for name in sources],
            "outputs": [{"namespace": DB, "name": target, "facets": lineage}],
        }


def bare(graph: Any, lines: list[bytes]) -> None:
    """Parse the events; create what they say by the driver alone."""
    from neo4j import GraphDatabase

    datasets: set[str] = set()
    flows: dict[str, set[tuple[str, str, str]]] = {"Dataset": set(), "Field": set()}
    jobs: set[str] = set()
    for line in lines:
        event = json.loads(line)
        job = event["job"]["name"]
        jobs.add(job)
        for output in event["outputs"]:
            target = f"{output['namespace']}/{output['name']}"
            sources = [f"{each['namespace']}/{each['name']}" for each in event["inputs"]]
            datasets.update((target, *sources))
            flows["Dataset"].update((source, target, job) for source in sources)
            for column, said in output["facets"]["columnLineage"]["fields"].items():
                for source in said["inputFields"]:
                    origin = f"{source['namespace']}/{source['name']}#{source['field']}"
                    flows["Field"].add((origin, f"{target}#{column}", job))
    fields = {end for source, target, _ in flows["Field"] for end in (source, target)}
    settings = graph.settings
    auth = (settings.user, settings.password.get_secret_value())
    with GraphDatabase.driver(settings.uri, auth=auth) as driver, driver.session(database=settings.database) as session:

        def create(query: str, rows: list[Any]) -> None:
            for start in range(0, len(rows), BATCH):
                some = rows[start : start + BATCH]
                session.execute_write(lambda transaction, some=some: transaction.run(query, rows=some).consume())

        for label, keys in (("Job", jobs), ("Dataset", datasets), ("Field", fields)):
            create(f"UNWIND $rows AS row MERGE (n:{label} {{urn: row}}) SET n.name = row", sorted(keys))
        for label, edges in flows.items():
            create(
                f"UNWIND $rows AS row MATCH (a:{label} {{urn: row[0]}}) MATCH (b:{label} {{urn: row[1]}}) "
                "CREATE (a)-[r:FLOWS_TO]->(b) SET r.job = row[2], r.provenance = 'openlineage'",
                [list(edge) for edge in sorted(edges)],
            )


@contextmanager
def emptied(graph: Any) -> Iterator[None]:
    """An empty graph with its constraints."""
    from inventory.graph.schema import migrate

    while graph.write("MATCH (n) WITH n LIMIT 5000 DETACH DELETE n RETURN count(*) AS gone")[0]["gone"]:
        pass
    migrate(graph)
    yield


@contextmanager
def served(graph: Any) -> Iterator[str]:
    """The address of a service over the graph, in this process."""
    from inventory.api.app import create_app, serve, stop
    from inventory.api.settings import ApiSettings
    from inventory.graph.catalogue import Catalogue

    app = create_app(Catalogue(graph), ApiSettings(port=0, tokens=(SecretStr(TOKEN),)))
    address: queue.Queue[str] = queue.Queue()
    thread = threading.Thread(target=serve, args=(app,), kwargs={"ready": address.put})
    thread.start()
    yield address.get(timeout=30)
    stop(app)
    thread.join()


async def sent(address: str, lines: list[bytes], clients: int) -> None:
    """Send every event once, from so many clients; each waits for its answer before it sends the next."""
    import httpx

    waiting = iter(lines)
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}

    async def one() -> None:
        async with httpx.AsyncClient(base_url=address, headers=headers, timeout=120) as client:
            for line in waiting:
                answer = await client.post("/api/v1/lineage", content=line)
                if answer.status_code != 201:
                    raise SystemExit(f"refused: {answer.status_code} {answer.text[:200]}")

    await asyncio.gather(*(one() for _ in range(clients)))


if __name__ == "__main__":
    main()
