"""Web servers' access logs in the common and the combined format."""

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

_QUOTED = r'"((?:[^"\\]|\\.)*)"'
#: Apache's LogFormat `%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-agent}i"`; nginx's `combined` is the same.
_LINE = re.compile(rf"(\S+) \S+ (\S+) \[([^\]]+)\] {_QUOTED} (\d{{3}}) (\d+|-)(?: {_QUOTED} {_QUOTED})?")
_FIELDS = ("remote_addr", "user", "time", "request", "status", "bytes", "referer", "user_agent")
#: The common format ends before the referer.
_COMMON = 6


@dataclass(frozen=True, slots=True)
class AccessLog:
    """Common and combined log format (httpd.apache.org/docs/current/logs.html)."""

    name: str = "access log"
    suffixes: frozenset[str] = frozenset({".log"})

    def recognises(self, content: Content) -> Recognition:
        """Four of five of the first lines have its shape."""
        first = content.head.lines[:50]
        good = sum(1 for line in first if _LINE.match(line))
        return Recognition.CONTENT if first and good * 5 >= len(first) * 4 else Recognition.NO

    def open(self, content: Content, sampling: Sampling) -> Iterator[Table]:
        """One row a request; "-" is null, and a line of another shape is left out."""
        matches = [match for line in content.head.lines if (match := _LINE.match(line))]
        combined = not matches or any(match.group(_COMMON + 1) is not None for match in matches)
        fields = _FIELDS if combined else _FIELDS[:_COMMON]
        requests = _requests(content, sampling.value_bytes, len(fields))
        batches = (text_batch(fields, rows) for rows in batches_of(requests, min(BATCH, sampling.rows)))
        yield Table(tuple(ColumnContext(name, "string") for name in fields), batches)


def _requests(content: Content, value_bytes: int, width: int) -> Iterator[tuple[str | None, ...]]:
    for line in lines(content):
        match = _LINE.match(line)
        if match is not None:
            yield tuple(None if part in (None, "-", "") else cut(part, value_bytes) for part in match.groups()[:width])
        elif line.strip():
            content.remark("malformed-line", "holds lines of another shape than the rest, which were left out")


FORMAT = AccessLog()
