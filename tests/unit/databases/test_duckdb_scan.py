"""DuckDB files: what is said of them, and that nothing outside of them is reached."""

from __future__ import annotations

import subprocess
import sys

import pytest

from inventory.errors import SourceError
from inventory.model import (
    Aspect,
    Covered,
    DatasetKind,
    DatasetSeen,
    FieldClassified,
    FieldReferences,
    FieldSeen,
    Finding,
    JobSeen,
)
from scanners.base import Sampling, ScanContext
from scanners.databases.duckdb import DuckDBScanner, DuckDBSettings

duckdb = pytest.importorskip("duckdb")


@pytest.fixture
def file(tmp_path):
    return tmp_path / "d.duckdb"


def make(file, *statements):
    with duckdb.connect(str(file)) as connection:
        for statement in statements:
            connection.execute(statement)


def scan(file, detection, tokens=None, **settings):
    made = DuckDBSettings.model_validate({"name": "duck", "path": file, **settings})
    return list(DuckDBScanner(made).scan(ScanContext(detection, tokens=tokens or {})))


def of(kind, said):
    return [one for one in said if isinstance(one, kind)]


def findings(said):
    return {(one.about.rpartition("/")[2], one.code) for one in of(Finding, said)}


def test_the_whole_of_a_file(file, small_detection):
    make(
        file,
        "CREATE SCHEMA s",
        "CREATE TABLE s.users (id INTEGER PRIMARY KEY, mail VARCHAR NOT NULL, who STRUCT(n VARCHAR, mail VARCHAR)[])",
        "CREATE TABLE s.orders (a INTEGER, buyer INTEGER REFERENCES s.users (id), seller INTEGER)",
        "CREATE VIEW s.mails AS SELECT md5(mail) AS h FROM s.users WHERE mail <> 'canary@vue.ca'",
        "COMMENT ON TABLE s.users IS 'people; ask jean@tremblay.ca'",
        "COMMENT ON COLUMN s.orders.seller IS 'FK → users.id'",
        "INSERT INTO s.users VALUES (1, 'a@b.ca', [{'n': 'x', 'mail': 'c@d.ca'}])",
    )
    said = scan(file, small_detection)
    assert findings(said) == set()
    assert said[-1] == Covered(f"duckdb://{file}/", Aspect.LISTING)
    datasets = {one.name: one for one in of(DatasetSeen, said)}
    assert {name: one.kind for name, one in datasets.items()} == {
        "s.users": DatasetKind.TABLE,
        "s.orders": DatasetKind.TABLE,
        "s.mails": DatasetKind.VIEW,
    }
    assert (datasets["s.users"].description, datasets["s.users"].row_estimate) == ("people; ask ‹email›", 1)
    fields = {one.urn.rpartition("/")[2]: one for one in of(FieldSeen, said)}
    assert fields["s.users#id"].primary_key
    assert not fields["s.users#mail"].nullable
    assert {one.field.rpartition("/")[2] for one in of(FieldClassified, said)} == {"s.users#mail", "s.users#who"}
    assert {(one.source.rpartition("#")[2], one.target.rpartition("/")[2]) for one in of(FieldReferences, said)} == {
        ("buyer", "s.users#id"),
        ("seller", "s.users#id"),
    }
    (job,) = of(JobSeen, said)
    assert "canary" not in job.statement
    assert "s.users" in job.statement


def test_types_and_names_of_every_kind(file, small_detection):
    make(
        file,
        'CREATE TABLE "we""ird, t/é%:x#y" ("c""2%(x)s:y" INTEGER)',
        "CREATE TABLE k AS SELECT 1::HUGEINT a, 1::UBIGINT b, 1.5::DECIMAL(9,2) c, 'NaN'::DOUBLE d, "
        "'infinity'::DATE e, '2026-01-01'::TIMESTAMPTZ f, '\\xff\\x00a'::BLOB g, uuid() h, map{'k': 1} i, "
        "INTERVAL 1 DAY j, '101'::BIT l, 'gai'::ENUM('gai') m, "
        "'{\"a\": 1}'::JSON n, [1, NULL] o, true p, TIME '10:00' q, NULL::VARCHAR r",
        "CREATE TABLE hides (rowid VARCHAR); INSERT INTO hides VALUES ('a@b.ca')",
    )
    said = scan(file, small_detection)
    assert findings(said) == set()
    assert {one.name for one in of(DatasetSeen, said)} == {'main.we"ird, t/é%:x#y', "main.k", "main.hides"}


def test_nothing_outside_of_the_file_is_reached(file, tmp_path, small_detection):
    (tmp_path / "people.csv").write_text("mail\na@b.ca\n")
    make(
        file,
        f"CREATE VIEW outside AS SELECT * FROM read_csv('{tmp_path / 'people.csv'}')",
        "CREATE TABLE gone (a INTEGER); CREATE VIEW broken AS SELECT a FROM gone; DROP TABLE gone",
        "CREATE TABLE fine (a INTEGER)",
    )
    said = scan(file, small_detection)
    assert findings(said) == {("main.outside", "remote"), ("main.broken", "broken-view")}
    assert of(FieldClassified, said) == []
    assert f"duckdb://{file}/main.fine" in {one.scope for one in of(Covered, said) if one.aspect is Aspect.CONTENT}


def test_a_large_table_is_sampled_over_all_its_rows_the_same_each_time(file, small_detection):
    make(file, "CREATE TABLE big AS SELECT i, repeat('é', 200) AS v FROM range(20000) t(i)")
    seen = []

    class Remembering:
        version = "remembering/1"

        def redact(self, text):
            return text

        def table(self, context):
            inner = small_detection.table(context)

            class Table:
                def feed(self, batch):
                    seen.extend(batch.column("i").to_pylist())
                    assert {len(v.encode()) for v in batch.column("v").to_pylist()} == {100}
                    return inner.feed(batch)

                def verdicts(self):
                    return list(inner.verdicts())

            return Table()

    scan(file, Remembering(), sampling=Sampling(rows=320, value_bytes=100))
    first = seen.copy()
    seen.clear()
    scan(file, Remembering(), sampling=Sampling(rows=320, value_bytes=100))
    assert first == seen
    assert len(set(first)) == 320
    assert (min(first) < 1000, max(first) > 19000) == (True, True)


def test_a_slow_view_is_given_up(file, small_detection):
    make(
        file, "CREATE VIEW slow AS SELECT count(*) n FROM range(10000000) a, range(10000000) b WHERE a.range < b.range"
    )
    assert findings(scan(file, small_detection, statement_timeout=0.3)) == {("main.slow", "statement-timeout")}


def test_an_unchanged_file_is_not_read_again(file, small_detection):
    import os
    import time

    make(file, "CREATE TABLE t AS SELECT 'a@b.ca' AS mail")
    old = time.time() - 60
    os.utime(file, (old, old))
    first = scan(file, small_detection)
    tokens = {one.scope: one.token for one in of(Covered, first) if one.aspect is Aspect.CONTENT}
    assert of(FieldClassified, scan(file, small_detection, tokens)) == []
    make(file, "INSERT INTO t VALUES ('c@d.ca')")
    os.utime(file, (old, old))
    assert len(of(FieldClassified, scan(file, small_detection, tokens))) == 1


def test_what_cannot_be_opened_is_one_error(file, tmp_path, small_detection):
    with pytest.raises(SourceError, match="duck: there is no such file"):
        scan(file, small_detection)
    assert not file.exists()
    junk = tmp_path / "junk"
    junk.write_bytes(b"SECRET " * 2000)
    with pytest.raises(SourceError, match="duck: it is no DuckDB database"):
        scan(junk, small_detection)
    holder = f"import duckdb, sys; c = duckdb.connect({str(file)!r}); print(flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", holder], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(SourceError, match="duck: another process has it open to write"):
            scan(file, small_detection)
        process.communicate()


def test_a_folder_of_parquet_files_is_a_local_source(tmp_path, small_detection):
    from scanners.buckets.local import LocalScanner, LocalSettings

    folder = tmp_path / "lake"
    folder.mkdir()
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t AS SELECT i % 3 AS year, i || '@b.ca' AS mail FROM range(30) r(i)")
        connection.execute(f"COPY t TO '{folder / 'users'}' (FORMAT parquet, PARTITION_BY (year))")
        connection.execute(f"COPY t TO '{folder / 'orders.parquet'}' (FORMAT parquet)")
    settings = LocalSettings.model_validate({"name": "lake", "type": "local", "path": folder})
    said = list(LocalScanner(settings).scan(ScanContext(small_detection)))
    assert len(of(DatasetSeen, said)) == 2
    assert {one.field.rpartition("#")[2] for one in of(FieldClassified, said)} == {"mail"}
    assert len(of(FieldClassified, said)) == 2
