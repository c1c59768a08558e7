"""DNS: which outside organisations a domain's records name, from a zone file or by asking a resolver."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, cast

import dns.exception
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.resolver
import dns.tokenizer
import dns.zonefile
from pydantic import Field, field_validator, model_validator

from inventory.errors import SourceError
from inventory.model import (
    Aspect,
    Covered,
    DatasetKind,
    DatasetSeen,
    Finding,
    Observation,
    Provenance,
    Severity,
    SystemKind,
    SystemSeen,
    dataset_urn,
)
from scanners.base import Progress, ScanContext, SourceSettings, stable_seed
from scanners.budget import Meter
from scanners.disclosure import configured_disclosure
from scanners.recipients.catalogue import dkim_selectors
from scanners.recipients.dns_records import SIGNS_MAIL, Record, included, signs
from scanners.recipients.sightings import disclosures

ZONE_BYTES = 64 * 2**20
MOST_INCLUDED = 10  # look-ups that evaluating an SPF record may take (RFC 7208, 4.6.4)

# Asked for below a domain when there is no zone file to read them from.
_USUAL_NAMES = (
    "www", "app", "api", "mail", "email", "em", "status", "help", "support", "docs", "blog", "shop", "store", "cdn",
    "assets", "static", "images", "media", "go", "get", "info", "links", "click", "track", "news", "pages", "forms",
    "login", "auth", "sso", "accounts", "id", "pay", "billing", "careers", "jobs", "community", "learn", "events",
    "feedback", "autodiscover", "lyncdiscover", "enterpriseenrollment", "bounces", "send", "mg", "mta-sts", "_dmarc",
    "_smtp._tls",
)  # fmt: skip
_USUAL_SELECTORS = ("selector1", "selector2", "s1", "s2", "k1", "k2", "k3", "default", "dkim", "mail", "smtp", "key1")
_TYPES = ("MX", "TXT", "NS", "CAA", "HTTPS")
_OURS = frozenset({"MX", "TXT", "NS", "CAA", "HTTPS", "SVCB", "CNAME", "SRV"})


class DnsSettings(SourceSettings):
    """A domain of ours, by its zone file or by a resolver."""

    type: Literal["dns"]
    domain: str = Field(pattern=r"^([a-z0-9_-]+\.)+[a-z0-9-]+$", description="The domain, in small letters.")
    zone_file: Path | None = Field(default=None, description="Its zone as a master file (RFC 1035, 5).")
    resolver: str = Field(default="", description="Or whom to ask: an IP address, with :port if it is not 53.")
    names: tuple[str, ...] = Field(default=(), description="More names below it to ask for, such as `shop`.")
    selectors: tuple[str, ...] = Field(default=(), description="More DKIM selectors to ask for.")
    timeout: float = Field(default=5.0, gt=0, le=60, description="Seconds to wait for an answer.")

    @field_validator("resolver")
    @classmethod
    def _is_address(cls, value: str) -> str:
        if value:
            _address(value)
        return value

    @model_validator(mode="after")
    def _one_of(self) -> DnsSettings:
        if (self.zone_file is None) == (not self.resolver):
            raise ValueError("give either zone_file or resolver")
        return self


class DnsScanner:
    """Scans a domain's records. Of its names, only itself and those that name somebody else are datasets."""

    settings_type: ClassVar[type[SourceSettings]] = DnsSettings

    def __init__(self, settings: SourceSettings) -> None:
        self.settings = settings
        self._dns = cast(DnsSettings, settings)

    @property
    def system(self) -> str:
        """`dns://example.com`."""
        return self.settings.namespace or f"dns://{self._dns.domain}"

    def scan(self, context: ScanContext) -> Iterator[Observation]:
        """Read all records, then say of each name whom it names."""
        found: list[Finding] = []
        records = list(self._of_file(found) if self._dns.zone_file is not None else self._asked(found))
        settings = self.settings
        yield SystemSeen(
            self.system,
            SystemKind.DNS_ZONE,
            self._dns.domain,
            "dns",
            region=settings.region,
            processor=settings.processor,
        )
        by_owner: dict[str, list[Record]] = {self._dns.domain: []}
        for record in records:
            by_owner.setdefault(record.owner, []).append(record)
        names = sorted(by_owner, key=lambda name: name.split(".")[::-1])
        said: set[str] = set()
        for done, name in enumerate(names):
            context.report(Progress(settings.name, done, len(names), context.detection.redact(name)))
            yield from self._name(name, by_owner[name], context, said)
        context.report(Progress(settings.name, len(names), len(names)))
        yield from found
        if all(finding.severity is Severity.INFO for finding in found):
            yield Covered(self.system, Aspect.LISTING)

    def _name(
        self, name: str, records: Sequence[Record], context: ScanContext, said: set[str]
    ) -> Iterator[Observation]:
        own = (self._dns.domain, *self.settings.own_domains)
        signed = list(signs(records, own))
        if not signed and name != self._dns.domain:
            return
        shown = context.detection.redact(name)
        dataset = dataset_urn(self.system, shown)
        yield DatasetSeen(dataset, self.system, DatasetKind.RECORD_SET, shown, row_estimate=len(records))
        yield from configured_disclosure(self.settings, dataset)
        yield from disclosures(dataset, Provenance.DNS, signed, said)
        yield Covered(dataset, Aspect.STRUCTURE)

    # --- a zone file -----------------------------------------------------------------------------------------

    def _of_file(self, found: list[Finding]) -> Iterator[Record]:
        text = self._text()
        kept: list[str] = []
        for line in text.splitlines():
            directive = line.split(maxsplit=1)[0].upper() if line.startswith("$") else ""
            if directive == "$INCLUDE":
                message = f"{self.settings.name}: the zone includes another file, which is not read (scan it as well)"
                found.append(Finding(self.system, "included-file", Severity.WARNING, message))
            kept.append(";" if directive in ("$INCLUDE", "$GENERATE") else _ALIAS.sub(r"\1SVCB 0\2", line))
        origin = dns.name.from_text(self._dns.domain)
        manager = dns.zonefile.RRSetsReaderManager(origin, False, dns.rdataclass.IN)
        failed = 0
        try:
            with manager.writer(True) as transaction:
                tokens = dns.tokenizer.Tokenizer("\n".join(kept) + "\n", "zone")
                dns.zonefile.Reader(tokens, dns.rdataclass.IN, transaction, allow_include=False).read()
        except (dns.exception.DNSException, ValueError, KeyError) as error:
            line = re.match(r"zone:(\d+)", str(error))  # what follows quotes the zone
            failed = int(line[1]) if line else -1
        if failed:
            place = f" at line {failed} or just before" if failed > 0 else ""
            cause = f"the zone file is not well formed{place}"
            raise SourceError(self.settings.name, cause, "check it (named-checkzone)", "damaged")
        for rrset in cast("Sequence[Any]", manager.rrsets):
            owner = _plain(rrset.name)
            for rdata in rrset:
                yield from _record(owner, rdata)

    def _text(self) -> str:
        path = cast(Path, self._dns.zone_file).expanduser()
        try:
            with path.open("rb") as file:
                data = file.read(ZONE_BYTES + 1)
        except OSError as error:
            cause = f"the zone file cannot be read ({error.strerror})"
            failure = SourceError(self.settings.name, cause, "check zone_file", "unreachable")
        else:
            if len(data) <= ZONE_BYTES:
                return data.decode("utf-8", errors="replace")
            cause = f"the zone file is larger than {ZONE_BYTES >> 20} MiB"
            failure = SourceError(self.settings.name, cause, "is it a zone file?", "too-large")
        raise failure

    # --- a resolver ------------------------------------------------------------------------------------------

    def _asked(self, found: list[Finding]) -> Iterator[Record]:
        live = _Resolver(self._dns)
        domain = self._dns.domain
        try:
            top = list(live.records(domain, _TYPES))
        except dns.resolver.NXDOMAIN:
            top = None
        except dns.exception.DNSException:
            raise SourceError(
                self.settings.name, "the resolver does not answer", "check resolver", "unreachable"
            ) from None
        if top is None:
            raise SourceError(self.settings.name, f"there is no domain {domain}", "check domain", "missing")
        yield from top
        silent = 0
        wildcard = self._wildcard(live)
        yield from wildcard
        everywhere = {(record.type, record.data) for record in wildcard}
        waiting = [f"{name}.{domain}" for name in dict.fromkeys((*_USUAL_NAMES, *self._dns.names))]
        selectors = dict.fromkeys((*_USUAL_SELECTORS, *dkim_selectors(), *self._dns.selectors))
        waiting += [f"{selector}.{SIGNS_MAIL}.{domain}" for selector in selectors]
        waiting += self._below(record for record in top)
        asked: set[str] = {domain}
        left = MOST_INCLUDED
        while waiting:
            name = waiting.pop(0)
            if name in asked:
                continue
            asked.add(name)
            try:
                answers = [r for r in live.records(name, ("MX", "TXT")) if (r.type, r.data) not in everywhere]
            except dns.resolver.NXDOMAIN:
                continue
            except dns.exception.DNSException:
                silent += 1
                continue
            yield from answers
            more = [each for each in self._below(answers) if each not in asked][:left]
            left -= len(more)
            waiting += more
        if silent:
            message = f"{self.settings.name}: {silent} names got no answer from the resolver (scan again)"
            found.append(Finding(self.system, "unanswered", Severity.WARNING, message))

    def _below(self, records: Iterable[Record]) -> list[str]:
        """Names of ours whose SPF records ours include."""
        end = f".{self._dns.domain}"
        return [name for record in records for name in included(record) if name.endswith(end)]

    def _wildcard(self, live: _Resolver) -> list[Record]:
        """What every name that does not exist is answered with, as records of `*`."""
        domain = self._dns.domain
        nobody = f"nobody-{stable_seed(domain):x}.{domain}"
        try:
            return [Record(f"*.{domain}", each.type, each.data) for each in live.records(nobody, ("MX", "TXT"))]
        except dns.exception.DNSException:
            return []


class _Resolver:
    """Asks one resolver, within the source's budget."""

    def __init__(self, settings: DnsSettings) -> None:
        self._meter = Meter(settings.budget)
        self._resolver = dns.resolver.Resolver(configure=False)
        address, port = _address(settings.resolver)
        self._resolver.nameservers = [address]
        self._resolver.port = port
        self._resolver.lifetime = settings.timeout

    def records(self, name: str, types: Sequence[str]) -> Iterator[Record]:
        """Where the name leads, or its records of these types. Raises DNSException."""
        for rdata in self._ask(name, "CNAME"):
            yield from _record(name, rdata)
            return
        for type_ in types:
            for rdata in self._ask(name, type_):
                yield from _record(name, rdata)

    def _ask(self, name: str, type_: str) -> Iterable[Any]:
        self._meter.wait()
        self._meter.count_query()
        answer: Any = self._resolver.resolve(f"{name}.", type_, raise_on_no_answer=False, search=False)
        return answer.rrset or ()


# --- records --------------------------------------------------------------------------------------------------

# Providers' own types for a CNAME beside other records; SVCB is the standard's (RFC 9460, 2.4.2).
_ALIAS = re.compile(r"^([^;\"]*?\s)(?:ALIAS|ANAME|alias|aname)(\s)")


def _record(owner: str, rdata: Any) -> Iterator[Record]:
    type_ = dns.rdatatype.to_text(rdata.rdtype)
    if type_ not in _OURS:
        return
    match type_:
        case "TXT":
            data = b"".join(rdata.strings).decode("utf-8", errors="replace")
        case "CAA":
            if rdata.tag not in (b"issue", b"issuewild"):
                return
            data = rdata.value.decode("utf-8", errors="replace").split(";")[0].strip().lower()
        case "MX":
            data = _plain(rdata.exchange)
        case _:
            data = _plain(rdata.target)
    if data:
        yield Record(owner, type_, data)


def _plain(name: Any) -> str:
    return str(name.to_text(omit_final_dot=True)).lower()


def _address(text: str) -> tuple[str, int]:
    """An IP address with or without a port: `192.0.2.1`, `192.0.2.1:5353`, `[2001:db8::1]:5353`."""
    host, port = text, "53"
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":") or "53"
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    try:
        return str(ipaddress.ip_address(host)), int(port)
    except ValueError:
        raise ValueError("is an IP address such as 192.0.2.1 or 192.0.2.1:5353") from None


SCANNER = DnsScanner
