"""`inventory audit verify|show`: who asked the service what, and what came of it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from inventory.cli.console import out, print_json, say
from inventory.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption

app = typer.Typer(
    help="The audit of the service: who asked what, when, and what came of it. Lines are only ever added, each sealed; "
    "identifiers stand in it as keyed hashes.",
    no_args_is_help=True,
)


@app.command()
def verify(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Check every seal: exit status 1 and the first line that was altered, removed, added or moved."""
    from inventory.api.audit import lines
    from inventory.cli import road

    settings = road.opened_config(config)
    count, seal = 0, ""
    for _, line in lines(settings.data_dir, road.key_of(settings)):
        count, seal = count + 1, line.seal
    if as_json:
        print_json({"lines": count, "intact": True, "seal": seal})
    else:
        say(f"audit: {count} lines, all seals hold" + (f"; the last is {seal}" if seal else ""), style="green")


@app.command()
def show(
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="Only what was asked from then on (UTC)."),
    ] = None,
    about: Annotated[
        Path | None,
        typer.Option(
            help="File with one identifier: only what was asked with it; - reads standard input. Never on the command "
            "line, where other processes see it."
        ),
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Each line, oldest first, after checking its seal.

    [bold]Examples[/bold]

      inventory audit show --since 2026-11-01 --json

      echo person@example.ca | inventory audit show --about -
    """
    from inventory.api.audit import lines, text_hash, texts_key
    from inventory.cli import road

    settings = road.opened_config(config)
    key = road.key_of(settings)
    start = since.replace(tzinfo=UTC) if since else datetime.min.replace(tzinfo=UTC)
    wanted = text_hash(texts_key(key), _identifier(about)) if about else ""
    documents: list[dict[str, Any]] = []
    for _, line in lines(settings.data_dir, key):
        if datetime.fromisoformat(line.at) < start or (wanted and wanted not in _hashes(line.entry)):
            continue
        if as_json:
            documents.append({"at": line.at, **line.entry})
        else:
            out.print(_told(line.at, line.entry), soft_wrap=True, markup=False)
    if as_json:
        print_json(documents)


def _identifier(file: Path) -> str:
    from inventory.errors import QuestionError

    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionError(f"--about {file}", "cannot be read", "it holds one identifier") from error
    return text.strip()


def _hashes(entry: Mapping[str, Any]) -> set[str]:
    return {found for hashes in entry.get("identifiers", {}).values() for found in hashes}


def _told(at: str, entry: Mapping[str, Any]) -> str:
    if "event" in entry:
        return f"{at}  {entry['event']}"
    caller = entry.get("caller")
    who = f"{caller['name']} ({', '.join(caller['roles'])})" if caller else "nobody signed in"
    asked = entry.get("operation") or ", ".join(entry.get("fields", ())) or f"{entry['method']} {entry['route']}"
    rows = ", ".join(f"{field} {count}" for field, count in entry.get("rows", {}).items())
    return f"{at}  {who}  {asked}  {entry['outcome']}" + (f"  {rows}" if rows else "")
