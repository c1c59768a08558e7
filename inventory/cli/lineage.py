"""`inventory lineage import|export|dbt`: flows from and to files."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from inventory.cli.console import PARTIAL, print_json, say
from inventory.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption

if TYPE_CHECKING:
    from inventory.graph.connection import Graph

app = typer.Typer(
    help="Flows from and to files: OpenLineage events, and what dbt has written. (A running service takes events at "
    "/api/v1/lineage.)",
    no_args_is_help=True,
)


@app.command("import")
def import_files(
    files: Annotated[list[Path], typer.Argument(help="NDJSON: one OpenLineage event a line.")],
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Load OpenLineage events. Loaded again, nothing changes.

    Ends with exit status 3 when a line was no event: each is named, the others are loaded.

    [bold]Example[/bold]

      inventory lineage import events.ndjson
    """
    from inventory.cli import road
    from inventory.lineage.openlineage.files import import_events
    from inventory.lineage.openlineage.loading import Loader

    settings = road.opened_config(config)
    with road.opened_graph(settings) as graph:
        loader = Loader(graph)
        imported = {path: import_events(path, loader.load) for path in files}
        road.derive(graph, settings)
    if as_json:
        told = {
            str(path): {"events": one.events, "news": one.news, "findings": [f.message for f in one.findings]}
            for path, one in imported.items()
        }
        print_json(told)
    else:
        for path, one in imported.items():
            style = "yellow" if one.findings else "green"
            say(f"{path}: {one.events} events, {one.news} of them news, {len(one.findings)} lines refused", style=style)
            road.tell_findings(one.findings)
    if any(one.findings for one in imported.values()):
        raise typer.Exit(PARTIAL)


@app.command("export")
def export(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File; standard output without it.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Write every flow as OpenLineage events: NDJSON, one JobEvent for each job.

    [bold]Example[/bold]

      inventory lineage export > events.ndjson
    """
    from inventory.cli import road
    from inventory.errors import ConfigError

    with road.opened_graph(road.opened_config(config)) as graph:
        if output is None:
            _write(graph, sys.stdout)
            return
        try:
            with output.open("w", encoding="utf-8") as file:
                count = _write(graph, file)
        except OSError as error:
            raise ConfigError(str(output), error.strerror or "cannot be written") from error
    say(f"{output}: {count} jobs", style="green")


@app.command("dbt")
def dbt(
    target: Annotated[Path, typer.Argument(help="dbt's target folder, after `dbt build` and `dbt docs generate`.")],
    namespace: Annotated[
        str, typer.Option(help="The system its tables are in; by default the scanned one that holds the most.")
    ] = "",
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Load what a dbt project makes of what. (`lineage: dbt:` in the configuration does it with every scan.)

    [bold]Example[/bold]

      inventory lineage dbt shop/target --namespace postgres://db.example:5432
    """
    from inventory.cli import road
    from inventory.lineage.dbt.loading import load_project

    settings = road.opened_config(config)
    with road.opened_graph(settings) as graph:
        loaded = load_project(graph, target, namespace)
        road.derive(graph, settings)
    if as_json:
        print_json(
            {
                "loaded": [load.counts for load in loaded.loads],
                "findings": [finding.message for finding in loaded.findings],
            }
        )
        return
    for load in loaded.loads:
        say(f"{load.source}: {load.summary}", style="green")
    for finding in loaded.findings:
        say(finding.message, style="dim")


def _write(graph: Graph, file: TextIO) -> int:
    from inventory.graph.catalogue import Catalogue
    from inventory.lineage.openlineage.exporting import export_events

    count = 0
    for event in export_events(Catalogue(graph)):
        file.write(json.dumps(event, ensure_ascii=False) + "\n")
        count += 1
    return count
