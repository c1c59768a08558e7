"""The questions that can be put to the graph: one `.cypher` file each in `queries/`, found by its name.

A file begins with comment lines: what it answers, then `// parameters:` (each may have a default, as JSON) and
`// columns:`. A new question is a new file::

    // Systems by name.
    // parameters: as_of, after = "", limit = 100
    // columns: key, node, cursor
    MATCH (n:System) …

What is the same in all of them:

- `as_of` is a time (a datetime, or ISO 8601 text); absent, None or "" is now. What is valid then satisfies
  `valid_from <= $as_of AND coalesce(valid_to, '9') > $as_of`.
- A paged entry orders by its column `cursor`, which is unique, and answers at most `limit` rows after `after`.
- An entry about several nodes takes `keys` and says in each row's `key` which one it is of.
- `node` and `edge` are maps of properties. Times come out as datetimes, and what the graph keeps as JSON text
  (`evidence_json`) comes out decoded, without the suffix (`evidence`).
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any, cast

from inventory.errors import QuestionError
from inventory.graph.connection import Graph, Row

PAGE = 500

_PARAMETER = re.compile(r"\$([a-z_]+)")
_DECLARED = re.compile(r"(\w+)(?:\s*=\s*(\"[^\"]*\"|\[[^\]]*\]|[^,\s]+))?")
_TIMES = frozenset({"valid_from", "valid_to", "changed_at"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One question: what it answers, its Cypher, its parameters (with defaults for some) and its columns."""

    name: str
    answers: str
    query: str
    parameters: frozenset[str]
    defaults: Mapping[str, Any]
    columns: tuple[str, ...]


class Catalogue:
    """Asks the catalogue's questions of a graph, from threads or from an event loop."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def ask(self, name: str, /, **parameters: Any) -> list[Row]:
        """The rows. Raises QuestionError for an unknown entry, or missing or unknown parameters; GraphError."""
        entry = entry_named(name)
        return [decode(row) for row in self.graph.read(entry.query, **_filled(entry, parameters))]

    async def aask(self, name: str, /, **parameters: Any) -> list[Row]:
        """`ask` for an event loop."""
        entry = entry_named(name)
        return [decode(row) for row in await self.graph.aread(entry.query, **_filled(entry, parameters))]

    def pages(self, name: str, /, **parameters: Any) -> Iterator[Row]:
        """All rows of a paged entry, a page at a time."""
        after = ""
        while True:
            rows = self.ask(name, **parameters, after=after, limit=PAGE)
            yield from rows
            if len(rows) < PAGE:
                return
            after = rows[-1]["cursor"]

    async def check(self) -> None:
        """Raise GraphError unless the graph answers."""
        await self.graph.aread("RETURN 1 AS one")


@cache
def entries() -> Mapping[str, Entry]:
    """Every entry by its name."""
    room = files("inventory.graph") / "queries"
    texts = {
        file.name.removesuffix(".cypher"): file.read_text("utf-8")
        for file in room.iterdir()
        if file.name.endswith(".cypher")
    }
    return {name: parse_entry(name, texts[name]) for name in sorted(texts)}


def entry_named(name: str) -> Entry:
    """The entry of this name. Raises QuestionError with the nearest names."""
    entry = entries().get(name)
    if entry is None:
        near = difflib.get_close_matches(name, entries(), n=3)
        raise QuestionError(f"question {name!r}", "is not in the catalogue", " or ".join(near) or "see queries/")
    return entry


def parse_entry(name: str, text: str) -> Entry:
    """An entry of its file's text. Raises QuestionError when the header and the Cypher do not agree."""
    header: list[str] = []
    lines = text.splitlines()
    while len(header) < len(lines) and lines[len(header)].startswith("//"):
        header.append(lines[len(header)].removeprefix("//").strip())
    query = "\n".join(lines[len(header) :]).strip()
    said = {"answers": "", "parameters": "", "columns": ""}
    part = "answers"
    for line in header:
        word, colon, rest = line.partition(":")
        if colon and word in ("parameters", "columns"):
            part, line = word, rest.strip()
        said[part] = f"{said[part]} {line}".strip()
    declared = {match[1]: match[2] for match in _DECLARED.finditer(said["parameters"])}
    used = frozenset(_PARAMETER.findall(query))
    if used != declared.keys():
        raise QuestionError(f"question {name!r}", "declares other parameters than it uses", f"{sorted(used)}")
    return Entry(
        name=name,
        answers=said["answers"],
        query=query,
        parameters=used,
        defaults={parameter: json.loads(default) for parameter, default in declared.items() if default},
        columns=tuple(re.findall(r"\w+", said["columns"])),
    )


def moment(time: datetime | str | None = None) -> str:
    """A time as the graph keeps it: UTC, always 27 characters, so that text compares as time does. None is now."""
    if not time:
        time = datetime.now(UTC)
    elif isinstance(time, str):
        try:
            time = datetime.fromisoformat(time)
        except ValueError:
            raise QuestionError("time", "is not ISO 8601", "for example 2026-01-31T12:00:00Z") from None
    if time.tzinfo is None:
        time = time.replace(tzinfo=UTC)
    try:
        return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    except OverflowError:
        raise QuestionError("time", "is before year 1 or after 9999 in UTC", "ask for another time") from None


def decode(value: Any, name: str = "") -> Any:
    """What the graph keeps as text, as what it is: times as datetimes, `…_json` as its content."""
    if isinstance(value, dict):
        row = cast(Row, value)
        return {key.removesuffix("_json"): decode(item, key) for key, item in row.items()}
    if isinstance(value, list):
        return [decode(item, name) for item in cast(list[Any], value)]
    if isinstance(value, str):
        if name.endswith("_json"):
            return json.loads(value)
        if name in _TIMES or name.endswith("_at"):
            return datetime.fromisoformat(value)
    return value


def _filled(entry: Entry, given: Mapping[str, Any]) -> Row:
    parameters = {**entry.defaults, **given}
    if "as_of" in entry.parameters:
        parameters["as_of"] = moment(parameters.get("as_of"))
    missing = sorted(entry.parameters - parameters.keys())
    if missing:
        raise QuestionError(f"question {entry.name!r}", f"lacks {', '.join(missing)}", entry.answers)
    unknown = sorted(parameters.keys() - entry.parameters)
    if unknown:
        takes = ", ".join(sorted(entry.parameters)) or "nothing"
        raise QuestionError(f"question {entry.name!r}", f"has no parameter {', '.join(unknown)}", f"it takes {takes}")
    return parameters
