"""How well copies are found by their sketches alone: on the estate, on generated pairs, how fast, at what cost.

    python -m benchmarks.lineage.overlap

1. The estate, scanned as users scan it: flows with the provenance `overlap` against the estate's own truth (its
   pipelines, and what its application copies). A claim is right when data of its source is in its target by the truth,
   directly or by way of other fields. Of the truth counts what a sketch can show: copies and hashes of personal fields
   into tables, files and vendors (the flows of views are told by their SQL).
2. Generated pairs of fields with a containment of 0.3 to 1.0, among fields that resemble each other by chance.
3. The search among 20,000 sketches.
4. What sketching adds to a scan of the estate, in processor time.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from inventory.cli import road
from inventory.graph.catalogue import Catalogue
from inventory.lineage.overlap import FieldFacts, Overlap
from inventory.lineage.overlap_flows import compared
from inventory.lineage.sketches import KeptSketch
from inventory.model import FlowSeen, dataset_of
from inventory.scan.config import parse_config
from scanners.base import ScanContext
from scanners.detection.interface import Sketch
from scanners.sketching import K, Sketching, SketchingDetection
from seed.estate import Estate
from seed.estate.score import Tally, score_overlap
from seed.estate.truth import Truth, truth

ROWS = 1000  # of a sample
ESTATE_ROWS = 1000
SKETCHES = 20_000

# --- the estate -------------------------------------------------------------------------------------------------


def on_the_estate() -> None:
    with tempfile.TemporaryDirectory(prefix="overlap-") as folder:
        Path(folder).chmod(0o711)
        with Estate(Path(folder, "estate"), rows=ESTATE_ROWS) as estate:
            config = parse_config({"data_dir": f"{folder}/data", "sources": estate.sources()}, "benchmark")
            with road.opened_graph(config) as graph, closing(road.opened_sketches(config)) as store:
                road.declare(graph, config)
                context = road.detection_context(config, (), lambda _: None)

                def scan(which: ScanContext) -> None:
                    kept = store if which is context else None
                    road.scan_into(graph, config.sources, which, full=True, sketches=kept)

                scan(context)
                _say_estate(compared(Catalogue(graph), list(store.sketches())), truth())
                plain, sketched = _without(context), context
                times = [
                    (_processor_time(lambda: scan(plain)), _processor_time(lambda: scan(sketched))) for _ in range(9)
                ]
        estate.remove()
    less, more = (min(each) for each in zip(*times, strict=True))
    median = statistics.median(with_sketches / without - 1 for without, with_sketches in times)
    print(f"  sketching adds {more / less - 1:.1%} of processor time (least of 9; median {median:.1%}) to {less:.2f} s")


def _without(context: ScanContext) -> ScanContext:
    assert isinstance(context.detection, SketchingDetection)
    return replace(context, detection=context.detection.plain)


def _processor_time(run: Callable[[], object]) -> float:
    started = time.process_time()
    run()
    return time.process_time() - started


def _say_estate(overlap: Overlap, true: Truth) -> None:
    claims = {(said.source, said.target) for said in overlap.observations() if isinstance(said, FlowSeen)}
    tally, mistakes = score_overlap(claims, true)
    print(f"estate, {ESTATE_ROWS} customers: {tally}")
    for mistake in mistakes:
        print(f"  {mistake}")


# --- generated pairs --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """Values of a kind, by a number that tells them apart."""

    category: str
    kind: str
    value: Callable[[int], str]


KINDS = (
    Kind("user.contact.email", "email", lambda n: f"Person{n}@mail{n % 7}.example"),
    Kind("user.contact.phone_number", "phone", lambda n: f"(514) {200 + n // 10_000 % 800}-{n % 10_000:04d}"),
    Kind("user.account.username", "text", lambda n: f"user_{n}"),
    Kind("user.unique_id", "text", lambda n: f"{random.Random(n).getrandbits(128):032x}-"),
    Kind("user.government_id.passport_number", "code", lambda n: f"AB {n:06d}"),
    Kind("user.name", "text", lambda n: f"Ann{n % 997} Lee{n}"),
)


def _chance(draw: random.Random) -> list[Kind]:
    """What different tables share by chance, each of a domain of its own size."""
    theirs = draw.randrange(10**9)
    return [
        Kind("user.contact.address.country", "text", lambda n: f"country {n % 195}"),
        Kind("user.demographic.gender", "text", lambda n: "fmx"[n % 3]),
        Kind("user.demographic.date_of_birth", "text", lambda n: f"{1940 + n % 70}-{n % 12 + 1:02d}-{n % 28 + 1:02d}"),
        Kind("user.name.first", "text", lambda n: f"first {n % 400}"),
        Kind("user.name.last", "text", lambda n: f"last {n % 2000}"),
        Kind("user.contact.address.city", "text", lambda n: f"city {n % 300}"),
        Kind("user.unique_id", "number", lambda n: str(n % 5000 + 1)),  # a key that counts from one
        Kind("user.financial", "number", lambda n: str(n % 500)),
        Kind("user.contact.email", "email", lambda n: f"other{n}.{theirs}@mail.example"),
        Kind("user.account.username", "text", lambda n: f"name{n % 60_000}"),  # few of them shared
    ]


def made(seed: int, pairs: int, population: int = ROWS) -> tuple[Overlap, set[frozenset[str]]]:
    """Fields of so many tables of this size, of which a sample is sketched, and which of them are pairs."""
    draw = random.Random(seed)
    sketching = Sketching(bytes(range(32)))
    kept: list[KeptSketch] = []
    facts: dict[str, FieldFacts] = {}
    true: set[frozenset[str]] = set()

    def add(table: str, system: str, kind: Kind, values: Sequence[int]) -> str:
        urn = f"{system}/{table}#{kind.category.rpartition('.')[2]}"
        sample = draw.sample(values, min(ROWS, len(values)))
        texts = pa.array([kind.value(n) for n in sample])
        sketches = sketching.sketch(texts, kind.kind, sampled=len(sample), rows=len(sample))
        kept.extend(_kept(urn, sketch, whole=len(values) <= ROWS) for sketch in sketches)
        dataset, name = dataset_of(urn), urn.partition("#")[2]
        facts[urn] = FieldFacts(urn, name, dataset, "table", system, "database", kind.category, rows=len(values))
        return urn

    base = 0
    for number in range(pairs):
        kind, contained = KINDS[number % len(KINDS)], 0.3 + 0.7 * number / max(pairs - 1, 1)
        size = draw.randint(60, population) if population <= ROWS else population
        source = range(base, base + population)
        inside = draw.sample(source, round(size * contained))
        target = [*inside, *range(base + population, base + population + size - len(inside))]
        first = add(f"a.source{number}", "postgres://one", kind, source)
        second = add(f"b.target{number}", "postgres://two", kind, target)
        true.add(frozenset((first, second)))
        base += 2 * population + 100
        for other in _chance(draw):
            add(f"c.other{number}", "postgres://three", other, [draw.randrange(10**6) for _ in range(ROWS)])
    return Overlap(kept, facts), true


def _kept(urn: str, one: Sketch, *, whole: bool) -> KeptSketch:
    values = np.array(one.values, dtype=np.uint64)
    return KeptSketch(urn, one.kind, one.form, values, one.distinct, one.sampled, whole, one.rows, one.key, 0.0)


def on_generated_pairs() -> None:
    for population in (ROWS, 5_000, 20_000, 50_000, 100_000):
        overlap, true = made(7, 120, population)
        claims = {frozenset((s.source, s.target)) for s in overlap.observations() if isinstance(s, FlowSeen)}
        found = Tally(len(claims & true), len(claims - true), len(true - claims))
        sampled = "read whole" if population <= ROWS else f"{ROWS} rows sampled"
        print(f"generated pairs, tables of {population:,} rows, {sampled}: {found}")


# --- speed ------------------------------------------------------------------------------------------------------


def search_among_many() -> None:
    draw = np.random.default_rng(3)
    kept: list[KeptSketch] = []
    facts: dict[str, FieldFacts] = {}
    for number in range(SKETCHES):
        shared = draw.integers(0, 2**63, ROWS, dtype=np.uint64) if number % 4 == 0 else kept[-1].values
        own = draw.integers(0, 2**63, ROWS // 2, dtype=np.uint64)
        values = np.unique(np.concatenate([shared, own] if number % 4 else [shared]))[:K]
        urn = f"postgres://db{number % 50}/t{number}#email"
        kept.append(KeptSketch(urn, "email", "", values, len(values), ROWS, True, ROWS, "k", 0.0))
        system = f"postgres://db{number % 50}"
        facts[urn] = FieldFacts(urn, "email", dataset_of(urn), "table", system, "database", "user.contact.email")
    started = time.perf_counter()
    flows = sum(1 for _ in Overlap(kept, facts).observations())
    print(f"search among {SKETCHES:,} sketches of {ROWS} values: {time.perf_counter() - started:.1f} s, {flows} copies")


def main() -> None:
    """Run the parts that are named, or all."""
    parts = {"estate": on_the_estate, "pairs": on_generated_pairs, "search": search_among_many}
    for part in sys.argv[1:] or parts:
        parts[part]()


if __name__ == "__main__":
    main()
