"""dbt's files that are old, new, damaged, large-hearted or made to mislead."""

from __future__ import annotations

import json

import pytest

from inventory.errors import UnreadableError
from inventory.lineage.dbt.artifacts import read_project
from inventory.lineage.dbt.flows import facts_of
from inventory.model import Transformation


def node(name, sql="", depends=(), kind="model", materialized="table", **more):
    return {
        "resource_type": kind,
        "name": name,
        "database": "shop",
        "schema": "main",
        "package_name": "shop",
        "original_file_path": f"models/{name}.sql",
        "language": "sql",
        "compiled_code": sql,
        "depends_on": {"nodes": list(depends)},
        "config": {"materialized": materialized},
        **more,
    }


@pytest.fixture
def project(tmp_path):
    """Writes a target folder; its manifest's version, adapter and nodes as given."""

    def write(nodes, *, version=12, adapter="postgres", columns=None, exposures=None, **files):
        manifest = {
            "metadata": {
                "dbt_schema_version": f"https://schemas.getdbt.com/dbt/manifest/v{version}.json",
                "adapter_type": adapter,
                "project_name": "shop",
            },
            "nodes": {key: value for key, value in nodes.items() if not key.startswith("source")},
            "sources": {key: value for key, value in nodes.items() if key.startswith("source")},
            "exposures": exposures or {},
        }
        (tmp_path / "manifest.json").write_text(json.dumps(manifest))
        tables = {
            key: {
                "metadata": {"schema": "main", "name": nodes[key]["name"], "database": "shop"},
                "columns": {name: {"name": name, "index": index} for index, name in enumerate(names)},
            }
            for key, names in (columns or {}).items()
        }
        if columns is not None:
            (tmp_path / "catalog.json").write_text(json.dumps({"nodes": tables, "sources": {}}))
        for name, content in files.items():
            (tmp_path / f"{name}.json").write_text(json.dumps(content))
        return tmp_path

    return write


def flows(target, namespace="postgres://db.example:5432"):
    facts = facts_of(read_project(target), namespace, lambda text: text)
    return {
        (edge.source.key.rpartition("main.")[2], edge.target.key.rpartition("main.")[2]): edge.properties[
            "transformation"
        ]
        for edge in facts.edges
        if edge.type == "FLOWS_TO"
    }, facts


NODES = {
    "source.shop.app.people": node("people", kind="source"),
    "model.shop.inner": node(
        "inner", "select email from shop.main.people", ["source.shop.app.people"], materialized="ephemeral"
    ),
    "model.shop.outer": node(
        "outer",
        'with __dbt__cte__inner as (select email from "shop"."main"."people") select * from __dbt__cte__inner',
        ["model.shop.inner"],
    ),
}
COLUMNS = {"source.shop.app.people": ["email"], "model.shop.outer": ["email"]}


def test_an_ephemeral_model_is_passed_through(project):
    said, facts = flows(project(NODES, columns=COLUMNS))
    assert said == {("people", "outer"): "copied", ("people#email", "outer#email"): "copied"}
    assert facts.findings == []


@pytest.mark.parametrize("version", [6, 13, "x"])
def test_a_manifest_of_another_version_is_named_in_a_line(project, version):
    with pytest.raises(UnreadableError, match=r"manifest\.json: is of .*version.*7 to 12 are understood"):
        read_project(project({}, version=version))


def test_a_folder_without_a_manifest_and_files_that_are_none(project, tmp_path):
    with pytest.raises(UnreadableError, match=r"holds no manifest\.json"):
        read_project(tmp_path)
    project({"model.shop.a": {"resource_type": "model", "name": ["jane@example.ca"]}})
    with pytest.raises(UnreadableError, match=r"is not as dbt writes it \(at nodes\.model\.shop\.a\.name\)") as refused:
        read_project(tmp_path)
    assert "jane" not in str(refused.value)
    project({})
    (tmp_path / "catalog.json").write_text('{"nodes": ')
    with pytest.raises(UnreadableError, match=r"catalog\.json: is not as dbt writes it"):
        read_project(tmp_path)


def test_sql_is_read_below_the_target_folder_alone(project, tmp_path):
    secret = tmp_path.parent / "elsewhere.sql"
    secret.write_text("select email from shop.main.people")
    astray = node("outer", "", ["source.shop.app.people"], original_file_path=f"../../../{secret.name}")
    target = project(
        {"source.shop.app.people": NODES["source.shop.app.people"], "model.shop.outer": astray}, columns=COLUMNS
    )
    said, facts = flows(target)
    assert said == {("people", "outer"): "unknown"}
    assert "no compiled SQL" in facts.findings[0].message


def test_without_a_catalogue_columns_are_followed_as_far_as_the_sql_names_them(project):
    nodes = NODES | {"source.shop.app.people": node("people", kind="source", columns={"email": {"name": "email"}})}
    said, _ = flows(project(nodes))
    assert said[("people#email", "outer#email")] == "copied"


def test_a_model_whose_last_run_failed_and_that_is_not_in_the_catalogue_proves_nothing(project):
    failed = {"results": [{"unique_id": "model.shop.outer", "status": "error"}]}
    only_source = {"source.shop.app.people": ["email"]}
    assert flows(project(NODES, columns=only_source, run_results=failed))[0] == {}
    assert flows(project(NODES, columns=COLUMNS, run_results=failed))[0]


def test_models_in_python_and_of_unknown_adapters_flow_as_a_whole(project):
    python = node("outer", "def model(dbt, session): ...", ["source.shop.app.people"], language="python")
    nodes = {"source.shop.app.people": NODES["source.shop.app.people"], "model.shop.outer": python}
    assert flows(project(nodes, columns=COLUMNS))[0] == {("people", "outer"): str(Transformation.UNKNOWN)}
    said, facts = flows(project(NODES, columns=COLUMNS, adapter="abacus"))
    assert said == {("people", "outer"): "unknown"}
    assert "the adapter's SQL is not known" in facts.findings[0].message


def test_an_exposure_is_a_disclosure_only_at_a_known_vendor(project):
    places = ["https://api.mailchimp.com/3.0", "https://intranet.local", "https://[broken", None, "not an address"]
    exposures = {
        f"exposure.shop.{n}": {"name": f"e{n}", "url": url, "depends_on": {"nodes": ["model.shop.outer"]}}
        for n, url in enumerate(places)
    }
    _, facts = flows(project(NODES, columns=COLUMNS, exposures=exposures))
    sent = [(edge.source.key, edge.target.key) for edge in facts.edges if edge.type == "DISCLOSED_TO"]
    assert sent == [("postgres://db.example:5432/shop.main.outer", "mailchimp")]


def test_a_stale_source_is_a_finding(project):
    stale = {"results": [{"unique_id": "source.shop.app.people", "status": "warn"}]}
    _, facts = flows(project(NODES, columns=COLUMNS, sources=stale))
    assert [finding.code for finding in facts.findings] == ["stale"]
