"""From what detection says of a table to what a scanner says of its fields."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from inventory.model import (
    DatasetClassified,
    FieldClassified,
    FieldProfiled,
    FieldSeen,
    FieldSketched,
    Observation,
    column_of,
    field_urn,
)
from scanners.detection.interface import ColumnContext, Detection, FieldVerdict, Verdict
from scanners.detection.records import record_kinds


@dataclass(frozen=True, slots=True)
class KnownField:
    """A field that the source is known to have, and what it holds if that is known, whatever the sample shows."""

    column: str
    pointer: str  # inside the column, "" for the column itself
    verdict: Verdict | None = None
    primary_key: bool = False
    type: str = ""  # as the source declares it, "" if it does not
    description: str = ""  # the source's own words, not yet redacted


def field_sightings(
    dataset: str,
    verdicts: Iterable[FieldVerdict],
    columns: Iterable[ColumnContext],
    detection: Detection,
    known: Iterable[KnownField] = (),
    *,
    whole: bool = False,
) -> Iterator[Observation]:
    """`FieldSeen`, `FieldProfiled`, one `FieldClassified` a category and the sketches, of every verdict and every
    known field; then what the records are. `whole`: every record was looked at.

    A column's position is its place among the columns; a nested field's is its place within its column, so that a
    key that turns up in one column moves no field of another. Names and pointers are redacted: in files they are
    text that people wrote, and may be data.
    """
    keys = {column.name for column in columns if column.primary_key}
    known_at: dict[tuple[str, str], list[KnownField]] = {}
    for field in known:
        known_at.setdefault((field.column, field.pointer), []).append(field)
    places = _Places()
    seen: set[str] = set()
    for verdict in verdicts:
        name, pointer = redacted_path(verdict.column, verdict.pointer, detection)
        urn = field_urn(dataset, name, pointer)
        position = places.next(verdict.column, verdict.pointer)
        fields = known_at.pop((verdict.column, verdict.pointer), [])
        if urn in seen:  # two names that differ only in what was redacted
            continue
        seen.add(urn)
        is_key = not verdict.pointer and verdict.column in keys
        yield _seen(
            FieldSeen(urn, dataset, name + pointer, verdict.type, position, primary_key=is_key), fields, detection
        )
        yield FieldProfiled(urn, verdict.profile)
        yield from _classifications(urn, verdict.verdicts, fields, detection)
        yield from sketch_sightings(urn, verdict, whole=whole)
    for (column, pointer), fields in known_at.items():
        position = places.next(column, pointer)
        column, pointer = redacted_path(column, pointer, detection)
        urn = field_urn(dataset, column, pointer)
        if urn in seen:
            continue
        seen.add(urn)
        yield _seen(FieldSeen(urn, dataset, column + pointer, "", position), fields, detection)
        yield from _classifications(urn, (), fields, detection)
    name = "/".join(dataset.split("/")[-2:])
    yield from record_sightings(dataset, name, (column_of(urn) for urn in seen), detection)


def sketch_sightings(field: str, verdict: FieldVerdict, *, whole: bool) -> Iterator[FieldSketched]:
    """The sketches of a field's values."""
    for sketch in verdict.sketches:
        yield FieldSketched(
            field=field,
            kind=sketch.kind,
            form=sketch.form,
            values=sketch.values,
            distinct=sketch.distinct,
            sampled=sketch.sampled,
            whole=whole and not sketch.cut,
            rows=sketch.rows,
            key=sketch.key,
        )


def record_sightings(
    dataset: str, name: str, fields: Iterable[tuple[str, str]], detection: Detection
) -> Iterator[DatasetClassified]:
    """What the records of a dataset called `name` are, by its fields (column and pointer).

    Fields are judged together with those beside them: the columns, and the members of each column.
    """
    beside: dict[str, list[str]] = {}
    for column, pointer in fields:
        parts = [part for part in pointer.split("/") if part not in {"", "-", "*"}]
        if len(parts) < 2:
            beside.setdefault(column if parts else "", []).append(parts[0] if parts else column)
    best: dict[str, Verdict] = {}
    for holder, names in beside.items():
        for verdict in record_kinds(f"{name}/{holder}" if holder else name, names):
            known = best.get(verdict.category)
            if known is None or verdict.confidence > known.confidence:
                best[verdict.category] = verdict
    for category, verdict in best.items():
        yield DatasetClassified(dataset, category, verdict.confidence, verdict.evidence, detection.version)


def _seen(field: FieldSeen, known: Iterable[KnownField], detection: Detection) -> FieldSeen:
    """The field with what the source declares of it."""
    for said in known:
        field = replace(
            field,
            type=said.type or field.type,
            primary_key=field.primary_key or said.primary_key,
            description=detection.redact(said.description) or field.description,
        )
    return field


def _classifications(
    urn: str, verdicts: Iterable[Verdict], known: Iterable[KnownField], detection: Detection
) -> Iterator[FieldClassified]:
    """One a category: the surer confidence of the two, and the reasons of both."""
    found = {verdict.category: (verdict.confidence, verdict.evidence) for verdict in verdicts}
    for verdict in (field.verdict for field in known if field.verdict is not None):
        confidence, evidence = found.get(verdict.category, (0.0, ()))
        found[verdict.category] = (max(confidence, verdict.confidence), (*verdict.evidence, *evidence))
    for category, (confidence, evidence) in found.items():
        yield FieldClassified(urn, category, confidence, evidence, detection.version)


class _Places:
    """Counts the columns, and within each column the fields."""

    def __init__(self) -> None:
        self._columns: dict[str, int] = {}
        self._nested: Counter[str] = Counter()

    def next(self, column: str, pointer: str) -> int:
        place = self._columns.setdefault(column, len(self._columns))
        if not pointer:
            return place
        self._nested[column] += 1
        return self._nested[column] - 1


def redacted_path(column: str, pointer: str, detection: Detection) -> tuple[str, str]:
    """A field's column name and pointer without the personal values that may stand in them."""
    if not pointer:
        return detection.redact(column), ""
    return detection.redact(column), "/".join(part and detection.redact(part) for part in pointer.split("/"))
