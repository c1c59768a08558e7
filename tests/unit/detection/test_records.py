"""What the records of a dataset are, by its fields together."""

from __future__ import annotations

import pytest

from inventory.model import DatasetClassified
from scanners.detection import ColumnDetector
from scanners.sightings import record_sightings


@pytest.mark.parametrize(
    "name, fields, category",
    [
        ("access", ["remote_addr", "path", "time", "status"], "user.telemetry.access_log"),
        ("audit_trail", ["action", "actor_id", "created_at", "target"], "user.telemetry.audit_log"),
        ("journal_audit", ["evenement", "utilisateur", "horodatage", "cible"], "user.telemetry.audit_log"),
        ("api_calls", ["endpoint", "client_id", "requested_at", "latency_ms"], "user.telemetry.api_usage"),
        ("analytics", ["event", "anonymous_id", "timestamp", "properties"], "user.telemetry"),
        ("customers", ["name", "signup_ip", "landing_page", "created_at", "status"], None),
        ("orders", ["order_id", "customer_id", "created_at", "status", "total"], None),
    ],
)
def test_records_are_told_by_their_fields_together(name, fields, category):
    said = list(record_sightings("s://x/d", name, [(each, "") for each in fields], ColumnDetector()))
    assert [each.category for each in said][:1] == ([category] if category else [])


def test_members_of_a_column_are_judged_together_and_apart_from_other_columns():
    log = [("entry", f"/{name}") for name in ("remote_addr", "path", "time", "status")]
    (said,) = record_sightings("s3://b/logs", "logs", log, ColumnDetector())
    assert isinstance(said, DatasetClassified)
    assert said.category == "user.telemetry.access_log"
    scattered = [(f"column_{i}", pointer) for i, (_, pointer) in enumerate(log)]
    assert list(record_sightings("s3://b/x", "x", scattered, ColumnDetector())) == []
