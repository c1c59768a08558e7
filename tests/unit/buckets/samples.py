"""Small whole files of every format and wrapping, made anew for each test run."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sqlite3
import tarfile
import zipfile
from email.message import EmailMessage
from typing import Any

import fastavro
import openpyxl
import pyarrow as pa
import pyarrow.feather
import pyarrow.ipc
import pyarrow.orc
import pyarrow.parquet

CSV = b"name,email\n" + b"Jane,jane@x.ca\n" * 6
ROWS = [{"id": n, "email": f"j{n}@x.ca"} for n in range(6)]
TABLE = pa.Table.from_pylist(ROWS)

MESSAGE = (
    b"From: Jane Roy <jane@x.ca>\r\nTo: bob@x.ca\r\nSubject: =?utf-8?q?D=C3=A9j=C3=A0?=\r\n"
    b"Date: Sat, 31 Jan 2026 10:00:00 -0500\r\n\r\nHello Bob\r\n"
)
BOX = b"".join(b"From jane@x.ca Sat Jan 31 10:00:00 2026\n" + MESSAGE.replace(b"\r", b"") + b"\n" for _ in range(3))

PG_DUMP = b"""--
-- PostgreSQL database dump
--
CREATE TABLE public.customers (
    id integer NOT NULL,
    email character varying(320) DEFAULT ''::character varying,
    price numeric(10,2),
    CONSTRAINT positive CHECK ((id > 0))
);
CREATE TABLE public.notes (
    note text
);
COPY public.customers (id, email, price) FROM stdin;
1\tjane@x.ca\t2.50
2\t\\N\ta\\tb
\\.
INSERT INTO billing.orders (id, who, at) VALUES (1, 'O''Brien; x', '2026-01-01'::date), (2, NULL, now());
INSERT INTO billing.orders VALUES
\t(3, 'two
lines', E'z'),
\t(4, 'c', 'd') ON CONFLICT DO NOTHING;
"""
MYSQL_DUMP = b"""-- MySQL dump 10.13
/*!40101 SET NAMES utf8 */;
CREATE TABLE `users` (
  `id` int NOT NULL AUTO_INCREMENT,
  `email` varchar(255) DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `by_email` (`email`)
) ENGINE=InnoDB;
INSERT INTO `users` VALUES (1,'a\\'b@x.ca'),(2,NULL),(3,'x;y)z');
INSERT INTO `users` VALUES (4,_binary 'abc'),(5,-1.5e3);
"""
XML = (
    b'<?xml version="1.0"?><export by="jane@x.ca"><customers>'
    + b'<c:customer id="1" xmlns:c="urn:x"><email>j@x.ca</email><phone>1</phone><phone>2</phone></c:customer>' * 4
    + b"</customers><orders>"
    + b"<order><id>1</id></order>" * 3
    + b"</orders></export>"
)
ACCESS_LOG = b'203.0.113.9 - jane [31/Jan/2026:10:00:00 -0500] "GET /a HTTP/1.1" 200 512 "https://x.ca/" "curl/8"\n' * 3
LOGFMT = b'level=info at=2026-01-01T00:00:00Z msg="user \\"j\\" in" email=j@x.ca\n' * 3
SYSLOG = b"Jan 31 10:00:00 web-1 sshd[12]: Accepted for jane from 192.0.2.4\nFeb  1 10:00:00 web-1 kernel: up\n" * 2
SYSLOG_5424 = b'<165>1 2026-01-31T10:00:00Z host app 12 ID47 [x@1 user="a\\]b"] hello j@x.ca\n' * 3


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return file.getvalue()


def tarred(files: dict[str, bytes], mode: str = "w") -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:  # pyright: ignore[reportArgumentType, reportCallIssue]
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def avro() -> bytes:
    fields = [{"name": "id", "type": "long"}, {"name": "email", "type": ["null", "string"]}]
    return avro_of({"type": "record", "name": "customer", "fields": fields}, ROWS)


def avro_of(schema: dict[str, Any], data: list[Any]) -> bytes:
    file = io.BytesIO()
    fastavro.writer(file, schema, data, codec="deflate")
    return file.getvalue()


def feather() -> bytes:
    file = io.BytesIO()
    pyarrow.feather.write_feather(TABLE, file)  # pyright: ignore[reportArgumentType]
    return file.getvalue()


def arrow_stream(table: pa.Table = TABLE, codec: Any = None) -> bytes:
    file = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression=codec)
    with pa.ipc.new_stream(file, table.schema, options=options) as writer:
        writer.write_table(table)
    return file.getvalue()


def arrow_file(table: pa.Table = TABLE, codec: Any = None) -> bytes:
    file = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression=codec)
    with pa.ipc.new_file(file, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=4)
    return file.getvalue()


def orc() -> bytes:
    file = io.BytesIO()
    pyarrow.orc.write_table(TABLE, file)
    return file.getvalue()


def parquet() -> bytes:
    file = io.BytesIO()
    pyarrow.parquet.write_table(TABLE, file)
    return file.getvalue()


def workbook() -> bytes:
    book = openpyxl.Workbook()
    first = book.active
    assert first is not None
    first.title = "Customers"
    for row in (["id", "email"], [1, "jane@x.ca"], [], [2, "bob@x.ca"]):
        first.append(row)
    second = book.create_sheet("Orders")
    for row in (["order_id", "total"], [1, 2.5]):
        second.append(row)
    book.create_sheet("Empty")
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def sqlite() -> bytes:
    database = sqlite3.connect(":memory:")
    database.executescript(
        "create table customers (id integer primary key, email text, photo blob); create table empty (note text);"
        "create view all_of_it as select * from customers;"
        "insert into customers values (1, 'jane@x.ca', x'ff00'), (2, null, null);"
    )
    data = bytearray(database.serialize())
    data[18:20] = b"\2\2"  # as a database in WAL mode is
    return bytes(data)


def mail_with_attachments() -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "jane@x.ca", "bob@x.ca", "List"
    message.set_content("<p>Hello <b>Bob</b></p>", subtype="html")
    message.add_attachment(CSV, maintype="text", subtype="csv", filename="of Jane.csv")
    message.add_attachment(b"\x89PNG\r\n\x1a\n\0\1\2", maintype="image", subtype="png", filename="logo.png")
    return message.as_bytes()


def docx() -> bytes:
    def paragraph(*runs: str) -> str:
        return "<w:p>" + "".join(f"<w:r><w:t>{run}</w:t></w:r>" for run in runs) + "</w:p>"

    body = paragraph("Hello ", "Jane, jane@x.ca") + paragraph("") + f"<w:tbl>{paragraph('cell')}</w:tbl>"
    document = f'<w:document xmlns:w="urn:w"><w:body>{body}</w:body></w:document>'
    return zipped({"[Content_Types].xml": b"<Types/>", "word/document.xml": document.encode()})


def pdf() -> bytes:
    text = b"BT /F1 12 Tf 10 10 Td (Hello jane@x.ca) Tj ET"
    font = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Resources<</Font<</F1 " + font + b">>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(text), text),
    ]
    data, places = b"%PDF-1.4\n", list[int]()
    for number, body in enumerate(objects, start=1):
        places.append(len(data))
        data += b"%d 0 obj%sendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(data)
    data += b"xref\n0 5\n0000000000 65535 f \n" + table
    return data + b"trailer<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % start


def lz4(data: bytes) -> bytes:
    return pa.compress(data, "lz4", asbytes=True)


def zstd(data: bytes) -> bytes:
    return pa.compress(data, "zstd", asbytes=True)


WRAPPINGS = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstd, ".lz4": lz4}
