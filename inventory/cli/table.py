"""A GraphQL answer as tables, for people.

The questions people ask most have a layout of their own (`LAYOUTS`); any other answer gets a column for each leaf of
its rows. A list inside a row is told by its size and its first item: `--json` has all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

from rich.console import Console
from rich.table import Table
from rich.text import Text

Row = Mapping[str, Any]
Layout = Mapping[str, Callable[[Row], str]]


def print_answer(console: Console, data: Row) -> None:
    """Print every root field of `data`: lists as a table, a single object as its fields, nothing as "none"."""
    for name, value in data.items():
        rows, more = _rows(value)
        if rows is None:
            rows = [cast("Row", value)] if isinstance(value, dict) else [{name: value}] if value is not None else []
        layout = LAYOUTS.get(name)
        cells = [{title: cell(row) for title, cell in layout.items()} if layout else dict(_flat(row)) for row in rows]
        _print_rows(console, name, cells, more=more)


# --- layouts ----------------------------------------------------------------------------------------------


def _provenances(row: Row) -> str:
    return ", ".join(sorted({str(d["provenance"]).lower() for d in row["disclosures"]}))


def _receives_from(row: Row) -> str:
    seen = {_dataset(d["source"]["urn"]) for d in row["disclosures"] if "urn" in d["source"]}
    return "\n".join(sorted(seen)) or "—"


def _dataset(urn: str) -> str:
    return urn.split("#")[0]


def _known(row: Row) -> str:
    declared, observed = row["declared"], row["observed"]
    return "declared and observed" if declared and observed else "declared, not observed" if declared else "observed"


def _reasons(row: Row) -> str:
    return "; ".join(reason["detail"] for reason in row["classification"]["evidence"][:2])


LAYOUTS: Mapping[str, Layout] = {
    "whereIs": {
        "system": lambda row: row["system"]["name"],
        "dataset": lambda row: row["dataset"]["name"],
        "field": lambda row: row["field"]["name"],
        "category": lambda row: row["classification"]["categoryKey"],
        "confidence": lambda row: f"{row['classification']['confidence']:.3f}",
        "because": _reasons,
    },
    "processorsOf": {
        "processor": lambda row: row["processor"]["name"],
        "service": lambda row: ", ".join(row["processor"]["serviceClasses"]),
        "known by": _known,
        "provenance": _provenances,
        "receives it in": _receives_from,
    },
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


def _print_rows(console: Console, title: str, rows: Sequence[Mapping[str, str]], *, more: bool) -> None:
    if not rows:
        console.print(f"{title}: none")
        return
    columns = [c for c in dict.fromkeys(key for row in rows for key in row) if any(row.get(c) for row in rows)]
    table = Table(header_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(_heading(column, columns), overflow="fold")
    for row in rows:
        table.add_row(*(Text(row.get(column, "")) for column in columns))
    console.print(table)
    if more:
        console.print("… and more: ask with a larger first=, or after= for the next page", style="dim")


def _heading(column: str, columns: Sequence[str]) -> str:
    """The shortest tail of a dotted column name that no other column has."""
    parts = column.split(".")
    for size in range(1, len(parts) + 1):
        tail = ".".join(parts[-size:])
        if sum(other == tail or other.endswith(f".{tail}") for other in columns) == 1:
            return tail
    return column
