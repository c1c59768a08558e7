"""The Redis scanner on a real server: patterns, values, retention, what it asks, and what goes wrong."""

from __future__ import annotations

import json
import re
import socket
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

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
    SafeguardSeen,
    SystemSeen,
)
from scanners.base import ScanContext
from scanners.databases.redis import RedisScanner, RedisSettings
from scanners.databases.redis_access import _glob

#: Keeps a server from anything else for a fifth of a second.
AT_WORK = """
local function now() local t = redis.call('TIME') return t[1] * 1000000 + t[2] end
local ends = now() + 200000
while now() < ends do end
"""

#: All that the scanner may send.
READS = {
    "info", "scan", "dbsize", "type", "pttl", "getrange", "hscan", "lrange", "sscan", "zscan", "xrange", "select",
    "auth", "ping", "client|setname", "client|no-touch", "memory|usage", "acl|list",
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


def said(settings, detection, **context):
    return list(RedisScanner(settings).scan(ScanContext(detection, **context)))


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
            if isinstance(each, Covered) and each.aspect is Aspect.STRUCTURE:
                break
        server.close()
        with pytest.raises(SourceError, match=r"^cache: cannot reach"):
            seen.extend(stream)
    assert {each.scope.rpartition("/")[2] for each in of(Covered, seen) if each.aspect is Aspect.STRUCTURE} == {"a"}


def contents(seen):
    return {each.scope: each.token for each in of(Covered, seen) if each.aspect is Aspect.CONTENT}


def test_what_has_not_changed_is_not_read_again(client, settings, small_detection):
    for n in range(30):
        client.set(f"still:{n}", "x")
        client.hset(f"moving:{n}", mapping={"a": "1"})
    tokens = contents(said(settings, small_detection))
    assert len(tokens) == 2
    assert all(tokens.values())
    client.config_resetstat()
    assert contents(said(settings, small_detection, tokens=tokens)) == {}
    asked = {name.removeprefix("cmdstat_").lower() for name in client.info("commandstats")}
    assert "scan" in asked
    assert not asked & {"getrange", "hscan"}

    client.hset("moving:7", "email", "someone@canary.example")
    read = contents(said(settings, small_detection, tokens=tokens))
    assert {urn.rpartition("/")[2] for urn in read} == {"moving:{number}"}
    always = settings.model_copy(update={"recheck_days": 0})
    assert set(contents(said(always, small_detection, tokens=tokens)).values()) == {""}


def test_chunks_that_travel_say_what_a_scan_says(client, settings, small_detection, divided):
    client.mset({f"a:{n}": "x@canary.example" for n in range(5)} | {b"raw:\xff": "x"})
    client.hset("h", mapping={"mail": "y@canary.example"})
    scanner, context = RedisScanner(settings), ScanContext(small_detection)
    assert sorted(map(repr, divided(scanner, context))) == sorted(map(repr, scanner.scan(context)))


def test_says_who_may_read_which_keys(client, settings, small_detection):
    client.mset({"open:a": 1, "open:b": 1, "shut:a": 1, "mail:1": 1})
    users = {
        "clerk": "on >secret %R~open:* -@all +@read",
        "admin": "on >secret ~* +@all",
        "writer": "on >secret ~* -@all +set",
        "gone": "off >secret ~* +@all",
        "mailer": "on >secret %W~* +@all (~mail:[0-9] -@all +get)",
        "cut": "on >secret ~open:? +@all -@read",
    }
    for name, rules in users.items():
        client.execute_command("ACL", "SETUSER", name, "reset", *_words(rules))
    try:
        seen = said(settings, small_detection)
    finally:
        client.acl_deluser(*users)
    found = {(each.data.rpartition("/")[2], each.principal, each.kind.value) for each in of(AccessSeen, seen)}
    server = f"127.0.0.1:{settings.port}"
    assert found == {
        (server, "everyone", "public"),  # the default user has no password
        (server, "admin", "user"),
        ("open:a", "clerk", "user"),
        ("open:b", "clerk", "user"),
        ("mail:{number}", "mailer", "user"),
    }
    assert ("private_access", False) in {(each.safeguard, each.present) for each in of(SafeguardSeen, seen)}
    assert "secret" not in repr(seen)


def _words(rules):
    """The words of a rule; what stands in brackets is one."""
    return re.findall(r"\(.*?\)|\S+", rules)


def test_a_user_who_may_not_see_the_others_says_nothing_of_access(client, limited, small_detection):
    client.set("open:a", "x")
    seen = said(limited, small_detection)
    assert of(AccessSeen, seen) == []
    assert not [each for each in of(Covered, seen) if each.aspect is Aspect.ACCESS]


def test_patterns_of_keys_are_read_as_redis_does(client):
    patterns = ["*", "a*", "a?c", "[a-c]x", "[^a]x", "a\\*", "[abc", "é*", "a[]b", "[c-a]x"]
    keys = ["a", "abc", "ax", "cx", "a*", "dx", "é1", "[abc", "a]b", ""]
    for pattern in patterns:
        client.flushall()
        client.mset(dict.fromkeys(keys, 1))
        expected = {key.decode() for key in client.scan_iter(match=pattern)}
        if pattern in ("[abc", "a[]b", "[c-a]x"):  # what is no whole pattern is taken for itself: never for more
            assert {key for key in keys if _glob(pattern).fullmatch(key.encode())} <= expected | {pattern}
        else:
            assert {key for key in keys if _glob(pattern).fullmatch(key.encode())} == expected, pattern


def test_by_tls_and_only_with_the_authority_that_is_trusted(
    fleet_stores, redis_server, certificate, tmp_path, small_detection
):
    import redis

    authority = str(certificate.authority)
    with fleet_stores.redis(tmp_path, certificate.certificate, certificate.key) as port:
        with redis.Redis(host="127.0.0.1", port=port, ssl=True, ssl_ca_certs=authority) as client:
            client.set("a", 1)
        settings = RedisSettings(name="cache", host="127.0.0.1", port=port, tls=True)
        with pytest.raises(SourceError, match="cache: cannot reach"):
            said(settings, small_detection)
        seen = said(settings.model_copy(update={"tls_ca_file": certificate.authority}), small_detection)
    assert set(datasets(seen)) == {"0/a"}
    assert ("encryption_in_transit", True) in {(each.safeguard, each.present) for each in of(SafeguardSeen, seen)}


def test_a_server_that_does_not_answer_in_time_ends_the_scan(client, settings, small_detection):
    client.mset({"a": 1, "b": 2})
    stream = RedisScanner(settings.model_copy(update={"timeout": 0.1})).scan(ScanContext(small_detection))
    next(each for each in stream if isinstance(each, Covered) and each.aspect is Aspect.STRUCTURE)
    client.client_pause(1200)  # milliseconds
    with pytest.raises(SourceError, match=r"^cache: .* did not answer in time"):
        list(stream)


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

    def load(run: int, **context):
        this = ScanRun(str(run), "cache", started + timedelta(days=run))
        return writer.load(this, said(settings, ColumnDetector(), **context))

    def readers():
        found = embedded_graph.read(
            "MATCH (d)-[r:READABLE_BY]->(p) WHERE r.valid_to IS NULL RETURN d.name AS name, p.name AS reader"
        )
        return {(row["name"], row["reader"]) for row in found}

    assert load(0).complete
    (row,) = embedded_graph.read("MATCH (d:Dataset) RETURN d.name AS name, d.retention_days AS days")
    assert row == {"name": "0/session:{number}", "days": round(1 / 24, 4)}
    client.acl_setuser("clerk", enabled=True, nopass=True, keys=["session:*"], reset=True, categories=["+@read"])
    try:
        assert load(1).versions == 2  # the new user, and what it may read
        assert readers() == {("cache", "everyone"), ("0/session:{number}", "clerk")}
        assert load(2, tokens=writer.tokens(RedisScanner(settings).system)).versions == 0  # nothing was read
        assert ("0/session:{number}", "clerk") in readers()
    finally:
        client.acl_deluser("clerk")
    assert load(3).complete
    assert readers() == {("cache", "everyone")}
    client.persist("session:7")
    assert load(4).counts["nodes_changed"] == 1  # no longer do all of them expire


def test_a_busy_server_is_read_more_slowly(client, settings, small_detection, monkeypatch):
    """From the third dataset on, another client keeps the server at work when it is asked for its pulse."""
    from scanners.budget import Meter

    for word in ("apple", "cherry", "grape", "lemon", "melon", "peach"):
        client.set(f"{word}:1", "x")
    waits, asked = [], []
    monkeypatch.setattr("scanners.record_store.Meter", lambda budget: Meter(budget, sleep=waits.append))
    other = client.connection_pool.get_connection()

    class Scanner(RedisScanner):
        def pulse(self, client):
            asked.append(len(waits))
            busy = len(asked) > 2
            if busy:
                other.send_command("EVAL", AT_WORK, 0)
            super().pulse(client)
            if busy:
                other.read_response()

    list(Scanner(settings).scan(ScanContext(small_detection)))
    client.connection_pool.release(other)
    assert asked == [0, 0, 0, 1, 2, 3]
    assert waits == sorted(set(waits))
