"""What `downstream` costs on a large map of flows next to the same Cypher by the bare driver.

    python -m benchmarks.lineage.downstream                   200,000 fields, 600,000 flows, embedded engine
    python -m benchmarks.lineage.downstream --fields 20000    the same in small

Three flows leave each field for fields of the next of 20 layers. Asked is what one field reaches in 8 hops, with the
way to each place; the bare driver asks the catalogue's query for each level and does nothing with the rows.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

COLUMNS, LAYERS, FLOWS, HOPS, BATCH = 40, 20, 3, 8, 5000
SINCE = "2026-01-01T00:00:00.000000Z"


def main() -> None:
    """Load the map, ask both ways, print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fields", type=int, default=200_000)
    parser.add_argument("--times", type=int, default=5)
    arguments = parser.parse_args()

    from inventory.graph.catalogue import Catalogue
    from inventory.graph.engine import engine_graph
    from inventory.graph.schema import migrate

    with tempfile.TemporaryDirectory() as folder, engine_graph(Path(folder) / "graph", heap_mb=2048) as graph:
        migrate(graph)
        began = time.perf_counter()
        load(graph, arguments.fields)
        seconds = time.perf_counter() - began
        print(f"{arguments.fields:,} fields, {arguments.fields * FLOWS:,} flows loaded in {seconds:.0f} s")
        starts = [field(0, number) for number in range(arguments.times)]
        catalogue = Catalogue(graph)
        ours(catalogue, starts[0])
        bare(graph, starts[0])  # both once for nothing: plans are made, pages are read
        told = [(timed(lambda s=start: ours(catalogue, s)), timed(lambda s=start: bare(graph, s))) for start in starts]
        for (mine, places), (driver, rows) in told:
            asked = f"downstream {mine:6.2f} s, {places:,} places"
            print(f"{asked}   bare driver {driver:6.2f} s, {rows:,} rows   {mine / driver:.2f}")
        print(f"median {statistics.median(mine / driver for (mine, _), (driver, _) in told):.2f} of the bare driver")


def timed(ask: Callable[[], int]) -> tuple[float, int]:
    """Seconds, and how much was answered."""
    began = time.perf_counter()
    found = ask()
    return time.perf_counter() - began, found


def ours(catalogue: Any, start: str) -> int:
    """The named question, as a client asks it."""
    from inventory.api.contract import ask

    async def asked() -> int:
        try:
            answer = await ask(catalogue, "Downstream", {"of": {"urn": start}, "depth": HOPS})
            return int(answer["downstream"]["total"])
        finally:
            await catalogue.graph.aclose()

    return asyncio.run(asked())


def bare(graph: Any, start: str) -> int:
    """The catalogue's query of each level by the driver alone."""
    from neo4j import GraphDatabase

    from inventory.graph.catalogue import entry_named, moment

    settings = graph.settings
    query, now, rows = entry_named("steps_from").query, moment(), 0
    auth = (settings.user, settings.password.get_secret_value())
    with GraphDatabase.driver(settings.uri, auth=auth) as driver, driver.session(database=settings.database) as session:
        seen, frontier = {start}, [start]
        for _ in range(HOPS):
            found = session.run(query, keys=frontier, as_of=now).data() if frontier else []
            rows += len(found)
            frontier = sorted({row["target"] for row in found} - seen)
            seen.update(frontier)
    return rows


def dataset(layer: int, number: int) -> str:
    return f"postgres://db.test:5432/warehouse.layer{layer}.table{number // COLUMNS}"


def field(layer: int, number: int) -> str:
    return f"{dataset(layer, number)}#column{number % COLUMNS}"


def load(graph: Any, fields: int) -> None:
    """By the bare connection, as loading is not what is measured."""
    each = fields // LAYERS
    born = {"valid_from": SINCE, "changed_at": SINCE}
    write = graph.write
    write("CREATE (s:System {urn: $urn}) SET s += $born", urn="postgres://db.test:5432", born=born)
    places = sorted({dataset(layer, number) for layer in range(LAYERS) for number in range(each)})
    for some in batches(iter(places)):
        write(
            "MATCH (s:System {urn: 'postgres://db.test:5432'}) UNWIND $rows AS row CREATE (d:Dataset {urn: row}) "
            "SET d += $born CREATE (s)-[r:CONTAINS]->(d) SET r += $born",
            rows=some,
            born=born,
        )
    columns = (
        [dataset(layer, n), field(layer, n), f"column{n % COLUMNS}"] for layer in range(LAYERS) for n in range(each)
    )
    for some in batches(columns):
        write(
            "UNWIND $rows AS row MATCH (d:Dataset {urn: row[0]}) CREATE (f:Field {urn: row[1]}) "
            "SET f += $born, f.name = row[2], f.dataset = row[0] CREATE (d)-[r:CONTAINS]->(f) SET r += $born",
            rows=some,
            born=born,
        )
    chance = random.Random(7)
    flows = (
        [field(layer, number), field(layer + 1, chance.randrange(each)), f"{layer}-{number}-{way}"]
        for layer in range(LAYERS - 1)
        for number in range(each)
        for way in range(FLOWS)
    )
    for some in batches(flows):
        write(
            "UNWIND $rows AS row MATCH (a:Field {urn: row[0]}) MATCH (b:Field {urn: row[1]}) "
            "CREATE (a)-[r:FLOWS_TO]->(b) SET r += $born, r.id = row[2], r.provenance = 'sql', "
            "r.transformation = 'copied', r.confidence = 1.0, r.job = ''",
            rows=some,
            born=born,
        )


def batches(rows: Iterator[object]) -> Iterator[list[object]]:
    """Rows, BATCH at a time."""
    while some := list(islice(rows, BATCH)):
        yield some


if __name__ == "__main__":
    main()
