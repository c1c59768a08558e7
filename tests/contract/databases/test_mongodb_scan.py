"""The MongoDB scanner on a real server of its protocol (FerretDB): what it says, how it asks, and what goes wrong."""

from __future__ import annotations

import datetime
import socket
from contextlib import ExitStack

import bson
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
from inventory.scan.workers import fanned_out, process_workers
from scanners.base import Chunk, ScanContext
from scanners.databases.mongodb import (
    MongoDBScanner,
    MongoDBSettings,
    _bounds,
    _declared,
    _retention,
    _writes,
)
from scanners.databases.mongodb_access import role_grants
from scanners.record_store import RecordSet


@pytest.fixture
def store(ferretdb, request):
    """A client and a database of the test's own."""
    pymongo = pytest.importorskip("pymongo")
    name = request.node.originalname[:40]
    with pymongo.MongoClient("127.0.0.1", ferretdb) as client:
        yield client[name]
        client.drop_database(name)


@pytest.fixture
def settings(ferretdb, store):
    return MongoDBSettings(name="mongo", hosts=(f"127.0.0.1:{ferretdb}",), databases=(store.name,))


def said(settings, detection, **context):
    return list(MongoDBScanner(settings).scan(ScanContext(detection, **context)))


def of(kind, observations):
    return [each for each in observations if isinstance(each, kind)]


def test_says_collections_fields_categories_and_keys(store, settings, small_detection):
    store.people.insert_many(
        {"name": f"n{n}", "contact": {"email": f"p{n}@canary.example"}, "born": datetime.datetime(1990, 1, 2)}
        for n in range(30)
    )
    store.people.create_index("contact.email", unique=True)
    store.people.create_index("loyalty.card")
    store.empty.insert_one({"a": 1})
    store.empty.delete_many({})
    seen = said(settings, small_detection)

    assert isinstance(seen[0], SystemSeen)
    assert seen[0].engine == "mongodb"
    datasets = {each.name: each for each in of(DatasetSeen, seen)}
    assert set(datasets) == {f"{store.name}.people", f"{store.name}.empty"}
    assert datasets[f"{store.name}.people"].row_estimate == 30
    fields = {each.urn.rpartition("#")[2]: each for each in of(FieldSeen, seen) if ".people" in each.urn}
    assert fields["_id"].primary_key
    assert "loyalty/card" in fields  # indexed, and in none of the documents
    classified = of(FieldClassified, seen)
    assert [each.field.rpartition("#")[2] for each in classified] == ["contact"]  # this detector looks no deeper
    assert not of(Finding, seen)
    assert seen[-1] == Covered(f"{settings_system(settings)}/{store.name}.", Aspect.LISTING)
    assert "canary.example" not in repr(seen)


def test_looks_into_nested_documents(store, settings):
    from scanners.detection import ColumnDetector

    people = [{"contact": {"email": f"person{n}@canary.example"}, "tags": [{"k": "a"}]} for n in range(60)]
    store.people.insert_many(people)
    store.people.create_index("tags.k")
    seen = said(settings, ColumnDetector())
    places = {each.field.rpartition("#")[2]: each.category for each in of(FieldClassified, seen)}
    assert places["contact/email"] == "user.contact.email"
    names = [each.name for each in of(FieldSeen, seen)]
    assert "tags/-/k" in names
    assert "tags/k" not in names  # the index says the same place without its array


def settings_system(settings):
    return MongoDBScanner(settings).system


def test_a_sample_is_spread_bounded_and_the_same_each_time(store, settings, small_detection):
    start = bson.ObjectId.from_datetime(datetime.datetime(2024, 1, 1)).binary
    store.events.insert_many({"_id": bson.ObjectId(_plus(start, n << 64)), "n": n} for n in range(2000))
    few = settings.model_copy(update={"sampling": settings.sampling.model_copy(update={"rows": 100})})
    scanner = MongoDBScanner(few)
    samples = []
    for _ in range(2):
        with scanner.connected() as client:
            (subject,) = (each for each in scanner.listing(client, small_detection) if isinstance(each, RecordSet))
            samples.append([document["n"] for document in scanner.sample(client, subject)])
    assert samples[0] == samples[1]
    assert 90 < len(samples[0]) == len(set(samples[0])) <= 100
    assert min(samples[0]) < 200
    assert max(samples[0]) > 1800


def test_other_databases_and_the_servers_own_are_left_alone(store, settings, small_detection):
    store.mine.insert_one({"a": 1})
    everything = settings.model_copy(update={"databases": (), "exclude_databases": ()})
    seen = said(everything, small_detection)
    assert f"{store.name}.mine" in {each.name for each in of(DatasetSeen, seen)}
    assert not [each for each in of(DatasetSeen, seen) if each.name.split(".")[0] in ("admin", "local", "config")]
    assert seen[-1] == Covered(settings_system(settings), Aspect.LISTING)
    without = everything.model_copy(update={"exclude_databases": (store.name,)})
    assert f"{store.name}.mine" not in {each.name for each in of(DatasetSeen, said(without, small_detection))}


def test_a_server_without_sign_in_and_without_tls_is_told(store, settings, small_detection):
    seen = said(settings, small_detection)
    assert {(each.safeguard, each.present) for each in of(SafeguardSeen, seen)} == {
        ("encryption_in_transit", False),
        ("private_access", False),
    }
    (access,) = of(AccessSeen, seen)
    assert (access.data, access.principal, access.kind) == (settings_system(settings), "everyone", "public")
    assert Covered(settings_system(settings), Aspect.ACCESS) in seen


def test_by_tls_and_only_with_the_authority_that_is_trusted(fleet_stores, ferretdb, certificate, tmp_path):
    pymongo = pytest.importorskip("pymongo")
    from scanners.detection import ColumnDetector

    with fleet_stores.ferretdb(tmp_path, certificate.certificate, certificate.key) as port:
        with pymongo.MongoClient("127.0.0.1", port, tls=True, tlsCAFile=str(certificate.authority)) as client:
            client.shop.people.insert_one({"a": 1})
        settings = MongoDBSettings(name="mongo", hosts=(f"127.0.0.1:{port}",), tls=True, connect_timeout=0.5)
        with pytest.raises(SourceError, match="mongo: cannot reach"):
            said(settings, ColumnDetector())
        trusting = settings.model_copy(update={"tls_ca_file": certificate.authority})
        seen = said(trusting, ColumnDetector())
    assert [each.name for each in of(DatasetSeen, seen)] == ["shop.people"]
    assert {(s.safeguard, s.present) for s in of(SafeguardSeen, seen)} >= {("encryption_in_transit", True)}


def test_what_has_not_changed_is_not_read_again(store, settings, small_detection):
    for name in ("still", "moving", "shrinking"):
        store[name].insert_many({"n": n} for n in range(30))
    tokens = contents(said(settings, small_detection))
    assert all(tokens.values())
    before = served(store)
    assert contents(said(settings, small_detection, tokens=tokens)) == {}
    assert served(store) - before == 3  # the last `_id` of each, as FerretDB counts no writes

    store.moving.delete_one({"n": 7})
    store.moving.insert_one({"n": 7})
    store.shrinking.delete_one({"n": 7})
    read = contents(said(settings, small_detection, tokens=tokens))
    assert {urn.rpartition(".")[2] for urn in read} == {"moving", "shrinking"}
    always = settings.model_copy(update={"recheck_days": 0})
    assert set(contents(said(always, small_detection, tokens=tokens)).values()) == {""}


def contents(seen):
    return {each.scope: each.token for each in of(Covered, seen) if each.aspect is Aspect.CONTENT}


def served(store) -> int:
    """How many questions for documents the server has answered."""
    commands = store.client.admin.command("serverStatus")["metrics"]["commands"]
    return sum(commands.get(name, {}).get("total", 0) for name in ("find", "getMore", "aggregate"))


def test_reading_that_takes_too_long_is_a_finding(store, settings, small_detection):
    store.large.insert_many({"n": n, "x": "y" * 100} for n in range(20_000))
    store.small.insert_one({"n": 1})
    hasty = settings.model_copy(update={"statement_timeout": 0.02})  # seconds; to order them all takes longer
    seen = said(hasty, small_detection)
    (finding,) = of(Finding, seen)
    assert (finding.code, finding.about.rpartition(".")[2]) == ("statement-timeout", "large")
    assert [urn.rpartition(".")[2] for urn in contents(seen)] == ["small"]


def test_workers_say_what_one_says(store, settings, small_detection):
    from scanners.detection import ColumnDetector

    for number in range(25):
        store[f"c{number:02}"].insert_many({"email": f"p{n}@canary.example", "n": n} for n in range(30))
    scanner, context = MongoDBScanner(settings), ScanContext(ColumnDetector())
    alone = list(scanner.scan(context))
    assert len([each for each in scanner.outline(context) if isinstance(each, Chunk)]) == 2
    with process_workers(2) as workers:
        together = list(fanned_out(scanner, context, workers))
    assert sorted(map(repr, together)) == sorted(map(repr, alone))
    assert together[-1] == alone[-1]  # the listing, when all is read
    assert len(of(FieldClassified, together)) == 25


def test_users_and_their_roles_are_read_as_the_server_tells_them():
    """The answers are as MongoDB's manual has them; FerretDB has no such commands."""
    users = [
        {"_id": "admin.root", "user": "root", "db": "admin", "roles": [{"role": "root", "db": "admin"}]},
        {"user": "clerk", "db": "shop", "roles": [{"role": "read", "db": "shop"}, {"role": "clusterMonitor"}]},
        {"user": "mailer", "db": "admin", "roles": [{"role": "mails", "db": "shop"}]},
        {"user": "writer", "db": "admin", "roles": [{"role": "logs", "db": "shop"}]},
    ]
    everything = [{"resource": {"db": "", "collection": ""}, "actions": ["find", "insert"]}]
    cluster = [{"resource": {"cluster": True}, "actions": ["find"]}]
    people = [{"resource": {"db": "shop", "collection": "people"}, "actions": ["find"]}]
    roles = [
        {"role": "root", "db": "admin", "privileges": cluster, "inheritedPrivileges": everything},
        {
            "role": "read",
            "db": "shop",
            "privileges": [{"resource": {"db": "shop", "collection": ""}, "actions": ["find"]}],
        },
        {"role": "mails", "db": "shop", "privileges": people},
        {"role": "logs", "db": "shop", "privileges": [{**people[0], "actions": ["insert"]}]},
    ]
    grants = list(role_grants(users, roles))
    assert [(g.reader.principal, g.reader.via) for g in grants if not g.database] == [("admin.root", "admin.root")]
    of_people = [g.reader.principal for g in grants if g.covers("shop", "people")]
    assert sorted(of_people) == ["admin.mailer", "shop.clerk"]
    assert [g.reader.principal for g in grants if g.covers("shop", "orders")] == ["shop.clerk"]
    assert not [g for g in grants if g.covers("other", "people")]


def test_writes_that_wiredtiger_counts_are_a_state():
    counted = {"insert calls": 3, "update calls": 1, "search calls": 9, "modify": 0}
    assert _writes({"wiredTiger": {"cursor": counted}}) == (
        ("", "insert calls", 3),
        ("", "modify", 0),
        ("", "update calls", 1),
    )
    sharded = {"shards": {"b": {"wiredTiger": {"cursor": {"remove calls": 2}}}, "a": {"count": 3}}}
    assert _writes(sharded) == (("b", "remove calls", 2),)
    assert _writes({"count": 3}) == ()


def test_odd_values_are_no_fault(store, settings, small_detection):
    store.odd.insert_many(
        [
            {"v": bson.Binary(b"\xff\xfe\x00")},
            {"v": [{"deep": None}], "b~c": 1},
            {"v": "x " * 100_000},
            {"v": 2**62},
            {"v": bson.Timestamp(1, 2), "w": bson.Regex("^a")},
        ]
    )
    seen = said(settings, small_detection)
    assert not of(Finding, seen)
    assert "b~0c" in {each.urn.rpartition("#")[2] for each in of(FieldSeen, seen)}


def test_refused_connection_is_one_error_in_our_own_words(small_detection):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = MongoDBSettings(name="mongo", hosts=(f"127.0.0.1:{port}",), connect_timeout=0.3)
    with pytest.raises(SourceError, match=f"^mongo: cannot reach 127.0.0.1:{port}"):
        said(settings, small_detection)


def test_a_server_that_stops_in_the_middle_ends_the_scan_with_what_was_seen(
    fleet_stores, ferretdb, tmp_path, small_detection
):
    pymongo = pytest.importorskip("pymongo")
    seen = []
    with ExitStack() as server:
        port = server.enter_context(fleet_stores.ferretdb(tmp_path))
        with pymongo.MongoClient("127.0.0.1", port) as client:
            for name in ("a", "b"):
                client.shop[name].insert_many({"n": n} for n in range(5))
        settings = MongoDBSettings(name="mongo", hosts=(f"127.0.0.1:{port}",), connect_timeout=0.5)
        stream = MongoDBScanner(settings).scan(ScanContext(small_detection))
        for each in stream:
            seen.append(each)
            if isinstance(each, Covered) and each.aspect is Aspect.STRUCTURE:
                break
        server.close()
        with pytest.raises(SourceError, match="mongo: cannot reach"):
            seen.extend(stream)
    assert [each.scope.rpartition("/")[2] for each in of(Covered, seen) if each.aspect is Aspect.STRUCTURE] == [
        "shop.a"
    ]


def test_ttl_indexes_and_validators_are_read():
    assert _retention([{"key": {"at": 1}, "expireAfterSeconds": 7 * 86400}], {}).days == 7
    schema = {
        "properties": {
            "email": {"bsonType": "string", "description": "where we write"},
            "items": {"bsonType": "array", "items": {"properties": {"sku": {"bsonType": ["string", "null"]}}}},
        }
    }
    declared = {each.column + each.pointer: each for each in _declared(schema)}
    assert declared["email"].description == "where we write"
    assert declared["items/sku"].type == "string,null"


def test_no_stretches_where_ids_have_no_distance():
    assert _bounds("a", "z", 1) == []
    assert len(_bounds(1, 1000, 1)) == 20


def _plus(identifier: bytes, number: int) -> bytes:
    return (int.from_bytes(identifier) + number).to_bytes(12)
