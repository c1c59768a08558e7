"""Scanning Stripe by its own description and examples: stripe-mock."""

from __future__ import annotations

from inventory.model import DatasetSeen, FieldClassified, Finding, ProcessorSeen
from scanners.base import Sampling, ScanContext
from scanners.integrations.vendor import VendorScanner


def test_all_of_the_connector_is_in_stripes_own_description(stripe_mock, monkeypatch, small_detection):
    monkeypatch.setenv("STRIPE_API_KEY", "sk_test_123")
    settings = VendorScanner.settings_type.model_validate(
        {
            "name": "payments",
            "type": "stripe",
            "account": "acct_1",
            "base_url": stripe_mock,
            "credentials": {"api_key": {"env": "STRIPE_API_KEY"}},
            "sampling": Sampling(rows=1),  # its lists say that there is more, for ever
        }
    )
    seen = list(VendorScanner(settings).scan(ScanContext(detection=small_detection)))
    assert not [each for each in seen if isinstance(each, Finding)]
    assert {each.name for each in seen if isinstance(each, DatasetSeen)} >= {"customers", "charges", "invoices"}
    assert {each.category for each in seen if isinstance(each, FieldClassified)} >= {"user.contact.email"}
    assert [each.key for each in seen if isinstance(each, ProcessorSeen)] == ["stripe"]
