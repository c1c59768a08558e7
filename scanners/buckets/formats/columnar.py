"""What the columnar formats share: an Arrow schema's columns, and batches with values that are not too long."""

from __future__ import annotations

from typing import Any, cast

import pyarrow as pa

from scanners.detection.interface import ColumnContext
from scanners.records import batch_of, cut


def columns_of(schema: pa.Schema) -> tuple[ColumnContext, ...]:
    """The schema's columns and their types' names."""
    kinds: list[pa.DataType] = schema.types
    return tuple(ColumnContext(name, _type_name(kind)) for name, kind in zip(schema.names, kinds, strict=True))


def _type_name(kind: pa.DataType) -> str:
    return "json" if isinstance(kind, pa.BaseExtensionType) and kind.extension_name == "arrow.json" else str(kind)


def short_values(batch: pa.RecordBatch, value_bytes: int) -> pa.RecordBatch:
    """The batch with its longer texts cut."""
    columns = cast("list[pa.Array[Any]]", batch.columns)  # pyright: ignore[reportUnknownMemberType]
    return batch_of(batch.schema.names, [_short(column, value_bytes) for column in columns])


def _short(array: pa.Array[Any], value_bytes: int) -> pa.Array[Any]:
    if not (pa.types.is_string(array.type) or pa.types.is_large_string(array.type)):
        return array
    values: list[str | None] = array.to_pylist()
    if all(value is None or len(value) * 4 <= value_bytes for value in values):
        return array
    return pa.array([None if value is None else cut(value, value_bytes) for value in values], array.type)
