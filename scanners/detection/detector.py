"""The column detector: values in, profile and verdict out (`interface.Detection`)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, cast

import pyarrow as pa

from scanners.detection import engine as engines
from scanners.detection import weighing
from scanners.detection.catalogue import Detector, shipped
from scanners.detection.engine import Engine
from scanners.detection.fields import LOOKED, PROFILED, TEXT_LENGTH, FieldCount, Tried
from scanners.detection.interface import ColumnContext, FieldVerdict, TableContext, Verdict
from scanners.detection.naming import NameMatch, Names, about_people, tokens
from scanners.detection.outlines import Outlines
from scanners.detection.records import record_kinds
from scanners.detection.values import Nesting, chunks, is_text, kind_of_declared
from scanners.detection.weighing import Look, Score, Seen, Surroundings

VERSION = "columns/6"

_USER_OF_URL = re.compile(r"(?<=//)[^\s/?#@]+(?=@)|(?<=/@)[\w.-]+")

SEARCHED = 50_000
SEARCHED_SHORT = 10_000
"""After so many values a column of prose, or of short texts, is settled, unless every value is to be searched."""

_SURE = 3.0

_KEYS = frozenset(["id", "identifiant", "identifier", "rowid", "uid", "uuid"])
"""Words of a first column that is the table's own key, when its values are all different."""


@dataclass(frozen=True, slots=True)
class Review:
    """A person's word on a verdict; fields with the same words in their name and the same kind are like it."""

    column: str
    kind: str  # "text", "integer", ... (values.kind_of_declared gives it for a declared type)
    category: str
    confirmed: bool


class ColumnDetector:
    """Says which categories of personal data a table's columns hold; stateless between tables, shared by threads.

    `detectors` replaces the shipped catalogue (add to `catalogue.shipped()` to extend it); `exhaustive` searches
    every value of every text column, where otherwise a settled column is left alone; `reviews` is what people said
    of fields before.
    """

    def __init__(
        self,
        detectors: Sequence[Detector] | None = None,
        exhaustive: bool = False,
        engine: Engine | None = None,
        reviews: Sequence[Review] = (),
    ) -> None:
        self.detectors = tuple(shipped() if detectors is None else detectors)
        self.names = Names(self.detectors)
        self.exhaustive = exhaustive
        self.reviewed = Counter(
            (tokens(review.column), review.kind, review.category, review.confirmed) for review in reviews
        )
        self._given_engine = engine
        self._made_from = (detectors, exhaustive, engine, tuple(reviews))
        self._within = [detector for detector in self.detectors if detector.within]
        self.by_name = {detector.detector: detector for detector in self.detectors}
        self._place = {detector.detector: place for place, detector in enumerate(self.detectors)}
        self._outlines: dict[str, Outlines] = {}
        self.tried = lru_cache(maxsize=1024)(self._tried)

    def __reduce__(self) -> tuple[Any, ...]:
        """In another process it is made anew from the same parts: its patterns are compiled there."""
        return ColumnDetector, self._made_from

    @cached_property
    def engine(self) -> Engine:
        """What searches long runs of texts."""
        return self._given_engine or engines.engine(self._within)

    def _tried(self, kind: str, named: frozenset[str]) -> Tried:
        """The detectors that are worth trying on values of a kind, in a field whose name speaks for `named`."""
        known = [detector for detector in self.detectors if kind in detector.types]
        plain = self._outlines.get(kind)
        if plain is None:
            plain = self._outlines[kind] = Outlines([detector for detector in known if not detector.needs_name])
        by_name = [detector for detector in known if detector.needs_name and detector.detector in named]
        tried = [detector for detector in known if not detector.needs_name or detector.detector in named]
        return Tried(
            detectors=tried,
            plain=plain,
            named=by_name,
            within=[detector for detector in tried if detector.within],
            engine=self.engine,
        )

    def speaking(self, seen: Mapping[str, Seen], named: Mapping[str, NameMatch]) -> Sequence[Detector]:
        """The detectors that have something to say: of values, of the name, or of a key; in the catalogue's order."""
        names = {name for name, each in seen.items() if each.valid}
        names.update(named)
        names.add("unique_id")
        places = sorted(self._place[name] for name in names if name in self._place)
        return [self.detectors[place] for place in places]

    @property
    def version(self) -> str:
        """Name and version; changed whenever a verdict may change."""
        return VERSION

    def table(self, context: TableContext) -> ColumnsInProgress:
        """Begin on one table."""
        return ColumnsInProgress(self, context)

    def redact(self, text: str) -> str:
        """`text` with each personal value that the patterns know, and a URL's user, replaced by its kind: "‹email›"."""
        hits = [
            (found.start(), found.end(), detector.detector)
            for detector in map(self.by_name.__getitem__, self.engine.rows((text,)))
            for found in detector.inside.finditer(text)
            if detector.text_check(found.group())
        ]
        if not hits and "@" not in text:
            return text
        parts: list[str] = []
        at = 0
        for start, end, kind in sorted(hits, key=lambda hit: (hit[0], -hit[1])):
            if end > at:
                parts.append(f"{text[at:start]}‹{kind}›")
                at = end
        return _USER_OF_URL.sub("‹user›", "".join(parts) + text[at:])


class _Column:
    """One column in progress: its fields, and how many of its rows were taken in."""

    def __init__(self, context: ColumnContext) -> None:
        self.context = context
        self.fields: dict[str, FieldCount] = {"": FieldCount("")}
        self.nesting = Nesting()
        self.rows = 0
        self.settled = False


@dataclass(frozen=True, slots=True)
class _Field:
    """All that is known of a field but what stands beside it."""

    column: _Column
    pointer: str
    name: str
    counted: FieldCount
    look: Look
    named: Mapping[str, NameMatch]
    around: Surroundings
    speaking: Sequence[Detector]


class ColumnsInProgress:
    """Detection in progress on one table (`interface.TableDetection`)."""

    def __init__(self, detector: ColumnDetector, context: TableContext) -> None:
        self._detector = detector
        self._context = context
        self._columns = {column.name: _Column(column) for column in context.columns}

    def feed(self, batch: pa.RecordBatch) -> bool:
        """Take in some rows; False when more rows change nothing."""
        arrays = cast("list[pa.Array[Any]]", cast("Any", batch).columns)
        for name, array in zip(batch.schema.names, arrays, strict=True):
            self._take(self._columns.setdefault(name, _Column(ColumnContext(name))), array)
        return not all(column.settled for column in self._columns.values())

    def _take(self, column: _Column, array: pa.Array[Any]) -> None:
        head = array.slice(0, max(0, PROFILED - column.rows))
        column.rows += len(array)
        if len(head):
            self._count(column, head)
        rest = array.slice(len(head))
        root = column.fields[""]
        if len(rest):
            root.nulls += rest.null_count
            root.present += len(rest) - rest.null_count
            self._search(column, rest)
        column.settled = self._settled(column, array)

    def _count(self, column: _Column, array: pa.Array[Any]) -> None:
        fields = column.fields
        for chunk in chunks(array, column.nesting):
            field = fields.setdefault(chunk.pointer, FieldCount(chunk.pointer))
            named = self._named(column.context.name, chunk.pointer)
            done = field.count(chunk, self._detector.tried(chunk.kind, frozenset(named)))
            if not chunk.pointer and chunk.kind == "text" and field.looked >= LOOKED:
                self._search(column, array.slice(done))
        for pointer in column.nesting.open_maps:
            for closed in [p for p in fields if p.startswith(f"{pointer}/") and not p.startswith(f"{pointer}/*")]:
                del fields[closed]

    def _search(self, column: _Column, array: pa.Array[Any]) -> None:
        """Look for values inside the texts of a column, all in one run."""
        if len(array) and not column.settled and is_text(array.type) and not column.nesting.is_json:
            root = column.fields[""]
            hits = self._detector.engine.scan(array, root.found_often())
            root.add_search(len(array) - array.null_count, hits)

    def _settled(self, column: _Column, array: pa.Array[Any]) -> bool:
        """Whether more values of this column would change nothing."""
        if column.settled:
            return True
        root = column.fields[""]
        if root.looked < LOOKED:
            return len(column.fields) > 1 and column.rows >= PROFILED
        if not is_text(array.type) or column.nesting.is_json:
            return column.rows >= LOOKED
        if self._detector.exhaustive:
            return False
        short = root.length < 2 * TEXT_LENGTH * root.profiled
        return root.searched >= (SEARCHED_SHORT if short else SEARCHED) or self._uniform(root)

    def _uniform(self, root: FieldCount) -> bool:
        """All values are whole values of one strong kind, so there is nothing else to find inside them."""
        return any(
            seen.valid >= 0.98 * root.looked and self._detector.by_name[name].weight >= 5
            for name, seen in root.seen.items()
        )

    def verdicts(self) -> Sequence[FieldVerdict]:
        """Every column in order, each followed by the fields found inside it."""
        fields = [self._field(*place) for place in self._places()]
        alone = [self._scores(each, (0, 0)) for each in fields]
        sure = [_sure_of(scores) for scores in alone]
        personal = sum(map(bool, sure))
        people = sum(map(_has_people, sure))
        found: list[FieldVerdict] = []
        for each, scores, kinds in zip(fields, alone, sure, strict=True):
            beside = (personal - bool(kinds), people - _has_people(kinds))
            found.append(self._verdict(each, scores if beside == (0, 0) else self._scores(each, beside)))
        return found

    def records(self) -> Sequence[Verdict]:
        """Which records of people's doings the rows are (access log, audit trail, ...), likeliest first."""
        inner = [_name_of(name, pointer) for name, pointer in self._places()]
        return record_kinds(self._context.name, inner)

    def _places(self) -> Iterator[tuple[str, str]]:
        for name, column in self._columns.items():
            for pointer in column.fields:
                yield name, pointer

    def _field(self, name: str, pointer: str) -> _Field:
        column = self._columns[name]
        counted = column.fields[pointer]
        named = self._named(name, pointer)
        return _Field(
            column=column,
            pointer=pointer,
            name=_name_of(name, pointer),
            counted=counted,
            look=counted.look("" if pointer else kind_of_declared(column.context.type)),
            named=named,
            around=self._surroundings(column, pointer),
            speaking=self._detector.speaking(counted.seen, named),
        )

    def _scores(self, one: _Field, neighbours: tuple[int, int]) -> list[Score]:
        personal, people = neighbours
        around = replace(one.around, personal_neighbours=personal, people_beside=people)
        nothing = Seen()
        scores: list[Score] = []
        for detector in one.speaking:
            reviewed = self._reviewed(one.name, one.look.kind, detector.category)
            seen = one.counted.seen.get(detector.detector, nothing)
            found = weighing.score(detector, seen, one.look, one.named.get(detector.detector), around, reviewed)
            if found is not None:
                scores.append(found)
        return scores

    def _named(self, column: str, pointer: str) -> Mapping[str, NameMatch]:
        """What the field's name says, read after the name of what holds it: the object, the column, the table."""
        parts = [part for part in pointer.split("/")[1:] if part not in {"-", "*"}]
        holder = parts[-2] if len(parts) > 1 else column if parts else self._context.name
        return self._detector.names.look_within(holder, _name_of(column, pointer))

    def _reviewed(self, name: str, kind: str, category: str) -> tuple[int, int]:
        """How often people confirmed and rejected the category for fields like this one."""
        counts = self._detector.reviewed
        if not counts:
            return 0, 0
        return counts[tokens(name), kind, category, True], counts[tokens(name), kind, category, False]

    def _surroundings(self, column: _Column, pointer: str) -> Surroundings:
        people = about_people(self._context.name)
        if pointer:
            return Surroundings(people=people)
        context, counted = column.context, column.fields[""]
        target = context.references.rsplit(".", 1)[0] if context.references else ""
        referenced = about_people(target) if target else 0.0
        first = bool(self._context.columns) and self._context.columns[0].name == context.name
        looks_key = first and not _KEYS.isdisjoint(tokens(context.name)) and len(counted.distinct) == counted.profiled
        own_key = (context.primary_key or context.name.lower() == "id" or looks_key) and not context.references
        return Surroundings(
            people=people,
            references_people=referenced >= 1,
            references_things=bool(target) and referenced < 1,
            key_of_people=own_key and people >= 1,
        )

    def _verdict(self, one: _Field, scores: Sequence[Score]) -> FieldVerdict:
        column, counted, pointer = one.column, one.counted, one.pointer
        inside = weighing.texts_verdicts(self._detector.by_name, counted.seen, counted.searched)
        found = weighing.verdicts(scores, inside)
        return FieldVerdict(
            column=column.context.name,
            pointer=pointer,
            type=(column.context.type if not pointer else "")
            or ("object" if pointer in column.nesting.open_maps else _json_type(counted.kind)),
            profile=counted.profile(),
            verdicts=found,
            reason="" if found else _reason(counted),
        )


def _sure_of(scores: Sequence[Score]) -> Sequence[str]:
    """The categories of persons that a field surely has, whatever stands beside it."""
    categories = [each.detector.category for each in scores if each.logit > _SURE]
    return [category for category in categories if not category.startswith("system")]


def _has_people(kinds: Sequence[str]) -> bool:
    """Whether categories of a field are of a person, and not only of places, which things have too."""
    return bool(kinds) and not all(kind.startswith(weighing.PLACES) for kind in kinds)


def _json_type(kind: str) -> str:
    return {"text": "string", "integer": "number", "float": "number", "list": "array", "": "unknown"}.get(kind, kind)


def _reason(counted: FieldCount) -> str:
    if not counted.present:
        return "unknown: every value is empty" if counted.nulls else "unknown: no values were seen"
    return f"nothing personal in {counted.looked} sampled values"


def _name_of(column: str, pointer: str) -> str:
    """The name that says what a field holds: the last named part of its pointer, else the column's."""
    parts = [part for part in pointer.split("/")[1:] if part not in {"-", "*"}]
    return parts[-1].replace("~1", "/").replace("~0", "~") if parts else column
