"""CSV and its kin: delimiter, encoding and header are found in the content."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scanners.base import Sampling
from scanners.buckets.content import Content
from scanners.buckets.formats.header import column_names, header_of
from scanners.buckets.formats.interface import BATCH, Recognition, Table
from scanners.buckets.text import batches_of, lines
from scanners.detection.interface import ColumnContext
from scanners.records import cut, text_batch

_DELIMITERS = ",;\t|"
_SNIFFED = 50
#: Without a suffix that says so, this many lines must agree before a text is a table.
_FEWEST_LINES = 3
_MOST_COLUMNS = 4096


@dataclass(frozen=True, slots=True)
class Delimited:
    """Delimiter-separated values (RFC 4180, and what spreadsheets make of it)."""

    name: str = "csv"
    suffixes: frozenset[str] = frozenset({".csv", ".tsv", ".tab", ".psv"})

    def recognises(self, content: Content) -> Recognition:
        """The first lines have the same number of fields, two at least."""
        named = content.head.suffix in self.suffixes
        first = content.head.lines[:_SNIFFED]
        enough = len(first) >= (1 if named else _FEWEST_LINES) and content.head.suffix != ".log"
        if enough and _delimiter_of(first, least_agreement=0.5 if named else 0.95):
            return Recognition.CONTENT if named else Recognition.LIKELY
        return Recognition.NAME if named else Recognition.NO

    def open(self, content: Content, sampling: Sampling) -> Iterator[Table]:
        """Columns by the header's names, or `column_1`, `column_2`, … when there is none."""
        first = content.head.lines[:_SNIFFED]
        delimiter = _delimiter_of(first, least_agreement=0.5) or (
            "\t" if content.head.suffix in (".tsv", ".tab") else ","
        )
        sample = _parsed(first, delimiter)
        header = header_of(sample)
        width = min(max((len(row) for row in sample), default=1), _MOST_COLUMNS)
        names = column_names(header, width)
        rows = _rows(content, delimiter, len(names), sampling.value_bytes, skip=1 if header else 0)
        batches = (text_batch(names, batch) for batch in batches_of(rows, min(BATCH, sampling.rows)))
        yield Table(tuple(ColumnContext(name, "string") for name in names), batches)


def _delimiter_of(first: Sequence[str], least_agreement: float) -> str:
    """The delimiter by which most lines have the same number of fields (two or more); "" when none does."""
    best, best_score = "", (0.0, 0)
    for delimiter in _DELIMITERS:
        widths = Counter(len(row) for row in _parsed(first, delimiter))
        if not widths:
            continue
        width, agreeing = max(widths.items(), key=lambda entry: (entry[1], entry[0]))
        score = (agreeing / sum(widths.values()), width)
        if width >= 2 and score[0] >= least_agreement and score > best_score:
            best, best_score = delimiter, score
    return best


def _parsed(first: Sequence[str], delimiter: str) -> list[list[str]]:
    try:
        rows = [row for row in csv.reader((line + "\n" for line in first), delimiter=delimiter) if row]
    except csv.Error:
        return []
    return rows


def _rows(content: Content, delimiter: str, width: int, value_bytes: int, skip: int) -> Iterator[list[str | None]]:
    reader = csv.reader((line + "\n" for line in lines(content)), delimiter=delimiter)
    try:
        for row in reader:
            if not row:
                continue
            if skip:
                skip -= 1
                continue
            if len(row) > width:
                content.remark("ragged", "holds rows with more fields than the first ones, which were cut")
            cells: list[str | None] = [cut(cell, value_bytes) if cell else None for cell in row[:width]]
            yield cells + [None] * (width - len(cells))
    except csv.Error:
        raise content.unreadable("malformed-csv", "holds a field without an end (a quotation mark too many?)") from None


FORMAT = Delimited()
