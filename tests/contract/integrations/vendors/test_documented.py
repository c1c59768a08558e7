"""Connectors that were written from public documentation, before a server of our own that keeps to it.

The server answers with invented records in the vendor's form, wants the vendor's way of signing in, and gives lists in
pages: an account is scanned as a whole.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from inventory.errors import SourceError
from inventory.model import DatasetSeen, DisclosureSeen, FieldClassified, FieldProfiled, Finding
from scanners.base import ScanContext
from scanners.integrations.connector import connectors
from scanners.integrations.vendor import VendorScanner

Answer = Callable[[Mapping[str, str]], object]
"""What a path answers, by the parameters that it was asked with."""


@dataclass
class Vendor:
    """What a vendor's server answers, and the header that it wants to see."""

    header: tuple[str, str]
    answers: dict[str, Answer]
    token: tuple[str, str] | None = None  # path that gives a token, and what its form holds
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)


@pytest.fixture
def serve() -> Iterator[Callable[[Vendor], str]]:
    servers = []

    def start(vendor: Vendor) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path, parameters = split(self.path)
                vendor.asked.append((path, parameters))
                name, value = vendor.header
                if self.headers.get(name) != value:
                    self.say(401, {"message": "canary"})
                elif path in vendor.answers:
                    self.say(200, vendor.answers[path](parameters))
                else:
                    self.say(404, {"message": "canary"})

            def do_POST(self) -> None:
                form = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                wanted = vendor.token
                right = wanted is not None and self.path == wanted[0] and wanted[1] in form
                self.say(200 if right else 400, {"access_token": "secret", "expires_in": 3600} if right else {})

            def say(self, status: int, body: object) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json; charset=utf-8")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None: ...

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def split(address: str) -> tuple[str, dict[str, str]]:
    parts = urlsplit(address)
    return parts.path, {name: values[0] for name, values in parse_qs(parts.query).items()}


def one(**answer: object) -> Answer:
    return lambda _: answer


def by_offset(key: str, records: list[dict], **page: int) -> Answer:
    """A list by `count` and `offset`, of which no more than so many come at once."""

    def answer(asked: Mapping[str, str]) -> object:
        begin, size = int(asked["offset"]), int(asked["count"])
        return {"TotalCount": len(records), key: records[begin : begin + size]}

    return answer


# --- the vendors ------------------------------------------------------------------------------------------

GEO = {"City": "Canary", "Region": "QC", "Country": "CA", "Zip": "H0H 0H0", "Coords": "45.5,-73.6", "IP": "192.0.2.7"}
OPENED = {
    "Recipient": "eve@canary.example",
    "UserAgent": "Mozilla/5.0",
    "Client": {"Name": "Ida Chrome"},
    "OS": {"Name": "Linux"},
    "Platform": "Desktop",
    "Geo": GEO,
    "MessageID": "m1",
}


def postmark() -> Vendor:
    sent = [
        {
            "MessageID": f"m{n}",
            "To": [{"Email": f"n{n}@canary.example", "Name": "Eve Canary"}],
            "Cc": [],
            "Bcc": [],
            "Recipients": [f"n{n}@canary.example"],
            "From": '"Shop" <shop@ours.example>',
            "Subject": "Your receipt",
            "Status": "Sent",
            "Metadata": {"order": "7", "contact": f"backup{n}@canary.example"},
        }
        for n in range(501)  # more than a page
    ]
    received = {
        "MessageID": "i1",
        "From": "eve@canary.example",
        "FromFull": {"Email": "eve@canary.example", "Name": "Eve"},
    }
    bounce = {"ID": 1, "Email": "eve@canary.example", "MessageID": "m1", "Details": "unknown", "Type": "HardBounce"}
    webhook = {"ID": 1, "Url": "https://hooks.zapier.com/hooks/canary", "HttpAuth": {"Username": "u", "Password": "p"}}
    suppressed = {"EmailAddress": "eve@canary.example", "SuppressionReason": "HardBounce", "Origin": "Recipient"}

    def streams(asked: Mapping[str, str]) -> object:
        name = {"Transactional": "outbound", "Broadcasts": "news"}[asked["MessageStreamType"]]
        return {"MessageStreams": [{"ID": name, "Name": name}], "TotalCount": 1}

    return Vendor(
        ("X-Postmark-Server-Token", "secret"),
        {
            "/server": one(ID=1, Name="shop", ApiTokens=["canary"], InboundHookUrl="", ClickHookUrl=""),
            "/messages/outbound": by_offset("Messages", sent),
            "/messages/inbound": by_offset("InboundMessages", [received]),
            "/messages/outbound/opens": by_offset("Opens", [OPENED]),
            "/messages/outbound/clicks": by_offset("Clicks", [{**OPENED, "OriginalLink": "https://ours.example/"}]),
            "/bounces": by_offset("Bounces", [bounce]),
            "/message-streams": streams,
            "/message-streams/outbound/suppressions/dump": one(Suppressions=[suppressed]),
            "/message-streams/news/suppressions/dump": one(Suppressions=[suppressed]),
            "/webhooks": one(Webhooks=[webhook]),
        },
    )


def digitalocean() -> Vendor:
    def droplets(asked: Mapping[str, str]) -> object:
        page = int(asked.get("page", "1"))
        link = {"pages": {"next": f"{vendor.address}/v2/droplets?page=2&per_page=1"}} if page == 1 else {}
        return {"droplets": [{"id": page, "name": f"web{page}", "region": {"slug": "tor1"}}], "links": link}

    person = {"uuid": "a1", "email": "eve@canary.example", "name": "Eve Canary", "status": "active"}
    logs = {"sink_id": "s1", "sink_type": "rsyslog", "config": {"server": "logs1.papertrailapp.com", "port": 514}}
    alert = {"uuid": "p1", "alerts": {"email": ["eve@canary.example"], "slack": [{"url": "https://hooks.slack.com/x"}]}}
    vendor = _WithAddress(
        ("Authorization", "Bearer secret"),
        {
            "/v2/account": one(account=person),
            "/v2/projects": one(projects=[{"id": "p", "name": "shop"}], links={}),
            "/v2/droplets": droplets,
            "/v2/volumes": one(volumes=[{"id": "v", "droplet_ids": [1]}]),
            "/v2/snapshots": one(snapshots=[]),
            "/v2/databases": one(databases=[{"id": "d1", "name": "pg", "connection": {"password": "canary"}}]),
            "/v2/databases/d1/users": one(users=[{"name": "eve", "role": "normal", "password": "canary"}]),
            "/v2/databases/d1/logsink": one(sinks=[logs]),
            "/v2/domains": one(domains=[{"name": "ours.example", "ttl": 1800}]),
            "/v2/domains/ours.example/records": one(domain_records=[{"id": 1, "type": "A", "data": "192.0.2.1"}]),
            "/v2/account/keys": one(ssh_keys=[{"id": 1, "name": "eve", "public_key": "ssh-ed25519 AAAA canary"}]),
            "/v2/monitoring/alerts": one(policies=[alert]),
        },
    )
    return vendor


@dataclass
class _WithAddress(Vendor):
    address: str = ""


def ovh() -> Vendor:
    person = {
        "nichandle": "ec1-ovh",
        "firstname": "Eve",
        "name": "Canary",
        "email": "eve@canary.example",
        "phone": "+1.5145550100",
        "country": "CA",
        "birthDay": "1990-01-01",
        "nationalIdentificationNumber": None,
    }
    return Vendor(
        ("Authorization", "Bearer secret"),
        {
            "/v1/me": one(**person),
            "/v1/me/identity/user": lambda _: ["eve"],
            "/v1/me/identity/user/eve": one(login="eve", email="eve@canary.example", group="ADMIN", description="Eve"),
            "/v1/dedicated/server": lambda _: ["ns1.ip-192-0-2.net", "ns2.ip-192-0-2.net"],
            "/v1/dedicated/server/ns1.ip-192-0-2.net": one(name="ns1.ip-192-0-2.net", datacenter="bhs5"),
            "/v1/dedicated/server/ns2.ip-192-0-2.net": one(name="ns2.ip-192-0-2.net", datacenter="bhs6"),
            "/v1/vps": lambda _: [],
            "/v1/cloud/project": lambda _: ["p1"],
            "/v1/cloud/project/p1": one(project_id="p1", projectName="shop", status="ok"),
        },
        token=("/auth/oauth2/token", "client_secret=secret"),
    )


def quickbooks() -> Vendor:
    person = {
        "Id": "1",
        "DisplayName": "Eve Canary",
        "GivenName": "Eve",
        "FamilyName": "Canary",
        "PrimaryEmailAddr": {"Address": "eve@canary.example"},
        "PrimaryPhone": {"FreeFormNumber": "(514) 555-0100"},
        "BillAddr": {"Line1": "1 rue Canary", "City": "Montréal", "PostalCode": "H0H 0H0"},
    }
    owed = {
        "Id": "7",
        "CustomerRef": {"value": "1", "name": "Eve Canary"},
        "BillEmail": {"Address": "eve@canary.example"},
    }
    held = {"Customer": [person], "Vendor": [person], "Employee": [{**person, "SSN": "XXX-XX-0000"}], "Invoice": [owed]}

    def query(asked: Mapping[str, str]) -> object:
        words = asked["query"].split()
        assert (words[:3], words[4:]) == (["select", "*", "from"], ["maxresults", "1000"])
        assert asked["minorversion"] == "75"
        found = {words[3]: held[words[3]], "startPosition": 1} if words[3] in held else {}
        return {"QueryResponse": found, "time": "2026-01-01T00:00:00-08:00"}

    return Vendor(
        ("Authorization", "Bearer secret"),
        {"/v3/company/1/companyinfo/1": one(CompanyInfo={"CompanyName": "Ours"}), "/v3/company/1/query": query},
    )


VENDORS = {"postmark": postmark, "digitalocean": digitalocean, "ovh": ovh, "quickbooks": quickbooks}


# --- scanned ----------------------------------------------------------------------------------------------


@pytest.fixture
def scan(serve, monkeypatch, small_detection) -> Callable[..., list]:
    def run(vendor: Vendor, name: str, detection=small_detection) -> list:
        monkeypatch.setenv("VENDOR_SECRET", "secret")
        connector, address = connectors()[name], serve(vendor)
        if isinstance(vendor, _WithAddress):
            vendor.address = address
        settings = VendorScanner.settings_type.model_validate(
            {
                "name": "tried",
                "type": name,
                "account": "1",
                "variables": dict.fromkeys(connector.variables, "ca"),
                "base_url": address + urlsplit(connector.base_url).path.replace("{account}", "1"),
                "credentials": {
                    each: {"env": "VENDOR_SECRET"}
                    for each in ("server_token", "api_token", "access_token", "client_id", "client_secret")
                },
            }
        )
        return list(VendorScanner(settings).scan(ScanContext(detection)))

    return run


def of(kind: type, seen: list) -> list:
    return [each for each in seen if isinstance(each, kind)]


@pytest.mark.parametrize("name", VENDORS)
def test_an_account_is_scanned_as_the_documentation_has_it(scan, name: str):
    vendor = VENDORS[name]()
    seen = scan(vendor, name)
    assert [each.message for each in of(Finding, seen)] == []
    assert [each.name for each in of(DatasetSeen, seen)] == [each.name for each in connectors()[name].resources]
    assert {path for path, _ in vendor.asked} == set(vendor.answers)
    assert "canary" not in repr(seen).lower()


@pytest.mark.parametrize("name", VENDORS)
def test_what_the_records_hold_is_where_the_connector_says(scan, name: str):
    """Addresses are found where the connector has them, and there alone."""
    from scanners.detection import ColumnDetector

    found = of(FieldClassified, scan(VENDORS[name](), name, ColumnDetector()))
    by_both, by_value = set(), set()
    for each in found:
        if each.category == "user.contact.email":
            signals = {reason.signal.partition(":")[0] for reason in each.evidence}
            if "value" in signals:
                (by_both if "connector" in signals else by_value).add(each.field.partition("//1/")[2])
    assert by_both
    assert by_value <= {"outbound_messages#Metadata/contact"}


@pytest.mark.parametrize("name", VENDORS)
def test_another_key_is_refused(scan, name: str):
    vendor = VENDORS[name]()
    vendor.header = (vendor.header[0], "another")
    with pytest.raises(SourceError, match="the credentials are refused"):
        scan(vendor, name)


def test_what_is_technical_at_one_place_may_be_a_persons_at_another(scan):
    from scanners.detection import ColumnDetector

    found = {
        (each.field, each.category) for each in of(FieldClassified, scan(postmark(), "postmark", ColumnDetector()))
    }
    assert ("postmark://1/outbound_messages#To/-/Name", "user.name") in found
    assert {category for field, category in found if "opens#Client" in field} == {"user.device"}


def test_all_pages_are_read(scan):
    rows = {each.name: each.row_estimate for each in of(DatasetSeen, scan(postmark(), "postmark"))}
    assert (rows["outbound_messages"], rows["bounces"]) == (501, 1)
    rows = {each.name: each.row_estimate for each in of(DatasetSeen, scan(digitalocean(), "digitalocean"))}
    assert rows["droplets"] == 2


def test_where_they_send_data_on_to(scan):
    def onward(name: str) -> set[str]:
        return {each.processor for each in of(DisclosureSeen, scan(VENDORS[name](), name))} - {name}

    assert onward("postmark") == {"zapier"}
    assert onward("digitalocean") >= {"slack"}
    assert len(onward("digitalocean")) == 2  # and whoever runs Papertrail


def test_one_record_of_each_name_is_read(scan):
    seen = scan(ovh(), "ovh")
    assert {each.field for each in of(FieldProfiled, seen)} >= {"ovh://1/servers#datacenter", "ovh://1/users#email"}
    evidence = {each.source: each.evidence for each in of(DisclosureSeen, seen)}
    assert evidence["ovh://1/servers"].startswith("2 records")
