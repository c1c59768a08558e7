"""The content of one object as a format reads it: compression taken off, and never more than a bounded part of it."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from inventory.errors import UnreadableError
from scanners.buckets.compression import Broken, wrapper_of
from scanners.buckets.encoding import encoding_of
from scanners.buckets.grouping import split_suffix

#: What the formats see when they are asked whether an object is theirs.
HEAD = 64 * 2**10
#: Bytes of one range read after that.
CHUNK = 2**20
#: What is packed in what is packed: compressions and archives inside one another.
MOST_NESTED = 5
#: All that is unpacked from one object (the members of an archive together), in times of the limit.
_MOST_UNPACKED = 8

#: Bytes from an offset to another (exclusive).
ReadRange = Callable[[int, int], bytes]


@dataclass(frozen=True)
class Head:
    """The first bytes of the content, and what its name says it is. All formats look at it, so it is decoded once."""

    data: bytes
    complete: bool  # it is the whole content
    suffix: str  # ".csv", in lower case and without the compression's

    @cached_property
    def encoding(self) -> str:
        """Of a text that begins so, "" when it is no text."""
        return encoding_of(self.data)

    @cached_property
    def lines(self) -> list[str]:
        """The whole lines that are not blank; none when it is no text."""
        if not self.encoding:
            return []
        text = self.data.decode(self.encoding, "replace").removeprefix("\ufeff").replace("\0", "")
        found = [line.removesuffix("\r") for line in text.split("\n")]
        return [line for line in (found if self.complete or len(found) == 1 else found[:-1]) if line.strip()]


@dataclass(slots=True)
class _Allowance:
    """How many more bytes may be unpacked from one stored object."""

    left: int


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
        self._read: ReadRange | None = read
        self._depth = 0
        self._allowance = _Allowance(limit * _MOST_UNPACKED)
        start = read(0, min(size, HEAD, limit))  # UnreadableError when there is nothing to read
        self._begin(key, self._raw(start))

    def member(self, key: str, chunks: Iterator[bytes], *, cut: bool = False) -> Content:
        """What is packed in this content under a name of its own, read from `chunks`; remarks are made here.

        `cut` says that the end is missing because reading stopped, and not for a fault of the content's.
        """
        inner = object.__new__(Content)
        inner.source, inner.limit, inner.size = self.source, self.limit, -1
        inner.cut = cut
        inner.remarks = self.remarks
        inner._read = None
        inner._depth = self._depth + 1
        inner._allowance = self._allowance
        inner._begin(key, chunks)
        return inner

    def _begin(self, key: str, chunks: Iterator[bytes]) -> None:
        self._stream = _Peekable(self._bounded(chunks))
        self.compressed = False
        while (wrapper := wrapper_of(self._stream.peek(16))) is not None:
            self.compressed = True
            self._depth += 1
            self._refuse_depth()
            self._stream = _Peekable(self._bounded(self._unwrapped(wrapper.unpack, iter(self._stream))))
        self._refuse_depth()
        data = self._stream.peek(HEAD)
        self.head = Head(data[:HEAD], self._is_complete(len(data)), _suffix(key))

    def _refuse_depth(self) -> None:
        if self._depth > MOST_NESTED:
            raise UnreadableError(self.source, "is packed too many times over", "", "nested-too-deep")

    def chunks(self) -> Iterator[bytes]:
        """The content from its beginning; UnreadableError where it breaks off."""
        return iter(self._stream)

    def beginning(self) -> bytes:
        """As much of the content as may be read, at once; `cut` says whether that is not all."""
        return b"".join(self.chunks())

    def file(self) -> io.BufferedReader | io.BytesIO:
        """The content as a file that can be read anywhere, of which at most `limit` bytes are read."""
        if self._read is not None and not self.compressed:
            return io.BufferedReader(_RangeFile(self), buffer_size=64 * 2**10)
        data = self.beginning()
        if self.cut:
            raise self.unreadable("too-large", "is packed as a whole and too large to read", "raise sampling.bytes")
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
        assert self._read is not None
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
            chunk = self.read_range(position, min(position + CHUNK, self.limit))
            if not chunk:
                raise UnreadableError(self.source, "is shorter than the listing says", "scan again", "truncated")
            position += len(chunk)
            yield chunk

    def _bounded(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        left = self.limit
        for chunk in chunks:
            allowed = min(left, self._allowance.left)
            if allowed:
                yield chunk[:allowed]
            if len(chunk) > allowed:
                self.cut = True
                return
            left -= len(chunk)
            self._allowance.left -= len(chunk)

    def _unwrapped(
        self, unpack: Callable[[Iterator[bytes]], Iterator[bytes]], chunks: Iterator[bytes]
    ) -> Iterator[bytes]:
        try:
            yield from unpack(chunks)
        except Broken as broken:
            if broken.early and self.cut:
                return  # the end is missing because reading stopped
            raise UnreadableError(self.source, broken.cause, broken.remedy, broken.code) from None


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
    for wrapping in (".gz", ".bz2", ".xz", ".zst", ".lz4"):
        suffix = suffix.removesuffix(wrapping)
    return suffix
