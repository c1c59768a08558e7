"""What the road finds of the estate, against the estate's truth; and what a second scan of it writes."""

from __future__ import annotations

from pathlib import Path

import pytest

GOLDEN = Path(__file__).parents[2] / "golden" / "estate_findings.txt"
README = Path(__file__).parents[3] / "README.md"


def test_the_scan_is_complete(scanned):
    _, said = scanned
    assert {source["source"]: source["complete"] for source in said} == {
        "control-plane": True,
        "object-store": True,
        "payments": True,
        "domain": True,
        "code": True,
    }


def test_findings_agree_with_the_golden_file(scanned, graph_of, figure):
    """Every reviewed pair of field and category is found; precision and recall are printed at the end of the run."""
    from inventory.model import FieldClassified
    from seed.estate.score import score
    from seed.estate.truth import truth

    rows = graph_of(scanned[0]).ask("where_is", category="user", limit=10_000)
    observed = [FieldClassified(row["key"], row["category"], row["confidence"], (), "") for row in rows]
    result = score(observed, truth())
    figure(f"estate, categories: {result.categories}")
    figure(f"estate, personal or not: {result.personal}")
    print("\n".join(result.mistakes))
    assert result.categories.precision >= 0.95
    assert result.categories.recall >= 0.95
    assert result.personal.precision >= 0.97
    assert result.personal.recall >= 0.97
    found = {(row["dataset"]["urn"], row["field"]["name"], row["category"]) for row in rows if row["confidence"] >= 0.5}
    golden = [line.split(" | ") for line in GOLDEN.read_text(encoding="utf-8").splitlines()]
    absent = [line for line in golden if not any((*line[:2], one) in found for one in line[2].split(" or "))]
    assert len(absent) <= 0.05 * len(golden), absent


@pytest.mark.parametrize(
    "field, category",
    [
        ("setbytes.accounts.customers#ref_3", "user.contact.email"),
        ("setbytes.accounts.contacts_techniques#courriel", "user.contact.email"),
    ],
)
def test_a_name_that_lies_does_not_hide_a_category(scanned, graph_of, field, category):
    keys = {
        (row["key"], row["category"]) for row in graph_of(scanned[0]).ask("where_is", category=category, limit=5000)
    }
    assert (f"postgres://control-plane.setbytes.example:5432/{field}", category) in keys


def test_a_name_that_promises_too_much_is_not_believed(scanned, graph_of):
    rows = graph_of(scanned[0]).ask("where_is", category="user.contact.email", limit=5000)
    assert not [row["key"] for row in rows if row["field"]["name"] == "email_template_id"]


def test_who_receives_email_is_declared_and_observed(scanned):
    command, _ = scanned
    answer = command.json("ask", "ProcessorsOf", "category=user.contact.email")
    rows = {edge["node"]["processor"]["key"]: edge["node"] for edge in answer["processorsOf"]["edges"]}
    assert rows["stripe"]["observed"]
    assert rows["stripe"]["declared"]
    assert rows["cloudflare"]["observed"]
    assert {d["provenance"] for d in rows["cloudflare"]["disclosures"]} >= {"CONFIG"}


def test_flows_follow_views(scanned, graph_of, figure):
    from inventory.model import FlowSeen, Provenance, Transformation
    from seed.estate.score import score_flows
    from seed.estate.truth import truth

    rows = graph_of(scanned[0]).graph.read(
        "MATCH (a:Field)-[r:FLOWS_TO]->(b:Field) WHERE r.valid_to IS NULL "
        "RETURN a.urn AS source, b.urn AS target, r.provenance AS provenance, r.transformation AS transformation"
    )
    observed = [
        FlowSeen(r["source"], r["target"], Provenance(r["provenance"]), Transformation(r["transformation"]))
        for r in rows
    ]
    tally, mistakes = score_flows([flow for flow in observed if flow.provenance is Provenance.SQL], truth())
    figure(f"estate, flows by SQL (of all flows, exports and syncs too): {tally}")
    assert tally.precision == 1.0, mistakes


@pytest.mark.parametrize("options", [(), ("--full",)])
def test_a_rescan_of_what_has_not_changed_writes_no_version(scanned, options):
    """Neither when it asks the sources what has changed, nor when it reads everything again."""
    command, first = scanned
    again = command.json("scan", *options)
    for source in again:
        counts = source["loaded"]
        written = {name: n for name, n in counts.items() if n and name.endswith(("_created", "_changed", "_ended"))}
        assert written == {}, source["source"]
        assert counts["nodes_unchanged"] > (10 if options else 0)
    assert [s["source"] for s in again] == [s["source"] for s in first]


def test_the_readme_shows_what_is_found(scanned, graph_of):
    shown = README.read_text(encoding="utf-8").split("```")
    answer = next(block for block in shown if "setbytes.accounts.customers" in block)
    fields = {
        line.split()[0] for line in answer.splitlines() if "user.contact.email" in line and line.startswith(" " * 5)
    }
    rows = graph_of(scanned[0]).ask("where_is", category="user.contact.email", limit=10_000)
    assert len(fields) >= 5
    assert fields <= {row["field"]["name"] for row in rows}
