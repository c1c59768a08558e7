"""The estate's people in a MariaDB: the same categories are found there as the truth about the estate says."""

from __future__ import annotations

import json
from itertools import islice

import pytest

from inventory.model import DatasetSeen, FieldClassified, Finding, dataset_of
from scanners.base import ScanContext
from scanners.databases.mysql import MySQLScanner, MySQLSettings
from scanners.detection import ColumnDetector
from seed.estate import names
from seed.estate.content.tables import tables
from seed.estate.content.world import make_world
from seed.estate.truth import truth

SCHEMAS = ("accounts", "billing", "support")


@pytest.fixture
def estate(mariadb, monkeypatch):
    """Tables of three of the estate's schemas, with the types that their values ask for."""
    monkeypatch.setenv("TEST_MYSQL_ESTATE", "only reads")
    with mariadb.connect() as connection, connection.cursor() as cursor:
        for schema in SCHEMAS:
            cursor.execute(f"CREATE DATABASE {schema} CHARACTER SET utf8mb4")
            cursor.execute(f"GRANT SELECT ON {schema}.* TO estate@'%' IDENTIFIED BY 'only reads'")
        for table in tables(make_world(300, 7)):
            if table.name.partition(".")[0] in SCHEMAS:
                _fill(cursor, table.name, table.columns, [tuple(map(_stored, row)) for row in islice(table.rows, 800)])
        yield MySQLSettings.model_validate(
            {
                "name": "estate",
                "host": "127.0.0.1",
                "port": mariadb.port,
                "user": "estate",
                "password": {"env": "TEST_MYSQL_ESTATE"},
            }
        )
        for schema in SCHEMAS:
            cursor.execute(f"DROP DATABASE {schema}")
        cursor.execute("DROP USER estate@'%'")


def _fill(cursor, name, columns, rows):
    kinds = [next((type(row[place]) for row in rows if row[place] is not None), str) for place in range(len(columns))]
    types = [{int: "bigint", float: "double", bool: "tinyint(1)"}.get(kind, "longtext") for kind in kinds]
    declared = ", ".join(f"`{column}` {kind}" for column, kind in zip(columns, types, strict=True))
    cursor.execute(f"CREATE TABLE {name} ({declared})")
    cursor.executemany(f"INSERT INTO {name} VALUES ({', '.join(['%s'] * len(columns))})", rows)


def _stored(value):
    if isinstance(value, (list, dict)):
        return json.dumps(value, default=str)
    return value if value is None or isinstance(value, (int, float, bool)) else str(value)


def test_the_estates_categories_are_found_in_mariadb(estate):
    said = list(MySQLScanner(estate).scan(ScanContext(ColumnDetector())))
    assert [one for one in said if isinstance(one, Finding)] == []
    prefix, other = f"mysql://127.0.0.1:{estate.port}/", f"{names.DATABASE_NAMESPACE}/{names.DATABASE}."

    def in_truth(urn: str) -> str:
        return other + urn.removeprefix(prefix)

    found: dict[str, set[str]] = {}
    for one in said:
        if isinstance(one, FieldClassified):
            found.setdefault(in_truth(one.field), set()).add(one.category)
    loaded = {in_truth(one.urn) for one in said if isinstance(one, DatasetSeen)}
    wanted = [
        (place, categories)
        for place, expected in truth().fields.items()
        if dataset_of(place) in loaded
        for categories in expected.required
    ]
    missed = [(place, categories) for place, categories in wanted if not found.get(place, set()) & set(categories)]
    assert len(wanted) > 50
    assert len(missed) <= 0.05 * len(wanted), missed
