"""Budgets, plans and division of a bucket's scan, on folders and on a store in memory."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import obstore
import pytest
from obstore.store import MemoryStore

from inventory.model import Aspect, Covered, Finding, Observation
from scanners.base import Chunk, DivisibleScanner, PlanningScanner, ScanContext
from scanners.buckets.ahead import ahead
from scanners.buckets.grouping import ObjectRef
from scanners.buckets.local import LocalScanner, LocalSettings
from scanners.buckets.metered import MeteredStore
from scanners.buckets.objects import list_objects, read_range
from scanners.budget import Budget, Meter

CSV = b"name,email\n" + b"Jane,jane@x.ca\n" * 40
NAMES = ["a.csv", "b.csv", "c/1.csv", "c/2.csv", "c/3.csv", "d.sqlite"]
DATASETS = ["a.csv", "b.csv", "c/{number}.csv", "d.sqlite"]


@pytest.fixture
def folder(tmp_path: Path):
    """Makes the scanner of a folder with four datasets; the last one is no SQLite file, whatever its name says."""
    for name in NAMES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(CSV)

    def scanner(**more: object) -> LocalScanner:
        content = {"name": "folder", "type": "local", "path": tmp_path, "namespace": "file:///b", **more}
        return LocalScanner(LocalSettings.model_validate(content))

    return scanner


def read_in(said: list[Observation]) -> dict[str, str]:
    """The tokens of the datasets whose content was read."""
    return {o.scope: o.token for o in said if isinstance(o, Covered) and o.aspect is Aspect.CONTENT}


def listed_in(said: list[Observation]) -> bool:
    return said[-1] == Covered("file:///b", Aspect.LISTING)


def test_a_plan_is_what_the_scan_would_read(folder, small_detection):
    scanner = folder()
    assert isinstance(scanner, PlanningScanner)
    planned = {one.dataset: one for one in scanner.plan(ScanContext(small_detection))}
    assert list(planned) == DATASETS
    assert planned["c/{number}.csv"].bytes == 3 * len(CSV)
    assert planned["c/{number}.csv"].queries == 3
    assert not any(one.unchanged for one in planned.values())
    tokens = read_in(list(scanner.scan(ScanContext(small_detection))))
    again = list(scanner.plan(ScanContext(small_detection, tokens=tokens)))
    assert [one.dataset for one in again if one.unchanged] == DATASETS
    assert sum(one.bytes + one.rows + one.queries for one in again) == 0


def test_the_plan_of_long_objects_follows_how_their_format_is_read(folder, tmp_path, small_detection):
    for name in ("long.csv", "long.sqlite"):
        with (tmp_path / name).open("wb") as file:
            file.truncate(2**30)
    planned = {one.dataset: one for one in folder().plan(ScanContext(small_detection))}
    assert planned["long.csv"].bytes < 2 * 2**20  # a thousand rows
    assert planned["long.sqlite"].bytes == 16 * 2**20  # all that may be read
    assert planned["long.sqlite"].queries == 17


@pytest.mark.parametrize(
    "budget, cause",
    [
        ({"rows": 30}, "the budget of rows is spent"),
        ({"bytes": 100}, "the budget of bytes is spent"),
    ],
)
def test_a_spent_budget_leaves_the_rest_for_the_next_scan(folder, small_detection, budget, cause):
    scanner = folder(budget=budget)
    said = list(scanner.scan(ScanContext(small_detection)))
    assert list(read_in(said)) == ["file:///b/a.csv"]
    assert listed_in(said)
    assert {(o.about, o.code) for o in said if isinstance(o, Finding)} == {("file:///b", "over-budget")}
    assert cause in str(said)
    again = list(scanner.scan(ScanContext(small_detection, tokens=read_in(said))))
    assert list(read_in(again)) == ["file:///b/b.csv"]


def test_outside_its_hours_nothing_is_read(folder, small_detection):
    later = datetime.now(UTC) + timedelta(hours=2)
    window = f"{later:%H:%M}-{later + timedelta(hours=1):%H:%M}"
    said = list(folder(budget={"window": window}).scan(ScanContext(small_detection)))
    assert read_in(said) == {}
    assert listed_in(said)


def test_workers_say_what_the_scan_itself_says(folder, small_detection):
    scanner = folder()
    assert isinstance(scanner, DivisibleScanner)
    context = ScanContext(small_detection)
    said: list[Observation] = []
    for part in scanner.outline(context):
        if isinstance(part, Chunk):
            travelled = pickle.loads(pickle.dumps(part))
            said += pickle.loads(pickle.dumps(scanner)).read(context, travelled, Budget()).observations
        else:
            said.append(part)
    assert sorted(map(repr, said)) == sorted(map(repr, scanner.scan(context)))
    assert len(read_in(said)) == len(DATASETS)


class Clock:
    """Time that passes when it is slept."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_requests_of_all_threads_keep_to_one_rate():
    store, clock = MemoryStore(), Clock()
    for n in range(2500):
        obstore.put(store, f"{n:04}.csv", b"x" * 100)
    budget = Budget(queries_per_second=10)
    metered = MeteredStore(store, budget, Meter(budget, clock=lambda: clock.now, sleep=clock.sleep))
    refs = [ref for ref in list_objects(metered, "", "s") if isinstance(ref, ObjectRef)]
    assert len(refs) == 2500
    pages = metered.spent.queries
    assert 3 <= pages <= 4  # 1000 keys each, and one to see that there are no more
    with ThreadPoolExecutor(8) as pool:
        assert sum(map(len, pool.map(lambda ref: read_range(metered, ref, 0, 50, "s"), refs[:96]))) == 96 * 50
    assert clock.now >= (96 + pages - 1) / 10 - 0.001
    assert (metered.spent.queries, metered.spent.bytes) == (96 + pages, 96 * 50)


def test_what_is_fetched_ahead_comes_in_order_and_ends_with_its_error():
    def items():
        yield from range(7)
        raise ValueError

    found: list[list[int]] = []
    with pytest.raises(ValueError):  # noqa: PT011, PT012
        for some in ahead(items(), 3):
            found.append(some)
    assert found == [[0, 1, 2], [3, 4, 5]]
