"""Whom the settings in tables name, and that ordinary columns name nobody."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

import pyarrow as pa
import pytest

from inventory.model import Aspect, DisclosureSeen, ProcessorSeen, Provenance
from scanners.base import ScanContext
from scanners.databases.sqlite import SQLiteScanner, SQLiteSettings
from scanners.recipients.configuration import Configuration


@pytest.fixture
def named(small_detection):
    """By column and organisation, the evidence that the table's settings give."""

    def look(table: dict[str, list[str | None]], **more) -> dict[tuple[str, str], str]:
        configuration = Configuration(table, **more)
        configuration.see(pa.RecordBatch.from_pydict(table))
        seen: Iterable[object] = configuration.sightings("db://x/t", small_detection)
        return {(s.source[9:], s.processor): s.evidence for s in seen if isinstance(s, DisclosureSeen)}

    return look


def test_a_column_of_webhooks_names_their_hosts(named):
    urls: list[str | None] = [
        "https://hooks.zapier.com/a/b",
        "https://hooks.slack.com/x",
        None,
        "https://hooks.zapier.com/c",
    ]
    assert named({"id": ["1", "2", "3", "4"], "webhook_url": urls}) == {
        ("webhook_url", "zapier"): "webhook_url names hosts of Zapier (zapier.com) in 2 of 4 sampled rows",
        ("webhook_url", "slack"): "webhook_url names hosts of Slack (slack.com) in 1 of 4 sampled rows",
    }


@pytest.mark.parametrize(
    "column, value, processor",
    [
        ("smtp_host", "smtp.mailgun.org", "mailgun"),
        ("sentryDsn", "https://k@o1.ingest.sentry.io/1", "sentry"),
        ("url", "https://api.stripe.com/v1", "stripe"),
        ("endpoint", "https://in.fictif-setbytes.ca/x", "unknown:fictif-setbytes.ca"),
    ],
)
def test_columns_of_other_names(named, column, value, processor):
    assert set(named({column: [value]})) == {(column, processor)}


@pytest.mark.parametrize(
    "column, values",
    [
        ("email", ["a@gmail.com"] * 5),
        ("website_url", ["https://stripe.com"]),
        ("repository_url", ["https://github.com/a/b"]),
        ("customer_webhook", ["https://hooks.zapier.com/a"]),
        ("url", ["https://a.fictif-setbytes.ca"]),  # anything may have a `url`: unknown hosts are not believed
        ("url", ["https://api.stripe.com"] * 300),  # and in a long table it is data
        ("host", ["app.setbytes.ca", "10.0.0.1", "localhost", "x.example.com"]),
        ("endpoint", ["/v1/servers", "/v1/domains"]),
        ("webhook", [f"https://h.fictif-setbytes-{n}.ca" for n in range(30)]),  # other people's
    ],
)
def test_ordinary_columns_name_nobody(named, column, values):
    assert named({column: values}, own_domains=["setbytes.ca"]) == {}


def test_a_table_of_settings_names_whom_its_values_do(named):
    table = {
        "name": ["smtp_host", "sentry.dsn", "posthog_api_key", "theme", "retention_days", "support_email"],
        "value": ["smtp.postmarkapp.com", "https://k@o1.ingest.sentry.io/1", "phc_x", "dark", "30", "a@zendesk.com"],
    }
    found = named(table)
    assert set(found) == {("value", "postmark"), ("value", "sentry"), ("value", "posthog")}
    assert found["value", "postmark"] == "settings name Postmark (postmarkapp.com) in 1 of 6 sampled rows"


def test_settings_of_each_of_many_people_name_nobody(named):
    assert named({"key": ["webhook"] * 50, "value": ["https://hooks.slack.com/x"] * 50}) == {}


def test_who_runs_the_source_is_not_said_twice(named):
    table: dict[str, list[str | None]] = {"smtp_host": ["email-smtp.ca-central-1.amazonaws.com"]}
    assert named(table, operator="aws") == {}


def test_no_value_comes_out(small_detection):
    configuration = Configuration(["webhook_url"])
    values = [
        "https://zephyrine:xanthocanari@hooks.slack.com/xanthocanari",
        "https://u@h.fictif-setbytes.ca/xanthocanari",
    ]
    configuration.see(pa.RecordBatch.from_pydict({"webhook_url": values}))
    seen = list(configuration.sightings("db://x/t", small_detection))
    assert len([each for each in seen if isinstance(each, ProcessorSeen)]) == 2
    assert "canari" not in repr(seen)
    assert "zephyrine" not in repr(seen)


def test_columns_that_are_no_texts_are_let_alone(named):
    assert named({"webhook_host": pa.array([1, 2])}) == {}  # pyright: ignore[reportArgumentType]
    assert named({"webhook": pa.array([{"a": "https://hooks.slack.com"}])}) == {}  # pyright: ignore[reportArgumentType]


def test_a_scan_says_it_of_the_column_as_long_as_the_content_does(tmp_path, small_detection):
    with sqlite3.connect(tmp_path / "x.db") as database:
        database.execute("CREATE TABLE channels (id INTEGER PRIMARY KEY, webhook_url TEXT)")
        database.execute("INSERT INTO channels (webhook_url) VALUES ('https://hooks.slack.com/services/T/B/x')")
    database.close()
    settings = SQLiteSettings(name="shop", path=tmp_path / "x.db", namespace="sqlite:///x")
    seen = list(SQLiteScanner(settings).scan(ScanContext(small_detection)))
    said = [each for each in seen if isinstance(each, DisclosureSeen)]
    assert [(each.source, each.processor, each.provenance, each.aspect) for each in said] == [
        ("sqlite:///x/channels#webhook_url", "slack", Provenance.CONFIG, Aspect.CONTENT)
    ]
