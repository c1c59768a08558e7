"""Whatever the bytes are, a format reads them or says in one line that it cannot."""

from __future__ import annotations

import gzip
import importlib.util
import io
import json
import re
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.errors import UnreadableError
from scanners.base import Sampling
from scanners.buckets.content import Content
from scanners.buckets.formats import format_of, formats
from scanners.buckets.formats.interface import BATCH

spec = importlib.util.spec_from_file_location("bucket_samples", Path(__file__).with_name("samples.py"))
assert spec is not None
assert spec.loader is not None
samples = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = samples
spec.loader.exec_module(samples)

SUFFIXES = st.sampled_from(["", ".csv", ".tsv", ".json", ".jsonl", ".parquet", ".log", ".txt", ".csv.gz", ".png"])
LIMIT = 2**20


def read(data: bytes, suffix: str, limit: int = LIMIT) -> int:
    """How many rows there are, if it can be read."""
    content = Content("source: dataset", "key" + suffix, len(data), lambda start, end: data[start:end], limit)
    found = format_of(content)
    if found is None:
        return 0
    rows = 0
    for table in found.open(content, Sampling(value_bytes=64, rows=100_000)):
        for batch in table.batches:
            assert 0 < batch.num_rows <= BATCH
            rows += batch.num_rows
    return rows


def survives(data: bytes, suffix: str) -> None:
    said = ""
    try:
        read(data, suffix)
    except UnreadableError as error:
        said = f"{error.code} | {error}"
    assert not said or re.fullmatch(r"[a-z0-9-]+ \| source: dataset: [^\n]+", said)


def parquet() -> bytes:
    file = io.BytesIO()
    nested = [{"mail": "a@x.ca", "n": [1, 2]}, None] * 10
    pq.write_table(pa.table({"id": range(20), "mail": ["a@x.ca"] * 20, "nested": nested}), file)
    return file.getvalue()


VALID = {
    ".avro": samples.avro(),
    ".feather": samples.feather(),
    ".orc": samples.orc(),
    ".xlsx": samples.workbook(),
    ".db": samples.sqlite(),
    ".sql": samples.PG_DUMP,
    ".dump": samples.MYSQL_DUMP,
    ".xml": samples.XML,
    ".eml": samples.mail_with_attachments(),
    ".mbox": samples.BOX,
    ".docx": samples.docx(),
    ".pdf": samples.pdf(),
    ".logfmt": samples.LOGFMT,
    ".syslog": samples.SYSLOG,
    ".zip": samples.zipped({"a.csv": samples.CSV, "b.db": samples.sqlite()}),
    ".tar": samples.tarred({"a.csv": samples.CSV, "b.jsonl": b'{"a":1}\n'}),
    ".csv.bz2": samples.WRAPPINGS[".bz2"](samples.CSV),
    ".csv.xz": samples.WRAPPINGS[".xz"](samples.CSV),
    ".csv.zst": samples.WRAPPINGS[".zst"](samples.CSV),
    ".csv.lz4": samples.WRAPPINGS[".lz4"](samples.CSV),
    ".csv": b'name,email\nJane,jane@x.ca\n"a,\n b",c\n' * 3,
    ".jsonl": b'{"a": {"b": [1, "x"]}, "c": null}\n' * 5,
    ".json": json.dumps({"data": [{"a": 1, "b": {"c": "d"}}] * 5}).encode(),
    ".parquet": parquet(),
    ".log": b'1.2.3.4 - - [31/Jan/2026:10:00:00 -0500] "GET / HTTP/1.1" 200 5 "-" "curl"\n' * 5,
    ".csv.gz": gzip.compress(b"name,email\nJane,jane@x.ca\n" * 3),
    ".txt": "Été, déjà vu\nçà et là\n".encode("utf-16"),
}


@settings(max_examples=80, deadline=None)
@given(data=st.binary(max_size=400), suffix=SUFFIXES)
def test_any_bytes(data: bytes, suffix: str):
    survives(data, suffix)


@settings(max_examples=80, deadline=None)
@given(text=st.text(max_size=200), suffix=SUFFIXES, encoding=st.sampled_from(["utf-8", "utf-16", "utf-16-be"]))
def test_any_text(text: str, suffix: str, encoding: str):
    survives(text.encode(encoding, "replace"), suffix)


@settings(max_examples=200, deadline=None)
@given(
    suffix=st.sampled_from(sorted(VALID)),
    cut=st.integers(0, 4000),
    changes=st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=4),
)
def test_damaged_files(suffix: str, cut: int, changes: list[tuple[int, int]]):
    data = bytearray(VALID[suffix])
    for place, value in changes:
        data[place % len(data)] = value
    survives(bytes(data[: max(1, len(data) - cut % len(data))]), suffix)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=25, deadline=None)
@given(rows=st.lists(st.dictionaries(st.text(max_size=5), JSON, max_size=4), min_size=2, max_size=20))
def test_every_json_record_is_a_row(rows: list[dict[str, object]]):
    rows = [{"a column": 0, **row} for row in rows]  # a batch without columns has no rows
    lines = "\n".join(json.dumps(row) for row in rows).encode()
    assert read(lines, ".jsonl") == len(rows)
    assert read(json.dumps(rows).encode(), ".json") == len(rows)


@pytest.mark.parametrize("suffix", sorted(VALID))
def test_a_valid_file_is_read(suffix: str):
    assert read(VALID[suffix], suffix)


def test_no_more_is_read_than_may_be():
    asked: list[int] = []

    def reading(start: int, end: int) -> bytes:
        asked.append(end - start)
        return b"some line of text, and more of it\n" * ((end - start) // 34 + 1)

    content = Content("s: d", "big.log", 2**40, lambda start, end: reading(start, end)[: end - start], LIMIT)
    found = format_of(content)
    assert found is not None
    table = next(found.open(content, Sampling()))
    assert sum(batch.num_rows for batch in table.batches) > 1000
    assert sum(asked) <= LIMIT


def test_every_format_has_a_name_of_its_own():
    assert len({each.name for each in formats()}) == len(formats()) >= 6
