"""Text in objects: which encoding it has, and its lines, one by one."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from typing import TypeVar

from inventory.errors import InventoryError
from scanners.buckets.content import Content

#: A longer line is no line; nothing that people or programs write as one record comes near.
LONGEST_LINE = 4 * 2**20

Row = TypeVar("Row")

_BYTE_ORDER_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
#: Control characters that no text holds (all but tab, line feed, form feed, carriage return and escape).
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\f\r\x1b\0"))
#: Share of controls or NUL bytes above which it is no text.
_MOST_CONTROLS = 0.02


def encoding_of(head: bytes) -> str:
    """The encoding of a text that begins so ("utf-8", "utf-16-le", "utf-16-be", "cp1252"), or "" when it is no text."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return encoding
    utf16 = _utf16_of(head)
    if utf16:
        return utf16
    odd = len(head) - len(head.translate(None, _CONTROLS + b"\0"))
    if not head or odd > _MOST_CONTROLS * len(head):
        return ""
    return "utf-8" if _is_mostly_utf8(head) else "cp1252" if _looks_western(head) else ""


def _utf16_of(head: bytes) -> str:
    """Without a mark, UTF-16 of mostly Latin text shows by its zeros: nearly all on one side."""
    pairs = len(head) // 2
    even, odd = head[0 : pairs * 2 : 2].count(0), head[1 : pairs * 2 : 2].count(0)
    if pairs >= 4 and odd > 0.6 * pairs and even < 0.05 * pairs:
        return "utf-16-le"
    if pairs >= 4 and even > 0.6 * pairs and odd < 0.05 * pairs:
        return "utf-16-be"
    return ""


def _is_mostly_utf8(head: bytes) -> bool:
    """Valid, or with more characters beyond ASCII that are valid than bytes that are not (a damaged file)."""
    good = bad = 0
    text = head.decode("utf-8", "surrogateescape")
    for character in text:
        if "\udc80" <= character <= "\udcff":
            bad += 1
        elif character > "\x7f":
            good += 1
    if bad and not text[-1].isascii() and bad <= 3 and len(head) > 3:
        tail = sum(1 for c in text[-3:] if "\udc80" <= c <= "\udcff")
        bad -= tail  # a character cut at the end of the head
    return bad == 0 or good > bad


def _looks_western(head: bytes) -> bool:
    """Windows-1252 or Latin-1: what is beyond ASCII is mostly letters, and all of it is defined."""
    beyond = [byte for byte in head if byte > 0x7F]
    letters = sum(1 for byte in beyond if byte >= 0xC0 and byte not in (0xD7, 0xF7))
    undefined = sum(1 for byte in beyond if byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D))
    return undefined == 0 and letters >= 0.7 * len(beyond) and len(beyond) < 0.3 * len(head)


def lines(content: Content) -> Iterator[str]:
    """The content's lines without their ends. The last one is left out when the content is only a part.

    NUL bytes are dropped and what the encoding does not know is replaced, each with a remark.
    """
    encoding = encoding_of(content.head.data)
    if not encoding:
        raise content.unreadable("not-text", "is neither a known format nor text")
    raw = content.chunks()
    for line in _split(content, _as_utf8(raw, encoding) if encoding.startswith("utf-16") else raw):
        if b"\0" in line:
            content.remark("nul-bytes", "holds NUL bytes, which were dropped")
            line = line.replace(b"\0", b"")
        try:
            text = line.decode("cp1252" if encoding == "cp1252" else "utf-8")
        except UnicodeDecodeError:
            content.remark("invalid-encoding", f"holds bytes that are not {encoding.upper()}, which were replaced")
            text = line.decode("cp1252" if encoding == "cp1252" else "utf-8", "replace")
        yield text


def _as_utf8(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for chunk in chunks:
        yield decoder.decode(chunk).encode()


def _split(content: Content, chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    first, found = True, False
    for chunk in chunks:
        if first:
            chunk, first = chunk.removeprefix(codecs.BOM_UTF8), False
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            found = True
            yield line.removesuffix(b"\r")
        if len(rest) > LONGEST_LINE:
            raise content.unreadable("endless-line", f"holds a line longer than {LONGEST_LINE // 2**20} MiB")
    if rest and content.cut and not found:
        raise content.unreadable(
            "endless-line", "holds no end of a line within what may be read", "raise sampling.bytes"
        )
    if rest and not content.cut:
        yield rest.removesuffix(b"\r")


def head_lines(content: Content) -> list[str]:
    """The whole lines at the content's beginning; none when it is no text."""
    encoding = encoding_of(content.head.data)
    if not encoding:
        return []
    text = content.head.data.decode(encoding, "replace").removeprefix("\ufeff").replace("\0", "")
    found = [line.removesuffix("\r") for line in text.split("\n")]
    return [line for line in (found if content.head.complete or len(found) == 1 else found[:-1]) if line.strip()]


def batches_of(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    """The rows in lists of `size`; what came before an error comes before the error."""
    batch: list[Row] = []
    try:
        for row in rows:
            batch.append(row)
            if len(batch) >= size:
                yield batch
                batch = []
    except InventoryError:
        if batch:
            yield batch
        raise
    if batch:
        yield batch
