"""The datasets that a statement may name, and how it names them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from sqlglot.dialects.dialect import Dialect, NormalizationStrategy

from inventory.model import Transformation, field_urn

#: Dialects in which a column's name is the same in small and capital letters, while a table's may not be.
_COLUMNS_FOLD = frozenset({"mysql", "mariadb", "singlestore", "starrocks", "doris"})


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A dataset as a statement may name it: `name` is its dotted name, `columns` are in order.

    `pointers` are the fields known inside a JSON column: {"payload": {"/customer/email"}}.
    """

    urn: str
    name: str
    columns: tuple[str, ...]
    pointers: Mapping[str, Collection[str]] = field(default_factory=dict[str, Collection[str]])


@dataclass(frozen=True, slots=True)
class Place:
    """Where data comes from: a column of a table, or a JSON pointer inside it."""

    table: Table
    column: str
    pointer: str = ""

    @property
    def urn(self) -> str:
        """The field's URN."""
        return field_urn(self.table.urn, self.column, self.pointer)


Origin: TypeAlias = tuple[Place, Transformation]
Outputs: TypeAlias = tuple[tuple[str, tuple[Origin, ...]], ...]


@dataclass(frozen=True, slots=True)
class Made:
    """A table that a script makes for itself: what its columns are made of, and the tables it was read from."""

    columns: Mapping[str, tuple[Origin, ...]]
    reads: tuple[Table, ...]


class Tables:
    """Finds the table or column that a statement names, by the rules of a dialect."""

    def __init__(self, tables: Iterable[Table], dialect: str) -> None:
        self.dialect = dialect
        strategy = Dialect.get_or_raise(dialect).normalization_strategy
        self.folds = strategy in (
            NormalizationStrategy.CASE_INSENSITIVE,
            NormalizationStrategy.CASE_INSENSITIVE_UPPERCASE,
        )
        self.columns_fold = self.folds or dialect in _COLUMNS_FOLD
        self.made: dict[str, Made] = {}
        self._tables: dict[str, Table] = {}
        self._ends: defaultdict[str, list[Table]] = defaultdict(list)
        for table in tables:
            self.add(table)

    def add(self, table: Table) -> None:
        """Let statements name this table too."""
        self._tables[self.fold(table.name)] = table
        self._ends[_last(table.name)].append(table)

    def with_made(self) -> Tables:
        """A copy that a script may add its own tables to."""
        copy = object.__new__(Tables)
        copy.dialect, copy.folds, copy.columns_fold = self.dialect, self.folds, self.columns_fold
        copy.made = dict(self.made)
        copy._tables = dict(self._tables)
        copy._ends = defaultdict(list, {name: list(tables) for name, tables in self._ends.items()})
        return copy

    def __iter__(self) -> Iterable[Table]:
        """Every table."""
        return iter(self._tables.values())

    def fold(self, name: str) -> str:
        """A name as it compares with others."""
        return name.lower() if self.folds else name

    def fold_column(self, name: str) -> str:
        """A column's name as it compares with others."""
        return name.lower() if self.columns_fold else name

    def find(self, parts: Sequence[str], home: Sequence[str]) -> Table | None:
        """By its full name, or completed in front by `home` (a database and a schema), or by the end of its name
        where only one table's name ends so."""
        for kept in range(len(home), -1, -1):
            table = self._tables.get(self.fold(".".join([*home[:kept], *parts])))
            if table is not None:
                return table
        if len(parts) == 2 and not home and self.fold(parts[-1]) in self._tables:
            return self._tables[self.fold(parts[-1])]
        end = "." + ".".join(parts).lower()
        ending = [table for table in self._ends.get(_last(parts[-1]), ()) if f".{table.name}".lower().endswith(end)]
        return ending[0] if len(ending) == 1 else None

    def column(self, table: Table, name: str) -> str | None:
        """The column's own spelling."""
        folded = self.fold_column(name)
        return next((column for column in table.columns if self.fold_column(column) == folded), None)


def _last(name: str) -> str:
    return name.rpartition(".")[2].lower()
