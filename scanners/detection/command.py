"""`inventory detect`: a look at a file without any server, and the linter of users' detectors.

`app` is a typer application with the commands `file` and `lint`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from inventory.errors import InventoryError
from scanners.detection.detector import ColumnDetector
from scanners.detection.files import batches
from scanners.detection.interface import FieldVerdict, TableContext
from scanners.detection.lint import extended, lint, read

app = typer.Typer(no_args_is_help=True, help="Detect personal data in a file; check your own detectors.")


def detect_file(
    path: Path, rules: Sequence[Path] = (), column: str = "", exhaustive: bool = False
) -> Sequence[FieldVerdict]:
    """The verdicts on a file's fields, or on one column's.

    `rules` are YAML files of further detectors. Raises UnreadableError for the file, ConfigError for the rules.
    """
    detection = ColumnDetector(extended(rules), exhaustive=exhaustive).table(TableContext(path.stem, ()))
    for batch in batches(path):
        if not detection.feed(batch.select([column]) if column in batch.schema.names else batch) and not exhaustive:
            break
    return [verdict for verdict in detection.verdicts() if column in {"", verdict.column}]


Rules = Annotated[list[Path] | None, typer.Option("--rules", "-r", help="YAML file of your own detectors; repeatable.")]


@app.command("file")
def show(
    path: Annotated[Path, typer.Argument(help="CSV, JSON Lines, JSON, Parquet or text; .gz too.")],
    rules: Rules = None,
    column: Annotated[str, typer.Option("--column", "-c", help="Only this column.")] = "",
    exhaustive: Annotated[bool, typer.Option("--exhaustive", help="Search every value, not until settled.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    all_fields: Annotated[bool, typer.Option("--all", help="Also fields with nothing personal.")] = False,
) -> None:
    """Print a table of the personal data in FILE, with the evidence."""
    try:
        verdicts = detect_file(path, rules or (), column, exhaustive)
    except InventoryError as error:
        _fail(error)
    if as_json:
        print(json.dumps([_as_json(verdict) for verdict in verdicts], indent=2))  # noqa: T201
        return
    Console().print(_table(verdicts, all_fields))


@app.command("lint")
def check(
    rules: Annotated[list[Path], typer.Argument(help="YAML files of detectors.")],
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Check your own detectors: exit 1 when one is refused, with the reason."""
    try:
        found = [(rule, complaint) for rule in rules for detector in read(rule) for complaint in lint(detector)]
    except InventoryError as error:
        _fail(error)
    if as_json:
        lines = [
            {"file": str(rule), "detector": each.detector, "refused": each.refused, "message": each.message}
            for rule, each in found
        ]
        print(json.dumps(lines, indent=2))  # noqa: T201
    else:
        console = Console()
        for rule, each in found:
            word = "[red]refused[/red]" if each.refused else "[yellow]warning[/yellow]"
            console.print(f"{escape(rule.name)}, {escape(each.detector)}: {word}: {escape(each.message)}")
        if not found:
            console.print("all sound")
    if any(each.refused for _, each in found):
        raise typer.Exit(1)


def _fail(error: InventoryError) -> NoReturn:
    Console(stderr=True).print(escape(str(error)), style="red")
    sys.exit(1)


def _table(verdicts: Sequence[FieldVerdict], all_fields: bool) -> Table:
    table = Table("field", "category", "confidence", "evidence", title="Personal data")
    for verdict in verdicts:
        name = escape(verdict.column + verdict.pointer)
        for each in verdict.verdicts:
            reasons = "; ".join(f"{reason.detail} ({reason.signal}, {reason.weight:+.1f})" for reason in each.evidence)
            table.add_row(name, each.category, f"{each.confidence:.2f}", escape(reasons))
        if all_fields and not verdict.verdicts:
            table.add_row(name, "—", "", escape(verdict.reason))
    return table


def _as_json(verdict: FieldVerdict) -> dict[str, object]:
    return {
        "column": verdict.column,
        "pointer": verdict.pointer,
        "type": verdict.type,
        "null_share": verdict.profile.null_share,
        "distinct_share": verdict.profile.distinct_share,
        "reason": verdict.reason,
        "verdicts": [
            {
                "category": each.category,
                "confidence": each.confidence,
                "evidence": [
                    {"signal": reason.signal, "detail": reason.detail, "weight": reason.weight}
                    for reason in each.evidence
                ],
            }
            for each in verdict.verdicts
        ],
    }
