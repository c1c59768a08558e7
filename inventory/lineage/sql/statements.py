"""The flows of a statement, and of a script of them."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlglot import exp, parse
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import TokenType

from inventory.errors import UnreadableError
from inventory.lineage.sql.bounds import MOST_TEXT, too_large
from inventory.lineage.sql.columns import Followed, TooWide
from inventory.lineage.sql.effects import STRENGTH, weakest
from inventory.lineage.sql.mentions import mentions
from inventory.lineage.sql.tables import Made, Outputs, Table, Tables
from inventory.lineage.sql.writes import Write, writes_of
from inventory.model import Transformation, dataset_of, field_urn

logging.getLogger("sqlglot").addFilter(lambda record: False)  # its warnings quote the SQL, values and all

GUESS = 0.3  # confidence of a flow that only the names of tables tell of
FAILS = (SqlglotError, RecursionError, KeyError, ValueError, TypeError, AttributeError, IndexError)


@dataclass(frozen=True, slots=True)
class Flow:
    """Data goes from a field (dataset) to a field (dataset)."""

    source: str
    target: str
    transformation: Transformation
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Lineage:
    """The flows of one statement. `gap` says in words why some are missing or only guessed, "" when none is.

    Where a statement could not be followed at all, its flows are those between the datasets that it names.
    """

    flows: tuple[Flow, ...]
    gap: str = ""

    @property
    def resolved(self) -> bool:
        """Whether every column was followed."""
        return not self.gap

    @property
    def guessed(self) -> bool:
        """Whether only the names of tables tell of the flows."""
        return any(flow.confidence < 1 for flow in self.flows)


@dataclass(frozen=True, slots=True)
class Written:
    """What one statement of a script (the first is 0) writes: into a dataset, or an outside place (a file, a URI)."""

    position: int
    target: Table | None
    place: str
    lineage: Lineage


def flows_of_statement(statement: str, dialect: str, target: Table, tables: Iterable[Table] | Tables) -> Lineage:
    """What `statement`, a query, the CREATE of a view, or a statement that writes, lets flow into `target`.

    `dialect` is sqlglot's name of it. A dataset's flow tells the most that one of its columns' flows tells, and is
    AGGREGATED where none of its columns flows (it is only counted, joined or filtered by). Of what cannot be parsed the
    flows between datasets are guessed. Raises UnreadableError when there is nothing to guess by, when the dialect is
    unknown and when the statement is no query.
    """
    known = _tables(tables, dialect, target.name)
    home = target.name.split(".")[:-1]
    if len(statement) > MOST_TEXT:
        return guessed(statement, target, known, f"its SQL is longer than {MOST_TEXT:,} characters")
    trees = _parsed(statement, dialect)
    unread = f"its SQL could not be parsed as {dialect}"
    if not trees or isinstance(trees[0], exp.Command):
        guess = guessed(statement, target, known, unread)
        if guess.flows:
            return guess
    if len(trees) != 1 or not isinstance(trees[0], (exp.Create, exp.Query, exp.Insert, exp.Update, exp.Merge)):
        raise UnreadableError(target.name, unread, "its lineage is unknown")
    large = too_large(trees[0])
    if large:
        return guessed(statement, target, known, large)
    writes = [write for write in _writes(trees[0]) if _is_into(write, target, known, home)]
    if not writes and isinstance(trees[0], (exp.Create, exp.Query)):
        raise UnreadableError(target.name, unread, "its lineage is unknown")
    return _united([_followed(write, target, known, home) for write in writes])


def flows_of_script(script: str, tables: Tables, home: Sequence[str] = ()) -> Iterator[Written]:
    """What the statements of a script let flow, through the tables that it makes for itself.

    `home` is the database and schema that completes short names. Statements that write nothing are passed over.
    Raises UnreadableError when it can be split into no statements at all.
    """
    known = tables.with_made()
    for position, text in enumerate(split(script, tables.dialect)):
        yield from _of_one(position, text, known, home)


def split(script: str, dialect: str) -> list[str]:
    """The statements of a script, one by one, so that one that does not parse spoils no other."""
    try:
        tokens = Dialect.get_or_raise(dialect).tokenize(script[: 20 * MOST_TEXT])
    except (SqlglotError, ValueError):
        return [part for part in script.split(";") if part.strip()]
    statements: list[str] = []
    start, depth = 0, 0
    for token in tokens:
        inside = token.token_type is TokenType.BEGIN and script[start : token.start].strip() != ""
        depth += inside - (token.token_type is TokenType.END and depth > 0)
        if token.token_type is TokenType.SEMICOLON and depth <= 0:
            statements.append(script[start : token.start])
            start, depth = token.end + 1, 0
    statements.append(script[start:])
    return [statement for statement in statements if statement.strip()]


def guessed(statement: str, target: Table | None, tables: Tables, why: str, home: Sequence[str] = ()) -> Lineage:
    """Flows between datasets by their names alone."""
    reads, _ = mentions(statement, tables, home or (target.name.split(".")[:-1] if target else ()))
    return _guess_of(reads, target, tables, why)


def _guess_of(reads: Iterable[Table], target: Table | None, tables: Tables, why: str) -> Lineage:
    flows = [
        Flow(table.urn, target.urn, Transformation.UNKNOWN, GUESS)
        for table in reads
        if target is not None and table.urn != target.urn and table.urn not in tables.made
    ]
    return Lineage(tuple(flows), why)


def _of_one(position: int, text: str, tables: Tables, home: Sequence[str]) -> Iterator[Written]:
    if len(text) > MOST_TEXT:
        yield from _guess(position, text, tables, home, f"its SQL is longer than {MOST_TEXT:,} characters")
        return
    trees = _parsed(text, tables.dialect)
    if len(trees) != 1 or isinstance(trees[0], exp.Command):
        if _WRITES.search(text[:2000]):
            yield from _guess(position, text, tables, home, f"its SQL could not be parsed as {tables.dialect}")
        return
    large = too_large(trees[0])
    if large:
        yield from _guess(position, text, tables, home, large)
        return
    _declare(trees[0], tables, home)
    for write in _writes(trees[0]):
        if isinstance(write.target, str):
            target = Table(write.target, "", ())
            yield Written(position, None, write.target, _followed(write, target, tables, home))
        elif write.target is not None:
            name = [_folded(part, tables) for part in write.target.parts]
            found = tables.find(name, home)
            if found is None or found.urn in tables.made:
                _make(write, name, found, tables, home)
            else:
                yield Written(position, found, "", _followed(write, found, tables, home))


_REPLACES = re.compile(r"\s*REPLACE\s+INTO\s", re.IGNORECASE)  # of MySQL and SQLite: an INSERT that first deletes
_WRITES = re.compile(r"\b(INSERT|MERGE|CREATE|UPDATE|REPLACE|COPY|UNLOAD|UPSERT)\b", re.IGNORECASE)


def _folded(part: exp.Expr, tables: Tables) -> str:
    normalized = Dialect.get_or_raise(tables.dialect).normalize_identifier(part.copy())
    return normalized.name


def _guess(position: int, text: str, tables: Tables, home: Sequence[str], why: str) -> Iterator[Written]:
    _, writes = mentions(text, tables, home)
    for target in writes:
        if target.urn not in tables.made:
            yield Written(position, target, "", guessed(text, target, tables, why, home))
    if not writes:
        yield Written(position, None, "", Lineage((), why))


def _declare(tree: exp.Expr, tables: Tables, home: Sequence[str]) -> None:
    """Note a table that the script makes empty, with its columns."""
    schema = tree.this if isinstance(tree, exp.Create) and tree.kind == "TABLE" else None
    if not isinstance(schema, exp.Schema) or tree.args.get("expression") or not isinstance(schema.this, exp.Table):
        return
    name = [_folded(part, tables) for part in schema.this.parts]
    columns = tuple(_folded(part.this, tables) for part in schema.expressions if isinstance(part, exp.ColumnDef))
    if tables.find(name, home) is None:
        table = Table(f"made:{'.'.join(name)}", ".".join(name), columns)
        tables.made[table.urn] = Made({}, ())
        tables.add(table)


def _make(write: Write, name: list[str], found: Table | None, tables: Tables, home: Sequence[str]) -> None:
    """Note what a table that the script makes for itself is made of."""
    try:
        followed = Followed(write.query.copy(), tables, home)
    except (*FAILS, TooWide):
        return
    named = _names(write, found, followed.outputs)
    columns = {column: origins for column, (_, origins) in zip(named, followed.outputs, strict=False)}
    reads = tuple(dict.fromkeys(each for table in followed.sources.values() for each in _behind(table, tables)))
    before = tables.made.get(found.urn) if found else None
    if before is not None:
        merged = {each: weakest([before.columns.get(each, ()), columns.get(each, ())]) for each in columns}
        columns, reads = {**before.columns, **merged}, tuple(dict.fromkeys([*before.reads, *reads]))
    table = Table(f"made:{'.'.join(name)}", ".".join(name), tuple(columns))
    tables.made[table.urn] = Made(columns, reads)
    tables.add(table)


def _behind(table: Table, tables: Tables) -> tuple[Table, ...]:
    made = tables.made.get(table.urn)
    return made.reads if made else (table,)


def _tables(tables: Iterable[Table] | Tables, dialect: str, about: str) -> Tables:
    if isinstance(tables, Tables):
        return tables
    try:
        return Tables(tables, dialect)
    except ValueError as error:
        raise UnreadableError(about, f"its SQL dialect {dialect!r} is unknown", "its lineage is unknown") from error


def _parsed(statement: str, dialect: str) -> list[exp.Expr]:
    if _REPLACES.match(statement):
        statement = _REPLACES.sub("INSERT INTO ", statement, count=1)
    try:
        return [tree for tree in parse(statement, dialect=dialect) if tree is not None]
    except (SqlglotError, RecursionError, ValueError):
        return []


def _writes(tree: exp.Expr) -> list[Write]:
    try:
        return list(writes_of(tree))
    except FAILS:
        return []


def _is_into(write: Write, target: Table, tables: Tables, home: Sequence[str]) -> bool:
    """Whether it writes `target`: a query does, and the CREATE of a view does by whatever name."""
    if write.target is None or write.makes:
        return True
    if isinstance(write.target, str):
        return False
    found = tables.find([_folded(part, tables) for part in write.target.parts], home)
    return found is not None and found.urn == target.urn


def _followed(write: Write, target: Table, tables: Tables, home: Sequence[str]) -> Lineage:
    try:
        followed = Followed(write.query.copy(), tables, home)
    except (*FAILS, TooWide) as error:
        why = str(error) if isinstance(error, TooWide) else "its columns could not be told apart"
        named = (tables.find([_folded(part, tables) for part in each.parts], home) for each in _tables_in(write.query))
        return _guess_of({table.urn: table for table in named if table}.values(), target, tables, why)
    fields = _field_flows(write, followed.outputs, target)
    sources = [each for table in followed.sources.values() for each in _behind(table, tables)]
    flows = (*_dataset_flows(sources, fields, target), *fields)
    return Lineage(flows, "" if followed.resolved else "some of its columns could not be followed through its SQL")


def _tables_in(query: exp.Query) -> Iterator[exp.Table]:
    return (table for table in query.find_all(exp.Table) if isinstance(table.this, exp.Identifier))


def _names(write: Write, target: Table | None, outputs: Outputs) -> list[str]:
    """What the query's columns are called in the target."""
    if write.columns is not None:
        return list(write.columns)
    if target is not None and not write.by_name and (write.makes or write.target is None):
        same = len(outputs) == len(target.columns)  # a view's own column list renames by position
        return list(target.columns) if same else [name for name, _ in outputs]
    if target is not None and not write.by_name and len(outputs) <= len(target.columns):
        return list(target.columns[: len(outputs)])
    return [name for name, _ in outputs]


def _field_flows(write: Write, outputs: Outputs, target: Table) -> list[Flow]:
    spelled = {column.lower(): column for column in target.columns}
    flows: list[Flow] = []
    for name, (_, origins) in zip(_names(write, target, outputs), outputs, strict=False):
        column = field_urn(target.urn, name if name in target.columns else spelled.get(name.lower(), name))
        flows.extend(Flow(place.urn, column, how) for place, how in origins if place.urn != column)
    return flows


def _dataset_flows(sources: Iterable[Table], fields: Sequence[Flow], target: Table) -> list[Flow]:
    flows: list[Flow] = []
    for urn in dict.fromkeys(table.urn for table in sources if table.urn != target.urn):
        hows = [flow.transformation for flow in fields if dataset_of(flow.source) == urn]
        flows.append(Flow(urn, target.urn, min(hows, key=STRENGTH.index, default=Transformation.AGGREGATED)))
    return flows


def _united(lineages: Sequence[Lineage]) -> Lineage:
    """One of several writes into the same target: each flow once, as it tells the most."""
    most: dict[tuple[str, str], Flow] = {}
    for flow in (flow for lineage in lineages for flow in lineage.flows):
        before = most.get((flow.source, flow.target))
        if before is None or STRENGTH.index(flow.transformation) < STRENGTH.index(before.transformation):
            most[flow.source, flow.target] = flow
    return Lineage(tuple(most.values()), next((lineage.gap for lineage in lineages if lineage.gap), ""))
