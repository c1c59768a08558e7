"""The catalogue of known organisations: what its files say, and how it is looked up."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.errors import ConfigError
from scanners.integrations.connector import connectors
from scanners.recipients.catalogue import (
    known,
    of_dkim_selector,
    of_email,
    of_env,
    of_host,
    of_package,
    of_verification,
    registrable,
)
from scanners.recipients.organisation import connectors_of, defects, load_organisations, organisations


def test_the_files_agree_with_each_other_and_with_the_connectors():
    """No signature is two organisations', every connector's has an entry, no fact is said twice."""
    assert list(defects(organisations(), connectors_of())) == []


def test_there_are_enough_and_each_gives_itself_away():
    assert len(organisations()) >= 350
    assert [key for key, each in organisations().items() if not each.hosts] == []


def test_every_connector_talks_to_a_host_of_its_organisation():
    for connector in connectors().values():
        host = urlsplit(connector.base_url).hostname or ""
        if "." in host:  # else all of it is a variable
            found = of_host(host.replace("{", "").replace("}", ""))  # `{shop}.zendesk.com`: any name below it
            assert found is not None, connector.vendor
            assert found.processor == connector.processor, connector.vendor


@pytest.mark.parametrize(
    "host, processor",
    [
        ("aspmx.l.google.com", "google"),
        ("API.Stripe.com.", "stripe"),
        ("*.zendesk.com", "zendesk"),
        ("o123.ingest.us.sentry.io", "sentry"),
        ("maps.googleapis.com", "google-maps"),  # the longest name wins over googleapis.com
        ("storage.googleapis.com", "google"),
        ("ns-123.awsdns-45.co.uk", "aws"),
        ("files.courriel-fictif-setbytes.ca", "unknown:courriel-fictif-setbytes.ca"),
        ("a.b.fictif-setbytes.qc.ca", "unknown:fictif-setbytes.qc.ca"),
        ("notstripe.com", "unknown:notstripe.com"),
        ("1.1.1.1", "unknown:1.1.1.1"),
    ],
)
def test_a_host_is_somebodys(host, processor):
    found = of_host(host)
    assert found is not None
    assert (found.processor, found.known) == (processor, not processor.startswith("unknown:"))


@pytest.mark.parametrize(
    "host",
    ["", "localhost", "redis", "db.svc.cluster.local", "10.1.2.3", "127.0.0.1", "[::1]", "192.0.2.1", "api.example.com",
     "setbytes.example", "x.test", "nas.lan", "host.unheardoftld", "..", "a..com", "shop.setbytes.ca"],
)  # fmt: skip
def test_nobody_outside_is_at_our_own_private_and_reserved_hosts(host):
    assert of_host(host, own_domains=("setbytes.ca",)) is None


@given(st.text(max_size=80))
@settings(max_examples=50)
def test_no_text_breaks_the_look_up_of_a_host(text):
    found = of_host(text)
    assert found is None or found.described.key == found.processor
    assert isinstance(registrable(text), str)


def test_an_unknown_one_is_described_by_its_domain():
    found = of_email("quelquun@bureau.fictif-setbytes.ca")
    assert found is not None
    assert (found.described.name, found.described.role) == ("fictif-setbytes.ca", "recipient")
    assert found.named_by("bureau.fictif-setbytes.ca") == "fictif-setbytes.ca"


@pytest.mark.parametrize(
    "ecosystem, name, processor",
    [
        ("pypi", "sentry_sdk", "sentry"),
        ("npm", "@sentry/node", "sentry"),
        ("go", "github.com/stripe/stripe-go/v76", "stripe"),
        ("maven", "com.stripe:stripe-java", "stripe"),
        ("terraform", "cloudflare/cloudflare", "cloudflare"),
        ("pypi", "requests", None),
        ("npm", "sentry-sdk", None),
    ],
)
def test_a_library_is_somebodys(ecosystem, name, processor):
    found = of_package(ecosystem, name)
    assert (found and found.processor) == processor


@pytest.mark.parametrize(
    "name, processor",
    [
        ("SENTRY_DSN", "sentry"),
        ("NEXT_PUBLIC_POSTHOG_KEY", "posthog"),
        ("VITE_STRIPE_PUBLISHABLE_KEY", "stripe"),
        ("DATABASE_URL", None),
        ("SQUARE_SIZE", None),
    ],
)
def test_a_variable_is_somebodys(name, processor):
    found = of_env(name)
    assert (found and found.processor) == processor


def test_what_dns_alone_gives_away():
    assert of_verification("google-site-verification=dG9rZW4").processor == "google"  # pyright: ignore[reportOptionalMemberAccess]
    assert of_verification("MS=ms12345678").processor == "microsoft-365"  # pyright: ignore[reportOptionalMemberAccess]
    assert of_verification("bonjour") is None
    assert of_dkim_selector("zendesk1").processor == "zendesk"  # pyright: ignore[reportOptionalMemberAccess]


def test_a_connector_is_the_truth_of_who_its_organisation_is():
    connector = connectors()["stripe"]
    said = known("stripe")
    assert said is not None
    assert (said.name, said.legal_entity, said.head_office) == ("Stripe", connector.legal_entity, "US")
    assert f"agreement: {connector.dpa}" in said.contacts
    assert known("nobody") is None


def test_the_services_of_one_organisation_are_described_together():
    said = known("google")
    assert said is not None
    assert said.name == "Google"
    assert {"infrastructure.hosting", "email.mailboxes"} <= set(said.service_classes)


@pytest.mark.parametrize(
    "text, place, cause",
    [
        ("- {key: a, name: A, service_classes: [chat]}", "0.service_classes.0", "not a known service class"),
        ("- {key: a, name: A, service_classes: [crm], head_office: XX}", "0.head_office", "not a known region"),
        ("- {key: a, name: A, service_classes: [crm], hosts: [COM]}", "0.hosts.0", "pattern"),
        ("- {key: a, name: A, service_classes: [crm], packages: {cpan: [x]}}", "packages.cpan", "pypi"),
        ("- {key: a, colour: blue}", "0.colour", "unknown key"),
        ("- {key: a", "line", "not YAML"),
    ],
)
def test_a_mistake_in_a_file_is_one_line_that_names_the_place(tmp_path, text, place, cause):
    path = tmp_path / "known.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_organisations(path)
    assert place in str(caught.value)
    assert cause in str(caught.value)


def test_defects_are_told_apart(tmp_path):
    path = tmp_path / "known.yaml"
    path.write_text(
        "- {key: stripe, head_office: US, hosts: [stripe.com]}\n"
        "- {key: b, name: B, service_classes: [crm], hosts: [stripe.com, a.b.ca, b.ca]}\n"
        "- {key: c, name: C}\n",
        encoding="utf-8",
    )
    entries = {each.key: each for each in load_organisations(path)}
    found = list(defects(entries, {"stripe": connectors_of()["stripe"], "d": connectors_of()["stripe"]}))
    assert found == [
        "d: has a connector and no entry",
        "stripe: its connector says its head_office already",
        "c: name or service_classes is missing",
        "b: host stripe.com is stripe's already",
        "b: host a.b.ca lies below b.ca, which is there",
    ]
