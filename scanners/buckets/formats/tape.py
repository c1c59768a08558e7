"""tar archives: the members that lie within what may be read."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass

from scanners.base import Sampling
from scanners.buckets.content import Content
from scanners.buckets.formats.damage import damaged
from scanners.buckets.formats.interface import Recognition, Table
from scanners.buckets.formats.members import Member, tables_of_members

_MAGIC, _PLACE = b"ustar", 257
_MOST_MEMBERS = 40_000


@dataclass(frozen=True, slots=True)
class Tar:
    """tar (POSIX ustar and pax, GNU)."""

    name: str = "tar"
    suffixes: frozenset[str] = frozenset({".tar", ".tgz", ".tbz2", ".txz", ".tzst"})

    def recognises(self, content: Content) -> Recognition:
        """By the magic in its first header."""
        return Recognition.MAGIC if content.head.data[_PLACE:].startswith(_MAGIC) else Recognition.NO

    def open(self, content: Content, sampling: Sampling) -> Iterator[Table]:
        """The tables of its regular files. Links are not followed."""
        yield from tables_of_members(content, _members(content, content.beginning()), sampling)


def _members(content: Content, data: bytes) -> list[Member]:
    found: list[Member] = []
    with (
        damaged(content, "damaged-tar", "is a damaged tar archive"),
        tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive,
    ):
        try:
            while (info := archive.next()) is not None and len(found) < _MOST_MEMBERS:
                start, end = info.offset_data, info.offset_data + info.size
                if info.isreg() and not info.issparse() and start < len(data):
                    cut = content.cut and end > len(data)
                    found.append(Member(info.name, info.size, _bytes_of(data, start, end), cut))
        except tarfile.ReadError:
            if not content.cut:
                raise
    return found


def _bytes_of(data: bytes, start: int, end: int) -> Iterator[bytes]:
    yield data[start:end]


FORMAT = Tar()
