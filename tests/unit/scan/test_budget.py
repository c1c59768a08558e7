"""Budgets by an injected clock."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from scanners.budget import LONGEST_WAIT, Budget, Meter


class Time:
    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def metered(time: Time, **budget) -> Meter:
    return Meter(Budget(**budget), clock=lambda: time.now, sleep=time.sleep)


def test_queries_are_paid_for_before_the_next_transaction():
    time = Time()
    meter = metered(time, queries_per_second=10)
    for _ in range(50):
        meter.wait()
        for _ in range(4):
            meter.count_query()
        time.now += 0.1  # what the queries themselves took
    assert meter.queries == 200
    assert time.now == pytest.approx(200 / 10, abs=0.5)


def test_nothing_waits_without_a_budget():
    time = Time()
    meter = metered(time)
    for _ in range(100):
        meter.wait()
        meter.count_query()
        meter.feel(0.001)
    assert time.slept == []


def test_a_source_that_becomes_slow_is_left_alone_longer_and_longer_until_it_recovers():
    time = Time()
    meter = metered(time)

    def statement(seconds: float) -> float:
        meter.wait()
        meter.feel(seconds)
        return time.slept[-1] if time.slept else 0.0

    for _ in range(20):
        statement(0.01)
    assert time.slept == []
    waits = [statement(0.5) for _ in range(12)]
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_WAIT
    for _ in range(30):
        statement(0.01)
    before = len(time.slept)
    statement(0.01)
    assert len(time.slept) == before


def test_a_source_that_was_always_slow_is_not_held_for_busy():
    time = Time()
    meter = metered(time)
    for _ in range(20):
        meter.wait()
        meter.feel(0.5)
    assert time.slept == []


@pytest.mark.parametrize("budget, refusal", [({"rows": 10}, "rows"), ({"bytes": 100}, "bytes"), ({}, "")])
def test_sampling_stops_when_the_budget_is_spent(budget, refusal):
    meter = metered(Time(), **budget)
    assert meter.refusal() == ""
    meter.count_sample(10, 100)
    assert refusal in meter.refusal()
    assert bool(meter.refusal()) == bool(budget)


@pytest.mark.parametrize(
    "window, hour, is_open",
    [
        ("22:00-06:00", 21, False),
        ("22:00-06:00", 22, True),
        ("22:00-06:00", 5, True),
        ("22:00-06:00", 6, False),
        ("09:00-17:00", 8, False),
        ("09:00-17:00", 9, True),
        ("09:00-17:00", 17, False),
        ("", 3, True),
    ],
)
def test_the_window_is_in_its_own_time_zone(window, hour, is_open):
    budget = Budget(window=window, timezone="America/Vancouver")
    assert budget.is_open(datetime(2026, 1, 15, (hour + 8) % 24, tzinfo=UTC)) is is_open  # eight hours behind UTC


def test_a_share_is_what_is_left_divided():
    share = Budget(queries_per_second=10, rows=100, bytes=1000).share(2, rows=20, bytes_=1500)
    assert (share.queries_per_second, share.rows, share.bytes) == (5, 40, 0)
    assert Budget().share(2, 20, 20) == Budget()


@pytest.mark.parametrize("wrong", [{"window": "22-6"}, {"window": "24:00-06:00"}, {"timezone": "Mars/Base"}])
def test_mistakes_are_refused(wrong):
    with pytest.raises(ValidationError):
        Budget(**wrong)
