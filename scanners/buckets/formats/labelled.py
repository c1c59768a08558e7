"""Records of several tables in one stream (a dump, a document): as tables, by the name that each record comes with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import cast
from uuid import UUID

from inventory.errors import InventoryError
from scanners.base import Sampling
from scanners.buckets.formats.interface import BATCH, Table
from scanners.detection.interface import ColumnContext
from scanners.records import JsonObject, records

#: Most tables of one object; more are no tables but data.
MOST_TABLES = 200


Columns = Mapping[str, tuple[ColumnContext, ...]]


def tables_by_name(
    rows: Iterable[tuple[str, JsonObject]], sampling: Sampling, columns: Columns | None = None
) -> Iterator[Table]:
    """The rows in batches, of each name at most `sampling.rows`; what came before an error comes before the error.

    `columns` are those that are declared, by the table's name; they may become known while the rows are read.
    """
    declared: Columns = {} if columns is None else columns
    waiting: dict[str, list[JsonObject]] = {}
    taken: Counter[str] = Counter()
    try:
        for name, row in rows:
            if taken[name] >= sampling.rows or (name not in waiting and len(waiting) >= MOST_TABLES):
                continue
            taken[name] += 1
            batch = waiting.setdefault(name, [])
            batch.append(row)
            if len(batch) >= BATCH:
                yield _table(name, batch, sampling, declared)
                waiting[name] = []
    except InventoryError:
        yield from (_table(name, batch, sampling, declared) for name, batch in waiting.items() if batch)
        raise
    yield from (_table(name, batch, sampling, declared) for name, batch in waiting.items() if batch)


def _table(name: str, rows: list[JsonObject], sampling: Sampling, declared: Columns) -> Table:
    made = records(rows, sampling.value_bytes)
    return Table(declared.get(name) or made.columns, iter((made.batch,)), name)


def plain(value: object) -> object:
    """The value as JSON has it: times in ISO 8601, decimals and UUIDs as text, bytes as the text that they may be."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, bytes):
        return _text_of(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal | UUID | timedelta):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in cast("Mapping[object, object]", value).items()}
    if isinstance(value, list | tuple | set):
        return [plain(item) for item in cast("Iterable[object]", value)]
    return None


def _text_of(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None
