"""From what detection says of a table to what a scanner says of its fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from inventory.model import FieldClassified, FieldProfiled, FieldSeen, Observation, field_urn
from scanners.detection.interface import ColumnContext, Detection, FieldVerdict


def field_sightings(
    dataset: str, verdicts: Iterable[FieldVerdict], columns: Iterable[ColumnContext], detection: Detection
) -> Iterator[Observation]:
    """`FieldSeen`, `FieldProfiled` and `FieldClassified` of every verdict.

    A column's position is its place among the columns; a nested field's is its place within its column, so that a
    key that turns up in one column moves no field of another. Names and pointers are redacted: in files they are
    text that people wrote, and may be data.
    """
    known = {column.name: column for column in columns}
    position, nested = -1, 0
    seen: set[str] = set()
    for verdict in verdicts:
        if verdict.pointer:
            nested += 1
        else:
            position, nested = position + 1, 0
        name, pointer = redacted_path(verdict.column, verdict.pointer, detection)
        urn = field_urn(dataset, name, pointer)
        if urn in seen:  # two names that differ only in what was redacted
            continue
        seen.add(urn)
        column = known.get(verdict.column)
        yield FieldSeen(
            urn,
            dataset,
            name + pointer,
            verdict.type,
            nested - 1 if verdict.pointer else position,
            primary_key=not verdict.pointer and column is not None and column.primary_key,
        )
        yield FieldProfiled(urn, verdict.profile)
        for found in verdict.verdicts:
            yield FieldClassified(urn, found.category, found.confidence, found.evidence, detection.version)


def redacted_path(column: str, pointer: str, detection: Detection) -> tuple[str, str]:
    """A field's column name and pointer without the personal values that may stand in them."""
    if not pointer:
        return detection.redact(column), ""
    return detection.redact(column), "/".join(part and detection.redact(part) for part in pointer.split("/"))
