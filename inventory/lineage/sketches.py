"""Where sketches are kept: a file in `data_dir` beside the graph and never in it, readable by its owner alone.

A sketch follows its dataset: it is replaced when the dataset's content is read again, stays while the dataset is
unchanged, and ends when a complete listing no longer names the dataset, or a complete reading no longer its field.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inventory.errors import UnreadableError
from inventory.model import Aspect, Covered, DatasetSeen, FieldSketched, Observation, SystemSeen, dataset_of

FILE = "sketches.db"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS sketches (
    field TEXT NOT NULL, form TEXT NOT NULL, dataset TEXT NOT NULL, key TEXT NOT NULL, kind TEXT NOT NULL,
    hashes BLOB NOT NULL, "distinct" INTEGER NOT NULL, sampled INTEGER NOT NULL, "whole" INTEGER NOT NULL,
    "rows" INTEGER NOT NULL, first_seen REAL NOT NULL,
    PRIMARY KEY (field, form)
);
CREATE INDEX IF NOT EXISTS sketches_by_dataset ON sketches (dataset);
CREATE TABLE IF NOT EXISTS store (identity TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class KeptSketch:
    """A sketch as it is kept: `values` are its hashes, ascending; `first_seen` is when the field was first sketched."""

    field: str
    kind: str
    form: str
    values: npt.NDArray[np.uint64]
    distinct: int
    sampled: int
    whole: bool
    rows: int
    key: str
    first_seen: float  # seconds since 1970


class SketchStore:
    """The sketches of an installation; shared by threads and processes."""

    def __init__(self, data_dir: Path) -> None:
        """Open the store, or make it. Raises UnreadableError."""
        path = data_dir / FILE
        self._path, self._lock = path, threading.Lock()
        try:
            data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._database = sqlite3.connect(path, timeout=30, check_same_thread=False, isolation_level=None)
            self._database.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;" + _SCHEMA)
            self._database.execute(
                "INSERT INTO store SELECT ? WHERE NOT EXISTS (SELECT 1 FROM store)", [secrets.token_hex(8)]
            )
        except (OSError, sqlite3.Error) as error:
            raise UnreadableError(
                str(path), "cannot be opened", "it holds sketches; delete it, and scan again"
            ) from error

    @property
    def identity(self) -> str:
        """Another one after the store was lost: then what is unchanged must be read again all the same."""
        return str(self._database.execute("SELECT identity FROM store").fetchone()[0])

    def close(self) -> None:
        """Let the file go."""
        self._database.close()

    def sketches(self) -> Iterator[KeptSketch]:
        """All of them, by field."""
        rows = self._database.execute(
            'SELECT field, kind, form, hashes, "distinct", sampled, "whole", "rows", key, first_seen FROM sketches'
            " ORDER BY field, form"
        )
        for field, kind, form, hashes, distinct, sampled, whole, looked, key, first_seen in rows:
            values = np.frombuffer(hashes, dtype="<u8").astype(np.uint64)
            yield KeptSketch(field, kind, form, values, distinct, sampled, bool(whole), looked, key, first_seen)

    def taken_from(self, observations: Iterable[Observation]) -> Iterator[Observation]:
        """What a scan says, without its sketches, which are kept."""
        taking = _Taking(self)
        for observation in observations:
            if isinstance(observation, FieldSketched):
                taking.sketch(observation)
                continue
            taking.note(observation)
            yield observation
        taking.finish()

    def replace(self, dataset: str, sketches: Sequence[FieldSketched], *, complete: bool) -> None:
        """Keep a dataset's sketches; with `complete`, those that are not among them end."""
        now = datetime.now(UTC).timestamp()
        rows = [_row(dataset, sketch, now) for sketch in sketches]
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                known = self._first_seen(dataset)
                if complete:
                    self._database.execute("DELETE FROM sketches WHERE dataset = ?", [dataset])
                self._database.executemany(
                    "INSERT OR REPLACE INTO sketches VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    [(*row[:-1], known.get((row[0], row[1]), now)) for row in rows],
                )
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def keep_only(self, prefix: str, datasets: Iterable[str]) -> None:
        """End the sketches of all datasets whose URN begins so and that are not among these."""
        with self._lock:
            rows = self._database.execute(
                "SELECT DISTINCT dataset FROM sketches WHERE substr(dataset, 1, ?) = ?", [len(prefix), prefix]
            )
            gone = {str(row[0]) for row in rows} - set(datasets)
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany("DELETE FROM sketches WHERE dataset = ?", [[urn] for urn in gone])
            self._database.execute("COMMIT")

    def _first_seen(self, dataset: str) -> dict[tuple[str, str], float]:
        rows = self._database.execute("SELECT field, form, first_seen FROM sketches WHERE dataset = ?", [dataset])
        return {(field, form): seen for field, form, seen in rows}


class _Taking:
    """The sketches of one scan on their way into the store."""

    def __init__(self, store: SketchStore) -> None:
        self._store = store
        self._waiting: dict[str, list[FieldSketched]] = {}
        self._system = ""
        self._listed: set[str] = set()

    def sketch(self, sketch: FieldSketched) -> None:
        self._waiting.setdefault(dataset_of(sketch.field), []).append(sketch)

    def note(self, observation: Observation) -> None:
        """Keep a dataset's sketches when its content was read, and end those of datasets that are gone."""
        match observation:
            case SystemSeen():
                self._system = observation.urn
            case DatasetSeen():
                self._listed.add(observation.urn)
            case Covered(scope, Aspect.CONTENT):
                self._store.replace(scope, self._waiting.pop(scope, []), complete=True)
            case Covered(scope, Aspect.LISTING):
                self._store.keep_only(f"{scope}/" if scope == self._system else scope, self._listed)
            case _:
                pass

    def finish(self) -> None:
        """Keep what was sketched of datasets that could not be read to the end."""
        for dataset, sketches in self._waiting.items():
            self._store.replace(dataset, sketches, complete=False)


def _row(dataset: str, sketch: FieldSketched, now: float) -> tuple[Any, ...]:
    hashes = np.array(sketch.values, dtype="<u8").tobytes()
    counts = (sketch.distinct, sketch.sampled, sketch.whole, sketch.rows)
    return (sketch.field, sketch.form, dataset, sketch.key, sketch.kind, hashes, *counts, now)
