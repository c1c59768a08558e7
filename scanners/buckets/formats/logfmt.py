"""Logs of `key=value` pairs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from scanners.base import Sampling
from scanners.buckets.content import Content
from scanners.buckets.formats.interface import BATCH, Recognition, Table
from scanners.buckets.formats.json_lines import table_of
from scanners.buckets.text import batches_of, lines
from scanners.records import JsonObject

_PAIR = re.compile(r'(?<!\S)([A-Za-z_][\w.\-@]{0,63})=(?:"((?:[^"\\]|\\.)*)"|([^\s"]*))(?=\s|$)')
#: Pairs in a line, and their share of its text, that make it one of these.
_FEWEST, _LEAST_SHARE = 2, 0.6


@dataclass(frozen=True, slots=True)
class Logfmt:
    """logfmt (brandur.org/logfmt), as Go's and Heroku's programs write it."""

    name: str = "logfmt"
    suffixes: frozenset[str] = frozenset({".logfmt", ".log"})

    def recognises(self, content: Content) -> Recognition:
        """Four of five of the first lines are mostly pairs."""
        first = content.head.lines[:50]
        good = sum(1 for line in first if _is_pairs(line))
        return Recognition.CONTENT if first and good * 5 >= len(first) * 4 else Recognition.NO

    def open(self, content: Content, sampling: Sampling) -> Iterator[Table]:
        """One row a line, its keys the columns; a line without a pair is left out."""
        yield table_of(batches_of(_rows(content), min(BATCH, sampling.rows)), sampling)


def _is_pairs(line: str) -> bool:
    lengths = [match.end() - match.start() + 1 for match in _PAIR.finditer(line)]
    return len(lengths) >= _FEWEST and sum(lengths) >= _LEAST_SHARE * len(line)


def _rows(content: Content) -> Iterator[JsonObject]:
    for line in lines(content):
        row = {key: _unquoted(quoted) or bare or None for key, quoted, bare in _PAIR.findall(line)}
        if row:
            yield row
        elif line.strip():
            content.remark("malformed-line", "holds lines of another shape than the rest, which were left out")


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text) if "\\" in text else text


FORMAT = Logfmt()
