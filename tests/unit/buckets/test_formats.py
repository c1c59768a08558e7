"""Every format: by which name and content it is known, its tables and its values."""

from __future__ import annotations

import bz2
import gzip
import importlib.util
import sys
import zipfile
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

LIMIT = 2**20
MAIL = ["from", "to", "cc", "bcc", "reply_to", "subject", "date", "body"]
ACCESS_LOG = ["remote_addr", "user", "time", "request", "status", "bytes", "referer", "user_agent"]
SYSLOG = ["priority", "time", "host", "app", "pid", "data", "message"]


def content_of(data: bytes, name: str, limit: int = LIMIT) -> Content:
    return Content("source: dataset", name, len(data), lambda start, end: data[start:end], limit)


def tables(data: bytes, name: str, limit: int = LIMIT, **sampling: int) -> dict[str, list[dict[str, object]]]:
    """The rows of each table; those that break off are left out."""
    found: dict[str, list[dict[str, object]]] = {}
    for table in tables_of(content_of(data, name, limit), Sampling(**sampling)):
        rows = found.setdefault(table.name, [])
        for batch in table.batches:
            rows.extend(batch.to_pylist())
    return found


def columns(data: bytes, name: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for table in tables_of(content_of(data, name), Sampling()):
        found.setdefault(table.name, [column.name for column in table.columns])
        for _ in table.batches:
            pass
    return found


PEOPLE = {"": ["name", "email"]}
KNOWN = [
    ("a.csv", samples.CSV, PEOPLE),
    ("a.tsv", samples.CSV.replace(b",", b"\t"), PEOPLE),
    ("a.json", b'[{"id":1,"email":"j@x.ca"},{"id":2}]', {"": ["id", "email"]}),
    ("a.jsonl", b'{"id":1,"email":"j@x.ca"}\n' * 2, {"": ["id", "email"]}),
    ("a.parquet", samples.parquet(), {"": ["id", "email"]}),
    ("a.avro", samples.avro(), {"": ["id", "email"]}),
    ("a.feather", samples.feather(), {"": ["id", "email"]}),
    ("a.arrow", samples.arrow_file(), {"": ["id", "email"]}),
    ("a.arrows", samples.arrow_stream(), {"": ["id", "email"]}),
    ("a.orc", samples.orc(), {"": ["id", "email"]}),
    ("a.xlsx", samples.workbook(), {"Customers": ["id", "email"], "Orders": ["order_id", "total"]}),
    ("a.db", samples.sqlite(), {"customers": ["id", "email", "photo"], "empty": ["note"]}),
    (
        "a.sql",
        samples.PG_DUMP,
        {"customers": ["id", "email", "price"], "billing.orders": ["id", "who", "at"], "notes": ["note"]},
    ),
    ("a.sql", samples.MYSQL_DUMP, {"users": ["id", "email"]}),
    ("a.xml", samples.XML, {"customer": ["id", "email", "phone"], "order": ["id"], "export": ["by"]}),
    ("a.eml", samples.MESSAGE, {"": MAIL}),
    ("a.eml", samples.mail_with_attachments(), {"": MAIL, "attachment.csv": ["name", "email"]}),
    ("a.mbox", samples.BOX, {"": MAIL}),
    ("a.docx", samples.docx(), {"": ["text"]}),
    ("a.pdf", samples.pdf(), {"": ["text"]}),
    ("access.log", samples.ACCESS_LOG, {"": ACCESS_LOG}),
    ("a.log", samples.LOGFMT, {"": ["level", "at", "msg", "email"]}),
    ("a.log", samples.SYSLOG, {"": SYSLOG}),
    ("a.log", samples.SYSLOG_5424, {"": SYSLOG}),
    ("a.log", b'{"level":"info","email":"j@x.ca"}\n' * 3, {"": ["level", "email"]}),
    ("a.txt", b"a line, and more of it\nanother one\n", {"": ["line"]}),
    ("a.csv.zip", samples.zipped({"a.csv": samples.CSV}), {"": ["name", "email"]}),
    ("a.tgz", samples.tarred({"a.csv": samples.CSV}, "w:gz"), {"": ["name", "email"]}),
]


@pytest.mark.parametrize("name, data, expected", KNOWN)
def test_tables_and_columns(name: str, data: bytes, expected: dict[str, list[str]]):
    assert columns(data, name) == expected


@pytest.mark.parametrize("name, data, expected", [known for known in KNOWN if known[0] != "a.arrows"])
def test_the_content_says_what_it_is_without_a_name(name: str, data: bytes, expected: dict[str, list[str]]):
    assert columns(data, "no-suffix") == expected


PACKINGS = {
    "gzip": (".gz", gzip.compress),
    "zstd": (".zst", samples.zstd),
    "bzip2": (".bz2", samples.WRAPPINGS[".bz2"]),
    "zip": (".zip", lambda data: samples.zipped({"member": data})),
    "tar": (".tar", lambda data: samples.tarred({"member": data})),
    "tar in gzip": (".tar.gz", lambda data: samples.tarred({"member": data}, "w:gz")),
    "zip in tar in zstd": (".z", lambda data: samples.zstd(samples.tarred({"a": samples.zipped({"b": data})}))),
    "gzip in zip in bzip2": (".z", lambda d: bz2.compress(samples.zipped({"a": gzip.compress(d)}))),
}


@pytest.mark.parametrize("packing", PACKINGS)
def test_every_format_in_every_packing(packing: str):
    """Members have no suffix: their content says what they are; a stream of Arrow's alone is known by its name."""
    suffix, pack = PACKINGS[packing]
    wrong: list[str] = []
    for name, data, expected in KNOWN:
        found = columns(pack(data), name + suffix) if name != "a.arrows" or packing in ("gzip", "zstd") else expected
        if found != expected:
            wrong.append(name)
    assert wrong == []


TEXTS = [
    ("a.csv", "nom,prénom\nRoy,Zoé\nCôté,Noël\n", "prénom", "Zoé"),
    ("a.json", '[{"nom": "Roy", "prénom": "Zoé"}, {"nom": "Côté", "prénom": "Noël"}]', "prénom", "Zoé"),
    ("a.jsonl", '{"nom": "Roy", "prénom": "Zoé"}\n' * 3, "prénom", "Zoé"),
    ("a.xml", "<gens><g><nom>Roy</nom><prénom>Zoé</prénom></g><g><nom>Roy</nom></g></gens>", "prénom", "Zoé"),
    ("a.sql", "INSERT INTO gens (nom, prénom) VALUES ('Roy', 'Zoé');\n", "prénom", "Zoé"),
    ("a.log", 'level=info msg="Zoé est entrée"\n' * 3, "msg", "Zoé est entrée"),
    ("a.txt", "Zoé est entrée\nNoël aussi\n", "line", "Zoé est entrée"),
]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name, text, column, value", TEXTS, ids=[text[0] for text in TEXTS])
def test_texts_in_every_encoding(encoding: str, name: str, text: str, column: str, value: str):
    (rows,) = tables(text.encode(encoding), name).values()
    assert rows[0][column] == value


@pytest.mark.parametrize(
    "text",
    [
        'name;note\nJane;"a; ""b"""\nBob;c\n',
        'name\tnote\r\nJane\ta; "b"\r\nBob\tc\r\n',
        'name|note\nJane|"a; ""b"""\nBob|c\n',
        'sep=;\nname;note\nJane;"a; ""b"""\nBob;c\n',
        'name,note\nJane,"a; \\"b\\""\nBob,c\n',
        "name,note\n'Jane','a; \"b\"'\n'Bob','c'\n",
    ],
    ids=["semicolon", "tab", "bar", "told", "backslash", "single quotes"],
)
def test_dialects(text: str):
    assert tables(text.encode(), "a.csv") == {"": [{"name": "Jane", "note": 'a; "b"'}, {"name": "Bob", "note": "c"}]}


@pytest.mark.parametrize("suffix", samples.WRAPPINGS)
def test_a_compression_is_taken_off(suffix: str):
    pack = samples.WRAPPINGS[suffix]
    rows = tables(samples.CSV, "a.csv")
    assert len(rows[""]) == 6
    assert tables(pack(samples.CSV), f"a.csv{suffix}") == rows
    assert tables(gzip.compress(pack(samples.CSV)), "a") == rows
    assert len(tables(pack(samples.CSV) + pack(b"Eve,eve@x.ca\n"), f"a.csv{suffix}")[""]) == 7


def test_values_of_a_dump():
    found = tables(samples.PG_DUMP, "a.sql")
    assert found["customers"] == [
        {"id": "1", "email": "jane@x.ca", "price": "2.50"},
        {"id": "2", "email": None, "price": "a\tb"},
    ]
    assert [row["who"] for row in found["billing.orders"]] == ["O'Brien; x", None, "two\nlines", "c"]
    assert [row["email"] for row in tables(samples.MYSQL_DUMP, "a")["users"]] == [
        "a'b@x.ca", None, "x;y)z", "abc", "-1.5e3",
    ]  # fmt: skip


def test_a_row_of_a_dump_that_is_not_understood_takes_no_other_statement_with_it():
    data = b"INSERT INTO a VALUES (1, (SELECT 2));\nINSERT INTO b VALUES (1);\n"
    content = content_of(data, "a.sql")
    found = [table.name for table in tables_of(content, Sampling()) if list(table.batches)]
    assert found == ["b"]
    assert [code for code, _ in content.remarks] == ["malformed-sql"]


def test_a_long_value_of_a_dump_is_gone_through_once():
    data = b"INSERT INTO a VALUES (1, '" + b"a line of a long text\n" * 40_000 + b"'), (2, 'x');\n"
    assert [row["column_1"] for row in tables(data, "a.sql")["a"]] == ["1", "2"]


def test_types_of_a_dump():
    kinds = {
        table.name: [c.type for c in table.columns] for table in tables_of(content_of(samples.PG_DUMP, "a"), Sampling())
    }
    assert kinds["customers"] == ["integer", "character varying(320)", "numeric(10,2)"]


def test_values_of_a_message():
    row = tables(samples.MESSAGE, "a.eml")[""][0]
    assert (row["from"], row["subject"], row["body"]) == ("Jane Roy <jane@x.ca>", "Déjà", "Hello Bob")
    assert len(tables(samples.BOX, "inbox")[""]) == 3
    assert tables(samples.mail_with_attachments(), "a")[""][0]["body"] == "Hello  Bob"


def test_values_of_documents():
    assert [row["text"] for row in tables(samples.docx(), "a")[""]] == ["Hello Jane, jane@x.ca", "cell"]
    assert [row["text"] for row in tables(samples.pdf(), "a")[""]] == ["Hello jane@x.ca"]


def test_values_of_xml():
    found = tables(samples.XML, "a.xml")
    assert found["customer"][0] == {"id": "1", "email": "j@x.ca", "phone": '["1", "2"]'}
    assert found["export"] == [{"by": "jane@x.ca"}]
    assert tables(b"<note><to>Jane</to></note>", "a.xml") == {"": [{"to": "Jane"}]}


def test_values_of_logs():
    assert tables(samples.LOGFMT, "a")[""][0]["msg"] == 'user "j" in'
    message = tables(samples.SYSLOG_5424, "a")[""][0]
    assert (message["data"], message["message"]) == ('[x@1 user="a\\]b"]', "hello j@x.ca")


def test_values_of_a_workbook_and_a_database():
    assert tables(samples.workbook(), "a")["Customers"] == [
        {"id": "1", "email": "jane@x.ca"},
        {"id": "2", "email": "bob@x.ca"},
    ]
    assert [row["email"] for row in tables(samples.sqlite(), "a")["customers"]] == ["jane@x.ca", None]


MEMBERS = {f"logs/{n}.csv": samples.CSV for n in range(9)} | {
    "b.jsonl": b'{"a":1}\n{"a":2}\n',
    "c.db": samples.sqlite(),
}


@pytest.mark.parametrize(
    "name, data",
    [
        ("a.zip", samples.zipped(MEMBERS)),
        ("a.zip", samples.zipped(MEMBERS, zipfile.ZIP_STORED)),
        ("a.zip", samples.zipped(MEMBERS, zipfile.ZIP_BZIP2)),
        ("a.tar", samples.tarred(MEMBERS)),
        ("a.tar.gz", samples.tarred(MEMBERS, "w:gz")),
        ("a.tar.xz", samples.tarred(MEMBERS, "w:xz")),
    ],
)
def test_members_are_grouped_as_objects_are(name: str, data: bytes):
    found = tables(data, name, objects=3)
    assert set(found) == {"b.jsonl", "c.db/customers", "c.db/empty", "logs/{number}.csv"}
    assert len(found["logs/{number}.csv"]) == 3 * 6


def test_an_archive_in_an_archive():
    data = samples.zipped({"in.tar.gz": samples.tarred({"x.csv": samples.CSV, "y.csv": samples.CSV}, "w:gz")})
    assert set(tables(data, "a.zip")) == {"x.csv", "y.csv"}


def test_a_tar_longer_than_may_be_read_is_read_as_far():
    data = samples.tarred({f"t{n}/x.csv": samples.CSV * 500 for n in range(200)})
    assert len(data) > LIMIT
    assert len(tables(data, "a.tar")) > 0


@pytest.mark.parametrize("pack", [lambda data: samples.zipped({"a.zip": data}), gzip.compress])
def test_too_many_layers(pack):
    data = samples.CSV
    for _ in range(7):
        data = pack(data)
    with pytest.raises(UnreadableError, match="packed too many times"):
        tables(data, "a")
