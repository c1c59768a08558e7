"""Fixtures that more than one room of tests uses. Heavy imports stay inside the fixtures."""

from __future__ import annotations

import re

import pytest


@pytest.fixture(scope="session")
def small_detection():
    """A detector that knows e-mail addresses only, for tests that are not about detection."""
    import pyarrow as pa

    from inventory.model import Evidence, Profile
    from scanners.detection.interface import FieldVerdict, TableContext, Verdict

    address = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")

    class Table:
        def __init__(self, context: TableContext) -> None:
            self.context = context
            self.values: dict[str, list[str]] = {column.name: [] for column in context.columns}
            self.rows = 0

        def feed(self, batch: pa.RecordBatch) -> bool:
            self.rows += batch.num_rows
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                self.values.setdefault(name, []).extend(str(v) for v in column.to_pylist() if v is not None)
            return True

        def verdicts(self):
            types = {column.name: column.type for column in self.context.columns}
            for name, values in self.values.items():
                hits = sum(1 for value in values if address.search(value))
                evidence = (Evidence("value:email", f"{hits} of {len(values)} sampled values", 4.0),)
                found = (Verdict("user.contact.email", 0.9, evidence),) if hits else ()
                null_share = 1 - len(values) / self.rows if self.rows else 0.0
                profile = Profile(len(values), null_share, len(set(values)) / max(len(values), 1))
                yield FieldVerdict(name, "", types.get(name, ""), profile, found)

    class SmallDetection:
        version = "small/1"

        def table(self, context: TableContext) -> Table:
            return Table(context)

        def redact(self, text: str) -> str:
            return address.sub("‹email›", text)

    return SmallDetection()
