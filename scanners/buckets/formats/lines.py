"""Any other text: one column, `line`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from scanners.base import Sampling
from scanners.buckets.content import Content
from scanners.buckets.formats.interface import BATCH, Recognition, Table
from scanners.buckets.text import batches_of, lines
from scanners.detection.interface import ColumnContext
from scanners.records import cut, text_batch

_COLUMN = "line"


@dataclass(frozen=True, slots=True)
class Lines:
    """Plain text."""

    name: str = "text"
    suffixes: frozenset[str] = frozenset({".log", ".txt", ".text", ".md"})

    def recognises(self, content: Content) -> Recognition:
        """It is text, or is called so."""
        if content.head.lines:
            return Recognition.ANY_TEXT
        return Recognition.NAME if content.head.suffix in self.suffixes else Recognition.NO

    def open(self, content: Content, sampling: Sampling) -> Iterator[Table]:
        """One row a line that is not blank."""
        rows = (cut(line, sampling.value_bytes) for line in lines(content) if line.strip())
        batches = (
            text_batch((_COLUMN,), [(row,) for row in batch]) for batch in batches_of(rows, min(BATCH, sampling.rows))
        )
        yield Table((ColumnContext(_COLUMN, "string"),), batches)


FORMAT = Lines()
