"""`inventory lineage import|export|dbt`, on the engine of this test session."""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from typer.testing import CliRunner

DB = "postgres://db.example:5432"


@pytest.fixture
def lineage(embedded_engine, embedded_graph, tmp_path):
    """Runs `inventory lineage …` with a configuration whose graph is the session's."""
    from inventory.cli import app

    config = tmp_path / "inventory.yaml"
    config.write_text(json.dumps({"data_dir": str(embedded_engine.data_dir.parent)}))
    runner = CliRunner()
    return lambda *words: runner.invoke(app, ["lineage", *map(str, words), "--config", str(config)])


def event(run, source):
    return {
        "eventTime": f"2026-01-01T00:00:0{run}Z",
        "eventType": "COMPLETE",
        "run": {"runId": str(UUID(int=run))},
        "job": {"namespace": "nightly", "name": "copy"},
        "inputs": [{"namespace": DB, "name": source}],
        "outputs": [{"namespace": DB, "name": "b"}],
    }


def test_events_go_in_and_come_out_again(lineage, tmp_path):
    file, again = tmp_path / "events.ndjson", tmp_path / "again.ndjson"
    file.write_text("\n".join(json.dumps(event(run, "a")) for run in (1, 2)))
    done = lineage("import", file)
    assert done.exit_code == 0, done.output
    exported = lineage("export")
    (told,) = map(json.loads, exported.stdout.splitlines())
    assert (told["job"]["namespace"], told["job"]["name"]) == ("nightly", "copy")
    assert [each["name"] for each in (*told["inputs"], *told["outputs"])] == ["a", "b"]
    assert lineage("export", "--output", again).exit_code == 0
    assert len(again.read_text().splitlines()) == 1
    assert lineage("import", again).exit_code == 0


def test_a_bad_line_makes_it_partial_and_a_missing_file_an_error(lineage, tmp_path):
    file = tmp_path / "events.ndjson"
    file.write_text(json.dumps(event(1, "a")) + "\n{}\n")
    done = lineage("import", file, "--json")
    assert done.exit_code == 3
    told = json.loads(done.stdout)[str(file)]
    assert told["events"] == 1
    assert told["findings"] == [
        "events.ndjson, line 2: $.eventTime is missing (see the OpenLineage specification 2-0-2)"
    ]
    missing = lineage("import", tmp_path / "nowhere.ndjson")
    assert "nowhere.ndjson" in str(missing.exception)


def test_a_dbt_project_by_command_and_by_configuration(lineage, dbt_shop, embedded_graph, embedded_engine):
    from inventory.cli import road
    from inventory.scan.config import parse_config

    target, _, _ = dbt_shop
    done = lineage("dbt", target, "--namespace", "duckdb:///shop.duckdb", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["loaded"][0]["edges_created"] > 30
    document = {
        "data_dir": str(embedded_engine.data_dir.parent),
        "lineage": {"dbt": [{"target": str(target), "namespace": "duckdb:///shop.duckdb"}, {"target": "nowhere"}]},
    }
    derived = road.derive(embedded_graph, parse_config(document, "inventory.yaml"))
    assert derived.loads[0].source == "dbt:shop@duckdb:///shop.duckdb"
    assert derived.loads[0].versions == 0, "nothing has changed since the command"
    assert [finding.code for finding in derived.findings if finding.code.startswith("dbt")] == ["dbt-unreadable"]
