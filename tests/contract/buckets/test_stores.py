"""Scanning Google Cloud Storage, Azure Blob Storage and a second S3 server, each on a real server."""

from __future__ import annotations

import gzip
import importlib.util
import os
import sys
from contextlib import contextmanager
from pathlib import Path

import httpx
import obstore
import pytest

from inventory.errors import SourceError
from inventory.model import AccessSeen, Aspect, Covered, DatasetSeen, FieldClassified, Finding, SafeguardSeen
from scanners.base import ScanContext

spec = importlib.util.spec_from_file_location(
    "bucket_servers", Path(__file__).parents[2] / "fleet" / "buckets" / "servers.py"
)
assert spec is not None
assert spec.loader is not None
servers = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = servers
spec.loader.exec_module(servers)

CSV = b"name,email\nJane,jane@canary.example\nBob,bob@canary.example\n"
FILES = {
    "exports/c-2026-01-01.csv": CSV,
    "exports/c-2026-01-02.csv": CSV,
    "logs/2026/01/01/web-1.csv.gz": gzip.compress(CSV),
}
NAMES = {"exports/c-{date}.csv": 2, "logs/{date}/web-{number}.csv.gz": 1}


@contextmanager
def started(server, *arguments: object):
    try:
        with server(*arguments) as address:
            yield address
    except servers.ToolchainMissing as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing))
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def gcs(tmp_path_factory):
    with started(servers.fake_gcs, tmp_path_factory.mktemp("gcs")) as address:
        yield address


@pytest.fixture(scope="session")
def azure(tmp_path_factory):
    with started(servers.azurite, tmp_path_factory.mktemp("azure")) as address:
        yield address


@pytest.fixture(scope="session")
def versity(tmp_path_factory):
    with started(servers.versitygw, tmp_path_factory.mktemp("versity"), "admin", "admin-secret") as address:
        yield address


def of(kind, observations):
    return [observation for observation in observations if isinstance(observation, kind)]


def whole(seen, system: str) -> None:
    """All of FILES was seen below the system."""
    assert {d.name: d.object_count for d in of(DatasetSeen, seen)} == NAMES
    assert {c.field for c in of(FieldClassified, seen)} == {f"{system}/{name}#email" for name in NAMES}
    assert seen[-1] == Covered(system, Aspect.LISTING)
    assert [f.code for f in of(Finding, seen) if f.severity != "info"] == []
    assert "canary" not in repr(seen)


def safeguards(seen) -> dict[str, bool]:
    return {s.safeguard: s.present for s in of(SafeguardSeen, seen)}


def rescan(scanner, seen, detection) -> list[str]:
    """What a second scan reads again."""
    tokens = {c.scope: c.token for c in of(Covered, seen) if c.token}
    again = list(scanner.scan(ScanContext(detection=detection, tokens=tokens)))
    return [c.scope for c in of(Covered, again) if c.aspect is Aspect.CONTENT]


def test_google_cloud_storage(gcs, small_detection):
    from scanners.buckets.gcs import GcsScanner, GcsSettings

    rule = {"action": {"type": "Delete"}, "condition": {"age": 30, "matchesPrefix": ["logs/"]}}
    made = {"name": "lake", "versioning": {"enabled": True}, "lifecycle": {"rule": [rule]}}
    httpx.post(f"{gcs}/storage/v1/b?project=p", json=made).raise_for_status()
    for name, data in FILES.items():
        where = {"uploadType": "media", "name": name}
        httpx.post(f"{gcs}/upload/storage/v1/b/lake/o", params=where, content=data).raise_for_status()
    content = {"name": "lake", "type": "gcs", "bucket": "lake", "endpoint": gcs, "allow_http": True, "anonymous": True}
    scanner = GcsScanner(GcsSettings.model_validate(content))
    seen = list(scanner.scan(ScanContext(detection=small_detection)))
    whole(seen, "gs://lake")
    assert safeguards(seen)["versioning"] is True
    assert safeguards(seen)["encryption_in_transit"] is False
    assert rescan(scanner, seen, small_detection) == []


def test_a_missing_bucket_of_google(gcs, small_detection):
    from scanners.buckets.gcs import GcsScanner, GcsSettings

    content = {"name": "lake", "type": "gcs", "bucket": "none", "endpoint": gcs, "allow_http": True, "anonymous": True}
    with pytest.raises(SourceError, match=r"^lake: the endpoint answered with status 500"):  # Google's own says 404
        list(GcsScanner(GcsSettings.model_validate(content)).scan(ScanContext(detection=small_detection)))


@pytest.fixture
def container(azure, monkeypatch):
    """Makes the scanner of a container with FILES in it."""
    from obstore.store import AzureStore

    from scanners.buckets.azure import AzureScanner, AzureSettings

    def container(name: str, key: str = servers.ACCOUNT_KEY, access: str = "") -> AzureScanner:
        monkeypatch.setenv("AZURE_KEY", key)
        content = {"name": "lake", "type": "azure", "account": servers.ACCOUNT, "container": name, "endpoint": azure}
        scanner = AzureScanner(
            AzureSettings.model_validate({**content, "allow_http": True, "account_key": {"env": "AZURE_KEY"}})
        )
        if key == servers.ACCOUNT_KEY and name != "missing":
            servers.make_container(azure, name, {"x-ms-blob-public-access": access} if access else {})
            store = AzureStore(
                name,
                account_name=servers.ACCOUNT,
                account_key=key,
                endpoint=azure,
                client_options={"allow_http": True},
            )
            for path, data in FILES.items():
                obstore.put(store, path, data)
        return scanner

    return container


def test_azure(container, small_detection):
    scanner = container("private")
    seen = list(scanner.scan(ScanContext(detection=small_detection)))
    whole(seen, f"wasbs://private@{servers.ACCOUNT}")
    assert safeguards(seen) == {
        "encryption_in_transit": False,
        "encryption_at_rest": True,
        "private_access": True,
        "versioning": False,
        "object_lock": False,
        "access_logging": True,  # Azurite's default, unlike Azure's
    }
    assert of(AccessSeen, seen) == []
    untold = [f.message for f in of(Finding, seen) if f.code == "posture-not-granted"]
    assert untold == [
        "lake: the store does not tell us of lifecycle rules (which Azure's management API tells) "
        "(grant reading the bucket's settings)"
    ]
    assert rescan(scanner, seen, small_detection) == []


def test_a_public_container(container, small_detection):
    seen = list(container("public", access="container").scan(ScanContext(detection=small_detection)))
    assert safeguards(seen)["private_access"] is False
    assert [(a.principal, a.kind) for a in of(AccessSeen, seen)] == [("everyone", "public")]


def test_a_container_whose_blobs_are_public_but_not_its_listing(container, small_detection):
    seen = list(container("blobs", access="blob").scan(ScanContext(detection=small_detection)))
    assert [(a.principal, a.privilege) for a in of(AccessSeen, seen)] == [("everyone", "read")]


def test_what_soft_delete_keeps(container, azure, small_detection):
    scanner = container("kept")
    kept = b"<DeleteRetentionPolicy><Enabled>true</Enabled><Days>7</Days></DeleteRetentionPolicy>"
    servers.set_service_properties(azure, b"<StorageServiceProperties>" + kept + b"</StorageServiceProperties>")
    seen = list(scanner.scan(ScanContext(detection=small_detection)))
    evidence = {s.safeguard: s.evidence for s in of(SafeguardSeen, seen)}
    assert evidence["versioning"] == "the first blob listed has no version; deleted blobs are kept for 7 days"


def test_azure_with_a_signature_in_place_of_the_key(container, azure, small_detection, monkeypatch):
    from scanners.buckets.azure import AzureScanner, AzureSettings

    container("signed")
    monkeypatch.setenv("SAS", servers.signature("signed"))
    content = {"name": "lake", "type": "azure", "account": servers.ACCOUNT, "container": "signed", "endpoint": azure}
    settings = AzureSettings.model_validate({**content, "allow_http": True, "sas_token": {"env": "SAS"}})
    seen = list(AzureScanner(settings).scan(ScanContext(detection=small_detection)))
    whole(seen, f"wasbs://signed@{servers.ACCOUNT}")
    assert safeguards(seen)["versioning"] is False
    untold = " ".join(f.message for f in of(Finding, seen) if f.code == "posture-not-granted")
    assert "object lock" in untold  # a signature for a container's blobs does not show the container


def test_what_is_wrong_with_azure(container, small_detection):
    with pytest.raises(SourceError, match="there is no such container"):
        list(container("missing").scan(ScanContext(detection=small_detection)))
    with pytest.raises(SourceError, match="the account key or the signature is wrong"):
        list(container("private", key="Y2FuYXJ5").scan(ScanContext(detection=small_detection)))


def test_versitygw(versity, small_detection, monkeypatch):
    import boto3

    from scanners.buckets.s3 import S3Scanner, S3Settings

    client = boto3.client(
        "s3",
        endpoint_url=versity,
        region_name="us-east-1",
        aws_access_key_id="admin",
        aws_secret_access_key="admin-secret",
    )
    client.create_bucket(Bucket="lake", ObjectLockEnabledForBucket=True)
    for name, data in FILES.items():
        client.put_object(Bucket="lake", Key=name, Body=data)
    monkeypatch.setenv("KEY_ID", "admin")
    monkeypatch.setenv("KEY", "admin-secret")
    keys = {"access_key_id": {"env": "KEY_ID"}, "secret_access_key": {"env": "KEY"}}
    content = {"name": "lake", "type": "s3", "bucket": "lake", "endpoint": versity, "allow_http": True, **keys}
    scanner = S3Scanner(S3Settings.model_validate(content))
    seen = list(scanner.scan(ScanContext(detection=small_detection)))
    whole(seen, "s3://lake")
    assert safeguards(seen)["private_access"] is True
    assert safeguards(seen)["object_lock"] is True
    assert rescan(scanner, seen, small_detection) == []
    client.put_object(Bucket="lake", Key="exports/c-2026-01-03.csv", Body=CSV)
    assert rescan(scanner, seen, small_detection) == ["s3://lake/exports/c-{date}.csv"]
