"""The labelled corpus: tables of many schemas, locales and naming habits, split by schema.

    python -m benchmarks.detection.corpus .cache/detection-corpus      writes Parquet files and labels.json

`corpus.txt` holds a table a line: its name, locale, share of nulls, and `column:kind` pairs (kinds in `makers.py`).
Train, dev and test hold different schemas; nothing is tuned on test.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from faker import Faker

from benchmarks.detection.makers import KINDS

ROWS = 240

SCHEMAS = Path(__file__).with_name("corpus.txt")

_TEXT_EMAIL = {"courriel_x": "email"}


@dataclass(frozen=True)
class Column:
    """One labelled column. `labels` must be found, `also` may be."""

    name: str
    kind: str
    labels: frozenset[str]
    also: frozenset[str]
    pointers: Mapping[str, str]


@dataclass(frozen=True)
class Table:
    """One table of the corpus with its labels."""

    name: str
    locale: str
    split: str
    columns: tuple[Column, ...]
    data: pa.RecordBatch


_SPLITS = ("train", "test", "train", "dev", "train", "test")
_POINTERS = {"profile_json": {"/contact/email": "user.contact.email", "/contact/phones/-": "user.contact.phone_number"}}


def tables(rows: int = ROWS, seed: int = 20261124) -> Iterator[Table]:
    """Every table of the corpus, in order."""
    for index, line in enumerate(SCHEMAS.read_text(encoding="utf-8").splitlines()):
        name, locale, nulls, *pairs = line.split()
        yield _table(index, name, locale, float(nulls), pairs, rows, seed)


def _table(index: int, name: str, locale: str, nulls: float, pairs: list[str], rows: int, seed: int) -> Table:
    faker = Faker(locale)
    faker.seed_instance(seed + index)
    rng = random.Random(seed * 31 + index)
    columns: list[Column] = []
    data: dict[str, list[Any]] = {}
    for pair in pairs:
        column, _, kind = pair.partition(":")
        kind = _TEXT_EMAIL.get(kind, kind)
        if kind == "profile_json":
            from benchmarks.detection.makers import profile_json

            data[column] = [profile_json(faker, rng, row) for row in range(rows)]
            columns.append(Column(column, kind, frozenset(), frozenset(), _POINTERS[kind]))
            continue
        made = KINDS[kind]
        keep = kind in {"key", "user_key", "uuid"}
        data[column] = [
            None if not keep and rng.random() < nulls else made.make(faker, rng, row) for row in range(rows)
        ]
        labels = frozenset({made.label, *made.contains} - {""})
        columns.append(Column(column, kind, labels, frozenset(made.also), {}))
    return Table(name, locale, _SPLITS[index % len(_SPLITS)], tuple(columns), pa.RecordBatch.from_pydict(data))


def write(folder: Path) -> None:
    """Write the corpus for programs of other environments to read."""
    folder.mkdir(parents=True, exist_ok=True)
    labels: list[dict[str, Any]] = []
    for table in tables():
        pq.write_table(pa.Table.from_batches([table.data]), folder / f"{table.name}.parquet")
        for column in table.columns:
            labels.append(
                {
                    "table": table.name, "split": table.split, "column": column.name,
                    "labels": sorted(column.labels), "also": sorted(column.also), "pointers": dict(column.pointers),
                }
            )  # fmt: skip
    (folder / "labels.json").write_text(json.dumps(labels, indent=1), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else ".cache/detection-corpus"))
