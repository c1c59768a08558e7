"""A GraphQL answer as tables, for people.

The questions people ask most are outlined in a way of their own (`OUTLINES`); any other answer gets a column for each
leaf of its rows. A list inside a row is told by its size and its first item: `--json` has all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, cast

from rich.console import Console
from rich.table import Table
from rich.text import Text

Row = Mapping[str, Any]


def print_answer(console: Console, data: Row) -> None:
    """Print every root field of `data`: lists as a table, a single object as its fields, nothing as "none"."""
    for name, value in data.items():
        rows, more = _rows(value)
        if rows is None:
            rows = [cast("Row", value)] if isinstance(value, dict) else [{name: value}] if value is not None else []
        if not rows:
            console.print(f"{name}: none")
        elif name in OUTLINES:
            OUTLINES[name](console, rows)
        else:
            _print_rows(console, [dict(_flat(row)) for row in rows])
        if more:
            console.print("… and more: ask with a larger first=, or after= for the next page", style="dim")


# --- outlines ---------------------------------------------------------------------------------------------


def _print_places(console: Console, rows: Sequence[Row]) -> None:
    """System, dataset, and a line for each field: how sure, as what, and why."""
    for _, of_system in groupby(rows, lambda row: row["system"]["urn"]):
        datasets = list(of_system)
        system = datasets[0]["system"]
        where = ", ".join(word for word in (system["engine"], system["region"]) if word)
        console.print(Text.assemble((system["name"], "bold"), f"  {where}"))
        for _, of_dataset in groupby(datasets, lambda row: row["dataset"]["urn"]):
            fields = list(of_dataset)
            console.print(Text(f"  {fields[0]['dataset']['name']}"))
            table = Table.grid(padding=(0, 2, 0, 0))
            for row in fields:
                found = row["classification"]
                reasons = "; ".join(reason["detail"] for reason in found["evidence"][:2])
                category = Text(found["categoryKey"], style="cyan")
                table.add_row("   ", row["field"]["name"], category, f"{found['confidence']:.2f}", Text(reasons, "dim"))
            console.print(table)


def _print_recipients(console: Console, rows: Sequence[Row]) -> None:
    """Who was seen to receive it, and where; then who is only declared."""
    seen = [row for row in rows if row["observed"]]
    for row in seen:
        declared = "declared and observed" if row["declared"] else "observed, not declared"
        services = ", ".join(row["processor"]["serviceClasses"])
        console.print(Text.assemble((row["processor"]["name"], "bold"), f"  {services}: ", (declared, "cyan")))
        for dataset, evidence in _evidence(row["disclosures"]).items():
            console.print(Text.assemble(f"  {dataset}  ", (evidence, "dim")))
    only_declared = [row["processor"]["name"] for row in rows if not row["observed"]]
    if only_declared:
        console.print(Text.assemble(("Declared, and not observed: ", "bold"), ", ".join(only_declared)))


def _evidence(disclosures: Sequence[Row]) -> dict[str, str]:
    """The first reason for each dataset that is disclosed, or that holds a disclosed field."""
    found: dict[str, str] = {}
    for disclosure in disclosures:
        if "urn" in disclosure["source"]:
            found.setdefault(disclosure["source"]["urn"].split("#")[0], disclosure["evidence"])
    return dict(sorted(found.items()))


OUTLINES: Mapping[str, Callable[[Console, Sequence[Row]], None]] = {
    "whereIs": _print_places,
    "processorsOf": _print_recipients,
}


# --- any answer -------------------------------------------------------------------------------------------


def _rows(value: Any) -> tuple[list[Row] | None, bool]:
    """The rows of a relay connection or a list, and whether there are more than these."""
    if isinstance(value, list):
        return cast("list[Row]", value), False
    if not isinstance(value, dict):
        return None, False
    connection = cast("dict[str, Any]", value)
    more = bool(connection.get("pageInfo", {}).get("hasNextPage", False))
    if "edges" in connection:
        return [_merged(edge) for edge in connection["edges"]], more
    return None, False


def _merged(edge: dict[str, Any]) -> Row:
    node = edge.get("node")
    rest = {key: value for key, value in edge.items() if key not in {"node", "cursor"}}
    return {**(cast("Row", node) if isinstance(node, dict) else {}), **rest}


def _flat(row: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    if not isinstance(row, dict):
        yield prefix or "value", _cell(row)
        return
    for key, value in cast("dict[str, Any]", row).items():
        column = f"{prefix}.{key}" if prefix else key
        if key in {"id", "__typename"}:
            continue
        if isinstance(value, dict) and _rows(cast("Any", value))[0] is None:
            yield from _flat(value, column)
        else:
            yield column, _cell(value)


def _cell(value: Any) -> str:
    rows, more = _rows(value)
    if rows is not None:
        if not rows:
            return ""
        first = " ".join(cell for _, cell in _flat(rows[0]) if cell)
        others = "" if len(rows) == 1 and not more else f" (+{len(rows) - 1}{' or more' if more else ''})"
        return first + others
    if value is None:
        return ""
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _print_rows(console: Console, rows: Sequence[Mapping[str, str]]) -> None:
    columns = [c for c in dict.fromkeys(key for row in rows for key in row) if any(row.get(c) for row in rows)]
    table = Table(header_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(_heading(column, columns), overflow="fold")
    for row in rows:
        table.add_row(*(Text(row.get(column, "")) for column in columns))
    console.print(table)


def _heading(column: str, columns: Sequence[str]) -> str:
    """The shortest tail of a dotted column name that no other column has."""
    parts = column.split(".")
    for size in range(1, len(parts) + 1):
        tail = ".".join(parts[-size:])
        if sum(other == tail or other.endswith(f".{tail}") for other in columns) == 1:
            return tail
    return column
