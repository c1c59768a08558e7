"""The statements with their expected flows: reads the files in `statements/`.

A file holds statements, each after lines of what should flow: `--@ TARGET: column < table.column other.column?; …`.
`?` marks what may be said or not: people differ on whether a column that is counted, ordered by or tested flows.
`* < users.*` stands for every column by its name. `-- dialect: NAME` holds until the next such line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOM = Path(__file__).with_name("statements")

Flow = tuple[str, str]  # "users.email", "v.e": small letters


@dataclass(frozen=True)
class Statement:
    """A statement, or a short script, with what must and what may flow."""

    part: str  # "known" or "blind"
    dialect: str
    sql: str
    targets: tuple[str, ...]
    required: frozenset[Flow]
    allowed: frozenset[Flow]


def schema() -> dict[str, list[str]]:
    """The columns of every table."""
    return yaml.safe_load((ROOM / "schema.yaml").read_text("utf-8"))


def statements() -> Iterator[Statement]:
    """All of them, in the order of the files."""
    known = schema()
    for path in sorted(ROOM.glob("*.sql")):
        yield from _of_file(path, known)


def _of_file(path: Path, known: Mapping[str, Sequence[str]]) -> Iterator[Statement]:
    dialect, expected, lines = "", list[str](), list[str]()
    for line in [*path.read_text("utf-8").splitlines(), "-- end"]:
        if line.startswith("--"):
            if lines:
                yield _statement(path.stem.partition("_")[0], dialect, "\n".join(lines), expected, known)
                expected, lines = [], []
            if line.startswith("--@ "):
                expected.append(line.removeprefix("--@ "))
            elif line.startswith("-- dialect: "):
                dialect = line.removeprefix("-- dialect: ").strip()
        elif line.strip():
            lines.append(line)


def _statement(
    part: str, dialect: str, sql: str, expected: Sequence[str], known: Mapping[str, Sequence[str]]
) -> Statement:
    required, optional, targets = set[Flow](), set[Flow](), list[str]()
    for line in expected:
        target, _, pairs = line.lower().partition(":")
        targets.append(target.strip())
        for pair in pairs.split(";"):
            column, _, sources = pair.partition("<")
            for source in sources.split():
                table, _, name = source.rstrip("?").partition(".")
                names = known[table] if name == "*" else [name]
                flows = {
                    (f"{table}.{each}", f"{target.strip()}.{each if name == '*' else column.strip()}") for each in names
                }
                (optional if source.endswith("?") else required).update(flows)
    return Statement(part, dialect, sql, tuple(targets), frozenset(required), frozenset(required | optional))
