"""The MongoDB scanner on a real server of its protocol (FerretDB): what it says, how it asks, and what goes wrong."""

from __future__ import annotations

import datetime
import socket
from contextlib import ExitStack

import bson
import pytest

from inventory.errors import SourceError
from inventory.model import Aspect, Covered, DatasetSeen, FieldClassified, FieldSeen, Finding, SafeguardSeen, SystemSeen
from scanners.base import ScanContext
from scanners.databases.mongodb import MongoDBScanner, MongoDBSettings, _bounds, _declared, _retention
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


def said(settings, detection):
    return list(MongoDBScanner(settings).scan(ScanContext(detection)))


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


def test_says_that_the_session_is_not_encrypted(store, settings, small_detection):
    (safeguard,) = of(SafeguardSeen, said(settings, small_detection))
    assert (safeguard.safeguard, safeguard.present) == ("encryption_in_transit", False)


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
            if isinstance(each, Covered):
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
