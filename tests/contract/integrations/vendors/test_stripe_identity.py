"""Scanning Stripe Identity by Stripe's own description and examples: stripe-mock."""

from __future__ import annotations

from inventory.model import DatasetSeen, FieldClassified, Finding, SystemSeen
from scanners.base import Sampling, ScanContext
from scanners.integrations.connector import connectors
from scanners.integrations.vendor import VendorScanner


def test_all_of_the_connector_is_in_stripes_own_description(stripe_mock, monkeypatch, small_detection):
    monkeypatch.setenv("STRIPE_IDENTITY_KEY", "rk_test_123")
    settings = VendorScanner.settings_type.model_validate(
        {
            "name": "identity",
            "type": "stripe_identity",
            "account": "acct_1",
            "base_url": stripe_mock,
            "credentials": {"api_key": {"env": "STRIPE_IDENTITY_KEY"}},
            "sampling": Sampling(rows=1),  # its lists say that there is more, for ever
        }
    )
    seen = list(VendorScanner(settings).scan(ScanContext(detection=small_detection)))
    resources = connectors()["stripe_identity"].resources
    assert not [each for each in seen if isinstance(each, Finding)]
    assert [each.name for each in seen if isinstance(each, DatasetSeen)] == [each.name for each in resources]
    assert next(each.processor for each in seen if isinstance(each, SystemSeen)) == "stripe"
    classified = {(each.field, each.category) for each in seen if isinstance(each, FieldClassified)}
    for resource in resources:
        for pointer, rule in resource.fields.items():
            assert (f"stripe_identity://acct_1/{resource.name}#{pointer[1:]}", rule.category) in classified
