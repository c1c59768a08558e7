"""Hyperscan over a column's buffer and plain Python over its rows find the same."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanners.detection.catalogue import Detector, shipped
from scanners.detection.engine import HyperscanEngine, PythonEngine

hyperscan = pytest.importorskip("hyperscan")

WITHIN = [detector for detector in shipped() if detector.within]
FAST, PLAIN = HyperscanEngine(WITHIN), PythonEngine(WITHIN)

_VALUES = st.one_of(
    st.emails(),
    st.ip_addresses().map(str),
    st.uuids().map(str),
    st.sampled_from(
        [
            "514-555-0199",
            "+1 514 288 1234",
            "(416) 555-1234",
            "+33 1 23 45 67 89",
            "4111 1111 1111 1111",
            "378282246310005",
            "046 454 286",
            "130 692 544",
            "078-05-1120",
            "DE89 3704 0044 0532 0130 00",
            "GB29NWBK60161331926819",
            "H2X 1Y4",
            "AB 12 34 56 C",
            "1 85 05 78 006 084 91",
            "passeport numéro AB123456",
            "TREM 8001 0112",
            "00:1B:44:11:3A:B7",
            "AKIAIOSFODNN7EXAMPLE",
            "ghp_" + "a1" * 18,
            "sk_live_" + "a1" * 12,
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
            "$2b$12$" + "a" * 53,
            "$argon2id$v=19$m=65536,t=3,p=4$" + "b" * 40,
            "postgres://bob:secret@db.example.org/x",
            "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n",
            "45.50884,-73.58781",
            "POINT(-73.58 45.50)",
            "2001:db8::8a2e:370:7334",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
            "1.2.3.4",
            "10.0.0.12:8080",
            "a@b",
            "12:30:45",
            "é@ü.fr",
        ]
    ),
    st.text(max_size=12),
)
_TEXTS = st.lists(
    st.one_of(st.none(), st.lists(_VALUES, max_size=4).map(" ".join), st.lists(_VALUES, max_size=4).map("".join))
)


@settings(max_examples=50, deadline=None)
@given(_TEXTS, st.integers(0, 3))
def test_engines_agree(texts: list[str | None], skip: int):
    raw = [None if text is None else text.encode("utf-8", "surrogatepass") for text in texts]
    array = pa.array(raw, pa.binary()).slice(skip)
    assert FAST.scan(array) == PLAIN.scan(array)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(_VALUES, max_size=4).map(" ".join), max_size=6))
def test_rows_left_out_hold_nothing(texts: list[str]):
    worth = FAST.rows(texts)
    for detector in WITHIN:
        held = {row for row, text in enumerate(texts) if detector.inside.search(text)}
        assert held <= set(worth.get(detector.detector, ())) <= set(PLAIN.rows(texts)[detector.detector])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.binary(max_size=40)))
def test_engines_agree_on_bytes(values: list[bytes]):
    array = pa.array(values, pa.large_binary())
    assert FAST.scan(array) == PLAIN.scan(array)


def test_a_value_does_not_begin_in_one_row_and_end_in_the_next():
    assert FAST.scan(pa.array(["4111 1111 ", "1111 1111"])) == {}
    assert FAST.scan(pa.array(["a@b.org", "c@d.org"]))["email"].valid == [0, 1]


def test_patterns_beyond_bytes_are_found_all_the_same():
    matricule = Detector("matricule", "user.unique_id", r"é\d{4}\w", within=True)
    found = HyperscanEngine([matricule, *WITHIN]).scan(pa.array(["x é1234b", "a@b.org"]))
    assert found["matricule"].valid == [0]
    assert found["email"].valid == [1]
