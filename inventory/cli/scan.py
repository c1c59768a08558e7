"""`inventory scan`: look at the sources and load what was seen."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inventory.cli.console import PARTIAL, print_json, progress
from inventory.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption

if TYPE_CHECKING:
    from inventory.scan.config import Config
    from scanners.base import Scanner


def scan(
    config: ConfigOption = DEFAULT_CONFIG,
    source: Annotated[
        list[str] | None, typer.Option("--source", "-s", help="Only this source; may be given again.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Record into this folder instead of the graph.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Read everything, not only what changed.")] = False,
    plan: Annotated[
        bool, typer.Option("--plan", help="Say what would be read and what that costs, from metadata alone.")
    ] = False,
    workers: Annotated[int, typer.Option("--workers", min=0, help="Read by so many processes of this machine.")] = 0,
    cluster: Annotated[
        str, typer.Option("--cluster", metavar="ADDRESS", help="Read by the workers of this dask cluster: tcp://…")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Scan the configured sources and load what was seen into the graph.

    Ends with exit status 3 when something could not be looked at: what it was is said, the rest is loaded, and what
    earlier scans knew of it stays. What did not change since it was last read is not read again.

    [bold]Examples[/bold]

      inventory scan

      inventory scan --plan

      inventory scan --source control-plane --json

      inventory scan --output recordings    (where the graph cannot be reached; then: inventory load recordings/*)
    """
    from inventory.cli import road

    settings = road.opened_config(config)
    scanners = road.chosen_scanners(settings, source or [])
    if plan:
        _plan(settings, scanners, full=full or output is not None, as_json=as_json)
        return
    if output is not None:
        with road.opened_workers(workers, cluster) as hands, progress(as_json=as_json) as report:
            context = road.detection_context(settings, (), report)
            recorded = road.record_into(output, scanners, context, workers=hands)
        for outcome in recorded:
            road.tell_trouble(outcome)
        complete = all(outcome.complete for outcome in recorded)
    else:
        with road.opened_graph(settings) as graph:
            road.declare(graph, settings)  # the words that verdicts are said in; writes nothing when they are there
            with road.opened_workers(workers, cluster) as hands, progress(as_json=as_json) as report:
                context = road.detection_context(settings, road.reviews(graph), report)
                with closing(road.opened_sketches(settings)) as sketches:
                    outcomes = road.scan_into(graph, scanners, context, full=full, workers=hands, sketches=sketches)
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


def _plan(settings: Config, scanners: Sequence[Scanner], *, full: bool, as_json: bool) -> None:
    from inventory.cli import road

    context = road.detection_context(settings, (), lambda _: None)
    if not full:
        with road.opened_graph(settings) as graph:
            context = road.known_states(graph, scanners, context)
    plans = road.plan(scanners, context)
    if as_json:
        print_json([road.plan_document(one) for one in plans])
    else:
        road.tell_plans(plans)
    if any(one.reason for one in plans):
        raise typer.Exit(PARTIAL)
