"""A project built by a real dbt: what its files and its OpenLineage events say of the database that was scanned."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from inventory.errors import UnreadableError

EXPECTED = {
    ("customers#id", "stg_customers#customer_id", "copied"),
    ("customers#email", "stg_customers#email", "transformed"),
    ("customers#first_name", "stg_customers#full_name", "transformed"),
    ("customers#last_name", "stg_customers#full_name", "transformed"),
    ("customers#country", "stg_customers#country", "copied"),
    ("customers#updated_at", "stg_customers#updated_at", "copied"),
    ("orders#id", "stg_orders#order_id", "copied"),
    ("orders#customer_id", "stg_orders#customer_id", "copied"),
    ("orders#total", "stg_orders#total", "copied"),
    ("orders#ordered_at", "stg_orders#ordered_at", "copied"),
    ("stg_customers#customer_id", "dim_customers#customer_id", "copied"),
    ("stg_customers#email", "dim_customers#email", "copied"),
    ("stg_customers#email", "dim_customers#email_hash", "hashed"),
    ("stg_customers#full_name", "dim_customers#full_name", "copied"),
    ("countries#name", "dim_customers#country", "copied"),
    ("stg_orders#order_id", "fct_orders#order_id", "copied"),
    ("dim_customers#email", "fct_orders#email", "copied"),
    ("stg_orders#total", "fct_orders#total", "copied"),
    ("stg_orders#ordered_at", "fct_orders#ordered_at", "copied"),
    ("fct_orders#email", "spending#email", "copied"),
    ("fct_orders#total", "spending#spent", "aggregated"),
    *(
        (f"customers#{column}", f"customers_history#{column}", "copied")
        for column in ("id", "email", "first_name", "last_name", "country", "updated_at")
    ),
    ("customers", "stg_customers", "copied"),
    ("orders", "stg_orders", "copied"),
    ("stg_customers", "dim_customers", "copied"),
    ("countries", "dim_customers", "copied"),
    ("stg_orders", "fct_orders", "copied"),
    ("dim_customers", "fct_orders", "copied"),
    ("fct_orders", "spending", "copied"),
    ("customers", "customers_history", "copied"),
}


def short(urn):
    """`duckdb:///…/shop.duckdb/main.customers#id` is `customers#id`."""
    return urn.rpartition("/")[2].partition(".")[2]


def flows(graph, by):
    rows = graph.read(
        "MATCH (a)-[r:FLOWS_TO]->(b) WHERE r.provenance = $by AND r.valid_to IS NULL "
        "RETURN a.urn AS a, b.urn AS b, r.transformation AS way",
        by=by,
    )
    return {(short(row["a"]), short(row["b"]), row["way"]) for row in rows}


def seen(graph, database):
    """As a scan of the database leaves it (its DuckDB may be newer than ours can read)."""
    from inventory import model as m
    from inventory.graph.writer import GraphWriter, ScanRun

    system = f"duckdb://{database}"
    said: list[m.Observation] = [m.SystemSeen(system, m.SystemKind.DATABASE, "shop", "duckdb")]
    for name in ("main.customers", "main.orders", "main.dim_customers"):
        said.append(m.DatasetSeen(f"{system}/{name}", system, m.DatasetKind.TABLE, name))
    GraphWriter(graph).load(ScanRun("r", "shop", datetime.now(UTC)), [*said, m.Covered(system, m.Aspect.LISTING)])
    return system


def test_the_flows_of_a_project_are_found_and_end_with_it(dbt_shop, graph, tmp_path):
    from inventory.lineage.dbt.loading import load_project

    target, database, _ = dbt_shop
    system = seen(graph, database)
    loaded = load_project(graph, target)
    assert flows(graph, "dbt") == EXPECTED
    assert loaded.findings == ()
    rows = graph.read("MATCH (d:Dataset)-[:DEFINED_BY]->(j:Job) RETURN d.urn AS d, properties(j) AS j")
    jobs = {short(row["d"]): row["j"] for row in rows}
    assert jobs["dim_customers"]["description"] == "One row for each customer."
    assert jobs["fct_orders"]["materialized"] == "incremental"
    kept = json.dumps(graph.read("MATCH (n) RETURN properties(n) AS p"), default=str)
    assert "nobody@example.ca" not in kept
    assert "jane.roe" not in kept
    sent = graph.read(
        "MATCH (d:Dataset)-[r:DISCLOSED_TO]->(p:Processor) RETURN d.urn AS d, p.key AS p, r.evidence AS e"
    )
    assert [(short(row["d"]), row["p"]) for row in sent] == [("dim_customers", "mailchimp")]
    assert "newsletter" in sent[0]["e"]
    again = load_project(graph, target, system)
    assert again.loads[0].versions == 0
    less = tmp_path / "target"
    less.mkdir()
    manifest = json.loads((target / "manifest.json").read_text())
    del manifest["nodes"]["model.shop.spending"]
    (less / "manifest.json").write_text(json.dumps(manifest))
    (less / "catalog.json").write_bytes((target / "catalog.json").read_bytes())
    load_project(graph, less, system)
    assert flows(graph, "dbt") == {flow for flow in EXPECTED if not flow[1].startswith("spending")}


def test_a_manifest_without_sql_is_read_with_what_was_compiled_before(dbt_shop, embedded_graph, tmp_path):
    """As `dbt source freshness` and `dbt parse` leave it."""
    import shutil

    from inventory.lineage.dbt.loading import load_project

    target = tmp_path / "target"
    shutil.copytree(dbt_shop[0], target)
    manifest = json.loads((target / "manifest.json").read_text())
    for node in manifest["nodes"].values():
        node.pop("compiled_code", None)
    (target / "manifest.json").write_text(json.dumps(manifest))
    loaded = load_project(embedded_graph, target, "duckdb:///shop")
    assert flows(embedded_graph, "dbt") >= {flow for flow in EXPECTED if not flow[1].startswith("customers_history")}
    assert ["no compiled SQL" in finding.message for finding in loaded.findings] == [True], "a snapshot has no file"


def test_a_project_whose_database_nobody_has_scanned_needs_its_name(dbt_shop, embedded_graph):
    from inventory.lineage.dbt.loading import load_project, load_projects
    from inventory.scan.config import DbtSection

    target, _, _ = dbt_shop
    with pytest.raises(UnreadableError, match="no scanned database holds its tables"):
        load_project(embedded_graph, target)
    done = load_projects(
        embedded_graph, [DbtSection(target=target / "nowhere"), DbtSection(target=target, namespace="duckdb:///x")]
    )
    assert [finding.code for finding in done.findings] == ["dbt-unreadable"]
    assert flows(embedded_graph, "dbt") == EXPECTED


def test_the_events_that_dbt_emits_say_the_same_of_tables(dbt_shop, embedded_graph):
    from inventory.lineage.openlineage.events import read_event
    from inventory.lineage.openlineage.loading import Loader

    _, database, events = dbt_shop
    system = seen(embedded_graph, database)
    loader = Loader(embedded_graph)
    loader.load([read_event(json.dumps(event)) for event in reversed(events)])
    told = flows(embedded_graph, "openlineage")
    assert ("customers#email", "main.stg_customers#email") in {(a, b) for a, b, _ in told}
    rows = embedded_graph.read(
        "MATCH (a:Dataset {urn: $urn})-[:FLOWS_TO]->(b) RETURN b.urn AS b", urn=f"{system}/main.customers"
    )
    assert len(rows) == 2, "the events' shop.main.customers is the scanned main.customers"
    assert "nobody@example.ca" not in json.dumps(
        embedded_graph.read("MATCH (n) RETURN properties(n) AS p"), default=str
    )
    assert loader.load([read_event(json.dumps(event)) for event in events]).news == 0
