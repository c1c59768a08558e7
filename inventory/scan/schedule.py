"""Scans at the times that the sources' cron expressions name, by one process.

Catch-up: a source that was due while no scheduler ran is scanned once on start, however often it was due. Overlap: a
source that is due while its last scan still runs is left out this time. Sources do not wait for one another.
"""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

import structlog
from cronsim import CronSim

from inventory.errors import ConfigError
from scanners.base import Schedule

log = structlog.get_logger(__name__)

LONGEST_SLEEP = 60.0  # seconds: a clock that is set meanwhile is noticed after this


class Clock(Protocol):
    """The time, and waiting for it."""

    def now(self) -> datetime:
        """Now, with a time zone."""
        ...

    def wait_until(self, at: datetime) -> bool:
        """True when it is that time; False when the scheduler is to stop."""
        ...


class WallClock:
    """The machine's clock, until `stop` is set."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop

    def now(self) -> datetime:
        """Now, in UTC."""
        return datetime.now(UTC)

    def wait_until(self, at: datetime) -> bool:
        """Wait in short stretches, as the clock may be set or the machine sleep."""
        while (left := (at - self.now()).total_seconds()) > 0:
            if self._stop.wait(min(left, LONGEST_SLEEP)):
                return False
        return not self._stop.is_set()


class Scheduler:
    """Starts scans when they are due. `start` begins a source's scan in the background."""

    def __init__(
        self,
        schedules: Mapping[str, Schedule],
        last_started: Mapping[str, datetime],
        start: Callable[[str], Future[None]],
        clock: Clock,
    ) -> None:
        self._schedules = schedules
        self._start = start
        self._clock = clock
        self._running: dict[str, Future[None]] = {}
        now = clock.now()
        self.due = {name: first_time(schedule, last_started.get(name), now) for name, schedule in schedules.items()}

    def run(self) -> None:
        """Until the clock says to stop. Scans that run then are left to run."""
        while self.due and self._clock.wait_until(min(self.due.values())):
            now = self._clock.now()
            for name in [name for name, at in self.due.items() if at <= now]:
                self.due[name] = next_time(self._schedules[name], now)
                self._begin(name)

    def _begin(self, name: str) -> None:
        running = self._running.get(name)
        if running is not None and not running.done():
            log.warning("left out: its last scan still runs", source=name, next=self.due[name].isoformat())
            return
        log.info("scan begins", source=name, next=self.due[name].isoformat())
        self._running[name] = self._start(name)


def next_time(schedule: Schedule, after: datetime) -> datetime:
    """The first time after this moment. A time that the clocks skip in spring is the first one after the gap."""
    return next(CronSim(schedule.cron, after.astimezone(ZoneInfo(schedule.timezone)))).astimezone(UTC)


def last_time(schedule: Schedule, before: datetime) -> datetime:
    """The last time before this moment."""
    here = before.astimezone(ZoneInfo(schedule.timezone))
    return next(CronSim(schedule.cron, here, reverse=True)).astimezone(UTC)


def first_time(schedule: Schedule, last_started: datetime | None, now: datetime) -> datetime:
    """When a source is due for a scheduler that starts now: at once, if it missed a time and catches up."""
    missed = last_started is None or last_started < last_time(schedule, now)
    return now if missed and schedule.catch_up else next_time(schedule, now)


@contextmanager
def only_scheduler(data_dir: Path) -> Generator[None]:
    """Hold the lock that lets one scheduler run on this data directory; ConfigError when another holds it.

    The system lets go of it however the process ends. Two machines that share a graph do not see each other's, but a
    source is scanned by one of them at a time (`inventory.graph.turn`).
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / "schedule.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(str(data_dir), "another scheduler is running on it", "stop that one first") from None
        yield
