"""Compressions that wrap a whole content: known by their first bytes, taken off as a stream, bombs refused.

The output comes in pieces of at most a few MiB, whatever a file claims, and a file that unpacks to far more than any
log or table does is refused as soon as that shows.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

import pyarrow as pa

from inventory.errors import InventoryError
from scanners.buckets.streams import ChunkFile

#: DEFLATE's own limit is 1032:1; logs reach 50:1.
MOST_RATIO = 500
#: Less output than this is no bomb.
HARMLESS = 2**20
_CHUNK = 2**20
_XZ_MEMORY = 256 * 2**20
#: zlib's word for DEFLATE without a header.
_RAW = -15


class Broken(Exception):
    """A compressed content that cannot be unpacked: `early` when it only breaks off."""

    def __init__(self, code: str, cause: str, remedy: str = "write it again", *, early: bool = False) -> None:
        super().__init__(cause)
        self.code, self.cause, self.remedy, self.early = code, cause, remedy, early


@dataclass(frozen=True, slots=True)
class Wrapper:
    """One compression: how it begins and how it is taken off."""

    name: str
    begins: Callable[[bytes], bool]
    unpack: Callable[[Iterator[bytes]], Iterator[bytes]]


def wrapper_of(head: bytes) -> Wrapper | None:
    """The compression of a content that begins so (16 bytes are enough), or None."""
    return next((wrapper for wrapper in _WRAPPERS if wrapper.begins(head)), None)


class _Ratio:
    """Watches how much comes out for what went in."""

    def __init__(self) -> None:
        self.taken = 0
        self.given = 0

    def give(self, out: bytes, waiting: int = 0) -> bytes:
        """`out`, unless that is too much for what was taken (without the `waiting` bytes); raises Broken."""
        self.given += len(out)
        if self.given >= HARMLESS and self.given > MOST_RATIO * (self.taken - waiting):
            raise Broken("bomb", "unpacks to far more than any log or table does; it was not read", "")
        return out


def inflate(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Raw DEFLATE (RFC 1951)."""
    return _zlib(chunks, _RAW, "deflate")


def _gunzip(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The members of a gzip file (RFC 1952), one after another."""
    return _zlib(chunks, 31, "gzip")


def _zlib(chunks: Iterator[bytes], wbits: int, name: str) -> Iterator[bytes]:
    member = zlib.decompressobj(wbits=wbits)
    ratio = _Ratio()
    for chunk in chunks:
        ratio.taken += len(chunk)
        data = chunk
        while data:
            try:
                out = member.decompress(data, _CHUNK)
            except zlib.error:
                raise Broken(f"corrupt-{name}", f"is a damaged {name} file") from None
            if out:
                yield ratio.give(out, len(member.unconsumed_tail))
            data = member.unconsumed_tail
            if member.eof:
                data = member.unused_data.lstrip(b"\0")
                if wbits == _RAW or (data and not data.startswith(b"\x1f")):
                    return  # gzip itself ignores what follows the last member
                if data:
                    member = zlib.decompressobj(wbits=wbits)
    if not member.eof:
        raise Broken(f"truncated-{name}", f"is a {name} file that breaks off", early=True)


class _Decompressor(Protocol):
    """What bz2's and lzma's have in common."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


def _streams(chunks: Iterator[bytes], new: Callable[[], _Decompressor], name: str, first: bytes) -> Iterator[bytes]:
    """The streams of a file, one after another, each beginning with the byte `first`."""
    stream: _Decompressor | None = None
    ratio = _Ratio()
    for chunk in chunks:
        ratio.taken += len(chunk)
        data = chunk
        while data or (stream is not None and not stream.needs_input):
            if stream is None:
                data = data.lstrip(b"\0")
                if not data.startswith(first):
                    if data:
                        return
                    break
                stream = new()
            try:
                out = stream.decompress(data, _CHUNK)
            except (OSError, ValueError, EOFError, MemoryError, lzma.LZMAError):
                raise Broken(f"corrupt-{name}", f"is a damaged {name} file") from None
            if out:
                yield ratio.give(out)
            data = b""
            if stream.eof:
                data, stream = stream.unused_data, None
    if stream is not None:
        raise Broken(f"truncated-{name}", f"is a {name} file that breaks off", early=True)


def _bunzip(chunks: Iterator[bytes]) -> Iterator[bytes]:
    return _streams(chunks, bz2.BZ2Decompressor, "bzip2", b"B")


def _unxz(chunks: Iterator[bytes]) -> Iterator[bytes]:
    return _streams(chunks, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, _XZ_MEMORY), "xz", b"\xfd")


def _by_arrow(chunks: Iterator[bytes], codec: Literal["zstd", "lz4"]) -> Iterator[bytes]:
    ratio = _Ratio()
    file = ChunkFile(chunks)
    try:
        stream = pa.CompressedInputStream(pa.PythonFile(file, mode="r"), codec)
        while out := stream.read(_CHUNK):
            ratio.taken = file.taken
            yield ratio.give(out)
    except (pa.ArrowException, OSError, InventoryError) as error:
        if file.error is not None:
            raise file.error from None
        early = "runcated" in str(error)
        code, how = ("truncated", "that breaks off") if early else ("corrupt", "that is damaged")
        raise Broken(f"{code}-{codec}", f"is a {codec} file {how}", early=early) from None


def _unzstd(chunks: Iterator[bytes]) -> Iterator[bytes]:
    return _by_arrow(chunks, "zstd")


def _unlz4(chunks: Iterator[bytes]) -> Iterator[bytes]:
    return _by_arrow(chunks, "lz4")


_BZIP2_BLOCKS = (b"1AY&SY", b"\x17rE8P\x90")

_WRAPPERS = (
    Wrapper("gzip", lambda head: head.startswith(b"\x1f\x8b"), _gunzip),
    Wrapper("bzip2", lambda head: head.startswith(b"BZh") and head[4:10] in _BZIP2_BLOCKS, _bunzip),
    Wrapper("xz", lambda head: head.startswith(b"\xfd7zXZ\0"), _unxz),
    Wrapper("zstd", lambda head: head.startswith(b"\x28\xb5\x2f\xfd"), _unzstd),
    Wrapper("lz4", lambda head: head.startswith(b"\x04\x22\x4d\x18"), _unlz4),
)
