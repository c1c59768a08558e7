"""PDF: the text of the first pages. Pages that are pictures of text have none."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

import pypdf

from scanners.base import Sampling
from scanners.buckets.content import Content
from scanners.buckets.formats.damage import damaged
from scanners.buckets.formats.interface import Recognition, Table
from scanners.buckets.text import batches_of
from scanners.detection.interface import ColumnContext
from scanners.records import cut, text_batch

_MAGIC = b"%PDF-"
#: A page takes some tens of milliseconds.
_MOST_PAGES = 50
_COLUMN = "text"

# What it logs of a damaged file holds pieces of it.
logging.getLogger("pypdf").setLevel(logging.CRITICAL + 1)


@dataclass(frozen=True, slots=True)
class Pdf:
    """PDF (ISO 32000)."""

    name: str = "pdf"
    suffixes: frozenset[str] = frozenset({".pdf"})

    def recognises(self, content: Content) -> Recognition:
        """By the magic in its first bytes."""
        if _MAGIC in content.head.data[:1024]:
            return Recognition.MAGIC
        return Recognition.NAME if content.head.suffix in self.suffixes else Recognition.NO

    def open(self, content: Content, sampling: Sampling) -> Iterator[Table]:
        """One row a page that has text."""
        rows = ((cut(text, sampling.value_bytes),) for text in _pages(content, min(sampling.rows, _MOST_PAGES)))
        batches = (text_batch((_COLUMN,), batch) for batch in batches_of(rows, _MOST_PAGES))
        yield Table((ColumnContext(_COLUMN, "string"),), batches)


def _pages(content: Content, most: int) -> Iterator[str]:
    with damaged(content, "damaged-pdf", "is a damaged PDF file"):
        reader = pypdf.PdfReader(content.file(), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise content.unreadable("encrypted", "is encrypted")
        for number in range(min(len(reader.pages), most)):
            text = reader.pages[number].extract_text().replace("\0", "").strip()
            if text:
                yield text.encode("utf-8", "replace").decode()


FORMAT = Pdf()
