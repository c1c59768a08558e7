"""`inventory connector draft|lint|table`: making and keeping the files of vendors' connectors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from inventory.cli.console import fail, say

app = typer.Typer(
    help="Connectors to vendors: draft one from the vendor's own description of its API, check files, list what is "
    "shipped (docs/connectors.md).",
    no_args_is_help=True,
)


@app.command()
def draft(
    description: Annotated[
        Path, typer.Argument(help="OpenAPI 3, Swagger 2 or Google's discovery format; JSON or YAML.")
    ],
    tags: Annotated[list[str] | None, typer.Option("--tag", help="Only operations with this tag (repeat).")] = None,
    paths: Annotated[
        list[str] | None,
        typer.Option("--path", help="Only paths that begin so, or fit the pattern: '/v1/cust*' (repeat)."),
    ] = None,
    everything: Annotated[
        bool,
        typer.Option("--all", help="Also lists of which no field's name says that it holds something of a person."),
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write it there, and never over a file.")
    ] = None,
) -> None:
    """Write a first connector for a person to curate: what only a person knows says TODO."""
    from inventory.errors import ConfigError
    from scanners.detection import ColumnDetector
    from scanners.integrations.draft import draft as drafted
    from scanners.integrations.openapi import read_description

    if output is not None and output.exists():
        raise ConfigError(str(output), "is there already", "give another name")
    found = drafted(read_description(description), ColumnDetector(), tags or (), paths or (), everything=everything)
    if output is None:
        typer.echo(found.text, nl=False)
    else:
        try:
            output.write_text(found.text, encoding="utf-8")
        except OSError as error:
            raise ConfigError(str(output), error.strerror or "cannot be written") from None
    say(f"{found.resources} of {found.lists} lists drafted; decide what says TODO, then: inventory connector lint FILE")


@app.command()
def lint(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE]...", help="By default all that are shipped.")
    ] = None,
) -> None:
    """Say everything that is amiss in connectors' files, with its line; exit status 1 if anything is."""
    from inventory.errors import ConfigError
    from scanners.integrations.connector import FOLDER
    from scanners.integrations.lint import problems

    paths = files or sorted(FOLDER.glob("*.yaml"))
    amiss = 0
    for path in paths:
        try:
            found = problems(path)
        except ConfigError as error:
            amiss += 1
            fail(error)
            continue
        amiss += len(found)
        for problem in found:
            typer.echo(f"{path}:{problem.line}: {problem.place + ': ' if problem.place else ''}{problem.message}")
    say(f"{len(paths)} files, {amiss} problems" if amiss else f"{len(paths)} files, nothing amiss")
    if amiss:
        raise typer.Exit(1)


@app.command()
def table(
    into: Annotated[
        Path | None, typer.Option("--into", help="Replace the tables between this document's marks.")
    ] = None,
) -> None:
    """Print who the shipped connectors' vendors are and what a source of each needs, as Markdown."""
    from inventory.errors import ConfigError
    from scanners.integrations.connector import connectors
    from scanners.integrations.table import replaced, tables

    text = tables(connectors())
    if into is None:
        typer.echo(text, nl=False)
        return
    try:
        into.write_text(replaced(into.read_text(encoding="utf-8"), text), encoding="utf-8")
    except OSError as error:
        raise ConfigError(str(into), error.strerror or "cannot be written") from None
    except ValueError as error:
        raise ConfigError(str(into), str(error)) from None
