"""What a table's rows are as records: access log, audit trail, API usage or telemetry, told by the columns together.

A cell says little here (`action`, `status`); that an actor, an action, an object and a time stand in one row does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from inventory.model import Evidence
from scanners.detection.interface import Verdict
from scanners.detection.naming import about_people, tokens


@dataclass(frozen=True, slots=True)
class _Kind:
    category: str
    parts: tuple[tuple[str, frozenset[str]], ...]  # what a record has, and the words that its column may have
    needed: int  # so many of the parts; the first is always needed
    table: frozenset[str]  # words of the table's name that count as one part


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WHO = (
    "who",
    _words("user actor operator admin account member customer principal utilisateur auteur author by usager owner"),
)
_WHEN = ("when", _words("timestamp time created occurred at date ts logged horodatage requested received started"))
_FROM = ("from where", _words("ip host addr address agent browser navigateur"))
_KINDS = (
    _Kind(
        "user.telemetry.access_log",
        (_FROM, ("what was asked for", _words("path uri url request resource page route")), _WHEN,
         ("answer", _words("status bytes response referer referrer method verb duration latency"))),
        4, _words("access log logs acces visit visits request requests hit hits"),
    ),
    _Kind(
        "user.telemetry.audit_log",
        (("action", _words("action event activity operation verb changement evenement")), _WHO, _WHEN,
         ("object", _words("target object entity resource record table before after old new diff changes parameters "
                           "cible"))),
        4, _words("audit trail journal history historique activity changelog"),
    ),
    _Kind(
        "user.telemetry.api_usage",
        (("call", _words("endpoint route api operation")), ("who", _WHO[1] | _words("token key client app consumer")),
         _WHEN, ("amount", _words("count calls requests latency duration bytes tokens quota status ms"))),
        4, _words("api usage appels calls quota metering"),
    ),
    _Kind(
        "user.telemetry",
        (("event", _words("event metric evenement signal")),
         ("who", _WHO[1] | _words("device session anonymous visitor")), _WHEN,
         ("measure", _words("value properties payload app version os platform screen duration build"))),
        4, _words("telemetry telemetrie analytics tracking events usage"),
    ),
)  # fmt: skip


def record_kinds(table: str, columns: Iterable[str]) -> tuple[Verdict, ...]:
    """Which records of people's doings the rows are; empty when they are none. The likeliest comes first."""
    named = [frozenset(tokens(column)) for column in columns]
    about = frozenset(tokens(table))
    found: list[Verdict] = []
    for kind in _KINDS:
        have = [part for part, words in kind.parts if any(words & column for column in named)]
        titled = bool(kind.table & about)
        if not titled and about_people(table) >= 1:
            continue  # a list of people, with where they signed up from
        if kind.parts[0][0] not in have or len(have) + titled < kind.needed:
            continue
        evidence = [Evidence("record:columns", f"columns for {', '.join(have)}", 0.6 * len(have))]
        if titled:
            evidence.append(Evidence("record:table", "the table's name says it", 1.2))
        confidence = min(0.95, 0.35 + 0.12 * len(have) + 0.2 * titled)
        found.append(Verdict(kind.category, round(confidence, 3), tuple(evidence)))
    return tuple(sorted(found, key=lambda verdict: -verdict.confidence))
