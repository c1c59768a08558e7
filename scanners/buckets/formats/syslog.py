"""System logs, of the old and of the new syslog protocol, and as rsyslog and journald write them to files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from scanners.base import Sampling
from scanners.buckets.content import Content
from scanners.buckets.formats.interface import BATCH, Recognition, Table
from scanners.buckets.text import batches_of, lines
from scanners.detection.interface import ColumnContext
from scanners.records import cut, text_batch

_ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)"
#: `<165>1 2026-01-31T10:00:00Z host app 123 ID47 [data@32473 user="x"] message`
_NEW = re.compile(
    rf"(?:<(?P<priority>\d{{1,3}})>)[1-9]\d? (?P<time>{_ISO}|-) (?P<host>\S+) (?P<app>\S+) (?P<pid>\S+) \S+ "
    r'(?P<data>-|(?:\[(?:[^\]"\\]|\\.|"(?:[^"\\]|\\.)*")*\])+)(?: \ufeff?(?P<message>.*))?'
)
#: `<34>Oct 11 22:14:15 host app[123]: message`, or with the time of today's rsyslog.
_OLD = re.compile(
    r"(?:<(?P<priority>\d{1,3})>)?(?P<time>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?: \d{4})?|" + _ISO + r") "
    r"(?P<host>[\w.:-]+) (?P<app>[^\s\[\]:]+)(?:\[(?P<pid>\d+)\])?: ?(?P<data>)(?P<message>.*)"
)
_COLUMNS = ("priority", "time", "host", "app", "pid", "data", "message")


@dataclass(frozen=True, slots=True)
class Syslog:
    """Syslog (RFC 5424, RFC 3164)."""

    name: str = "syslog"
    suffixes: frozenset[str] = frozenset({".log", ".syslog"})

    def recognises(self, content: Content) -> Recognition:
        """Four of five of the first lines have one of its shapes."""
        first = content.head.lines[:50]
        good = sum(1 for line in first if _match(line))
        return Recognition.CONTENT if first and good * 5 >= len(first) * 4 else Recognition.NO

    def open(self, content: Content, sampling: Sampling) -> Iterator[Table]:
        """One row a message; `data` is RFC 5424's structured data."""
        rows = _rows(content, sampling.value_bytes)
        batches = (text_batch(_COLUMNS, batch) for batch in batches_of(rows, min(BATCH, sampling.rows)))
        yield Table(tuple(ColumnContext(name, "string") for name in _COLUMNS), batches)


def _match(line: str) -> re.Match[str] | None:
    return _NEW.match(line) or _OLD.match(line)


def _rows(content: Content, value_bytes: int) -> Iterator[tuple[str | None, ...]]:
    for line in lines(content):
        match = _match(line)
        if match is not None:
            yield tuple(_cell(match.group(name), value_bytes) for name in _COLUMNS)
        elif line.strip():
            content.remark("malformed-line", "holds lines of another shape than the rest, which were left out")


def _cell(text: str | None, value_bytes: int) -> str | None:
    return None if text in (None, "", "-") else cut(text, value_bytes)


FORMAT = Syslog()
