"""Rules of deletion and parts of a bucket, by the names of datasets."""

from __future__ import annotations

import pytest

from scanners.buckets.gcs import expiries, object_lock
from scanners.buckets.posture import Expiry, earliest, listed


@pytest.mark.parametrize(
    "template, days",
    [
        ("logs/{date}/{name}.log", 30),
        ("logs/app/{date}.log", 7),
        ("logs/{name}/x.log", 30),
        ("exports/a.csv", 365),
        ("l{number}", 365),
    ],
)
def test_a_rule_holds_for_a_dataset_when_it_holds_for_all_its_keys(template: str, days: float):
    assert earliest([Expiry("", 365), Expiry("logs/", 30), Expiry("logs/app/", 7)], template) == days


def test_without_a_rule_nothing_is_known():
    assert earliest([Expiry("logs/", 30)], "exports/{date}.csv") is None


def test_a_folder_is_listed_when_its_datasets_are_named_below_it():
    assert listed(["exports"], ["exports/a.csv", "exports/{date}/b.csv"]) == ["exports/"]
    assert listed(["a", "b"], ["a/x.csv"]) == ["a/", "b/"]
    assert listed(["2026-01-01"], ["{date}/x.csv"]) == []
    assert listed([], []) == []


def test_googles_rules():
    def rule(action: str, **condition: object) -> dict[str, object]:
        return {"action": {"type": action}, "condition": condition}

    rules = [
        rule("Delete", age=30, matchesPrefix=["logs/", "tmp/"]),
        rule("Delete", age=1, isLive=False),
        rule("SetStorageClass", age=2),
    ]
    assert expiries({"lifecycle": {"rule": rules}}) == [Expiry("logs/", 30), Expiry("tmp/", 30)]


@pytest.mark.parametrize(
    "settings, locked, evidence",
    [
        ({}, False, "there is no retention policy"),
        (
            {"retentionPolicy": {"retentionPeriod": "2592000", "isLocked": True}},
            True,
            "a retention policy keeps every object for 30 days (locked)",
        ),
        (
            {"retentionPolicy": {"retentionPeriod": "43200"}},
            True,
            "a retention policy keeps every object for 0.5 days (not locked itself)",
        ),
        ({"objectRetention": {"mode": "Enabled"}}, True, "objects can be locked one by one"),
    ],
)
def test_googles_object_lock(settings: dict[str, object], locked: bool, evidence: str):
    assert object_lock(settings) == (locked, evidence)
