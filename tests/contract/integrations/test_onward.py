"""Whom a vendor's own records lead to."""

from __future__ import annotations

import pytest

from scanners.integrations.connector import Onward
from scanners.integrations.onward import leads
from scanners.recipients.organisation import organisations


def led(kind: str, value: object, own: tuple[str, ...] = ()) -> list[str]:
    place = Onward.model_validate({"at": "/x/-", "kind": kind, "note": "events"})
    return [each.recipient.processor for each in leads([place], [{"x": [value]}], own)]


@pytest.mark.parametrize(
    "address, key",
    [
        ("https://hooks.slack.com/services/T0/B0/secret", "slack"),
        ("datadog://http-intake.logs.datadoghq.com/api?key=secret", "datadog"),
        ("s3://bucket/logs?region=us-east-1", "aws"),
        ("gs://bucket", "google"),
        ("arn:aws:kinesis:ca-central-1:123456789012:stream/x", "aws"),
        ("storage.googleapis.com/bucket", "google"),
        ("smtp.gmail.com:587", "google"),
        ("https://user:password@collect.unheard-of.com/x", "unknown:unheard-of.com"),
    ],
)
def test_an_address_leads_to_its_organisation(address: str, key: str):
    assert led("url", address) == [key]


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost:8080",
        "http://10.1.2.3/",
        "https://[::1]/",
        "file:///etc/passwd",
        "https://[",
        "",
        " ",
        None,
        5,
        {},
        "https://hooks.shop.com/x",
        "https://shop.com",
    ],
)
def test_what_leads_to_nobody_outside(address: object):
    assert led("url", address, ("shop.com",)) == []


@pytest.mark.parametrize(
    "name, key",
    [
        ("Datadog", "datadog"),
        ("NewRelic", "new-relic"),
        ("new_relic", "new-relic"),
        ("Customer.io", "customer-io"),
        ("customerio", "customer-io"),
        ("Amazon S3", "aws"),
        ("aws_eventbridge", "aws"),
        ("splunk_cloud_logstreaming", "splunk"),
        ("Google Cloud Storage", "google"),
        ("azure_cs", "azure"),
        ("unheard of", "unknown:unheard-of"),
    ],
)
def test_a_vendors_name_leads_to_its_organisation(name: str, key: str):
    assert led("vendor", name) == [key]


@pytest.mark.parametrize(
    "name", ["http", "Webhook", "SMTP", "custom", "", "12345", "a b c d e f g h i j k l m n o p q r s"]
)
def test_a_word_for_a_way_is_no_organisation(name: str):
    assert led("vendor", name) == []


def test_an_address_of_mail_leads_to_who_keeps_the_mailbox():
    assert led("email", "someone@gmail.com") == ["google"]
    assert led("email", "someone@shop.com", ("shop.com",)) == []
    assert led("email", "no address") == []


def test_every_other_name_that_is_known_is_of_the_catalogue():
    from scanners.integrations import onward

    assert {*onward._ALIASES.values(), *onward._SCHEMES.values()} <= set(organisations())


def test_an_organisation_is_said_once_with_all_that_leads_to_it():
    places = [
        Onward.model_validate({"at": "/type", "kind": "vendor", "note": "logs"}),
        Onward.model_validate({"at": "/url", "kind": "url", "note": "alerts"}),
    ]
    rows = [{"type": "datadog", "url": "https://api.datadoghq.com/secret"}] * 2
    (lead,) = leads(places, rows)
    assert lead.recipient.processor == "datadog"
    assert lead.evidence("sinks") == "logs (/type of sinks); alerts (/url of sinks)"
