"""What files claim and hide: bombs, endless streams, files whose end is missing."""

from __future__ import annotations

import importlib.util
import io
import itertools
import struct
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path

import pyarrow as pa
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


def test_an_archive_that_claims_ten_gigabytes():
    """In the sizes of 64 bits that such archives have."""
    place = (data := claiming(samples.zipped({"a.csv": samples.CSV}), 2**32 - 1)).rindex(b"PK\x01\x02")
    extra = struct.pack("<HHQ", 1, 8, 10 * 2**30)
    named = struct.unpack_from("<H", data, place + 28)[0]
    data = bytearray(data[: place + 46 + named] + extra + data[place + 46 + named :])
    struct.pack_into("<H", data, place + 30, len(extra))
    end = data.rindex(b"PK\x05\x06")
    struct.pack_into("<I", data, end + 12, struct.unpack_from("<I", data, end + 12)[0] + len(extra))
    assert zipfile.ZipFile(io.BytesIO(data)).infolist()[0].file_size == 10 * 2**30
    assert refused(bytes(data), "a.zip") == "bomb"


def streamed(files: dict[str, bytes]) -> bytes:
    """An archive written to a pipe: the sizes stand behind the members."""
    out = Unseekable()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return bytes(out.data)


class Unseekable(io.RawIOBase):
    def __init__(self) -> None:
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data, /) -> int:
        self.data += data
        return len(data)


MEMBERS = {"a.csv": samples.CSV, "folder/": b"", "b.jsonl": b"".join(b'{"id":%d}\n' % (n * n) for n in range(500))}


def read_before_the_break(data: bytes, name: str) -> tuple[dict[str, int], set[str]]:
    """The rows of each table, and the codes of what broke off."""
    content = Content("source: dataset", name, len(data), lambda start, end: data[start:end], 2**20)
    rows, codes = Counter[str](), set[str]()
    try:
        for table in tables_of(content, Sampling(rows=2000)):
            try:
                for batch in table.batches:
                    rows[table.name] += batch.num_rows
            except UnreadableError as error:
                codes.add(error.code)
    except UnreadableError as error:
        codes.add(error.code)
    return dict(rows), codes


@pytest.mark.parametrize(
    "data",
    [samples.zipped(MEMBERS), samples.zipped(MEMBERS, zipfile.ZIP_STORED), streamed(MEMBERS)],
    ids=["deflated", "stored", "streamed"],
)
def test_an_archive_that_breaks_off_gives_what_stands_before(data: bytes):
    directory, second = data.index(b"PK\x01\x02"), data.index(b"b.jsonl")
    assert read_before_the_break(data[: directory + 5], "a.zip") == ({"a.csv": 6, "b.jsonl": 500}, {"truncated-zip"})
    rows, codes = read_before_the_break(data[: (second + directory) // 2], "a.zip")
    assert rows["a.csv"] == 6
    assert 0 < rows["b.jsonl"] < 500
    assert codes == {"truncated-zip"}


def test_a_bomb_in_an_archive_without_a_directory():
    data = streamed({"a.csv": b"a,b\n" * 2**21})
    assert refused(data[: data.index(b"PK\x01\x02")], "a.zip") == "bomb"


def test_an_archive_that_claims_less_than_it_holds():
    bomb = claiming(samples.zipped({"a.csv": b"a,b\n" * 2**20}), 1000)
    assert refused(bomb, "a.zip") == "damaged-zip"


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".zst"])
def test_a_compressed_bomb(suffix: str):
    assert refused(samples.WRAPPINGS[suffix](b"a,b\n" * 2**19), f"a.csv{suffix}") == "bomb"


def test_an_avro_block_that_unpacks_to_too_much():
    schema = {"type": "record", "name": "r", "fields": [{"name": "text", "type": "string"}]}
    assert refused(samples.avro_of(schema, [{"text": "x" * 2**24}]), "a.avro") == "bomb"


def test_an_avro_array_of_nothing():
    schema = {"type": "array", "items": "null"}
    assert refused(samples.avro_of(schema, [[None]]), "a.avro") == "bomb"


@pytest.mark.parametrize("codec", ["zstd", "lz4"])
@pytest.mark.parametrize("write", [samples.arrow_file, samples.arrow_stream])
def test_an_arrow_batch_that_unpacks_to_too_much(write, codec: str):
    repeated = pa.table({"text": ["x" * 2**22], "words": pa.array(["w" * 2**21]).dictionary_encode()})
    data = write(repeated, codec)
    if codec == "zstd":
        assert len(data) < 2**14
        assert refused(data, "a.arrow") == "bomb"
    else:  # LZ4 packs to 1 in 255 at most
        assert read(data, "a.arrow") == 1


@pytest.mark.parametrize("write", [samples.arrow_file, samples.arrow_stream])
@pytest.mark.parametrize("codec", [None, "zstd", "lz4"])
def test_honest_arrow_is_read_whole(write, codec: str | None):
    rows = [{"id": n, "email": f"p{n}@x.ca", "tags": ["a", None], "kind": None} for n in range(10)]
    table = pa.Table.from_pylist(rows).append_column("word", pa.array(["w", None] * 5).dictionary_encode())
    assert read(write(table, codec), "a.arrow") == 10


def test_an_arrow_file_that_breaks_off_is_read_until_there():
    data = samples.arrow_file(pa.table({"id": range(100)}))
    rows, codes = read_before_the_break(data[: len(data) // 2], "a.arrow")
    assert codes == {"damaged-arrow"}
    assert 0 < rows[""] < 100


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
