"""Chunks of bytes as a file that is read once, from the beginning."""

from __future__ import annotations

import io
from collections.abc import Iterator


class ChunkFile(io.RawIOBase):
    """A file of chunks. `error` is what broke them (libraries in C lose it), `taken` how many bytes were read."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")
        self.error: Exception | None = None
        self.taken = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The next bytes, 0 at the end; raises what breaks the chunks."""
        try:
            while not self._rest:
                self._rest = memoryview(next(self._chunks))
        except StopIteration:
            return 0
        except Exception as error:
            self.error = error
            raise
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        self.taken += size
        return size
