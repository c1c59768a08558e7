"""What is counted of one field while its values pass by. No value stays here but hashes, for the distinct share."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from inventory.model import Profile
from scanners.detection.catalogue import Detector
from scanners.detection.engine import Hits
from scanners.detection.validators import parse_date
from scanners.detection.values import Chunk, decoded_once
from scanners.detection.weighing import Look, Seen

LOOKED = 300
"""So many present values of a field are looked at one by one."""

PROFILED = 5_000
"""Lengths and distinct values are counted over so many values."""

_OFTEN = 400

TEXT_LENGTH = 24
"""From this length on, a value is also searched for values inside it."""


@dataclass
class FieldCount:
    """Counts over one field's values."""

    pointer: str
    kinds: Counter[str] = field(default_factory=Counter[str])
    nulls: int = 0
    present: int = 0
    profiled: int = 0
    looked: int = 0
    searched: int = 0  # values searched for values inside
    shortest: int | None = None
    longest: int | None = None
    length: int = 0
    distinct: set[int] = field(default_factory=set[int])
    counts: int = 0  # of the looked-at values, numbers of up to four digits, or as many as a moment has
    years: Counter[int] = field(default_factory=Counter[int])
    seen: dict[str, Seen] = field(default_factory=dict[str, Seen])
    _answers: dict[int, Sequence[tuple[str, bool, bool]]] = field(
        default_factory=dict[int, "Sequence[tuple[str, bool, bool]]"], repr=False
    )

    @property
    def kind(self) -> str:
        """The kind of most values; "" when there were none."""
        return self.kinds.most_common(1)[0][0] if self.kinds else ""

    def count(self, chunk: Chunk, tried: Sequence[Detector]) -> int:
        """Take in some values, look at them with the detectors that are worth trying, and say how many it looked at.

        Of the chunk's values that many are done with; those after them were measured but not looked at.
        """
        done = 0
        lengths = iter(chunk.lengths) if chunk.lengths is not None else None
        for index, text in enumerate(chunk.texts, start=1):
            if text is None:
                self.nulls += 1
                continue
            size = next(lengths) if lengths is not None else len(text)
            stripped = text.strip()
            if not stripped:
                self.nulls += 1
                continue
            self.present += 1
            self.kinds[chunk.kind] += 1
            if self.profiled < PROFILED:
                self._measure(text, size)
            if self.looked < LOOKED:
                self.looked += 1
                self._look(whole_number(stripped), chunk.kind, tried)
                done = index
        return done

    def _measure(self, text: str, size: int) -> None:
        self.profiled += 1
        self.length += size
        self.shortest = size if self.shortest is None else min(self.shortest, size)
        self.longest = size if self.longest is None else max(self.longest, size)
        self.distinct.add(hash(text))

    def _look(self, text: str, kind: str, tried: Sequence[Detector]) -> None:
        if len(text) <= 32 and text[0].isdigit():
            day = parse_date(text)
            if day is not None:
                self.years[day.year] += 1
        self.counts += _COUNT.fullmatch(text) is not None
        # The same value has the same answers; it is known by its hash, so that no value stays.
        key = hash((text, kind))
        answers = self._answers.get(key)
        if answers is None:
            answers = self._answers[key] = _answers(text, tried)
        for name, valid, narrow in answers:
            seen = self.seen.setdefault(name, Seen())
            seen.shaped += 1
            seen.valid += valid
            seen.narrow += narrow
        whole = {name for name, valid, _ in answers if valid}
        self.searched += 1
        if len(text) >= TEXT_LENGTH:
            self._search(text, [detector for detector in tried if detector.within and detector.detector not in whole])
        if len(text) >= 10 and not whole:
            plain = decoded_once(text)
            if plain:
                self._search(plain, [detector for detector in tried if detector.within])

    def _search(self, text: str, tried: Sequence[Detector]) -> None:
        for detector in tried:
            hits = [hit.group() for hit in detector.inside.finditer(text)]
            if hits:
                seen = self.seen.setdefault(detector.detector, Seen())
                seen.text_shaped += 1
                seen.texts += any(detector.text_check(hit) for hit in hits)

    def add_search(self, rows: int, hits: dict[str, Hits]) -> None:
        """Take in what an engine found inside `rows` more values."""
        for name in self.found_often():
            self.seen[name].uncovered += rows
        self.searched += rows
        for name, found in hits.items():
            seen = self.seen.setdefault(name, Seen())
            seen.text_shaped += found.shaped
            seen.texts += len(found.valid)
            seen.uncovered += found.uncovered

    def found_often(self) -> frozenset[str]:
        """Detectors that were found inside so many values that looking on would tell no more."""
        return frozenset(name for name, seen in self.seen.items() if seen.text_shaped >= _OFTEN)

    def look(self, declared_kind: str) -> Look:
        """What holds whatever the detector."""
        return Look(
            kind=self.kind or declared_kind,
            looked=self.looked,
            distinct=len(self.distinct),
            profiled=self.profiled,
            years=_percentiles(self.years),
            counts=self.counts,
        )

    def profile(self) -> Profile:
        """Counts and shapes for the graph."""
        total = self.nulls + self.present
        return Profile(
            sampled=total,
            null_share=round(self.nulls / total, 4) if total else 0.0,
            distinct_share=round(len(self.distinct) / self.profiled, 4) if self.profiled else 0.0,
            min_length=self.shortest,
            max_length=self.longest,
            mean_length=round(self.length / self.profiled, 2) if self.profiled else None,
        )


def _answers(text: str, tried: Sequence[Detector]) -> Sequence[tuple[str, bool, bool]]:
    """The detectors whose form a value has: whether its check passes, and whether it has the distinctive form."""
    found: list[tuple[str, bool, bool]] = []
    for detector in tried:
        if detector.whole.fullmatch(text) is not None:
            valid = detector.check(text)
            narrow = valid and detector.narrow is not None and detector.narrow.fullmatch(text) is not None
            found.append((detector.detector, valid, narrow))
    return found


_COUNT = re.compile(r"[0-9]{1,4}|1[0-9]{9}(?:[0-9]{3})?")
_NUMBER = re.compile(r"[0-9]{1,19}\.0+|[0-9](?:\.[0-9]{1,17})?[eE]\+?[0-9]{1,2}")


def whole_number(text: str) -> str:
    """A whole number that a spreadsheet wrote as `4.111E15` or `4111.0`, as its digits; any other text as it is."""
    if text[0].isdigit() and len(text) <= 24 and _NUMBER.fullmatch(text):
        number = Decimal(text)
        if number == number.to_integral_value():
            return str(int(number))
    return text


def _percentiles(years: Counter[int]) -> tuple[int, int, int] | None:
    """The 10th, 50th and 90th percentile of the years of a field's dates."""
    ordered = sorted(years.elements())
    if len(ordered) < 5:
        return None
    return ordered[len(ordered) // 10], ordered[len(ordered) // 2], ordered[len(ordered) * 9 // 10]
