"""CSV and its kin: delimiter, encoding and header are found in the content."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scanners.base import Sampling
from scanners.buckets.content import Content
from scanners.buckets.formats.interface import BATCH, Recognition, Table
from scanners.buckets.text import batches_of, head_lines, lines
from scanners.detection.interface import ColumnContext
from scanners.records import cut, text_batch

_DELIMITERS = ",;\t|"
_SNIFFED = 50
#: Without a suffix that says so, this many lines must agree before a text is a table.
_FEWEST_LINES = 3
#: A header's names are short.
_LONGEST_NAME = 64
_MOST_COLUMNS = 4096

_NAME = re.compile(r"[^\W\d][\w .()#/:%$°'’-]*", re.UNICODE)
#: How programs and exports write names: `first_name`, `firstName`, `FIRST_NAME`, or one lower-case word.
_PROGRAM_NAME = re.compile(r"[a-z][a-z0-9]*(?:[_.-][a-z0-9]+)*|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[a-z]+(?:[A-Z][a-z0-9]*)+")
_HEADER_WORD = re.compile(
    r"\b(?:id|ids|uuid|key|ref|reference|name|nom|prenom|prénom|first|last|surname|email|e-mail|mail|courriel|phone|"
    r"telephone|téléphone|tel|tél|mobile|address|adresse|street|rue|city|ville|province|state|country|pays|postal|zip|"
    r"code|date|created|updated|time|timestamp|birth|naissance|age|âge|sex|gender|amount|montant|total|price|prix|"
    r"currency|status|statut|type|kind|category|description|note|notes|comment|title|titre|user|customer|client|"
    r"account|compte|order|commande|invoice|facture|company|organization|ip|url|language|langue|number|numéro|no)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Delimited:
    """Delimiter-separated values (RFC 4180, and what spreadsheets make of it)."""

    name: str = "csv"
    suffixes: frozenset[str] = frozenset({".csv", ".tsv", ".tab", ".psv"})

    def recognises(self, content: Content) -> Recognition:
        """The first lines have the same number of fields, two at least."""
        named = content.head.suffix in self.suffixes
        first = head_lines(content)[:_SNIFFED]
        enough = len(first) >= (1 if named else _FEWEST_LINES) and content.head.suffix != ".log"
        if enough and _delimiter_of(first, least_agreement=0.5 if named else 0.95):
            return Recognition.CONTENT
        return Recognition.NAME if named else Recognition.NO

    def open(self, content: Content, sampling: Sampling) -> Table:
        """Columns by the header's names, or `column_1`, `column_2`, … when there is none."""
        first = head_lines(content)[:_SNIFFED]
        delimiter = _delimiter_of(first, least_agreement=0.5) or (
            "\t" if content.head.suffix in (".tsv", ".tab") else ","
        )
        sample = _parsed(first, delimiter)
        header = _header_of(sample)
        width = min(max((len(row) for row in sample), default=1), _MOST_COLUMNS)
        names = _unique([*(header or ()), *(f"column_{n}" for n in range(len(header or ()) + 1, width + 1))][:width])
        rows = _rows(content, delimiter, len(names), sampling.value_bytes, skip=1 if header else 0)
        batches = (text_batch(names, batch) for batch in batches_of(rows, min(BATCH, sampling.rows)))
        return Table(tuple(ColumnContext(name, "string") for name in names), batches)


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


def _header_of(sample: list[list[str]]) -> list[str] | None:
    """The first row, if it is names and not data.

    In doubt it is data: a row of data taken for a header would put personal values into the names of fields.
    """
    if not sample:
        return None
    head, body = [cell.strip() for cell in sample[0]], sample[1:]
    filled = [cell for cell in head if cell]
    if not filled or len(set(filled)) < len(filled):
        return None
    if any(len(cell) > _LONGEST_NAME or not _NAME.fullmatch(cell) for cell in filled):
        return None
    columns = [[row[i] for row in body if i < len(row) and row[i]] for i in range(len(head))]
    if any(cell in column for cell, column in zip(head, columns, strict=True) if cell):
        return None  # a name does not recur among its own values
    words = sum(1 for cell in filled if _HEADER_WORD.search(_spaced(cell)))
    if words * 2 >= len(filled):
        return head
    as_written = sum(1 for cell in filled if _PROGRAM_NAME.fullmatch(cell))
    contrast = sum(1 for column in columns if column and sum(not _NAME.fullmatch(v) for v in column) * 2 > len(column))
    return head if as_written == len(filled) and (contrast or "_" in "".join(filled)) else None


def _spaced(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[_.-]", " ", name)


def _unique(names: Sequence[str]) -> list[str]:
    found: list[str] = []
    for position, name in enumerate(names, start=1):
        name = name or f"column_{position}"
        found.append(name if name not in found else f"{name}_{position}")
    return found


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
