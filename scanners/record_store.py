"""What stores of records without tables have in common: documents, key-value pairs, wide columns, search, messages.

A store is one module: settings, a subclass of `RecordStoreScanner`, and `SCANNER`. It says how to connect, which sets
of records it holds, how to read a bounded sample of one, and what its driver's errors mean; this module makes
observations of that. Drivers are imported when a scan begins, so that only those in use need be installed.
"""

from __future__ import annotations

import json
import logging
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from datetime import time as time_of_day
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar, cast
from urllib.parse import urlsplit

from pydantic import Field

from inventory.errors import InventoryError, SourceError, UnreadableError
from inventory.model import (
    Aspect,
    Covered,
    DatasetKind,
    DatasetSeen,
    Finding,
    Observation,
    SafeguardSeen,
    Severity,
    SystemKind,
    SystemSeen,
    dataset_urn,
    quote_name,
)
from scanners.access import access_sightings
from scanners.base import Chunk, ChunkRead, Planned, Progress, ScanContext, SourceSettings, stable_seed
from scanners.budget import Budget, Meter
from scanners.databases.catalog import Fault, Reader
from scanners.detection.interface import ColumnContext, Detection, FieldVerdict, TableContext
from scanners.disclosure import configured_disclosure
from scanners.recipients.configuration import Configuration
from scanners.records import JsonObject, cut, records, union
from scanners.sightings import KnownField, field_sightings

DAY = 86_400
MOST_DEPTH = 32  # what is nested deeper is left out
ASSUMED_BYTES = 500  # of a record, in a plan
CHUNK_DATASETS = 20  # what one worker reads at a time
_BATCH = 500

SettingsT = TypeVar("SettingsT", bound=SourceSettings)
Client = TypeVar("Client")
Item = TypeVar("Item")


class CountedSettings(SourceSettings):
    """What the settings of a store have that tells by counts alone whether its records changed."""

    recheck_days: float = Field(
        default=7.0,
        ge=0,
        le=365,
        description="What looks unchanged by its counts is read again after so many days all the same; 0: each time.",
    )


class TLSSettings(SourceSettings):
    """What the settings of a store have whose sessions may be encrypted, by a setting of ours."""

    tls: bool = False
    tls_ca_file: Path | None = Field(default=None, description="The authorities to trust, when not the machine's.")

    @property
    def authorities(self) -> str | None:
        """The file of the authorities, None for the machine's."""
        return None if self.tls_ca_file is None else str(self.tls_ca_file.expanduser())


@dataclass(frozen=True, slots=True)
class Retention:
    """What the source itself says of how long it keeps a record; `days` is None when it keeps it without an end."""

    days: float | None = None
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class RecordSet:
    """A collection, index, topic or group of keys, as its store lists it.

    `name` is its OpenLineage name, already without personal values where these may stand in it. `state` is whatever
    changes when its content does ((), if the store does not tell); unless it is `exact`, some changes leave it as it
    was (settings are then `CountedSettings`). `readers` is None when the store does not tell who may read it, and not
    `all_readers` when others may too; `related` is what else is known of it, `handle` what the store needs to read it.
    All of it can travel to a worker.
    """

    name: str
    kind: DatasetKind
    description: str = ""
    row_estimate: int | None = None
    retention: Retention = Retention()
    known: tuple[KnownField, ...] = ()
    state: tuple[object, ...] = ()
    exact: bool = True
    readers: tuple[Reader, ...] | None = None
    all_readers: bool = True
    related: tuple[Observation, ...] = ()
    handle: Any = None


@dataclass(frozen=True, slots=True)
class Opening:
    """What a server says of itself.

    `readers` are those who may read all of it, None when it does not tell; not `all_readers` when there may be others.
    """

    version: str = ""
    safeguards: tuple[SafeguardSeen, ...] = ()
    readers: tuple[Reader, ...] | None = None
    all_readers: bool = True


@dataclass(slots=True)
class Sample:
    """The records that were read, and why it ended early if it did."""

    rows: list[JsonObject] = field(default_factory=list[JsonObject])
    failure: InventoryError | None = None


class RecordStoreScanner(ABC, Generic[SettingsT, Client]):
    """Scans one store; see `scanners.base.Scanner` for what it yields."""

    settings_type: ClassVar[type[SourceSettings]]
    engine_name: ClassVar[str]  # "mongodb", "kafka"
    queries_of_sample: ClassVar[int]  # about how many questions the sample of one set takes
    system_kind: ClassVar[SystemKind] = SystemKind.DATABASE

    def __init__(self, settings: SourceSettings) -> None:
        self._settings = cast(SettingsT, settings)

    @property
    def settings(self) -> SettingsT:
        """The source's settings."""
        return self._settings

    # --- what a store says of itself -----------------------------------------------------------------------

    @property
    @abstractmethod
    def system(self) -> str:
        """The system's URN."""

    @abstractmethod
    def connected(self) -> AbstractContextManager[Client]:
        """A client, closed at the end. May raise ConfigError for a missing secret, SourceError for a missing driver."""

    @abstractmethod
    def opening(self, client: Client) -> Opening:
        """Ask the server for its version and safeguards; the first that is asked of it."""

    @abstractmethod
    def listing(self, client: Client, detection: Detection) -> Iterator[RecordSet | UnreadableError]:
        """Every set of records that people made; an error among them for a part that cannot be listed."""

    @abstractmethod
    def sample(self, client: Client, subject: RecordSet) -> Iterator[Mapping[str, Any]]:
        """Records of it, the same for the same data and seed; as many as are taken, at most `sampling.rows`."""

    def pulse(self, client: Client) -> None:
        """Ask what costs the store the same each time, and next to nothing: how long it takes tells how busy it is.

        Nothing is asked by default, of a store that has no such question.
        """

    @abstractmethod
    def fault(self, error: Exception) -> Fault | None:
        """What a driver's error means, None if it is none of the driver's. Its text is never quoted."""

    def listed(self) -> Sequence[str]:
        """What the names of all listed sets begin with: "" for the whole system."""
        return ("",)

    # --- the scan ------------------------------------------------------------------------------------------

    def scan(self, context: ScanContext) -> Iterator[Observation]:
        """List the sets of records, then look at each that changed, as long as the budget lasts."""
        meter = Meter(self.settings.budget)
        with self.connected() as client:
            for said in self._outline(client, context, None):
                if isinstance(said, Chunk):
                    yield from self._looked(client, said, context, meter)
                else:
                    yield said

    def outline(self, context: ScanContext) -> Iterator[Observation | Chunk]:
        """All but what reading the changed sets would say; see `scanners.base.DivisibleScanner`."""
        with self.connected() as client:
            yield from self._outline(client, context, CHUNK_DATASETS)

    def read(self, context: ScanContext, chunk: Chunk, budget: Budget) -> ChunkRead:
        """Look at the sets of a chunk, by a client of its own. Raises SourceError."""
        meter = Meter(budget)
        with self.connected() as client:
            said = tuple(self._looked(client, chunk, context, meter))
        return ChunkRead(said, meter.spent)

    def _outline(self, client: Client, context: ScanContext, datasets: int | None) -> Iterator[Observation | Chunk]:
        """What is said of the system and of the unchanged; the others in chunks of so many, or all in one."""
        opening = self._asked(lambda: self.opening(client))
        yield self._system_seen(opening.version)
        yield from opening.safeguards
        yield from access_sightings(self.system, opening.readers, context.detection, complete=opening.all_readers)
        unlisted: list[UnreadableError] = []
        found = self._listing(client, context, unlisted)
        for error in unlisted:
            yield Finding(self.system, error.code, Severity.ERROR, str(error))
        changed: list[RecordSet] = []
        for subject in found:
            if self._unchanged(subject, context):
                yield from self._structure(subject, context.detection)
            else:
                changed.append(subject)
        unchanged, step = len(found) - len(changed), datasets or len(changed) or 1
        for start in range(0, len(changed), step):
            yield Chunk(tuple(changed[start : start + step]), unchanged + start, len(found))
        context.report(Progress(self.settings.name, len(found), len(found)))
        if not unlisted:
            for prefix in self.listed():
                yield Covered(dataset_urn(self.system, prefix) if prefix else self.system, Aspect.LISTING)

    def _looked(self, client: Client, chunk: Chunk, context: ScanContext, meter: Meter) -> Iterator[Observation]:
        """All that is to be said of the sets of a chunk; their content as long as the budget lasts."""
        refused = ""
        for done, subject in enumerate(cast("tuple[RecordSet, ...]", chunk.items), start=chunk.done):
            context.report(Progress(self.settings.name, done, chunk.total, subject.name))
            yield from self._structure(subject, context.detection)
            refused = refused or meter.refusal()
            if not refused:
                yield from self._content(client, subject, context, meter)
        if refused:
            rest = "so that not all datasets were sampled (those not yet sampled are first at the next scan)"
            message = f"{self.settings.name}: {refused}, {rest}"
            yield Finding(self.system, "over-budget", Severity.WARNING, message)

    def plan(self, context: ScanContext) -> Iterator[Planned]:
        """What a scan would read, from the listing alone; see `scanners.base.PlanningScanner`."""
        most = self.settings.sampling.rows
        with self.connected() as client:
            self._asked(lambda: self.opening(client))
            for subject in self._listing(client, context, []):
                if self._unchanged(subject, context):
                    yield Planned(subject.name, 0, 0, 0, unchanged=True)
                    continue
                rows = most if subject.row_estimate is None else min(most, subject.row_estimate)
                size = min(rows * ASSUMED_BYTES, self.settings.sampling.bytes)
                yield Planned(subject.name, rows, size, self.queries_of_sample)

    def _listing(self, client: Client, context: ScanContext, unlisted: list[UnreadableError]) -> list[RecordSet]:
        """The sets, those first that were never read: a budget that is too small for all does not starve them."""
        found: dict[str, RecordSet] = {}
        for listed in self._pulled(self.listing(client, context.detection), self.system):
            if isinstance(listed, RecordSet):
                found[listed.name] = listed
            else:
                unlisted.append(listed)
        return sorted(found.values(), key=lambda each: (self._urn(each) in context.tokens, each.name))

    def _urn(self, subject: RecordSet) -> str:
        return dataset_urn(self.system, subject.name)

    def _unchanged(self, subject: RecordSet, context: ScanContext) -> bool:
        return context.unchanged(self._urn(subject), self._token(subject, context))

    def _token(self, subject: RecordSet, context: ScanContext) -> str:
        """The state of the records, and of what is said of their fields."""
        if not subject.state:
            return ""
        state = (*subject.state, repr(subject.known))
        if subject.exact:
            return context.token(self.settings, *state)
        days = cast(CountedSettings, self.settings).recheck_days
        return (
            context.token(self.settings, *state, period(self._urn(subject), days, datetime.now(UTC).timestamp()))
            if days
            else ""
        )

    def _system_seen(self, version: str) -> SystemSeen:
        settings = self.settings
        return SystemSeen(
            self.system, self.system_kind, settings.name, self.engine_name, version, settings.region, settings.processor
        )

    def _structure(self, subject: RecordSet, detection: Detection) -> Iterator[Observation]:
        yield DatasetSeen(
            self._urn(subject),
            self.system,
            subject.kind,
            subject.name,
            description=detection.redact(subject.description),
            row_estimate=subject.row_estimate,
            retention_days=subject.retention.days,
            retention_evidence=subject.retention.evidence,
        )
        yield from configured_disclosure(self.settings, self._urn(subject))
        yield from subject.related
        yield from access_sightings(self._urn(subject), subject.readers, detection, complete=subject.all_readers)

    def _content(self, client: Client, subject: RecordSet, context: ScanContext, meter: Meter) -> Iterator[Observation]:
        dataset = self._urn(subject)
        self._feel(client, subject, meter)
        meter.wait()
        sample = self._sampled(client, subject, meter)
        if sample.failure is not None:
            yield Finding(dataset, sample.failure.code, Severity.ERROR, str(sample.failure))
        if sample.failure is None or sample.rows:
            yield from self._fields(dataset, subject, sample.rows, context.detection)
        if sample.failure is None:
            yield Covered(dataset, Aspect.STRUCTURE)
            yield Covered(dataset, Aspect.CONTENT, self._token(subject, context))

    def _feel(self, client: Client, subject: RecordSet, meter: Meter) -> None:
        """Let the meter know how busy the store is. A question that is refused tells nothing."""

        def once() -> Iterator[None]:
            yield self.pulse(client)

        began = time.monotonic()
        try:
            next(self._pulled(once(), subject.name))
        except UnreadableError:
            return
        meter.feel(time.monotonic() - began)

    def _sampled(self, client: Client, subject: RecordSet, meter: Meter) -> Sample:
        """Records until there are as many, or so many bytes, as the settings allow."""
        sampling, sample, size = self.settings.sampling, Sample(), 0
        try:
            for record in self._pulled(self.sample(client, subject), subject.name):
                row = cast(JsonObject, plain(record, sampling.value_bytes))
                sample.rows.append(row)
                size += len(json.dumps(row, ensure_ascii=False))
                if len(sample.rows) >= sampling.rows or size >= sampling.bytes:
                    break
        except UnreadableError as error:
            sample.failure = error
        for _ in range(self.queries_of_sample):
            meter.count_query()
        meter.count_sample(len(sample.rows), size)
        return sample

    def _fields(
        self, dataset: str, subject: RecordSet, rows: Sequence[JsonObject], detection: Detection
    ) -> Iterator[Observation]:
        chunks = [rows[start : start + _BATCH] for start in range(0, len(rows), _BATCH)]
        converted = [records(chunk, self.settings.sampling.value_bytes) for chunk in chunks]
        columns = with_known(union(each.columns for each in converted), subject.known)
        table = detection.table(TableContext(subject.name, columns, subject.description))
        settings = self.settings
        configuration = Configuration((c.name for c in columns), settings.own_domains, settings.processor)
        for each in converted:
            configuration.see(each.batch)
            if not table.feed(each.batch):
                break
        verdicts = list(table.verdicts())
        known, whole = placed(subject.known, verdicts), len(rows) < settings.sampling.rows
        yield from field_sightings(dataset, verdicts, columns, detection, known, whole=whole)
        yield from configuration.sightings(dataset, detection)

    # --- errors --------------------------------------------------------------------------------------------

    def _asked(self, question: Callable[[], Item]) -> Item:
        """The answer to the first question: what goes wrong with it goes wrong with the whole source."""

        def once() -> Iterator[Item]:
            yield question()

        try:
            return next(self._pulled(once(), ""))
        except UnreadableError as error:
            failure = SourceError(self.settings.name, error.cause, error.remedy, error.code)
        raise failure

    def _pulled(self, items: Iterator[Item], about: str) -> Iterator[Item]:
        """The items, with the driver's errors in our own words and nothing of their text."""
        while True:
            try:
                item = next(items)
            except StopIteration:
                return
            except InventoryError:
                raise
            except Exception as error:
                fault = self.fault(error)
                if fault is None:
                    raise
            else:
                yield item
                continue
            raise self._failure(fault, about)  # outside the handler, so that the driver's error is not its context

    def _failure(self, fault: Fault, about: str) -> SourceError | UnreadableError:
        source = self.settings.name
        if fault.fatal or about in ("", self.system):
            return SourceError(source, fault.cause, fault.remedy, fault.code)
        return UnreadableError(f"{source}: {quote_name(about)}", fault.cause, fault.remedy, fault.code)


# --- what several stores say ------------------------------------------------------------------------------


def period(dataset: str, days: float, now: float) -> int:
    """The number of the period of so many days that `now` (seconds since 1970) lies in.

    Each dataset's periods begin at a time of its own, so that a source is not read anew all at once.
    """
    length = days * DAY
    return int((now + stable_seed(dataset) % length) // length)


def encryption_in_transit(system: str, encrypted: bool) -> SafeguardSeen:
    """Whether the scanner's own session is encrypted."""
    evidence = "the scanner's own session is encrypted" if encrypted else "the scanner's own session is not encrypted"
    return SafeguardSeen(system, "encryption_in_transit", encrypted, evidence)


def missing_driver(source: str, extra: str) -> SourceError:
    """The driver of this kind of store is not installed."""
    return SourceError(source, "its driver is missing", f"pip install 'privacy-inventory[{extra}]'", "missing-driver")


def quiet(*loggers: str) -> None:
    """Keep drivers from logging: they log statements and answers, with values, and what we say ourselves."""
    for name in loggers:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def listed_parts(only: Sequence[str], without: Sequence[str]) -> tuple[str, ...]:
    """What the names of all listed sets begin with, where settings name the parts of a store to list or not to."""
    if only or without:
        return tuple(f"{name}." for name in only if name not in without)
    return ("",)


def http_address(value: str, example: str) -> str:
    """An address that a setting gives, without credentials in it. Raises ValueError as pydantic's validators do."""
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
        raise ValueError(f"is an address such as {example}, without credentials")
    return value.rstrip("/")


def host_and_port(host: str, port: int) -> str:
    """`host:port`, an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


# --- records ----------------------------------------------------------------------------------------------


def plain(value: object, value_bytes: int, depth: int = 0) -> object:
    """A driver's value as a JSON value; texts are cut to `value_bytes`, bytes that are no text are left out."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return cut(value, value_bytes)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, bytes | bytearray):
        return _text(bytes(value), value_bytes)
    if isinstance(value, datetime | date | time_of_day):
        return value.isoformat()
    if depth >= MOST_DEPTH:
        return None
    if hasattr(value, "_asdict"):  # a named tuple
        value = cast(Any, value)._asdict()
    if isinstance(value, Mapping):
        items = cast(Mapping[object, object], value).items()
        return {cut(str(key), value_bytes): plain(item, value_bytes, depth + 1) for key, item in items}
    if isinstance(value, Collection):  # drivers have lists and sets of their own
        return [plain(item, value_bytes, depth + 1) for item in cast(Collection[object], value)]
    return cut(str(value), value_bytes)


def parsed(text: str) -> object:
    """The JSON object or array that the text is, or the text itself."""
    if text[:1] in ("{", "["):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    return text


def _number(value: Decimal) -> int | float | None:
    if not value.is_finite():
        return None
    return int(value) if value == value.to_integral_value() and abs(value) < 10**30 else float(value)


def _text(value: bytes, value_bytes: int) -> str | None:
    value = value[:value_bytes]
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        return value[: error.start].decode("utf-8") if error.start >= len(value) - 3 and error.start else None


# --- known fields -----------------------------------------------------------------------------------------


def with_known(columns: Iterable[ColumnContext], known: Iterable[KnownField]) -> tuple[ColumnContext, ...]:
    """The columns, with what the source says of them."""
    said = {each.column: each for each in known if not each.pointer}
    return tuple(
        replace(column, comment=about.description, primary_key=about.primary_key) if about is not None else column
        for column in columns
        for about in (said.get(column.name),)
    )


def placed(known: Iterable[KnownField], verdicts: Iterable[FieldVerdict]) -> list[KnownField]:
    """The known fields where the sample has them: a declaration does not say which of its parts are arrays."""
    places: dict[tuple[str, str], str] = {}
    for verdict in verdicts:  # an array comes before its elements
        places.setdefault((verdict.column, verdict.pointer.replace("/-", "")), verdict.pointer)
    return [replace(each, pointer=places.get((each.column, each.pointer), each.pointer)) for each in known]


def dotted(path: str) -> tuple[str, str]:
    """`address.city` as a column's name and the pointer inside it."""
    column, *rest = path.split(".")
    return column, "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in rest)
