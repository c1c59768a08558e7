"""The database as it really is: what its schema must have, the truth about each column, a role that only reads."""

from __future__ import annotations

import psycopg
import pytest

from seed.estate import names
from seed.estate.servers.postgres import connect
from seed.estate.truth import truth

OURS = "n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'public')"


@pytest.fixture
def scanner(small_estate):
    """A connection with what the configuration gives to a scanner."""
    source = small_estate.sources()[0]
    with connect(source["port"], source["database"], source["user"], small_estate.secret("postgres-scanner")) as found:
        yield found


def test_truth_covers_every_column_and_nothing_else(scanner):
    rows = scanner.execute(
        "SELECT n.nspname || '.' || c.relname || '#' || a.attname FROM pg_attribute a"
        " JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
        f" WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v', 'm') AND {OURS}"
    )
    prefix = f"{names.DATABASE_NAMESPACE}/{names.DATABASE}."
    columns = {prefix + name for (name,) in rows}
    described = {_column(field) for field in truth().fields if field.startswith(prefix)}
    assert described == columns


def _column(field: str) -> str:
    dataset, _, path = field.partition("#")
    return f"{dataset}#{path.partition('/')[0]}"


def test_json_truth_covers_every_path_and_nothing_else(scanner):
    columns = scanner.execute(
        "SELECT n.nspname, c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
        " JOIN pg_namespace n ON n.oid = c.relnamespace"
        f" WHERE a.atttypid = 'jsonb'::regtype AND c.relkind = 'r' AND {OURS}"
    ).fetchall()
    assert len(columns) >= 8
    prefix = f"{names.DATABASE_NAMESPACE}/{names.DATABASE}."
    for schema, table, column in columns:
        field = f"{prefix}{schema}.{table}#{column}"
        leaves = {
            path for (value,) in scanner.execute(f"SELECT {column} FROM {schema}.{table}") for path in _leaves(value)
        }
        open_map = "/shared_with/"
        found = {f"{field}{open_map}*" if open_map in leaf else field + leaf for leaf in leaves}
        inner = {other for other in truth().fields if other.startswith(f"{field}/")}
        parents = {other for other in inner if any(deeper.startswith(f"{other}/") for deeper in inner)}
        assert found == inner - parents


def _leaves(value: object, path: str = "") -> set[str]:
    if isinstance(value, dict):
        return set().union(*(_leaves(inner, f"{path}/{key}") for key, inner in value.items()))
    if isinstance(value, list):
        return set().union(*(_leaves(inner, f"{path}/-") for inner in value))
    return {path}


def count(connection: psycopg.Connection, query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def test_schema_has_what_a_platform_has(scanner):
    relations = f"SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {OURS}"
    constraints = "SELECT count(*) FROM pg_constraint WHERE contype = 'f'"
    assert count(scanner, f"{relations} AND relkind = 'r'") >= 28
    assert count(scanner, f"{relations} AND relkind = 'v'") >= 4
    assert count(scanner, f"{relations} AND relkind = 'm'") == 1
    assert count(scanner, f"{constraints} AND array_length(conkey, 1) = 2") >= 10  # composite references
    assert count(scanner, f"{constraints} AND conrelid = confrelid") >= 3  # self-references
    assert count(scanner, "SELECT count(*) FROM pg_description WHERE description LIKE 'Référence à accounts.%'") == 1


def test_row_estimates_are_exact(scanner):
    rows = scanner.execute(
        "SELECT n.nspname, c.relname, c.reltuples FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        f" WHERE c.relkind IN ('r', 'm') AND {OURS}"
    ).fetchall()
    for schema, table, estimate in rows:
        assert count(scanner, f"SELECT count(*) FROM {schema}.{table}") == estimate


@pytest.mark.parametrize("statement", ["DELETE FROM accounts.customers", "CREATE TABLE accounts.mine (id int)"])
def test_scanner_role_reads_and_does_nothing_else(scanner, statement):
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        scanner.execute(statement)
    scanner.execute("SET default_transaction_read_only = off")  # a role may undo its own setting, and gains nothing
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        scanner.execute(statement)


def test_scanner_role_sees_no_password(scanner):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        scanner.execute("SELECT * FROM pg_authid")


def test_wrong_password_is_refused(small_estate):
    source = small_estate.sources()[0]
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(source["port"], source["database"], source["user"], "wrong")
