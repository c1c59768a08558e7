"""The column detector: values in, profile and verdict out (`interface.Detection`)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pyarrow as pa

from inventory.model import Profile
from scanners.detection import weighing
from scanners.detection.catalogue import Detector, shipped
from scanners.detection.interface import ColumnContext, FieldVerdict, TableContext
from scanners.detection.naming import NameMatch, Names, about_people, tokens
from scanners.detection.validators import parse_date
from scanners.detection.values import Chunk, Nesting, chunks, kind_of_declared
from scanners.detection.weighing import Score, Seen, Surroundings

_LOOK = 400
"""So many present values of a field are looked at."""

_TEXT_LENGTH = 24
"""From this length on, a value is also searched for values inside it."""

_SURE = 3.0


class ColumnDetector:
    """Says which categories of personal data a table's columns hold; stateless between tables, shared by threads."""

    def __init__(self, detectors: Sequence[Detector] | None = None) -> None:
        self._detectors = tuple(shipped() if detectors is None else detectors)
        self._names = Names(self._detectors)
        self._within = [detector for detector in self._detectors if detector.within]

    @property
    def version(self) -> str:
        """Name and version; changed whenever a verdict may change."""
        return "columns/1"

    def table(self, context: TableContext) -> ColumnsInProgress:
        """Begin on one table."""
        return ColumnsInProgress(self._detectors, self._names, context)

    def redact(self, text: str) -> str:
        """`text` with every personal value that the patterns know replaced by its kind: "‹email›"."""
        hits = [
            (found.start(), found.end(), detector.detector)
            for detector in self._within
            for found in detector.inside.finditer(text)
            if detector.text_check(found.group())
        ]
        parts: list[str] = []
        at = 0
        for start, end, kind in sorted(hits, key=lambda hit: (hit[0], -hit[1])):
            if end > at:
                parts.append(f"{text[at:start]}‹{kind}›")
                at = end
        return "".join(parts) + text[at:]


@dataclass
class _Field:
    """What has been counted of one field. No value stays here but hashes, for the distinct share."""

    pointer: str
    kinds: Counter[str] = field(default_factory=Counter[str])
    nulls: int = 0
    present: int = 0
    looked: int = 0
    long_texts: int = 0
    shortest: int | None = None
    longest: int | None = None
    length: int = 0
    distinct: set[int] = field(default_factory=set[int])
    years: Counter[int] = field(default_factory=Counter[int])
    seen: dict[str, Seen] = field(default_factory=dict[str, Seen])

    @property
    def kind(self) -> str:
        return self.kinds.most_common(1)[0][0] if self.kinds else ""

    def profile(self) -> Profile:
        total = self.nulls + self.present
        return Profile(
            sampled=total,
            null_share=round(self.nulls / total, 4) if total else 0.0,
            distinct_share=round(len(self.distinct) / self.present, 4) if self.present else 0.0,
            min_length=self.shortest,
            max_length=self.longest,
            mean_length=round(self.length / self.present, 2) if self.present else None,
        )


_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


class ColumnsInProgress:
    """Detection in progress on one table (`interface.TableDetection`)."""

    def __init__(self, detectors: Sequence[Detector], names: Names, context: TableContext) -> None:
        self._detectors = detectors
        self._by_name = {detector.detector: detector for detector in detectors}
        self._names = names
        self._context = context
        self._columns: dict[str, ColumnContext] = {column.name: column for column in context.columns}
        self._fields: dict[str, dict[str, _Field]] = {name: {"": _Field("")} for name in self._columns}
        self._nesting: dict[str, Nesting] = {name: Nesting() for name in self._columns}

    def feed(self, batch: pa.RecordBatch) -> bool:
        """Take in some rows; False when more rows change nothing."""
        columns = cast("list[pa.Array[Any]]", cast("Any", batch).columns)
        for name, array in zip(batch.schema.names, columns, strict=True):
            if name not in self._columns:
                self._columns[name] = ColumnContext(name)
                self._fields[name] = {"": _Field("")}
                self._nesting[name] = Nesting()
            nesting = self._nesting[name]
            fields = self._fields[name]
            for chunk in chunks(array, nesting):
                self._count(name, fields.setdefault(chunk.pointer, _Field(chunk.pointer)), chunk)
            for pointer in nesting.open_maps:
                for closed in [p for p in fields if p.startswith(f"{pointer}/") and not p.startswith(f"{pointer}/*")]:
                    del fields[closed]
        return any(each[""].looked < _LOOK for each in self._fields.values())

    def _count(self, column: str, into: _Field, chunk: Chunk) -> None:
        named = self._names.look(_field_name(column, into.pointer))
        tried = [d for d in self._detectors if chunk.kind in d.types and (not d.needs_name or d.detector in named)]
        for text in chunk.texts:
            if text is None or not text.strip():
                into.nulls += 1
                continue
            size = len(text)
            into.present += 1
            into.kinds[chunk.kind] += 1
            into.length += size
            into.shortest = size if into.shortest is None else min(into.shortest, size)
            into.longest = size if into.longest is None else max(into.longest, size)
            if len(into.distinct) < 100_000:
                into.distinct.add(hash(text))
            if into.looked < _LOOK:
                into.looked += 1
                self._look(into, text.strip(), tried)

    def _look(self, into: _Field, text: str, tried: Sequence[Detector]) -> None:
        if len(text) <= 32 and text[0].isdigit():
            day = parse_date(text)
            if day is not None:
                into.years[day.year] += 1
        whole: set[str] = set()
        for detector in tried:
            if detector.whole.fullmatch(text) is None:
                continue
            seen = into.seen.setdefault(detector.detector, Seen())
            seen.shaped += 1
            if detector.check(text):
                seen.valid += 1
                whole.add(detector.detector)
                if detector.narrow is not None and detector.narrow.fullmatch(text):
                    seen.narrow += 1
        if len(text) < _TEXT_LENGTH:
            return
        into.long_texts += 1
        for detector in tried:
            if not detector.within or detector.detector in whole:
                continue
            hits = [hit.group() for hit in detector.inside.finditer(text)]
            if hits:
                seen = into.seen.setdefault(detector.detector, Seen())
                seen.text_shaped += 1
                seen.texts += any(detector.text_check(hit) for hit in hits)

    def verdicts(self) -> Sequence[FieldVerdict]:
        """Every column in order, each followed by the fields found inside it."""
        first = {key: self._scores(*key, 0) for key in self._places()}
        sure = {key for key, scores in first.items() if any(each.logit > _SURE for each in scores)}
        return [self._verdict(column, pointer, len(sure - {(column, pointer)})) for column, pointer in first]

    def _places(self) -> Iterator[tuple[str, str]]:
        for column in self._columns:
            for pointer in self._fields[column]:
                yield column, pointer

    def _scores(self, column: str, pointer: str, neighbours: int) -> list[Score]:
        context, counted = self._columns[column], self._fields[column][pointer]
        kind = counted.kind or (kind_of_declared(context.type) if not pointer else "")
        named = self._names.look(_field_name(column, pointer))
        around = replace(
            _surroundings(self._context, context if not pointer else None, counted), personal_neighbours=neighbours
        )
        nothing = Seen()
        look = weighing.Look(kind, counted.looked, len(counted.distinct), _percentiles(counted.years))
        found: list[Score] = []
        for detector in self._detectors:
            match: NameMatch | None = named.get(detector.detector)
            seen = counted.seen.get(detector.detector, nothing)
            one = weighing.score(detector, seen, look, match, around)
            if one is not None:
                found.append(one)
        return found

    def _verdict(self, column: str, pointer: str, neighbours: int) -> FieldVerdict:
        counted = self._fields[column][pointer]
        inside = weighing.texts_verdicts(self._by_name, counted.seen, counted.looked)
        found = weighing.verdicts(self._scores(column, pointer, neighbours), inside)
        declared = self._columns[column].type if not pointer else ""
        return FieldVerdict(
            column=column,
            pointer=pointer,
            type=declared or _json_type(counted.kind),
            profile=counted.profile(),
            verdicts=found,
            reason=_reason(counted) if not found else "",
        )


def _json_type(kind: str) -> str:
    return {"text": "string", "integer": "number", "float": "number", "list": "array", "": "unknown"}.get(kind, kind)


def _reason(counted: _Field) -> str:
    if not counted.present:
        return "unknown: no values were seen" if counted.nulls else "unknown: empty"
    return f"nothing personal in {counted.looked} sampled values"


def _field_name(column: str, pointer: str) -> str:
    """The name that says what a field holds: the last named part of its pointer, with the part above it."""
    parts = [part for part in pointer.split("/")[1:] if part not in {"-", "*"}]
    if not parts:
        return column
    return parts[-1].replace("~1", "/").replace("~0", "~")


def _percentiles(years: Counter[int]) -> tuple[int, int, int] | None:
    """The 10th, 50th and 90th percentile of the years of a field's dates."""
    ordered = sorted(years.elements())
    if len(ordered) < 5:
        return None
    return ordered[len(ordered) // 10], ordered[len(ordered) // 2], ordered[len(ordered) * 9 // 10]


def _surroundings(table: TableContext, column: ColumnContext | None, counted: _Field) -> Surroundings:
    people = about_people(table.name)
    if column is None:
        return Surroundings(people=people)
    target = column.references.rsplit(".", 1)[0] if column.references else ""
    referenced = about_people(target) if target else 0.0
    first = bool(table.columns) and table.columns[0].name == column.name
    looks_key = first and "id" in tokens(column.name) and len(counted.distinct) == counted.present
    own_key = (column.primary_key or column.name.lower() == "id" or looks_key) and not column.references
    return Surroundings(
        people=people,
        references_people=referenced >= 1,
        references_things=bool(target) and referenced < 1,
        key_of_people=own_key and people >= 1,
    )
