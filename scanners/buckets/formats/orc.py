"""ORC: the tail and the first rows of the first stripe, by ranges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import pyarrow as pa
import pyarrow.dataset as ds

from scanners.base import Sampling
from scanners.buckets.content import Content
from scanners.buckets.formats.columnar import columns_of, short_values
from scanners.buckets.formats.interface import BATCH, Recognition, Table

_MAGIC = b"ORC"


@dataclass(frozen=True, slots=True)
class Orc:
    """Apache ORC (orc.apache.org/specification)."""

    name: str = "orc"
    suffixes: frozenset[str] = frozenset({".orc"})

    def recognises(self, content: Content) -> Recognition:
        """By the magic at its beginning, when it is no text that happens to begin so."""
        if content.head.data.startswith(_MAGIC) and not content.head.encoding:
            return Recognition.MAGIC
        named = content.head.suffix.rsplit(".", 1)[-1] == "orc"
        if named:
            return Recognition.MAGIC if content.head.data.startswith(_MAGIC) else Recognition.NAME
        return Recognition.NO

    def open(self, content: Content, sampling: Sampling) -> Iterator[Table]:
        """Columns and their types from the tail."""
        if not content.head.data.startswith(_MAGIC):
            raise content.unreadable("not-orc", "is no ORC file, whatever its name says")
        try:
            # The dataset's reader stops after the rows that are asked for; `pyarrow.orc` reads whole stripes.
            file = pa.PythonFile(content.file(), mode="r")
            fragment: ds.Fragment = cast(Any, ds.OrcFileFormat()).make_fragment(file)
            schema = fragment.physical_schema
        except (pa.ArrowException, OSError, ValueError, MemoryError):
            raise content.unreadable("damaged-orc", "is a damaged ORC file", "write it again") from None
        yield Table(columns_of(schema), _rows(content, fragment, sampling))


def _rows(content: Content, fragment: ds.Fragment, sampling: Sampling) -> Iterator[pa.RecordBatch]:
    left = sampling.rows
    try:
        for batch in fragment.to_batches(batch_size=min(BATCH, left), batch_readahead=1, use_threads=False):
            for start in range(0, min(batch.num_rows, left), BATCH):
                yield short_values(batch.slice(start, min(BATCH, left - start)), sampling.value_bytes)
            left -= batch.num_rows
            if left <= 0:
                return
    except (pa.ArrowException, OSError, ValueError, MemoryError, UnicodeDecodeError):
        raise content.unreadable("damaged-orc", "is a damaged ORC file", "write it again") from None


FORMAT = Orc()
