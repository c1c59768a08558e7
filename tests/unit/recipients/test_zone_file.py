"""Whom a zone file names."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from inventory.errors import SourceError
from inventory.model import Aspect, Covered, DatasetSeen, DisclosureSeen, Finding, ProcessorSeen, Provenance, Severity
from scanners.recipients.dns import DnsSettings

PREFIX = "dns://setbytes.example/"


def named(seen):
    return {
        (each.source.removeprefix(PREFIX), each.processor): each.evidence
        for each in seen
        if isinstance(each, DisclosureSeen)
    }


@pytest.mark.parametrize(
    "record, name, processor, evidence",
    [
        ("@ MX 1 aspmx.l.google.com.", "", "google", "MX names mail servers of Google (google.com)"),
        ("@ NS ada.ns.cloudflare.com.", "", "cloudflare", "NS names name servers of Cloudflare (cloudflare.com)"),
        ("www 60 IN CNAME x.netlify.app.", "www.", "netlify", "it is another name for a host of Netlify (netlify.app)"),
        ("@ ALIAS x.herokudns.com.", "", "heroku", "it is served by a host of Heroku (herokudns.com)"),
        ('@ CAA 0 issue "letsencrypt.org; a=b"', "", "lets-encrypt", "CAA lets its certificates be issued by Let's"),
        ("_sip._tls SRV 1 1 443 sipdir.online.lync.com.", "_sip._tls.", "microsoft-365", "a service is at a host of"),
        ('@ TXT "stripe-verification=c2VjcmV0"', "", "stripe", "a TXT record proves to Stripe whose domain it is"),
        ('@ TXT "v=spf1 include:send" "grid.net ~all"', "", "sendgrid", "(sendgrid.net), by include"),
        ('@ TXT "v=spf1 redirect=_spf.google.com"', "", "google", "by redirect"),
        ('@ TXT "v=spf1 ?a:out.zohomail.com/28 -all"', "", "zoho", "by a"),
        ('@ TXT "v=spf1 exists:%{i}._spf.mta.salesforce.com"', "", "salesforce", "by exists"),
        ("s1._domainkey CNAME s1.domainkey.u1.wl.sendgrid.net.", "s1._domainkey.", "sendgrid", "a key that signs"),
        ('zendesk1._domainkey TXT "v=DKIM1; p=MIGf"', "zendesk1._domainkey.", "zendesk", "as Zendesk calls its keys"),
        ('_dmarc TXT "v=DMARC1; rua=mailto:a@ag.dmarcian.com!10m"', "_dmarc.", "dmarcian", "reports on its mail"),
        ('_smtp._tls TXT "v=TLSRPTv1; rua=https://x.report-uri.com/r"', "_smtp._tls.", "report-uri", "reports on"),
        ("@ MX 1 mx.courriel-fictif-setbytes.ca.", "", "unknown:courriel-fictif-setbytes.ca", "MX names mail servers"),
    ],
)  # fmt: skip
def test_a_record_names_an_organisation(scan_zone, record, name, processor, evidence):
    seen = scan_zone(record + "\n")
    found = named(seen)
    assert set(found) == {(f"{name}setbytes.example", processor)}
    assert evidence in found[f"{name}setbytes.example", processor]
    assert [each.key for each in seen if isinstance(each, ProcessorSeen)] == [processor]
    assert {each.provenance for each in seen if isinstance(each, DisclosureSeen)} == {Provenance.DNS}


@pytest.mark.parametrize(
    "record",
    [
        "@ MX 10 mail",
        "www CNAME @",
        "@ A 203.0.113.7",
        "@ MX 0 .",
        "@ MX 1 mail.setbytes.ca.",
        '@ CAA 0 issue ";"',
        '@ CAA 0 iodef "mailto:a@sectigo.com"',
        '@ TXT "bonjour"',
        '@ TXT "v=spf1 -all"',
        '@ TXT "v=spf1 ip4:192.0.2.1 include:_spf.setbytes.example -all"',
        'x._domainkey TXT "hello"',
        '_dmarc TXT "v=DMARC1; rua=mailto:dmarc@setbytes.example"',
    ],
)
def test_our_own_names_and_addresses_are_nobody_outside(scan_zone, record):
    seen = scan_zone(record + "\n", own_domains=["setbytes.ca"])
    assert named(seen) == {}
    assert [each.name for each in seen if isinstance(each, DatasetSeen)] == ["setbytes.example"]


def test_one_statement_an_organisation_and_name_with_all_reasons(scan_zone):
    seen = scan_zone('@ MX 1 a.google.com.\n@ MX 2 b.google.com.\n@ TXT "google-site-verification=x"\n')
    assert list(named(seen).values()) == [
        "MX names mail servers of Google (google.com); a TXT record proves to Google whose domain it is"
    ]


def test_no_token_and_no_address_comes_out(scan_zone):
    seen = scan_zone(
        '@ TXT "google-site-verification=xanthocanari"\n_dmarc TXT "v=DMARC1; rua=mailto:zephyrine@ag.dmarcian.com"\n'
        'google._domainkey TXT "v=DKIM1; p=xanthocanari"\nzephyrine.canari@x.example CNAME a.netlify.app.\n'
    )
    assert "xanthocanari" not in repr(seen)
    assert "zephyrine@" not in repr(seen)


def test_the_listing_is_complete_and_each_name_covered(scan_zone):
    seen = scan_zone("www CNAME a.netlify.app.\n")
    covered = {(each.scope.removeprefix("dns://"), each.aspect) for each in seen if isinstance(each, Covered)}
    assert covered == {
        ("setbytes.example", Aspect.LISTING),
        ("setbytes.example/setbytes.example", Aspect.STRUCTURE),
        ("setbytes.example/www.setbytes.example", Aspect.STRUCTURE),
    }


def test_what_lies_in_another_file_is_not_read_and_said(scan_zone):
    seen = scan_zone("$INCLUDE /etc/hostname\n$GENERATE 1-99999999 h$ A 192.0.2.1\nwww CNAME a.netlify.app.\n")
    assert [(each.code, each.severity) for each in seen if isinstance(each, Finding)] == [
        ("included-file", Severity.WARNING)
    ]
    assert not [each for each in seen if isinstance(each, Covered) and each.aspect is Aspect.LISTING]


@pytest.mark.parametrize("zone", ["@ FOO xanthocanari\n", "@ MX xanthocanari\n", '@ TXT "xanthocanari\n', "@ A 1\n"])
def test_a_broken_zone_is_one_line_without_its_text(scan_zone, zone):
    with pytest.raises(SourceError, match=r"is not well formed at line [23] or just before") as caught:
        scan_zone(zone)
    assert "xanthocanari" not in str(caught.value)


@given(zone=st.text(max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
def test_whatever_stands_in_a_zone_file_is_read_or_refused(scan_zone, zone):
    with suppress(SourceError):
        assert scan_zone(zone)


@pytest.mark.parametrize(
    "given_", [{}, {"zone_file": "x", "resolver": "192.0.2.1"}, {"resolver": "dns.google"}, {"resolver": "1.2.3.4:x"}]
)
def test_settings_name_one_way_to_look(given_):
    with pytest.raises(ValidationError):
        DnsSettings.model_validate({"type": "dns", "name": "zone", "domain": "setbytes.example", **given_})
