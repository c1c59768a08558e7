"""Looking a domain up at a real resolver."""

from __future__ import annotations

import pytest

from inventory.errors import SourceError
from inventory.model import Aspect, Covered, DisclosureSeen, Finding
from scanners.base import ScanContext
from scanners.recipients.dns import DnsScanner, DnsSettings

ZONE = """
$TTL 60
@ NS ns1.gandi.net.
@ MX 1 aspmx.l.google.com.
@ TXT "v=spf1 include:_spf.setbytes.example -all"
@ CAA 0 issue "letsencrypt.org"
_spf TXT "v=spf1 include:_spf2.setbytes.example include:sendgrid.net"
_spf2 TXT "v=spf1 include:spf.mtasv.net"
www CNAME setbytes.netlify.app.
boutique CNAME shops.myshopify.com.
k1._domainkey CNAME dkim.mcsv.net.
zendesk1._domainkey TXT "v=DKIM1; p=MIGf"
_dmarc TXT "v=DMARC1; rua=mailto:x@ag.dmarcian.com"
api A 192.0.2.7
"""


@pytest.fixture
def look(small_detection):
    def look(resolver: str, **more: object):
        content = {
            "type": "dns",
            "name": "zone",
            "domain": "setbytes.example",
            "resolver": resolver,
            "timeout": 2,
            **more,
        }
        return list(DnsScanner(DnsSettings.model_validate(content)).scan(ScanContext(small_detection)))

    return look


def named(seen):
    return {
        (
            each.source.removeprefix("dns://setbytes.example/").removesuffix("setbytes.example").rstrip("."),
            each.processor,
        )
        for each in seen
        if isinstance(each, DisclosureSeen)
    }


def test_what_a_resolver_tells_names_the_same_as_the_zone_file(look, nameserver, tmp_path, small_detection):
    seen = look(nameserver(ZONE).address, names=["boutique"])
    (tmp_path / "zone").write_text(ZONE)
    content = {"type": "dns", "name": "zone", "domain": "setbytes.example", "zone_file": tmp_path / "zone"}
    of_file = DnsScanner(DnsSettings.model_validate(content)).scan(ScanContext(small_detection))
    assert named(seen) == named(of_file)
    assert named(seen) == {
        ("", "gandi"), ("", "google"), ("", "lets-encrypt"), ("_spf", "sendgrid"), ("_spf2", "postmark"),
        ("www", "netlify"), ("boutique", "shopify"), ("k1._domainkey", "mailchimp"), ("zendesk1._domainkey", "zendesk"),
        ("_dmarc", "dmarcian"),
    }  # fmt: skip
    assert [each.scope for each in seen if isinstance(each, Covered) and each.aspect is Aspect.LISTING] == [
        "dns://setbytes.example"
    ]


def test_a_wildcard_is_said_once(look, nameserver):
    server = nameserver("$TTL 60\n@ A 192.0.2.1\n* CNAME setbytes.netlify.app.\nwww CNAME setbytes.vercel.app.\n")
    assert named(look(server.address)) == {("*", "netlify"), ("www", "vercel")}


def test_spf_that_includes_itself_ends(look, nameserver):
    names = "".join(f'n{i} TXT "v=spf1 include:n{i + 1}.setbytes.example"\n' for i in range(40))
    top = '@ TXT "v=spf1 include:a.setbytes.example include:n0.setbytes.example"\n'
    itself = 'a TXT "v=spf1 include:a.setbytes.example include:setbytes.example include:sendgrid.net"\n'
    server = nameserver("$TTL 60\n" + top + itself + names)
    assert named(look(server.address)) == {("a", "sendgrid")}
    assert not [name for name in server.asked if name.startswith("n30.")]


def test_a_name_without_an_answer_leaves_the_listing_open(look, nameserver):
    server = nameserver(ZONE, silent={"www.setbytes.example"})
    seen = look(server.address, timeout=0.3)
    assert ("", "google") in named(seen)
    assert [each.code for each in seen if isinstance(each, Finding)] == ["unanswered"]
    assert not [each for each in seen if isinstance(each, Covered) and each.aspect is Aspect.LISTING]


def test_a_domain_that_is_not_there(look, nameserver):
    with pytest.raises(SourceError, match=r"there is no domain nowhere\.example") as caught:
        look(nameserver("$TTL 60\n@ A 192.0.2.1\n", "example").address, domain="nowhere.example")
    assert caught.value.code == "missing"


def test_a_resolver_that_is_not_there(look, nameserver):
    with pytest.raises(SourceError, match="the resolver does not answer"):
        look(nameserver(ZONE, silent={"setbytes.example"}).address, timeout=0.3)
