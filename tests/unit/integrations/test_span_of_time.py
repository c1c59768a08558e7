"""Lists that vendors give only of a span of time."""

from __future__ import annotations

from datetime import UTC, datetime

from scanners.integrations.addresses import filled, times
from scanners.integrations.connector import connectors


def test_a_month_ends_now():
    said = times(datetime(2026, 3, 1, 12, 30, 5, 999, tzinfo=UTC))
    assert said == {"now": "2026-03-01T12:30:05Z", "month_ago": "2026-01-30T12:30:05Z"}


def test_a_connector_asks_for_it():
    values = {**times(datetime(2026, 3, 1, tzinfo=UTC)), "account": "1"}
    transactions = filled(connectors()["paypal"], values, "payments").resources[0]
    assert transactions.parameters["start_date"] == "2026-01-30T00:00:00Z"
    assert transactions.parameters["end_date"] == "2026-03-01T00:00:00Z"
