"""JSON Lines: one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, cast

import pyarrow as pa

from scanners.base import Sampling
from scanners.buckets.content import Content
from scanners.buckets.formats.interface import BATCH, Recognition, Table
from scanners.buckets.text import batches_of, lines
from scanners.records import JsonObject, records


@dataclass(frozen=True, slots=True)
class JsonLines:
    """JSON Lines, also called NDJSON (jsonlines.org)."""

    name: str = "json lines"
    suffixes: frozenset[str] = frozenset({".jsonl", ".ndjson", ".jsonlines"})

    def recognises(self, content: Content) -> Recognition:
        """Most of the first lines are JSON objects."""
        first = content.head.lines[:20]
        good = sum(1 for line in first if parse_object(line) is not None)
        named = content.head.suffix in self.suffixes
        if good * 2 > len(first) and (len(first) > 1 or named):
            return Recognition.CONTENT
        return Recognition.NAME if named else Recognition.NO

    def open(self, content: Content, sampling: Sampling) -> Iterator[Table]:
        """The columns of the first batch; later ones may bring more."""
        yield table_of(batches_of(_objects(content), min(BATCH, sampling.rows)), sampling)


def _objects(content: Content) -> Iterator[JsonObject]:
    good = bad = 0
    for line in lines(content):
        if not line.strip():
            continue
        record = parse_object(line)
        if record is None:
            bad += 1
            content.remark("malformed-json", "holds lines that are no JSON objects, which were left out")
        else:
            good += 1
            yield record
    if bad and not good:
        raise content.unreadable("malformed-json", "holds no line that is a JSON object")


def parse_object(text: str) -> JsonObject | None:
    """The JSON object that the text is, or None."""
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return cast(JsonObject, value) if isinstance(value, dict) else None


def table_of(batches: Iterator[list[JsonObject]], sampling: Sampling) -> Table:
    """Records as a table, of which the first batch is read at once: it says the columns."""
    converted = (records(batch, sampling.value_bytes) for batch in batches)
    first = next(converted, None)
    if first is None:
        return Table((), iter(()))
    rest: Iterator[pa.RecordBatch] = (each.batch for each in converted)
    return Table(first.columns, chain((first.batch,), rest))


FORMAT = JsonLines()
