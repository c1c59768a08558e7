"""The engine of every bucket: list, group, read a few objects of each group, say what they hold."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar, cast

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
from scanners.base import Chunk, ChunkRead, Planned, Progress, ScanContext, SourceSettings, stable_seed
from scanners.buckets.ahead import ahead
from scanners.buckets.faults import EXPIRED
from scanners.buckets.grouping import Group, Grouping, ObjectRef
from scanners.buckets.metered import MeteredStore
from scanners.buckets.objects import PAGE
from scanners.buckets.planning import planned
from scanners.buckets.posture import Posture, listed
from scanners.buckets.reading import GroupReader, GroupSample
from scanners.budget import Budget
from scanners.detection.interface import Detection
from scanners.disclosure import configured_disclosure

#: Groups that one worker reads at a time.
CHUNK_GROUPS = 5
#: Objects of a group that are opened at once, unless the budget says how many: each waits for its store.
READERS = 8

Answer = TypeVar("Answer")


class BucketScanner(ABC):
    """Scans the objects of one bucket. A subclass says where it is, how to open it and how to list it."""

    engine: str

    def __init__(self, settings: SourceSettings) -> None:
        self.settings = settings

    # --- what a store says of itself -----------------------------------------------------------------------

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
    def list(self, store: MeteredStore) -> Iterator[ObjectRef | UnreadableError | SourceError]:
        """Every object; SourceError when nothing can be listed, an error among the objects for what cannot."""

    def posture(self) -> Posture:
        """What is seen of the bucket's protection and of when it deletes."""
        return Posture(self.system)

    # --- the scan ------------------------------------------------------------------------------------------

    def scan(self, context: ScanContext) -> Iterator[Observation]:
        """List the bucket, then look at each group of objects; see `scanners.base.Scanner`."""
        with self._reader(context, self.settings.budget) as reader:
            for said in self._outline(reader.store, context, groups=1):
                if isinstance(said, Chunk):
                    for done, group in enumerate(_groups(said), start=said.done):
                        context.report(Progress(self.settings.name, done, said.total, group.name))
                        yield from self._content(reader, group)
                else:
                    yield said

    def outline(self, context: ScanContext) -> Iterator[Observation | Chunk]:
        """All but what reading the changed groups would say; see `scanners.base.DivisibleScanner`."""
        store = MeteredStore(self.open(), self.settings.budget)
        yield from self._outline(store, context, CHUNK_GROUPS)

    def read(self, context: ScanContext, chunk: Chunk, budget: Budget) -> ChunkRead:
        """Read the groups of a chunk through a client of its own. Raises SourceError."""
        with self._reader(context, budget) as reader:
            said = [each for group in _groups(chunk) for each in self._content(reader, group)]
        return ChunkRead(tuple(said), reader.store.spent)

    def plan(self, context: ScanContext) -> Iterator[Planned]:
        """What a scan would read, from the listing alone; see `scanners.base.PlanningScanner`."""
        store = MeteredStore(self.open(), self.settings.budget)
        listing, _ = self._listed(store, lambda: None)
        for name, group in _redacted(listing.groups(), context.detection).items():
            sample = self._sample(name, group, context)
            unchanged = context.unchanged(sample.dataset, sample.token)
            yield planned(sample, self.settings.sampling, unchanged=unchanged)

    def _outline(self, store: MeteredStore, context: ScanContext, groups: int) -> Iterator[Observation | Chunk]:
        listing, posture = self._listed(store, self.posture)
        yield SystemSeen(
            self.system,
            SystemKind.BUCKET,
            self.title,
            self.engine,
            region=self.region,
            processor=self.settings.processor,
        )
        yield from posture.observations(self.settings.name)
        yield from listing.findings(self.system)

        found = _redacted(listing.groups(), context.detection)
        changed: list[GroupSample] = []
        for name, group in found.items():
            sample = self._sample(name, group, context)
            yield from self._listed_group(sample, group, posture)
            if group.size and not context.unchanged(sample.dataset, sample.token):
                changed.append(sample)
        # What was never read comes first, so that a budget that is too small for all does not starve it.
        changed.sort(key=lambda sample: sample.dataset in context.tokens)
        unchanged = len(found) - len(changed)
        for start in range(0, len(changed), groups):
            yield Chunk(tuple(changed[start : start + groups]), unchanged + start, len(found))
        context.report(Progress(self.settings.name, len(found), len(found)))
        if not listing.unlisted:
            yield from self._covered(found)

    def _listed(self, store: MeteredStore, meanwhile: Callable[[], Answer]) -> tuple[_Listing, Answer]:
        """All objects, grouped, and what `meanwhile` gives: it is asked as soon as the store has answered at all."""
        sampling = self.settings.sampling
        listing = _Listing(Grouping(sampling.objects, stable_seed(self.system, str(sampling.seed))))
        asked: Future[Answer] | None = None
        with ThreadPoolExecutor(1, "posture") as thread:
            for page in ahead(self.list(store), PAGE):
                asked = asked or thread.submit(meanwhile)
                listing.add(page)
        return listing, meanwhile() if asked is None else asked.result()

    def _sample(self, name: str, group: Group, context: ScanContext) -> GroupSample:
        token = context.token(self.settings, group.count, group.state)
        return GroupSample(dataset_urn(self.system, name), name, tuple(group.sample()), token)

    def _listed_group(self, sample: GroupSample, group: Group, posture: Posture) -> Iterator[Observation]:
        """What the listing alone says of a group."""
        yield posture.with_retention(
            DatasetSeen(sample.dataset, self.system, DatasetKind.OBJECT_GROUP, sample.name, object_count=group.count)
        )
        yield from configured_disclosure(self.settings, sample.dataset)
        if not group.size:
            message = f"{self.settings.name}: {quote_name(sample.name)}: holds no bytes"
            yield Finding(sample.dataset, "empty", Severity.INFO, message)

    def _covered(self, names: Iterable[str]) -> Iterator[Covered]:
        """The listing of the bucket, or of each of its folders."""
        if not self.folders:
            yield Covered(self.system, Aspect.LISTING)
        for beginning in listed(self.folders, names):
            yield Covered(dataset_urn(self.system, beginning), Aspect.LISTING)

    @contextmanager
    def _reader(self, context: ScanContext, budget: Budget) -> Generator[GroupReader]:
        readers = budget.concurrency if "concurrency" in budget.model_fields_set else READERS
        with ThreadPoolExecutor(readers, "reader") as pool:
            store = MeteredStore(self.open(), budget)
            yield GroupReader(self.settings.name, self.settings.sampling, store, pool, context.detection)

    def _content(self, reader: GroupReader, group: GroupSample) -> Iterator[Observation]:
        """What reading a group says; of those that are not read, why."""
        source, refusal = self.settings.name, reader.store.refusal()
        if refusal:
            rest = "so that not all datasets were sampled (those not yet sampled are first at the next scan)"
            yield Finding(self.system, "over-budget", Severity.WARNING, f"{source}: {refusal}, {rest}")
            return
        if reader.store.expired is None:
            yield from reader.read(group)
        if reader.store.expired is not None:
            message = "the credentials ended, so that not all datasets were read (renew them and scan again)"
            yield Finding(self.system, EXPIRED, Severity.ERROR, f"{source}: {message}")


class _Listing:
    """The objects of a bucket by groups, and what could not be listed, by code and words."""

    def __init__(self, grouping: Grouping) -> None:
        self.groups = grouping.groups
        self.unlisted: Counter[tuple[str, str]] = Counter()
        self._grouping = grouping

    def add(self, page: Iterable[ObjectRef | UnreadableError | SourceError]) -> None:
        """Take in a part of the listing."""
        for found in page:
            if isinstance(found, ObjectRef):
                self._grouping.add(found)
            else:
                self.unlisted[found.code, str(found)] += 1

    def findings(self, system: str) -> Iterator[Finding]:
        """What could not be listed."""
        for code, message in sorted(self.unlisted):
            yield Finding(system, code, Severity.ERROR, message)


def _groups(chunk: Chunk) -> tuple[GroupSample, ...]:
    return cast("tuple[GroupSample, ...]", chunk.items)


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
