"""ZIP archives, and what formats that are ZIP archives inside share: bounds that hold whatever an archive claims."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

from inventory.errors import UnreadableError
from scanners.base import Sampling
from scanners.buckets.compression import HARMLESS, MOST_RATIO
from scanners.buckets.content import Content
from scanners.buckets.formats.damage import damaged
from scanners.buckets.formats.interface import Recognition, Table
from scanners.buckets.formats.members import Member, tables_of_members
from scanners.buckets.formats.zip_headers import members_before

MAGIC = b"PK\x03\x04"
_CHUNK = 2**18
#: The directory at the end is read as a whole: this is some 40,000 members.
_LONGEST_DIRECTORY = 4 * 2**20
_END = b"PK\x05\x06"
_END_SIZE = 22
_LONGEST_COMMENT = 2**16
#: LZMA may want gigabytes of memory; nobody uses it in ZIP archives.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)
_ENCRYPTED = 1
_File = io.BufferedReader | io.BytesIO


@dataclass(frozen=True, slots=True)
class Zip:
    """ZIP (PKWARE's APPNOTE): each group of like-named members is a table, or more by their own format."""

    name: str = "zip"
    suffixes: frozenset[str] = frozenset({".zip"})

    def recognises(self, content: Content) -> Recognition:
        """By the magic of its first member."""
        return Recognition.MAGIC if content.head.data.startswith(MAGIC) else Recognition.NO

    def open(self, content: Content, sampling: Sampling) -> Iterator[Table]:
        """The tables of its members; of an archive that breaks off, of those that stand before that."""
        file = content.file()
        size = file.seek(0, io.SEEK_END)
        if _end_place(_tail(file, size)) < 0:
            yield from _tables_before_the_break(content, file, size, sampling)
            return
        archive = opened(content, file)
        infos = [info for info in archive.infolist() if not info.is_dir()]
        members = [Member(info.filename, info.file_size, _bytes_of(content, archive, info)) for info in infos]
        yield from tables_of_members(content, members, sampling)


def _tables_before_the_break(content: Content, file: _File, size: int, sampling: Sampling) -> Iterator[Table]:
    file.seek(0)
    # Half of what may be read: the end was looked at as well.
    members = members_before(content, file.read(min(size, content.limit // 2)))
    if not members:
        raise content.unreadable("damaged-zip", "is a damaged ZIP archive")
    yield from tables_of_members(content, members, sampling)
    cause = "is a ZIP archive that breaks off; what stands before that was read"
    raise content.unreadable("truncated-zip", cause, "write it again")


def opened(content: Content, file: _File | None = None) -> zipfile.ZipFile:
    """The archive's directory, refused when it is damaged, too long, or claims what no archive can hold."""
    file = file or content.file()
    size = file.seek(0, io.SEEK_END)
    with damaged(content, "damaged-zip", "is a damaged ZIP archive"):
        if _directory_size(file, size) > _LONGEST_DIRECTORY:
            raise content.unreadable("too-large", "is an archive of too many members", "archive fewer files together")
        archive = zipfile.ZipFile(file)
    claimed = sum(info.file_size for info in archive.infolist())
    if claimed > HARMLESS and claimed > MOST_RATIO * size:
        raise content.unreadable("bomb", "unpacks to far more than any log or table does; it was not read")
    return archive


def _directory_size(file: _File, size: int) -> int:
    tail = _tail(file, size)
    place = _end_place(tail)
    # 0xFFFFFFFF says that a 64-bit record before it knows: archives of so many members are refused by this alone.
    return int.from_bytes(tail[place + 12 : place + 16], "little") if place >= 0 else 0


def _tail(file: _File, size: int) -> bytes:
    file.seek(max(size - _END_SIZE - _LONGEST_COMMENT, 0))
    return file.read()


def _end_place(tail: bytes) -> int:
    return tail.rfind(_END)


def _bytes_of(content: Content, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """The member's content. No more comes than its entry claims, and the entries together claim no bomb."""
    if info.flag_bits & _ENCRYPTED:
        raise UnreadableError(content.source, "holds members that are encrypted", "", "encrypted")
    if info.compress_type not in _METHODS:
        raise UnreadableError(content.source, "holds members in a compression that is not read", "", "unknown-codec")
    with damaged(content, "damaged-zip", "is a damaged ZIP archive"), archive.open(info) as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def part(content: Content, archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """The content of the member with this name; UnreadableError when there is none."""
    try:
        info = archive.getinfo(name)
    except KeyError:
        raise content.unreadable("damaged-zip", "lacks a part that such a document has", "write it again") from None
    return _bytes_of(content, archive, info)


FORMAT = Zip()
