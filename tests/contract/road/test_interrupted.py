"""Killed at any moment, the next run completes, and the graph equals that of a run that nothing disturbed."""

from __future__ import annotations

import os
import signal

import pytest


def settled(graph):
    """The export without what differs between two roads to the same state: times, scans, versions, counters."""
    from inventory.graph.export import export

    passing = {"valid_from", "changed_at", "scan", "started_at", "finished_at", "content_token"}
    return [
        {**record, "properties": {k: v for k, v in record["properties"].items() if k not in passing}}
        for record in export(graph)
        if record.get("node") != "Scan" and record.get("source", [""])[0] != "Scan" and "version" not in record
    ]


def differences(one, other):
    """What is in one export and not in the other, record by record."""
    mine, theirs = ({repr(record): record for record in records} for records in (one, other))
    return [f"- {r}" for r in theirs if r not in mine] + [f"+ {r}" for r in mine if r not in theirs]


@pytest.fixture
def undisturbed(scanned, graph_of):
    return settled(graph_of(scanned[0]).graph)


@pytest.mark.parametrize("steps", [1, 12, 30])
def test_a_scan_that_is_killed_is_completed_by_the_next(undisturbed, road_estate, command, graph_of, steps):
    inventory = command(sources=road_estate.sources(), flows=road_estate.flows())
    scan = inventory.start("scan", "--json")
    for _ in range(steps):  # each is a dataset begun
        assert scan.stderr.readline()
    os.kill(scan.pid, signal.SIGKILL)
    scan.wait()
    inventory.run("scan")
    assert differences(settled(graph_of(inventory).graph), undisturbed) == []


def test_a_graph_that_is_killed_under_a_scan_is_completed_by_the_next(undisturbed, road_estate, command, graph_of):
    inventory = command(sources=road_estate.sources(), flows=road_estate.flows())
    java = inventory.json("graph", "status")["process"]
    scan = inventory.start("scan", "--json")
    for _ in range(12):
        assert scan.stderr.readline()
    os.kill(java, signal.SIGKILL)
    _, told = scan.communicate(timeout=200)
    assert scan.returncode != 0
    assert "graph" in told
    assert "Traceback" not in told
    inventory.run("graph", "up")
    inventory.run("scan")
    assert differences(settled(graph_of(inventory).graph), undisturbed) == []
