"""What a database's catalog says of its tables: plain facts, before they become observations."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa

from inventory.model import DatasetKind, PrincipalKind, Provenance


class Carrier(StrEnum):
    """How the values of a column travel from the database to detection."""

    TEXT = "text"  # anything that has a text form, cut to a length by the server
    JSON = "json"  # nested values, as the text of a JSON document
    INTEGER = "integer"
    FLOAT = "float"
    BOOLEAN = "boolean"
    BINARY = "binary"  # the first bytes


ARROW_TYPES: dict[Carrier, pa.DataType] = {
    Carrier.TEXT: pa.string(),
    Carrier.JSON: pa.string(),
    Carrier.INTEGER: pa.int64(),
    Carrier.FLOAT: pa.float64(),
    Carrier.BOOLEAN: pa.bool_(),
    Carrier.BINARY: pa.binary(),
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the catalog describes it."""

    name: str
    type: str
    carrier: Carrier = Carrier.TEXT
    nullable: bool = True
    comment: str = ""
    base_type: str = ""  # what a domain is made of; "" when it is no domain
    readable: bool = True  # False when the catalog already says that we may not read it


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A foreign key: `columns[i]` points to `target_columns[i]`. People may have declared it in a comment alone."""

    name: str
    columns: tuple[str, ...]
    target_schema: str
    target_table: str
    target_columns: tuple[str, ...]
    provenance: Provenance = Provenance.CONSTRAINT
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Reader:
    """Who may read a relation, or with `columns` these columns of it alone; see `inventory.model.AccessSeen`."""

    principal: str
    kind: PrincipalKind
    privilege: str
    via: str = ""
    evidence: str = ""
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Writer:
    """A statement that writes a relation, without its literals: a logged "query", or of a "trigger" of that name."""

    kind: str
    name: str
    statement: str


@dataclass(frozen=True, slots=True)
class Fault:
    """Why something could not be read, in our own words: a driver's text may hold values and secrets."""

    code: str
    cause: str
    remedy: str = ""
    fatal: bool = False  # the connection is gone: nothing more can be read

    def sentence(self, about: str) -> str:
        """One line: what, why, what to do."""
        return f"{about}: {self.cause}" + (f" ({self.remedy})" if self.remedy else "")


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view.

    `definition` is the view's SQL, "" for a table. `filtered` says that row security hides rows from us. `state` is
    what the server counts or times of the content's changes: the same state, the same rows; "" when it does not tell.
    `readers` is None when the server does not tell us who may read it.
    """

    schema: str
    name: str
    kind: DatasetKind
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    comment: str = ""
    row_estimate: int | None = None
    row_bytes: int | None = None  # how wide a row is on average
    definition: str = ""
    filtered: bool = False
    foreign: bool = False  # the rows are in another server
    origin: str = ""  # URN of the dataset there, where the catalog tells enough to name it
    unknown: Fault | None = None  # why the catalog could not tell all of it
    state: str = ""
    readers: tuple[Reader, ...] | None = None
    writers: tuple[Writer, ...] = ()
