"""Every question of the catalogue, on both engines: a case each, and what all of them promise."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from inventory.errors import QuestionError
from inventory.graph.catalogue import Catalogue, entries
from inventory.graph.schema import EdgeFact, NodeFact, NodeRef
from inventory.graph.writer import GraphWriter, ScanRun
from inventory.model import Aspect, Covered, DatasetClassified, Evidence, ReviewState

SYSTEM = "postgres://db.test:5432"
T0, T1, T2 = (f"{SYSTEM}/shop.public.t{number}" for number in range(3))
SCAN = "scan:r1/shop"
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
DECLARED = {"provenance": "declared"}


def category(key, **properties):
    return NodeFact("Category", key, {"name": key.rpartition(".")[2], **properties})


NODES = [
    category("user"),
    category("user.contact"),
    category("user.contact.email"),
    category("user.name"),
    category("user.telemetry"),
    NodeFact("Processor", "stripe", {"name": "Stripe", "role": "processor", "head_office": "US"}),
    NodeFact("Processor", "mailer", {"name": "The mailer", "declared_as": "class"}),
    NodeFact("Purpose", "billing", {"name": "Billing"}),
    NodeFact("Safeguard", "encryption_in_transit", {"name": "Encryption in transit"}),
    NodeFact("Clause", "4.1", {"number": "4.1", "name": "Recipients", "section": "4", "kind": "recipient"}),
]
CONTACT, EMAIL, MAILER = NodeRef("Category", "user.contact"), NODES[2].ref, NodeRef("Processor", "mailer")
EDGES = [
    EdgeFact("BROADER", CONTACT, NodeRef("Category", "user")),
    EdgeFact("BROADER", EMAIL, CONTACT),
    EdgeFact("BROADER", NodeRef("Category", "user.name"), NodeRef("Category", "user")),
    EdgeFact("DISCLOSED_TO", CONTACT, MAILER, DECLARED, {"evidence": "clause 4.1"}),
    EdgeFact("FOR_PURPOSE", EMAIL, NodeRef("Purpose", "billing")),
    EdgeFact("DECLARED_IN", MAILER, NodeRef("Clause", "4.1")),
]


@pytest.fixture(scope="module", params=["embedded", pytest.param("neo4j", marks=pytest.mark.neo4j)])
def catalogue(request):
    """The catalogue of a graph with a small policy and three tables, of which one could not be read."""
    from inventory.graph.schema import migrate

    graph = request.getfixturevalue(f"_{request.param}_connection")
    while graph.write("MATCH (n) WITH n LIMIT 5000 DETACH DELETE n RETURN count(*) AS gone")[0]["gone"]:
        pass
    migrate(graph)
    estate, writer = request.getfixturevalue("shop"), GraphWriter(graph)
    writer.declare("policy", NODES, EDGES, BEGIN)
    scan = estate.scan(tables=3, unreadable={2}, readers=["analyst"])
    writer.load(ScanRun("r1", "shop", BEGIN + timedelta(hours=1)), with_records(scan))
    name = f"{T1}#name"
    writer.review(name, "user.name", ReviewState.REJECTED, "ada", BEGIN + timedelta(hours=2))
    return Catalogue(graph)


def with_records(scan):
    """The scan, which also finds that the records of T1 are telemetry."""
    for observation in scan:
        if observation == Covered(T1, Aspect.CONTENT):
            said = (Evidence("record:columns", "columns for event, who, when", 1.8),)
            yield DatasetClassified(T1, "user.telemetry", 0.9, said, "small/1")
        yield observation


def keys(rows):
    return [row["key"] for row in rows]


def ends(rows):
    return [(row["key"], row["node"].get("urn") or row["node"]["key"]) for row in rows]


#: Of each entry: its parameters, what is taken of its rows, and what that is.
CASES = {
    "all_steps": (
        {},
        lambda rows: sorted((r["source"], r["target"]) for r in rows if r["source"].endswith("#id")),
        [(f"{T0}#id", f"{T1}#id"), (f"{T1}#id", f"{T2}#id")],
    ),
    "categories": ({}, keys, ["user", "user.contact", "user.contact.email", "user.name", "user.telemetry"]),
    "categories_of_processors": (
        {"keys": ["mailer", "stripe"]},
        lambda rows: [(*end, r["provenances"], r["sources"]) for r, end in zip(rows, ends(rows), strict=True)],
        [
            ("mailer", "user.contact", ["declared"], 1),
            ("stripe", "user.contact.email", ["config"], 1),
            ("stripe", "user.name", ["config"], 1),
        ],
    ),
    "categories_found": ({}, keys, ["user.contact.email", "user.name", "user.telemetry"]),
    "category": (
        {"key": "user"},
        lambda rows: [(r["parent"], sorted(r["children"]), r["descendants"], r["fields"]) for r in rows],
        [(None, ["user.contact", "user.name", "user.telemetry"], 4, 3)],
    ),
    "children_of_categories": (
        {"keys": ["user"]},
        lambda rows: sorted(ends(rows)),
        [("user", "user.contact"), ("user", "user.name")],
    ),
    "classifications_of_datasets": (
        {"keys": [T0, T1]},
        lambda rows: [(r["key"], r["category"], r["edge"]["state"]) for r in rows],
        [(T1, "user.telemetry", "suggested")],
    ),
    "classifications_of_fields": (
        {"keys": [f"{T0}#payload/email", f"{T1}#name"]},
        lambda rows: [(r["key"], r["category"], r["edge"]["state"]) for r in rows],
        [(f"{T0}#payload/email", "user.contact.email", "suggested"), (f"{T1}#name", "user.name", "rejected")],
    ),
    "classified_fields": (
        {},
        lambda rows: sorted((r["key"], r["category"], r["state"]) for r in rows)[:2],
        [(f"{T0}#name", "user.name", "suggested"), (f"{T0}#payload/email", "user.contact.email", "suggested")],
    ),
    "clauses": ({"section": "4"}, keys, ["4.1"]),
    "clauses_of": ({"label": "Processor", "keys": ["mailer", "stripe"]}, ends, [("mailer", "4.1")]),
    "counts": (
        {},
        lambda rows: {r["name"]: r["count"] for r in rows if r["name"] in ("Field", "CLASSIFIED_AS", "REFERENCES")},
        {"Field": 11, "CLASSIFIED_AS": 5, "REFERENCES": 2},
    ),
    "datasets": ({"system": SYSTEM}, keys, [T0, T1, T2]),
    "datasets_everywhere": ({}, keys, [T0, T1, T2]),
    "datasets_of_categories": (
        {"keys": ["user", "user.contact"]},
        lambda rows: [
            (*end, r["edge"]["category"], r["edge"]["provenance"]) for r, end in zip(rows, ends(rows), strict=True)
        ],
        [("user", T1, "user.telemetry", "name")],
    ),
    "datasets_of_systems": ({"keys": [SYSTEM], "limit": 2}, ends, [(SYSTEM, T0), (SYSTEM, T1)]),
    "declared_in_clauses": (
        {"keys": ["4.1"]},
        lambda rows: [(r["label"], *ends([r])[0]) for r in rows],
        [("Processor", "4.1", "mailer")],
    ),
    "disclosures_of": (
        {"keys": [T0, T1]},
        lambda rows: [(r["key"], r["processor"]) for r in rows],
        [(T0, "stripe")],
    ),
    "disclosures_to_processors": (
        {"keys": ["mailer", "stripe"]},
        lambda rows: [(r["key"], r["label"], r["edge"]["provenance"]) for r in rows],
        [("mailer", "Category", "declared"), ("stripe", "Dataset", "config")],
    ),
    "field_flows": (
        {},
        lambda rows: sorted((r["source"], r["target"]) for r in rows if r["source"].endswith("#id")),
        [(f"{T0}#id", f"{T1}#id"), (f"{T1}#id", f"{T2}#id")],
    ),
    "fields": ({"dataset": T0}, keys, [f"{T0}#id", f"{T0}#payload", f"{T0}#payload/email", f"{T0}#name"]),
    "fields_of_categories": (
        {"keys": ["user.contact"]},
        lambda rows: sorted(ends(rows)),
        [("user.contact", f"{T0}#payload/email"), ("user.contact", f"{T1}#payload/email")],
    ),
    "fields_of_datasets": ({"keys": [T1, T0], "limit": 1}, ends, [(T0, f"{T0}#id"), (T1, f"{T1}#id")]),
    "fields_to_compare": (
        {"keys": [f"{T0}#name", f"{T0}#id", "postgres://no.such/a.b.c#d"]},
        lambda rows: [(r["key"], r["name"], r["primary_key"], r["dataset_kind"], r["system_kind"]) for r in rows],
        [(f"{T0}#id", "id", True, "table", "database"), (f"{T0}#name", "name", False, "table", "database")],
    ),
    "fields_where": ({"category": "user.name", "dataset": T0}, keys, [f"{T0}#name"]),
    "findings": ({"about": T2}, lambda rows: [(r["node"]["code"], r["scan"]) for r in rows], [("no-permission", SCAN)]),
    "findings_of_scans": ({"keys": [SCAN]}, lambda rows: [(r["key"], r["node"]["about"]) for r in rows], [(SCAN, T2)]),
    "findings_of_systems": (
        {"keys": [SYSTEM]},
        lambda rows: [(r["key"], r["node"]["about"]) for r in rows],
        [(SYSTEM, T2)],
    ),
    "flows": (
        {"source": f"{T0}#id", "target": T2},
        lambda rows: [[node["key"] for node in r["nodes"]] for r in rows],
        [[f"{T0}#id", f"{T1}#id", f"{T2}#id"]],
    ),
    "flows_from": ({"keys": [f"{T0}#id"]}, ends, [(f"{T0}#id", f"{T1}#id")]),
    "flows_into": ({"keys": [f"{T1}#id"]}, ends, [(f"{T1}#id", f"{T0}#id")]),
    "jobs": ({}, lambda rows: [r["dataset"] for r in rows], [T1, T2]),
    "jobs_of_datasets": ({"keys": [T0, T1]}, ends, [(T1, f"job:{SYSTEM}/v1")]),
    "node": (
        {"label": "Dataset", "key": T0},
        lambda rows: [(r["label"], r["node"]["kind"], r["history"]) for r in rows],
        [("Dataset", "table", 0)],
    ),
    "nodes": ({"label": "Dataset", "keys": [T1, T0, "no such"]}, keys, [T0, T1]),
    "processor": (
        {"key": "stripe"},
        lambda rows: [(r["node"]["name"], r["disclosures"]) for r in rows],
        [("Stripe", 1)],
    ),
    "leaving": (
        {"country": "CA"},
        lambda rows: [(r["key"], r["leaving"], r["outside"]) for r in rows],
        [("mailer", "unknown", []), ("stripe", "possible", [])],
    ),
    "orphans": ({}, keys, []),
    "places": ({"category": "user.contact"}, keys, [f"{T0}#payload/email", f"{T1}#payload/email"]),
    "processors": (
        {},
        lambda rows: [(r["key"], r["standing"], r["covered_by"]) for r in rows],
        [("mailer", "unseen", []), ("stripe", "undeclared", [])],
    ),
    "purposes_of_categories": ({"keys": ["user.contact.email"]}, ends, [("user.contact.email", "billing")]),
    "references_to": (
        {"keys": [T0]},
        lambda rows: [(r["key"], r["source"]) for r in rows],
        [(T0, f"{T1}#id")],
    ),
    "regions_of": (
        {"keys": [T0, f"{T0}#name", "stripe"]},
        lambda rows: [(r["key"], r["regions"]) for r in rows],
        [(T0, ["CA-QC"]), (f"{T0}#name", ["CA-QC"]), ("stripe", ["US"])],
    ),
    "steps_from": (
        {"keys": [f"{T0}#id", T0]},
        lambda rows: [(r["key"], r["target"], r["type"], r["coarse"]) for r in rows],
        [
            (T0, "stripe", "DISCLOSED_TO", False),
            (f"{T0}#id", f"{T1}#id", "FLOWS_TO", False),
            (f"{T0}#id", "stripe", "DISCLOSED_TO", False),
        ],
    ),
    "steps_into": (
        {"keys": [f"{T1}#id", "stripe"]},
        lambda rows: [(r["key"], r["source"], r["type"], r["coarse"]) for r in rows],
        [
            (f"{T1}#id", f"{T0}#id", "FLOWS_TO", False),
            ("stripe", T0, "DISCLOSED_TO", False),
            ("stripe", f"{T0}#name", "DISCLOSED_TO", False),
            ("stripe", f"{T0}#payload/email", "DISCLOSED_TO", False),
        ],
    ),
    "readers_of_datasets": (
        {"keys": [T0, T1]},
        lambda rows: [(r["key"], r["source"], r["node"]["name"], r["edge"]["privilege"]) for r in rows],
        [
            (T0, T0, "analyst", "SELECT"),
            (T0, SYSTEM, "postgres", "SUPERUSER"),
            (T0, f"{T0}#name", "support", "SELECT"),
            (T1, SYSTEM, "postgres", "SUPERUSER"),
        ],
    ),
    "recipients_of_categories": (
        {"keys": ["user.contact.email"]},
        lambda rows: [(r["node"]["key"], len(r["disclosures"])) for r in rows],
        [("mailer", 1), ("stripe", 1)],
    ),
    "references_of_fields": ({"keys": [f"{T1}#id"]}, ends, [(f"{T1}#id", f"{T0}#id")]),
    "safeguards_of_systems": (
        {"keys": [SYSTEM]},
        lambda rows: [(r["node"]["name"], r["edge"]["present"]) for r in rows],
        [("Encryption in transit", True)],
    ),
    "reviews": (
        {},
        lambda rows: [(r["key"], r["category"], r["edge"]["state"], r["edge"]["by"]) for r in rows],
        [(f"{T1}#name", "user.name", "rejected", "ada")],
    ),
    "scans": (
        {"source": "shop"},
        lambda rows: [(r["key"], r["node"]["state"], r["systems"]) for r in rows],
        [(SCAN, "partial", [SYSTEM])],
    ),
    "scans_under_way": ({"keys": [SCAN]}, keys, [SCAN]),
    "search": (
        {"text": "Email"},
        lambda rows: [(r["label"], r["key"]) for r in rows],
        [
            ("Category", "user.contact.email"),
            ("Field", f"{T0}#payload/email"),
            ("Field", f"{T1}#payload/email"),
        ],
    ),
    "subjects_of_findings": ({"keys": []}, keys, []),
    "systems": ({}, lambda rows: [(r["key"], r["node"]["region"]) for r in rows], [(SYSTEM, "CA-QC")]),
    "systems_outside": ({"country": "US"}, keys, [SYSTEM]),
    "systems_of_scans": ({"keys": [SCAN]}, ends, [(SCAN, SYSTEM)]),
    "where_is": (
        {"category": "user"},
        lambda rows: [
            (r["key"], r["category"], r["dataset"]["urn"], r["system"]["urn"], r["confidence"]) for r in rows
        ],
        [
            (f"{T0}#name", "user.name", T0, SYSTEM, 0.7),
            (f"{T0}#payload/email", "user.contact.email", T0, SYSTEM, 0.9),
            (f"{T1}#payload/email", "user.contact.email", T1, SYSTEM, 0.9),
        ],
    ),
}
PAGED = sorted(n for n, e in entries().items() if "after" in e.parameters and "keys" not in e.parameters)
TIMED = sorted(n for n, e in entries().items() if "as_of" in e.parameters)


def test_every_entry_has_a_case():
    assert set(CASES) == set(entries())


@pytest.mark.parametrize("name", sorted(CASES))
def test_it_answers(catalogue, name):
    parameters, taken, expected = CASES[name]
    rows = catalogue.ask(name, **parameters)
    assert taken(rows) == expected
    columns = {column.removesuffix("_json") for column in entries()[name].columns}
    assert all(set(row) == columns for row in rows)


@pytest.mark.parametrize("name", TIMED)
def test_before_everything_there_was_nothing(catalogue, name):
    assert catalogue.ask(name, **CASES[name][0], as_of=BEGIN - timedelta(seconds=1)) == []


@pytest.mark.parametrize("name", PAGED)
def test_its_pages_are_the_whole(catalogue, name):
    parameters = {k: v for k, v in CASES[name][0].items() if k != "limit"}
    whole = catalogue.ask(name, **parameters)
    paged: list[dict] = []
    while page := catalogue.ask(name, **parameters, after=paged[-1]["cursor"] if paged else "", limit=1):
        assert len(page) == 1
        paged += page
    assert paged == whole


def test_the_finding_leads_to_its_dataset(catalogue):
    (finding,) = catalogue.ask("findings")
    assert ends(catalogue.ask("subjects_of_findings", keys=[finding["key"]])) == [(finding["key"], T2)]


def test_flows_reach_processors_and_begin_at_categories(catalogue):
    rows = catalogue.ask("flows", source="user.contact.email", target="stripe")
    assert [[node["key"] for node in row["nodes"]] for row in rows] == [[T0, "stripe"]]
    assert rows[0]["edges"][0]["type"] == "DISCLOSED_TO"
    assert catalogue.ask("flows", source=f"{T2}#id", target=T0) == []


def test_an_event_loop_gets_the_same_answers(catalogue):
    async def ask():
        try:
            await catalogue.check()
            return await catalogue.aask("where_is", category="user")
        finally:
            await catalogue.graph.aclose()

    assert asyncio.run(ask()) == catalogue.ask("where_is", category="user")
    assert asyncio.run(ask()) == catalogue.ask("where_is", category="user")  # another loop, another driver


def test_times_and_reasons_come_out_as_what_they_are(catalogue):
    (row, *_) = catalogue.ask("where_is", category="user.contact.email")
    assert row["edge"]["valid_from"] == BEGIN + timedelta(hours=1)
    assert row["evidence"][0] == {"signal": "value:email", "detail": "100 of 100 sampled values", "weight": 4.2}


@pytest.mark.parametrize(
    "name, parameters, says",
    [
        ("where_iz", {"category": "user"}, "where_is"),
        ("where_is", {}, "lacks category"),
        ("where_is", {"category": "user", "as_off": ""}, "no parameter as_off"),
        ("where_is", {"category": "user", "as_of": "yesterday"}, "not ISO 8601"),
    ],
)
def test_a_malformed_question_is_refused(catalogue, name, parameters, says):
    with pytest.raises(QuestionError, match=says):
        catalogue.ask(name, **parameters)
