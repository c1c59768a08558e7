"""The OpenSearch scanner on a real node: mappings, samples, like-named indices, and what goes wrong."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import httpx
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
from scanners.databases.opensearch import OpenSearchScanner, OpenSearchSettings, _expanded


@pytest.fixture
def node(opensearch_node):
    """A client of the node; its indices are gone after the test."""
    with httpx.Client(base_url=f"http://127.0.0.1:{opensearch_node}", timeout=60) as client:
        yield client
        for index in client.get("/_cat/indices?format=json&h=index&expand_wildcards=all").json():
            client.delete("/" + index["index"])


@pytest.fixture
def settings(opensearch_node):
    url = f"http://127.0.0.1:{opensearch_node}"
    return OpenSearchSettings(type="opensearch", name="search", url=url, allow_http=True)


def fill(node, index, documents):
    lines = "".join(f'{{"index":{{}}}}\n{json.dumps(document)}\n' for document in documents)
    answer = node.post(
        f"/{index}/_bulk?refresh=true", content=lines, headers={"Content-Type": "application/x-ndjson"}
    ).json()
    assert not answer["errors"]


def said(settings, detection, **context):
    return list(OpenSearchScanner(settings).scan(ScanContext(detection, **context)))


def of(kind, observations):
    return [each for each in observations if isinstance(each, kind)]


def test_says_indices_mappings_fields_and_categories(node, settings):
    from scanners.detection import ColumnDetector

    properties = {
        "email": {"type": "keyword"},
        "address": {"properties": {"city": {"type": "text"}}},
        "orders": {"type": "nested", "properties": {"mail": {"type": "keyword"}}},
    }
    mappings = {"_meta": {"description": "those who buy"}, "properties": properties}
    node.put("/people", json={"mappings": mappings}).raise_for_status()
    fill(
        node,
        "people",
        ({"email": f"p{n}@canary.example", "orders": [{"mail": f"o{n}@canary.example"}]} for n in range(60)),
    )
    seen = said(settings, ColumnDetector())

    assert isinstance(seen[0], SystemSeen)
    assert seen[0].version.startswith("2.")
    assert {(each.safeguard, each.present) for each in of(SafeguardSeen, seen)} == {
        ("encryption_in_transit", False),
        ("private_access", False),
    }
    (dataset,) = of(DatasetSeen, seen)
    assert (dataset.name, dataset.description, dataset.row_estimate) == ("people", "those who buy", 60)
    fields = {each.name: each for each in of(FieldSeen, seen)}
    assert fields["email"].type == "keyword"
    assert fields["address/city"].type == "text"  # in the mapping, and in none of the documents
    assert fields["_id"].primary_key
    found = {each.field.rpartition("#")[2]: each.category for each in of(FieldClassified, seen)}
    assert found["email"] == found["orders/-/mail"] == "user.contact.email"
    assert [(each.principal, each.kind.value) for each in of(AccessSeen, seen)] == [("everyone", "public")]
    assert not of(Finding, seen)
    assert seen[-1] == Covered(f"opensearch://127.0.0.1:{settings.url.rpartition(':')[2]}", Aspect.LISTING)
    assert "canary.example" not in repr(seen)


def test_indices_by_date_are_one_dataset_and_the_clusters_own_are_none(node, settings, small_detection):
    for day in range(1, 8):
        fill(node, f"logs-2026.01.0{day}", [{"user.mail": f"d{day}@canary.example"}])
    fill(node, ".hidden", [{"a": 1}])
    seen = said(settings, small_detection)
    (dataset,) = of(DatasetSeen, seen)
    assert (dataset.name, dataset.row_estimate) == ("logs-{date}", 7)
    assert "user/mail" in {each.name for each in of(FieldSeen, seen)}


def test_a_sample_is_bounded_and_the_same_until_something_changes(node, settings, small_detection):
    fill(node, "many", ({"n": n} for n in range(600)))
    few = settings.model_copy(update={"sampling": settings.sampling.model_copy(update={"rows": 300})})
    scanner = OpenSearchScanner(few)
    samples = []
    for _ in range(2):
        with scanner.connected() as client:
            (subject,) = scanner.listing(client, small_detection)
            samples.append([record["n"] for record in scanner.sample(client, subject)])  # type: ignore[arg-type]
    assert samples[0] == samples[1]
    assert len(set(samples[0])) == 300
    assert min(samples[0]) < 30
    assert max(samples[0]) > 570

    covered = of(Covered, said(settings, small_detection))
    tokens = {each.scope: each.token for each in covered if each.aspect is Aspect.CONTENT}
    assert all(tokens.values())
    assert not [each for each in of(Covered, said(settings, small_detection, tokens=tokens)) if "/many" in each.scope]
    fill(node, "many", [{"n": 1}])
    assert [each for each in of(Covered, said(settings, small_detection, tokens=tokens)) if "/many" in each.scope]


def contents(seen):
    return {each.scope: each.token for each in of(Covered, seen) if each.aspect is Aspect.CONTENT}


def queries(node) -> int:
    """How many the node has counted: searches, and questions for a number of documents, which read none."""
    return node.get("/_stats/search").json()["_all"]["total"]["search"]["query_total"]


def test_what_has_not_changed_is_not_read_again(node, settings, small_detection):
    for name in ("still", "moving", "mapped"):
        fill(node, name, [{"a": 1}])
    tokens = contents(said(settings, small_detection))
    before = queries(node)
    assert before >= 6  # the number of documents of each index, and a search
    assert contents(said(settings, small_detection, tokens=tokens)) == {}
    assert queries(node) - before == 3  # the numbers alone

    node.post("/moving/_update_by_query?refresh=true", json={"query": {"match_all": {}}}).raise_for_status()
    node.put("/mapped/_mapping", json={"properties": {"mail": {"type": "keyword"}}}).raise_for_status()
    read = contents(said(settings, small_detection, tokens=tokens))
    assert {urn.rpartition("/")[2] for urn in read} == {"moving", "mapped"}


def test_chunks_that_travel_say_what_a_scan_says(node, settings, small_detection, divided):
    fill(node, "people", [{"mail": "x@canary.example"}])
    scanner, context = OpenSearchScanner(settings), ScanContext(small_detection)
    assert sorted(map(repr, divided(scanner, context))) == sorted(map(repr, scanner.scan(context)))


def test_a_plan_reads_nothing(node, settings, small_detection):
    fill(node, "planned", ({"n": n} for n in range(5)))
    before = queries(node)
    (planned,) = OpenSearchScanner(settings).plan(ScanContext(small_detection))
    assert (planned.dataset, planned.rows, planned.unchanged) == ("planned", 5, False)
    assert queries(node) - before == 1  # the number of documents


ANSWERS = {
    "/": {"version": {"number": "2.19.1"}},
    "/_cat/indices": [{"index": "people", "uuid": "u", "docs.count": "1", "status": "open"}],
    "/people/_mapping": {"people": {"mappings": {}}},
    "/people/_count": {"count": 1},
    "/people/_search": {"timed_out": True, "hits": {"hits": [{"_source": {"a": 1}}]}},
    "/_plugins/_security/api/roles": {
        "all": {"index_permissions": [{"index_patterns": ["*"], "allowed_actions": ["indices_all"]}]},
        "clerks": {
            "index_permissions": [{"index_patterns": ["peop*"], "allowed_actions": ["indices:data/read/search"]}]
        },
        "writers": {"index_permissions": [{"index_patterns": ["people"], "allowed_actions": ["write"]}]},
        "others": {"index_permissions": [{"index_patterns": ["logs-*"], "allowed_actions": ["read"]}]},
    },
    "/_plugins/_security/api/rolesmapping": {"all": {"users": ["admin"]}, "clerks": {"backend_roles": ["staff"]}},
    "/_plugins/_security/api/internalusers": {
        "ann": {"backend_roles": ["staff"]},
        "bob": {"opendistro_security_roles": ["clerks"], "hash": "secret"},
        "eve": {"backend_roles": ["guests"]},
    },
    "/_security/role": {"readers": {"indices": [{"names": ["people"], "privileges": ["read"]}]}},
    "/_security/user": {"ann": {"roles": ["readers"]}, "gone": {"roles": ["readers"], "enabled": False}},
}


@pytest.fixture
def secured(certificate, monkeypatch):
    """A double, by TLS, of a cluster with a security plugin, which our node has not: it answers what manuals say."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = ANSWERS.get(urlsplit(self.path).path)
            body = json.dumps(found or {}).encode()
            self.send_response(200 if found is not None else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    monkeypatch.setenv("TEST_SEARCH_PASSWORD", "only reads")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.authority))
    yield OpenSearchSettings.model_validate(
        {
            "type": "opensearch",
            "name": "search",
            "url": f"https://127.0.0.1:{server.server_address[1]}",
            "user": "reader",
            "password": {"env": "TEST_SEARCH_PASSWORD"},
        }
    )
    server.shutdown()
    server.server_close()
    thread.join(10)


def test_says_by_tls_who_may_read_and_what_took_too_long(secured, small_detection):
    seen = said(secured, small_detection)
    assert [(each.safeguard, each.present) for each in of(SafeguardSeen, seen)] == [("encryption_in_transit", True)]
    (finding,) = of(Finding, seen)
    assert (finding.code, finding.about.rpartition("/")[2]) == ("statement-timeout", "people")
    assert contents(seen) == {}
    found = {(a.data.rpartition("/")[2], a.principal, a.kind.value, a.via) for a in of(AccessSeen, seen)}
    cluster = secured.url.removeprefix("https://")
    assert found == {
        (cluster, "role/all", "role", ""),
        (cluster, "admin", "user", "role/all"),
        ("people", "role/clerks", "role", ""),
        ("people", "ann", "user", "role/clerks"),
        ("people", "bob", "user", "role/clerks"),
        ("people", "backend_role/staff", "role", "role/clerks"),
    }
    assert "secret" not in repr(seen)


def test_says_of_elasticsearch_who_may_read(secured, small_detection):
    seen = said(secured.model_copy(update={"type": "elasticsearch"}), small_detection)
    assert {(a.data.rpartition("/")[2], a.principal, a.via) for a in of(AccessSeen, seen)} == {
        ("people", "role/readers", ""),
        ("people", "ann", "role/readers"),
    }


def test_a_closed_index_is_a_finding_and_ends_nothing(node, settings, small_detection):
    fill(node, "open", [{"a": 1}])
    fill(node, "shut", [{"a": 1}])
    node.post("/shut/_close").raise_for_status()
    seen = said(settings, small_detection)
    (finding,) = of(Finding, seen)
    assert (finding.code, finding.message) == ("closed", "search: shut: is closed (open it, or exclude it)")
    assert not [each for each in of(Covered, seen) if each.aspect is Aspect.LISTING]


def test_large_documents_are_read_in_smaller_pages(node, settings, small_detection):
    fill(node, "large", ({"text": "long words " * 25_000} for _ in range(80)))
    seen = said(settings, small_detection)
    assert not of(Finding, seen)
    assert "text" in {each.name for each in of(FieldSeen, seen)}


def test_refused_connection_is_one_error_in_our_own_words(small_detection):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = OpenSearchSettings(type="elasticsearch", name="search", url=f"http://127.0.0.1:{port}", allow_http=True)
    with pytest.raises(SourceError, match=r"^search: cannot be reached"):
        said(settings, small_detection)


def test_dotted_keys_are_nested_ones():
    assert _expanded({"a.b": 1, "a.c.d": 2, "e": 3}) == {"a": {"b": 1, "c": {"d": 2}}, "e": 3}
    assert _expanded({"a": 1, "a.b": 2}) == {"a": {"value": 1, "b": 2}}
    assert _expanded({"..": 1}) == {"..": 1}
