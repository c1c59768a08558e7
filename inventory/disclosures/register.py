"""The register: an append-only, sealed list of what was disclosed to whom, when and on which legal basis.

PIPEDA 7(3) lets an organisation disclose without consent in some cases, and 4.9.1 has it tell a person to whom it has
disclosed their data; 9(2.1)–(2.4) forbid it to tell in some of them, unless the authority agrees: those are
`suppressed`. An entry holds no personal value: people stand in it as keyed hashes of their identifiers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from inventory.errors import QuestionError
from inventory.identifiers import Identifier, digest
from inventory.installation import InstallationKey
from inventory.ledger import Ledger, Line
from inventory.vocabulary import categories

FILE = "disclosures.jsonl"
MOST_TEXT = 200


class LegalBasis(StrEnum):
    """Why it could be disclosed (PIPEDA 7(3), and consent)."""

    CONSENT = "consent"
    WARRANT = "warrant"  # 7(3)(c): subpoena, warrant, court order
    LAWFUL_AUTHORITY = "lawful_authority"  # 7(3)(c.1)
    FINANCIAL_INTELLIGENCE = "financial_intelligence"  # 7(3)(c.2): the Proceeds of Crime Act
    OWN_INITIATIVE = "own_initiative"  # 7(3)(d): a breach of law, national security
    FRAUD_PREVENTION = "fraud_prevention"  # 7(3)(d.1), (d.2)
    EMERGENCY = "emergency"  # 7(3)(e)
    REQUIRED_BY_LAW = "required_by_law"  # 7(3)(i)
    CONTRACT = "contract"  # a transfer for processing under an agreement


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What is written of one disclosure."""

    recipient: str  # key of the organisation or class of organisations: "law-enforcement"
    asked_by: str  # which authority or office, not which officer: "RCMP, Federal Policing"
    legal_basis: LegalBasis
    reference: str  # number of the warrant, order or agreement
    categories: tuple[str, ...]  # vocabulary keys
    disclosed_on: date
    sources: tuple[str, ...] = ()  # URNs of the systems or datasets that it was taken from
    subjects: int = 0  # how many people
    suppressed: bool = False  # the law forbids telling the people concerned
    suppressed_until: date | None = None
    corrects: int = 0  # number of the entry that this one stands in the place of


@dataclass(frozen=True, slots=True)
class Entry:
    """A disclosure as the register has it."""

    number: int
    recorded_at: str  # ISO 8601, UTC
    recorded_by: str
    disclosure: Disclosure
    people: frozenset[str]  # keyed hashes of their identifiers
    corrected_by: int = 0


class DisclosureRegister:
    """The register in `folder`. Raises LedgerError from every method when it was tampered with."""

    def __init__(self, folder: Path, key: InstallationKey) -> None:
        self._ledger = Ledger(folder / FILE, key.derived("disclosure-register-ledger"))
        self._people_key = key.derived("disclosure-register-people")

    def check(self, disclosures: Iterable[Disclosure]) -> None:
        """Raise QuestionError for the first that says something that cannot be."""
        for entries, disclosure in enumerate(disclosures, start=len(self)):
            _check(disclosure, entries)

    def record(self, disclosure: Disclosure, people: Sequence[Identifier], recorded_by: str) -> Entry:
        """Write an entry. Raises QuestionError when it says something that cannot be, and then nothing is written."""
        self.check([disclosure])
        hashes = sorted({digest(self._people_key, identifier) for identifier in people})
        said = {**_plain(disclosure), "people": hashes, "recorded_by": recorded_by}
        return _entry(self._ledger.append(said))

    def entries(self, as_of: datetime | None = None) -> list[Entry]:
        """All entries, oldest first, each with the number of the one that corrects it; as they were at a time."""
        entries = [_entry(line) for line in self._ledger.lines()]
        if as_of is not None:
            entries = [entry for entry in entries if datetime.fromisoformat(entry.recorded_at) <= as_of]
        corrections = {entry.disclosure.corrects: entry.number for entry in entries if entry.disclosure.corrects}
        return [_corrected(entry, corrections.get(entry.number, 0)) for entry in entries]

    def about(
        self, people: Sequence[Identifier], today: date, *, suppressed: bool = False, as_of: datetime | None = None
    ) -> list[Entry]:
        """The entries that concern a person, as they hold now.

        Those that the person may not be told of are there only with `suppressed`.
        """
        hashes = {digest(self._people_key, identifier) for identifier in people}
        return [
            entry
            for entry in self.entries(as_of)
            if entry.people & hashes and not entry.corrected_by and (suppressed or not is_suppressed(entry, today))
        ]

    def verify(self) -> int:
        """How many entries there are, after checking the seal of each."""
        return sum(1 for _ in self._ledger.lines())

    def __len__(self) -> int:
        return self._ledger.head().lines


def is_suppressed(entry: Entry, today: date) -> bool:
    """Whether the people concerned may not be told, today."""
    until = entry.disclosure.suppressed_until
    return entry.disclosure.suppressed and (until is None or today < until)


def _check(disclosure: Disclosure, entries: int) -> None:
    if not disclosure.categories:
        raise QuestionError("disclosure", "names no category", "say what was disclosed")
    for key in disclosure.categories:
        categories().term(key)
    for name, text in (("asked_by", disclosure.asked_by), ("reference", disclosure.reference)):
        if len(text) > MOST_TEXT or not text.isprintable():
            raise QuestionError(f"disclosure.{name}", f"is longer than {MOST_TEXT} characters or not one line")
    if not disclosure.recipient:
        raise QuestionError("disclosure.recipient", "is missing", "name the organisation by its key")
    if disclosure.suppressed_until is not None and not disclosure.suppressed:
        raise QuestionError("disclosure.suppressed_until", "is given for what is not suppressed")
    if not 0 <= disclosure.corrects <= entries:
        raise QuestionError("disclosure.corrects", f"is no entry of the register, which has {entries}")
    if disclosure.subjects < 0:
        raise QuestionError("disclosure.subjects", "is negative")


def _plain(disclosure: Disclosure) -> dict[str, Any]:
    until = disclosure.suppressed_until
    return {
        **asdict(disclosure),
        "legal_basis": str(disclosure.legal_basis),
        "disclosed_on": disclosure.disclosed_on.isoformat(),
        "suppressed_until": until.isoformat() if until else None,
    }


def _entry(line: Line) -> Entry:
    said: Mapping[str, Any] = line.entry
    until = said["suppressed_until"]
    disclosure = Disclosure(
        recipient=said["recipient"],
        asked_by=said["asked_by"],
        legal_basis=LegalBasis(said["legal_basis"]),
        reference=said["reference"],
        categories=tuple(said["categories"]),
        disclosed_on=date.fromisoformat(said["disclosed_on"]),
        sources=tuple(said["sources"]),
        subjects=said["subjects"],
        suppressed=said["suppressed"],
        suppressed_until=date.fromisoformat(until) if until else None,
        corrects=said["corrects"],
    )
    return Entry(line.number, line.at, said["recorded_by"], disclosure, frozenset(said["people"]))


def _corrected(entry: Entry, by: int) -> Entry:
    return Entry(entry.number, entry.recorded_at, entry.recorded_by, entry.disclosure, entry.people, by)


def holding(entries: Iterable[Entry]) -> Iterator[Entry]:
    """The entries that no other corrects."""
    return (entry for entry in entries if not entry.corrected_by)
