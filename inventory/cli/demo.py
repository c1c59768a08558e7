"""`inventory demo`: the whole road on an estate of its own, in one command."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inventory.cli.console import PARTIAL, out, print_json, progress, say
from inventory.cli.options import JsonOption

if TYPE_CHECKING:
    from inventory.graph.connection import Graph
    from inventory.scan.config import Config

CATEGORY = "user.contact.email"


def demo(
    once: Annotated[bool, typer.Option("--once", help="Exit after the answer instead of serving.")] = False,
    rows: Annotated[int, typer.Option(min=10, help="Customers in the estate; its other tables grow with them.")] = 500,
    directory: Annotated[Path, typer.Option(help="Where the estate and its graph are kept.")] = Path(".inventory/demo"),
    port: Annotated[int, typer.Option(help="Port to serve on; 0 takes a free one.")] = 8383,
    as_json: JsonOption = False,
) -> None:
    """Create a demo estate, scan it, and say where e-mail addresses live and who receives them.

    The estate is a PostgreSQL, an S3 bucket, a Stripe account, a domain and the code of a made-up Canadian PaaS, real
    servers on loopback, with made-up people. What it holds is kept in the directory; a second run starts from there.

    [bold]Examples[/bold]

      inventory demo

      inventory demo --once --rows 2000
    """
    from inventory.errors import ConfigError

    try:
        from seed.estate import Estate  # its servers and generator come with the extra `demo`
    except ImportError as error:
        remedy = "pip install 'privacy-inventory[demo]'"
        raise ConfigError("inventory demo", f"needs {error.name}, which is not installed", remedy) from error
    from inventory.cli import road

    say(f"Starting the demo estate in {directory} (database, bucket, Stripe account, domain, code; {rows} customers)")
    with Estate(directory / "estate", rows=rows, report=lambda step: say(f"  {step}")) as estate:
        config = _config(estate.sources(), estate.flows(), directory)
        with road.opened_graph(config) as graph:
            complete = _mapped(graph, config)
            _answer(graph, as_json=as_json)
            if not once:
                say(f"While it serves, in another terminal: inventory ask --config {directory}/inventory.yaml")
                road.serve_graph(graph, config, config.serve.model_copy(update={"port": port}))
    if not complete:
        raise typer.Exit(PARTIAL)


def _config(sources: list[dict[str, Any]], flows: list[dict[str, Any]], directory: Path) -> Config:
    """The configuration of the estate, also written beside it, for other commands to use while the demo serves."""
    import yaml

    from inventory.scan.config import parse_config

    document = {"data_dir": str(directory.absolute()), "sources": sources, "flows": flows}
    path = directory / "inventory.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return parse_config(document, str(path))


def _mapped(graph: Graph, config: Config) -> bool:
    """Load the declared map, scan, derive the flows; whether nothing was left out."""
    from inventory.cli import road

    say("Loading the policy's declared map")
    road.declare(graph, config)
    say("Scanning")
    started = time.monotonic()
    with progress() as report:
        context = road.detection_context(config, road.reviews(graph), report)
        with closing(road.opened_sketches(config)) as sketches:
            outcomes = road.scan_into(graph, config.sources, context, sketches=sketches)
    for outcome in outcomes:
        road.tell_outcome(outcome)
    road.tell_findings(road.derive(graph, config).findings)
    say(f"Scanned and loaded in {time.monotonic() - started:.1f} s")
    return all(outcome.complete for outcome in outcomes)


def _answer(graph: Graph, *, as_json: bool) -> None:
    from inventory.cli import road
    from inventory.cli.telling import print_answer

    where = road.answer(graph, "WhereIs", {"category": CATEGORY})
    processors = road.answer(graph, "ProcessorsOf", {"category": CATEGORY})
    if as_json:
        print_json({"category": CATEGORY, **where, **processors})
        return
    out.print(f"\nWhere does [bold]{CATEGORY}[/bold] live?\n")
    print_answer(out, where)
    out.print(f"\nWhich processors receive [bold]{CATEGORY}[/bold]?\n")
    print_answer(out, processors)
    out.print()
