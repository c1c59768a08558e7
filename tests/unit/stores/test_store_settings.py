"""What the settings of record stores refuse, and what a missing driver says."""

from __future__ import annotations

import sys

import pytest
from pydantic import ValidationError

from inventory.errors import SourceError
from scanners.base import ScanContext
from scanners.registry import scanner_types

SECRET = {"env": "TEST_STORE_SECRET"}
ACCOUNT = {"account": "123456789012", "region_name": "ca-central-1"}
STORES = {
    "mongodb": ({}, "mongodb://localhost:27017", "pymongo"),
    "redis": ({}, "redis://localhost:6379", "redis"),
    "cassandra": ({}, "cassandra://localhost:9042", "cassandra.cluster"),
    "kafka": ({}, "kafka://localhost:9092", "kafka"),
    "dynamodb": (ACCOUNT, "arn:aws:dynamodb:ca-central-1:123456789012", "boto3"),
}


def scanner(kind: str, **settings):
    found = scanner_types()[kind]
    return found(found.settings_type.model_validate({"type": kind, "name": "store", **settings}))


@pytest.mark.parametrize("kind", STORES)
def test_systems_are_known_without_connecting_and_may_be_named(kind):
    settings, system, _ = STORES[kind]
    assert scanner(kind, **settings).system == system
    assert scanner(kind, **settings, namespace="other://name").system == "other://name"


@pytest.mark.parametrize("kind", STORES)
def test_a_missing_driver_says_how_to_get_it(kind, monkeypatch, small_detection):
    settings, _, driver = STORES[kind]
    monkeypatch.setitem(sys.modules, driver, None)
    with pytest.raises(SourceError, match=rf"store: its driver is missing .*privacy-inventory\[{kind}\]"):
        list(scanner(kind, **settings).scan(ScanContext(small_detection)))


def test_addresses_with_ipv6_keep_their_brackets():
    assert scanner("redis", host="::1").system == "redis://[::1]:6379"
    assert scanner("opensearch", url="https://[::1]:9200").system == "opensearch://[::1]:9200"
    assert scanner("elasticsearch", url="https://search.example").system == "elasticsearch://search.example:443"


@pytest.mark.parametrize(
    "kind, settings",
    [
        ("mongodb", {"hosts": ["me:secret@db:27017"]}),
        ("mongodb", {"user": "me"}),
        ("mongodb", {"srv": True, "hosts": ["a", "b"]}),
        ("redis", {"user": "me"}),
        ("cassandra", {"password": SECRET}),
        ("kafka", {"sasl_mechanism": "PLAIN"}),
        ("kafka", {"schema_registry": "https://me:secret@registry"}),
        ("kafka", {"schema_registry_user": "me"}),
        ("dynamodb", {**ACCOUNT, "account": "1"}),
        ("dynamodb", {**ACCOUNT, "endpoint": "http://127.0.0.1:8000"}),
        ("dynamodb", {**ACCOUNT, "access_key_id": SECRET}),
        ("opensearch", {"url": "http://search:9200"}),
        ("opensearch", {"url": "https://me:secret@search:9200"}),
    ],
)
def test_settings_that_do_not_fit_are_refused(kind, settings):
    with pytest.raises(ValidationError):
        scanner(kind, **settings)
