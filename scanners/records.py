"""JSON records as Arrow record batches, in the form that detection takes.

Top-level keys are the columns. A column that holds an object or an array anywhere is given as JSON text, each value
of it, with the type "json"; other columns keep their scalar type, and mixed scalars become text. Records whose keys
are data are one column, an Arrow map.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import pyarrow as pa

from scanners.detection.interface import ColumnContext

#: Records with more keys than this in one batch are an open map: their keys are data and not columns.
MOST_COLUMNS = 256
#: Of an open map, the one column that holds the whole record.
WHOLE_RECORD = "record"

_INT64 = range(-(2**63), 2**63)
#: A key that no programmer wrote: an address, a long number, a UUID or another long identifier with digits, a date.
_DATA_KEY = re.compile(r"@|\d{6}|[0-9a-f]{8}-[0-9a-f]{4}-|^\d+$|^\d{4}-\d\d-\d\d|^\+?\d[\d ().-]{6,}$", re.IGNORECASE)

JsonObject = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Records:
    """Some records: as many rows as there were, and what is known of each column."""

    batch: pa.RecordBatch
    columns: tuple[ColumnContext, ...]


def records(rows: Sequence[JsonObject], value_bytes: int) -> Records:
    """The rows as one batch, columns in the order in which their keys first appear; longer texts are cut."""
    names = list(dict.fromkeys(key for row in rows for key in row))
    if _is_open_map(names):
        context, array = _open_map(WHOLE_RECORD, rows, value_bytes)
        return Records(batch_of((WHOLE_RECORD,), (array,)), (context,))
    columns = [_column(name, [row.get(name) for row in rows], value_bytes) for name in names]
    return Records(batch_of(names, [array for _, array in columns]), tuple(context for context, _ in columns))


def batch_of(names: Sequence[str], columns: Sequence[pa.Array[Any]]) -> pa.RecordBatch:
    """The columns as a batch."""
    return pa.RecordBatch.from_arrays(list(columns), names=list(names))  # pyright: ignore[reportUnknownMemberType]


def text_batch(names: Sequence[str], rows: Sequence[Sequence[str | None]]) -> pa.RecordBatch:
    """Rows of text, at least one, as a batch."""
    return batch_of(names, [pa.array(column, pa.string()) for column in zip(*rows, strict=True)])


def _is_open_map(names: Sequence[str]) -> bool:
    if len(names) > MOST_COLUMNS:
        return True
    return sum(1 for name in names if _DATA_KEY.search(name)) * 2 > len(names) > 0


def _column(name: str, values: list[Any], value_bytes: int) -> tuple[ColumnContext, pa.Array[Any]]:
    kinds: set[type] = {type(value) for value in values if value is not None}
    if kinds & {dict, list}:
        texts = [None if value is None else _json_text(shortened(value, value_bytes)) for value in values]
        return ColumnContext(name, "json"), _texts(texts)
    if not kinds or kinds == {bool}:
        return ColumnContext(name, "boolean" if kinds else ""), pa.array(values, pa.bool_() if kinds else pa.string())
    if kinds == {int} and all(value is None or value in _INT64 for value in values):
        return ColumnContext(name, "integer"), pa.array(values, pa.int64())
    if kinds <= {int, float} and float in kinds and all(not isinstance(v, int) or abs(v) <= 2**53 for v in values):
        return ColumnContext(name, "number"), pa.array([None if v is None else float(v) for v in values], pa.float64())
    kind = "string" if kinds == {str} else "mixed"
    texts = [None if v is None else v if isinstance(v, str) else _json_text(v) for v in values]
    return ColumnContext(name, kind), _texts([None if text is None else cut(text, value_bytes) for text in texts])


def _open_map(name: str, maps: Sequence[JsonObject], value_bytes: int) -> tuple[ColumnContext, pa.Array[Any]]:
    entries = [_entries(each, value_bytes) for each in maps]
    return ColumnContext(name, "object"), pa.array(entries, pa.map_(pa.string(), pa.string()))


def _entries(value: JsonObject, value_bytes: int) -> list[tuple[str, str | None]]:
    return [(_whole(cut(key, value_bytes)), _as_text(item, value_bytes)) for key, item in value.items()]


def _as_text(value: object, value_bytes: int) -> str | None:
    if value is None:
        return None
    return _whole(cut(value, value_bytes) if isinstance(value, str) else _json_text(shortened(value, value_bytes)))


def _whole(text: str) -> str:
    """JSON may hold half a surrogate pair, which is no character."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _texts(texts: list[str | None]) -> pa.Array[Any]:
    try:
        return pa.array(texts, pa.string())
    except UnicodeEncodeError:
        return pa.array([None if text is None else _whole(text) for text in texts], pa.string())


def _json_text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def cut(text: str, value_bytes: int) -> str:
    """`text`, at most `value_bytes` long in UTF-8."""
    if len(text) * 4 <= value_bytes:
        return text
    encoded = text.encode("utf-8", "replace")
    return text if len(encoded) <= value_bytes else encoded[:value_bytes].decode("utf-8", "ignore")


def shortened(value: object, value_bytes: int) -> object:
    """The JSON value with every text in it cut to `value_bytes`."""
    if isinstance(value, str):
        return cut(value, value_bytes)
    if isinstance(value, dict):
        return {key: shortened(item, value_bytes) for key, item in cast(dict[str, object], value).items()}
    if isinstance(value, list):
        return [shortened(item, value_bytes) for item in cast(list[object], value)]
    return value


def union(tables: Iterator[Sequence[ColumnContext]]) -> tuple[ColumnContext, ...]:
    """The columns of all, each once, in the order in which they first appear; a nested one stays nested."""
    found: dict[str, ColumnContext] = {}
    for columns in tables:
        for column in columns:
            known = found.get(column.name)
            if known is None or (known.type != column.type and (not known.type or column.type == "json")):
                found[column.name] = column
    return tuple(found.values())


def json_object(value: object) -> JsonObject:
    """The JSON object that it is, or an empty one."""
    return cast(JsonObject, value) if isinstance(value, Mapping) else {}


def json_objects(value: object) -> list[JsonObject]:
    """The JSON objects in the list that it is, or none."""
    return [json_object(each) for each in cast("list[object]", value)] if isinstance(value, list) else []
