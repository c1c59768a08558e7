"""Where a vendor sends data on to: what its own records name (webhooks, log sinks, mail servers), looked up.

A host may hold a customer's name, and a path, a query or an address before `@` may hold secrets: nothing of them is
kept but the organisation they lead to.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

from scanners.integrations.connector import Onward
from scanners.integrations.places import every
from scanners.recipients.catalogue import UNKNOWN, Recipient, known, of_email, of_host
from scanners.recipients.organisation import organisations
from scanners.records import JsonObject

#: Addresses whose scheme says who is reached.
_SCHEMES = {"s3": "aws", "gs": "google", "r2": "cloudflare", "azure": "azure", "wasbs": "azure", "abfss": "azure"}
#: What vendors call another's service.
_ALIASES = {
    **dict.fromkeys(("s3", "ses", "sns", "sqs", "kinesis", "firehose", "eventbridge", "redshift", "amazon"), "aws"),
    **dict.fromkeys(("gcs", "gcp", "pubsub", "bigquery"), "google"),
    **dict.fromkeys(("eventgrid", "vsts", "azuredevops"), "azure"),
    **dict.fromkeys(("msteams", "microsoftteams", "ms365", "office365"), "microsoft-365"),
    **dict.fromkeys(("jira", "confluence", "bitbucket"), "atlassian"),
    "mandrill": "mailchimp",
}
#: Words for a way or for a program that anybody may run, and for no organisation.
_WAYS = frozenset(
    {"http", "https", "webhook", "webhooks", "smtp", "email", "mail", "custom", "generic", "api", "syslog", "rsyslog"}
    | {"file", "internal", "none", "default", "other", "rest", "url", "opentelemetry", "otlp", "kafka", "postgres"}
    | {"postgresql", "mysql", "elasticsearch", "opensearch", "prometheusalertmanager", "mqtt", "amqp", "destination"}
)


@dataclass(frozen=True, slots=True)
class Lead:
    """An organisation, and the places in a resource's records that lead to it."""

    recipient: Recipient
    places: tuple[Onward, ...]

    def evidence(self, resource: str) -> str:
        """What goes there and where that is said, in words: nothing of the address."""
        return "; ".join(f"{place.note} ({place.at} of {resource})" for place in self.places)


def leads(places: Sequence[Onward], rows: Sequence[JsonObject], own_domains: Collection[str] = ()) -> list[Lead]:
    """Each organisation that the rows name at these places, once; not `own_domains` and private networks."""
    found: dict[Recipient, dict[str, Onward]] = {}
    for place in places:
        for row in rows:
            for recipient in _recipients(row, place, own_domains):
                found.setdefault(recipient, {})[place.at] = place
    return [Lead(recipient, tuple(said.values())) for recipient, said in found.items()]


def _recipients(row: JsonObject, place: Onward, own_domains: Collection[str]) -> Iterator[Recipient]:
    for value in every(row, place.at):
        for text in value if isinstance(value, list) else (value,):  # pyright: ignore[reportUnknownVariableType]
            if not isinstance(text, str) or not text.strip():
                continue
            recipient = _recipient(text.strip(), place, own_domains)
            if recipient is not None:
                yield recipient


def _recipient(text: str, place: Onward, own_domains: Collection[str]) -> Recipient | None:
    match place.kind:
        case "email":
            return of_email(text, own_domains) if "@" in text else None
        case "host":
            return of_host(_host(text), own_domains)
        case "url":
            if text.startswith("arn:aws"):
                return Recipient("aws", True)
            scheme, separator, _ = text.partition("://")
            if separator and scheme.lower() in _SCHEMES:
                return Recipient(_SCHEMES[scheme.lower()], True)
            return of_host(_host(text), own_domains)
        case "vendor":
            return _of_name(text)


def _host(text: str) -> str:
    """Of an address with or without its scheme; "" of what is none."""
    try:
        return urlsplit(text if "://" in text else f"//{text}").hostname or ""
    except ValueError:
        return ""


def _of_name(text: str) -> Recipient | None:
    """Whose service has that name; `unknown:<name>` when nobody's that is known."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    whole = "".join(words)
    if not whole or whole in _WAYS:
        return None
    for name in (whole, *words[:1]):
        key = _ALIASES.get(name) or _names().get(name)
        if key is not None:
            return Recipient(key, True)
    slug = "-".join(words)
    return Recipient(f"{UNKNOWN}{slug}", False) if re.fullmatch(r"[a-z][a-z-]{1,30}", slug) else None


@cache
def _names() -> dict[str, str]:
    """Organisations by their keys and names without signs, and by the first word of a key that no other begins with."""
    first: dict[str, list[str]] = {}
    for key in organisations():
        first.setdefault(key.partition("-")[0], []).append(key)
    found = {word: keys[0] for word, keys in first.items() if len(keys) == 1}
    for key in organisations():
        found[_plain(_known_name(key))] = key
    return found | {_plain(key): key for key in organisations()}


def _known_name(key: str) -> str:
    """How people call the organisation of that key."""
    described = known(key)
    return described.name if described is not None else key


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())
