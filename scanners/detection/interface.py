"""What goes into detection and what comes out.

A scanner describes a table once (`TableContext`), feeds it Arrow record batches, and takes the verdicts::

    detection = Detector().table(context)
    for batch in batches:
        if not detection.feed(batch):
            break  # the verdict is settled: more values would not change it
    for verdict in detection.verdicts():
        ...

Values go in and are dropped; a verdict holds counts, shapes, categories and reasons.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from inventory.model import Evidence, Profile


@dataclass(frozen=True, slots=True)
class ColumnContext:
    """What is known of a column beside its values."""

    name: str
    type: str = ""  # as the source declares it ("character varying(320)", "jsonb", "int64")
    comment: str = ""
    references: str = ""  # "table.column" that it is a foreign key to, "" if none
    primary_key: bool = False


@dataclass(frozen=True, slots=True)
class TableContext:
    """What is known of a table (collection, file, API resource) beside its values."""

    name: str
    columns: tuple[ColumnContext, ...]
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One category that a field holds: confidence in 0..1, calibrated, and the reasons in words."""

    category: str
    confidence: float
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Sketch:
    """What stands for a field's values where they may not go (`scanners.sketching`): keyed hashes, and counts.

    `kind` says how the values were brought to one form, `form` is "" or the unkeyed hash that they were given first
    ("sha256"). `values` are the smallest 64-bit hashes, ascending; `distinct` values were among the `sampled` ones.
    """

    kind: str
    form: str
    values: tuple[int, ...]
    distinct: int
    sampled: int
    rows: int  # that were looked at
    key: str  # tells keys apart
    cut: bool = False  # more rows were there than looked at


@dataclass(frozen=True, slots=True)
class FieldVerdict:
    """What detection says of one field: a column, or a place inside a nested (JSON, struct) column.

    `pointer` is an RFC 6901 JSON pointer below the column, with `/-` for every element of an array and `/*` for
    every key of an open map (whose keys are themselves data); "" is the column itself. No verdicts: not personal,
    or unknown, as `reason` says.
    """

    column: str
    pointer: str
    type: str  # declared type, or the JSON type seen ("string", "number", "object", "array", ...)
    profile: Profile
    verdicts: tuple[Verdict, ...]
    reason: str = ""
    sketches: tuple[Sketch, ...] = ()


class TableDetection(Protocol):
    """Detection in progress on one table."""

    def feed(self, batch: pa.RecordBatch) -> bool:
        """Take in some rows; columns are found by name, unknown ones join. False when more rows change nothing."""
        ...

    def verdicts(self) -> Sequence[FieldVerdict]:
        """Every column in order, each followed by the fields found inside it."""
        ...


class Detection(Protocol):
    """A detector: stateless between tables, shared by threads."""

    @property
    def version(self) -> str:
        """Name and version, changed whenever a verdict may change ("columns/1")."""
        ...

    def table(self, context: TableContext) -> TableDetection:
        """Begin on one table."""
        ...

    def redact(self, text: str) -> str:
        """`text` with every personal value that the patterns know replaced by its kind: "‹email›"."""
        ...
