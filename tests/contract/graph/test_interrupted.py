"""`kill -9` of the loader or of the engine at any moment: the next full run gives the graph of an undisturbed one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from inventory.errors import GraphError
from inventory.graph import scanload
from inventory.graph.connection import Graph
from inventory.graph.engine import EmbeddedEngine
from inventory.graph.schema import migrate
from inventory.graph.writer import GraphWriter, ScanRun
from inventory.model import Evidence, FieldClassified

TABLES = 40
SMALL_BATCH = 60

# Loads the estate in small batches; says how far it is, and stops for good at the observation it is told.
LOADER = """
import importlib.util, json, sys
from datetime import UTC, datetime
from inventory.graph import scanload
from inventory.graph.connection import Graph, GraphSettings
from inventory.graph.writer import GraphWriter, ScanRun

told = json.loads(sys.stdin.readline())
spec = importlib.util.spec_from_file_location("estate", told["conftest"])
room = importlib.util.module_from_spec(spec)
spec.loader.exec_module(room)
scanload.BATCH = told["batch"]

def observations():
    for number, observation in enumerate(room.Estate().scan(tables=told["tables"], **told["knobs"])):
        if number == told["stop"]:
            print("stopped", flush=True)
            sys.stdin.read()
        yield observation

print("started", flush=True)
with Graph(GraphSettings(**told["settings"])) as graph:
    GraphWriter(graph).load(ScanRun("killed", "shop", datetime.now(UTC)), observations())
print("finished", flush=True)
"""

BEFORE = {"confidence": 0.8, "type_of_name": "varchar"}
AFTER = {"without_tables": [3, 30], "without_payloads": [5]}


def loader(graph, stop: int, knobs: dict) -> subprocess.Popen[bytes]:
    settings = graph.settings.model_dump() | {"password": graph.settings.password.get_secret_value()}
    told = {
        "conftest": str(Path(__file__).parent / "conftest.py"),
        "settings": settings,
        "batch": SMALL_BATCH,
        "tables": TABLES,
        "stop": stop,
        "knobs": knobs,
    }
    process = subprocess.Popen([sys.executable, "-c", LOADER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(json.dumps(told).encode() + b"\n")
    process.stdin.flush()
    return process


def said(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().decode().strip()


def kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


def wipe(graph) -> None:
    while graph.write("MATCH (n) WHERE NOT n:Schema WITH n LIMIT 5000 DETACH DELETE n RETURN count(*) AS c")[0]["c"]:
        pass


def states(graph) -> list[str]:
    return sorted(row["state"] for row in graph.read("MATCH (s:Scan) RETURN s.state AS state"))


@pytest.fixture
def undisturbed(graph, estate, load, settled):
    """What the graph is after two scans that nobody disturbed; the graph is then left as after the first."""
    load(graph, estate.scan(tables=TABLES, **BEFORE))
    load(graph, estate.scan(tables=TABLES, **AFTER))
    whole = settled(graph)
    wipe(graph)
    load(graph, estate.scan(tables=TABLES, **BEFORE))
    return whole


def test_the_loader_is_killed_between_batches(graph, undisturbed, estate, load, settled):
    observations = sum(1 for _ in estate.scan(tables=TABLES, **AFTER))
    for stop in (1, 150, 400, observations - 1):
        process = loader(graph, stop, AFTER)
        assert [said(process), said(process)] == ["started", "stopped"]
        kill(process)
        assert states(graph).count("running") == 1
    load(graph, estate.scan(tables=TABLES, **AFTER))
    assert settled(graph) == undisturbed
    assert states(graph) == ["completed", "completed", "interrupted"]  # one URN was used again


def test_the_loader_is_killed_inside_a_batch(graph, undisturbed, estate, load, settled):
    wipe(graph)
    for share in (0.1, 0.4, 0.8):
        process = loader(graph, -1, BEFORE)
        assert said(process) == "started"
        enough = share * 4 * TABLES
        deadline = time.monotonic() + 60
        while graph.read("MATCH (f:Field) RETURN count(f) AS fields")[0]["fields"] < enough:
            assert process.poll() is None or share < 0.5, "the loader was too quick to be killed"
            assert time.monotonic() < deadline
        kill(process)
    load(graph, estate.scan(tables=TABLES, **BEFORE))
    disturbed = settled(graph)
    wipe(graph)
    load(graph, estate.scan(tables=TABLES, **BEFORE))
    assert disturbed == settled(graph)


def test_the_engine_is_killed_while_loading(tmp_path, estate, clock, settled, monkeypatch):
    monkeypatch.setattr(scanload, "BATCH", SMALL_BATCH)
    engine = EmbeddedEngine(tmp_path / "graph", heap_mb=256)

    def run(graph, observations):
        return GraphWriter(graph).load(ScanRun(f"r{clock.tick():%H%M}", "shop", clock.now), observations)

    try:
        for stop in (100, 420):
            engine.up()
            with Graph(engine.settings, retry_seconds=0.5) as graph:
                migrate(graph)
                with pytest.raises(GraphError):
                    run(graph, _killing(estate.scan(tables=TABLES), stop, engine.status().java))
        engine.up()
        with Graph(engine.settings) as graph:
            assert run(graph, estate.scan(tables=TABLES)).complete
            disturbed = settled(graph)
            wipe(graph)
            run(graph, estate.scan(tables=TABLES))
            assert disturbed == settled(graph)
    finally:
        engine.down()


def test_the_engine_is_killed_in_the_middle_of_a_statement(tmp_path, estate, clock, settled):
    engine = EmbeddedEngine(tmp_path / "graph", heap_mb=256)
    try:
        engine.up()
        java = engine.status().java
        with Graph(engine.settings, retry_seconds=0.5) as graph:
            migrate(graph)
            timer = threading.Timer(0.4, os.kill, (java, signal.SIGKILL))
            timer.start()
            with pytest.raises(GraphError):
                _load_until_it_fails(graph, estate, clock)
            timer.join()
        engine.up()
        with Graph(engine.settings) as graph:
            migrate(graph)
            last = ScanRun("last", "shop", clock.tick())
            assert GraphWriter(graph).load(last, estate.scan(tables=TABLES)).complete
            disturbed = _without_ended(settled(graph))
            wipe(graph)
            GraphWriter(graph).load(ScanRun("again", "shop", clock.tick()), estate.scan(tables=TABLES))
            assert disturbed == settled(graph)
    finally:
        engine.down()


def test_scopes_that_are_held_too_long_are_written_and_end_nothing(embedded_graph, estate, load, monkeypatch):
    load(embedded_graph, estate.scan(tables=3))
    monkeypatch.setattr(scanload, "BATCH", 5)
    monkeypatch.setattr(scanload, "MOST_HELD", 5)

    def without_emails(observations):
        for observation in observations:
            if not (isinstance(observation, FieldClassified) and observation.category == "user.contact.email"):
                yield observation
            for more in range(20):
                yield FieldClassified(estate.column(0, "name"), f"user.c{more}", 0.5, (Evidence("x", "y", 1.0),), "d")

    report = load(embedded_graph, without_emails(estate.scan(tables=1)))
    assert report.counts["edges_created"] == 20
    kept = embedded_graph.read(
        "MATCH (f:Field {urn: $urn})-[r:CLASSIFIED_AS]->(c) WHERE r.valid_to IS NULL RETURN c.key AS key",
        urn=estate.column(0, "payload", "/email"),
    )
    assert kept == [{"key": "user.contact.email"}]


def _killing(observations, stop: int, java: int):
    for number, observation in enumerate(observations):
        if number == stop:
            os.kill(java, signal.SIGKILL)
        yield observation


def _load_until_it_fails(graph, estate, clock):
    for run in range(1000):
        knobs = {"rows": run, "confidence": 0.5 + run % 5 / 10}
        GraphWriter(graph).load(ScanRun(f"r{run}", "shop", clock.tick()), estate.scan(tables=TABLES, **knobs))


def _without_ended(records):
    """What is valid: how often a thing changed on the way differs between two roads."""
    return [record for record in records if "valid_to" not in record["properties"]]
