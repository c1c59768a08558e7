"""A rescan reads what changed, and writes nothing for the rest."""

from __future__ import annotations

import os
import sqlite3
import time

import pytest

from inventory.graph.export import export
from inventory.model import Aspect, Covered, Finding, Severity
from scanners.base import ScanContext

TABLES = """
CREATE TABLE people (id int PRIMARY KEY, email text); INSERT INTO people VALUES (1, 'a@b.ca');
CREATE TABLE orders (id int PRIMARY KEY, who int REFERENCES people, note text);
CREATE TABLE parts (a int, mail text) PARTITION BY RANGE (a);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
CREATE TABLE parent (a text); CREATE TABLE child () INHERITS (parent);
CREATE VIEW seen AS SELECT email FROM people;
CREATE MATERIALIZED VIEW kept AS SELECT email FROM people;
"""
VIEW = ["seen"]  # nothing tells whether the tables below a view changed: it is read each time


@pytest.fixture
def tables(database):
    database.execute(TABLES)
    flush(database)
    return database


def flush(database):
    """Let the session's counters be seen by others now (version 15 and later; before, they are within a second)."""
    database.execute("SELECT pg_stat_force_next_flush()")


def versions(outcome):
    return {name: n for name, n in outcome.report.counts.items() if not name.endswith("_unchanged") and n}


def test_unchanged_tables_cost_no_sample_and_no_write(tables, source, loaded, embedded_graph):
    outcome, read = loaded(source())
    assert outcome.complete
    assert read == ["child", "kept", "orders", "parent", "parts", "people", "seen"]
    before = [record for record in export(embedded_graph) if "Scan" not in str(record)]

    outcome, read = loaded(source())
    assert outcome.complete
    assert read == VIEW
    assert versions(outcome) == {}
    assert [record for record in export(embedded_graph) if "Scan" not in str(record)] == before


@pytest.mark.parametrize(
    "change, read",
    [
        ("INSERT INTO people VALUES (2, 'c@d.ca')", ["people"]),
        ("UPDATE people SET email = 'x'", ["people"]),
        ("DELETE FROM people", ["people"]),
        ("TRUNCATE orders", ["orders"]),
        ("INSERT INTO parts VALUES (1, 'p@q.ca')", ["parts"]),
        ("INSERT INTO child VALUES ('x')", ["child", "parent"]),
        ("REFRESH MATERIALIZED VIEW kept", ["kept"]),
        ("ALTER TABLE orders ALTER note TYPE varchar(9)", ["orders"]),
        ("ALTER TABLE people ADD COLUMN phone text DEFAULT '1'", ["people"]),
        ("COMMENT ON COLUMN orders.note IS 'of the customer'", ["orders"]),
        ("CREATE TABLE new (a text)", ["new"]),
        (
            "DROP TABLE orders; CREATE TABLE orders (id int PRIMARY KEY, who int REFERENCES people, note text)",
            ["orders"],
        ),
        ("SELECT pg_stat_reset()", ["child", "kept", "orders", "parent", "parts", "people"]),
        ("SELECT pg_stat_reset_shared('bgwriter')", ["child", "kept", "orders", "parent", "parts", "people"]),
        ("VACUUM people", []),
        ("ANALYZE people", []),
    ],
)
def test_what_changed_is_read_again(tables, source, small_detection, change, read):
    def scan(tokens):
        """The tables read, and their tokens as the graph would keep them."""
        said = list(source().scan(ScanContext(small_detection, tokens=tokens)))
        seen = {one.scope: one.token for one in said if isinstance(one, Covered) and one.aspect is Aspect.CONTENT}
        return sorted(urn.rpartition(".")[2] for urn in seen), {**tokens, **seen}

    _, tokens = scan({})
    for statement in change.split("; "):
        tables.execute(statement)
    flush(tables)
    assert scan(tokens)[0] == sorted([*read, *VIEW])


def test_everything_is_read_again_on_a_full_scan_and_with_other_settings(tables, source, loaded):
    _, every = loaded(source())
    assert loaded(source())[1] == VIEW
    assert loaded(source(), full=True)[1] == every
    assert loaded(source(sampling={"rows": 5}))[1] == every
    assert loaded(source(sampling={"rows": 5}, processor="stripe"))[1] == every


def test_a_dropped_table_that_is_back_is_read(tables, source, loaded, embedded_graph):
    loaded(source(include_schemas=["public"]))
    tables.execute("CREATE SCHEMA away")
    tables.execute("ALTER TABLE orders SET SCHEMA away")
    outcome, _ = loaded(source(include_schemas=["public"]))
    assert outcome.report.counts["nodes_ended"] == 4  # with its columns
    tables.execute("ALTER TABLE away.orders SET SCHEMA public")
    outcome, read = loaded(source(include_schemas=["public"]))
    assert "orders" in read  # though nothing was written to it
    assert outcome.report.counts["nodes_created"] == 4


def test_what_could_not_be_read_is_tried_again(tables, source, loaded, pg):
    with pg.connect(tables.info.dbname) as holder, holder.transaction():
        holder.execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
        outcome, _ = loaded(source())
        assert [finding.code for finding in outcome.findings] == ["locked"]
    outcome, read = loaded(source())
    assert outcome.complete
    assert read == ["orders", *VIEW]


def test_a_finding_about_an_unchanged_table_stays(tables, source, loaded, embedded_graph):
    def with_remark():
        scanner = source()
        scan = scanner.scan

        def remarking(context):
            for said in scan(context):
                yield said
                if getattr(said, "aspect", "") == "content" and said.scope.endswith(".people"):
                    yield Finding(said.scope, "remark", Severity.INFO, "people: a remark")

        scanner.scan = remarking
        return scanner

    def remarks():
        return embedded_graph.read("MATCH (f:Finding {code: 'remark'}) WHERE f.valid_to IS NULL RETURN f.urn AS urn")

    loaded(with_remark())
    assert len(remarks()) == 1
    assert loaded(with_remark())[1] == VIEW
    assert len(remarks()) == 1
    tables.execute("DELETE FROM people")
    flush(tables)
    loaded(source())  # looked at again, and the remark is not made
    assert remarks() == []


@pytest.fixture(params=["DELETE", "WAL"])
def shop(tmp_path, request):
    """A SQLite file that was written a while ago, and a connection to it that stays open."""
    from scanners.databases.sqlite import SQLiteScanner, SQLiteSettings

    path = tmp_path / "shop.db"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA journal_mode = {request.param}")
    connection.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT)")
    connection.execute("INSERT INTO people VALUES (1, 'a@b.ca')")
    connection.execute("CREATE TABLE other (note TEXT)")
    yield SQLiteScanner(SQLiteSettings(name="shop", path=path)), connection, tmp_path
    connection.close()


def settle(folder):
    """As if the files had been written a minute ago, but not all in the same tick."""
    for file in folder.iterdir():
        before = time.time_ns() - 60 * 10**9 - file.stat().st_mtime_ns % 10**9
        os.utime(file, ns=(before, before))


def test_a_sqlite_file_that_nobody_wrote_to_is_not_read_again(shop, loaded):
    scanner, connection, folder = shop
    settle(folder)
    assert loaded(scanner)[1] == ["other", "people"]
    outcome, read = loaded(scanner)
    assert (read, outcome.complete, versions(outcome)) == ([], True, {})
    times = {file: file.stat().st_mtime_ns for file in folder.iterdir()}
    connection.execute("UPDATE people SET email = 'b@b.ca'")
    for file, modified in times.items():
        os.utime(file, ns=(modified, modified))  # even when the time tells nothing
    assert loaded(scanner)[1] == ["other", "people"]


def test_a_sqlite_file_that_was_written_just_now_is_read_again(shop, loaded):
    scanner, *_ = shop
    assert loaded(scanner)[1] == loaded(scanner)[1] == ["other", "people"]
