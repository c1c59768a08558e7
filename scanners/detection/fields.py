"""What is counted of one field while its values pass by. No value stays here but hashes, for the distinct share."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from inventory.model import Profile
from scanners.detection.catalogue import Detector
from scanners.detection.engine import Engine, Hits
from scanners.detection.memo import Memo
from scanners.detection.outlines import Outlines, Question
from scanners.detection.validators import memo as memo_of
from scanners.detection.values import Chunk, decoded_once, may_be_encoded
from scanners.detection.weighing import Look, Seen

LOOKED = 300
"""So many present values of a field are looked at with every detector."""

PROFILED = 5_000
"""Lengths and distinct values are counted over so many values."""

_OFTEN = 400

TEXT_LENGTH = 24
"""From this length on, a value is also searched for values inside it."""


@dataclass(frozen=True, slots=True)
class Tried:
    """The detectors that are worth trying on a field: those of its kind, and those that its name speaks for."""

    detectors: Sequence[Detector]  # all of them
    plain: Outlines  # those that need no name
    named: Sequence[Detector]  # those that its name speaks for, of those that need one
    within: Sequence[Detector]  # those that are also searched for inside texts
    engine: Engine


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

    @property
    def kind(self) -> str:
        """The kind of most values; "" when there were none."""
        return self.kinds.most_common(1)[0][0] if self.kinds else ""

    def count(self, chunk: Chunk, tried: Tried) -> int:
        """Take in some values, look at the first ones with the detectors worth trying, and say how many those were.

        Of the chunk's values that many are done with; those after them were measured but not looked at.
        """
        present = [text for text in chunk.texts if text and not text.isspace()]
        self.nulls += len(chunk.texts) - len(present)
        self.present += len(present)
        if not present:
            return 0
        self.kinds[chunk.kind] += len(present)
        self._measure(present, chunk)
        room = LOOKED - self.looked
        if room <= 0:
            return 0
        first = present[:room]
        self.looked += len(first)
        self._look([whole_number(t) if t[0] <= "9" and not t.isdecimal() else t for t in map(str.strip, first)], tried)
        return len(chunk.texts) if len(first) == len(present) else _past(chunk.texts, len(first))

    def _measure(self, present: Sequence[str], chunk: Chunk) -> None:
        room = PROFILED - self.profiled
        if room <= 0:
            return
        measured = present[:room]
        if chunk.lengths is None:
            sizes = list(map(len, measured))
        else:
            whole = [text for text in chunk.texts if text is not None]
            pairs = zip(whole, chunk.lengths, strict=True)
            sizes = [size for text, size in pairs if text and not text.isspace()][:room]
        self.profiled += len(sizes)
        self.length += sum(sizes)
        self.shortest = min(sizes) if self.shortest is None else min(self.shortest, *sizes)
        self.longest = max(sizes) if self.longest is None else max(self.longest, *sizes)
        self.distinct.update(map(hash, measured))

    def _look(self, texts: Sequence[str], tried: Tried) -> None:
        """Look at some values together: each different value once, and each outline of values once."""
        times = Counter(texts)
        once = len(times) == len(texts)
        memo = memo_of(times)
        matching: dict[str, list[str]] = {}
        shaped: Counter[str] = Counter()
        for question, alike in tried.plain.sorted_out(times):
            self._count_numbers(question, alike, times, memo)
            for candidate in question.candidates:
                detector = candidate.detector
                matched = alike if candidate.settled else list(filter(detector.whole.fullmatch, alike))
                if not matched:
                    continue
                shaped[detector.detector] += len(matched) if once else sum(map(times.__getitem__, matched))
                if candidate.hopeful:
                    matching.setdefault(detector.detector, []).extend(matched)
        for detector in tried.named:
            matched = list(filter(detector.whole.fullmatch, times))
            if matched:
                shaped[detector.detector] = len(matched) if once else sum(map(times.__getitem__, matched))
                matching[detector.detector] = matched
        whole: dict[str, Sequence[str]] = {}
        for detector in tried.detectors if shaped else ():
            name = detector.detector
            if name not in shaped:
                continue
            seen = self.seen.setdefault(name, Seen())
            seen.shaped += shaped[name]
            valid = detector.passing(matching[name], memo) if name in matching else ()
            if valid:
                whole[name] = valid
                seen.valid += len(valid) if once else sum(map(times.__getitem__, valid))
                if detector.narrow is not None:
                    seen.narrow += sum(times[text] for text in valid if detector.narrow.fullmatch(text))
        self.searched += len(texts)
        self._search_inside(times, whole, tried)

    def _count_numbers(self, question: Question, alike: Sequence[str], times: Mapping[str, int], memo: Memo) -> None:
        """Count the dates' years, and the numbers that could be counts or moments."""
        if question.dated:
            for text in alike:
                day = memo.days[text] if text[0].isdigit() else None
                if day is not None:
                    self.years[day.year] += times[text]
        if question.small or question.moment:
            self.counts += sum(times[text] for text in alike if question.small or text[0] == "1")

    def _search_inside(self, times: Mapping[str, int], whole: Mapping[str, Sequence[str]], tried: Tried) -> None:
        """Search long texts, and what stands in encoded ones, for values inside them that they are not as a whole."""
        long = [text for text in times if len(text) >= TEXT_LENGTH]
        if long:
            self._search(long, [times[text] for text in long], whole, tried)
        encoded = [text for text in times if may_be_encoded(text)]
        if encoded:
            said = frozenset[str]().union(*whole.values())
            plain = [(decoded, times[text]) for text in encoded if text not in said and (decoded := decoded_once(text))]
            self._search([text for text, _ in plain], [often for _, often in plain], {}, tried)

    def _search(
        self, texts: Sequence[str], times: Sequence[int], whole: Mapping[str, Sequence[str]], tried: Tried
    ) -> None:
        rows = tried.engine.rows(texts)
        for detector in tried.within if rows else ():
            found = rows.get(detector.detector)
            if not found:
                continue
            said = frozenset(whole.get(detector.detector, ()))
            for row in found:
                text = texts[row]
                hits = [hit.group() for hit in detector.inside.finditer(text)] if text not in said else []
                if hits:
                    seen = self.seen.setdefault(detector.detector, Seen())
                    seen.text_shaped += times[row]
                    seen.texts += times[row] * any(detector.text_check(hit) for hit in hits)

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


def _past(texts: Sequence[str | None], present: int) -> int:
    """The index after the first `present` texts that are neither null nor blank."""
    for index, text in enumerate(texts):
        present -= bool(text and not text.isspace())
        if not present:
            return index + 1
    return len(texts)


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
