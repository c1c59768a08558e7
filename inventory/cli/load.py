"""`inventory load`: the declared map, and recordings of scans."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from inventory.cli.console import PARTIAL, print_json, say
from inventory.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption


def load(
    recordings: Annotated[
        list[Path] | None, typer.Argument(help="Recordings made by `inventory scan --output`.")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Load the vocabulary and the declared map of the policy, and recordings of scans if any are given.

    [bold]Examples[/bold]

      inventory load

      inventory load recordings/*.jsonl
    """
    from inventory.cli import road
    from inventory.scan.recording import open_recording

    settings = road.opened_config(config)
    opened = [open_recording(path) for path in recordings or []]
    with road.opened_graph(settings) as graph:
        reports = road.declare(graph, settings)
        reports |= {recording.source: road.load_recording(graph, recording, settings) for recording in opened}
        road.derive(graph, settings)
    if as_json:
        print_json({name: report.counts for name, report in reports.items()})
    else:
        for name, report in reports.items():
            say(f"{name}: {report.summary}", style="green" if report.complete else "yellow")
            road.tell_findings(report.findings)
    if not all(report.complete for report in reports.values()):
        raise typer.Exit(PARTIAL)
