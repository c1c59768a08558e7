"""The members of a ZIP archive by the headers before them: for an archive that breaks off, and so has no directory."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from zipfile import ZIP_DEFLATED, ZIP_STORED

from inventory.errors import UnreadableError
from scanners.buckets.compression import HARMLESS, MOST_RATIO, Broken, inflate
from scanners.buckets.content import Content
from scanners.buckets.formats.members import Member

#: Signature, version, flags, method, time, date, checksum, packed size, size, lengths of name and extra field.
_HEADER = struct.Struct("<4s5H3I2H")
_SIGNATURE = b"PK\x03\x04"
_ENCRYPTED, _SIZES_FOLLOW, _IN_UTF8 = 1, 8, 2048
_LONGEST_DESCRIPTOR = 24
_RAW = -15
_CHUNK = 2**18


@dataclass(frozen=True, slots=True)
class _Found:
    """Where a member's packed bytes are; `end` is None when they go beyond what is there."""

    name: str
    method: int
    start: int
    end: int | None


def members_before(content: Content, data: bytes) -> list[Member]:
    """Those that begin in `data`, which is the beginning of an archive; the last one may be a part of one.

    Only what is stored or deflated is read, and nothing behind a member of which nobody knows where it ends.
    """
    return [
        Member(each.name, (each.end or len(data)) - each.start, _bytes_of(content, data, each), each.end is None)
        for each in _found(data)
        if not each.name.endswith("/")
    ]


def _found(data: bytes) -> Iterator[_Found]:
    place: int | None = 0
    while place is not None and place + _HEADER.size <= len(data):
        signature, _, flags, method, _, _, _, packed, _, named, extra = _HEADER.unpack_from(data, place)
        start = place + _HEADER.size + named + extra
        if signature != _SIGNATURE or flags & _ENCRYPTED or method not in (ZIP_STORED, ZIP_DEFLATED):
            return
        name = data[place + _HEADER.size : place + _HEADER.size + named]
        end = start + packed if packed or not flags & _SIZES_FOLLOW else _end_of(data, start, method)
        end = end if end is not None and end <= len(data) else None
        if start < len(data):
            yield _Found(name.decode("utf-8" if flags & _IN_UTF8 else "cp437", "replace"), method, start, end)
        place = end if end is None or not flags & _SIZES_FOLLOW else _next(data, end)


def _end_of(data: bytes, start: int, method: int) -> int | None:
    """Where a deflated member of unknown size ends: nothing but unpacking it tells. None when it does not, or never."""
    if method != ZIP_DEFLATED:
        return None
    unpacking, given, place = zlib.decompressobj(_RAW), 0, start
    try:
        while place < len(data) and not unpacking.eof:
            packed = data[place : place + _CHUNK]
            place += len(packed)
            while packed and not unpacking.eof:
                given += len(unpacking.decompress(packed, _CHUNK))
                packed = unpacking.unconsumed_tail
                if given > max(HARMLESS, MOST_RATIO * (place - start)):
                    return None
    except zlib.error:
        return None
    return place - len(unpacking.unused_data) if unpacking.eof else None


def _next(data: bytes, end: int) -> int | None:
    """Behind the sizes that follow a member."""
    found = data.find(_SIGNATURE, end, end + _LONGEST_DESCRIPTOR + len(_SIGNATURE))
    return None if found < 0 else found


def _bytes_of(content: Content, data: bytes, found: _Found) -> Iterator[bytes]:
    packed = iter([data[found.start : found.end]])
    try:
        yield from packed if found.method == ZIP_STORED else inflate(packed)
    except Broken as broken:
        if not (broken.early and found.end is None):
            raise UnreadableError(content.source, broken.cause, broken.remedy, broken.code) from None
