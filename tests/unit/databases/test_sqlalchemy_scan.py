"""Any database by its SQLAlchemy URL; what needs no server."""

from __future__ import annotations

import sqlite3

import pytest
from pydantic import ValidationError

from inventory.errors import SourceError
from inventory.model import (
    DatasetKind,
    DatasetSeen,
    FieldClassified,
    FieldReferences,
    Finding,
    JobSeen,
    SystemSeen,
)
from scanners.base import ScanContext
from scanners.databases.sqlalchemy import SQLAlchemyScanner, SQLAlchemySettings


def scanner(url, **settings):
    return SQLAlchemyScanner(SQLAlchemySettings.model_validate({"name": "any", "url": url, **settings}))


def of(kind, said):
    return [one for one in said if isinstance(one, kind)]


def test_a_database_by_its_url(tmp_path, small_detection):
    file = tmp_path / "a.db"
    with sqlite3.connect(file) as connection:
        connection.executescript(
            """
            CREATE TABLE users (id INTEGER PRIMARY KEY, mail BLOB, age REAL);
            CREATE TABLE orders (who INTEGER REFERENCES users (id));
            CREATE VIEW mails AS SELECT mail FROM users WHERE mail <> 'canary@vue.ca';
            INSERT INTO users VALUES (1, CAST('a@b.ca' AS BLOB), 3.5), (2, 'c@d.ca', NULL);
            """
        )
    connection.close()
    said = list(scanner(f"sqlite:///{file}").scan(ScanContext(small_detection)))
    assert of(Finding, said) == []
    (system,) = of(SystemSeen, said)
    assert (system.urn, system.name, system.engine) == (f"sqlite://{file}", "any", "sqlalchemy")
    assert {one.name: one.kind for one in of(DatasetSeen, said)} == {
        "main.users": DatasetKind.TABLE,
        "main.orders": DatasetKind.TABLE,
        "main.mails": DatasetKind.VIEW,
    }
    assert {one.field.rpartition("/")[2] for one in of(FieldClassified, said)} == {"main.users#mail", "main.mails#mail"}
    assert [one.target.rpartition("/")[2] for one in of(FieldReferences, said)] == ["main.users#id"]
    (job,) = of(JobSeen, said)
    assert ("canary" in job.statement, job.dialect) == (False, "sqlite")


def test_a_url_never_holds_a_password():
    with pytest.raises(ValidationError, match="holds a password") as raised:
        scanner("oracle://reader:s3cret@db.example.ca/x")
    assert "s3cret" not in str(raised.value.errors(include_input=False))
    with pytest.raises(ValidationError, match="is no SQLAlchemy URL"):
        scanner("where is it?")


@pytest.mark.parametrize(
    "url, system, name",
    [
        ("oracle+oracledb://r@db.ca:1521/shop", "oracle://db.ca:1521", "shop.hr.staff"),
        ("trino://r@[::1]:8080/hive", "trino://[::1]:8080", "hive.hr.staff"),
        ("sqlite:////data/a.db", "sqlite:///data/a.db", "hr.staff"),
    ],
)
def test_names_follow_from_the_url(url, system, name):
    made = scanner(url)
    assert (made.system, made.dataset_name("hr", "staff")) == (system, name)
    assert scanner(url, namespace="x://y").system == "x://y"


def test_what_is_not_installed_is_named(small_detection):
    with pytest.raises(SourceError, match="any: no SQLAlchemy dialect unicorn is installed"):
        list(scanner("unicorn://h/x").scan(ScanContext(small_detection)))
    with pytest.raises(SourceError, match=r"any: the driver of oracle\+cx_oracle is not installed \(cx_Oracle\)"):
        list(scanner("oracle+cx_oracle://h/x").scan(ScanContext(small_detection)))


def test_no_server_is_one_error_without_a_secret(small_detection, monkeypatch):
    monkeypatch.setenv("TEST_ANY_PASSWORD", "s3cret")
    made = scanner("postgresql+psycopg://u@127.0.0.1:1/x", password={"env": "TEST_ANY_PASSWORD"})
    with pytest.raises(SourceError, match="any: the session could not be opened") as raised:
        list(made.scan(ScanContext(small_detection)))
    assert "s3cret" not in repr((raised.value, raised.value.__context__))
