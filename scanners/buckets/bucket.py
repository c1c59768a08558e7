"""The engine of every bucket: list, group, read a few objects of each group, say what they hold."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import pyarrow as pa
from obstore.store import ObjectStore

from inventory.errors import SourceError, UnreadableError
from inventory.model import (
    Aspect,
    Covered,
    DatasetKind,
    DatasetSeen,
    Finding,
    Observation,
    Severity,
    SystemKind,
    SystemSeen,
    dataset_urn,
    quote_name,
)
from scanners.base import Progress, Sampling, ScanContext, SourceSettings, stable_seed
from scanners.buckets.content import Content
from scanners.buckets.formats import tables_of
from scanners.buckets.formats.interface import Table
from scanners.buckets.grouping import Group, Grouping, ObjectRef
from scanners.buckets.objects import read_range
from scanners.buckets.posture import Posture, listed
from scanners.buckets.tables import Tables
from scanners.detection.interface import Detection
from scanners.disclosure import configured_disclosure
from scanners.sightings import field_sightings


class BucketScanner(ABC):
    """Scans the objects of one bucket. A subclass says where it is, how to open it and how to list it."""

    engine: str

    def __init__(self, settings: SourceSettings) -> None:
        self.settings = settings

    @property
    @abstractmethod
    def system(self) -> str:
        """The bucket's URN."""

    @property
    @abstractmethod
    def title(self) -> str:
        """What people call the bucket."""

    @property
    def region(self) -> str:
        """Where the bucket is, if it is known."""
        return self.settings.region

    @property
    def folders(self) -> tuple[str, ...]:
        """The parts of the bucket that the source is; none when it is the whole bucket."""
        return ()

    @abstractmethod
    def open(self) -> ObjectStore:
        """The store that the bytes come from; SourceError when it cannot be opened."""

    @abstractmethod
    def list(self, store: ObjectStore) -> Iterator[ObjectRef | UnreadableError | SourceError]:
        """Every object; SourceError when nothing can be listed, an error among the objects for what cannot."""

    def posture(self) -> Posture:
        """What is seen of the bucket's protection and of when it deletes."""
        return Posture(self.system)

    def scan(self, context: ScanContext) -> Iterator[Observation]:
        """List the bucket, then look at each group of objects."""
        store = self.open()
        sampling = self.settings.sampling
        grouping = Grouping(sampling.objects, stable_seed(self.system, str(sampling.seed)))
        unlisted: Counter[tuple[str, str]] = Counter()
        for found in self.list(store):
            if isinstance(found, ObjectRef):
                grouping.add(found)
            else:
                unlisted[found.code, str(found)] += 1
        yield SystemSeen(
            self.system,
            SystemKind.BUCKET,
            self.title,
            self.engine,
            region=self.region,
            processor=self.settings.processor,
        )
        posture = self.posture()
        yield from posture.observations(self.settings.name)
        for (code, message), _ in sorted(unlisted.items()):
            yield Finding(self.system, code, Severity.ERROR, message)
        groups = _redacted(grouping.groups(), context.detection)
        for done, (name, group) in enumerate(groups.items()):
            context.report(Progress(self.settings.name, done, len(groups), name))
            yield from self._dataset(store, name, group, posture, context)
        context.report(Progress(self.settings.name, len(groups), len(groups)))
        if not unlisted:
            yield from self._covered(groups)

    def _covered(self, names: Iterable[str]) -> Iterator[Covered]:
        """The listing of the bucket, or of each of its folders."""
        if not self.folders:
            yield Covered(self.system, Aspect.LISTING)
        for beginning in listed(self.folders, names):
            yield Covered(dataset_urn(self.system, beginning), Aspect.LISTING)

    def _dataset(
        self, store: ObjectStore, name: str, group: Group, posture: Posture, context: ScanContext
    ) -> Iterator[Observation]:
        detection = context.detection
        dataset = dataset_urn(self.system, name)
        yield posture.with_retention(
            DatasetSeen(dataset, self.system, DatasetKind.OBJECT_GROUP, name, object_count=group.count)
        )
        yield from configured_disclosure(self.settings, dataset)
        token = context.token(self.settings, group.count, group.state)
        if context.unchanged(dataset, token):
            return
        reading = _Reading(f"{self.settings.name}: {quote_name(name)}")
        if not group.size:
            yield Finding(dataset, "empty", Severity.INFO, f"{reading.source}: holds no bytes")
            return
        refs = group.sample()
        sampling = self._share(len(refs))
        with ThreadPoolExecutor(min(len(refs), _READERS)) as pool:
            opened = reading.opened(pool.map(partial(self._open_object, store, reading.source, sampling), refs))
        tables = Tables(name, (each.first for each in opened if each.first is not None), detection)
        for each in opened:
            reading.read(each, tables, sampling)
        if opened:
            yield from field_sightings(dataset, tables.verdicts(), tables.columns(), detection)
        yield from reading.findings(dataset)
        if opened and not reading.failed:
            yield Covered(dataset, Aspect.STRUCTURE)
        if opened and (reading.rows or not reading.failed):
            yield Covered(dataset, Aspect.CONTENT, "" if reading.failed else token)

    def _share(self, objects: int) -> Sampling:
        """The sampling of each of so many objects: the rows are divided among them."""
        sampling = self.settings.sampling
        return sampling.model_copy(update={"rows": -(-sampling.rows // max(objects, 1))})

    def _open_object(
        self, store: ObjectStore, source: str, sampling: Sampling, ref: ObjectRef
    ) -> _Opened | UnreadableError:
        try:
            read = partial(_read, store, ref, source)
            content = Content(source, ref.key, ref.size, read, sampling.bytes)
            tables = tables_of(content, sampling)
            return _Opened(content, next(tables, None), tables)
        except UnreadableError as error:
            return error


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


#: Objects of a group that are opened at once: each waits for its store, not for the processor.
_READERS = 8
#: Not faults: pictures, archives and the like.
_OPAQUE = frozenset({"unknown-format"})


def _read(store: ObjectStore, ref: ObjectRef, source: str, start: int, end: int) -> bytes:
    return read_range(store, ref, start, end, source)


def _first_rows(table: Table, rows: int) -> Iterator[pa.RecordBatch]:
    if rows <= 0:
        return
    for batch in table.batches:
        yield batch.slice(0, rows)
        rows -= batch.num_rows
        if rows <= 0:
            return


def _redacted(groups: dict[str, Group], detection: Detection) -> dict[str, Group]:
    """The groups by names without personal values; those that then have the same name are one."""
    found: dict[str, Group] = {}
    for template, group in groups.items():
        name = "/".join(detection.redact(segment) for segment in template.split("/"))
        if name in found:
            found[name].merge(group)
        else:
            found[name] = group
    return dict(sorted(found.items()))
