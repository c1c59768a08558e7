"""Scanning a folder of objects: formats, and what happens with hostile ones."""

from __future__ import annotations

import gzip
import io
import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from inventory.errors import SourceError
from inventory.model import (
    Aspect,
    Covered,
    DatasetSeen,
    DisclosureSeen,
    FieldClassified,
    FieldSeen,
    Finding,
    Severity,
    SystemSeen,
)

LOG = (
    b'203.0.113.9 - jane [31/Jan/2026:10:00:00 -0500] "GET /a?b=1 HTTP/1.1" 200 512 "https://x.ca/" "Mozilla/5.0 (X)"\n'
)


def parquet(**columns: list[object]) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


def fields(observations, name: str) -> dict[str, str]:
    return {o.name: o.type for o in observations if isinstance(o, FieldSeen) and o.dataset == f"file:///b/{name}"}


def findings(observations) -> list[Finding]:
    return [o for o in observations if isinstance(o, Finding)]


def covered(observations, name: str) -> set[Aspect]:
    return {o.aspect for o in observations if isinstance(o, Covered) and o.scope == f"file:///b/{name}"}


def classified(observations) -> set[str]:
    return {o.field for o in observations if isinstance(o, FieldClassified)}


CSV = "name,email,age\nJane,jane@x.ca,41\nBob,bob@x.ca,29\n"


@pytest.mark.parametrize(
    "name, data, expected",
    [
        ("a.csv", CSV.encode(), ["name", "email", "age"]),
        ("a.csv.gz", gzip.compress(CSV.encode()), ["name", "email", "age"]),
        ("two.csv.gz", gzip.compress(CSV.encode()) + gzip.compress(b"Eve,eve@x.ca,3\n"), ["name", "email", "age"]),
        ("a.csv", CSV.replace(",", ";").encode(), ["name", "email", "age"]),
        ("a.tsv", CSV.replace(",", "\t").encode(), ["name", "email", "age"]),
        ("a.csv", b"\xef\xbb\xbf" + CSV.encode(), ["name", "email", "age"]),
        ("a.csv", CSV.encode("utf-16"), ["name", "email", "age"]),
        ("a.csv", CSV.encode("utf-16-be"), ["name", "email", "age"]),
        ("a.csv", CSV.replace("name", "prénom").replace("Bob", "Zoé").encode("latin-1"), ["prénom", "email", "age"]),
        ("a.csv", b"Jane,jane@x.ca,41\nBob,bob@x.ca,29\n", ["column_1", "column_2", "column_3"]),
        ("a.csv", "Jane,Roy,Montréal\nBob,Côté,Laval\n".encode(), ["column_1", "column_2", "column_3"]),
        ("a.csv", "Rue Roy,Montréal,Québec\nAvenue Côté,Laval,Québec\n".encode(), ["column_1", "column_2", "column_3"]),
        ("no-suffix", CSV.encode(), ["name", "email", "age"]),
        ("a.csv", b'id,note\n1,"two\nlines, jane@x.ca"\n2,x\n', ["id", "note"]),
        ("a.jsonl", b'{"id":1,"email":"j@x.ca"}\n{"id":2,"tags":["a"]}\n', ["id", "email", "tags"]),
        ("data.txt", b'{"id":1,"email":"j@x.ca"}\n{"id":2,"tags":["a"]}\n', ["id", "email", "tags"]),
        ("a.json", b'[{"id":1,"email":"j@x.ca"},{"id":2}]', ["id", "email"]),
        ("a.json", b'{"object":"list","data":[{"id":1,"email":"j@x.ca"}],"more":false}', ["id", "email"]),
        ("a.json", b'{"id":1,"who":{"email":"j@x.ca"}}', ["id", "who"]),
        ("a.json", b'{"j@x.ca":{"id":1},"k@x.ca":{"id":2}}', ["record"]),
        ("a.parquet", parquet(id=[1, 2], email=["j@x.ca", None]), ["id", "email"]),
        ("no-suffix", parquet(id=[1, 2], email=["j@x.ca", None]), ["id", "email"]),
        ("a.parquet.gz", gzip.compress(parquet(id=[1, 2], email=["j@x.ca", None])), ["id", "email"]),
        (
            "access.log.gz",
            gzip.compress(LOG * 5),
            ["remote_addr", "user", "time", "request", "status", "bytes", "referer", "user_agent"],
        ),
        (
            "access.log",
            LOG.split(b' "https')[0] + b"\n" + LOG.split(b' "https')[0],
            ["remote_addr", "user", "time", "request", "status", "bytes"],
        ),
        ("app.log", b"started\nuser jane@x.ca logged in\n", ["line"]),
    ],
)
def test_a_format_is_known_by_its_content(scan_folder, name: str, data: bytes, expected: list[str]):
    seen = scan_folder({name: data})
    assert list(fields(seen, name)) == expected
    assert not findings(seen)
    assert covered(seen, name) == {Aspect.STRUCTURE, Aspect.CONTENT}


def test_a_scan_begins_with_the_system_and_ends_with_its_listing(scan_folder):
    seen = scan_folder({"exports/c-2026-01-01.csv": CSV.encode(), "exports/c-2026-01-02.csv": CSV.encode()})
    assert isinstance(seen[0], SystemSeen)
    assert seen[-1] == Covered("file:///b", Aspect.LISTING)
    assert [(o.name, o.object_count) for o in seen if isinstance(o, DatasetSeen)] == [("exports/c-{date}.csv", 2)]
    assert classified(seen) == {"file:///b/exports/c-{date}.csv#email"}


def test_the_fields_are_those_of_all_sampled_objects(scan_folder):
    files = {f"d/2026-01-0{n}.jsonl": json.dumps({"id": n, f"only_{n}": "x"}).encode() + b"\n" for n in (1, 2, 3)}
    seen = scan_folder(files)
    assert set(fields(seen, "d/{date}.jsonl")) == {"id", "only_1", "only_2", "only_3"}
    assert scan_folder({}) == seen


def test_the_configured_processor_receives_every_dataset(scan_folder):
    seen = scan_folder({"a.csv": CSV.encode(), "b.log": b"x\n"}, processor="cloud-co")
    assert {(o.source, o.processor) for o in seen if isinstance(o, DisclosureSeen)} == {
        ("file:///b/a.csv", "cloud-co"),
        ("file:///b/b.log", "cloud-co"),
    }


TRUNCATED = gzip.compress(os.urandom(300_000).hex().encode())[:100_000]


@pytest.mark.parametrize(
    "name, data, code, severity",
    [
        ("a.csv.gz", gzip.compress(CSV.encode())[:20], "truncated-gzip", Severity.ERROR),
        ("a.csv.gz", b"\x1f\x8b\x08\x00SECRET-jane@x.ca-not-gzip", "corrupt-gzip", Severity.ERROR),
        ("repeated.csv.gz", gzip.compress(b"SECRET,b\n" * 2**22), "bomb", Severity.ERROR),
        ("zeros.log.gz", gzip.compress(bytes(40 * 2**20)), "bomb", Severity.ERROR),
        ("a.parquet", b"SECRET jane@x.ca is no parquet", "not-parquet", Severity.ERROR),
        ("a.parquet", b"PAR1 SECRET jane@x.ca PAR1", "damaged-parquet", Severity.ERROR),
        ("a.parquet", parquet(id=[1], email=["SECRET@x.ca"])[:-9], "damaged-parquet", Severity.ERROR),
        ("a.csv", b"", "empty", Severity.INFO),
        ("a.json", b'{"SECRET": "jane@x.ca', "malformed-json", Severity.ERROR),
        ("a.json", b"[" * 100_000, "malformed-json", Severity.ERROR),
        ("a.jsonl", b"SECRET\njane@x.ca\n", "malformed-json", Severity.ERROR),
        ("a.csv", b"SECRET,\xff\xfe\x81\x8d\n" * 50, "not-text", Severity.ERROR),
        ("a.log", b"x" * (6 * 2**20), "endless-line", Severity.ERROR),
        ("photo.png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, "unknown-format", Severity.INFO),
    ],
)
def test_what_cannot_be_read_is_one_finding(scan_folder, name: str, data: bytes, code: str, severity: Severity):
    seen = scan_folder({name: data, "good.csv": CSV.encode()})
    assert [(f.about, f.code, f.severity) for f in findings(seen)] == [(f"file:///b/{name}", code, severity)]
    assert covered(seen, name) == set()
    assert covered(seen, "good.csv") == {Aspect.STRUCTURE, Aspect.CONTENT}
    message = findings(seen)[0].message
    assert "SECRET" not in message
    assert "\n" not in message
    assert message.startswith(f"folder: {name}: ")


@pytest.mark.parametrize(
    "name, data, code",
    [
        ("a.csv", CSV.encode() + b"Zo\xe9,zoe@x.ca,3\n" + "Zoé,Noël,Chloé\n".encode() * 3, "invalid-encoding"),
        ("a.csv", CSV.encode() + b"Z\0oe,zoe@x.ca,3\n", "nul-bytes"),
        ("a.jsonl", b'{"id":1}\n{"SECRET\n{"id":2}\n', "malformed-json"),
    ],
)
def test_what_is_amiss_but_readable_is_read_and_said(scan_folder, name: str, data: bytes, code: str):
    seen = scan_folder({name: data})
    assert [(f.code, f.severity) for f in findings(seen)] == [(code, Severity.WARNING)]
    assert covered(seen, name) == {Aspect.STRUCTURE, Aspect.CONTENT}
    assert "SECRET" not in repr(seen)


def test_one_bad_object_of_a_group_keeps_the_structure_open(scan_folder):
    seen = scan_folder({"d/1.csv": CSV.encode(), "d/2.csv": b"\x1f\x8b\x08\x00" + b"\xff" * 90})
    assert covered(seen, "d/{number}.csv") == {Aspect.CONTENT}
    assert [f.code for f in findings(seen)] == ["corrupt-gzip"]


def test_a_long_object_is_read_in_part(scan_folder):
    row = b"Jane,jane@x.ca,41\n"
    seen = scan_folder({"a.csv": b"name,email,age\n" + row * 400_000}, bytes=2**20)
    assert list(fields(seen, "a.csv")) == ["name", "email", "age"]
    assert not findings(seen)


def test_personal_data_in_keys_and_column_names_does_not_come_out(scan_folder):
    files = {
        "mail/canary@secret.ca/photo.png": b"x",
        "x/to canary@secret.ca now.txt": b"hello\n",
        "a.csv": b"id,canary@secret.ca\n1,2\n3,4\n",
        "b.json": b'{"canary@secret.ca": 1, "id": 2, "name": 3}',
    }
    seen = scan_folder(files)
    assert "canary" not in repr(seen)


def test_links_and_pipes_are_not_followed(scan_folder, tmp_path: Path):
    (tmp_path / "bucket").mkdir()
    (tmp_path / "bucket/out").symlink_to("/etc")
    (tmp_path / "bucket/circle").symlink_to(tmp_path / "bucket")
    os.mkfifo(tmp_path / "bucket/pipe")
    seen = scan_folder({"a.csv": CSV.encode()})
    assert [o.name for o in seen if isinstance(o, DatasetSeen)] == ["a.csv"]


def test_a_missing_folder_is_the_sources_fault(tmp_path: Path, small_detection):
    from scanners.base import ScanContext
    from scanners.buckets.local import LocalScanner, LocalSettings

    scanner = LocalScanner(LocalSettings(name="folder", type="local", path=tmp_path / "none"))
    with pytest.raises(SourceError, match=r"^folder: there is no such folder"):
        list(scanner.scan(ScanContext(detection=small_detection)))


def test_what_has_not_changed_is_not_read_again(tmp_path: Path, small_detection):
    from scanners.base import ScanContext
    from scanners.buckets.local import LocalScanner, LocalSettings

    for name in ("d/1.csv", "d/2.csv", "e.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(CSV.encode())
    scanner = LocalScanner(LocalSettings(name="folder", type="local", path=tmp_path, namespace="file:///b"))

    def scan(tokens: dict[str, str]) -> tuple[dict[str, str], set[str]]:
        seen = list(scanner.scan(ScanContext(detection=small_detection, tokens=tokens)))
        assert {o.name for o in seen if isinstance(o, DatasetSeen)} == {"d/{number}.csv", "e.csv"}
        read = {o.scope: o.token for o in seen if isinstance(o, Covered) and o.aspect is Aspect.CONTENT}
        return tokens | read, set(read)

    tokens, _ = scan({})
    assert scan(tokens)[1] == set()
    (tmp_path / "d/3.csv").write_bytes(CSV.encode())
    tokens, read = scan(tokens)
    assert read == {"file:///b/d/{number}.csv"}
    (tmp_path / "d/3.csv").unlink()
    assert scan(tokens)[1] == {"file:///b/d/{number}.csv"}


def test_an_archive_is_one_dataset_with_fields_below_its_members(scan_folder):
    import zipfile

    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in (("people/x.csv", CSV), ("o.jsonl", '{"id": 1, "who": {"mail": "j@x.ca"}}\n' * 2)):
            archive.writestr(name, data)
    seen = scan_folder({"backup.zip": file.getvalue()})
    assert list(fields(seen, "backup.zip")) == ["o.jsonl/id", "o.jsonl/who", "people/x.csv/name", "people/x.csv/email",
                                                "people/x.csv/age"]  # fmt: skip
    assert classified(seen) == {"file:///b/backup.zip#o.jsonl/who", "file:///b/backup.zip#people~1x.csv/email"}
    assert covered(seen, "backup.zip") == {Aspect.STRUCTURE, Aspect.CONTENT}
