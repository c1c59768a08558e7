"""Drivers' values as JSON values."""

from __future__ import annotations

import datetime
import json
import uuid
from collections import namedtuple
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from scanners.detection.interface import FieldVerdict
from scanners.record_store import DAY, dotted, parsed, period, placed, plain
from scanners.sightings import KnownField


def test_every_kind_of_value_becomes_json():
    point = namedtuple("point", "x y")
    value = {
        "when": datetime.datetime(2026, 1, 2, 3),
        "id": uuid.UUID(int=1),
        "whole": Decimal("12"),
        "part": Decimal("1.5"),
        "no": float("nan"),
        "endless": Decimal("Infinity"),
        "text": b"caf\xc3\xa9",
        "bytes": b"\xff\xfe\x00\x01",
        "set": frozenset([1]),
        "point": point(1, 2),
        3: "key",
    }
    assert plain(value, 100) == {
        "when": "2026-01-02T03:00:00",
        "id": "00000000-0000-0000-0000-000000000001",
        "whole": 12,
        "part": 1.5,
        "no": None,
        "endless": None,
        "text": "café",
        "bytes": None,
        "set": [1],
        "point": {"x": 1, "y": 2},
        "3": "key",
    }


def test_long_texts_are_cut_between_characters():
    assert plain("é" * 100, 65) == "é" * 32
    assert plain(b"\xc3\xa9" * 100, 65) == "é" * 32


def test_what_is_nested_too_deep_is_left_out():
    value: object = "deep"
    for _ in range(5000):
        value = [value]
    assert "deep" not in json.dumps(plain(value, 100))


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.decimals() | st.datetimes(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=12,
)


@settings(max_examples=50, deadline=None)
@given(_ANY)
def test_anything_becomes_json(value):
    json.dumps(plain(value, 64), allow_nan=False)


def test_text_is_parsed_only_where_it_is_a_document():
    assert parsed('{"a": 1}') == {"a": 1}
    assert parsed("[1]") == [1]
    assert parsed("{broken") == "{broken"
    assert parsed("12") == "12"
    assert parsed("[" * 100_000) == "[" * 100_000


def test_a_dotted_path_is_a_column_and_a_pointer():
    assert dotted("a.b/c.d") == ("a", "/b~1c/d")
    assert dotted("a") == ("a", "")


def test_a_known_field_is_where_the_sample_has_it():
    from inventory.model import Profile

    profile = Profile(1, 0.0, 1.0)
    verdicts = [FieldVerdict("a", pointer, "", profile, ()) for pointer in ("", "/-", "/-/b")]
    known = [KnownField("a", ""), KnownField("a", "/b"), KnownField("c", "/d")]
    assert [each.pointer for each in placed(known, verdicts)] == ["", "/-/b", "/d"]


@given(st.text(), st.floats(0.01, 365), st.floats(0, 4e9))
def test_every_dataset_has_its_turn_once_a_period(dataset, days, now):
    number = period(dataset, days, now)
    assert period(dataset, days, now + 1.001 * days * DAY) in (number + 1, number + 2)
    assert period(dataset, days, now + days * DAY / 1000) in (number, number + 1)


def test_datasets_are_not_read_again_all_at_once():
    begun = {
        name: next(n for n in range(100) if period(name, 7, n * 7 * DAY / 100) > period(name, 7, 0))
        for name in "abcdefgh"
    }
    assert len(set(begun.values())) > 4
