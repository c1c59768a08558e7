"""`inventory scan`: look at the sources and load what was seen."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from inventory.cli.console import PARTIAL, print_json, progress
from inventory.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption


def scan(
    config: ConfigOption = DEFAULT_CONFIG,
    source: Annotated[
        list[str] | None, typer.Option("--source", "-s", help="Only this source; may be given again.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Record into this folder instead of the graph.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Scan the configured sources and load what was seen into the graph.

    Ends with exit status 3 when something could not be looked at: what it was is said, the rest is loaded, and what
    earlier scans knew of it stays.

    [bold]Examples[/bold]

      inventory scan

      inventory scan --source control-plane --json

      inventory scan --output recordings    (where the graph cannot be reached; then: inventory load recordings/*)
    """
    from inventory.cli import road

    settings = road.opened_config(config)
    scanners = road.chosen_scanners(settings, source or [])
    if output is not None:
        with progress(as_json=as_json) as report:
            recorded = road.record_into(output, scanners, road.detection_context(settings, (), report))
        for outcome in recorded:
            road.tell_trouble(outcome)
        complete = all(outcome.complete for outcome in recorded)
    else:
        with road.opened_graph(settings) as graph:
            road.declare(graph, settings)  # the words that verdicts are said in; writes nothing when they are there
            with progress(as_json=as_json) as report:
                context = road.detection_context(settings, road.reviews(graph), report)
                outcomes = road.scan_into(graph, scanners, context)
            derived = road.derive(graph, settings)
        complete = all(outcome.complete for outcome in outcomes)
        if as_json:
            print_json([road.outcome_document(outcome) for outcome in outcomes])
        else:
            for outcome in outcomes:
                road.tell_outcome(outcome)
            road.tell_findings(derived.findings)
    if not complete:
        raise typer.Exit(PARTIAL)
