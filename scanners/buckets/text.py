"""Text in objects: its lines, one by one."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from typing import TypeVar

from inventory.errors import InventoryError
from scanners.buckets.content import Content

#: A longer line is no line; nothing that people or programs write as one record comes near.
LONGEST_LINE = 4 * 2**20

Row = TypeVar("Row")


def lines(content: Content) -> Iterator[str]:
    """The content's lines without their ends. The last one is left out when the content is only a part.

    NUL bytes are dropped and what the encoding does not know is replaced, each with a remark.
    """
    encoding = content.head.encoding
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
