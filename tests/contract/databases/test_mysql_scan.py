"""The MySQL scanner on a real MariaDB: what it says, how it asks, and what goes wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import event

from inventory.errors import SourceError
from inventory.model import (
    AccessSeen,
    Aspect,
    Covered,
    DatasetKind,
    DatasetSeen,
    FieldClassified,
    FieldReferences,
    FieldSeen,
    Finding,
    JobSeen,
    Observation,
    SafeguardSeen,
    SystemSeen,
)
from scanners.base import Sampling, ScanContext
from scanners.databases.mysql import MySQLScanner, MySQLSettings
from scanners.detection.interface import TableContext

CANARY = "canary.jeanne@courriel.ca"


@pytest.fixture
def admin(mariadb) -> Iterator[Any]:
    """Root's cursor; the test's databases and accounts are gone afterwards."""
    with mariadb.connect() as connection, connection.cursor() as cursor:
        yield cursor
        for name in _names(cursor, "SELECT schema_name FROM information_schema.schemata"):
            if name not in ("mysql", "information_schema", "performance_schema", "sys"):
                cursor.execute(f"DROP DATABASE `{name.replace('`', '``')}`")
        for name in _names(cursor, "SELECT user FROM mysql.user WHERE is_role = 'Y'"):
            cursor.execute(f"DROP ROLE '{name}'")
        for name in _names(cursor, "SELECT user FROM mysql.user WHERE user NOT IN ('root', 'mariadb.sys', 'mysql')"):
            cursor.execute(f"DROP USER '{name}'@'%'")


def _names(cursor, statement):
    cursor.execute(statement)
    return [row[0] for row in cursor.fetchall()]


def run(cursor, *statements: str) -> None:
    for statement in statements:
        cursor.execute(statement)


@pytest.fixture
def settings(mariadb, admin, monkeypatch):
    """Settings of an account that may read everything, the grants too."""
    monkeypatch.setenv("TEST_MYSQL_PASSWORD", "only reads")
    run(
        admin,
        "CREATE USER 'scanner'@'%' IDENTIFIED BY 'only reads'",
        "GRANT SELECT, SHOW VIEW, PROCESS ON *.* TO 'scanner'@'%'",
    )
    return MySQLSettings.model_validate(
        {
            "name": "maria",
            "host": "127.0.0.1",
            "port": mariadb.port,
            "user": "scanner",
            "password": {"env": "TEST_MYSQL_PASSWORD"},
            "statement_timeout": 20,
        }
    )


@pytest.fixture
def shop(admin):
    run(
        admin,
        "CREATE DATABASE accounts CHARACTER SET latin1",
        "CREATE DATABASE sales",
        "CREATE TABLE accounts.customers (id bigint AUTO_INCREMENT PRIMARY KEY, email varchar(320) NOT NULL COMMENT "
        f"'ask {CANARY}', payload json) COMMENT = 'people; ask {CANARY}'",
        "INSERT INTO accounts.customers (email) VALUES ('zoé@courriel.ca'), ('b@courriel.ca')",
        "CREATE TABLE sales.orders (a int, b int, who bigint, seller bigint "
        "COMMENT 'référence à accounts.customers(id)', PRIMARY KEY (a, b), "
        "CONSTRAINT buyer FOREIGN KEY (who) REFERENCES accounts.customers (id))",
        "CREATE TABLE sales.`lines` (x int, y int, CONSTRAINT whole FOREIGN KEY (y, x) REFERENCES orders (a, b))",
        f"CREATE VIEW sales.mails AS SELECT id, md5(email) AS h FROM accounts.customers WHERE email <> '{CANARY}'",
        "CREATE SEQUENCE sales.numbers",
        "ANALYZE TABLE accounts.customers",
    )
    admin.fetchall()


class Remembering:
    """The small detection, which also keeps what it was fed."""

    def __init__(self, inner) -> None:
        self.inner, self.version, self.seen = inner, inner.version, dict[str, list[object]]()

    def redact(self, text: str) -> str:
        return self.inner.redact(text)

    def table(self, context: TableContext):
        table, outer = self.inner.table(context), self

        class Table:
            def feed(self, batch: pa.RecordBatch) -> bool:
                for name in batch.schema.names:
                    outer.seen.setdefault(f"{context.name}.{name}", []).extend(batch.column(name).to_pylist())
                return table.feed(batch)

            def verdicts(self):
                return list(table.verdicts())

        return Table()


@pytest.fixture
def detection(small_detection):
    return Remembering(small_detection)


def scan(settings, detection, **context) -> list[Observation]:
    return list(MySQLScanner(settings).scan(ScanContext(detection, **context)))


def of(kind, observations):
    return [observation for observation in observations if isinstance(observation, kind)]


def tails(observations, *names):
    """What the URNs in the named attributes end with, after the server's."""
    return {tuple(str(getattr(one, name)).split("/", 3)[-1] for name in names) for one in observations}


@pytest.mark.usefixtures("shop")
def test_the_whole_of_a_server(settings, detection):
    said = scan(settings, detection)
    assert of(Finding, said) == []
    assert isinstance(said[0], SystemSeen)
    assert "MariaDB" in said[0].version
    assert said[-1] == Covered(f"{said[0].urn}/", Aspect.LISTING)
    datasets = {seen.name: seen for seen in of(DatasetSeen, said)}
    assert {name: seen.kind for name, seen in datasets.items()} == {
        "accounts.customers": DatasetKind.TABLE,
        "sales.orders": DatasetKind.TABLE,
        "sales.lines": DatasetKind.TABLE,
        "sales.mails": DatasetKind.VIEW,
    }
    customers = datasets["accounts.customers"]
    assert (customers.description, customers.row_estimate) == ("people; ask ‹email›", 2)
    email = next(seen for seen in of(FieldSeen, said) if seen.urn == f"{customers.urn}#email")
    assert (email.type, email.nullable, email.description) == ("varchar(320)", False, "ask ‹email›")
    assert tails(of(FieldClassified, said), "field", "category") == {("accounts.customers#email", "user.contact.email")}
    assert detection.seen["customers.email"] == ["zoé@courriel.ca", "b@courriel.ca"]
    assert CANARY not in repr(said)
    (job,) = of(JobSeen, said)
    assert "`accounts`.`customers`" in job.statement


@pytest.mark.usefixtures("shop")
def test_keys_of_constraints_and_of_comments(settings, detection):
    keys = {
        (*(urn.rpartition("/")[2] for urn in (key.source, key.target)), key.position, key.provenance.value)
        for key in of(FieldReferences, scan(settings, detection))
    }
    assert keys == {
        ("sales.orders#who", "accounts.customers#id", 1, "constraint"),
        ("sales.orders#seller", "accounts.customers#id", 1, "comment"),
        ("sales.lines#y", "sales.orders#a", 1, "constraint"),
        ("sales.lines#x", "sales.orders#b", 2, "constraint"),
    }


def test_a_databases_catalog_takes_as_many_questions_for_forty_tables_as_for_two(admin, settings):
    def count() -> int:
        scanner, statements = MySQLScanner(settings), list[str]()
        with scanner._connected() as connection, scanner._transaction(connection):
            event.listen(connection, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
            scanner.relations(connection, "many")
        return len(statements)

    def create(first, last):
        run(admin, *(f"CREATE TABLE many.t{number} (id int PRIMARY KEY)" for number in range(first, last)))

    run(admin, "CREATE DATABASE many")
    create(0, 2)
    few = count()
    create(2, 40)
    assert count() == few <= 12


def test_names_and_types_of_every_kind(admin, settings, detection):
    run(
        admin,
        "CREATE DATABASE `odd %s:x#y` CHARACTER SET utf8mb4",
        "CREATE TABLE `odd %s:x#y`.`é%:(x)s` (`c%(a)s:b` int PRIMARY KEY)",
        "INSERT INTO `odd %s:x#y`.`é%:(x)s` VALUES (7)",
        "CREATE TABLE `odd %s:x#y`.kinds (a tinyint(1), b bigint unsigned, c decimal(10,2), d double, "
        "e date, f datetime, g time, h year, i char(3), j varbinary(9), k blob, l json, m enum('gai', 'triste'), "
        "n set('x', 'y'), o bit(9), p point, q text CHARACTER SET latin1, r inet6, s uuid, t timestamp NULL)",
        "SET SESSION sql_mode = ''",
        "INSERT INTO `odd %s:x#y`.kinds VALUES (1, 18446744073709551615, 1.50, 0.5, '0000-00-00', '2026-01-31', "
        "'-838:59:59', 2026, 'abc', x'ff00', x'fe', '{\"a\": 1}', 'gai', 'x,y', b'100000001', POINT(1, 2), 'é', '::1', "
        "'6ccd780c-baba-1026-9564-5b8c656024db', NULL)",
        "INSERT INTO `odd %s:x#y`.kinds (a) VALUES (NULL)",
    )
    said = scan(settings, detection)
    assert of(Finding, said) == []
    assert detection.seen["é%:(x)s.c%(a)s:b"] == [7]
    seen = {name[6:]: values[0] for name, values in detection.seen.items() if name.startswith("kinds.")}
    assert (seen["a"], seen["b"], seen["c"], seen["d"]) == (1, "18446744073709551615", "1.50", 0.5)
    assert (seen["e"], seen["g"], seen["h"], seen["m"], seen["n"]) == ("0000-00-00", "-838:59:59", 2026, "gai", "x,y")
    assert (seen["j"], seen["k"], seen["l"], seen["q"]) == (b"\xff\x00", b"\xfe", '{"a": 1}', "é")
    assert (seen["p"], seen["r"], seen["s"][:8], seen["t"]) == ("POINT(1 2)", "::1", "6ccd780c", None)


def test_a_large_table_is_sampled_over_all_its_keys_the_same_each_time(admin, settings, small_detection):
    run(
        admin,
        "CREATE DATABASE big",
        "CREATE TABLE big.t (id bigint PRIMARY KEY, v longtext)",
        "INSERT INTO big.t SELECT seq * 3, repeat('é', 3000) FROM big.seq_1_to_20000",
        "ANALYZE TABLE big.t",
    )
    admin.fetchall()

    def ids(seed):
        detection = Remembering(small_detection)
        scan(settings.model_copy(update={"sampling": Sampling(rows=320, value_bytes=100, seed=seed)}), detection)
        assert {len(str(value).encode()) for value in detection.seen["t.v"]} == {100}
        return [int(str(value)) for value in detection.seen["t.id"]]

    one = ids(0)
    assert len(one) == len(set(one)) == 320
    assert min(one) < 6000
    assert max(one) > 54000
    assert one == ids(0) != ids(1)


# --- who may read, what protects ---------------------------------------------------------------------------


@pytest.mark.usefixtures("shop")
def test_who_may_read(admin, settings, detection):
    run(
        admin,
        *(f"CREATE USER '{name}'@'%'" for name in ("app", "clerk", "support", "chief", "outsider")),
        "CREATE ROLE staff",
        "CREATE ROLE managers",
        "GRANT SELECT ON accounts.* TO app@'%'",
        "GRANT SELECT ON sales.orders TO staff",
        "GRANT staff TO clerk@'%'",
        "GRANT staff TO managers",
        "GRANT managers TO chief@'%'",
        "GRANT SELECT (email) ON accounts.customers TO support@'%'",
        "GRANT INSERT ON sales.orders TO outsider@'%'",
    )
    seen = of(AccessSeen, scan(settings, detection))
    assert {
        (one.data.split("/")[-1], one.principal, one.kind.value, one.via) for one in seen if one.data.count("/") > 2
    } == {
        ("accounts.customers", "app", "user", ""),
        ("sales.orders", "staff", "role", ""),
        ("sales.orders", "clerk", "user", "staff"),
        ("sales.orders", "managers", "role", ""),  # MariaDB tells what a role inherits as if it were its own
        ("sales.orders", "chief", "user", "managers"),
        ("accounts.customers#email", "support", "user", ""),
    }
    server_wide = {one.principal for one in seen if one.data.count("/") == 2}
    assert {"root", "scanner"} <= server_wide
    assert not {"app", "outsider"} & server_wide


def test_a_grants_database_name_is_a_pattern(admin, settings, detection):
    run(
        admin,
        "CREATE DATABASE shop_a",
        "CREATE DATABASE shopxa",
        "CREATE TABLE shop_a.t (a int)",
        "CREATE TABLE shopxa.t (a int)",
        r"CREATE USER one@'%'",
        r"CREATE USER all_of_them@'%'",
        r"GRANT SELECT ON `shop\_%`.* TO one@'%'",
        r"GRANT SELECT ON `shop_a`.* TO all_of_them@'%'",
    )
    seen = of(AccessSeen, scan(settings, detection))
    assert tails([one for one in seen if one.principal in ("one", "all_of_them")], "data", "principal") == {
        ("shop_a.t", "one"),
        ("shop_a.t", "all_of_them"),
        ("shopxa.t", "all_of_them"),
    }


@pytest.mark.usefixtures("shop")
def test_an_account_that_may_not_see_grants_says_nothing_of_access(admin, settings, detection):
    run(admin, "REVOKE SELECT, SHOW VIEW, PROCESS ON *.* FROM scanner@'%'", "GRANT SELECT ON accounts.* TO scanner@'%'")
    said = scan(settings, detection)
    assert of(AccessSeen, said) == []
    assert Aspect.ACCESS not in {one.aspect for one in of(Covered, said)}
    assert [seen.name for seen in of(DatasetSeen, said)] == ["accounts.customers"]
    assert [seen.safeguard for seen in of(SafeguardSeen, said)] == ["encryption_in_transit"]


def test_encryption_on_the_wire(mariadb, settings, detection):
    def transit(**changed):
        said = scan(settings.model_copy(update=changed), detection)
        return next((s.present, s.evidence) for s in of(SafeguardSeen, said) if s.safeguard == "encryption_in_transit")

    assert transit(sslmode="disable") == (False, "the scanner's own session is not encrypted")
    present, evidence = transit(sslmode="verify-full", sslrootcert=mariadb.certificate)
    assert present
    assert "TLSv1" in evidence
    with pytest.raises(SourceError, match="the server's certificate is not trusted"):
        transit(sslmode="verify-full")


def test_encryption_at_rest(admin, settings, detection):
    def at_rest():
        return [s.present for s in of(SafeguardSeen, scan(settings, detection)) if s.safeguard == "encryption_at_rest"]

    run(admin, "CREATE DATABASE safe", "CREATE TABLE safe.t (a int) ENGINE=InnoDB ENCRYPTED=YES")
    assert at_rest() == [True]
    run(admin, "CREATE TABLE safe.u (a int) ENGINE=InnoDB")
    assert at_rest() == [False]


# --- what goes wrong ------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("shop")
def test_unchanged_tables_are_not_read_again(admin, settings, small_detection):
    """UPDATE_TIME counts in seconds, so a table is trusted only when its last change is some seconds old."""
    from scanners.databases import mysql

    def settled() -> None:
        admin.execute(f"SELECT sleep({mysql.SETTLED} + 1)")

    settled()
    first = scan(settings, Remembering(small_detection))
    tokens = {one.scope: one.token for one in of(Covered, first) if one.aspect is Aspect.CONTENT}
    run(admin, "INSERT INTO accounts.customers (email) VALUES ('new@courriel.ca')")
    settled()
    again = Remembering(small_detection)
    said = scan(settings, again, tokens=tokens)
    assert {name.split(".")[0] for name in again.seen} == {"customers", "mails"}
    assert len(of(DatasetSeen, said)) == 4


def test_a_broken_view_a_dropped_table_and_a_view_that_writes(admin, settings, detection):
    run(
        admin,
        "CREATE DATABASE w",
        "CREATE TABLE w.gone (a int)",
        "CREATE TABLE w.log (a int)",
        "CREATE VIEW w.broken AS SELECT a FROM w.gone",
        "CREATE FUNCTION w.noted() RETURNS int MODIFIES SQL DATA BEGIN INSERT INTO w.log VALUES (1); RETURN 1; END",
        "CREATE VIEW w.writer AS SELECT w.noted() AS n",
        "DROP TABLE w.gone",
    )
    said = scan(settings, detection)
    assert {(one.about.rpartition("/")[2], one.code) for one in of(Finding, said)} == {
        ("w.broken", "broken-view"),
        ("w.writer", "broken-view"),
    }
    admin.execute("SELECT count(*) FROM w.log")
    assert admin.fetchone() == (0,)


def test_a_lock_of_another_session_holds_up_one_table_only(admin, mariadb, settings, detection):
    run(admin, "CREATE DATABASE l", "CREATE TABLE l.held (a int)", "CREATE TABLE l.loose (a int)")
    with mariadb.connect() as other, other.cursor() as cursor:
        cursor.execute("LOCK TABLES l.held WRITE")
        said: list[Observation] = []
        thread = threading.Thread(target=lambda: said.extend(scan(settings, detection)))
        thread.start()
        thread.join(15)
        assert not thread.is_alive()
    assert [(one.about.rpartition("/")[2], one.code) for one in of(Finding, said)] == [("l.held", "locked")]
    covered = {one.scope.rpartition("/")[2] for one in of(Covered, said) if one.aspect is Aspect.CONTENT}
    assert covered == {"l.loose"}


def test_a_slow_view_is_given_up(admin, settings, detection):
    run(
        admin,
        "CREATE DATABASE s",
        "CREATE VIEW s.slow AS SELECT count(*) n FROM s.seq_1_to_999999 a, s.seq_1_to_999999 b WHERE a.seq <> b.seq",
        "CREATE TABLE s.fast (a int)",
    )
    said = scan(settings.model_copy(update={"statement_timeout": 1.0}), detection)
    assert [(one.about.rpartition("/")[2], one.code) for one in of(Finding, said)] == [("s.slow", "statement-timeout")]


def test_some_columns_only(admin, settings, detection):
    run(
        admin,
        "CREATE DATABASE p",
        "CREATE TABLE p.t (a int, b text)",
        "REVOKE SELECT, SHOW VIEW, PROCESS ON *.* FROM scanner@'%'",
        "GRANT SELECT (a), INSERT ON p.t TO scanner@'%'",
    )
    said = scan(settings, detection)
    assert [(one.about.rpartition("/")[2], one.code) for one in of(Finding, said)] == [("p.t", "no-permission")]
    assert list(detection.seen) == []
    assert {field.name for field in of(FieldSeen, said)} == {"a", "b"}


def test_wrong_password_and_no_server(settings, detection, monkeypatch):
    with pytest.raises(SourceError, match=r"cannot reach 127\.0\.0\.1:1 "):
        scan(settings.model_copy(update={"port": 1}), detection)
    monkeypatch.setenv("TEST_MYSQL_PASSWORD", "s3cret-guess")
    with pytest.raises(SourceError, match="maria: wrong user or password") as raised:
        scan(settings, detection)
    assert "s3cret" not in repr(raised.value)
    assert "s3cret" not in repr(raised.value.__context__)


@pytest.mark.usefixtures("shop")
def test_a_session_ended_in_mid_scan_keeps_what_was_said(admin, settings, detection):
    said: list[Observation] = []

    def listen() -> None:
        for one in MySQLScanner(settings).scan(ScanContext(detection)):
            said.append(one)
            if isinstance(one, Covered) and one.aspect is Aspect.CONTENT:
                run(admin, "KILL USER scanner")

    with pytest.raises(SourceError, match="maria: the server ended the connection"):
        listen()
    assert sum(isinstance(one, Covered) and one.aspect is Aspect.CONTENT for one in said) == 1


@pytest.mark.usefixtures("shop")
def test_by_its_sqlalchemy_url_alone_the_same_server_tells_less(settings, small_detection):
    from scanners.databases.sqlalchemy import SQLAlchemyScanner, SQLAlchemySettings

    url = f"mysql+pymysql://scanner@127.0.0.1:{settings.port}/"
    made = SQLAlchemySettings.model_validate({"name": "any", "url": url, "password": {"env": "TEST_MYSQL_PASSWORD"}})
    said = list(SQLAlchemyScanner(made).scan(ScanContext(small_detection)))
    assert of(Finding, said) == []
    whole = scan(settings, small_detection)
    assert {one.urn for one in of(FieldSeen, said)} == {one.urn for one in of(FieldSeen, whole)}
    assert {one.field for one in of(FieldClassified, said)} == {one.field for one in of(FieldClassified, whole)}
    assert {(one.source, one.target) for one in of(FieldReferences, said)} == {
        (one.source, one.target) for one in of(FieldReferences, whole)
    }
    assert CANARY not in repr(said)


def test_a_table_dropped_between_listing_and_reading(admin, settings, detection):
    run(admin, "CREATE DATABASE d", "CREATE TABLE d.a (x int)", "CREATE TABLE d.b (x int)", "CREATE TABLE d.c (x int)")
    said: list[Observation] = []
    for one in MySQLScanner(settings).scan(ScanContext(detection)):
        said.append(one)
        if isinstance(one, DatasetSeen) and one.name == "d.a":
            run(admin, "DROP TABLE d.b")
    assert [(one.about.rpartition("/")[2], one.code) for one in of(Finding, said)] == [("d.b", "changed")]
    assert "d.c" in {one.scope.rpartition("/")[2] for one in of(Covered, said) if one.aspect is Aspect.CONTENT}
