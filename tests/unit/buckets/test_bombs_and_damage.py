"""What files claim and hide: bombs, endless streams, files whose end is missing."""

from __future__ import annotations

import importlib.util
import itertools
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from inventory.errors import UnreadableError
from scanners.base import Sampling
from scanners.buckets.content import Content
from scanners.buckets.formats import tables_of

spec = importlib.util.spec_from_file_location("bucket_samples", Path(__file__).with_name("samples.py"))
assert spec is not None
assert spec.loader is not None
samples = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = samples
spec.loader.exec_module(samples)


def read(data: bytes, name: str, limit: int = 2**22) -> int:
    content = Content("source: dataset", name, len(data), lambda start, end: data[start:end], limit)
    return sum(batch.num_rows for table in tables_of(content, Sampling()) for batch in table.batches)


def refused(data: bytes, name: str) -> str:
    with pytest.raises(UnreadableError) as caught:
        read(data, name)
    return caught.value.code


def claiming(data: bytes, size: int) -> bytes:
    """The archive with another size of its last member in the directory."""
    place = data.rindex(b"PK\x01\x02") + 24
    return data[:place] + struct.pack("<I", size) + data[place + 4 :]


def test_an_archive_that_claims_more_than_it_can_hold():
    assert refused(claiming(samples.zipped({"a.csv": samples.CSV}), 2**32 - 2), "a.zip") == "bomb"


def test_an_archive_that_claims_less_than_it_holds():
    bomb = claiming(samples.zipped({"a.csv": b"a,b\n" * 2**20}), 1000)
    assert refused(bomb, "a.zip") == "damaged-zip"


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".zst"])
def test_a_compressed_bomb(suffix: str):
    assert refused(samples.WRAPPINGS[suffix](b"a,b\n" * 2**21), f"a.csv{suffix}") == "bomb"


def test_an_avro_block_that_unpacks_to_too_much():
    schema = {"type": "record", "name": "r", "fields": [{"name": "text", "type": "string"}]}
    assert refused(samples.avro_of(schema, [{"text": "x" * 2**26}]), "a.avro") == "bomb"


def test_an_avro_array_of_nothing():
    schema = {"type": "array", "items": "null"}
    assert refused(samples.avro_of(schema, [[None]]), "a.avro") == "bomb"


def test_entities_are_not_read():
    laughs = b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><r><x>&b;</x></r>'
    assert refused(laughs, "a.xml") == "entities"


def test_an_endless_stream_is_read_as_far_as_it_may():
    asked: list[int] = []

    def endless(start: int, end: int) -> bytes:
        asked.append(end - start)
        return bytes(itertools.islice(itertools.cycle(b"a line of text\n"), end - start))

    content = Content("s: d", "a.log", 2**50, endless, 2**20)
    assert sum(batch.num_rows for table in tables_of(content, Sampling()) for batch in table.batches) > 1000
    assert sum(asked) <= 2**20


def test_a_cut_parquet_never_ends_the_process():
    """pyarrow 26 aborts when the column metadata of some damaged files is asked for."""
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import samples
from inventory.errors import UnreadableError
from scanners.base import Sampling
from scanners.buckets.content import Content
from scanners.buckets.formats import tables_of
whole = samples.parquet()
footer = int.from_bytes(whole[-8:-4], "little")
for place in range(len(whole) - 8 - footer, len(whole) - 8):
    for changed in (0, 0xFF, whole[place] ^ 0x15):
        data = whole[:place] + bytes([changed]) + whole[place + 1 :]
        for cut in (data, data[:place] + data[-8:]):
            content = Content("s", "a.parquet", len(cut), lambda a, b: cut[a:b], 2**20)
            try:
                for table in tables_of(content, Sampling()):
                    list(table.batches)
            except UnreadableError:
                pass
print("alive")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr[-2000:]


def test_nothing_is_written_to_a_disk(monkeypatch):
    """So a full disk, or one that others can read, is none of our business: every format reads from memory."""
    files = (("a.xlsx", samples.workbook()), ("a.db", samples.sqlite()), ("a.pdf", samples.pdf()))
    opened: list[object] = []
    real = open

    def watched(file, mode="r", *args, **kwargs):
        if set(str(mode)) & set("wax+"):
            opened.append(file)
        return real(file, mode, *args, **kwargs)

    monkeypatch.setattr("builtins.open", watched)
    monkeypatch.setattr("tempfile.mkstemp", lambda *_, **__: opened.append("tempfile"))
    for name, data in files:
        assert read(data, name)
    assert opened == []
