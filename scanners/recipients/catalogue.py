"""Looks up which organisation a host, an address, a package or an environment variable belongs to; all offline.

What is said of an organisation (`described`) is the same whichever source came upon it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from tldextract import TLDExtract

from inventory.model import ProcessorSeen
from scanners.integrations.connector import Connector
from scanners.recipients.organisation import Ecosystem, Organisation, connectors_of, organisations

UNKNOWN = "unknown:"

# The snapshot of the public suffix list that comes with the library: no look-up leaves this machine.
_suffixes = TLDExtract(suffix_list_urls=(), cache_dir=None, fallback_to_snapshot=True)

# RFC 2606, 6761, 6762, 8375 and what private networks are named: nobody outside is reached there.
_RESERVED = frozenset({"example", "test", "invalid", "localhost", "local", "internal", "onion", "arpa", "lan", "alt"})
_RESERVED_DOMAINS = frozenset({"example.com", "example.net", "example.org"})

# What frontend builds put before the names of variables that they show to the browser.
_SHOWN = ("NEXT_PUBLIC_", "REACT_APP_", "NUXT_PUBLIC_", "EXPO_PUBLIC_", "GATSBY_", "VITE_", "VUE_APP_", "PUBLIC_")


@dataclass(frozen=True, slots=True)
class Recipient:
    """An outside organisation, by its key; `unknown:<registrable domain>` of one that the catalogue does not have."""

    processor: str
    known: bool

    @property
    def described(self) -> ProcessorSeen:
        """What to say of it; the same whichever source came upon it."""
        return _described(self.processor)

    @property
    def name(self) -> str:
        """How people call it, for evidence in words."""
        return self.described.name

    def named_by(self, host: str) -> str:
        """Its name with the domain that gave it away: `Google (google.com)`; of one not known, the domain alone."""
        domain = registrable(host)
        return self.name if self.name == domain else f"{self.name} ({domain})"


def known(key: str) -> ProcessorSeen | None:
    """The organisation of that key as the catalogue and the connectors describe it; None if they do not."""
    return _described(key) if key in organisations() or key in connectors_of() else None


def of_host(host: str, own_domains: Iterable[str] = ()) -> Recipient | None:
    """Who is reached at a host (a name or an IP address, without port).

    None for what is nobody outside: our own domains and all below them, private and reserved names and addresses,
    names without a public suffix (a container's, a bare word).
    """
    name = host.strip().strip("[]").rstrip(".").lower().removeprefix("*.")
    if any(name == own or name.endswith(f".{own}") for own in own_domains):
        return None
    return _of_name(name)


def of_email(address: str, own_domains: Iterable[str] = ()) -> Recipient | None:
    """Who runs the domain of an e-mail address."""
    return of_host(address.rpartition("@")[2], own_domains)


def registrable(host: str) -> str:
    """The part of a host's name that is registered (`google.com` of `aspmx.l.google.com`); an address as it is."""
    name = host.strip().strip("[]").rstrip(".").lower()
    return _suffixes.extract_str(name).top_domain_under_public_suffix or name


def of_package(ecosystem: Ecosystem, name: str) -> Recipient | None:
    """Whose library it is, if it is a known organisation's: to depend on it is to talk to the organisation."""
    exact, begins = _packages().get(ecosystem, ({}, {}))
    name = name.lower()
    if ecosystem == "terraform" and "/" not in name:  # a provider's local name is by custom its type
        return _recipient(_provider_types().get(name))
    if ecosystem == "pypi":
        name = name.replace("_", "-").replace(".", "-")
    return _recipient(exact.get(name) or _longest(begins, name))


def of_env(name: str) -> Recipient | None:
    """Whose setting an environment variable is, by its name."""
    for prefix in _SHOWN:
        if name.startswith(prefix):
            name = name.removeprefix(prefix)
            break
    exact, begins = _variables()
    return _recipient(exact.get(name) or _longest(begins, name))


def of_verification(text: str) -> Recipient | None:
    """Whom a TXT record proves the domain's ownership to, by how it begins; the rest is a token and is not kept."""
    return _recipient(_longest(_verifications(), text.lower()))


def of_dkim_selector(selector: str) -> Recipient | None:
    """Who signs mail with the key of that name."""
    return _recipient(_selectors().get(selector.lower()))


def dkim_selectors() -> Iterable[str]:
    """The names of keys that organisations of the catalogue use."""
    return _selectors().keys()


# --- how it is looked up ----------------------------------------------------------------------------------


@lru_cache(maxsize=65536)
def _of_name(name: str) -> Recipient | None:
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return _of_domain_name(name)
    return Recipient(f"{UNKNOWN}{address}", False) if address.is_global else None


def _of_domain_name(name: str) -> Recipient | None:
    labels = name.split(".")
    if labels[-1] in _RESERVED or not all(labels):
        return None
    pattern = _host_patterns().fullmatch(name)
    if pattern is not None and pattern.lastgroup is not None:
        return Recipient(pattern.lastgroup.replace("_", "-"), True)
    hosts = _hosts()
    for start in range(len(labels) - 1):
        key = hosts.get(".".join(labels[start:]))
        if key is not None:
            return Recipient(key, True)
    registrable = _suffixes.extract_str(name).top_domain_under_public_suffix
    if not registrable or registrable in _RESERVED_DOMAINS:
        return None
    return Recipient(f"{UNKNOWN}{registrable}", False)


def _recipient(key: str | None) -> Recipient | None:
    return None if key is None else Recipient(key, True)


def _longest(begins: Mapping[str, str], name: str) -> str | None:
    for end in range(len(name), 0, -1):
        found = begins.get(name[:end])
        if found is not None:
            return found
    return None


@cache
def _hosts() -> Mapping[str, str]:
    return {host: each.key for each in organisations().values() for host in each.hosts}


@cache
def _host_patterns() -> re.Pattern[str]:
    """One expression for the few hosts with a `*`, which are more particular than any other; a group a key."""
    found: list[str] = []
    for each in organisations().values():
        hosts = [re.escape(host).replace(r"\*", "[^.]*") for host in each.hosts if "*" in host]
        if hosts:
            found.append(f"(?P<{each.key.replace('-', '_')}>{'|'.join(hosts)})")
    return re.compile(rf"(?:.*\.)?(?:{'|'.join(found) or '(?!)'})")


@cache
def _selectors() -> Mapping[str, str]:
    return {name: each.key for each in organisations().values() for name in each.dkim_selectors}


@cache
def _verifications() -> Mapping[str, str]:
    return {prefix: each.key for each in organisations().values() for prefix in each.verification}


@cache
def _variables() -> tuple[Mapping[str, str], Mapping[str, str]]:
    return _by_ending((name, each.key) for each in organisations().values() for name in each.variables)


@cache
def _packages() -> Mapping[Ecosystem, tuple[Mapping[str, str], Mapping[str, str]]]:
    names: dict[Ecosystem, list[tuple[str, str]]] = {}
    for each in organisations().values():
        for ecosystem, packages in each.packages.items():
            names.setdefault(ecosystem, []).extend((name, each.key) for name in packages)
    return {ecosystem: _by_ending(pairs) for ecosystem, pairs in names.items()}


@cache
def _provider_types() -> Mapping[str, str]:
    exact, _ = _packages().get("terraform", ({}, {}))
    return {name.rpartition("/")[2]: key for name, key in exact.items()}


def _by_ending(names: Iterable[tuple[str, str]]) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Those that stand for themselves, and those that stand for all that begins so."""
    exact: dict[str, str] = {}
    begins: dict[str, str] = {}
    for name, key in names:
        (begins if name.endswith("*") else exact)[name.removesuffix("*")] = key
    return exact, begins


# --- what is said of them ---------------------------------------------------------------------------------


@cache
def _described(key: str) -> ProcessorSeen:
    if key.startswith(UNKNOWN):
        name = key.removeprefix(UNKNOWN)
        return ProcessorSeen(key, name, role="recipient", description="not in the catalogue of known organisations")
    entry = organisations().get(key) or Organisation(key=key)
    of = connectors_of().get(key, ())
    first = of[0] if of else None
    services = dict.fromkeys([*entry.service_classes, *(each.service_class for each in of)])
    return ProcessorSeen(
        key,
        name=entry.name or (first.name if first else key),
        role=entry.role or (first.role if first else "processor"),
        service_classes=tuple(services),
        legal_entity=entry.legal_entity or (first.legal_entity if first else ""),
        head_office=entry.head_office or (first.head_office if first else ""),
        regions=tuple(sorted({region for each in of for region in each.regions})),
        contacts=_contacts(of),
        description=entry.description,
    )


def _contacts(of: Iterable[Connector]) -> tuple[str, ...]:
    """Where to ask for what, as the connectors say it; "agreement" is the one on processing of data."""
    said: dict[str, None] = {}
    for each in of:
        said |= {f"{what}: {where}": None for what, where in sorted(each.contacts.items())}
        if each.dpa is not None:
            said[f"agreement: {each.dpa}"] = None
        if each.sub_processors is not None:
            said[f"sub-processors: {each.sub_processors}"] = None
    return tuple(said)
