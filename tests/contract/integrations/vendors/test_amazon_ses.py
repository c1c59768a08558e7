"""Scanning Amazon SES, signed by SigV4: a real moto, filled with boto3."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from inventory.model import DatasetSeen, DisclosureSeen, FieldClassified, Finding, ProcessorSeen
from scanners.base import ScanContext
from scanners.integrations.vendor import VendorScanner

ACCOUNT = "amazon_ses://123456789012"
#: What moto cannot list.
NOT_IN_MOTO = {"suppressed_destinations", "event_destinations"}


@pytest.fixture
def filled(moto) -> str:
    """Its address, with a list of two people, an identity and a configuration set."""
    import boto3

    client = boto3.client(
        "sesv2",
        endpoint_url=moto,
        region_name="ca-central-1",
        aws_access_key_id=f"AKIA{uuid.uuid4().hex[:16].upper()}",
        aws_secret_access_key="secret",
    )
    if not client.list_contact_lists()["ContactLists"]:
        client.create_contact_list(ContactListName="customers")
        for name in ("first", "second"):
            client.create_contact(ContactListName="customers", EmailAddress=f"{name}@canary.example")
        client.create_email_identity(EmailIdentity="canary.example")
        client.create_configuration_set(ConfigurationSetName="receipts")
    return moto


@pytest.fixture
def as_json(filled) -> Iterator[str]:
    """The same moto: it says of its JSON that it is HTML, which Amazon does not."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            signed.append(self.headers["Authorization"])
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            answer = httpx.request(self.command, filled + self.path, content=body, headers=headers, timeout=30)
            self.send_response(answer.status_code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None: ...

    signed: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    assert all("/ca-central-1/ses/aws4_request" in each for each in signed)


def of(kind: type, seen: list) -> list:
    return [each for each in seen if isinstance(each, kind)]


def test_an_account_is_scanned(as_json, monkeypatch, small_detection):
    monkeypatch.setenv("AWS_KEY", "AKIAIOSFODNN7EXAMPLE")
    settings = VendorScanner.settings_type.model_validate(
        {
            "name": "mail",
            "type": "amazon_ses",
            "account": "123456789012",
            "variables": {"region": "ca-central-1"},
            "base_url": as_json,
            "credentials": {"access_key_id": {"env": "AWS_KEY"}, "secret_access_key": {"env": "AWS_KEY"}},
        }
    )
    seen = list(VendorScanner(settings).scan(ScanContext(small_detection)))
    assert {each.about.rsplit("/", 1)[-1] for each in of(Finding, seen)} <= NOT_IN_MOTO
    rows = {each.name: each.row_estimate for each in of(DatasetSeen, seen)}
    assert rows["contact_lists"] == 1
    assert rows["identities"] == 1
    assert rows["configuration_sets"] == 1
    assert [each.key for each in of(ProcessorSeen, seen)] == ["aws"]
    classified = {(each.field, each.category): each for each in of(FieldClassified, seen)}
    address = classified[f"{ACCOUNT}/contacts#EmailAddress", "user.contact.email"]
    assert {reason.signal for reason in address.evidence} == {"connector:amazon_ses", "value:email"}
    evidence = {each.source: each.evidence for each in of(DisclosureSeen, seen)}
    assert evidence[f"{ACCOUNT}/contacts"].startswith("2 records returned by POST")
    assert "canary" not in repr([each for each in seen if not isinstance(each, DatasetSeen)])
