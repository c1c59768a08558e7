"""XLSX workbooks: every sheet with rows is a table, its fields `Sheet/column`."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

import openpyxl

from scanners.base import Sampling
from scanners.buckets.content import Content
from scanners.buckets.formats.damage import damaged
from scanners.buckets.formats.header import column_names, header_of
from scanners.buckets.formats.interface import BATCH, Recognition, Table
from scanners.buckets.formats.labelled import MOST_TABLES, plain
from scanners.buckets.formats.zipped import MAGIC, opened
from scanners.buckets.text import batches_of
from scanners.detection.interface import ColumnContext
from scanners.records import cut, text_batch

#: Rows in which a header is looked for.
_SNIFFED = 50
_MOST_COLUMNS = 4096
#: Rows that are gone through for those that are not blank: a sheet can claim a million of them in one line.
_MOST_BLANK = 20_000
#: What is read as a whole (strings that cells share, styles), in bytes; sheets are read row by row.
_LARGEST_PART = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Workbook:
    """Office Open XML workbooks (ECMA-376), as Excel, LibreOffice and Google Sheets write them."""

    name: str = "xlsx"
    suffixes: frozenset[str] = frozenset({".xlsx", ".xlsm"})

    def recognises(self, content: Content) -> Recognition:
        """A ZIP archive with a workbook in it."""
        if not content.head.data.startswith(MAGIC):
            return Recognition.NAME if content.head.suffix in self.suffixes else Recognition.NO
        inside = any(part in content.head.data for part in (b"xl/workbook.xml", b"xl/worksheets/", b"xl/_rels/"))
        return Recognition.EXACT if inside or content.head.suffix in self.suffixes else Recognition.NO

    def open(self, content: Content, sampling: Sampling) -> Iterator[Table]:
        """Sheet by sheet."""
        archive = opened(content)
        if any(i.file_size > _LARGEST_PART for i in archive.infolist() if not i.filename.startswith("xl/worksheets/")):
            raise content.unreadable("bomb", "holds a part that is far too large for a workbook; it was not read")
        assert archive.fp is not None
        with damaged(content, "damaged-xlsx", "is a damaged workbook"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # their texts hold values
            book = openpyxl.load_workbook(archive.fp, read_only=True, data_only=True, keep_links=False)
            for sheet in book.worksheets[:MOST_TABLES]:
                sheet.reset_dimensions()  # what it claims of its size may be wrong
                yield from _table(content, sheet.title, sheet.iter_rows(values_only=True), sampling)


def _table(content: Content, title: str, cells: Iterable[Iterable[object]], sampling: Sampling) -> Iterator[Table]:
    rows = _rows(content, cells, sampling.value_bytes)
    first = list(islice(rows, _SNIFFED))
    if not first:
        return
    header = header_of([[cell or "" for cell in row] for row in first])
    width = max(map(len, first))
    names = column_names(header, width)
    filled = (_filled(row, width) for row in chain(first[1:] if header else first, rows))
    batches = (text_batch(names, batch) for batch in batches_of(filled, min(BATCH, sampling.rows)))
    yield Table(tuple(ColumnContext(name, "string") for name in names), batches, title)


def _rows(content: Content, cells: Iterable[Iterable[object]], value_bytes: int) -> Iterator[list[str | None]]:
    """The rows that are not blank, each without the blanks at its end."""
    blank = 0
    with damaged(content, "damaged-xlsx", "is a damaged workbook"):
        for row in cells:
            texts = [_text(cell, value_bytes) for cell in islice(row, _MOST_COLUMNS)]
            while texts and texts[-1] is None:
                texts.pop()
            if texts:
                yield texts
            else:
                blank += 1
                if blank > _MOST_BLANK:
                    return


def _text(cell: object, value_bytes: int) -> str | None:
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    value = plain(cell)
    return None if value is None or value == "" else cut(str(value), value_bytes)


def _filled(row: list[str | None], width: int) -> list[str | None]:
    return [*row[:width], *[None] * (width - len(row))]


FORMAT = Workbook()
