"""A SQLite database as an object: opened in memory, each of its tables a table."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from scanners.base import Sampling
from scanners.buckets.content import Content
from scanners.buckets.formats.damage import damaged
from scanners.buckets.formats.interface import BATCH, Recognition, Table
from scanners.buckets.formats.labelled import MOST_TABLES, plain
from scanners.buckets.text import batches_of
from scanners.detection.interface import ColumnContext
from scanners.records import records

_MAGIC = b"SQLite format 3\0"
#: Places in the header (sqlite.org/fileformat.html) that say whether a journal file goes with it.
_JOURNAL = slice(18, 20)
_ROLLBACK = b"\1\1"
#: Steps of SQLite's machine for one statement: a damaged tree may lead in circles.
_MOST_STEPS = 20_000_000


@dataclass(frozen=True, slots=True)
class SqliteFile:
    """A SQLite 3 database file (sqlite.org/fileformat.html)."""

    name: str = "sqlite"
    suffixes: frozenset[str] = frozenset({".sqlite", ".sqlite3", ".db"})

    def recognises(self, content: Content) -> Recognition:
        """By the magic at its beginning."""
        return Recognition.MAGIC if content.head.data.startswith(_MAGIC) else Recognition.NO

    def open(self, content: Content, sampling: Sampling) -> Iterator[Table]:
        """One table a table, without views: they show what the tables hold."""
        with damaged(content, "damaged-sqlite", "is a damaged SQLite file"):
            database = _opened(content.file().read())
            try:
                query = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
                names = [str(name) for (name,) in database.execute(f"{query} AND rootpage > 0 ORDER BY name")]
                if len(names) > MOST_TABLES:
                    content.remark("too-many-tables", f"holds more than {MOST_TABLES} tables; the others were left out")
                for name in names[:MOST_TABLES]:
                    yield _table(content, database, name, sampling)
            finally:
                database.close()


def _opened(data: bytes) -> sqlite3.Connection:
    """In memory: nothing is written to a disk. What a schema may do by itself is switched off."""
    changed = bytearray(data)
    changed[_JOURNAL] = _ROLLBACK  # a database in WAL mode cannot be opened in memory
    database = sqlite3.connect(":memory:", isolation_level=None)
    database.deserialize(bytes(changed))
    database.text_factory = _decoded
    for setting in ("trusted_schema = OFF", "query_only = ON", "cell_size_check = ON"):
        database.execute(f"PRAGMA {setting}")
    return database


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "replace")


def _table(content: Content, database: sqlite3.Connection, name: str, sampling: Sampling) -> Table:
    quoted = '"' + name.replace('"', '""') + '"'
    found: list[tuple[str, str, bool]] = [
        (str(column), str(kind).lower(), bool(key))
        for _, column, kind, _, _, key, hidden in database.execute(f"PRAGMA table_xinfo({quoted})")
        if not hidden
    ]
    columns = tuple(ColumnContext(column, kind, primary_key=key) for column, kind, key in found)
    selected = ", ".join('"' + column.name.replace('"', '""') + '"' for column in columns)
    query = f"SELECT {selected} FROM {quoted} LIMIT {sampling.rows}"  # noqa: S608 (both are quoted)

    def rows() -> Iterator[dict[str, object]]:
        steps = iter(range(_MOST_STEPS // 1000))
        database.set_progress_handler(lambda: int(next(steps, None) is None), 1000)
        with damaged(content, "damaged-sqlite", "is a damaged SQLite file"):
            row: tuple[Any, ...]
            for row in database.execute(query):
                yield {column.name: plain(value) for column, value in zip(columns, row, strict=True)}

    batches = (records(batch, sampling.value_bytes).batch for batch in batches_of(rows(), min(BATCH, sampling.rows)))
    return Table(columns, batches, name)


FORMAT = SqliteFile()
