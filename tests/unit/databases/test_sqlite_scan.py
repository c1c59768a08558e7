"""The SQLite scanner on real files."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pytest

from inventory.errors import SourceError
from inventory.model import Aspect, Covered, DatasetSeen, FieldReferences, FieldSeen, Finding, JobSeen, Profile
from scanners.base import Sampling, ScanContext
from scanners.databases.sqlite import SQLiteScanner, SQLiteSettings
from scanners.detection.interface import FieldVerdict, TableContext


class CountingTable:
    """Says how many rows it got, and keeps them for the test."""

    def __init__(self, context: TableContext, seen: dict[str, list[object]]) -> None:
        self.context, self.seen, self.rows = context, seen, 0

    def feed(self, batch: pa.RecordBatch) -> bool:
        self.rows += batch.num_rows
        for name in batch.schema.names:
            self.seen.setdefault(f"{self.context.name}.{name}", []).extend(batch.column(name).to_pylist())
        return True

    def verdicts(self) -> Sequence[FieldVerdict]:
        profile = Profile(self.rows, 0.0, 0.0)
        return [FieldVerdict(column.name, "", column.type, profile, ()) for column in self.context.columns]


class Counting:
    version = "counting/1"

    def __init__(self) -> None:
        self.seen: dict[str, list[object]] = {}

    def table(self, context: TableContext) -> CountingTable:
        return CountingTable(context, self.seen)

    def redact(self, text: str) -> str:
        return text


@pytest.fixture
def file(tmp_path) -> Path:
    return tmp_path / "été ?#%.db"


def make(file: Path, script: str) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(script)


def scan(file: Path, detection: Counting | None = None, **settings):
    scanner = SQLiteScanner(SQLiteSettings.model_validate({"name": "lite", "path": file, **settings}))
    return list(scanner.scan(ScanContext(detection or Counting())))


def of(kind, observations):
    return [observation for observation in observations if isinstance(observation, kind)]


def test_tables_views_keys_and_a_self_reference(file):
    make(
        file,
        """
        CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(320) NOT NULL, boss INT REFERENCES people(id));
        CREATE TABLE pairs (a INT, b INT, PRIMARY KEY (a, b)) WITHOUT ROWID;
        CREATE TABLE lines (x INT, y INT, FOREIGN KEY (y, x) REFERENCES pairs (a, b));
        CREATE VIEW mails AS SELECT mail, 'canary' AS c FROM people -- canary
        ;
        INSERT INTO people (mail) VALUES ('a@b.ca'), ('c@d.ca'); INSERT INTO pairs VALUES (2, 1), (1, 2);
        """,
    )
    detection = Counting()
    said = scan(file, detection, namespace="sqlite://shop")
    assert of(Finding, said) == []
    assert {(d.name, d.kind.value, d.row_estimate) for d in of(DatasetSeen, said)} == {
        ("people", "table", 2), ("pairs", "table", 2), ("lines", "table", 0), ("mails", "view", None),
    }  # fmt: skip
    keys = {
        (r.source.partition("shop/")[2], r.target.partition("shop/")[2], r.position) for r in of(FieldReferences, said)
    }
    assert keys == {
        ("people#boss", "people#id", 1), ("lines#y", "pairs#a", 1), ("lines#x", "pairs#b", 2),
    }  # fmt: skip
    (job,) = of(JobSeen, said)
    assert "canary" not in job.statement
    assert detection.seen["people.mail"] == ["a@b.ca", "c@d.ca"]
    assert detection.seen["pairs.a"] == ["1", "2"]
    assert said[-1] == Covered("sqlite://shop/", Aspect.LISTING)


def test_a_file_is_never_made_nor_written(file):
    with pytest.raises(SourceError, match="lite: cannot open the file"):
        scan(file)
    assert not file.exists()
    make(file, "CREATE TABLE t (a); INSERT INTO t VALUES (1)")
    before = file.read_bytes()
    scan(file)
    assert file.read_bytes() == before


def test_a_file_that_is_no_database(file):
    file.write_bytes(b"canary" * 1000)
    with pytest.raises(SourceError) as refused:
        scan(file)
    assert "no SQLite database" in str(refused.value)
    assert "canary" not in str(refused.value)


def test_odd_names_values_and_bytes(file):
    make(
        file,
        """
        CREATE TABLE "a ""b/c:%(x)s" ("é ""q" TEXT, rowid TEXT, "oid" INT, _rowid_ BLOB);
        INSERT INTO "a ""b/c:%(x)s" VALUES (CAST(x'636166e9' AS TEXT), 'x', 9223372036854775807, x'ff00');
        INSERT INTO "a ""b/c:%(x)s" VALUES (NULL, 1.5, 'text in an int', 'text in a blob');
        CREATE TABLE untyped (a, b DATETIME, c DECIMAL(10, 2), d NONSENSE(1, 2));
        INSERT INTO untyped VALUES (1, 'no date', 'no number', x'00');
        """,
    )
    detection = Counting()
    said = scan(file, detection)
    assert of(Finding, said) == []
    table = 'a "b/c:%(x)s'
    assert detection.seen[f'{table}.é "q'] == ["caf\ufffd", None]
    assert detection.seen[f"{table}.oid"] == ["9223372036854775807", "text in an int"]
    assert detection.seen["untyped.b"] == ["no date"]
    assert {field.name for field in of(FieldSeen, said)} >= {'é "q', "rowid", "a", "d"}


def test_a_large_table_is_read_in_stretches_the_same_each_time(file):
    make(
        file,
        """
        CREATE TABLE big (id INTEGER PRIMARY KEY, mail TEXT);
        INSERT INTO big WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
        SELECT i, i || '@x.ca' FROM n;
        """,
    )
    one, two, other = Counting(), Counting(), Counting()
    scan(file, one, sampling=Sampling(rows=320))
    scan(file, two, sampling=Sampling(rows=320))
    scan(file, other, sampling=Sampling(rows=320, seed=7))
    ids = [int(str(value)) for value in one.seen["big.id"]]
    assert len(ids) == len(set(ids)) == 320
    assert min(ids) < 2000
    assert max(ids) > 18000
    assert one.seen == two.seen != other.seen


def test_sparse_keys_of_a_small_table_are_all_read(file):
    make(file, "CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (-5), (7), (9223372036854775807)")
    detection = Counting()
    scan(file, detection)
    assert detection.seen["t.id"] == ["-5", "7", "9223372036854775807"]


def test_a_huge_value_is_cut(file):
    make(
        file, "CREATE TABLE t (a TEXT, b BLOB); INSERT INTO t VALUES (printf('%.*c', 1000000, 'x'), zeroblob(1000000))"
    )
    detection = Counting()
    scan(file, detection, sampling=Sampling(value_bytes=100))
    assert detection.seen["t.a"] == ["x" * 100]
    assert len(str(detection.seen["t.b"][0])) <= 100


def test_an_endless_view_is_given_up_and_the_rest_goes_on(file):
    make(
        file,
        """
        CREATE VIEW endless AS
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) AS i FROM n;
        CREATE TABLE t (a);
        """,
    )
    said = scan(file, statement_timeout=0.3)
    assert [(f.about.rpartition("/")[2], f.code) for f in of(Finding, said)] == [("endless", "statement-timeout")]
    assert Covered(next(d.urn for d in of(DatasetSeen, said) if d.name == "t"), Aspect.CONTENT) in said


def test_a_view_on_a_table_that_is_gone(file):
    make(file, "CREATE TABLE t (a); CREATE VIEW v AS SELECT a FROM t; CREATE TABLE u (b); DROP TABLE t")
    said = scan(file)
    assert [d.name for d in of(DatasetSeen, said)] == ["u", "v"]
    assert [f.about.rpartition("/")[2] for f in of(Finding, said)] == ["v"]


def test_a_lock_of_another_process(file):
    make(file, "CREATE TABLE t (a)")
    with closing(sqlite3.connect(file, isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(SourceError, match="lite: another process holds its lock"):
            scan(file, lock_timeout=0.1)


def test_the_write_ahead_log_of_a_running_writer_is_read(file):
    with closing(sqlite3.connect(file)) as writer:
        writer.executescript("PRAGMA journal_mode = WAL; CREATE TABLE t (a); INSERT INTO t VALUES ('x')")
        writer.execute("INSERT INTO t VALUES ('not committed')")
        detection = Counting()
        assert of(Finding, scan(file, detection)) == []
        assert detection.seen == {"t.a": ["x"]}
