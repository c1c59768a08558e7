"""What deriving writes of SQL and keys into a real graph, and what it leaves alone the second time."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from inventory.graph.catalogue import Catalogue
from inventory.graph.writer import GraphWriter, ScanRun
from inventory.lineage.derive import Known, derive_flows
from inventory.model import (
    Aspect,
    Covered,
    DatasetKind,
    DatasetSeen,
    FieldReferences,
    FieldSeen,
    JobSeen,
    Provenance,
    SystemKind,
    SystemSeen,
)

PG = "postgres://db:5432"


def table(name: str, *columns: str, kind: DatasetKind = DatasetKind.TABLE, key: str = ""):
    urn = f"{PG}/shop.public.{name}"
    yield DatasetSeen(urn, PG, kind, f"shop.public.{name}")
    for position, column in enumerate(columns, start=1):
        yield FieldSeen(f"{urn}#{column}", urn, column, "integer" if column.endswith("id") else "text", position,
                        primary_key=column == key)  # fmt: skip
    yield Covered(urn, Aspect.CONTENT)


def job(view: str, statement: str, kind: str = "view") -> JobSeen:
    urn = f"{PG}/shop.public.{view}"
    return JobSeen(f"job:{urn}/{kind}", view, kind, urn, statement, "postgres")


def load(graph, view_statement: str) -> None:
    orders = f"{PG}/shop.public.orders"
    said = [
        SystemSeen(PG, SystemKind.DATABASE, "shop", "postgresql"),
        *table("customers", "customer_id", "email", key="customer_id"),
        *table("orders", "order_id", "customer_id", "plan_id", key="order_id"),
        *table("plans", "plan_id", key="plan_id"),
        *table("contacts", "customer_id", "email"),
        *table("v", "e", kind=DatasetKind.VIEW),
        job("v", view_statement),
        job("contacts", "INSERT INTO contacts SELECT customer_id, md5(email) FROM customers", "query"),
        FieldReferences(f"{orders}#customer_id", f"{PG}/shop.public.customers#customer_id", "fk", 1,
                        Provenance.CONSTRAINT),
        *(Covered(f"{PG}/shop.public.{name}", Aspect.STRUCTURE)
          for name in ("customers", "orders", "plans", "contacts", "v")),
        Covered(PG, Aspect.LISTING),
    ]  # fmt: skip
    GraphWriter(graph).load(ScanRun("r1", "shop", datetime.now(UTC)), said)


def flows(graph) -> set[tuple[str, str, str]]:
    rows = graph.read(
        "MATCH (a:Field)-[r:FLOWS_TO]->(b:Field) WHERE r.valid_to IS NULL "
        "RETURN a.urn AS a, b.urn AS b, r.transformation AS how"
    )
    return {(row["a"].rpartition(".")[2], row["b"].rpartition(".")[2], row["how"]) for row in rows}


def references(graph) -> set[tuple[str, str, str]]:
    rows = graph.read(
        "MATCH (a:Field)-[r:REFERENCES]->(b:Field) WHERE r.valid_to IS NULL "
        "RETURN a.urn AS a, b.urn AS b, r.provenance AS provenance"
    )
    return {(row["a"].rpartition(".")[2], row["b"].rpartition(".")[2], row["provenance"]) for row in rows}


def test_views_queries_files_and_keys_become_edges_and_a_second_time_nothing_is_written(graph, tmp_path):
    load(graph, "SELECT email AS e FROM customers")
    pipeline = tmp_path / "pipelines" / "night.sql"
    pipeline.parent.mkdir()
    pipeline.write_text("UPDATE contacts SET email = c.email FROM customers c WHERE c.customer_id = 7;")
    reference = {"source": [f"{PG}/shop.public.contacts#email"], "target": [f"{PG}/shop.public.customers#email"]}
    of_night = {"files": str(pipeline.parent / "*.sql"), "dialect": "postgres", "system": PG, "home": "shop.public"}
    given: Any = {"references": [SimpleNamespace(**reference)], "files": [SimpleNamespace(**of_night)]}
    known = Known(**given, cache=tmp_path)
    derived = derive_flows(graph, known)
    assert not derived.findings
    assert flows(graph) == {
        ("customers#email", "v#e", "copied"),
        ("customers#customer_id", "contacts#customer_id", "copied"),
        ("customers#email", "contacts#email", "hashed"),
        ("customers#email", "contacts#email", "copied"),
    }
    assert references(graph) == {
        ("orders#customer_id", "customers#customer_id", "constraint"),
        ("orders#plan_id", "plans#plan_id", "name"),
        ("contacts#customer_id", "customers#customer_id", "name"),
        ("contacts#email", "customers#email", "config"),
    }
    (script,) = [row for row in Catalogue(graph).pages("jobs") if row["key"] == "job:sql/night.sql"]
    assert script["node"]["kind"] == "sql_file"
    assert [load.versions for load in derive_flows(graph, known).loads] == [0, 0, 0, 0, 0]


@pytest.mark.parametrize(
    "statement,code", [("SELECT ((( email FROM customers", "lineage-guessed"), ("SELECT ((( no", "lineage-unknown")]
)
def test_what_is_not_understood_is_a_finding_until_it_is(embedded_graph, statement, code):
    load(embedded_graph, statement)
    derive_flows(embedded_graph)
    (row,) = Catalogue(embedded_graph).ask("findings", about=f"{PG}/shop.public.v")
    assert row["node"]["code"] == code
    derive_flows(embedded_graph)
    assert [each["key"] for each in Catalogue(embedded_graph).ask("findings")] == [row["key"]]
    load(embedded_graph, "SELECT email AS e FROM customers")
    derive_flows(embedded_graph)
    assert not Catalogue(embedded_graph).ask("findings")
