"""The tables of one dataset: those of all its sampled objects, like-named ones together.

An object that holds several tables (a workbook, an archive, a dump) is still one dataset; the fields of each table
are below the table's name: `Customers/email`, `{date}.csv/email`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import pyarrow as pa

from scanners.buckets.formats.interface import Table
from scanners.detection.interface import ColumnContext, Detection, FieldVerdict, TableContext, TableDetection
from scanners.records import union


class Tables:
    """Detection in progress on every table of a dataset, by its name ("" for the one of a plain file)."""

    def __init__(self, dataset: str, first: Iterable[Table], detection: Detection) -> None:
        self._dataset = dataset
        self._detection = detection
        self._columns: dict[str, tuple[ColumnContext, ...]] = {}
        self._tables: dict[str, TableDetection] = {}
        for table in first:
            self._columns[table.name] = union(iter((self._columns.get(table.name, ()), table.columns)))
        for name in self._columns:
            self._begin(name)

    def open(self, table: Table) -> None:
        """Take note of the table, whether it has rows or not."""
        if table.name not in self._tables:
            self._columns[table.name] = table.columns
            self._begin(table.name)

    def feed(self, table: Table, batch: pa.RecordBatch) -> bool:
        """Take in some rows of an opened table; False when more of them change nothing."""
        return self._tables[table.name].feed(batch)

    def columns(self) -> tuple[ColumnContext, ...]:
        """The columns of the dataset itself: those of plain files."""
        return self._columns.get("", ())

    def verdicts(self) -> Iterator[FieldVerdict]:
        """Of every table, each named table's below its name."""
        for name, table in self._tables.items():
            for verdict in table.verdicts():
                yield _below(name, verdict) if name else verdict

    def _begin(self, name: str) -> None:
        self._tables[name] = self._detection.table(TableContext(name or self._dataset, self._columns[name]))


def _below(name: str, verdict: FieldVerdict) -> FieldVerdict:
    column = verdict.column.replace("~", "~0").replace("/", "~1")
    return replace(verdict, column=name, pointer=f"/{column}{verdict.pointer}")
