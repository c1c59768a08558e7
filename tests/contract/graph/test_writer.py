"""Loading scans and declared facts, on both engines."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from inventory.errors import GraphError, QuestionError, SourceError
from inventory.graph.catalogue import Catalogue, moment
from inventory.graph.export import export
from inventory.graph.schema import EdgeFact, NodeFact, NodeRef
from inventory.graph.writer import GraphWriter, ScanRun
from inventory.model import (
    Aspect,
    Covered,
    DisclosureSeen,
    Evidence,
    FieldClassified,
    Finding,
    ProcessorSeen,
    Provenance,
    ReviewState,
    Severity,
)

CATEGORY = "user.contact.email"


def homes(graph, category=CATEGORY, **parameters):
    return [row["key"] for row in Catalogue(graph).ask("where_is", category=category, **parameters)]


def node(graph, label, key) -> dict:
    """What is kept of a node, ended or not; nothing when there is none."""
    found = [
        record["properties"] for record in export(graph) if (record.get("node"), record.get("key")) == (label, key)
    ]
    return found[0] if found else {}


def evidence(graph):
    """Why it is said that someone receives the category."""
    rows = Catalogue(graph).ask("recipients_of_categories", keys=[CATEGORY])
    return sorted(disclosure["edge"]["evidence"] for row in rows for disclosure in row["disclosures"])


def edges(graph, kind):
    return [record for record in export(graph) if record.get("edge") == kind]


def test_a_rescan_of_an_unchanged_source_writes_no_version(graph, estate, load):
    first = load(graph, estate.scan())
    before = [record for record in export(graph) if "Scan" not in str(record)]
    again = load(graph, estate.scan())

    assert first.complete
    assert first.counts["nodes_created"] == 1 + 4 + 16 + 3  # system, tables, fields, jobs
    assert again.complete
    assert again.versions == 0
    assert again.counts["measured"] == 0
    assert [record for record in export(graph) if "Scan" not in str(record)] == before


def test_measures_change_in_place(graph, estate, load):
    load(graph, estate.scan())
    report = load(graph, estate.scan(rows=200))
    assert report.versions == 0
    assert node(graph, "Dataset", estate.table(0))["row_estimate"] == 200
    assert node(graph, "Field", estate.column(0, "payload", "/email"))["sampled"] == 200
    (row, *_) = Catalogue(graph).ask("where_is", category=CATEGORY)
    assert row["evidence"] == [{"signal": "value:email", "detail": "200 of 200 sampled values", "weight": 4.2}]


def test_more_records_as_evidence_of_a_disclosure_make_no_new_version(graph, estate, load):
    def scan(records):
        for observation in estate.scan():
            if isinstance(observation, Covered) and observation.aspect is Aspect.STRUCTURE:
                yield DisclosureSeen(observation.scope, "mailer", Provenance.API, f"{records} records")
            yield observation

    load(graph, scan(3))
    assert load(graph, scan(4)).versions == 0
    said = [edge["properties"]["evidence"] for edge in edges(graph, "DISCLOSED_TO") if "mailer" in edge["target"]]
    assert set(said) == {"4 records"}


def test_a_changed_node_keeps_its_old_version(graph, estate, load, clock):
    load(graph, estate.scan())
    before = clock.now
    report = load(graph, estate.scan(type_of_name="varchar"))
    assert report.counts["nodes_changed"] == 4
    (version,) = [
        record["properties"]
        for record in export(graph)
        if record.get("version") and record["key"] == estate.column(0, "name")
    ]
    assert version["type"] == "text"
    assert (version["valid_from"], version["valid_to"]) == (moment(before), moment(clock.now))
    assert node(graph, "Field", estate.column(0, "name"))["type"] == "varchar"
    for entry, named in (("node", {"key": version["urn"]}), ("nodes", {"keys": [version["urn"]]})):
        for as_of, type_ in ((before, "text"), (clock.now, "varchar"), (None, "varchar")):
            (row,) = Catalogue(graph).ask(entry, label="Field", as_of=as_of, **named)
            assert row["node"]["type"] == type_


def test_a_changed_edge_ends_and_another_begins(graph, estate, load, clock):
    load(graph, estate.scan(tables=1))
    then = clock.tick()
    assert load(graph, estate.scan(tables=1, confidence=0.6)).counts["edges_changed"] == 1
    old, new = sorted(
        (e["properties"] for e in edges(graph, "CLASSIFIED_AS") if e["target"][1] == CATEGORY),
        key=lambda properties: properties["valid_from"],
    )
    assert (old["confidence"], new["confidence"]) == (0.9, 0.6)
    assert old["valid_to"] == new["valid_from"] == moment(clock.now)
    ask = Catalogue(graph).ask
    assert ask("where_is", category=CATEGORY)[0]["confidence"] == 0.6
    assert ask("where_is", category=CATEGORY, as_of=then)[0]["confidence"] == 0.9


def test_what_a_complete_listing_no_longer_names_ends_with_all_that_it_holds(graph, estate, load, clock):
    load(graph, estate.scan())
    then = clock.tick()
    report = load(graph, estate.scan(without_tables={3}))
    assert report.counts["nodes_ended"] == 1 + 4 + 1  # table, fields, job
    assert estate.column(3, "payload", "/email") not in homes(graph)
    assert estate.column(3, "payload", "/email") in homes(graph, as_of=then)
    assert node(graph, "Dataset", estate.table(3))["valid_to"] is not None
    assert {e["properties"].get("valid_to") is None for e in edges(graph, "CONTAINS") if "t3" in e["target"][1]} == {
        False
    }

    gap = clock.tick()
    report = load(graph, estate.scan())
    assert report.counts["nodes_created"] == 6
    assert estate.column(3, "payload", "/email") in homes(graph)
    assert estate.column(3, "payload", "/email") not in homes(graph, as_of=gap)
    assert estate.column(3, "payload", "/email") in homes(graph, as_of=then)


def test_a_listing_of_a_part_ends_nothing_of_another(graph, estate, load):
    """Two sources on one server, each with a database of its own."""
    load(graph, estate.scan(tables=3))
    part = Covered(f"{estate.system}/other.", Aspect.LISTING)
    assert load(graph, [*estate.scan(tables=0, listing=False), part], source="other").changes.nodes_ended == 0
    part = Covered(f"{estate.system}/shop.", Aspect.LISTING)
    assert load(graph, [*estate.scan(tables=1, listing=False), part]).changes.nodes_ended > 0


def test_an_incomplete_listing_ends_nothing(graph, estate, load):
    load(graph, estate.scan())
    report = load(graph, estate.scan(without_tables={3}, listing=False))
    assert report.state == "partial"
    assert report.counts["nodes_ended"] == 0
    assert estate.column(3, "payload", "/email") in homes(graph)


def test_a_dropped_column_ends_with_what_is_inside_it(graph, estate, load):
    load(graph, estate.scan())
    report = load(graph, estate.scan(without_payloads={1}))
    assert report.counts["nodes_ended"] == 2
    assert node(graph, "Field", estate.column(1, "payload", "/email"))["valid_to"] is not None
    assert estate.column(1, "payload", "/email") not in homes(graph)


def test_a_dropped_column_ends_even_when_the_values_could_not_be_read(graph, estate, load):
    load(graph, estate.scan())
    report = load(graph, estate.scan(without_payloads={1}, unreadable={1}))
    assert report.counts["nodes_ended"] == 2
    assert estate.column(1, "payload", "/email") not in homes(graph)


def test_a_revoked_grant_ends_and_only_where_grants_were_told(graph, estate, load):
    def readers():
        rows = Catalogue(graph).ask("readers_of_datasets", keys=[estate.table(0)])
        return [(row["node"]["name"], row["edge"].get("via")) for row in rows]

    load(graph, estate.scan(readers=["analyst", "app"]))
    assert readers() == [("analyst", None), ("app", None), ("postgres", None), ("support", "staff")]
    assert load(graph, estate.scan(readers=["analyst", "app"])).versions == 0
    assert load(graph, estate.scan()).versions == 0, "a scan that is told of no grants takes none back"
    assert load(graph, estate.scan(readers=["app"])).counts["edges_ended"] == 1
    assert readers() == [("app", None), ("postgres", None), ("support", "staff")]
    load(graph, estate.scan(without_tables={0}))
    left = "MATCH ()-[r:READABLE_BY]->() WHERE r.valid_to IS NULL RETURN count(*) AS n"
    assert graph.read(left)[0]["n"] == 1, "the system's"


def test_what_could_not_be_looked_at_keeps_what_is_known(graph, estate, load):
    load(graph, estate.scan())
    report = load(graph, estate.scan(unreadable={1}))
    assert report.state == "partial"
    assert report.counts["edges_ended"] == report.counts["nodes_ended"] == 0
    assert estate.column(1, "payload", "/email") in homes(graph)
    (found,) = Catalogue(graph).ask("findings", about=estate.table(1))
    assert found["node"]["code"] == "no-permission"

    report = load(graph, estate.scan())
    assert report.complete
    assert Catalogue(graph).ask("findings") == []


def test_a_judgement_by_name_alone_does_not_weaken_an_earlier_look(graph, estate, load):
    load(graph, estate.scan(tables=1))

    def by_name(observations):
        for observation in observations:
            if isinstance(observation, FieldClassified):
                reason = (Evidence("name:x", "called so", 1.0),)
                yield FieldClassified(observation.field, observation.category, 0.4, reason, observation.detector)
            elif observation != Covered(estate.table(0), Aspect.CONTENT):
                yield observation

    load(graph, by_name(estate.scan(tables=1)))
    assert Catalogue(graph).ask("where_is", category=CATEGORY)[0]["confidence"] == 0.9


def test_a_partial_scan_ends_the_findings_where_it_looked(graph, estate, load):
    load(graph, estate.scan(unreadable={0, 1}))
    load(graph, estate.scan(unreadable={1}))
    assert [row["node"]["about"] for row in Catalogue(graph).ask("findings")] == [estate.table(1)]


def test_a_source_that_fails_keeps_what_was_known_and_says_so(graph, estate, load):
    load(graph, estate.scan())
    finding = Finding(estate.system, "unreachable", Severity.ERROR, "shop: connection refused (is it running?)")
    report = load(graph, [finding])
    assert report.state == "failed"
    assert len(homes(graph)) == 4
    (found,) = Catalogue(graph).ask("findings", about=estate.system)
    assert found["scan"] == report.scan
    assert edges(graph, "ABOUT")[0]["target"] == ["System", estate.system]
    assert load(graph, estate.scan()).complete
    assert Catalogue(graph).ask("findings") == []


def test_a_finding_about_a_system_never_reached_makes_no_system(graph, estate, load):
    load(graph, [Finding(estate.system, "unreachable", Severity.ERROR, "shop: connection refused")])
    assert node(graph, "System", estate.system) == {}
    assert edges(graph, "ABOUT") == []
    assert len(Catalogue(graph).ask("findings", about=estate.system)) == 1


def test_a_scan_that_raises_is_kept_as_failed(graph, estate, clock):
    def broken():
        yield from list(estate.scan())[:-1]
        raise SourceError("shop", "the connection was lost")

    scan = ScanRun("r1", "shop", clock.tick())
    with pytest.raises(SourceError):
        GraphWriter(graph).load(scan, broken())
    assert node(graph, "Scan", scan.urn)["state"] == "failed"
    assert len(homes(graph)) == 4


def test_a_scan_that_was_killed_is_noted_by_the_next(graph, estate, clock, load):
    def killed():
        yield from list(estate.scan())[:10]
        raise KeyboardInterrupt

    scan = ScanRun("killed", "shop", clock.tick())
    with pytest.raises(KeyboardInterrupt):
        GraphWriter(graph).load(scan, killed())
    assert node(graph, "Scan", scan.urn)["state"] == "running"
    load(graph, estate.scan())
    assert node(graph, "Scan", scan.urn)["state"] == "interrupted"


@pytest.mark.parametrize("state", [ReviewState.CONFIRMED, ReviewState.REJECTED])
def test_a_scan_leaves_a_persons_decision(graph, estate, load, clock, state):
    field = estate.column(0, "payload", "/email")
    load(graph, estate.scan())
    GraphWriter(graph).review(field, CATEGORY, state, "ada", clock.tick())
    assert load(graph, estate.scan(confidence=0.2)).counts["edges_changed"] == 3
    (kept,) = Catalogue(graph).ask("classifications_of_fields", keys=[field])
    assert (kept["edge"]["state"], kept["edge"]["by"], kept["edge"]["confidence"]) == (state, "ada", 0.9)
    assert kept["edge"]["evidence"][0]["signal"] == "value:email"
    assert (field in homes(graph)) is (state is ReviewState.CONFIRMED)

    load(graph, estate.scan(without_payloads={0}))  # the column goes and comes back: the decision stands
    load(graph, estate.scan())
    assert [row["edge"]["state"] for row in Catalogue(graph).ask("classifications_of_fields", keys=[field])] == [state]

    GraphWriter(graph).review(field, CATEGORY, ReviewState.SUGGESTED, "ada", clock.tick())
    (back,) = Catalogue(graph).ask("classifications_of_fields", keys=[field])
    assert (back["edge"]["state"], back["edge"]["provenance"]) == (ReviewState.SUGGESTED, "value")
    assert load(graph, estate.scan()).versions == 0, "the scan finds the suggestion as it says it"
    assert [row["edge"]["state"] for row in Catalogue(graph).ask("classifications_of_fields", keys=[field])] == [
        ReviewState.SUGGESTED
    ]


def test_a_decision_on_what_is_not_there_is_refused(graph):
    with pytest.raises(QuestionError):
        GraphWriter(graph).review("x/y#z", CATEGORY, ReviewState.CONFIRMED, "ada", datetime.now(UTC))


# --- declared facts ---------------------------------------------------------------------------------------

EMAIL, CONTACT = NodeFact("Category", CATEGORY, {"name": "E-mail"}), NodeFact("Category", "user.contact", {"name": "C"})
BROADER = EdgeFact("BROADER", EMAIL.ref, CONTACT.ref)
STRIPE = NodeFact("Processor", "stripe", {"name": "Stripe", "regions": ["US", "CA"]})


def told(category, processor, evidence):
    return EdgeFact("DISCLOSED_TO", category.ref, processor.ref, {"provenance": "declared"}, {"evidence": evidence})


def test_a_scan_describes_an_organisation_until_a_document_does(graph, estate, load, clock):
    seen = [*estate.scan(), ProcessorSeen("stripe", "Stripe by a scan", regions=("US",))]
    load(graph, seen)
    found = node(graph, "Processor", "stripe")
    assert (found["name"], found["regions"]) == ("Stripe by a scan", ["US"])

    GraphWriter(graph).declare("policy", [NodeFact("Processor", "stripe", {"name": "Stripe"})], [], clock.tick())
    assert load(graph, seen).versions == 0
    assert node(graph, "Processor", "stripe")["name"] == "Stripe"

    GraphWriter(graph).declare("policy", [], [], clock.tick())
    load(graph, seen)
    assert node(graph, "Processor", "stripe")["name"] == "Stripe by a scan"


def test_a_document_ends_what_it_no_longer_says(graph, clock):
    writer = GraphWriter(graph)
    first = writer.declare("vocabulary", [EMAIL, CONTACT], [BROADER], clock.tick())
    assert (first.counts["nodes_created"], first.counts["edges_created"]) == (2, 1)
    assert writer.declare("vocabulary", [EMAIL, CONTACT], [BROADER], clock.tick()).versions == 0
    last = writer.declare("vocabulary", [CONTACT], [], clock.tick())
    assert (last.counts["nodes_ended"], last.counts["edges_ended"]) == (1, 1)
    assert [row["key"] for row in Catalogue(graph).ask("categories")] == ["user.contact"]


def test_two_documents_state_the_same_and_one_stops(graph, clock):
    writer = GraphWriter(graph)
    writer.declare("a", [CONTACT, STRIPE], [told(CONTACT, STRIPE, "a")], clock.tick())
    writer.declare("b", [CONTACT, STRIPE], [told(CONTACT, STRIPE, "b")], clock.tick())
    assert evidence(graph) == ["a", "b"]
    assert writer.declare("a", [], [], clock.tick()).counts["nodes_ended"] == 0
    assert evidence(graph) == ["b"]
    assert [row["key"] for row in Catalogue(graph).ask("processors")] == ["stripe"]
    writer.declare("b", [], [], clock.tick())
    assert Catalogue(graph).ask("processors") == []


def test_declaring_before_or_after_the_scan_gives_the_same_graph(graph, estate, load, clock, settled):
    def declare():
        facts = [EMAIL, CONTACT, STRIPE], [BROADER, told(CONTACT, STRIPE, "clause 4")]
        GraphWriter(graph).declare("policy", *facts, clock.tick())

    declare()
    load(graph, estate.scan())
    declared_first = settled(graph)
    while graph.write("MATCH (n) WHERE NOT n:Schema WITH n LIMIT 1000 DETACH DELETE n RETURN count(*) AS c")[0]["c"]:
        pass
    load(graph, estate.scan())
    declare()
    assert settled(graph) == declared_first


@pytest.mark.parametrize(
    "nodes, edges",
    [
        ([NodeFact("Unicorn", "x")], []),
        ([NodeFact("Category", "")], []),
        ([NodeFact("Dataset", "x/y")], []),
        ([NodeFact("Category", "x", {"valid_from": "1"})], []),
        ([], [EdgeFact("EATS", NodeRef("Category", "a"), NodeRef("Category", "b"))]),
        ([], [EdgeFact("CLASSIFIED_AS", NodeRef("Category", "a"), NodeRef("Field", "b"))]),
        ([], [EdgeFact("DISCLOSED_TO", NodeRef("Category", "a"), NodeRef("Processor", "b"))]),
    ],
)
def test_a_fact_that_the_schema_does_not_have_is_refused_whole(embedded_graph, nodes, edges):
    with pytest.raises(GraphError):
        GraphWriter(embedded_graph).declare("policy", [EMAIL, *nodes], edges, datetime.now(UTC))
    assert Catalogue(embedded_graph).ask("categories") == []


# --- many at once -----------------------------------------------------------------------------------------


def test_sources_load_at_once_and_share_words(graph, estate, clock, settled):
    systems = [type(estate)(f"postgres://db{number}.test:5432") for number in range(4)]
    start = threading.Barrier(len(systems))
    at = clock.tick()

    def run(number):
        start.wait()
        scan = ScanRun("together", f"shop{number}", at)
        return GraphWriter(graph).load(scan, systems[number].scan(tables=6))

    with ThreadPoolExecutor(len(systems)) as threads:
        reports = list(threads.map(run, range(len(systems))))
    assert all(report.complete for report in reports)
    assert len(homes(graph)) == 24
    together = settled(graph)
    while graph.write("MATCH (n) WHERE NOT n:Schema WITH n LIMIT 1000 DETACH DELETE n RETURN count(*) AS c")[0]["c"]:
        pass
    for number, system in enumerate(systems):
        GraphWriter(graph).load(ScanRun("apart", f"shop{number}", at), system.scan(tables=6))
    assert settled(graph) == together


def test_a_partial_scan_of_a_part_ends_the_findings_of_what_is_gone_there(embedded_graph, estate, load):
    part = Covered(f"{estate.system}/shop.", Aspect.LISTING)
    gone = Finding(estate.table(9), "truncated", Severity.ERROR, "t9: cut off")
    other = Finding(f"{estate.system}/other.public.x", "truncated", Severity.ERROR, "x: cut off")
    load(embedded_graph, [*estate.scan(tables=1, listing=False), part, gone, other])
    load(embedded_graph, [*estate.scan(tables=1, listing=False, unreadable={0}), part])
    left = [row["node"]["about"] for row in Catalogue(embedded_graph).ask("findings")]
    assert sorted(left) == sorted([other.about, estate.table(0)])
