"""Scanning a Stripe account: a real localstripe."""

from __future__ import annotations

import pytest

from inventory.errors import ConfigError, SourceError
from inventory.model import (
    Aspect,
    Covered,
    DatasetSeen,
    DisclosureSeen,
    FieldClassified,
    FieldReferences,
    FieldSeen,
    Finding,
    SystemSeen,
)
from scanners.base import Sampling, ScanContext
from scanners.integrations.vendor import VendorScanner

ACCOUNT = "stripe://acct_1"


@pytest.fixture
def scan(monkeypatch, small_detection):
    monkeypatch.setenv("STRIPE_API_KEY", "sk_test_12345")

    def scan(address: str, detection=small_detection, **sampling: int):
        settings = VendorScanner.settings_type.model_validate(
            {
                "name": "payments",
                "type": "stripe",
                "account": "acct_1",
                "base_url": address,
                "credentials": {"api_key": {"env": "STRIPE_API_KEY"}},
                "sampling": Sampling(**sampling),
            }
        )
        return list(VendorScanner(settings).scan(ScanContext(detection=detection)))

    return scan


def of(kind, observations):
    return [observation for observation in observations if isinstance(observation, kind)]


def test_the_account_and_its_resources(scan, localstripe):
    seen = scan(localstripe)
    assert isinstance(seen[0], SystemSeen)
    assert (seen[0].urn, seen[0].processor) == (ACCOUNT, "stripe")
    assert seen[-1] == Covered(ACCOUNT, Aspect.LISTING)
    assert not of(Finding, seen)
    assert {d.urn: d.row_estimate for d in of(DatasetSeen, seen)} == {
        f"{ACCOUNT}/customers": 3,
        f"{ACCOUNT}/payment_methods": None,
        f"{ACCOUNT}/charges": 0,
        f"{ACCOUNT}/invoices": 0,
        f"{ACCOUNT}/subscriptions": 0,
        f"{ACCOUNT}/webhook_endpoints": 1,
    }
    key = next(f for f in of(FieldSeen, seen) if f.urn == f"{ACCOUNT}/customers#id")
    assert key.primary_key


def test_the_documented_map_and_the_values_are_one_classification(scan, localstripe):
    found = of(FieldClassified, scan(localstripe))
    email = [c for c in found if c.field == f"{ACCOUNT}/customers#email"]
    assert [c.category for c in email] == ["user.contact.email"]
    assert [e.signal for e in email[0].evidence] == ["connector:stripe", "value:email"]
    # By values alone: what our own side wrote into a free field.
    assert (f"{ACCOUNT}/customers#description", "user.contact.email") in {(c.field, c.category) for c in found}
    assert any(c.field.startswith(f"{ACCOUNT}/customers#metadata") for c in found)
    assert len({(c.field, c.category) for c in found}) == len(found)


def test_what_is_documented_as_technical_is_about_nobody(scan, localstripe):
    from scanners.detection import ColumnDetector

    found = of(FieldClassified, scan(localstripe, ColumnDetector()))
    assert not [c.field for c in found if c.field.endswith(("#created", "/created"))]
    assert [c.category for c in found if c.field == f"{ACCOUNT}/customers#email"] == ["user.contact.email"]


def test_documented_fields_are_there_without_a_sample(scan, localstripe):
    seen = scan(localstripe)
    names = {f.urn for f in of(FieldSeen, seen)}
    assert f"{ACCOUNT}/customers#address/postal_code" in names
    assert f"{ACCOUNT}/invoices#customer_email" in names
    assert f"{ACCOUNT}/invoices#metadata" in names
    assert {f.field for f in of(FieldClassified, seen)} <= names
    assert len(of(FieldSeen, seen)) == len(names)


def test_who_receives_it(scan, localstripe):
    disclosures = of(DisclosureSeen, scan(localstripe))
    assert {d.processor for d in disclosures if d.source != f"{ACCOUNT}/webhook_endpoints"} == {"stripe"}
    evidence = {d.source: d.evidence for d in disclosures}
    assert evidence[f"{ACCOUNT}/customers"] == "3 records returned by GET /v1/customers"
    assert f"{ACCOUNT}/customers#email" in evidence
    assert f"{ACCOUNT}/payment_methods#card/last4" in evidence
    assert f"{ACCOUNT}/invoices" not in evidence


def test_references_between_resources(scan, localstripe):
    seen = scan(localstripe)
    references = {(r.source, r.target) for r in of(FieldReferences, seen)}
    assert {end for pair in references for end in pair} <= {f.urn for f in of(FieldSeen, seen)}
    assert (f"{ACCOUNT}/charges#customer", f"{ACCOUNT}/customers#id") in references
    assert (f"{ACCOUNT}/payment_methods#customer", f"{ACCOUNT}/customers#id") in references


def test_a_sample_is_bounded_and_the_scan_repeats(scan, localstripe):
    assert {d.row_estimate for d in of(DatasetSeen, scan(localstripe, rows=1))} >= {None}
    assert scan(localstripe) == scan(localstripe)


def test_no_value_comes_out(scan, localstripe):
    text = repr(scan(localstripe))
    for value in ("canary", "Canary", "5145550100", "Montréal", "4242", "cus_", "pm_", "sk_test"):
        assert value not in text


def test_a_wrong_key_is_the_sources_fault(scan, localstripe, monkeypatch):
    monkeypatch.setenv("STRIPE_API_KEY", "wrong-canary")
    with pytest.raises(SourceError) as caught:
        scan(localstripe)
    assert str(caught.value) == "payments: the credentials are refused (check credentials)"


def test_a_missing_key_is_said_before_anything_is_asked(scan, localstripe, monkeypatch):
    monkeypatch.delenv("STRIPE_API_KEY")
    with pytest.raises(ConfigError, match="STRIPE_API_KEY: is not set"):
        scan(localstripe)


def test_one_resource_that_fails_takes_nothing_from_the_others(scan, misbehaving):
    empty = {"object": "list", "data": [], "has_more": False}
    for path in ("balance", "customers", "invoices", "subscriptions", "webhook_endpoints"):
        misbehaving.answer(f"/v1/{path}", empty)
    misbehaving.answer("/v1/charges", {"error": {"message": "canary"}}, 403)
    seen = scan(misbehaving.address)
    assert [(f.about, f.code) for f in of(Finding, seen)] == [(f"{ACCOUNT}/charges", "not-granted")]
    assert not [c for c in of(Covered, seen) if c.scope == f"{ACCOUNT}/charges"]
    assert Covered(f"{ACCOUNT}/invoices", Aspect.CONTENT) in seen


def test_where_events_go_on_to(scan, localstripe):
    onward = [d for d in of(DisclosureSeen, scan(localstripe)) if d.source == f"{ACCOUNT}/webhook_endpoints"]
    assert {d.processor for d in onward} == {"stripe", "zapier"}
