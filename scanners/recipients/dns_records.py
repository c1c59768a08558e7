"""What a name's DNS records say of outside organisations, in words. Tokens and selectors' keys are not kept."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from scanners.recipients.catalogue import of_dkim_selector, of_host, of_verification
from scanners.recipients.sightings import Sign

SIGNS_MAIL = "_domainkey"
_DKIM_KEY = re.compile(r"(?:^|;)\s*(?:v=DKIM1|k=rsa|k=ed25519|p=)", re.IGNORECASE)
_REPORTS = re.compile(r"(?:^|;)\s*ru[af]\s*=\s*([^;]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Record:
    """A record: its owner's full name without the last dot, its type, and its data.

    `data` is a name (MX, NS, CNAME, SRV, HTTPS, SVCB), the issuer's domain (CAA) or the text (TXT).
    """

    owner: str
    type: str
    data: str


def signs(records: Sequence[Record], own_domains: Sequence[str]) -> Iterator[Sign]:
    """What the records of one name say of outside organisations."""
    for record in records:
        match record.type:
            case "TXT":
                yield from _in_text(record, own_domains)
            case "CNAME" if SIGNS_MAIL in record.owner.split("."):
                yield from _at_host(record.data, own_domains, "a key that signs its mail is kept by {}", 0.9)
            case _ if record.type in _AT_HOST:
                phrase, confidence = _AT_HOST[record.type]
                yield from _at_host(record.data, own_domains, phrase, confidence)
            case _:
                continue


def included(record: Record) -> Iterator[str]:
    """The names whose SPF records an SPF record includes, or hands over to (RFC 7208, 5.2 and 6.1)."""
    if record.type == "TXT" and _is_spf(record.data):
        for mechanism, host in _spf_hosts(record.data):
            if mechanism in ("include", "redirect"):
                yield host


_AT_HOST = {
    "MX": ("MX names mail servers of {}", 0.95),
    "NS": ("NS names name servers of {}", 0.9),
    "CNAME": ("it is another name for a host of {}", 0.9),
    "SRV": ("a service is at a host of {}", 0.9),
    "HTTPS": ("it is served by a host of {}", 0.9),
    "SVCB": ("it is served by a host of {}", 0.9),
    "CAA": ("CAA lets its certificates be issued by {}", 0.6),
}


def _at_host(host: str, own_domains: Sequence[str], phrase: str, confidence: float) -> Iterator[Sign]:
    recipient = of_host(host, own_domains)
    if recipient is not None:
        yield Sign(recipient, phrase.format(recipient.named_by(host)), confidence)


def _in_text(record: Record, own_domains: Sequence[str]) -> Iterator[Sign]:
    text = record.data
    labels = record.owner.split(".")
    if _is_spf(text):
        for mechanism, host in _spf_hosts(text):
            yield from _at_host(host, own_domains, f"SPF lets its mail be sent by {{}}, by {mechanism}", 0.85)
    elif labels[0] == "_dmarc" or labels[:2] == ["_smtp", "_tls"]:
        yield from _reports(text, own_domains)
    elif SIGNS_MAIL in labels:
        recipient = of_dkim_selector(labels[0]) if _DKIM_KEY.search(text) else None
        if recipient is not None:
            yield Sign(recipient, f"a key that signs its mail is called as {recipient.name} calls its keys", 0.7)
    else:
        recipient = of_verification(text)
        if recipient is not None:
            yield Sign(recipient, f"a TXT record proves to {recipient.name} whose domain it is", 0.5)


def _reports(text: str, own_domains: Sequence[str]) -> Iterator[Sign]:
    """Who reads the reports on the domain's mail (RFC 7489, 6.3; RFC 8460, 3)."""
    for addresses in _REPORTS.findall(text):
        for address in addresses.split(","):
            uri = re.sub(r"!\d+[kmgt]?$", "", address.strip(), flags=re.IGNORECASE)
            host = uri.partition("?")[0].rpartition("@")[2] if uri.lower().startswith("mailto:") else _host_of(uri)
            recipient = of_host(host, own_domains)
            if recipient is not None:
                yield Sign(recipient, f"reports on its mail go to {recipient.named_by(host)}", 0.9)


def _host_of(uri: str) -> str:
    try:
        return urlsplit(uri).hostname or ""
    except ValueError:
        return ""


def _is_spf(text: str) -> bool:
    return text.lower().split(" ", 1)[0] == "v=spf1"


def _spf_hosts(text: str) -> Iterator[tuple[str, str]]:
    """Mechanisms that name a host; of one with macros, what stands after the last (RFC 7208, 7)."""
    for term in text.split()[1:]:
        mechanism, separator, host = re.sub(r"^[+?~-]", "", term).replace("=", ":", 1).partition(":")
        mechanism = mechanism.lower()
        if separator and mechanism in ("include", "redirect", "a", "mx", "exists", "ptr"):
            host = host.rpartition("}")[2].split("/")[0].strip(".").lower()
            if host:
                yield mechanism, host
