"""The BigQuery scanner: Google's own client over HTTP against a small double of its REST API (no BigQuery is here).

The double answers what the API's reference says: datasets.list/get, tables.list/get, tabledata.list, and OAuth tokens.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from inventory.errors import ConfigError, SourceError
from inventory.model import (
    AccessSeen,
    Aspect,
    Covered,
    DatasetKind,
    DatasetSeen,
    FieldClassified,
    FieldReferences,
    FieldSeen,
    Finding,
    JobSeen,
    SafeguardSeen,
)
from scanners.base import Sampling, ScanContext
from scanners.databases.bigquery import BigQueryScanner, BigQuerySettings

pytest.importorskip("google.cloud.bigquery")

CANARY = "canary.jeanne@courriel.ca"


def table(name, kind="TABLE", rows=0, fields=(), **more):
    reference = {"projectId": "proj", "datasetId": "crm", "tableId": name}
    return {
        "tableReference": reference,
        "type": kind,
        "etag": f"etag-{name}",
        "numRows": str(rows),
        "numBytes": str(rows * 100),
        "lastModifiedTime": "1767225600000",
        "schema": {"fields": list(fields)},
        **more,
    }


class Double:
    """What the API would answer, and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.refused: dict[str, int] = {}  # by the end of a path, the status
        self.slow = ""  # the end of a path that is not answered until `over`
        self.over = threading.Event()
        self.rows = {"users": [self.user(i) for i in range(20)], "big": [[{"v": f"u{i}@b.ca"}] for i in range(5000)]}
        mail = {"name": "mail", "type": "STRING", "mode": "NULLABLE"}
        who = {"name": "who", "type": "RECORD", "mode": "REPEATED", "fields": [mail]}
        self.tables = {
            "users": table(
                "users",
                rows=20,
                description=f"people; ask {CANARY}",
                fields=[{"name": "id", "type": "INTEGER", "mode": "REQUIRED"}, mail, who],
                tableConstraints={"primaryKey": {"columns": ["id"]}},
            ),
            "big": table("big", rows=5000, fields=[mail]),
            "orders": table(
                "orders",
                fields=[
                    {"name": "buyer", "type": "INTEGER"},
                    {"name": "by", "type": "INTEGER", "description": "FK → users.id"},
                ],
                tableConstraints={
                    "foreignKeys": [
                        {
                            "name": "buyer",
                            "referencedTable": {"projectId": "proj", "datasetId": "crm", "tableId": "users"},
                            "columnReferences": [{"referencingColumn": "buyer", "referencedColumn": "id"}],
                        }
                    ]
                },
            ),
            "mails": table(
                "mails",
                "VIEW",
                fields=[mail],
                view={"query": f"SELECT mail FROM `proj.crm.users` WHERE mail <> '{CANARY}'", "useLegacySql": False},
            ),
        }

    @staticmethod
    def user(number):
        return [{"v": str(number)}, {"v": f"u{number}@b.ca"}, {"v": [{"v": {"f": [{"v": CANARY}]}}]}]

    def answer(self, path: str, query: dict[str, list[str]]) -> tuple[int, Any]:
        self.asked.append(path)
        if self.slow and path.endswith(self.slow):
            self.over.wait(20)
        for end, status in self.refused.items():
            if path.endswith(end):
                return status, {"error": {"code": status, "message": f"no {CANARY}", "errors": [{"reason": "x"}]}}
        if path == "/token":
            return 200, {"access_token": "t", "expires_in": 3600, "token_type": "Bearer"}
        parts = path.removeprefix("/bigquery/v2/projects/proj/").split("/")
        match parts:
            case ["datasets"]:
                return 200, {"datasets": [{"datasetReference": {"projectId": "proj", "datasetId": "crm"}}]}
            case ["datasets", "crm"]:
                return 200, {"datasetReference": {"projectId": "proj", "datasetId": "crm"}, "access": ACCESS}
            case ["datasets", "crm", "tables"]:
                return 200, {"tables": [{"tableReference": one["tableReference"]} for one in self.tables.values()]}
            case ["datasets", "crm", "tables", name]:
                return 200, self.tables[name]
            case ["datasets", "crm", "tables", name, "data"]:
                start, most = int(query.get("startIndex", ["0"])[0]), int(query["maxResults"][0])
                rows = self.rows.get(name, [])[start : start + most]
                return 200, {"totalRows": str(len(rows)), "rows": [{"f": row} for row in rows]}
        return 404, {"error": {"code": 404, "message": "none"}}


ACCESS = [
    {"role": "OWNER", "specialGroup": "projectOwners"},
    {"role": "READER", "userByEmail": "jeanne.tremblay@courriel.ca"},
    {"role": "READER", "groupByEmail": "analysts@courriel.ca"},
    {"role": "WRITER", "userByEmail": "etl@proj.iam.gserviceaccount.com"},
    {"role": "READER", "specialGroup": "allAuthenticatedUsers"},
    {"view": {"projectId": "proj", "datasetId": "x", "tableId": "y"}},
]


@pytest.fixture
def double() -> Iterator[tuple[Double, str]]:
    told = Double()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            url = urlsplit(self.path)
            status, body = told.answer(url.path, parse_qs(url.query))
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_GET

        def log_message(self, format, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield told, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="session")
def account_key() -> str:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@pytest.fixture
def settings(double, account_key, monkeypatch):
    key = {
        "type": "service_account",
        "client_email": "scanner@proj.iam.gserviceaccount.com",
        "private_key": account_key,
        "token_uri": f"{double[1]}/token",
    }
    monkeypatch.setenv("TEST_BQ_KEY", json.dumps(key))
    return BigQuerySettings.model_validate(
        {"name": "bq", "project": "proj", "credentials": {"env": "TEST_BQ_KEY"}, "endpoint": double[1]}
    )


def scan(settings, detection, **context):
    return list(BigQueryScanner(settings).scan(ScanContext(detection, **context)))


def of(kind, said):
    return [one for one in said if isinstance(one, kind)]


def test_the_whole_of_a_project(double, settings, small_detection):
    said = scan(settings, small_detection)
    assert of(Finding, said) == []
    assert said[-1] == Covered("bigquery/proj.", Aspect.LISTING)
    datasets = {one.name: one for one in of(DatasetSeen, said)}
    assert {name: (one.kind, one.row_estimate) for name, one in datasets.items()} == {
        "proj.crm.users": (DatasetKind.TABLE, 20),
        "proj.crm.big": (DatasetKind.TABLE, 5000),
        "proj.crm.orders": (DatasetKind.TABLE, 0),
        "proj.crm.mails": (DatasetKind.VIEW, None),
    }
    assert datasets["proj.crm.users"].description == "people; ask ‹email›"
    fields = {one.urn.removeprefix("bigquery/proj.crm."): one for one in of(FieldSeen, said)}
    assert (fields["users#id"].primary_key, fields["users#id"].nullable) == (True, False)
    assert fields["users#who"].type == "ARRAY<STRUCT<mail STRING>>"
    assert {one.field.removeprefix("bigquery/proj.crm.") for one in of(FieldClassified, said)} == {
        "users#mail",
        "users#who",
        "big#mail",
    }
    assert {(one.source.rpartition("#")[2], one.provenance.value) for one in of(FieldReferences, said)} == {
        ("buyer", "constraint"),
        ("by", "comment"),
    }
    (job,) = of(JobSeen, said)
    assert "crm" in job.statement
    assert CANARY not in repr(said)
    assert [one.present for one in of(SafeguardSeen, said)] == [False]  # this endpoint has no TLS
    assert not [path for path in double[0].asked if "queries" in path or "jobs" in path]


def test_who_may_read(settings, small_detection):
    readers = {
        (one.principal, one.kind.value, one.privilege) for one in of(AccessSeen, scan(settings, small_detection))
    }
    persons = {one for one in readers if one[0].startswith("user:")}
    assert readers - persons == {
        ("projectOwners", "role", "OWNER"),
        ("group:analysts", "role", "READER"),
        ("serviceAccount:etl of proj", "user", "WRITER"),
        ("allAuthenticatedUsers", "public", "READER"),
    }
    assert len(persons) == 1
    assert "jeanne" not in repr(persons)


def test_a_large_table_is_read_at_several_places(double, settings, small_detection):
    scan(settings.model_copy(update={"sampling": Sampling(rows=80)}), small_detection)
    assert sum(path.endswith("/big/data") for path in double[0].asked) == 8


def test_unchanged_tables_are_not_read_again(double, settings, small_detection):
    first = scan(settings, small_detection)
    tokens = {one.scope: one.token for one in of(Covered, first) if one.aspect is Aspect.CONTENT}
    double[0].tables["big"]["etag"] = "another"
    double[0].asked.clear()
    scan(settings, small_detection, tokens=tokens)
    assert {path.split("/")[-2] for path in double[0].asked if path.endswith("/data")} == {"big"}


def test_no_permission_on_one_table_and_one_dropped(double, settings, small_detection):
    double[0].refused = {"/users/data": 403, "/big/data": 404}
    said = scan(settings, small_detection)
    assert {(one.about.rpartition(".")[2], one.code) for one in of(Finding, said)} == {
        ("users", "no-permission"),
        ("big", "changed"),
    }
    assert CANARY not in repr(said)


def test_reading_that_takes_too_long_is_a_finding(double, settings, small_detection):
    double[0].slow = "/users/data"
    said = scan(settings.model_copy(update={"statement_timeout": 0.3}), small_detection)
    double[0].over.set()
    (finding,) = of(Finding, said)
    assert (finding.about.rpartition(".")[2], finding.code) == ("users", "statement-timeout")
    assert {one.scope.rpartition(".")[2] for one in of(Covered, said) if one.aspect is Aspect.CONTENT} >= {"big"}


def test_a_plan_reads_no_rows(double, settings, small_detection):
    planned = {one.dataset: one.rows for one in BigQueryScanner(settings).plan(ScanContext(small_detection))}
    assert planned["proj.crm.users"] == 20
    assert not [path for path in double[0].asked if path.endswith("/data")]


def test_what_ends_a_scan_is_one_error(double, settings, small_detection, monkeypatch):
    double[0].refused = {"/datasets": 401}
    with pytest.raises(SourceError, match="bq: the credentials are wrong or have expired"):
        scan(settings, small_detection)
    double[0].refused = {"/token": 400}
    with pytest.raises(SourceError, match="bq: the credentials are wrong or have expired"):
        scan(settings, small_detection)
    monkeypatch.setenv("TEST_BQ_KEY", '{"private_key": "s3cret"}')
    with pytest.raises(ConfigError, match="hold no service account's key") as raised:
        scan(settings, small_detection)
    assert "s3cret" not in repr((raised.value, raised.value.__context__))
