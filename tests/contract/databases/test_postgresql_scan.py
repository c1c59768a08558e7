"""The PostgreSQL scanner on real servers: what it says, how it asks, and what goes wrong."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import psycopg
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
    Evidence,
    FieldClassified,
    FieldProfiled,
    FieldReferences,
    FieldSeen,
    Finding,
    FlowSeen,
    JobSeen,
    Observation,
    Profile,
    Provenance,
    SafeguardSeen,
    Severity,
    SystemSeen,
)
from scanners.base import Chunk, Sampling, ScanContext
from scanners.budget import Budget
from scanners.databases.postgresql import PostgreSQLScanner
from scanners.detection.interface import ColumnContext, FieldVerdict, TableContext, Verdict

PASSWORD = "correct horse"  # of the fixture's superuser
EMAIL = re.compile(r"[\w.]+@[\w.]+\.\w+")


class MailTable:
    """Finds e-mail addresses in columns and in the strings of JSON objects."""

    def __init__(self, context: TableContext, seen: dict[str, list[object]], hook: Callable[[str], None]) -> None:
        self.context, self.seen, self.hook = context, seen, hook
        self.hits: dict[tuple[str, str], int] = {(column.name, ""): 0 for column in context.columns}
        self.rows = 0

    def feed(self, batch: pa.RecordBatch) -> bool:
        self.hook(self.context.name)
        self.rows += batch.num_rows
        for name in batch.schema.names:
            values = batch.column(name).to_pylist()
            self.seen.setdefault(f"{self.context.name}.{name}", []).extend(values)
            for value in values:
                for pointer, text in _texts(value):
                    found = EMAIL.search(text) is not None and (pointer != "" or not text.startswith(("{", "[")))
                    self.hits[name, pointer] = self.hits.get((name, pointer), 0) + found
        return True

    def verdicts(self) -> Sequence[FieldVerdict]:
        order = {column.name: index for index, column in enumerate(self.context.columns)}
        return [self._verdict(*key) for key in sorted(self.hits, key=lambda key: (order[key[0]], key[1]))]

    def _verdict(self, column: str, pointer: str) -> FieldVerdict:
        hits = self.hits[column, pointer]
        evidence = (Evidence("value:email", f"{hits} of {self.rows}", 1.0),)
        verdicts = (Verdict("user.contact.email", 0.9, evidence),) if hits else ()
        return FieldVerdict(column, pointer, "string", Profile(self.rows, 0.0, 0.0), verdicts)


def _texts(value: object, pointer: str = "") -> Iterator[tuple[str, str]]:
    if not isinstance(value, str):
        return
    yield pointer, value
    if value.startswith("{"):
        try:
            document = json.loads(value)
        except ValueError:
            return
        stack = [("", document)]
        while stack:
            path, node = stack.pop()
            if isinstance(node, dict):
                stack += [(f"{path}/{key}", child) for key, child in node.items()]
            elif isinstance(node, str):
                yield path, node


class MailDetection:
    version = "mail/1"

    def __init__(self, hook: Callable[[str], None] = lambda table: None) -> None:
        self.seen: dict[str, list[object]] = {}
        self.contexts: dict[str, TableContext] = {}
        self.hook = hook

    def table(self, context: TableContext) -> MailTable:
        self.contexts[context.name] = context
        return MailTable(context, self.seen, self.hook)

    def redact(self, text: str) -> str:
        return EMAIL.sub("‹email›", text)


def scan(settings, detection: MailDetection | None = None) -> list[Observation]:
    return list(PostgreSQLScanner(settings).scan(ScanContext(detection or MailDetection())))


def of(kind, observations):
    return [observation for observation in observations if isinstance(observation, kind)]


def named(observations: Sequence[Observation]) -> dict[str, DatasetSeen]:
    return {seen.name.split(".", 1)[1]: seen for seen in of(DatasetSeen, observations)}


def covered(observations: Sequence[Observation], table: str) -> set[Aspect]:
    aspects = {seen.aspect for seen in of(Covered, observations) if seen.scope.endswith(f".{table}")}
    return aspects - {Aspect.ACCESS}


@pytest.fixture
def shop(database):
    database.execute(
        """
        CREATE SCHEMA sales;
        CREATE TABLE public.users (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email varchar(320) NOT NULL, payload jsonb,
            boss bigint REFERENCES public.users);
        COMMENT ON TABLE public.users IS 'people; ask jean@tremblay.ca';
        COMMENT ON COLUMN public.users.email IS 'see jean@tremblay.ca';
        CREATE TABLE sales.orders (a int, b int, who bigint REFERENCES public.users, PRIMARY KEY (a, b));
        CREATE TABLE sales.lines (x int, y int, CONSTRAINT whole FOREIGN KEY (y, x) REFERENCES sales.orders (a, b));
        CREATE VIEW public.mails AS SELECT id, md5(email) AS h FROM public.users WHERE email <> 'canary@vue.ca';
        CREATE MATERIALIZED VIEW public.counted AS SELECT count(*) AS n FROM public.users;
        INSERT INTO public.users (email, payload)
        SELECT 'u' || i || '@courriel.ca', '{"customer": {"email": "p@courriel.ca"}, "n": "x"}'
        FROM generate_series(1, 40) i;
        ANALYZE;
        """
    )


@pytest.mark.usefixtures("shop")
def test_the_whole_of_a_database(settings):
    detection = MailDetection()
    said = scan(settings, detection)
    assert isinstance(said[0], SystemSeen)
    assert said[0].version[0].isdigit()
    (safeguard,) = of(SafeguardSeen, said)
    assert (safeguard.safeguard, safeguard.present) == ("encryption_in_transit", False)
    assert said[-1] == Covered(f"{said[0].urn}/{settings.database}.", Aspect.LISTING)

    datasets = named(said)
    assert {name: seen.kind for name, seen in datasets.items()} == {
        "public.users": DatasetKind.TABLE,
        "public.mails": DatasetKind.VIEW,
        "public.counted": DatasetKind.MATERIALIZED_VIEW,
        "sales.orders": DatasetKind.TABLE,
        "sales.lines": DatasetKind.TABLE,
    }
    users = datasets["public.users"]
    assert (users.description, users.row_estimate) == ("people; ask ‹email›", 40)

    fields = {seen.urn.removeprefix(users.urn): seen for seen in of(FieldSeen, said) if seen.dataset == users.urn}
    email = fields["#email"]
    assert (email.type, email.position, email.nullable) == ("character varying(320)", 2, False)
    assert email.description == "see ‹email›"
    assert fields["#id"].primary_key
    assert fields["#payload/customer/email"].name == "payload/customer/email"

    classified = {seen.field for seen in of(FieldClassified, said)}
    assert classified == {f"{users.urn}#email", f"{users.urn}#payload/customer/email"}
    assert detection.contexts["orders"].columns[2] == ColumnContext("who", "bigint", references="users.id")


@pytest.mark.usefixtures("shop")
def test_keys_keep_their_columns_together_and_in_order(settings):
    keys = {
        (seen.source.rpartition(".")[2], seen.target.rpartition(".")[2], seen.group.partition(".")[2], seen.position)
        for seen in of(FieldReferences, scan(settings))
    }
    assert keys == {
        ("users#boss", "users#id", "public.users.users_boss_fkey", 1),
        ("orders#who", "users#id", "sales.orders.orders_who_fkey", 1),
        ("lines#y", "orders#a", "sales.lines.whole", 1),
        ("lines#x", "orders#b", "sales.lines.whole", 2),
    }


@pytest.mark.usefixtures("shop")
def test_a_dataset_is_told_in_the_writers_order(settings):
    said = scan(settings)
    users = named(said)["public.users"].urn
    about_users = [type(one).__name__ for one in said[said.index(named(said)["public.users"]) :]]
    end = about_users.index("DatasetSeen", 1) if "DatasetSeen" in about_users[1:] else len(about_users)
    compact = [name for index, name in enumerate(about_users[:end]) if index == 0 or about_users[index - 1] != name]
    assert compact == [
        *("DatasetSeen", "FieldSeen", "FieldReferences", "Covered"),
        *("FieldSeen", "FieldProfiled", "FieldClassified", "Covered"),
    ]
    assert [seen.aspect for seen in of(Covered, said) if seen.scope == users] == [
        *(Aspect.ACCESS, Aspect.STRUCTURE, Aspect.CONTENT)
    ]


@pytest.mark.usefixtures("shop")
def test_a_views_statement_has_no_literal(settings):
    job = next(seen for seen in of(JobSeen, scan(settings)) if seen.kind == "view")
    assert job.urn == f"job:{job.dataset}"
    assert "canary" not in job.statement
    assert "FROM public.users" in job.statement


def test_metadata_takes_as_many_round_trips_for_sixty_tables_as_for_three(database, settings):
    def count() -> int:
        scanner = PostgreSQLScanner(settings)
        statements: list[str] = []
        with scanner._connected() as connection:
            event.listen(connection, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
            with scanner._transaction(connection):
                assert len(scanner.relations(connection, "public")) == tables
        return len(statements)

    def create(first: int, last: int) -> None:
        for number in range(first, last):
            database.execute(
                f"CREATE TABLE t{number} (id int PRIMARY KEY, up int REFERENCES t{number}); "
                f"CREATE VIEW v{number} AS SELECT id FROM t{number}"
            )

    create(0, 3)
    tables = 6
    few = count()
    create(3, 60)
    tables = 120
    assert count() == few <= 11


def test_names_and_types_of_every_kind(database, settings):
    database.execute(
        r"""
        CREATE TYPE mood AS ENUM ('gai', 'triste');
        CREATE TYPE pair AS (l text, r int);
        CREATE DOMAIN mail AS varchar(200); CREATE DOMAIN work_mail AS mail;
        CREATE TABLE "we""ird, t/é%:x#y" ("c,1" int, "c""2%(x)s:y" int, PRIMARY KEY ("c,1", "c""2%(x)s:y"));
        CREATE TABLE points (
            "é/~" int, z int,
            FOREIGN KEY (z, "é/~") REFERENCES "we""ird, t/é%:x#y" ("c""2%(x)s:y", "c,1"));
        INSERT INTO "we""ird, t/é%:x#y" VALUES (1, 2);
        CREATE TABLE no_column ();
        CREATE TABLE empty_one (a text);
        CREATE TABLE exotic (
            a text[], b mood, c int4range, d inet, e work_mail, f bytea, g numeric, h date, i timestamptz, j pair,
            k float8, l bool, m json, n uuid, o interval, p money, q bit(3), r point, s tsvector, u "char", v mood[]);
        INSERT INTO exotic VALUES
            ('{a@b.ca,NULL}', 'gai', '[1,5)', '10.0.0.1', 'x@y.ca', '\xff00', 'NaN', 'infinity', '0044-03-15 BC',
             ROW('a', 1), 'NaN', true, '{"a": 1}', gen_random_uuid(), '1 day', 5, B'101', '(1,2)', 'a b', 'x', '{gai}'),
            (NULL, NULL, 'empty', NULL, NULL, '', 'Infinity', '-infinity', 'infinity', NULL, '-Infinity', NULL, NULL,
             NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
        """
    )
    detection = MailDetection()
    said = scan(settings, detection)
    assert of(Finding, said) == []
    assert set(named(said)) == {
        f"public.{name}" for name in ('we"ird, t/é%:x#y', "points", "no_column", "empty_one", "exotic")
    }
    seen = {
        name.removeprefix("exotic."): values for name, values in detection.seen.items() if name.startswith("exotic.")
    }
    assert json.loads(str(seen["a"][0])) == ["a@b.ca", None]
    assert seen["f"] == [b"\xff\x00", b""]
    assert (seen["g"], seen["h"]) == (["NaN", "Infinity"], ["infinity", "-infinity"])
    assert str(seen["i"][0]).endswith("BC")
    assert json.loads(str(seen["j"][0])) == {"l": "a", "r": 1}
    assert seen["l"] == [True, None]
    types = {column.name: column.type for column in detection.contexts["exotic"].columns}
    assert types["e"] == "character varying(200)"
    assert next(f.type for f in of(FieldSeen, said) if f.urn.endswith("exotic#e")) == "public.work_mail"
    targets = [(r.source.rpartition("#")[2], r.target.rpartition("#")[2]) for r in of(FieldReferences, said)]
    assert targets == [("z", 'c"2%25(x)s:y'), ("é~1~0", "c,1")]
    assert covered(said, "no_column") == covered(said, "empty_one") == {Aspect.STRUCTURE, Aspect.CONTENT}


def test_a_partitioned_table_is_one_dataset(database, settings):
    database.execute(
        """
        CREATE TABLE log (id int, mail text) PARTITION BY RANGE (id);
        CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM (0) TO (10);
        CREATE TABLE log_2 PARTITION OF log FOR VALUES FROM (10) TO (20);
        CREATE TABLE log_0 (LIKE log);
        INSERT INTO log SELECT i, i || '@x.ca' FROM generate_series(0, 19) i; ANALYZE;
        """
    )
    detection = MailDetection()
    datasets = named(scan(settings, detection))
    assert set(datasets) == {"public.log", "public.log_0"}
    assert datasets["public.log"].row_estimate == 20
    assert len(detection.seen["log.mail"]) == 20


@pytest.mark.parametrize("rows", [300, 1000])  # few and many blocks
def test_a_large_table_is_sampled_by_blocks_the_same_each_time(database, settings, rows):
    database.execute("CREATE TABLE big AS SELECT i, i || '@x.ca' AS mail FROM generate_series(1, 150000) i")
    settings = settings.model_copy(update={"sampling": Sampling(rows=rows)})
    one, two, other = MailDetection(), MailDetection(), MailDetection()
    scan(settings, one)
    scan(settings, two)
    scan(settings.model_copy(update={"sampling": Sampling(rows=rows, seed=1)}), other)
    assert len(one.seen["big.i"]) == rows
    assert one.seen["big.i"] == two.seen["big.i"] != other.seen["big.i"]
    assert one.seen["big.i"] != list(range(1, rows + 1))


def test_a_huge_value_is_cut_by_the_server(database, settings):
    database.execute(
        "CREATE TABLE wide AS SELECT repeat('é', 5000000) AS t, convert_to(repeat('x', 5000000), 'UTF8') AS b"
    )
    detection = MailDetection()
    scan(settings.model_copy(update={"sampling": Sampling(value_bytes=1000)}), detection)
    assert detection.seen == {"wide.t": ["é" * 500], "wide.b": [b"x" * 1000]}


def test_bytes_that_are_no_utf8_are_read(server, settings):
    with server.connect() as superuser:
        superuser.execute("DROP DATABASE IF EXISTS ascii")
        superuser.execute("CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
    try:
        with server.connect("ascii") as connection:
            connection.execute(r"CREATE TABLE t AS SELECT E'caf\351 a@b.ca'::text AS c")
        detection = MailDetection()
        said = scan(settings.model_copy(update={"database": "ascii"}), detection)
        assert of(Finding, said) == []
        assert detection.seen == {"t.c": ["caf\ufffd a@b.ca"]}
    finally:
        with server.connect() as superuser:
            superuser.execute("DROP DATABASE ascii WITH (FORCE)")


# --- who may read --------------------------------------------------------------------------------------------


def test_who_may_read(database, settings):
    roles = ("app", "staff", "clerk", "outsider", "auditor", "deputy")
    try:
        database.execute(
            """
            CREATE ROLE app LOGIN; CREATE ROLE staff; CREATE ROLE clerk LOGIN IN ROLE staff; CREATE ROLE outsider LOGIN;
            CREATE ROLE auditor LOGIN; CREATE ROLE deputy LOGIN IN ROLE postgres;
            CREATE SCHEMA shut;
            CREATE TABLE public.users (id int, email text, phone text); CREATE TABLE public.open (a int);
            CREATE TABLE shut.secret (a int);
            GRANT SELECT ON public.users TO staff; GRANT SELECT (email) ON public.users TO app, clerk;
            GRANT SELECT ON public.open TO PUBLIC; GRANT INSERT ON public.users TO outsider;
            GRANT SELECT ON shut.secret TO outsider, auditor; GRANT USAGE ON SCHEMA shut TO auditor;
            """
        )
        seen = [
            (one.data.removeprefix(f"{PostgreSQLScanner(settings).system}/{settings.database}."), one)
            for one in of(AccessSeen, scan(settings))
        ]
    finally:
        database.execute(f"DROP OWNED BY {', '.join(roles)}; DROP ROLE {', '.join(roles)}")
    assert {(place, one.principal, one.kind.value, one.via) for place, one in seen if "://" not in place} == {
        ("public.users", "staff", "role", ""),
        ("public.users", "clerk", "user", "staff"),
        ("public.users#email", "app", "user", ""),
        ("public.open", "PUBLIC", "public", ""),
        ("shut.secret", "auditor", "user", ""),
    }
    server_wide = {(one.principal, one.privilege, one.via) for place, one in seen if "://" in place}
    assert {("postgres", "SUPERUSER", ""), ("deputy", "SUPERUSER", "postgres")} <= server_wide
    assert "app" not in {principal for principal, _, _ in server_wide}


def test_a_reference_declared_in_a_comment(database, settings):
    database.execute(
        """
        CREATE SCHEMA accounts; CREATE TABLE accounts.customers (id int PRIMARY KEY);
        CREATE TABLE public.orders (who int); COMMENT ON COLUMN public.orders.who IS 'FK → accounts.customers(id)';
        """
    )
    detection = MailDetection()
    (reference,) = of(FieldReferences, scan(settings, detection))
    assert reference.target.endswith(".accounts.customers#id")
    assert (reference.provenance, reference.confidence < 1) == (Provenance.COMMENT, True)
    assert detection.contexts["orders"].columns[0].references == "customers.id"


# --- how it behaves as a guest -------------------------------------------------------------------------------


def test_a_transaction_is_read_only_bounded_and_named(database, settings):
    scanner = PostgreSQLScanner(settings)
    with scanner._connected() as connection, scanner._transaction(connection):
        shown = {
            name: connection.exec_driver_sql(f"SHOW {name}").scalar_one()
            for name in (
                "transaction_read_only",
                "statement_timeout",
                "lock_timeout",
                "application_name",
                "search_path",
            )
        }
    assert shown == {
        "transaction_read_only": "on",
        "statement_timeout": "30s",
        "lock_timeout": "1s",
        "application_name": "privacy-inventory",
        "search_path": "pg_catalog",
    }


@pytest.mark.usefixtures("shop")
def test_nothing_is_held_while_observations_are_handed_over(database, settings):
    held = []
    for _ in PostgreSQLScanner(settings).scan(ScanContext(MailDetection())):
        row = database.execute(
            "SELECT state, xact_start FROM pg_stat_activity WHERE application_name = 'privacy-inventory'"
        ).fetchone()
        held.append(row)
    assert held
    assert {row[0] for row in held} == {"idle"}


# --- faults --------------------------------------------------------------------------------------------------


def refusal(settings) -> str:
    with pytest.raises(SourceError) as refused:
        scan(settings)
    assert "correct horse" not in str(refused.value)
    return str(refused.value)


def test_what_makes_a_source_unreachable_is_told_in_one_line(settings, monkeypatch):
    monkeypatch.setenv("TEST_WRONG_PASSWORD", "hunter2-canary")
    wrong = settings.password.model_copy(update={"env": "TEST_WRONG_PASSWORD"})
    assert refusal(settings.model_copy(update={"password": wrong})) == (
        "pg: wrong user or password (check user and password)"
    )
    assert refusal(settings.model_copy(update={"database": "none"})) == "pg: no such database (check the name)"
    assert refusal(settings.model_copy(update={"sslmode": "require"})).startswith("pg: the server offers no encryption")
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nothing else can take the port
        port = taken.getsockname()[1]
        assert refusal(settings.model_copy(update={"port": port})) == (
            f"pg: cannot reach 127.0.0.1:{port} (check host, port and network)"
        )


def test_a_table_without_permission_is_known_and_not_read(database, scanning_role):
    database.execute(
        """
        CREATE TABLE open_one (a text); CREATE TABLE closed (secret text, b int); CREATE TABLE half (a text, b text);
        INSERT INTO half VALUES ('a@b.ca', 'canary');
        GRANT SELECT ON open_one TO reader; GRANT SELECT (a) ON half TO reader;
        """
    )
    detection = MailDetection()
    said = scan(scanning_role, detection)
    findings = {finding.about.rpartition(".")[2]: finding for finding in of(Finding, said)}
    assert {name: (finding.code, finding.severity) for name, finding in findings.items()} == {
        "closed": ("no-permission", Severity.ERROR),
        "half": ("no-permission", Severity.ERROR),
    }
    assert covered(said, "closed") == covered(said, "half") == {Aspect.STRUCTURE}
    assert covered(said, "open_one") == {Aspect.STRUCTURE, Aspect.CONTENT}
    assert [seen.name for seen in of(FieldSeen, said) if seen.dataset.endswith(".closed")] == ["secret", "b"]
    assert detection.seen == {"half.a": ["a@b.ca"]}


def test_rows_that_row_security_hides_leave_the_content_uncovered(database, scanning_role):
    database.execute(
        """
        CREATE TABLE t (a text); INSERT INTO t VALUES ('x@y.ca'); GRANT SELECT ON t TO reader;
        ALTER TABLE t ENABLE ROW LEVEL SECURITY;
        """
    )
    said = scan(scanning_role)
    assert [finding.code for finding in of(Finding, said)] == ["row-security"]
    assert covered(said, "t") == {Aspect.STRUCTURE}


def test_a_lock_of_another_session_holds_up_one_table_only(server, database, settings):
    database.execute(
        """
        CREATE TABLE locked (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a text DEFAULT 'x' || 'y');
        CREATE VIEW over_locked AS SELECT a FROM locked;
        CREATE TABLE apart (a text); CREATE VIEW over_apart AS SELECT a FROM apart;
        """
    )
    with server.connect(settings.database) as holder, holder.transaction():
        holder.execute("LOCK TABLE locked IN ACCESS EXCLUSIVE MODE")
        said = scan(settings)
    assert {(f.about.rpartition(".")[2], f.code) for f in of(Finding, said)} == {
        ("locked", "locked"),
        ("over_locked", "locked"),
    }
    assert covered(said, "locked") == {Aspect.STRUCTURE}
    assert covered(said, "over_locked") == set()
    assert covered(said, "apart") == covered(said, "over_apart") == {Aspect.STRUCTURE, Aspect.CONTENT}
    assert [job.name.rpartition(".")[2] for job in of(JobSeen, said)] == ["over_apart"]


def test_a_lock_below_the_only_view_holds_up_that_view_only(server, database, settings):
    database.execute("CREATE TABLE locked (a text); CREATE TABLE apart (a text); CREATE VIEW v AS SELECT a FROM locked")
    with server.connect(settings.database) as holder, holder.transaction():
        holder.execute("LOCK TABLE locked IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        said = scan(settings)
    assert time.monotonic() - began < 3 * 1.0 + 10  # a second for the definition, one for each of the two reads
    assert {(f.about.rpartition(".")[2], f.code) for f in of(Finding, said)} == {("locked", "locked"), ("v", "locked")}
    assert covered(said, "apart") == {Aspect.STRUCTURE, Aspect.CONTENT}


def test_a_foreign_table_is_read_and_says_where_its_rows_are(server, database, settings):
    if not database.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'postgres_fdw'").fetchone():
        pytest.skip("this PostgreSQL comes without postgres_fdw")
    with server.connect() as superuser:
        superuser.execute("DROP DATABASE IF EXISTS far WITH (FORCE)")
        superuser.execute("CREATE DATABASE far")
    with server.connect("far") as far:
        far.execute("CREATE TABLE members (mail text); INSERT INTO members VALUES ('a@b.ca'), ('c@d.ca')")
    database.execute(
        f"""
        CREATE EXTENSION postgres_fdw;
        CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw
            OPTIONS (host '127.0.0.1', port '{server.port}', dbname 'far');
        CREATE USER MAPPING FOR postgres SERVER far OPTIONS (user 'postgres', password '{PASSWORD}');
        CREATE FOREIGN TABLE people (mail text) SERVER far OPTIONS (schema_name 'public', table_name 'members');
        CREATE SERVER gone FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '1', dbname 'far');
        CREATE USER MAPPING FOR postgres SERVER gone OPTIONS (user 'postgres', password 'canary');
        CREATE FOREIGN TABLE lost (mail text) SERVER gone;
        """
    )
    said = scan(settings.model_copy(update={"sampling": Sampling(rows=1)}))
    system, target = f"postgres://127.0.0.1:{server.port}", f"{database.info.dbname}.public"
    assert {flow.source: flow.target for flow in of(FlowSeen, said)} == {
        f"{system}/far.public.members": f"{system}/{target}.people",
        "postgres://127.0.0.1:1/far.public.lost": f"{system}/{target}.lost",
    }
    (profiled,) = of(FieldProfiled, said)
    assert (profiled.field.rpartition(".")[2], profiled.profile.sampled) == ("people#mail", 1)
    (token,) = [one.token for one in of(Covered, said) if one.aspect is Aspect.CONTENT]
    assert token == ""  # whether its rows have changed is not known here: they are read again
    (finding,) = of(Finding, said)
    assert (finding.about.rpartition(".")[2], finding.code) == ("lost", "remote")
    assert "canary" not in repr(said)


def test_encryption_on_the_wire(server, settings, tmp_path):
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"),
            *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )

    def transit(**changed):
        said = scan(settings.model_copy(update=changed))
        return next((s.present, s.evidence) for s in of(SafeguardSeen, said) if s.safeguard == "encryption_in_transit")

    assert transit() == (False, "the scanner's own session is not encrypted")
    with server.connect() as superuser:
        (data,) = superuser.execute("SHOW data_directory").fetchone()
        owner = Path(data).stat()
        for file in (certificate, key):
            placed = Path(data, file.name)
            placed.write_bytes(file.read_bytes())
            placed.chmod(0o600)
            os.chown(placed, owner.st_uid, owner.st_gid)
        superuser.execute("ALTER SYSTEM SET ssl_cert_file = 'cert.pem'")
        superuser.execute("ALTER SYSTEM SET ssl_key_file = 'key.pem'")
        try:
            superuser.execute("ALTER SYSTEM SET ssl = on")
        except psycopg.Error:
            pytest.skip("this PostgreSQL is built without TLS")
        try:
            reloaded(superuser, "on")
            for sslmode in ("prefer", "require"):
                present, evidence = transit(sslmode=sslmode)
                assert present
                assert "TLSv1" in evidence
            assert transit(sslmode="verify-full", sslrootcert=certificate)[0]
            assert transit(sslmode="disable") == (False, "the scanner's own session is not encrypted")
            subprocess.run(["openssl", "genrsa", "-out", str(key)], check=True, capture_output=True)
            other = tmp_path / "other.pem"
            command = ["openssl", "req", "-x509", "-key", str(key), "-subj", "/CN=elsewhere", "-out", str(other)]
            subprocess.run(command, check=True, capture_output=True)
            with pytest.raises(SourceError, match="the server's certificate is not trusted"):
                transit(sslmode="verify-full", sslrootcert=other)
        finally:
            superuser.execute("ALTER SYSTEM RESET ssl")
            reloaded(superuser, "off")


def reloaded(superuser, ssl: str) -> None:
    """The server has read its settings again."""
    superuser.execute("SELECT pg_reload_conf()")
    ends = time.monotonic() + 20
    while superuser.execute("SHOW ssl").fetchone() != (ssl,):
        assert time.monotonic() < ends
        threading.Event().wait(0.02)


def test_a_password_that_expires_in_mid_scan(database, scanning_role):
    """Workers sign in anew for each chunk: what was read stays, and the rest is told in one line."""
    for number in range(2):
        database.execute(f"CREATE TABLE t{number} AS SELECT 'p@b.ca' AS mail; GRANT SELECT ON t{number} TO reader")
    scanner, context = PostgreSQLScanner(scanning_role), ScanContext(MailDetection())
    (chunk,) = [said for said in scanner.outline(context) if isinstance(said, Chunk)]
    assert len(of(FieldClassified, scanner.read(context, chunk, Budget()).observations)) == 2
    database.execute("ALTER ROLE reader VALID UNTIL '2001-01-01'")
    with pytest.raises(SourceError, match="wrong user or password"):
        scanner.read(context, chunk, Budget())


def test_a_slow_view_is_given_up(database, settings):
    database.execute("CREATE VIEW slow AS SELECT pg_sleep(60)::text AS a; CREATE TABLE t (a text)")
    said = scan(settings.model_copy(update={"statement_timeout": 0.2}))
    assert [(f.about.rpartition(".")[2], f.code) for f in of(Finding, said)] == [("slow", "statement-timeout")]
    assert covered(said, "t") == {Aspect.STRUCTURE, Aspect.CONTENT}


def test_a_view_that_would_write_or_fails_is_a_finding_without_its_values(database, settings):
    database.execute(
        """
        CREATE TABLE t (a text); INSERT INTO t VALUES ('canary');
        CREATE FUNCTION writes() RETURNS text LANGUAGE sql AS 'INSERT INTO public.t VALUES (''x'') RETURNING a';
        CREATE VIEW writing AS SELECT public.writes() AS a;
        CREATE VIEW failing AS SELECT a::int AS n FROM t;
        """
    )
    said = scan(settings)
    findings = {finding.about.rpartition(".")[2]: finding for finding in of(Finding, said)}
    assert {name: finding.code for name, finding in findings.items()} == {"writing": "writes", "failing": "unreadable"}
    assert "canary" not in "".join(finding.message for finding in findings.values())
    assert database.execute("SELECT count(*) FROM t").fetchone() == (1,)


def test_a_materialised_view_without_rows(database, settings):
    database.execute("CREATE MATERIALIZED VIEW m AS SELECT 1 AS a WITH NO DATA")
    assert [finding.code for finding in of(Finding, scan(settings))] == ["not-populated"]


def test_a_table_dropped_between_listing_and_reading(database, settings):
    database.execute("CREATE TABLE a_first (x int); INSERT INTO a_first VALUES (1); CREATE TABLE b_gone (x int)")
    detection = MailDetection(hook=lambda table: database.execute("DROP TABLE IF EXISTS b_gone") and None)
    said = scan(settings, detection)
    assert [(f.about.rpartition(".")[2], f.code) for f in of(Finding, said)] == [("b_gone", "changed")]
    assert said[-1].aspect is Aspect.LISTING  # type: ignore[union-attr]


def test_a_session_ended_in_mid_scan_keeps_what_was_said(database, settings):
    database.execute("CREATE TABLE a (x int); INSERT INTO a VALUES (1); CREATE TABLE b (x int)")
    end = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'privacy-inventory'"
    said: list[Observation] = []

    def listen() -> None:
        for observation in PostgreSQLScanner(settings).scan(ScanContext(MailDetection())):
            said.append(observation)
            if isinstance(observation, Covered) and observation.aspect is Aspect.CONTENT:
                database.execute(end)

    with pytest.raises(SourceError, match="pg: the server ended the connection"):
        listen()
    assert covered(said, "a") == {Aspect.STRUCTURE, Aspect.CONTENT}
    assert covered(said, "b") == {Aspect.STRUCTURE}


def test_an_abandoned_scan_leaves_no_session(database, settings):
    database.execute("CREATE TABLE a (x int)")
    stream = PostgreSQLScanner(settings).scan(ScanContext(MailDetection()))
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'privacy-inventory'"
    gone = threading.Event()
    for _ in range(100):  # the server notices a closed session a moment later
        if database.execute(count).fetchone() == (0,):
            gone.set()
            break
        gone.wait(0.05)
    assert gone.is_set()


def test_a_table_that_is_swapped_while_the_catalog_is_read_keeps_its_columns(server, database, settings):
    database.execute("CREATE TABLE t (a text, b text)")
    scanner = PostgreSQLScanner(settings)
    swapped: list[int] = []

    def swap(_connection, _cursor, statement, *_):
        if "pg_attribute a WHERE a.attrelid" in statement and not swapped:  # after the listing
            swapped.append(1)
            database.execute("CREATE TABLE n (a text, b text); DROP TABLE t; ALTER TABLE n RENAME TO t")

    with scanner._connected() as connection:
        event.listen(connection, "before_cursor_execute", swap)
        with scanner._transaction(connection):
            relations = {relation.name: relation for relation in scanner.relations(connection, "public")}
    assert swapped
    assert [column.name for column in relations["t"].columns] == ["a", "b"]


def test_only_the_schemas_asked_for(database, settings):
    database.execute("CREATE SCHEMA a; CREATE SCHEMA b; CREATE TABLE a.t (); CREATE TABLE b.t (); CREATE TABLE t ()")
    only = settings.model_copy(update={"include_schemas": ("a", "b"), "exclude_schemas": ("b",)})
    assert set(named(scan(only))) == {"a.t"}


def test_profiles_are_of_every_readable_field(database, settings):
    database.execute("CREATE TABLE t (a text, b int); INSERT INTO t VALUES ('x', 1)")
    assert {seen.field.rpartition("#")[2] for seen in of(FieldProfiled, scan(settings))} == {"a", "b"}
