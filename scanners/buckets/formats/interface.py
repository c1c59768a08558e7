"""What a format is. A new one is one module in this folder with a `FORMAT`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

import pyarrow as pa

from scanners.base import Sampling
from scanners.buckets.content import Content
from scanners.detection.interface import ColumnContext

#: Rows in one batch.
BATCH = 500


class Recognition(IntEnum):
    """How sure a format is that a content is its own: by the content first, then by the name."""

    NO = 0
    ANY_TEXT = 1
    NAME = 2
    LIKELY = 3  # by the content, which other formats may fit as well
    CONTENT = 4
    MAGIC = 5
    EXACT = 6  # a magic, and what stands behind it


@dataclass(frozen=True, slots=True)
class Table:
    """One table of an opened object: the columns known so far and its rows, which are read as they are asked for.

    `name` tells it from the object's other tables: a sheet, an archive's member, a table of a dump; "" when there is
    but one. A name may come again, with more rows.
    """

    columns: tuple[ColumnContext, ...]
    batches: Iterator[pa.RecordBatch]
    name: str = ""


class Format(Protocol):
    """Reads one kind of content as tables."""

    @property
    def name(self) -> str:
        """What people call it ("csv")."""
        ...

    @property
    def suffixes(self) -> frozenset[str]:
        """The suffixes it is known by, in lower case (".csv")."""
        ...

    def recognises(self, content: Content) -> Recognition:
        """Look at `content.head` (only)."""
        ...

    def open(self, content: Content, sampling: Sampling) -> Iterator[Table]:
        """The tables, each read before the next one is asked for; UnreadableError here or in their batches.

        Values are cut to `sampling.value_bytes`. No table needs to give more than `sampling.rows` rows.
        """
        ...
