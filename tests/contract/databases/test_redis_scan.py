"""The Redis scanner on a real server: patterns, values, retention, what it asks, and what goes wrong."""

from __future__ import annotations

import json
import socket
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest

from inventory.errors import SourceError
from inventory.model import Aspect, Covered, DatasetSeen, FieldClassified, FieldSeen, Finding, SystemSeen
from scanners.base import ScanContext
from scanners.databases.redis import RedisScanner, RedisSettings

#: All that the scanner may send.
READS = {
    "info", "scan", "dbsize", "type", "pttl", "getrange", "hscan", "lrange", "sscan", "zscan", "xrange", "select",
    "auth", "client|setname", "client|no-touch",
}  # fmt: skip


@pytest.fixture
def client(redis_server):
    """An administrator's connection to the emptied server."""
    redis = pytest.importorskip("redis")
    with redis.Redis(host="127.0.0.1", port=redis_server) as client:
        client.flushall()
        yield client
        client.flushall()


@pytest.fixture
def settings(redis_server):
    return RedisSettings(name="cache", host="127.0.0.1", port=redis_server)


def said(settings, detection):
    return list(RedisScanner(settings).scan(ScanContext(detection)))


def of(kind, observations):
    return [each for each in observations if isinstance(each, kind)]


def datasets(observations):
    return {each.name: each for each in of(DatasetSeen, observations)}


def places(observations):
    return {each.field.rpartition("/0/")[2]: each.category for each in of(FieldClassified, observations)}


def test_keys_become_patterns_and_values_fields(client, settings):
    from scanners.detection import ColumnDetector

    for n in range(60):
        client.set(f"user:{n}:profile", json.dumps({"email": f"person{n}@canary.example", "age": n}))
        client.hset(f"session:{'%032x' % (n * 7919)}", mapping={"ip": f"203.0.113.{n}", "mail": f"p{n}@canary.example"})
        client.rpush(f"mails:{n}", f"person{n}@canary.example")
        client.set(f"seen:person{n}@canary.example", "1")
    client.sadd("languages", "fr", "en")
    client.zadd("scores", {"a": 1.0})
    client.xadd("events", {"email": "event@canary.example"})
    seen = said(settings, ColumnDetector())

    assert isinstance(seen[0], SystemSeen)
    assert seen[0].version.count(".") == 2
    names = set(datasets(seen))
    assert {"0/user:{number}:profile", "0/session:{hex}", "0/mails:{number}", "0/seen:{email}"} <= names
    assert {"0/languages", "0/scores", "0/events"} <= names
    assert datasets(seen)["0/user:{number}:profile"].row_estimate == 60
    found = places(seen)
    assert found["user:{number}:profile#email"] == "user.contact.email"
    assert found["session:{hex}#mail"] == "user.contact.email"
    assert found["mails:{number}#member"] == "user.contact.email"
    assert found["seen:{email}#_key/seen"] == "user.contact.email"
    assert not of(Finding, seen)
    assert seen[-1] == Covered(f"redis://127.0.0.1:{settings.port}", Aspect.LISTING)
    assert "canary.example" not in repr(seen)


def test_names_in_keys_do_not_leave(client, settings, small_detection):
    for name in ("jane", "Émile Zola", "o'neil"):
        client.set(f"user:{name}", "x")
    client.set(b"raw:\xff\xfe", "x")
    client.set("{tag}:a/b", "x")
    seen = said(settings, small_detection)
    assert set(datasets(seen)) >= {"0/user:{name}", "0/{tag}:a/b"}
    assert not [each for each in seen if "jane" in repr(each) or "Zola" in repr(each)]
    for each in datasets(seen).values():
        each.urn.encode()


def test_time_to_live_is_evidence_of_retention(client, settings, small_detection):
    for n in range(20):
        client.set(f"token:{n}", "x", ex=29 * 86400 + n)
        client.set(f"cart:{n}", "x", ex=3000 if n % 2 else None)
        client.set(f"plan:{n}", "x")
    found = datasets(said(settings, small_detection))
    assert found["0/token:{number}"].retention_days == 30
    assert found["0/token:{number}"].retention_evidence == "20 of 20 sampled keys expire, all within 30 d"
    assert found["0/cart:{number}"].retention_days is None
    assert found["0/cart:{number}"].retention_evidence == "10 of 20 sampled keys expire"
    assert found["0/plan:{number}"].retention_evidence == "none of 20 sampled keys expires"


def test_it_reads_only_and_says_who_it_is(client, settings, small_detection):
    client.hset("h", mapping={"a": "1"})
    client.set("s", "x", ex=1000)
    before = {**client.info("persistence")}
    client.config_resetstat()
    stream = RedisScanner(settings).scan(ScanContext(small_detection))
    next(stream)
    assert "privacy-inventory" in {each["name"] for each in client.client_list()}
    list(stream)
    asked = {name.removeprefix("cmdstat_").lower() for name in client.info("commandstats")}
    assert asked - {"client|list", "config|resetstat"} <= READS
    assert {"scan", "hscan"} <= asked
    assert client.info("persistence")["rdb_changes_since_last_save"] == before["rdb_changes_since_last_save"]


def test_more_keys_than_allowed_are_told_and_end_nothing(client, settings, small_detection):
    client.mset({f"k:{n}": n for n in range(3000)})
    seen = said(settings.model_copy(update={"max_keys": 1000}), small_detection)
    (finding,) = of(Finding, seen)
    assert finding.code == "truncated"
    assert not [each for each in of(Covered, seen) if each.aspect is Aspect.LISTING]


def test_only_the_databases_asked_for(client, settings, small_detection, redis_server):
    import redis

    client.set("a", 1)
    with redis.Redis(host="127.0.0.1", port=redis_server, db=3) as third:
        third.set("b", 1)
    assert set(datasets(said(settings, small_detection))) == {"0/a", "3/b"}
    seen = said(settings.model_copy(update={"databases": (3,)}), small_detection)
    assert set(datasets(seen)) == {"3/b"}
    assert seen[-1] == Covered(f"redis://127.0.0.1:{redis_server}/3/", Aspect.LISTING)


@pytest.fixture
def limited(client, settings, monkeypatch):
    """Settings of a user who may read the keys `open:*` alone."""
    monkeypatch.setenv("TEST_REDIS_PASSWORD", "only reads")
    client.acl_setuser(
        "reader", enabled=True, passwords=["+only reads"], keys=["open:*"], reset=True,
        categories=["+@read"], commands=["+scan", "+info", "+select", "+client|setname"],
    )  # fmt: skip
    yield RedisSettings.model_validate(
        {**settings.model_dump(), "user": "reader", "password": {"env": "TEST_REDIS_PASSWORD"}}
    )
    client.acl_deluser("reader")


def test_keys_that_may_not_be_read_are_a_finding_and_the_rest_is_read(client, limited, small_detection):
    client.set("open:a", "someone@canary.example")
    client.set("shut:a", "someone@canary.example")
    seen = said(limited, small_detection)
    (finding,) = of(Finding, seen)
    assert (finding.code, finding.about.rpartition("/")[2]) == ("no-permission", "shut:a")
    assert [each.scope.rpartition("/")[2] for each in of(Covered, seen) if each.aspect is Aspect.CONTENT] == ["open:a"]


def test_a_wrong_password_is_one_error_in_our_own_words(client, limited, small_detection, monkeypatch):
    monkeypatch.setenv("TEST_REDIS_PASSWORD", "sesame")
    with pytest.raises(SourceError, match=r"^cache: the server refused the user or password") as raised:
        said(limited, small_detection)
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None


def test_refused_connection(small_detection):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(SourceError, match=f"^cache: cannot reach 127.0.0.1:{port}"):
        said(RedisSettings(name="cache", host="127.0.0.1", port=port), small_detection)


def test_a_server_that_stops_in_the_middle_ends_the_scan(fleet_stores, redis_server, tmp_path, small_detection):
    import redis

    seen = []
    with ExitStack() as server:
        port = server.enter_context(fleet_stores.redis(tmp_path))
        with redis.Redis(host="127.0.0.1", port=port) as client:
            client.mset({"a": 1, "b": 2})
        stream = RedisScanner(RedisSettings(name="cache", host="127.0.0.1", port=port)).scan(
            ScanContext(small_detection)
        )
        for each in stream:
            seen.append(each)
            if isinstance(each, Covered):
                break
        server.close()
        with pytest.raises(SourceError, match=r"^cache: cannot reach"):
            seen.extend(stream)
    assert {each.scope.rpartition("/")[2] for each in of(Covered, seen)} == {"a"}


def test_values_that_are_no_text_or_no_document(client, settings, small_detection):
    client.set("pickle", b"\x80\x04\x95\xff")
    client.set("broken", "{not json")
    client.set("long", "x " * 100_000)
    client.set("list", "[1, 2]")
    seen = said(settings, small_detection)
    assert not of(Finding, seen)
    assert {each.name for each in of(FieldSeen, seen)} == {"value"}


def test_a_budget_ends_the_sampling_and_not_the_listing(client, settings, small_detection):
    for name in "abc":
        client.rpush(name, *range(20))
    little = settings.model_copy(update={"budget": settings.budget.model_copy(update={"rows": 30})})
    seen = said(little, small_detection)
    (finding,) = of(Finding, seen)
    assert finding.code == "over-budget"
    assert set(datasets(seen)) == {"0/a", "0/b", "0/c"}
    assert {each.scope.rpartition("/")[2] for each in of(Covered, seen) if each.aspect is Aspect.CONTENT} == {"a", "b"}
    assert [each for each in of(Covered, seen) if each.aspect is Aspect.LISTING]


def test_a_plan_reads_nothing(client, settings, small_detection):
    client.mset({f"a:{n}": "x" for n in range(5)})
    client.config_resetstat()
    (planned,) = RedisScanner(settings).plan(ScanContext(small_detection))
    assert (planned.dataset, planned.rows, planned.unchanged) == ("0/a:{number}", 5, False)
    assert "cmdstat_getrange" not in {name.lower() for name in client.info("commandstats")}


def test_a_rescan_of_what_has_not_changed_writes_nothing(client, settings, embedded_graph):
    from inventory.graph.writer import GraphWriter, ScanRun
    from scanners.detection import ColumnDetector

    for n in range(40):
        client.set(f"session:{n}", json.dumps({"email": f"p{n}@canary.example", "at": {"ip": "203.0.113.9"}}), ex=500)
    writer = GraphWriter(embedded_graph)
    started = datetime(2026, 1, 1, tzinfo=UTC)

    def load(run: int):
        return writer.load(ScanRun(str(run), "cache", started + timedelta(days=run)), said(settings, ColumnDetector()))

    assert load(0).complete
    (row,) = embedded_graph.read("MATCH (d:Dataset) RETURN d.name AS name, d.retention_days AS days")
    assert row == {"name": "0/session:{number}", "days": round(1 / 24, 4)}
    assert load(1).versions == 0
    client.persist("session:7")
    assert load(2).counts["nodes_changed"] == 1  # no longer do all of them expire
