"""Whom the DNS records that Cloudflare keeps name: observed as in a zone file, with provenance `dns`."""

from __future__ import annotations

import pytest

from inventory.model import DisclosureSeen, ProcessorSeen, Provenance
from scanners.base import ScanContext
from scanners.integrations.connector import connectors
from scanners.integrations.vendor import VendorScanner

RECORDS = [
    {"id": "1", "type": "MX", "name": "paas.example", "content": "aspmx.l.google.com"},
    {"id": "2", "type": "TXT", "name": "paas.example", "content": '"v=spf1 include:sendgrid.net " "-all"'},
    {"id": "3", "type": "CNAME", "name": "www.paas.example", "content": "edge.paas.example."},
    {"id": "4", "type": "CNAME", "name": "status.paas.example", "content": "pages.nobody-knows-them.com"},
    {"id": "5", "type": "A", "name": "paas.example", "content": "198.51.100.7"},
    {"id": "6", "type": "TXT", "name": "paas.example", "content": '"google-site-verification=canary"'},
]


@pytest.fixture
def seen(documented_server, exchange, monkeypatch, small_detection):
    zones = [{"id": "z1", "name": "paas.example"}]
    documented_server.headers = {"Authorization": "Bearer a-token"}
    documented_server.asked, documented_server.unknown = set(), []
    documented_server.exchanges = [
        exchange("/accounts/acc", {"result": {"id": "acc"}}),
        exchange("/zones", {"result": zones}),
        exchange("/zones/z1/dns_records", {"result": RECORDS}),
    ]
    monkeypatch.setenv("CLOUDFLARE_TOKEN", "a-token")
    whole = connectors()["cloudflare"]
    connector = whole.model_copy(update={"resources": whole.resources[:2]})
    settings = VendorScanner.settings_type.model_validate(
        {
            "name": "edge",
            "type": "cloudflare",
            "account": "acc",
            "base_url": documented_server.address,
            "credentials": {"api_token": {"env": "CLOUDFLARE_TOKEN"}},
        }
    )
    return list(VendorScanner(settings, connector=connector).scan(ScanContext(small_detection)))


def test_mail_and_names_lead_to_their_organisations(seen):
    named = {
        each.processor: each.evidence
        for each in seen
        if isinstance(each, DisclosureSeen) and each.provenance is Provenance.DNS
    }
    assert named.keys() == {"google", "sendgrid", "unknown:nobody-knows-them.com"}
    assert "MX names mail servers of" in named["google"]
    assert "SPF lets its mail be sent by" in named["sendgrid"]
    assert {each.key for each in seen if isinstance(each, ProcessorSeen)} >= named.keys()


def test_nothing_of_a_token_is_said(seen):
    assert "canary" not in repr(seen)
