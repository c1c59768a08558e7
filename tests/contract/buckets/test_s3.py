"""Scanning S3 buckets on a real server."""

from __future__ import annotations

import gzip
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
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
from scanners.buckets.s3 import S3Scanner, S3Settings

CSV = b"name,email\nJane,jane@canary.example\nBob,bob@canary.example\n"
LOG = b'203.0.113.9 - - [31/Jan/2026:10:00:00 -0500] "GET /?mail=jane@canary.example HTTP/1.1" 200 5 "-" "curl/8"\n'


@pytest.fixture
def scanner(monkeypatch):
    def scanner(address: str, bucket: str, key: str = "admin", secret: str = "admin", **more) -> S3Scanner:
        monkeypatch.setenv("KEY_ID", key)
        monkeypatch.setenv("KEY", secret)
        keys = {"access_key_id": {"env": "KEY_ID"}, "secret_access_key": {"env": "KEY"}}
        content = {"name": "lake", "type": "s3", "bucket": bucket, "endpoint": address, "allow_http": True}
        return S3Scanner(S3Settings.model_validate({**content, **keys, "timeout_seconds": 3, **more}))

    return scanner


@pytest.fixture
def scan(scanner, small_detection):
    def scan(*args, **more):
        return list(scanner(*args, **more).scan(ScanContext(detection=small_detection)))

    return scan


@pytest.fixture
def bucket(s3, request):
    """A bucket of this test's own, filled by calling it with keys and contents."""
    name = "b-" + str(abs(hash(request.node.name)))[:12]
    client = s3.client()
    client.create_bucket(Bucket=name)

    def fill(files: dict[str, bytes]) -> str:
        for key, data in files.items():
            client.put_object(Bucket=name, Key=key, Body=data)
        return name

    fill.client = client  # pyright: ignore[reportFunctionMemberAccess]
    return fill


def of(kind, observations):
    return [observation for observation in observations if isinstance(observation, kind)]


def read(observations) -> set[str]:
    """The datasets whose content was covered."""
    return {o.scope for o in of(Covered, observations) if o.aspect is Aspect.CONTENT}


def parquet() -> bytes:
    file = io.BytesIO()
    rows = 200_000
    table = pa.table({"id": range(rows), "email": [f"p{n}@canary.example" for n in range(rows)]})
    pq.write_table(table, file, row_group_size=1000)
    return file.getvalue()


def test_every_format_over_http(scan, s3, bucket):
    records = b"".join(
        json.dumps({"id": n, "who": {"mail": f"x{n}@canary.example"}}).encode() + b"\n" for n in range(9)
    )
    name = bucket(
        {
            "exports/customers-2026-01-01.csv": CSV,
            "exports/customers-2026-01-02.csv": CSV,
            "events/2026/01/01/events.jsonl": records,
            "tables/people.parquet": parquet(),
            **{
                f"logs/access/2026-01-{day:02}/web-{host}.log.gz": gzip.compress(LOG * 9)
                for day in range(1, 10)
                for host in (1, 2)
            },
            "users/jane@canary.example/photo.png": b"\x89PNG\r\n\x1a\n" + bytes(200),
        }
    )
    seen = scan(s3.address, name)
    assert isinstance(seen[0], SystemSeen)
    assert seen[0].urn == f"s3://{name}"
    assert seen[-1] == Covered(f"s3://{name}", Aspect.LISTING)
    assert ("encryption_in_transit", False) in [(s.safeguard, s.present) for s in of(SafeguardSeen, seen)]
    assert {d.name: d.object_count for d in of(DatasetSeen, seen)} == {
        "exports/customers-{date}.csv": 2,
        "events/{date}/events.jsonl": 1,
        "tables/people.parquet": 1,
        "logs/access/{date}/web-{number}.log.gz": 18,
        "users/{email}/photo.png": 1,
    }
    found = {c.field.removeprefix(f"s3://{name}/") for c in of(FieldClassified, seen)}
    assert found == {
        "exports/customers-{date}.csv#email",
        "events/{date}/events.jsonl#who",
        "tables/people.parquet#email",
        "logs/access/{date}/web-{number}.log.gz#request",
    }
    assert [f.code for f in of(Finding, seen)] == ["unknown-format"]
    assert "canary" not in repr(seen)
    assert scan(s3.address, name) == seen


def test_a_large_parquet_is_read_by_ranges(scanner, s3, bucket, small_detection, monkeypatch):
    import scanners.buckets.reading as engine

    name = bucket({"t.parquet": parquet()})
    read: list[int] = []
    real = engine.read_range

    def counting(*args):
        data = real(*args)
        read.append(len(data))
        return data

    monkeypatch.setattr(engine, "read_range", counting)
    seen = list(scanner(s3.address, name).scan(ScanContext(detection=small_detection)))
    assert {f.name: f.type for f in of(FieldSeen, seen)} == {"id": "int64", "email": "string"}
    assert sum(read) < len(parquet()) / 2


def test_a_part_of_a_bucket_is_a_complete_listing_of_that_part(scan, s3, bucket):
    name = bucket({"a/x.csv": CSV, "b/y.csv": CSV})
    seen = scan(s3.address, name, prefix="a/")
    assert [d.name for d in of(DatasetSeen, seen)] == ["a/x.csv"]
    assert [c.scope for c in of(Covered, seen) if c.aspect is Aspect.LISTING] == [f"s3://{name}/a/"]


def test_a_part_whose_name_varies_is_no_complete_listing(scan, s3, bucket):
    name = bucket({"2026-01-01/x.csv": CSV, "2026-01-02/x.csv": CSV})
    seen = scan(s3.address, name, prefix="2026-01-01")
    assert [d.name for d in of(DatasetSeen, seen)] == ["{date}/x.csv"]
    assert not [c for c in of(Covered, seen) if c.aspect is Aspect.LISTING]


def test_keys_that_no_path_can_be_made_of(scan, s3, bucket):
    name = bucket({"a/x.csv": CSV, "m//canary.csv": CSV, "m/ok.csv": CSV, "z/y.csv": CSV})
    seen = scan(s3.address, name)
    assert {d.name for d in of(DatasetSeen, seen)} == {"a/x.csv", "z/y.csv"}
    assert {f.code for f in of(Finding, seen)} == {"unlistable-keys"}
    assert not [c for c in of(Covered, seen) if c.aspect is Aspect.LISTING]
    assert "canary" not in repr(seen)


def test_an_object_that_goes_between_listing_and_reading(scanner, s3, bucket, small_detection):
    name = bucket({"a.csv": CSV, "b.csv": CSV})
    lake = scanner(s3.address, name)
    listing = lake.list

    def list_and_delete(store):
        yield from listing(store)
        bucket.client.delete_object(Bucket=name, Key="a.csv")

    lake.list = list_and_delete
    seen = list(lake.scan(ScanContext(detection=small_detection)))
    assert [(f.about, f.code) for f in of(Finding, seen)] == [(f"s3://{name}/a.csv", "gone")]
    assert f"s3://{name}/b.csv" in read(seen)
    assert f"s3://{name}/a.csv" not in read(seen)


def test_an_object_that_is_replaced_between_listing_and_reading(scanner, s3, bucket, small_detection):
    name = bucket({"a.csv": CSV})
    lake = scanner(s3.address, name)
    listing = lake.list

    def list_and_replace(store):
        yield from listing(store)
        bucket({"a.csv": b"x"})

    lake.list = list_and_replace
    seen = list(lake.scan(ScanContext(detection=small_detection)))
    assert [f.code for f in of(Finding, seen)] == ["gone"]


def test_an_empty_bucket_is_fully_listed(scan, s3, bucket):
    seen = scan(s3.address, bucket({}))
    assert isinstance(seen[-1], Covered)


def one_line(error: SourceError, address: str) -> str:
    message = str(error)
    assert "\n" not in message
    assert address not in message
    assert "Error" not in message
    return message


def test_a_missing_bucket(scan, s3):
    with pytest.raises(SourceError) as caught:
        scan(s3.address, "no-such-bucket")
    assert one_line(caught.value, s3.address) == "lake: there is no such bucket (check its name and the endpoint)"


def test_an_unreachable_endpoint(scan):
    with pytest.raises(SourceError) as caught:
        scan("http://127.0.0.1:1", "bucket")
    assert "cannot be reached" in one_line(caught.value, "127.0.0.1")


def test_no_credentials(small_detection, s3, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    # What a machine that is none of Amazon's answers in the place of its credentials.
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:1")
    content = {"name": "lake", "type": "s3", "bucket": "bucket", "endpoint": s3.address, "allow_http": True}
    lake = S3Scanner(S3Settings.model_validate({**content, "timeout_seconds": 1}))
    with pytest.raises(SourceError) as caught:
        list(lake.scan(ScanContext(detection=small_detection)))
    assert "no credentials were found" in one_line(caught.value, s3.address)


def test_wrong_credentials(scan, guarded):
    server, key, secret = guarded
    server.client(key=key, secret=secret).create_bucket(Bucket="for-wrong-keys")
    with pytest.raises(SourceError) as caught:
        scan(server.address, "for-wrong-keys", key="AKIACANARY", secret="canary-secret")
    assert "the access key is not known there" in one_line(caught.value, server.address)
    with pytest.raises(SourceError) as caught:
        scan(server.address, "for-wrong-keys", key=key, secret="canary-secret")
    assert "the secret key is wrong" in one_line(caught.value, server.address)


def test_no_permission_on_one_prefix(scan, guarded):
    server, key, secret = guarded
    s3, iam = (server.client(service, key, secret) for service in ("s3", "iam"))
    s3.create_bucket(Bucket="partly")
    s3.put_object(Bucket="partly", Key="open/a.csv", Body=CSV)
    s3.put_object(Bucket="partly", Key="shut/b.csv", Body=CSV)
    allow = [
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::partly"},
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::partly/open/*"},
    ]
    iam.create_user(UserName="reader")
    document = json.dumps({"Version": "2012-10-17", "Statement": allow})
    iam.put_user_policy(UserName="reader", PolicyName="some", PolicyDocument=document)
    keys = iam.create_access_key(UserName="reader")["AccessKey"]
    seen = scan(server.address, "partly", keys["AccessKeyId"], keys["SecretAccessKey"])
    assert [(f.about, f.code, f.severity) for f in of(Finding, seen)] == [
        ("s3://partly", "posture-not-granted", "info"),
        ("s3://partly/shut/b.csv", "no-permission", "error"),
    ]
    assert "s3://partly/open/a.csv" in read(seen)
    s3.create_bucket(Bucket="shut-to-reader")
    with pytest.raises(SourceError, match="listing is not permitted"):
        scan(server.address, "shut-to-reader", keys["AccessKeyId"], keys["SecretAccessKey"])


def test_like_named_objects_cost_little_memory_and_few_requests(scanner, s3, bucket, small_detection, monkeypatch):
    import scanners.buckets.reading as engine

    count = 300
    name = bucket({f"logs/2026-01-{n % 28 + 1:02}/host-{n}.log": LOG for n in range(count)})
    read: list[str] = []
    real = engine.read_range
    monkeypatch.setattr(
        engine, "read_range", lambda store, ref, *rest: (read.append(ref.key), real(store, ref, *rest))[1]
    )
    seen = list(scanner(s3.address, name).scan(ScanContext(detection=small_detection)))
    assert [(d.name, d.object_count) for d in of(DatasetSeen, seen)] == [("logs/{date}/host-{number}.log", count)]
    assert len(read) == len(set(read)) == 5


def test_posture(scan, s3, bucket):
    name = bucket({"logs/a.csv": CSV, "exports/b.csv": CSV})
    client = bucket.client
    public = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*"}
    client.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [public]}))
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    client.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})
    rules = [
        {"ID": "short", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 30}},
        {"ID": "off", "Status": "Disabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}},
        {"ID": "few", "Status": "Enabled", "Filter": {"Tag": {"Key": "k", "Value": "v"}}, "Expiration": {"Days": 2}},
    ]
    client.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules})
    seen = scan(s3.address, name)
    assert {s.safeguard: s.present for s in of(SafeguardSeen, seen)} == {
        "encryption_in_transit": False,
        "private_access": False,
        "encryption_at_rest": True,
        "versioning": True,
        "object_lock": False,
        "access_logging": False,
    }
    assert [(a.data, a.principal, a.privilege) for a in of(AccessSeen, seen)] == [
        (f"s3://{name}", "everyone", "s3:GetObject")
    ]
    assert {d.name: d.retention_days for d in of(DatasetSeen, seen)} == {"logs/a.csv": 30, "exports/b.csv": None}


def test_object_lock(scan, s3):
    client = s3.client()
    client.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)

    def evidence() -> list[tuple[bool, str]]:
        seen = of(SafeguardSeen, scan(s3.address, "locked"))
        return [(s.present, s.evidence) for s in seen if s.safeguard == "object_lock"]

    assert evidence() == [(True, "object lock is on: it locks objects one by one")]
    rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 30}}
    settings = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    client.put_object_lock_configuration(Bucket="locked", ObjectLockConfiguration=settings)
    assert evidence() == [(True, "object lock is on: it locks new objects for 30 days (COMPLIANCE)")]


def test_credentials_that_end_in_the_middle(scanner, guarded, small_detection):
    server, key, secret = guarded
    s3, iam = (server.client(service, key, secret) for service in ("s3", "iam"))
    s3.create_bucket(Bucket="ending")
    for key_of_object in ("a.csv", "b.csv"):
        s3.put_object(Bucket="ending", Key=key_of_object, Body=CSV)
    iam.create_user(UserName="leaving")
    allow = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_user_policy(UserName="leaving", PolicyName="all", PolicyDocument=document)
    keys = iam.create_access_key(UserName="leaving")["AccessKey"]
    lake = scanner(server.address, "ending", keys["AccessKeyId"], keys["SecretAccessKey"])
    listing = lake.list

    def list_and_leave(store):
        yield from listing(store)
        iam.delete_access_key(UserName="leaving", AccessKeyId=keys["AccessKeyId"])

    lake.list = list_and_leave
    seen = list(lake.scan(ScanContext(detection=small_detection)))
    found = {(f.about, f.code) for f in of(Finding, seen) if f.severity != "info"}
    assert found == {("s3://ending", "credentials-expired")}
    assert [d.name for d in of(DatasetSeen, seen)] == ["a.csv", "b.csv"]
    assert read(seen) == set()  # so that what is known of them stays
    assert seen[-1] == Covered("s3://ending", Aspect.LISTING)


def test_a_busy_store_is_asked_more_slowly_until_it_answers(scan, bucket, busy_s3, monkeypatch):
    monkeypatch.setattr("scanners.buckets.objects.PAGE", 10)
    address, asked, refuse = busy_s3
    name = bucket({f"2026-01-{n % 28 + 1:02}/{n}.log": LOG for n in range(25)})
    refuse("continuation-token", 5)  # the second page: once more often than obstore itself tries
    refuse("/2026-01-01/0.log", 5)
    seen = scan(address, name, sampling={"objects": 25})
    assert [d.object_count for d in of(DatasetSeen, seen)] == [25]
    assert of(Finding, seen) == []
    assert read(seen) == {f"s3://{name}/{{date}}/{{number}}.log"}
    assert sum("start-after" in path for path in asked) >= 1  # gone on with behind the first page
    assert sum("/2026-01-01/0.log" in path for path in asked) == 6


def test_a_store_that_stays_busy(scan, bucket, busy_s3):
    address, _, refuse = busy_s3
    name = bucket({"a.csv": CSV, "b.csv": CSV})
    refuse("/a.csv", 10_000)
    seen = scan(address, name, timeout_seconds=1)
    assert [(f.about, f.code) for f in of(Finding, seen) if f.severity != "info"] == [(f"s3://{name}/a.csv", "busy")]
    assert read(seen) == {f"s3://{name}/b.csv"}


def test_a_listing_without_an_end(scan, bucket, endless_s3, monkeypatch):
    monkeypatch.setattr("scanners.buckets.objects.PAGE", 2)
    name = bucket({"a.csv": CSV, "b.csv": CSV})
    with pytest.raises(SourceError, match="does not answer as an object store"):
        scan(endless_s3, name)


def test_an_object_without_an_end(scanner, endless_s3):
    from scanners.buckets.grouping import ObjectRef
    from scanners.buckets.metered import MeteredStore
    from scanners.buckets.objects import read_range
    from scanners.budget import Budget

    store = MeteredStore(scanner(endless_s3, "any").open(), Budget())
    assert len(read_range(store, ObjectRef("a.log", 2**40, 0.0), 0, 2**20, "lake: a.log")) == 2**20
