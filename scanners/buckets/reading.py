"""Reading a group of objects: the few that stand for it, opened side by side, and what was amiss with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial

import pyarrow as pa

from inventory.errors import UnreadableError
from inventory.model import Aspect, Covered, Finding, Observation, Severity, quote_name
from scanners.base import Sampling
from scanners.buckets.content import Content
from scanners.buckets.formats import tables_of
from scanners.buckets.formats.interface import Table
from scanners.buckets.grouping import ObjectRef
from scanners.buckets.metered import MeteredStore
from scanners.buckets.objects import read_range
from scanners.buckets.tables import Tables
from scanners.detection.interface import Detection
from scanners.sightings import field_sightings

#: Not faults: pictures, archives and the like.
_OPAQUE = frozenset({"unknown-format"})


@dataclass(frozen=True, slots=True)
class GroupSample:
    """A dataset to be read: the few objects that stand for it, and the token of the state that it is in."""

    dataset: str  # its URN
    name: str
    objects: tuple[ObjectRef, ...]
    token: str


@dataclass(frozen=True, slots=True)
class GroupReader:
    """Reads groups of one bucket through `store`, the objects of each side by side in the threads of `pool`."""

    source: str
    sampling: Sampling
    store: MeteredStore
    pool: Executor
    detection: Detection

    def read(self, group: GroupSample) -> Iterator[Observation]:
        """What its content says: fields, categories, findings, and what was covered.

        Nothing when the credentials ended on the way: what is known of it stays.
        """
        about = f"{self.source}: {quote_name(group.name)}"
        reading, sampling = _Reading(about), share(self.sampling, len(group.objects))
        opened = reading.opened(self.pool.map(partial(self._open, about, sampling), group.objects))
        tables = Tables(group.name, (each.first for each in opened if each.first is not None), self.detection)
        for each in opened:
            reading.read(each, tables, sampling)
        self.store.count(reading.rows, 0)
        if self.store.expired is not None:
            return
        if opened:
            yield from field_sightings(group.dataset, tables.verdicts(), tables.columns(), self.detection)
        yield from reading.findings(group.dataset)
        if opened and not reading.failed:
            yield Covered(group.dataset, Aspect.STRUCTURE)
        if opened and (reading.rows or not reading.failed):
            yield Covered(group.dataset, Aspect.CONTENT, "" if reading.failed else group.token)

    def _open(self, about: str, sampling: Sampling, ref: ObjectRef) -> _Opened | UnreadableError:
        def read(start: int, end: int) -> bytes:
            return read_range(self.store, ref, start, end, about)

        try:
            content = Content(about, ref.key, ref.size, read, sampling.bytes)
            tables = tables_of(content, sampling)
            return _Opened(content, next(tables, None), tables)
        except UnreadableError as error:
            return error


def share(sampling: Sampling, objects: int) -> Sampling:
    """The sampling of each of so many objects: the rows are divided among them."""
    return sampling.model_copy(update={"rows": -(-sampling.rows // max(objects, 1))})


@dataclass(frozen=True, slots=True)
class _Opened:
    """An object of which the first table is open already."""

    content: Content
    first: Table | None
    rest: Iterator[Table]

    def tables(self) -> Iterator[Table]:
        if self.first is not None:
            yield self.first
            yield from self.rest


@dataclass(slots=True)
class _Reading:
    """How the reading of one group went: objects that failed and what was amiss in others, by code and words."""

    source: str
    objects: int = 0
    rows: int = 0
    failures: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    remarks: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])

    def fail(self, error: UnreadableError) -> None:
        """An object could not be read, or not to the end of the sample."""
        self.failures[error.code, str(error)] += 1

    def opened(self, results: Iterable[_Opened | UnreadableError]) -> list[_Opened]:
        """Those that were opened; the others are failures."""
        found: list[_Opened] = []
        for result in results:
            self.objects += 1
            if isinstance(result, _Opened):
                found.append(result)
            else:
                self.fail(result)
        return found

    def read(self, opened: _Opened, tables: Tables, sampling: Sampling) -> None:
        """The first rows of each table of an object. What breaks off one table leaves the others."""
        left: Counter[str] = Counter()
        broken: set[tuple[str, str]] = set()
        try:
            for table in opened.tables():
                left.setdefault(table.name, sampling.rows)
                tables.open(table)
                try:
                    for batch in _first_rows(table, left[table.name]):
                        self.rows += batch.num_rows
                        left[table.name] -= batch.num_rows
                        if not tables.feed(table, batch):
                            break
                except UnreadableError as error:
                    broken.add((error.code, str(error)))
        except UnreadableError as error:
            broken.add((error.code, str(error)))
        self.failures.update(broken)
        self.remarks.update(opened.content.remarks)

    @property
    def failed(self) -> bool:
        """Whether something could not be read that a format is there for."""
        return any(code not in _OPAQUE for code, _ in self.failures)

    def findings(self, dataset: str) -> Iterator[Finding]:
        """One finding a code."""
        for (code, message), count in sorted(self.failures.items()):
            severity = Severity.INFO if code in _OPAQUE else Severity.ERROR
            share = f"; {count} of {self.objects} sampled objects" if self.objects > 1 else ""
            yield Finding(dataset, code, severity, message + share)
        for (code, cause), count in sorted(self.remarks.items()):
            yield Finding(dataset, code, Severity.WARNING, f"{self.source}: {cause}; {count} rows of the sample")


def _first_rows(table: Table, rows: int) -> Iterator[pa.RecordBatch]:
    if rows <= 0:
        return
    for batch in table.batches:
        yield batch.slice(0, rows)
        rows -= batch.num_rows
        if rows <= 0:
            return
