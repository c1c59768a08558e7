"""The Cassandra scanner on a real node: tables, nested values, samples, and what goes wrong."""

from __future__ import annotations

import socket
import threading
import time
import uuid

import pytest

from inventory.errors import SourceError
from inventory.model import (
    AccessSeen,
    Aspect,
    Covered,
    DatasetSeen,
    FieldClassified,
    FieldSeen,
    Finding,
    FlowSeen,
    SafeguardSeen,
    SystemSeen,
)
from scanners.base import ScanContext
from scanners.databases.cassandra import CassandraScanner, CassandraSettings


@pytest.fixture(scope="session")
def cassandra_node(running_store, certificate) -> int:
    return running_store("cassandra", certificate.both, certificate.authority)


@pytest.fixture(scope="session")
def superuser(cassandra_node):
    """A superuser's session, once the node has made its superuser."""
    pytest.importorskip("cassandra")
    from cassandra.auth import PlainTextAuthProvider
    from cassandra.cluster import Cluster, NoHostAvailable

    deadline = time.monotonic() + 60
    while True:
        auth = PlainTextAuthProvider("cassandra", "cassandra")
        cluster = Cluster(["127.0.0.1"], port=cassandra_node, auth_provider=auth)
        try:
            session = cluster.connect()
            break
        except NoHostAvailable:
            cluster.shutdown()
            if time.monotonic() > deadline:
                raise
            threading.Event().wait(0.2)
    yield session
    cluster.shutdown()


@pytest.fixture
def keyspace(superuser):
    """A keyspace that is gone after the test."""
    replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
    superuser.execute(f"CREATE KEYSPACE shop WITH replication = {replication}")
    superuser.set_keyspace("shop")
    yield superuser
    superuser.execute("DROP KEYSPACE shop", timeout=60)


@pytest.fixture
def settings(cassandra_node, keyspace, monkeypatch):
    monkeypatch.setenv("TEST_CASSANDRA_PASSWORD", "cassandra")
    return CassandraSettings.model_validate(
        {
            "name": "wide",
            "hosts": ["127.0.0.1"],
            "port": cassandra_node,
            "user": "cassandra",
            "password": {"env": "TEST_CASSANDRA_PASSWORD"},
        }
    )


def said(settings, detection, **context):
    return list(CassandraScanner(settings).scan(ScanContext(detection, **context)))


def of(kind, observations):
    return [each for each in observations if isinstance(each, kind)]


def test_says_tables_keys_nested_values_views_and_retention(keyspace, settings):
    from scanners.detection import ColumnDetector

    keyspace.execute("CREATE TYPE contact (email text, phone text)")
    keyspace.execute(
        "CREATE TABLE people (id uuid, day date, mail text, home frozen<contact>, mails set<text>, data blob, "
        "n varint, t time, PRIMARY KEY ((id), day)) WITH comment = 'those who buy' AND default_time_to_live = 864000"
    )
    keyspace.execute('CREATE TABLE "OddName" ("a ""b" int PRIMARY KEY)')
    keyspace.execute(
        "CREATE MATERIALIZED VIEW by_mail AS SELECT * FROM people WHERE mail IS NOT NULL AND id IS NOT NULL "
        "AND day IS NOT NULL PRIMARY KEY (mail, id, day)"
    )
    for n in range(60):
        keyspace.execute(
            "INSERT INTO people (id, day, mail, home, mails, data, n, t) VALUES "
            "(%s, '2026-01-01', %s, {email: 'home@canary.example'}, {'set@canary.example'}, 0xfffe, 12, '10:00:00')",
            (uuid.uuid4(), f"person{n}@canary.example"),
        )
    seen = said(settings, ColumnDetector())

    assert isinstance(seen[0], SystemSeen)
    assert seen[0].version.startswith("5.")
    datasets = {each.name: each for each in of(DatasetSeen, seen)}
    assert set(datasets) == {"shop.people", "shop.by_mail", "shop.OddName"}  # and none of the cluster's own
    assert datasets["shop.people"].description == "those who buy"
    assert datasets["shop.people"].retention_days == 10
    fields = {each.urn.partition("shop.people#")[2]: each for each in of(FieldSeen, seen)}
    assert fields["id"].primary_key
    assert fields["day"].primary_key
    assert not fields["mail"].primary_key
    assert fields["home"].type == "frozen<contact>"
    found = {each.field.partition("shop.people#")[2]: each.category for each in of(FieldClassified, seen)}
    for place in ("mail", "home/email", "mails/-"):
        assert found[place] == "user.contact.email"
    (flow,) = of(FlowSeen, seen)
    assert (flow.source.rpartition("/")[2], flow.target.rpartition("/")[2]) == ("shop.people", "shop.by_mail")
    assert not of(Finding, seen)
    assert seen[-1] == Covered(f"cassandra://127.0.0.1:{settings.port}", Aspect.LISTING)
    assert "canary.example" not in repr(seen)


def test_a_sample_is_bounded_spread_and_the_same_each_time(keyspace, settings, small_detection):
    keyspace.execute("CREATE TABLE wide (k int, n int, PRIMARY KEY (k, n))")
    insert = keyspace.prepare("INSERT INTO wide (k, n) VALUES (?, ?)")
    waiting = [keyspace.execute_async(insert, (0, n)) for n in range(300)]
    waiting += [keyspace.execute_async(insert, (k, 0)) for k in range(1, 300)]
    for each in waiting:
        each.result()
    few = settings.model_copy(update={"sampling": settings.sampling.model_copy(update={"rows": 100})})
    scanner = CassandraScanner(few)
    samples = []
    for _ in range(2):
        with scanner.connected() as session:
            (subject,) = scanner.listing(session, small_detection)
            samples.append([(row["k"], row["n"]) for row in scanner.sample(session, subject)])  # type: ignore[arg-type]
    assert samples[0] == samples[1]
    assert len(set(samples[0])) == 100
    assert sum(1 for k, _ in samples[0] if k == 0) <= 20


def test_a_table_that_may_not_be_read_is_a_finding_and_the_rest_is_read(
    keyspace, settings, small_detection, monkeypatch
):
    keyspace.execute("CREATE TABLE open (a text PRIMARY KEY)")
    keyspace.execute("CREATE TABLE shut (a text PRIMARY KEY)")
    keyspace.execute("CREATE ROLE reader WITH PASSWORD = 'only reads' AND LOGIN = true")
    keyspace.execute("GRANT SELECT ON open TO reader")
    monkeypatch.setenv("TEST_CASSANDRA_PASSWORD", "only reads")
    try:
        seen = said(settings.model_copy(update={"user": "reader"}), small_detection)
    finally:
        keyspace.execute("DROP ROLE reader")
    (finding,) = of(Finding, seen)
    assert (finding.code, finding.about.rpartition("/")[2]) == ("no-permission", "shop.shut")
    read = [each.scope.rpartition("/")[2] for each in of(Covered, seen) if each.aspect is Aspect.CONTENT]
    assert read == ["shop.open"]


def contents(seen):
    return {each.scope: each.token for each in of(Covered, seen) if each.aspect is Aspect.CONTENT}


def reads(session) -> int:
    """How many reads of the test's tables the node has counted."""
    return sum(
        row.count
        for view in ("local_read_latency", "local_scan_latency")
        for row in session.execute(f"SELECT keyspace_name, count FROM system_views.{view}")
        if row.keyspace_name == "shop"
    )


def test_what_has_not_changed_is_not_read_again(keyspace, settings, small_detection):
    for name in ("still", "moving", "emptied"):
        keyspace.execute(f"CREATE TABLE {name} (a int PRIMARY KEY, b text)")
        keyspace.execute(f"INSERT INTO {name} (a, b) VALUES (1, 'x')")
    tokens = contents(said(settings, small_detection))
    assert all(tokens.values())
    before = reads(keyspace)
    assert before > 0
    assert contents(said(settings, small_detection, tokens=tokens)) == {}
    assert reads(keyspace) == before

    keyspace.execute("UPDATE moving SET b = 'y' WHERE a = 1")
    keyspace.execute("TRUNCATE emptied")
    read = contents(said(settings, small_detection, tokens=tokens))
    assert {urn.rpartition(".")[2] for urn in read} == {"moving", "emptied"}
    always = settings.model_copy(update={"recheck_days": 0})
    assert set(contents(said(always, small_detection, tokens=tokens)).values()) == {""}


def test_chunks_that_travel_say_what_a_scan_says(keyspace, settings, small_detection, divided):
    keyspace.execute("CREATE TABLE t (a int PRIMARY KEY, mail text)")
    keyspace.execute("INSERT INTO t (a, mail) VALUES (1, 'x@canary.example')")
    scanner, context = CassandraScanner(settings), ScanContext(small_detection)
    assert sorted(map(repr, divided(scanner, context))) == sorted(map(repr, scanner.scan(context)))


def test_says_who_may_read(keyspace, settings, small_detection):
    keyspace.execute("CREATE TABLE open (a text PRIMARY KEY)")
    keyspace.execute("CREATE TABLE shut (a text PRIMARY KEY)")
    for role in ("team", "boss"):
        keyspace.execute(f"CREATE ROLE {role}")
    for role in ("clerk", "writer"):
        keyspace.execute(f"CREATE ROLE {role} WITH PASSWORD = 'x' AND LOGIN = true")
    keyspace.execute("GRANT team TO clerk")
    keyspace.execute("GRANT SELECT ON open TO team")
    keyspace.execute("GRANT MODIFY ON shut TO writer")
    keyspace.execute("GRANT SELECT ON ALL KEYSPACES TO boss")
    try:
        seen = said(settings, small_detection)
    finally:
        for role in ("team", "boss", "clerk", "writer"):
            keyspace.execute(f"DROP ROLE {role}")
    found = {(a.data.rpartition("/")[2], a.principal, a.kind.value, a.privilege, a.via) for a in of(AccessSeen, seen)}
    cluster = f"127.0.0.1:{settings.port}"
    assert found == {
        (cluster, "cassandra", "user", "SUPERUSER", ""),
        (cluster, "boss", "role", "SELECT", ""),
        ("shop.open", "team", "role", "SELECT", ""),
        ("shop.open", "clerk", "user", "SELECT", "team"),
    }
    assert len([each for each in of(Covered, seen) if each.aspect is Aspect.ACCESS]) == 3


def test_by_tls_and_only_with_the_authority_that_is_trusted(keyspace, settings, certificate, small_detection):
    keyspace.execute("CREATE TABLE t (a text PRIMARY KEY)")
    encrypted = settings.model_copy(update={"tls": True})
    with pytest.raises(SourceError, match="wide: cannot reach"):
        said(encrypted, small_detection)
    seen = said(encrypted.model_copy(update={"tls_ca_file": certificate.authority}), small_detection)
    assert [each.name for each in of(DatasetSeen, seen)] == ["shop.t"]
    (safeguard,) = of(SafeguardSeen, seen)
    assert (safeguard.safeguard, safeguard.present) == ("encryption_in_transit", True)


def test_reading_that_takes_too_long_is_one_error(keyspace, settings, small_detection):
    hasty = settings.model_copy(update={"statement_timeout": 0.0001})
    with pytest.raises(SourceError, match=r"^wide: reading it took too long \(raise statement_timeout"):
        said(hasty, small_detection)


def test_only_the_keyspaces_asked_for(keyspace, settings, small_detection):
    keyspace.execute("CREATE TABLE t (a text PRIMARY KEY)")
    seen = said(settings.model_copy(update={"keyspaces": ("shop", "nowhere")}), small_detection)
    (finding,) = of(Finding, seen)
    assert finding.code == "no-such-keyspace"
    seen = said(settings.model_copy(update={"keyspaces": ("shop",)}), small_detection)
    assert seen[-1] == Covered(f"cassandra://127.0.0.1:{settings.port}/shop.", Aspect.LISTING)


def test_a_wrong_password_is_one_error_in_our_own_words(settings, small_detection, monkeypatch):
    monkeypatch.setenv("TEST_CASSANDRA_PASSWORD", "sesame")
    with pytest.raises(SourceError, match=r"^wide: the cluster refused the user or password") as raised:
        said(settings, small_detection)
    assert raised.value.__context__ is None


def test_refused_connection(small_detection):
    pytest.importorskip("cassandra")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(SourceError, match=rf"^wide: cannot reach 127.0.0.1:{port}"):
        said(CassandraSettings(name="wide", hosts=("127.0.0.1",), port=port, connect_timeout=2), small_detection)


def test_a_table_that_is_dropped_before_it_is_read_is_a_finding(keyspace, settings, small_detection):
    for name in ("a", "b", "c"):
        keyspace.execute(f"CREATE TABLE {name} (x text PRIMARY KEY)")
    seen = []
    for each in CassandraScanner(settings).scan(ScanContext(small_detection)):
        seen.append(each)
        if each == Covered(f"cassandra://127.0.0.1:{settings.port}/shop.a", Aspect.STRUCTURE):
            keyspace.execute("DROP TABLE b")
    (finding,) = of(Finding, seen)
    assert (finding.code, finding.about.rpartition("/")[2]) == ("changed", "shop.b")
    read = [each.scope.rpartition("/")[2] for each in of(Covered, seen) if each.aspect is Aspect.CONTENT]
    assert read == ["shop.a", "shop.c"]
