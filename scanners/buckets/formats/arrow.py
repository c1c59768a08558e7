"""Arrow IPC, files and streams; Feather (version 2) is the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
from pyarrow import ipc

from scanners.base import Sampling
from scanners.buckets.content import Content
from scanners.buckets.formats.columnar import columns_of, short_values
from scanners.buckets.formats.interface import BATCH, Recognition, Table

_FILE = b"ARROW1\0\0"
_STREAM = b"\xff\xff\xff\xff"
_SUFFIXES = frozenset({".arrow", ".feather", ".ipc", ".arrows"})


@dataclass(frozen=True, slots=True)
class Arrow:
    """Apache Arrow's columnar format (arrow.apache.org/docs/format/Columnar.html#serialization-and-ipc)."""

    name: str = "arrow"
    suffixes: frozenset[str] = _SUFFIXES

    def recognises(self, content: Content) -> Recognition:
        """By the magic of a file; a stream has none to speak of, and is known by its name as well."""
        if content.head.data.startswith(_FILE):
            return Recognition.MAGIC
        named = content.head.suffix.rsplit(".", 1)[-1] in ("arrow", "feather", "ipc", "arrows")
        if named:
            return Recognition.MAGIC if content.head.data.startswith(_STREAM) else Recognition.NAME
        return Recognition.NO

    def open(self, content: Content, sampling: Sampling) -> Iterator[Table]:
        """Its schema's columns; the record batches one by one."""
        damaged = content.unreadable("damaged-arrow", "is a damaged Arrow file", "write it again")
        try:
            batches = _batches(content, content.head.data.startswith(_FILE))
            schema = next(batches)
            assert isinstance(schema, pa.Schema)
        except (pa.ArrowException, OSError, ValueError, MemoryError):
            raise damaged from None
        yield Table(columns_of(schema), _rows(content, batches, sampling))


def _batches(content: Content, is_file: bool) -> Iterator[pa.Schema | pa.RecordBatch]:
    source = pa.PythonFile(content.file(), mode="r")
    if is_file:
        file = ipc.open_file(source)
        yield file.schema
        for index in range(file.num_record_batches):
            yield file.get_batch(index)
    else:
        stream = ipc.open_stream(source)
        yield stream.schema
        yield from stream


def _rows(
    content: Content, batches: Iterator[pa.Schema | pa.RecordBatch], sampling: Sampling
) -> Iterator[pa.RecordBatch]:
    left = sampling.rows
    try:
        for batch in batches:
            assert isinstance(batch, pa.RecordBatch)
            batch.validate(full=True)  # a damaged offset would be read as an address
            for start in range(0, min(batch.num_rows, left), BATCH):
                yield short_values(batch.slice(start, min(BATCH, left - start)), sampling.value_bytes)
            left -= batch.num_rows
            if left <= 0:
                return
    except (pa.ArrowException, OSError, ValueError, MemoryError, UnicodeDecodeError):
        raise content.unreadable("damaged-arrow", "is a damaged Arrow file", "write it again") from None


FORMAT = Arrow()
