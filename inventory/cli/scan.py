"""`inventory scan`: look at the sources and load what was seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from inventory.cli.console import PARTIAL, print_json, progress, say
from inventory.cli.opening import ConfigOption, JsonOption, opened_config, opened_graph
from inventory.errors import ConfigError
from inventory.graph.connection import Graph
from inventory.graph.writer import GraphWriter, LoadReport, ScanRun, new_run_id
from inventory.lineage.derive import derive_flows
from inventory.model import Finding, Observation, Severity
from inventory.scan.config import DEFAULT_PATH, Config
from inventory.scan.recording import record
from inventory.scan.run import SourceOutcome, run_scans
from scanners.base import ScanContext, Scanner
from scanners.detection import ColumnDetector

Outcomes = list[SourceOutcome[LoadReport]]


def scan(
    config: ConfigOption = DEFAULT_PATH,
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
      inventory scan --output recordings/     (where the graph cannot be reached; then: inventory load recordings/*)
    """
    settings = opened_config(config)
    scanners = chosen(settings, source or [])
    with progress(as_json=as_json) as report:
        context = ScanContext(detection=ColumnDetector(), report=report)
        if output is not None:
            complete = _recorded(scanners, context, output)
        else:
            with opened_graph(settings) as graph:
                outcomes = scan_into(graph, scanners, context)
                derived = derive_flows(graph, settings.flows)
            complete = all(outcome.complete for outcome in outcomes)
            _told(outcomes, as_json=as_json)
            tell_findings(derived.findings)
    if not complete:
        raise typer.Exit(PARTIAL)


def chosen(config: Config, names: Sequence[str]) -> Sequence[Scanner]:
    """The configured scanners, or those of these names."""
    if not config.sources:
        raise ConfigError("sources", "none is configured", "add one to inventory.yaml, or try: inventory demo")
    known = {scanner.settings.name: scanner for scanner in config.sources}
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise ConfigError(f"--source {unknown[0]}", "is not configured", f"configured are {', '.join(known)}")
    return [known[name] for name in names] or list(config.sources)


def scan_into(graph: Graph, scanners: Sequence[Scanner], context: ScanContext) -> Outcomes:
    """Scan side by side into the graph; every source's outcome."""
    writer, run, started = GraphWriter(graph), new_run_id(), datetime.now(UTC)

    def load(source: str, observations: Iterable[Observation]) -> LoadReport:
        return writer.load(ScanRun(run, source, started), observations)

    with ThreadPoolExecutor(max_workers=4, thread_name_prefix="scan") as executor:
        return sorted(run_scans(scanners, context, load, executor), key=lambda outcome: outcome.source)


def _recorded(scanners: Sequence[Scanner], context: ScanContext, folder: Path) -> bool:
    folder.mkdir(parents=True, exist_ok=True)
    started = datetime.now(UTC)

    def write(source: str, observations: Iterable[Observation]) -> int:
        path = folder / f"{source}.jsonl"
        with path.open("w", encoding="utf-8") as file:
            count = record(file, source, started, observations)
        say(f"{path}: {count} observations")
        return count

    with ThreadPoolExecutor(max_workers=4, thread_name_prefix="scan") as executor:
        outcomes = list(run_scans(scanners, context, write, executor))
    for outcome in outcomes:
        tell_trouble(outcome)
    return all(outcome.complete for outcome in outcomes)


def _told(outcomes: Outcomes, *, as_json: bool) -> None:
    if as_json:
        print_json([as_document(outcome) for outcome in outcomes])
        return
    for outcome in outcomes:
        if outcome.report is not None:
            say(f"{outcome.source}: {outcome.report.summary}", style="green" if outcome.complete else "yellow")
        tell_trouble(outcome)


def tell_trouble(outcome: SourceOutcome[LoadReport] | SourceOutcome[int]) -> None:
    """One line for each thing that could not be looked at."""
    if outcome.error is not None:
        say(f"error: {outcome.error}", style="red")
    tell_findings(outcome.findings)


def tell_findings(findings: Iterable[Finding]) -> None:
    """One line for each finding that takes something away."""
    for finding in findings:
        if finding.severity is not Severity.INFO:
            say(f"{finding.severity}: {finding.message}", style="yellow")


def as_document(outcome: SourceOutcome[LoadReport]) -> dict[str, object]:
    """An outcome as JSON holds it."""
    return {
        "source": outcome.source,
        "complete": outcome.complete,
        "error": str(outcome.error) if outcome.error else None,
        "findings": [
            {"about": f.about, "code": f.code, "severity": str(f.severity), "message": f.message}
            for f in outcome.findings
        ],
        "loaded": outcome.report.counts if outcome.report else None,
    }
