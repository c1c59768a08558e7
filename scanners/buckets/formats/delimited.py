"""CSV and its kin: delimiter, encoding and header are found in the content."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from scanners.base import Sampling
from scanners.buckets.content import Content
from scanners.buckets.formats.header import column_names, header_of
from scanners.buckets.formats.interface import BATCH, Recognition, Table
from scanners.buckets.text import batches_of, lines
from scanners.detection.interface import ColumnContext
from scanners.records import cut, text_batch

_DELIMITERS = ",;\t|"
#: The first line by which Excel is told the delimiter.
_TOLD = re.compile(r"sep=(.)", re.IGNORECASE)
#: A quotation mark inside a quoted field by a backslash, as Spark and MySQL write it.
_ESCAPED = re.compile(r'[^"\\]\\"')
_SINGLE_QUOTED = re.compile(r"(?:^|[,;\t|])'[^'\"]*'(?=$|[,;\t|])", re.MULTILINE)
_SNIFFED = 50
#: Without a suffix that says so, this many lines must agree before a text is a table.
_FEWEST_LINES = 3
_MOST_COLUMNS = 4096


@dataclass(frozen=True, slots=True)
class _Dialect:
    """How fields are told apart, beside the ways of RFC 4180."""

    delimiter: str
    quote: str = '"'
    escape: str | None = None
    told: bool = False  # by a first line that is no record

    def rows(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """The fields of each record; raises csv.Error."""
        whole = (line + "\n" for line in lines)
        if self.told:
            next(whole, None)
        return csv.reader(whole, delimiter=self.delimiter, quotechar=self.quote, escapechar=self.escape)


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
        if enough and _dialect_of(first, least_agreement=0.5 if named else 0.95):
            return Recognition.CONTENT if named else Recognition.LIKELY
        return Recognition.NAME if named else Recognition.NO

    def open(self, content: Content, sampling: Sampling) -> Iterator[Table]:
        """Columns by the header's names, or `column_1`, `column_2`, … when there is none."""
        first = content.head.lines[:_SNIFFED]
        usual = "\t" if content.head.suffix in (".tsv", ".tab") else ","
        dialect = _dialect_of(first, least_agreement=0.5) or _Dialect(usual)
        sample = _parsed(first, dialect)
        header = header_of(sample)
        width = min(max((len(row) for row in sample), default=1), _MOST_COLUMNS)
        names = column_names(header, width)
        rows = _rows(content, dialect, len(names), sampling.value_bytes, skip=1 if header else 0)
        batches = (text_batch(names, batch) for batch in batches_of(rows, min(BATCH, sampling.rows)))
        yield Table(tuple(ColumnContext(name, "string") for name in names), batches)


def _dialect_of(first: Sequence[str], least_agreement: float) -> _Dialect | None:
    """The one by which most lines have the same number of fields (two or more); None when none does."""
    told = _TOLD.fullmatch(first[0]) if first else None
    text = "\n".join(first)
    escape = "\\" if _ESCAPED.search(text) else None
    quote = "'" if len(_SINGLE_QUOTED.findall(text)) > text.count('"') else '"'
    best: _Dialect | None = None
    best_score = (0.0, 0)
    for delimiter in told.group(1) if told else _DELIMITERS:
        dialect = _Dialect(delimiter, quote, escape, told is not None)
        widths = Counter(len(row) for row in _parsed(first, dialect))
        if not widths:
            continue
        width, agreeing = max(widths.items(), key=lambda entry: (entry[1], entry[0]))
        score = (agreeing / sum(widths.values()), width)
        if width >= 2 and score[0] >= least_agreement and score > best_score:
            best, best_score = dialect, score
    return best


def _parsed(first: Sequence[str], dialect: _Dialect) -> list[list[str]]:
    try:
        return [row for row in dialect.rows(first) if row]
    except csv.Error:
        return []


def _rows(content: Content, dialect: _Dialect, width: int, value_bytes: int, skip: int) -> Iterator[list[str | None]]:
    reader = dialect.rows(lines(content))
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
