"""How much of a source a scan may use: its budget, and the meter that keeps to it.

A scan is a guest. It pays for its queries before the next transaction begins (never inside one, where a wait would
hold locks), waits longer while the source is slow, and stops sampling when its rows, bytes or hours are used up. What
was not sampled keeps what earlier scans knew of it, and is first in turn at the next scan.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from datetime import time as time_of_day
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator

from scanners.timezones import known_timezone

SLOW = 4.0  # times as long as the source's own best: then it is busy
FLOOR = 0.02  # seconds: below this nothing is slow
FIRST_WAIT, LONGEST_WAIT = 0.1, 5.0  # seconds between two datasets while the source is busy
SMOOTHING = 0.3  # share of the newest measurement in the average

_WINDOW = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


class Budget(BaseModel):
    """The most that one scan may take of a source; nothing is limited unless told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    queries_per_second: float | None = Field(default=None, gt=0, description="Most queries a second, on average.")
    rows: int | None = Field(default=None, ge=0, description="Most rows to sample in one scan, of all datasets.")
    bytes: int | None = Field(default=None, ge=0, description="Most bytes to sample in one scan, of all datasets.")
    concurrency: int = Field(default=2, ge=1, le=64, description="Most workers that read the source side by side.")
    window: str = Field(default="", description="Hours in which it may be read, such as 22:00-06:00.")
    timezone: str = Field(default="UTC", description="Of the window, such as America/Toronto.")

    @field_validator("window")
    @classmethod
    def _readable_window(cls, window: str) -> str:
        if window and not _WINDOW.fullmatch(window):
            raise ValueError("write the hours as 22:00-06:00")
        return window

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, timezone: str) -> str:
        return known_timezone(timezone)

    def is_open(self, now: datetime) -> bool:
        """Whether the window is open; one that ends before it begins goes over midnight."""
        if not self.window:
            return True
        begins, ends = (time_of_day.fromisoformat(text) for text in self.window.split("-"))
        here = now.astimezone(ZoneInfo(self.timezone)).time()
        if begins < ends:
            return begins <= here < ends
        return here >= begins or here < ends

    def share(self, workers: int, rows: int, bytes_: int) -> Budget:
        """What one of several workers may take, when so many rows and bytes are spent already."""
        rate = self.queries_per_second
        return self.model_copy(
            update={
                "queries_per_second": None if rate is None else rate / workers,
                "rows": None if self.rows is None else max(0, self.rows - rows) // workers,
                "bytes": None if self.bytes is None else max(0, self.bytes - bytes_) // workers,
            }
        )


@dataclass(frozen=True, slots=True)
class Spent:
    """What a scan has taken so far."""

    queries: int = 0
    rows: int = 0
    bytes: int = 0


@dataclass(slots=True)
class Meter:
    """Keeps one scan, or one worker's part of it, to its budget. Used by one thread."""

    budget: Budget
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    queries: int = 0
    rows: int = 0
    bytes: int = 0
    _owed: float = 0.0  # seconds, for the queries since the last wait
    _since: float = 0.0
    _best: float = 0.0
    _average: float = 0.0
    _back_off: float = 0.0

    def __post_init__(self) -> None:
        self._since = self.clock()

    @property
    def spent(self) -> Spent:
        """What was taken so far."""
        return Spent(self.queries, self.rows, self.bytes)

    def refusal(self) -> str:
        """Why nothing more may be sampled; "" while it may."""
        if not self.budget.is_open(self.now()):
            return f"it is outside {self.budget.window} ({self.budget.timezone})"
        if self.budget.rows is not None and self.rows >= self.budget.rows:
            return "the budget of rows is spent"
        if self.budget.bytes is not None and self.bytes >= self.budget.bytes:
            return "the budget of bytes is spent"
        return ""

    def wait(self) -> None:
        """Before a transaction: wait until the queries so far are paid for, and longer while the source is busy."""
        due = self._owed - (self.clock() - self._since)
        seconds = max(due, self._back_off)
        if seconds > 0:
            self.sleep(seconds)
        self._owed = 0.0
        self._since = self.clock()

    def count_query(self) -> None:
        """One query is on its way."""
        self.queries += 1
        if self.budget.queries_per_second is not None:
            self._owed += 1 / self.budget.queries_per_second

    def count_sample(self, rows: int, bytes_: int) -> None:
        """So much was read of a dataset."""
        self.rows += rows
        self.bytes += bytes_

    def feel(self, seconds: float) -> None:
        """How long a statement took that costs the source the same each time: it tells how busy the source is."""
        self._best = min(self._best, seconds) if self._best else seconds
        self._average = (1 - SMOOTHING) * self._average + SMOOTHING * seconds if self._average else seconds
        self.told(self._average > max(FLOOR, SLOW * self._best))

    def told(self, busy: bool) -> None:
        """Whether the source is busy: by its pace, or by what it says itself."""
        if busy:
            self._back_off = min(LONGEST_WAIT, max(FIRST_WAIT, 2 * self._back_off))
        else:
            self._back_off = self._back_off / 2 if self._back_off > FIRST_WAIT else 0.0
