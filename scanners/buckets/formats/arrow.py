"""Arrow IPC, files and streams; Feather (version 2) is the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
from pyarrow import ipc

from inventory.errors import InventoryError
from scanners.base import Sampling
from scanners.buckets.compression import HARMLESS, MOST_RATIO
from scanners.buckets.content import Content
from scanners.buckets.formats.arrow_message import unpacked_size
from scanners.buckets.formats.columnar import columns_of, short_values
from scanners.buckets.formats.interface import BATCH, Recognition, Table
from scanners.buckets.streams import ChunkFile

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
    """The schema, then the batches. A file is a stream between two marks, and is read as that is, without its footer:
    so each message can be looked at before it is unpacked."""
    file = content.file()
    if is_file:
        file.seek(len(_FILE))
    checked = ChunkFile(_checked(content, ipc.MessageReader.open_stream(pa.PythonFile(file, mode="r"))))
    try:
        stream = ipc.open_stream(pa.PythonFile(checked, mode="r"))
        yield stream.schema
        yield from stream
    except (pa.ArrowException, OSError, ValueError):
        if isinstance(checked.error, InventoryError):
            raise checked.error from None
        raise


def _checked(content: Content, messages: ipc.MessageReader) -> Iterator[bytes]:
    """The messages as they are written; UnreadableError for one that claims to unpack to far more than any table."""
    for message in messages:
        body = message.body
        claimed = unpacked_size(message.metadata, body) if body is not None else 0
        if body is not None and claimed > HARMLESS and claimed > MOST_RATIO * body.size:
            raise content.unreadable("bomb", "unpacks to far more than any table does; it was not read")
        yield message.serialize().to_pybytes()


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
