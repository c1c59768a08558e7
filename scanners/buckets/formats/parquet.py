"""Parquet: the footer and the first pages of the first row groups, by ranges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from scanners.base import Sampling
from scanners.buckets.content import Content
from scanners.buckets.formats.columnar import columns_of, short_values
from scanners.buckets.formats.interface import BATCH, Recognition, Table

_MAGIC = b"PAR1"
#: Encodings shrink a column before compression does: no real row group unpacks to so many times its size.
_MOST_RATIO = 1000
#: Too little to call it a bomb, in bytes.
_HARMLESS = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Parquet:
    """Apache Parquet (format specification: github.com/apache/parquet-format)."""

    name: str = "parquet"
    suffixes: frozenset[str] = frozenset({".parquet", ".pq"})

    def recognises(self, content: Content) -> Recognition:
        """By the magic at its beginning."""
        if content.head.data.startswith(_MAGIC):
            return Recognition.MAGIC
        return Recognition.NAME if content.head.suffix.rsplit(".", 1)[-1] in ("parquet", "pq") else Recognition.NO

    def open(self, content: Content, sampling: Sampling) -> Iterator[Table]:
        """Columns and their types from the footer."""
        if not content.head.data.startswith(_MAGIC):
            raise content.unreadable("not-parquet", "is no Parquet file, whatever its name says")
        try:
            # No pre-buffering: a row group's first pages are enough for the sample.
            file = pq.ParquetFile(content.file(), buffer_size=64 * 2**10, pre_buffer=False)
        except (pa.ArrowException, OSError, ValueError):
            raise content.unreadable("damaged-parquet", "is a damaged Parquet file", "write it again") from None
        _refuse_bomb(content, file.metadata)
        yield Table(columns_of(file.schema_arrow), _batches(content, file, sampling))


def _refuse_bomb(content: Content, metadata: pq.FileMetaData) -> None:
    # Not by the columns' own sizes: pyarrow (26.0) aborts the process when a damaged column's metadata is asked for.
    size = sum(metadata.row_group(index).total_byte_size for index in range(metadata.num_row_groups))
    if size > _HARMLESS and size > _MOST_RATIO * content.size:
        raise content.unreadable("bomb", "unpacks to far more than any table does; it was not read")


def _batches(content: Content, file: pq.ParquetFile, sampling: Sampling) -> Iterator[pa.RecordBatch]:
    try:
        batches: Iterator[pa.RecordBatch] = file.iter_batches(  # pyright: ignore[reportUnknownMemberType]
            batch_size=min(BATCH, sampling.rows), use_threads=False
        )
        for batch in batches:
            yield short_values(batch, sampling.value_bytes)
    except (pa.ArrowException, OSError, ValueError, UnicodeDecodeError):
        raise content.unreadable("damaged-parquet", "is a damaged Parquet file", "write it again") from None


FORMAT = Parquet()
