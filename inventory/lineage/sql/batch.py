"""Many statements at once: those that are known from before come from the cache, the rest is spread over processes."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from inventory.errors import UnreadableError
from inventory.lineage.sql.cache import LineageCache, key_of
from inventory.lineage.sql.statements import Lineage, flows_of_statement
from inventory.lineage.sql.tables import Table, Tables

WORTH_PROCESSES = 600  # statements: starting a process costs about as much as reading so many
_CHUNK = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """A statement, sqlglot's name of its dialect, the table it writes, and the system whose tables it may name."""

    statement: str
    dialect: str
    target: Table
    system: str


def lineages(
    asked: Sequence[Asked],
    systems: Mapping[str, Sequence[Table]],
    cache: LineageCache | None = None,
    processes: int | None = None,
) -> Iterator[Lineage | UnreadableError]:
    """What each statement does, in order; the error where it could not be read.

    `processes` is how many may be used: by default one a core, and none for a few statements.
    """
    schemas = {system: _schema(tables) for system, tables in systems.items()}
    keys = [key_of(each.statement, each.dialect, _schema([each.target]), schemas[each.system]) for each in asked]
    known = cache.known(keys) if cache else {}
    unread = {key: each for key, each in zip(keys, asked, strict=True) if key not in known}
    if processes is None:
        processes = (os.cpu_count() or 1) if len(unread) >= WORTH_PROCESSES else 0
    read = dict(zip(unread, _read(list(unread.values()), systems, processes), strict=True))
    if cache:
        cache.keep(read)
    for key, each in zip(keys, asked, strict=True):
        said = known.get(key) or read[key]
        if isinstance(said, str):
            yield UnreadableError(each.target.name, said, "its lineage is unknown")
        else:
            yield said


def _read(asked: Sequence[Asked], systems: Mapping[str, Sequence[Table]], processes: int) -> Iterator[Lineage | str]:
    if processes < 2 or len(asked) < 2:
        yield from _Reader(systems).read(asked)
        return
    chunks = [asked[start : start + _CHUNK] for start in range(0, len(asked), _CHUNK)]
    context = multiprocessing.get_context("spawn")  # a fork would take the driver's threads and sockets along
    needed = {each.system for each in asked}
    given = {system: tables for system, tables in systems.items() if system in needed}
    with ProcessPoolExecutor(processes, context, initializer=_begin, initargs=(given,)) as pool:
        for said in pool.map(_work, chunks):
            yield from said


class _Reader:
    """Reads statements of some systems; the tables of a system are looked through once for each dialect."""

    def __init__(self, systems: Mapping[str, Sequence[Table]]) -> None:
        self._systems = systems
        self._tables: dict[tuple[str, str], Tables] = {}

    def read(self, asked: Sequence[Asked]) -> Iterator[Lineage | str]:
        """What each does, or why it could not be read."""
        for each in asked:
            try:
                yield flows_of_statement(each.statement, each.dialect, each.target, self._of(each))
            except UnreadableError as error:
                yield error.cause

    def _of(self, asked: Asked) -> Tables | Sequence[Table]:
        key = asked.system, asked.dialect
        if key not in self._tables:
            try:
                self._tables[key] = Tables(self._systems[asked.system], asked.dialect)
            except ValueError:
                return ()  # the dialect is unknown, which reading will say
        return self._tables[key]


_reader: list[_Reader] = []  # of a worker process


def _begin(systems: Mapping[str, Sequence[Table]]) -> None:
    _reader[:] = [_Reader(systems)]


def _work(asked: Sequence[Asked]) -> list[Lineage | str]:
    return list(_reader[0].read(asked))


def _schema(tables: Sequence[Table]) -> str:
    return key_of(*((t.urn, t.name, t.columns, sorted((c, sorted(p)) for c, p in t.pointers.items())) for t in tables))
