"""The OpenSearch scanner on a real node: mappings, samples, like-named indices, and what goes wrong."""

from __future__ import annotations

import json
import socket

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
