"""`inventory load`: the declared map, and recordings of scans."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from inventory.cli.console import PARTIAL, print_json, say
from inventory.cli.opening import ConfigOption, JsonOption, opened_config, opened_graph
from inventory.cli.scan import tell_findings
from inventory.graph.connection import Graph
from inventory.graph.writer import GraphWriter, LoadReport, ScanRun, new_run_id
from inventory.policy.declared import declare_policy, declare_vocabulary
from inventory.scan.config import DEFAULT_PATH, Config
from inventory.scan.recording import open_recording, replay


def load(
    recordings: Annotated[
        list[Path] | None, typer.Argument(help="Recordings made by `inventory scan --output`.")
    ] = None,
    config: ConfigOption = DEFAULT_PATH,
    as_json: JsonOption = False,
) -> None:
    """Load the vocabulary and the declared map of the policy, and recordings of scans if any are given.

    [bold]Examples[/bold]

      inventory load
      inventory load recordings/*.jsonl
    """
    settings = opened_config(config)
    opened = [open_recording(path) for path in recordings or []]
    complete = True
    reports: dict[str, LoadReport] = {}
    with opened_graph(settings) as graph:
        reports |= declare(graph, settings)
        for recording in opened:
            run = ScanRun(new_run_id(), recording.source, recording.started_at)
            report = GraphWriter(graph).load(run, replay(recording))
            reports[recording.source] = report
            complete = complete and report.complete
    if as_json:
        print_json({name: report.counts for name, report in reports.items()})
    else:
        _told(reports)
    if not complete:
        raise typer.Exit(PARTIAL)


def declare(graph: Graph, config: Config) -> dict[str, LoadReport]:
    """Load the vocabulary and the declared map; what each load did."""
    writer, now = GraphWriter(graph), datetime.now(UTC)
    return {
        "vocabulary": declare_vocabulary(writer, now),
        "policy": declare_policy(writer, config.declared.policy, config.declared.processors, now),
    }


def _told(reports: dict[str, LoadReport]) -> None:
    for name, report in reports.items():
        say(f"{name}: {report.summary}", style="green" if report.complete else "yellow")
        tell_findings(report.findings)
