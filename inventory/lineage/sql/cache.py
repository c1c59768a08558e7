"""What statements were found to do, kept by their text, so that only what is new or changed is read again."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path

import inventory
from inventory.lineage.sql.statements import Flow, Lineage
from inventory.model import Transformation

MOST_KEPT = 50_000  # statements; of some kB each
_AT_ONCE = 500
_SQLGLOT = version("sqlglot")


class LineageCache:
    """A SQLite file in the data directory. It holds names of datasets and fields, and never the text of a statement.

    It is a cache: a file that cannot be opened or read is as an empty one.
    """

    def __init__(self, directory: Path) -> None:
        self._connection: sqlite3.Connection | None = None
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(directory / "lineage-cache.sqlite", timeout=5)
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS lineage (key TEXT PRIMARY KEY, said TEXT NOT NULL, at INTEGER NOT NULL)"
            )
        except (sqlite3.Error, OSError):
            self._connection = None

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()

    def known(self, keys: Iterable[str]) -> dict[str, Lineage | str]:
        """What is known of these; a text says why the statement was refused."""
        if self._connection is None:
            return {}
        wanted, found = list(dict.fromkeys(keys)), dict[str, Lineage | str]()
        try:
            for start in range(0, len(wanted), _AT_ONCE):
                some = wanted[start : start + _AT_ONCE]
                marks = ",".join("?" * len(some))
                query = f"SELECT key, said FROM lineage WHERE key IN ({marks})"  # noqa: S608
                found |= {key: _read(json.loads(said)) for key, said in self._connection.execute(query, some)}
        except (sqlite3.Error, ValueError, KeyError, TypeError):
            return {}
        return found

    def keep(self, said: Mapping[str, Lineage | str]) -> None:
        """Keep these, and of all no more than the newest MOST_KEPT."""
        if self._connection is None or not said:
            return
        try:
            with self._connection:
                self._connection.executemany(
                    "INSERT OR REPLACE INTO lineage SELECT ?, ?, coalesce(max(at), 0) + 1 FROM lineage",
                    [(key, json.dumps(_written(each))) for key, each in said.items()],
                )
                self._connection.execute(
                    "DELETE FROM lineage WHERE at <= (SELECT max(at) FROM lineage) - ?", [MOST_KEPT]
                )
        except sqlite3.Error:
            return


def key_of(*parts: object) -> str:
    """The key of what depends on these alone; another version of the program or of sqlglot makes another."""
    said = "\0".join(map(str, (inventory.__version__, _SQLGLOT, *parts)))
    return hashlib.blake2b(said.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _written(said: Lineage | str) -> object:
    if isinstance(said, str):
        return said
    return [said.gap, [[f.source, f.target, f.transformation.value, f.confidence] for f in said.flows]]


def _read(said: object) -> Lineage | str:
    match said:
        case str():
            return said
        case [str(gap), list(flows)]:  # pyright: ignore[reportUnknownVariableType]
            return Lineage(tuple(Flow(s, t, Transformation(how), sure) for s, t, how, sure in flows), gap)  # pyright: ignore
        case _:
            raise ValueError("not of this form")
