"""How much a message of Arrow's IPC format unpacks to, by what it says of its buffers, before it is unpacked.

A message's metadata is a FlatBuffers table (flatbuffers.dev/internals; arrow's format/Message.fbs), of which only the
few places are read that lead to the buffers. Each compressed buffer begins with the size that it unpacks to.
"""

from __future__ import annotations

import struct

import pyarrow as pa

_U16, _I32, _I64 = (struct.Struct(f"<{letter}") for letter in "Hiq")
_DICTIONARY, _RECORDS = 2, 3  # kinds of messages that have buffers
#: Places of members in their tables: of a message, of a batch of dictionary entries, of a batch of records.
_KIND, _HEADER = 1, 2
_ENTRIES = 1
_BUFFERS, _COMPRESSION = 2, 3


def unpacked_size(metadata: pa.Buffer, body: pa.Buffer) -> int:
    """Bytes of all compressed buffers of the message once unpacked; 0 when none is compressed.

    Raises ValueError for metadata that is none.
    """
    try:
        return _unpacked_size(metadata.to_pybytes(), memoryview(body))
    except (struct.error, IndexError):
        raise ValueError("no metadata of a message") from None


def _unpacked_size(data: bytes, body: memoryview) -> int:
    message = _I32.unpack_from(data, 0)[0]
    kind_place = _member(data, message, _KIND)
    kind = data[kind_place] if kind_place else 0
    batch = _table(data, message, _HEADER) if kind in (_DICTIONARY, _RECORDS) else 0
    if batch and kind == _DICTIONARY:
        batch = _table(data, batch, _ENTRIES)
    if not batch or not _table(data, batch, _COMPRESSION):
        return 0
    vector = _table(data, batch, _BUFFERS)
    total = 0
    for index in range(_I32.unpack_from(data, vector)[0] if vector else 0):
        start, size = (_I64.unpack_from(data, vector + 4 + 16 * index + place)[0] for place in (0, 8))
        if size >= _I64.size:
            total += max(_I64.unpack_from(body, start)[0], 0)  # -1: this one is not compressed
    return total


def _member(data: bytes, table: int, number: int) -> int:
    """Where a member of a table is, 0 when it is left out."""
    members = table - _I32.unpack_from(data, table)[0]
    if 4 + 2 * number >= _U16.unpack_from(data, members)[0]:
        return 0
    offset = _U16.unpack_from(data, members + 4 + 2 * number)[0]
    return table + offset if offset else 0


def _table(data: bytes, table: int, number: int) -> int:
    """Where the table, or vector, is that a member refers to."""
    place = _member(data, table, number)
    return place + _I32.unpack_from(data, place)[0] if place else 0
