"""What a parsed statement writes: each write is a target and a query whose columns go into it.

UPDATE, MERGE, VALUES and the like are turned into the query that says the same, so that one way of following columns
serves them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from sqlglot import exp

MOST_ROWS = 200  # of VALUES


@dataclass(frozen=True, slots=True)
class Write:
    """`query`'s columns go into `columns` of `target`, by position; by their names where `columns` is None.

    `target` is None for a bare query, or a table, or the text of an outside place (`COPY … TO 's3://…'`).
    `makes` says that the statement makes the target itself; `adds` that it was there before.
    """

    target: exp.Table | str | None
    columns: tuple[str, ...] | None
    query: exp.Query
    makes: bool = False
    by_name: bool = False


def writes_of(tree: exp.Expr) -> Iterator[Write]:
    """Every write of a statement; none of what moves no data (DELETE, GRANT, …)."""
    _move_ctes(tree)
    yield from _writing_ctes(tree)
    if isinstance(tree, exp.Create):
        yield from _of_create(tree)
    elif isinstance(tree, exp.Insert):
        yield from _of_insert(tree)
    elif isinstance(tree, exp.MultitableInserts):
        yield from _of_inserts(tree)
    elif isinstance(tree, exp.Update):
        yield from _of_update(tree)
    elif isinstance(tree, exp.Merge):
        yield from _of_merge(tree)
    elif isinstance(tree, exp.Copy):
        yield from _of_copy(tree)
    elif isinstance(tree, exp.Export):
        yield Write(_uri(tree), None, tree.this)
    elif isinstance(tree, exp.Query):
        yield from _of_query(tree)


def _of_query(query: exp.Query) -> Iterator[Write]:
    into = query.args.get("into")
    if isinstance(into, exp.Into) and isinstance(into.this, exp.Table):
        query.set("into", None)
        yield Write(into.this, None, query, makes=True)
    else:
        yield Write(None, None, query)


def _of_create(tree: exp.Create) -> Iterator[Write]:
    query = tree.expression
    if isinstance(query, exp.Subquery):
        query = query.unnest()
    target, columns = _named(tree.this)
    if not isinstance(query, exp.Query) or target is None:
        return
    properties = tree.args.get("properties")
    to = properties.find(exp.ToTableProperty) if properties else None
    if to is not None and isinstance(to.this, exp.Table):  # ClickHouse: the view writes into a table, by name
        yield Write(to.this, None, query, by_name=True)
        return
    yield Write(target, columns, query, makes=True)


def _of_insert(tree: exp.Insert) -> Iterator[Write]:
    target, columns = _named(tree.this)
    query = _query(tree.expression)
    if target is None or query is None:
        return
    _give_ctes(tree, query)
    conflict = tree.args.get("conflict")
    changed = conflict.expressions if isinstance(conflict, exp.OnConflict) else []
    if changed:
        yield from _of_conflict(changed, target, columns, query)
    yield Write(target, columns, query, by_name=bool(tree.args.get("by_name")))


def _of_conflict(
    changed: Sequence[exp.Expr], target: exp.Table, columns: tuple[str, ...] | None, query: exp.Query
) -> Iterator[Write]:
    """`ON CONFLICT DO UPDATE SET b = excluded.a`: the row that was to be inserted changes the one that is there."""
    named = [exp.to_identifier(column, quoted=True) for column in columns or ()]
    excluded = exp.Subquery(
        this=query.copy(), alias=exp.TableAlias(this=exp.to_identifier("excluded"), columns=named or None)
    )
    pairs = _assigned(part for part in changed if not part.find(exp.Anonymous))
    if named and pairs:
        source = exp.select(*(value for _, value in pairs)).from_(target.copy()).join(excluded, join_type="cross")
        yield Write(target, tuple(name for name, _ in pairs), source)


def _of_inserts(tree: exp.MultitableInserts) -> Iterator[Write]:
    source = tree.args.get("source")
    for part in tree.expressions:
        insert = part.this if isinstance(part, exp.ConditionalInsert) else part
        target, columns = _named(insert.this)
        if target is None or not isinstance(source, exp.Expr):
            continue
        from_: exp.Expr = source.copy()
        if isinstance(from_, exp.Query) and not isinstance(from_, exp.Subquery):
            from_ = exp.Subquery(this=from_, alias=exp.TableAlias(this=exp.to_identifier("source")))
        inner = insert.expression
        if isinstance(inner, exp.Values):
            rows = [row.expressions if isinstance(row, exp.Tuple) else [row] for row in inner.expressions[:1]]
            yield Write(
                target, columns, exp.select(*[_copy(value) for value in (rows[0] if rows else [])]).from_(from_)
            )
        elif isinstance(inner, exp.Select):
            yield Write(target, columns, inner if inner.args.get("from_") else inner.from_(from_))
        elif not inner:
            yield Write(target, columns, exp.select("*").from_(from_))


def _of_update(tree: exp.Update) -> Iterator[Write]:
    table = tree.this
    if not isinstance(table, exp.Table):
        return
    joins = _parts(table, "joins")
    table.set("joins", None)
    origin = tree.args.get("from_")
    froms = [origin.this] if isinstance(origin, exp.From) else []
    named: dict[str, exp.Table] = {table.alias_or_name: table}
    for join in joins:
        if isinstance(join.this, exp.Table):
            named[join.this.alias_or_name] = join.this
    aliased = froms and isinstance(froms[0], exp.Table) and froms[0].alias == table.name and not table.alias
    target = froms[0] if aliased else table  # T-SQL: UPDATE c SET … FROM customers AS c
    for inner in [*froms, *(join.this for source in froms for join in _parts(source, "joins"))]:
        if isinstance(inner, exp.Table) and inner.alias == table.name and not table.alias:
            target, aliased = inner, True
    by_target: dict[int, list[tuple[str, exp.Expr]]] = {}
    targets: dict[int, exp.Table] = {}
    for column, value in _assignments(tree.expressions):
        written = named.get(column.table, target) if not aliased else target
        targets[id(written)] = written
        by_target.setdefault(id(written), []).append((column.name, value))
    for key, pairs in by_target.items():
        query = exp.select(*(value.copy() for _, value in pairs))
        sources = [source.copy() for source in (froms if aliased else [table, *froms])]
        query = query.from_(sources[0]) if sources else query
        for source in sources[1:]:
            query = query.join(source, join_type="cross")
        for join in joins:
            query.append("joins", join.copy())
        _give_ctes(tree, query)
        yield Write(_bare(targets[key]), tuple(name for name, _ in pairs), query)


def _of_merge(tree: exp.Merge) -> Iterator[Write]:
    target, using = tree.this, tree.args["using"]
    whens = _parts(tree.args["whens"], "expressions")
    if not isinstance(target, exp.Table):
        return
    for when in whens:
        then = when.args.get("then")
        pairs: list[tuple[str, exp.Expr]] = []
        if isinstance(then, exp.Update):
            pairs = [(column.name, value) for column, value in _assignments(then.expressions)]
            stars = any(isinstance(part, exp.Star) for part in then.expressions)
        elif isinstance(then, exp.Insert):
            stars = isinstance(then.this, (exp.Star, exp.Var))
            values = then.expression
            listed = values.expressions if isinstance(values, exp.Tuple) else [values] if values else []
            names = [part.name for part in then.this.expressions] if isinstance(then.this, exp.Tuple) else []
            if listed and not names and not stars:
                query = exp.select(*[_copy(value) for value in listed]).from_(using.copy())
                _give_ctes(tree, query)
                yield Write(_bare(target), None, query)
                continue
            pairs = list(zip(names, listed, strict=False))
        else:
            continue
        if stars:
            query = exp.select("*").from_(using.copy())
            _give_ctes(tree, query)
            yield Write(_bare(target), None, query, by_name=True)
        elif pairs:
            query = exp.select(*(_copy(value) for _, value in pairs)).from_(using.copy())
            if isinstance(then, exp.Update):
                query = query.join(target.copy(), join_type="cross")
            _give_ctes(tree, query)
            yield Write(_bare(target), tuple(name for name, _ in pairs), query)


def _of_copy(tree: exp.Copy) -> Iterator[Write]:
    files = _parts(tree, "files")
    outside = next((part.name for part in files if isinstance(part, exp.Literal)), "")
    target, columns = _named(tree.this)
    if tree.args.get("kind"):  # FROM: only a query among the files tells columns
        query = next((part.unnest() for part in files if isinstance(part, exp.Subquery)), None)
        if isinstance(query, exp.Query) and target is not None:
            yield Write(target, columns, query)
        return
    if isinstance(tree.this, exp.Subquery):
        query = tree.this.unnest()
        if isinstance(query, exp.Query):
            yield Write(outside, None, query)
    elif target is not None:
        selected = [exp.column(column, quoted=True) for column in columns] if columns else ["*"]
        yield Write(outside, None, exp.select(*selected).from_(target.copy()))


def _uri(tree: exp.Export) -> str:
    options = tree.args.get("options")
    for part in _parts(options, "expressions") if isinstance(options, exp.Expr) else []:
        if isinstance(part, exp.Property) and part.name.lower() == "uri":
            return part.args["value"].name
    return ""


# --- parts --------------------------------------------------------------------------------------------------


def _named(node: object) -> tuple[exp.Table | None, tuple[str, ...] | None]:
    """The table, and the columns that stand after its name."""
    if isinstance(node, exp.Schema):
        columns = tuple(part.name for part in node.expressions if isinstance(part, (exp.Identifier, exp.ColumnDef)))
        return (node.this if isinstance(node.this, exp.Table) else None), columns or None
    return (node if isinstance(node, exp.Table) else None), None


def _bare(table: exp.Table) -> exp.Table:
    copy = table.copy()
    copy.set("alias", None)
    return copy


def _parts(node: exp.Expr, name: str) -> list[exp.Expr]:
    """An argument that is a list; [] when it is absent."""
    return cast("list[exp.Expr]", node.args.get(name) or [])


def _copy(node: exp.Expr) -> exp.Expr:
    return node.copy()


def _query(node: object) -> exp.Query | None:
    """The rows that are written, as a query: VALUES that name no column tell nothing and are left out."""
    if isinstance(node, exp.Values):
        rows = [row for row in node.expressions[:MOST_ROWS] if row.find(exp.Column, exp.Query)]
        queries = [
            exp.select(*[_copy(value) for value in (row.expressions if isinstance(row, exp.Tuple) else [row])])
            for row in rows
        ]
        query: exp.Query | None = queries[0] if queries else None
        for other in queries[1:]:
            query = exp.union(query, other, distinct=False) if query else other
        return query
    if isinstance(node, exp.Subquery):
        inner = node.unnest()
        return inner if isinstance(inner, exp.Query) else None
    if isinstance(node, exp.Table):
        return exp.select("*").from_(node.copy())
    return node if isinstance(node, exp.Query) else None


def _assignments(parts: Sequence[exp.Expr]) -> Iterator[tuple[exp.Column, exp.Expr]]:
    """Each column and what it is set to; `(a, b) = (SELECT x, y …)` is one for each."""
    for part in parts:
        if not isinstance(part, exp.EQ):
            continue
        if isinstance(part.this, exp.Column):
            yield part.this, part.expression
        elif isinstance(part.this, (exp.Tuple, exp.Paren)):
            columns = part.this.expressions if isinstance(part.this, exp.Tuple) else [part.this.this]
            for position, column in enumerate(columns):
                value = _at(part.expression, position)
                if isinstance(column, exp.Column) and value is not None:
                    yield column, value


def _assigned(parts: Iterator[exp.Expr]) -> list[tuple[str, exp.Expr]]:
    return [(column.name, value.copy()) for column, value in _assignments(list(parts))]


def _at(value: exp.Expr, position: int) -> exp.Expr | None:
    """The expression at a position of a row."""
    if isinstance(value, exp.Tuple):
        return value.expressions[position] if position < len(value.expressions) else None
    query = value.unnest()
    if isinstance(query, exp.Select) and position < len(query.selects):
        query = query.copy()
        query.set("expressions", [query.selects[position]])
        return exp.Subquery(this=query)
    return None


def _move_ctes(tree: exp.Expr) -> None:
    """`WITH m AS (DELETE … RETURNING x) …` reads as the query that returns the same."""
    for cte in list(tree.find_all(exp.CTE)):
        changed = cte.this
        if isinstance(changed, (exp.Delete, exp.Update, exp.Insert)):
            cte.set("this", _returned(changed))
            cte.set("writes", changed)


def _writing_ctes(tree: exp.Expr) -> Iterator[Write]:
    for cte in list(tree.find_all(exp.CTE)):
        changed = cte.args.pop("writes", None)
        if isinstance(changed, (exp.Update, exp.Insert)):
            before = [other.copy() for other in (cte.parent.expressions if cte.parent else []) if other is not cte]
            if before and not changed.args.get("with_"):
                for other in before:
                    other.args.pop("writes", None)
                changed.set("with_", exp.With(expressions=before))
            yield from _of_insert(changed) if isinstance(changed, exp.Insert) else _of_update(changed)


def _returned(changed: exp.Expr) -> exp.Query:
    returning = changed.args.get("returning")
    target, _ = _named(changed.this)
    selected = [_copy(part) for part in returning.expressions] if isinstance(returning, exp.Returning) else ["1"]
    query = exp.select(*selected)
    if target is not None:
        query = query.from_(target.copy())
    origin = changed.args.get("from_")
    for source in [*_parts(changed, "using"), *([origin.this] if isinstance(origin, exp.From) else [])]:
        query = query.join(source.copy(), join_type="cross")
    return query


def _give_ctes(tree: exp.Expr, query: exp.Query) -> None:
    """The CTEs that stand before INSERT, UPDATE or MERGE are those of its query."""
    given = tree.args.get("with_")
    if not isinstance(given, exp.With):
        return
    own = query.args.get("with_")
    together = [*given.copy().expressions, *(own.expressions if isinstance(own, exp.With) else [])]
    query.set("with_", exp.With(expressions=together, recursive=given.args.get("recursive")))
