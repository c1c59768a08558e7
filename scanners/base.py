"""What every scanner is: a configured source that yields observations.

A new scanner is one module: a pydantic settings class whose `type` names it, and a class with `scan`. It is found
by its entry in the registry of its room (`scanners/databases/__init__.py` and so on), nothing else changes.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

from cronsim import CronSim, CronSimError
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

import inventory
from inventory.errors import ConfigError
from inventory.model import Observation
from scanners.budget import Budget, Spent
from scanners.timezones import known_timezone

if TYPE_CHECKING:
    from scanners.detection.interface import Detection


class Sampling(BaseModel):
    """How much of each dataset is read; the same for every kind of source."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: int = Field(
        default=1000, ge=1, le=1_000_000, description="Most rows (records, lines) to sample from a dataset."
    )
    bytes: int = Field(default=16 * 2**20, ge=1024, description="Most bytes to read from one object.")
    objects: int = Field(default=5, ge=1, description="Most objects to read from a group of like-named objects.")
    value_bytes: int = Field(default=64 * 2**10, ge=64, description="A longer value is cut to this many bytes.")
    seed: int = Field(default=0, description="The sample is the same for the same data and seed.")


class Schedule(BaseModel):
    """When a source is scanned on its own, by `inventory schedule run`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cron: str = Field(description="Minute, hour, day, month, weekday, as crontab(5) has them: 15 3 * * 1-5.")
    timezone: str = Field(default="UTC", description="Of the cron expression, such as America/Toronto.")
    catch_up: bool = Field(default=True, description="Scan once on start when a time passed while nothing ran.")

    @field_validator("cron")
    @classmethod
    def _readable_cron(cls, cron: str) -> str:
        try:
            CronSim(cron, datetime(2024, 1, 1, tzinfo=UTC))
        except CronSimError as error:
            raise ValueError(f"is no cron expression ({error})") from None
        return cron

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, timezone: str) -> str:
        return known_timezone(timezone)


class SourceSettings(BaseModel):
    """What the settings of every source have. A subclass adds its own and fixes `type`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", description="How people call this source.")
    namespace: str = Field(
        default="",
        description="The OpenLineage namespace others know it by, when the scanner reaches it by another address "
        "(a tunnel, a proxy, a replica). By default it follows from the address.",
    )
    region: str = Field(default="", description="Where it is: ISO 3166 country or subdivision, such as CA-QC.")
    processor: str = Field(
        default="", description="Key of the organisation that runs it for us (seed/processors.yaml)."
    )
    own_domains: tuple[str, ...] = Field(
        default=(),
        description="Our own domains: hosts and addresses below them are no outside organisations. By default those "
        "of the whole configuration.",
    )
    sampling: Sampling = Sampling()
    budget: Budget = Budget()
    schedule: Schedule | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a scan of one source is: `done` of `total` datasets (`total` is None until it is known)."""

    source: str
    done: int
    total: int | None
    dataset: str = ""


class ProgressSink(Protocol):
    """Told of progress; called often, so it is cheap."""

    def __call__(self, progress: Progress, /) -> None:
        """Take note."""
        ...


def _silent(_: Progress, /) -> None: ...


def _none_known(_: str, /) -> Iterable[str]:
    return ()


@dataclass(frozen=True, slots=True)
class ScanContext:
    """What a run gives to each of its scans."""

    detection: Detection
    report: ProgressSink = field(default=_silent)
    tokens: Mapping[str, str] = field(default_factory=dict[str, str])  # by dataset URN: its state when last read
    basis: str = ""  # digest of the users' own detectors
    datasets: Callable[[str], Iterable[str]] = _none_known  # URNs of all known datasets that begin so

    def token(self, settings: SourceSettings, *state: object) -> str:
        """A token for a dataset in this state (a counter, an ETag, a modification time), "" if it is not known.

        It changes as well with the program, the detector, the sampling and what is configured of the source, so
        that everything is looked at anew.
        """
        if not state or any(part is None for part in state):
            return ""
        own = ",".join(sorted(settings.own_domains))
        configured = (settings.sampling.model_dump_json(), settings.processor, settings.region, own)
        said = (inventory.__version__, self.detection.version, self.basis, *configured, *map(str, state))
        return hashlib.sha256("\0".join(said).encode()).hexdigest()[:32]

    def unchanged(self, dataset: str, token: str) -> bool:
        """Whether an earlier scan has read the dataset in this very state: then it need not be read again.

        The scanner still says `DatasetSeen`, and says of its content neither anything nor `Covered`: what is known
        stays. When it does read, `Covered(dataset, CONTENT, token)` remembers the state.
        """
        return bool(token) and self.tokens.get(dataset) == token


@dataclass(frozen=True, slots=True)
class Planned:
    """What a scan would read of one dataset: most rows, an estimate of their bytes, queries. 0 when unchanged."""

    dataset: str
    rows: int
    bytes: int
    queries: int
    unchanged: bool = False


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some datasets of a source that a worker can read on its own; `done` datasets of `total` come before them.

    `items` are the scanner's own, plain frozen values that can travel to another process.
    """

    items: tuple[object, ...]
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class ChunkRead:
    """What a worker says of a chunk, and what it took of the source's budget."""

    observations: tuple[Observation, ...]
    spent: Spent


@runtime_checkable
class Scanner(Protocol):
    """Looks at one source.

    `scan` yields `SystemSeen` first, then for each dataset its observations followed by `Covered` for the aspects
    it completed, and last `Covered(system, LISTING)` if the listing was complete. What goes wrong with one dataset
    is yielded as a `Finding` and the scan goes on; what makes the whole source unreachable is raised as
    `inventory.errors.SourceError`. Nothing that it yields or raises holds a value of the data or a secret.
    """

    settings_type: ClassVar[type[SourceSettings]]

    def __init__(self, settings: SourceSettings) -> None: ...

    @property
    def settings(self) -> SourceSettings:
        """What it was configured with."""
        ...

    @property
    def system(self) -> str:
        """The system's URN (its OpenLineage namespace), known without connecting."""
        ...

    def scan(self, context: ScanContext) -> Iterator[Observation]:
        """Look, and say what was seen."""
        ...


@runtime_checkable
class DivisibleScanner(Scanner, Protocol):
    """A scanner whose source can be read by several workers; `scan` does both steps by itself."""

    def outline(self, context: ScanContext) -> Iterator[Observation | Chunk]:
        """What `scan` says, with a chunk in the place of what reading it would say."""
        ...

    def read(self, context: ScanContext, chunk: Chunk, budget: Budget) -> ChunkRead:
        """Read a chunk, from any process; the same data gives the same answer, so it may be tried again."""
        ...


@runtime_checkable
class PlanningScanner(Scanner, Protocol):
    """A scanner that can say what it would read, from metadata alone."""

    def plan(self, context: ScanContext) -> Iterator[Planned]:
        """Every dataset that a scan would list. Raises SourceError."""
        ...


class Secret(BaseModel):
    """A secret in the configuration: the name of an environment variable, or of a file that holds it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    env: str = ""
    file: str = ""

    def reveal(self) -> SecretStr:
        """Read it now (so that a rotated file is seen), or raise ConfigError naming what is missing."""
        if self.env:
            value = os.environ.get(self.env)
            if value is None:
                raise ConfigError(f"environment variable {self.env}", "is not set", "it should hold a secret")
            return SecretStr(value)
        try:
            return SecretStr(Path(self.file).expanduser().read_text(encoding="utf-8").strip())
        except OSError as error:
            raise ConfigError(f"secret file {self.file}", error.strerror or "cannot be read") from error

    @model_validator(mode="after")
    def _one_of(self) -> Secret:
        if bool(self.env) == bool(self.file):
            raise ValueError("give either env (a variable's name) or file (a path)")
        return self


def stable_seed(*parts: str) -> int:
    """A 31-bit seed that is the same in every process for the same names."""
    return int.from_bytes(hashlib.sha256("\0".join(parts).encode()).digest()[:4]) >> 1
