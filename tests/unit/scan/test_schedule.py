"""Schedules by an injected clock."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from inventory.errors import ConfigError
from inventory.scan.schedule import Scheduler, next_time, only_scheduler
from scanners.base import Schedule

MONDAY = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
NIGHTLY = Schedule(cron="0 3 * * *")


class SteppedClock:
    """Jumps to the time that is waited for, until `end`; `late` makes it wake up later."""

    def __init__(self, end: datetime, now: datetime = MONDAY) -> None:
        self.time, self.end, self.late = now, end, timedelta()

    def now(self) -> datetime:
        return self.time

    def wait_until(self, at: datetime) -> bool:
        if max(at, self.time) > self.end:
            return False
        self.time = max(at, self.time) + self.late
        return True


class Scans:
    """Notes what starts; `done` says whether a scan ends at once."""

    def __init__(self, clock: SteppedClock) -> None:
        self.clock, self.started, self.futures = clock, list[tuple[str, datetime]](), dict[str, Future[None]]()
        self.slow: set[str] = set()

    def start(self, name: str) -> Future[None]:
        self.started.append((name, self.clock.now()))
        self.futures[name] = Future()
        if name not in self.slow:
            self.futures[name].set_result(None)
        return self.futures[name]


def ran(schedules, last=None, days: float = 3, **knobs):
    clock = SteppedClock(MONDAY + timedelta(days=days))
    scans = Scans(clock)
    for name, value in knobs.items():
        setattr(clock if name == "late" else scans, name, value)
    seen = dict.fromkeys(schedules, MONDAY) if last is None else last
    Scheduler(schedules, seen, scans.start, clock).run()
    return [(name, at - MONDAY) for name, at in scans.started]


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def test_each_source_at_its_own_times():
    twice = Schedule(cron="0 6,18 * * *", timezone="America/Toronto")  # five hours behind UTC
    assert ran({"a": NIGHTLY, "b": twice}, days=1.5) == [
        ("b", hours(11)),
        ("a", hours(15)),
        ("b", hours(23)),
        ("b", hours(35)),
    ]


@pytest.mark.parametrize("catch_up", [True, False])
def test_a_source_that_missed_its_times_is_scanned_once_on_start(catch_up):
    schedule = Schedule(cron="0 3 * * *", catch_up=catch_up)
    regular = [("a", hours(15)), ("a", hours(39))]
    started = ran({"a": schedule}, last={"a": MONDAY - timedelta(days=9)}, days=2)
    assert started == ([("a", hours(0)), *regular] if catch_up else regular)


def test_a_source_that_was_never_scanned_is_scanned_on_start():
    assert ran({"a": NIGHTLY}, last={}, days=0.1) == [("a", hours(0))]


def test_a_source_that_was_scanned_after_its_last_time_is_not_due():
    assert ran({"a": NIGHTLY}, last={"a": MONDAY - hours(8)}, days=0.1) == []


def test_a_source_whose_scan_still_runs_is_left_out_and_holds_up_no_other():
    started = ran({"a": NIGHTLY, "b": NIGHTLY}, slow={"a"})
    assert [name for name, _ in started] == ["a", "b", "b", "b"]


def test_times_that_passed_while_the_machine_slept_are_one():
    hourly = Schedule(cron="0 * * * *")
    assert ran({"a": hourly}, days=0.5, late=hours(5)) == [("a", hours(6)), ("a", hours(12))]


def test_a_time_that_the_clocks_skip_is_after_the_gap_and_one_that_is_twice_is_once():
    schedule = Schedule(cron="30 2 * * *", timezone="America/Toronto")
    spring, fall = datetime(2026, 3, 8, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
    assert next_time(schedule, spring + hours(6)) == datetime(2026, 3, 8, 7, 0, tzinfo=UTC)
    night = Schedule(cron="30 1 * * *", timezone="America/Toronto")
    first = next_time(night, fall)
    assert (first, next_time(night, first)) == (
        datetime(2026, 11, 1, 5, 30, tzinfo=UTC),
        datetime(2026, 11, 2, 6, 30, tzinfo=UTC),
    )


@pytest.mark.parametrize("wrong", [{"cron": "61 * * * *"}, {"cron": ""}, {"cron": "0 3 * * *", "timezone": "Mars"}])
def test_mistakes_are_refused(wrong):
    with pytest.raises(ValidationError):
        Schedule(**wrong)


HOLD = """
import sys
from pathlib import Path
from inventory.scan.schedule import only_scheduler
with only_scheduler(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_one_scheduler_runs_at_a_time_and_a_killed_one_holds_nothing(tmp_path):
    other = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert other.stdin is not None
    assert other.stdout is not None
    with other:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(ConfigError, match="another scheduler"), only_scheduler(tmp_path):
            pass
        other.kill()
    with only_scheduler(tmp_path):
        pass
