"""Statements that write tables, as a server has seen or keeps them: logged queries and the bodies of triggers.

Each is attached to the relation that it writes, without its literals, so that lineage is derived from it as from a
view's definition. Statements that only read, or write what is no known table, are left out.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp, parse
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError

from scanners.databases.catalog import Relation, Writer
from scanners.databases.statements import without_literals

LOGGED, TRIGGER = "query", "trigger"  # kinds of jobs
MOST_STATEMENTS = 500  # of a source, the most often called first
MOST_TEXT = 100_000  # characters of one
MOST_OF_RELATION = 50

_WRITE = re.compile(
    r"\b(?:INSERT\s+INTO|MERGE\s+INTO|REPLACE\s+INTO|UPDATE\s+[^\s=]+\s+(?:AS\s+)?(?:\w+\s+)?SET)\b", re.I
)
_REPLACE = re.compile(r"\s*REPLACE\s+INTO\s", re.IGNORECASE)
_FAILS = (SqlglotError, RecursionError, ValueError, TypeError, AttributeError, KeyError)


@dataclass(frozen=True, slots=True)
class SeenStatement:
    """A statement, or the body of the trigger `trigger` of `table` (schema, name). Its text stays here."""

    text: str
    trigger: str = ""
    table: tuple[str, str] = ("", "")


def with_writers(relations: Sequence[Relation], statements: Iterable[SeenStatement], dialect: str) -> list[Relation]:
    """The relations, each with the statements that write it. `dialect` is sqlglot's name of theirs."""
    named = _Named(relations)
    found: defaultdict[tuple[str, str], dict[str, Writer]] = defaultdict(dict)
    for seen in statements:
        for tree in _trees(seen, dialect):
            for relation in _targets(tree, named, seen):
                kept = found[relation.schema, relation.name]
                text = without_literals(tree.sql(dialect=dialect, comments=False), dialect)
                if text and len(kept) < MOST_OF_RELATION:
                    kept.setdefault(text, Writer(TRIGGER if seen.trigger else LOGGED, seen.trigger, text))
    if not found:
        return list(relations)
    return [
        replace(
            relation, writers=tuple(sorted(found[key].values(), key=lambda writer: (writer.kind, writer.statement)))
        )
        if (key := (relation.schema, relation.name)) in found
        else relation
        for relation in relations
    ]


class _Named:
    """Relations by the names that statements give them."""

    def __init__(self, relations: Iterable[Relation]) -> None:
        self._by_path: dict[tuple[str, str], Relation] = {}
        self._by_name: defaultdict[str, list[Relation]] = defaultdict(list)
        for relation in relations:
            self._by_path[relation.schema.lower(), relation.name.lower()] = relation
            self._by_name[relation.name.lower()].append(relation)

    def find(self, table: exp.Table, near: str) -> Relation | None:
        """By schema and name, or the only one of that name, or the one of the schema `near`."""
        name = table.name.lower()
        if table.db:
            return self._by_path.get((table.db.lower(), name))
        candidates = self._by_name.get(name, [])
        return candidates[0] if len(candidates) == 1 else self._by_path.get((near.lower() or "public", name))


def _trees(seen: SeenStatement, dialect: str) -> Iterator[exp.Expr]:
    texts = _inside(seen.text[:MOST_TEXT], dialect) if seen.trigger else [seen.text]
    for text in texts:
        if len(text) > MOST_TEXT:
            continue
        try:
            trees = parse(_REPLACE.sub("INSERT INTO ", text, count=1), dialect=dialect)
            for tree in trees:
                if isinstance(tree, (exp.Insert, exp.Update, exp.Merge, exp.Create)) and _reads(tree):
                    yield _with_row(tree, seen, dialect) if seen.trigger else tree
        except _FAILS:
            continue


def _reads(tree: exp.Expr) -> bool:
    """Whether data comes from somewhere: a column or a query, not literals and parameters alone."""
    value = tree.args.get("expression") if isinstance(tree, (exp.Insert, exp.Create)) else tree
    return isinstance(value, exp.Expr) and value.find(exp.Column, exp.Query, exp.Star) is not None


def _targets(tree: exp.Expr, named: _Named, seen: SeenStatement) -> Iterator[Relation]:
    target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    if isinstance(target, exp.Table):
        relation = named.find(target, seen.table[0])
        if relation is None and isinstance(tree, exp.Update):
            aliased = (table for table in tree.find_all(exp.Table) if table.alias == target.name)
            relation = next((found for table in aliased if (found := named.find(table, seen.table[0]))), None)
        if relation is not None:
            yield relation


def _inside(body: str, dialect: str) -> Iterator[str]:
    """The statements that write, of a procedure's body: control words around them are passed over."""
    try:
        tokens = Dialect.get_or_raise(dialect).tokenize(body)
    except SqlglotError:
        return
    start = 0
    for token in [*tokens, None]:
        if token is None or (token.text == ";" and body[token.start] == ";"):
            part = body[start : token.start if token else len(body)]
            match = _WRITE.search(part)
            if match:
                yield part[match.start() :]
            start = token.end + 1 if token else len(body)


def _with_row(tree: exp.Expr, seen: SeenStatement, dialect: str) -> exp.Expr:
    """`NEW.email` in a trigger is a column of the table that it watches, which is named here for NEW and OLD."""
    meant = {column.table.lower() for column in tree.find_all(exp.Column)} & {"new", "old"}
    rows = [_row(seen, name) for name in sorted(meant)]
    if not rows:
        return tree
    if isinstance(tree, exp.Insert):
        values = tree.expression
        if isinstance(values, exp.Values):
            row = values.expressions[0]
            listed = row.expressions if isinstance(row, exp.Tuple) else [row]
            tree.set("expression", _joined(exp.select(*[value.copy() for value in listed]), rows))
        elif isinstance(values, exp.Select):
            tree.set("expression", _joined(values, rows))
    elif isinstance(tree, exp.Update):
        source = tree.args.get("from_")
        if dialect == "mysql" or source is not None:
            return tree
        tree.set("from_", exp.From(this=rows[0]))
    return tree


def _joined(query: exp.Select, rows: Sequence[exp.Table]) -> exp.Select:
    for row in rows:
        query = query.join(row, join_type="cross") if query.args.get("from_") else query.from_(row)
    return query


def _row(seen: SeenStatement, name: str) -> exp.Table:
    schema, table = seen.table
    return exp.table_(table, db=schema or None, quoted=True, alias=name)
