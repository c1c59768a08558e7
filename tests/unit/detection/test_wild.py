"""Wild input: a verdict or "unknown" with a reason, never an exception."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scanners.detection import ColumnDetector
from scanners.detection.interface import ColumnContext, FieldVerdict, TableContext

DETECTOR = ColumnDetector()

_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=40), st.dates().map(str), st.emails()
)
_DOCUMENTS = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=12), inner, max_size=4)),
)
_ARRAYS = st.one_of(
    st.lists(st.one_of(st.none(), st.text())).map(lambda v: pa.array(v, pa.string())),
    st.lists(st.one_of(st.none(), st.binary())).map(lambda v: pa.array(v, pa.binary())),
    # A string column whose bytes are no UTF-8, as broken writers make them.
    st.lists(st.binary(), min_size=1).map(lambda v: pa.array(v, pa.binary()).view(pa.string())),
    st.lists(st.floats()).map(lambda v: pa.array(v, pa.float64())),
    st.lists(st.integers(-(2**63), 2**63 - 1)).map(lambda v: pa.array(v, pa.int64())),
    st.lists(st.one_of(st.none(), st.dates())).map(lambda v: pa.array(v, pa.date32())),
    st.lists(st.datetimes(min_value=datetime(1700, 1, 1), max_value=datetime(2200, 1, 1))).map(
        lambda v: pa.array(v, pa.timestamp("us"))
    ),
    st.lists(st.decimals(-(10**10), 10**10, places=3)).map(lambda v: pa.array(v, pa.decimal128(20, 3))),
    st.lists(st.lists(st.text(max_size=5), max_size=3)).map(lambda v: pa.array(v, pa.list_(pa.string()))),
    st.lists(st.dictionaries(st.text(max_size=5), st.integers(0, 9), max_size=3)).map(
        lambda v: pa.array([list(d.items()) for d in v], pa.map_(pa.string(), pa.int64()))
    ),
    st.lists(st.fixed_dictionaries({"email": st.text(max_size=9), "n": st.none() | st.integers(0, 9)})).map(
        lambda v: pa.array(v, pa.struct([("email", pa.string()), ("n", pa.int64())]))
    ),
    st.lists(_DOCUMENTS, min_size=1).map(lambda v: pa.array([_json(d) for d in v], pa.string())),
    st.lists(st.text(max_size=3), min_size=1).map(lambda v: pa.array(v, pa.string()).dictionary_encode()),
    st.integers(0, 5).map(lambda n: pa.nulls(n)),
)


def _json(document: Any) -> str:
    import json

    return json.dumps(document)


def judge(array: pa.Array[Any], name: str = "x", kind: str = "") -> list[FieldVerdict]:
    detection = DETECTOR.table(TableContext("t", (ColumnContext(name, type=kind),)))
    detection.feed(pa.RecordBatch.from_arrays([array], names=[name]))
    return list(detection.verdicts())


@settings(max_examples=70, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_ARRAYS, st.text(max_size=30), st.text(max_size=20))
def test_any_column_gets_a_verdict_or_a_reason(array: pa.Array[Any], name: str, kind: str):
    for verdict in judge(array, name, kind):
        assert verdict.verdicts or verdict.reason
        assert 0 <= verdict.profile.null_share <= 1
        assert 0 <= verdict.profile.distinct_share <= 1
        for each in verdict.verdicts:
            assert 0 < each.confidence <= 1
            assert each.evidence


@settings(max_examples=50, deadline=None)
@given(st.text())
def test_redact_takes_any_text(text: str):
    assert isinstance(DETECTOR.redact(text), str)


@pytest.mark.parametrize(
    "value", ["x" * 50_000_000, "é" * 25_000_000, "1" * 50_000_000, " " * 50_000_000, "a@" * 25_000_000]
)
def test_a_value_of_fifty_megabytes(value: str):
    (verdict,) = judge(pa.array([value, "a@b.org"], pa.large_string()))
    assert verdict.profile.sampled == 2


@pytest.mark.parametrize(
    "array",
    [
        pa.array([4111111111111111.0, 5500005555555559.0, 4012888888881881.0] * 5),
        pa.array([Decimal("4111111111111111"), Decimal("5500005555555559"), Decimal("4012888888881881")] * 5),
        pa.array(["4.111111111111111E15", "5.500005555555559E15", "4012888888881881"] * 5),
    ],
    ids=["float", "decimal", "scientific"],
)
def test_numbers_as_floats_and_in_scientific_form(array: pa.Array[Any]):
    (verdict,) = judge(array, "pan")
    assert verdict.verdicts[0].category == "user.financial.credit_card"


def test_one_value_and_one_repeated_value():
    assert judge(pa.array(["zoe@example.org"]))[0].verdicts[0].category == "user.contact.email"
    assert judge(pa.array(["zoe@example.org"] * 500))[0].verdicts[0].category == "user.contact.email"


def test_a_column_of_dates_out_of_range():
    (verdict,) = judge(pa.array([date(9999, 1, 1), date(1, 1, 1)] * 20), "z")
    assert not verdict.verdicts
    assert verdict.reason


def test_verdicts_before_any_value_rest_on_names():
    detection = DETECTOR.table(TableContext("users", (ColumnContext("email", type="text"), ColumnContext("z"))))
    email, other = detection.verdicts()
    assert email.verdicts[0].category == "user.contact.email"
    assert other.reason.startswith("unknown")


def test_deep_json_and_huge_numbers():
    deep = "[" * 5_000 + "]" * 5_000
    assert judge(pa.array([deep, '{"a": ' + "9" * 5_000 + "}", '{"a": 1e999}', '{"b": NaN}'] * 3))
