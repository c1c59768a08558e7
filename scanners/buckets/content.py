"""The content of one object as a format reads it: compression taken off, and never more than a bounded part of it."""

from __future__ import annotations

import io
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from inventory.errors import UnreadableError
from scanners.buckets.grouping import split_suffix

#: What the formats see when they are asked whether an object is theirs.
HEAD = 64 * 2**10
_CHUNK = 2**20
_GZIP = b"\x1f\x8b"
#: DEFLATE's own limit is 1032:1; logs reach 50:1.
MOST_RATIO = 500
#: Less output than this is no bomb.
_HARMLESS = 2**20

#: Bytes from an offset to another (exclusive).
ReadRange = Callable[[int, int], bytes]


@dataclass(frozen=True, slots=True)
class Head:
    """The first bytes of the content, and what its name says it is."""

    data: bytes
    complete: bool  # it is the whole content
    suffix: str  # ".csv", in lower case and without the compression's


class Content:
    """One object's content. `chunks` can be taken once; `file` any number of times.

    `source` names it in messages (its dataset's name: a key may hold personal data). `remarks` counts what was amiss
    and could be read nevertheless, by code and cause.
    """

    def __init__(self, source: str, key: str, size: int, read: ReadRange, limit: int) -> None:
        self.source = source
        self.size = size
        self.limit = limit
        self.cut = False  # reading stopped at the limit, so that the end is missing
        self.remarks: Counter[tuple[str, str]] = Counter()
        self._read = read
        start = read(0, min(size, HEAD, limit))  # UnreadableError when there is nothing to read
        self.compressed = start[:2] == _GZIP
        chunks = self._raw(start)
        self._stream = _Peekable(self._bounded(self._gunzip(chunks) if self.compressed else chunks))
        data = self._stream.peek(HEAD)
        self.head = Head(data[:HEAD], self._is_complete(len(data)), _suffix(key))

    def chunks(self) -> Iterator[bytes]:
        """The content from its beginning; UnreadableError where it breaks off."""
        return iter(self._stream)

    def file(self) -> BinaryIO:
        """The content as a file that can be read anywhere, of which at most `limit` bytes are read."""
        if not self.compressed:
            return io.BufferedReader(_RangeFile(self), buffer_size=64 * 2**10)
        data = b"".join(self.chunks())
        if self.cut:
            raise self.unreadable("too-large", "is compressed as a whole and too large to read", "raise sampling.bytes")
        return io.BytesIO(data)

    def remark(self, code: str, cause: str) -> None:
        """Note something amiss that does not stop the reading."""
        self.remarks[code, cause] += 1

    def unreadable(self, code: str, cause: str, remedy: str = "") -> UnreadableError:
        """The error to raise when reading cannot go on. What broke the stream explains what is seen of it."""
        if self._stream.error is not None:
            return self._stream.error
        return UnreadableError(self.source, cause, remedy, code)

    def read_range(self, start: int, end: int) -> bytes:
        """Stored bytes, as they are."""
        return self._read(start, min(end, self.size))

    def _is_complete(self, ahead: int) -> bool:
        return ahead <= HEAD and (self._stream.exhausted or (not self.compressed and ahead == self.size))

    def _raw(self, start: bytes) -> Iterator[bytes]:
        yield start
        position = len(start)
        while position < self.size:
            if position >= self.limit:
                self.cut = True
                return
            chunk = self._read(position, min(position + _CHUNK, self.size, self.limit))
            if not chunk:
                raise self.unreadable("truncated", "is shorter than the listing says", "scan again")
            position += len(chunk)
            yield chunk

    def _bounded(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        left = self.limit
        for chunk in chunks:
            yield chunk[:left]
            if len(chunk) > left:
                self.cut = True
                return
            left -= len(chunk)

    def _gunzip(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """The members of a gzip file (RFC 1952), one after another."""
        member = zlib.decompressobj(wbits=31)
        taken = given = 0
        for chunk in chunks:
            taken += len(chunk)
            data = chunk
            while data:
                try:
                    out = member.decompress(data, _CHUNK)
                except zlib.error:
                    raise self.unreadable("corrupt-gzip", "is a damaged gzip file", "write it again") from None
                given += len(out)
                if given >= _HARMLESS and given > MOST_RATIO * (taken - len(member.unconsumed_tail)):
                    raise self.unreadable("bomb", "unpacks to far more than any log or table does; it was not read")
                if out:
                    yield out
                data = member.unconsumed_tail
                if member.eof:
                    data = member.unused_data.lstrip(b"\0")
                    if data and not data.startswith(_GZIP[:1]):
                        return  # gzip itself ignores what follows the last member
                    if data:
                        member = zlib.decompressobj(wbits=31)
        if not member.eof and not self.cut:
            raise self.unreadable("truncated-gzip", "is a gzip file that breaks off", "write it again")


class _Peekable:
    """A stream of chunks that can be looked at before it is taken; an error comes where it belongs."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._ahead: list[bytes] = []
        self.error: UnreadableError | None = None
        self.exhausted = False

    def peek(self, size: int) -> bytes:
        """At least `size` bytes from the beginning, if there are as many before the end or an error."""
        while sum(map(len, self._ahead)) < size and not self.exhausted and self.error is None:
            try:
                self._ahead.append(next(self._chunks))
            except StopIteration:
                self.exhausted = True
            except UnreadableError as error:
                self.error = error
        return b"".join(self._ahead)

    def __iter__(self) -> Iterator[bytes]:
        while self._ahead:
            yield self._ahead.pop(0)
        if self.error is not None:
            raise self.error
        if not self.exhausted:
            yield from self._chunks


class _RangeFile(io.RawIOBase):
    """The stored object as a file, read by ranges."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._position = 0
        self._left = content.limit

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._content.size}[whence]
        self._position = max(base + offset, 0)
        return self._position

    def readinto(self, buffer: memoryview, /) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        wanted = min(len(buffer), max(self._content.size - self._position, 0))
        if wanted > self._left:
            raise self._content.unreadable("too-large", "needs more bytes than may be read", "raise sampling.bytes")
        data = self._content.read_range(self._position, self._position + wanted)
        buffer[: len(data)] = data
        self._position += len(data)
        self._left -= len(data)
        return len(data)


def _suffix(key: str) -> str:
    suffix = split_suffix(key.rsplit("/", 1)[-1])[1].lower()
    return suffix.removesuffix(".gz")
