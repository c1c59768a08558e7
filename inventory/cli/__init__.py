"""The command line: `inventory scan|load|ask|serve|demo|detect|review|disclosure|…` (`inventory --help` lists them).

Exit status: 0 done, 1 failed (one line on stderr says what, where and what to do), 2 wrong usage, 3 partial (what
could be done is done, what could not is named).
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

import inventory
from inventory.cli import (
    ask,
    audit,
    connector,
    demo,
    detect,
    disclosure,
    graph,
    lineage,
    load,
    review,
    scan,
    schedule,
    serve,
    token,
)
from inventory.cli.console import configure_logging, fail
from inventory.errors import InventoryError

app = typer.Typer(
    name="inventory",
    help="Where each category of personal data lives, and which processors receive it.",
    epilog="Start with: inventory demo --once",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,  # a traceback with local variables would print values and secrets
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("scan")(scan.scan)
app.command("load")(load.load)
app.command("ask")(ask.ask)
app.command("serve")(serve.serve)
app.command("demo")(demo.demo)
app.add_typer(review.app, name="review")
app.command("detect", add_help_option=False, context_settings={"ignore_unknown_options": True})(detect.detect)
app.add_typer(disclosure.app, name="disclosure")
app.add_typer(connector.app, name="connector")
app.add_typer(graph.app, name="graph")
app.add_typer(schedule.app, name="schedule")
app.add_typer(lineage.app, name="lineage")
app.add_typer(audit.app, name="audit")
app.add_typer(token.app, name="token")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"inventory {inventory.__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log what happens, to standard error.")] = False,
) -> None:
    """Where each category of personal data lives, and which processors receive it."""
    configure_logging(verbose=verbose)


def main() -> None:
    """Run the command line; an error that a user can act on is one line and exit status 1."""
    try:
        app()
    except InventoryError as error:
        sys.exit(fail(error))
