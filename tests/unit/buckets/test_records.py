"""JSON records as Arrow batches."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from scanners.records import MOST_COLUMNS, cut, records


@pytest.mark.parametrize(
    "values, kind, type_",
    [
        ([1, None, 2], "integer", pa.int64()),
        ([1, 2.5], "number", pa.float64()),
        ([True, None], "boolean", pa.bool_()),
        (["a", "b"], "string", pa.string()),
        (["a", 1], "mixed", pa.string()),
        ([2**70, 1], "mixed", pa.string()),
        ([None, None], "", pa.string()),
        ([{"a": 1}, "x", None], "json", pa.string()),
        ([[1], None], "json", pa.string()),
    ],
)
def test_a_columns_type_follows_its_values(values: list[object], kind: str, type_: pa.DataType):
    made = records([{"c": value} for value in values], 100)
    assert (made.columns[0].type, made.batch.column(0).type) == (kind, type_)
    assert made.batch.column(0).null_count == values.count(None)


def test_nested_values_are_json_with_short_texts():
    made = records([{"c": {"a": ["x" * 1000]}}, {"c": "plain"}], 10)
    assert [json.loads(str(text)) for text in made.batch.column(0).to_pylist()] == [{"a": ["x" * 10]}, "plain"]


def test_columns_are_those_of_all_rows():
    made = records([{"a": 1}, {"b": 2, "a": 3}], 100)
    assert made.batch.to_pydict() == {"a": [1, 3], "b": [None, 2]}


@pytest.mark.parametrize(
    "row",
    [
        {"jane@x.ca": 1, "bob@x.ca": {"n": 2}, "id": 3},
        {"2026-01-01": 1, "2026-01-02": 2},
        {f"k{n}": n for n in range(MOST_COLUMNS + 1)},
    ],
)
def test_a_record_with_data_for_keys_is_a_map(row: dict[str, object]):
    made = records([row, row], 100)
    assert made.batch.schema.names == ["record"]
    assert pa.types.is_map(made.batch.column(0).type)
    assert [key for key, _ in made.batch.column(0).to_pylist()[0] or ()] == list(row)


def test_half_a_character_is_replaced():
    assert records([{"a": "\ud800"}], 100).batch.to_pydict() == {"a": ["?"]}
    assert records([{"a@x.ca\ud800": "\udfff"}], 100).batch.to_pydict() == {"record": [[("a@x.ca?", "?")]]}


def test_a_text_is_cut_between_characters():
    assert cut("éé", 3) == "é"
    assert cut("short", 100) == "short"
