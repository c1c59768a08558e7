"""Statements that write tables, as servers keep or have logged them."""

from __future__ import annotations

from typing import Any

from inventory.model import DatasetKind
from scanners.databases.catalog import Relation
from scanners.databases.writers import MOST_OF_RELATION, SeenStatement, with_writers

RELATIONS = [
    Relation("public", "customers", DatasetKind.TABLE, ()),
    Relation("public", "audit", DatasetKind.TABLE, ()),
    Relation("crm", "contacts", DatasetKind.TABLE, ()),
]


def written(*statements: SeenStatement, dialect: str = "postgres") -> dict[str, list[tuple[str, str]]]:
    relations = with_writers(RELATIONS, statements, dialect)
    return {r.name: [(w.kind, w.statement) for w in r.writers] for r in relations if r.writers}


def test_a_logged_query_goes_to_the_relation_that_it_writes_without_its_literals():
    found = written(
        SeenStatement("INSERT INTO crm.contacts (email) SELECT email FROM customers WHERE city = 'Laval'"),
        SeenStatement("UPDATE contacts SET email = c.email FROM customers c WHERE c.id = $0"),
        SeenStatement("SELECT email FROM customers"),
        SeenStatement("INSERT INTO contacts (email) VALUES ('ada@example.ca')"),
        SeenStatement("INSERT INTO elsewhere SELECT email FROM customers"),
        SeenStatement("no SQL ((("),
    )
    assert found == {
        "contacts": [
            ("query", "INSERT INTO crm.contacts (email) SELECT email FROM customers WHERE city = '?'"),
            ("query", "UPDATE contacts SET email = c.email FROM customers AS c WHERE c.id = $0"),
        ]
    }


def test_the_row_of_a_trigger_is_a_row_of_its_table():
    body = """
    BEGIN
      IF TG_OP = 'UPDATE' AND NEW.email <> 'x' THEN
        INSERT INTO audit (who, what) VALUES (NEW.email, 'changed; by ada@example.ca');
      END IF;
      RETURN NEW;
    END
    """
    found = written(SeenStatement(body, "noted", ("public", "customers")))
    assert found == {
        "audit": [("trigger", 'INSERT INTO audit (who, what) SELECT NEW.email, \'?\' FROM "public"."customers" AS new')]
    }


def test_a_trigger_of_sqlite_and_one_that_cannot_be_read():
    body = "CREATE TRIGGER t AFTER INSERT ON customers BEGIN INSERT INTO audit SELECT NEW.id, NEW.email; END"
    assert list(written(SeenStatement(body, "t", ("", "customers")), dialect="sqlite")) == ["audit"]
    assert written(SeenStatement("BEGIN INSERT INTO audit ((( ; 'open", "t", ("", "customers"))) == {}


def test_a_relation_keeps_a_bounded_number():
    many = [SeenStatement(f"INSERT INTO audit (who) SELECT c{n} FROM customers") for n in range(MOST_OF_RELATION + 5)]
    assert len(written(*many)["audit"]) == MOST_OF_RELATION


def test_a_trigger_in_a_file_becomes_a_job(tmp_path, small_detection):
    import sqlite3

    from inventory.model import JobSeen
    from scanners.base import ScanContext
    from scanners.databases.sqlite import SCANNER

    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as file:
        file.executescript(
            """
            CREATE TABLE people (id INTEGER, email TEXT); CREATE TABLE seen (who TEXT, what TEXT);
            CREATE TRIGGER noted AFTER INSERT ON people BEGIN INSERT INTO seen VALUES (NEW.email, 'canary'); END;
            """
        )
    settings: Any = SCANNER.settings_type.model_validate({"name": "shop", "type": "sqlite", "path": str(path)})
    scanner = SCANNER(settings)
    (job,) = [each for each in scanner.scan(ScanContext(detection=small_detection)) if isinstance(each, JobSeen)]
    assert (job.kind, job.dataset.rpartition("/")[2]) == ("trigger", "seen")
    assert job.statement == 'INSERT INTO seen SELECT NEW.email, \'?\' FROM "main"."people" AS new'
