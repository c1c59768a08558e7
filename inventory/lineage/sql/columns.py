"""From the columns of a query to the columns of tables that they are made of.

The query is qualified against the tables (stars expanded, CTEs, set operations, joins and subqueries followed) by
sqlglot, and each output column is then followed to where its data is from. Only what carries data is followed: a
column that is merely compared, filtered or joined by is none, and one that is counted is aggregated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlglot import exp
from sqlglot.optimizer.normalize_identifiers import normalize_identifiers
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope, traverse_scope
from sqlglot.schema import MappingSchema

from inventory.lineage.sql.bounds import too_wide
from inventory.lineage.sql.effects import JSON_ACCESS, TELLS_NO_VALUE, data_parts, effect, stronger, weakest
from inventory.lineage.sql.tables import Origin, Outputs, Place, Table, Tables
from inventory.model import Transformation


class TooWide(Exception):
    """The query's stars stand for too many columns; the text says for how many."""


class Followed:
    """A query's columns with their origins, the tables that it reads, and whether every column was found."""

    def __init__(self, query: exp.Query, tables: Tables, home: Sequence[str]) -> None:
        """Raises TooWide, and what sqlglot raises of a query that it cannot qualify."""
        _without_false_lambdas(query)
        query = normalize_identifiers(query, dialect=tables.dialect)
        self.sources = _bind(query, tables, home)
        self.outputs: Outputs = ()
        self.resolved = False
        widths = {plain: len(table.columns) for plain, table in self.sources.items()}
        wide = too_wide(list(traverse_scope(query)), widths)
        if wide:
            raise TooWide(wide)
        root = _qualified(query, self.sources, tables)
        follower = _Follower(self.sources, tables)
        self.outputs = follower.outputs(root)
        self.resolved = follower.resolved


def _without_false_lambdas(query: exp.Query) -> None:
    """sqlglot reads `f(payload -> 'key')` as a function of `payload` that gives 'key'; it is what is at the key."""
    for found in list(query.find_all(exp.Lambda)):
        names = found.expressions
        if isinstance(found.this, exp.Literal) and len(names) == 1 and isinstance(names[0], exp.Identifier):
            column = exp.Column(this=names[0].copy())
            found.replace(exp.JSONExtract(this=column, expression=found.this.copy()))


def _bind(query: exp.Query, tables: Tables, home: Sequence[str]) -> dict[str, Table]:
    """Give every table of the statement a plain unique name, so that dots, schemas and cases no longer matter."""
    bound: dict[str, Table] = {}
    for named in _named_tables(query):
        table = tables.find([part.name for part in named.parts], home)
        if table is None:
            continue
        plain = f"bound/{len(bound)}"
        bound[plain] = table
        if not named.alias:
            given = named.args.get("alias")
            columns = given.args.get("columns") if isinstance(given, exp.TableAlias) else None
            named.set("alias", exp.TableAlias(this=named.this.copy(), columns=columns))
        named.set("this", exp.to_identifier(plain, quoted=True))
        named.set("db", None)
        named.set("catalog", None)
    if tables.columns_fold and not tables.folds:
        for identifier in query.find_all(exp.Identifier):
            identifier.set("this", identifier.name.lower())
    for column in query.find_all(exp.Column):
        _without_schema(column)
    return bound


def _without_schema(column: exp.Column) -> None:
    """`schema.table.column` as `table.column`; `alias.document.key` stays, as qualifying makes it a path."""
    if not column.args.get("db"):
        return
    around = column.find_ancestor(exp.Select) or column
    if column.table in {table.alias_or_name for table in around.find_all(exp.Table)}:
        column.set("db", None)
        column.set("catalog", None)


def _named_tables(query: exp.Query) -> list[exp.Table]:
    """The tables, without what is the name of a CTE or a function."""
    found = {
        id(source): source
        for scope in traverse_scope(query)
        for source in scope.sources.values()
        if isinstance(source, exp.Table) and isinstance(source.this, exp.Identifier)
    }
    return list(found.values())


def _qualified(query: exp.Query, sources: Mapping[str, Table], tables: Tables) -> Scope:
    columns: dict[str, object] = {
        plain: {tables.fold_column(column): "text" for column in table.columns} for plain, table in sources.items()
    }
    qualified = qualify(
        query,
        dialect=tables.dialect,
        schema=MappingSchema(columns, dialect=tables.dialect, normalize=False),
        allow_partial_qualification=True,
        validate_qualify_columns=False,
        quote_identifiers=False,
        identify=False,
    )
    scope = build_scope(qualified)
    if scope is None:
        raise ValueError("no query")
    return scope


class _Follower:
    """Follows the columns of a qualified query down to the tables'."""

    def __init__(self, sources: Mapping[str, Table], tables: Tables) -> None:
        self._sources = sources
        self._tables = tables
        self._known: dict[int, Outputs] = {}
        self.resolved = True

    def outputs(self, scope: Scope) -> Outputs:
        """The name and the origins of each output column of a query."""
        key = id(scope)
        if key not in self._known:
            self._known[key] = ()  # a recursive query meets itself: its first part has told its columns
            self._known[key] = self._outputs(scope)
        return self._known[key]

    def _outputs(self, scope: Scope) -> Outputs:
        expression = scope.expression
        if isinstance(expression, exp.SetOperation):
            branches: list[Outputs] = []
            parts = scope.set_operation_scopes
            for branch in parts[:1] if isinstance(expression, exp.Except) else parts:  # what is taken away is no data
                branches.append(self.outputs(branch))
                self._known[id(scope)] = _united(branches)
            return _united(branches)
        if isinstance(expression, exp.Query):
            return tuple(
                (projection.alias_or_name, weakest([self._made_of(projection, scope, Transformation.COPIED)]))
                for projection in expression.selects
            )
        return ()

    def _made_of(self, node: exp.Expr, scope: Scope, done: Transformation) -> Iterator[Origin]:
        """Every origin of an expression, with what has been done to it on the way."""
        if isinstance(node, exp.Column):
            yield from self._column(node, scope, done)
        elif isinstance(node, exp.TableColumn):  # a whole row, as in row_to_json(c)
            yield from self._column(exp.column(node.name), scope, done)
        elif (row := _row_of(node)) is not None:  # (e).kind: a column of the row e
            yield from self._column(exp.column(node.expression.name, table=row), scope, done)
        elif isinstance(node, JSON_ACCESS) or _is_path(node):
            yield from self._json(node, scope, done)
        elif isinstance(node, (exp.Subquery, exp.Query)):
            inner = next((s for s in scope.subquery_scopes if s.expression is node.unnest()), None)
            for _, origins in self.outputs(inner) if inner else ():
                yield from ((place, stronger(done, how)) for place, how in origins)
        elif isinstance(node, exp.Parameter) and self._tables.dialect == "snowflake":
            yield from self._numbered(node, scope, done)
        elif isinstance(node, exp.Star):
            self.resolved &= isinstance(node.parent, exp.Count)  # else of a table that is not known
        elif not isinstance(node, TELLS_NO_VALUE):
            done = stronger(done, effect(node))
            for part in data_parts(node):
                yield from self._made_of(part, scope, done)

    def _column(self, column: exp.Column, scope: Scope, done: Transformation) -> Iterator[Origin]:
        source = _source(scope, column.table) or self._only_source(scope, column)
        if isinstance(source, Scope):
            yield from self._column_of_query(column.name, source, done)
            return
        if source is not None and not isinstance(source.this, exp.Identifier):  # json_each(…): from its arguments
            yield from self._unfolded(source.this, scope, stronger(done, Transformation.TRANSFORMED))
            return
        named = None if source is not None else _named_in_join(scope, column)
        if named is not None:
            yield from self._unfolded(named, scope, stronger(done, Transformation.TRANSFORMED))
            return
        table = self._sources.get(source.name) if source is not None else None
        name = self._tables.column(table, column.name) if table else None
        made = self._tables.made.get(table.urn) if table else None
        if table and made and name:
            yield from ((place, stronger(done, how)) for place, how in made.columns.get(name, ()))
        elif table and name:
            yield Place(table, name), done
        elif table and column.name == column.table:  # a whole row, as in row_to_json(c)
            yield from ((Place(table, each), stronger(done, Transformation.TRANSFORMED)) for each in table.columns)
        else:
            self.resolved = False  # its table is unknown, or no table has it, or more than one may

    def _only_source(self, scope: Scope, column: exp.Column) -> exp.Table | Scope | None:
        """Of a column that sqlglot gave to no source: the whole row that it names, or the one table that has it."""
        if column.table:
            return None
        around: Scope | None = scope
        while around is not None:
            named = around.sources.get(column.name)
            if isinstance(named, Scope):
                return named
            holders: list[exp.Table | Scope] = []
            for source in around.sources.values():
                if isinstance(source, exp.Table):
                    table = self._sources.get(source.name)
                    if table and self._tables.column(table, column.name):
                        holders.append(source)
                elif isinstance(source.expression, exp.Query):
                    names = [name for name, _ in self.outputs(source)]
                    if self._tables.fold_column(column.name) in map(self._tables.fold_column, names):
                        holders.append(source)
            if len(holders) == 1:
                return holders[0]
            if isinstance(named, exp.Table):
                column.set("table", exp.to_identifier(column.name))
                return named
            around = around.parent
        return None

    def _column_of_query(self, name: str, source: Scope, done: Transformation) -> Iterator[Origin]:
        expression = source.expression
        if isinstance(expression, exp.Lateral) and isinstance(expression.this, exp.Subquery):
            inner = next(iter(source.subquery_scopes), None)
            if inner is not None:
                yield from self._column_of_query(name, inner, done)
            return
        if not isinstance(expression, exp.Query):
            if not _is_offset(expression, name):
                yield from self._unfolded(expression, source, stronger(done, Transformation.TRANSFORMED))
            return
        fold = self._tables.fold_column
        found = False
        for output, origins in self.outputs(source):
            if fold(output) == fold(name):
                found = True
                yield from ((place, stronger(done, how)) for place, how in origins)
        if not found and not source.is_cte:  # a whole row of the subquery
            outer = {alias for alias, of in (source.parent.sources.items() if source.parent else ()) if of is source}
            if name in outer:
                for _, origins in self.outputs(source):
                    yield from ((place, stronger(done, Transformation.TRANSFORMED)) for place, _ in origins)

    def _unfolded(self, arguments: exp.Expr, scope: Scope, done: Transformation) -> Iterator[Origin]:
        """unnest(…), json_each(…): every value comes from the arguments."""
        for column in arguments.find_all(exp.Column):
            around = scope if column.table in scope.sources else scope.parent or scope
            yield from self._column(column, around, done)

    def _numbered(self, parameter: exp.Parameter, scope: Scope, done: Transformation) -> Iterator[Origin]:
        """`$1`: the first column of what is read."""
        number = parameter.this
        sources = list(scope.sources.values())
        if not isinstance(number, exp.Literal) or not number.name.isdigit() or len(sources) != 1:
            return
        source = sources[0]
        position = int(number.name) - 1
        if isinstance(source, Scope):
            outputs = self.outputs(source)
            for place, how in outputs[position][1] if 0 <= position < len(outputs) else ():
                yield place, stronger(done, how)
        else:
            table = self._sources.get(source.name)
            if table and 0 <= position < len(table.columns):
                yield Place(table, table.columns[position]), done

    def _json(self, node: exp.Expr, scope: Scope, done: Transformation) -> Iterator[Origin]:
        """`payload -> 'a' ->> 'b'` is the field `payload/a/b` where that is known, else made of `payload`."""
        base, pointer = _json_chain(node)
        for place, how in self._made_of(base, scope, done):
            inner = Place(place.table, place.column, place.pointer + pointer)
            if pointer and how is done and inner.pointer in place.table.pointers.get(place.column, ()):
                yield inner, how
            else:
                yield place, stronger(how, Transformation.TRANSFORMED)


def _united(branches: Sequence[Outputs]) -> Outputs:
    named = branches[0] if branches else ()
    return tuple(
        (name, weakest(branch[position][1] for branch in branches if position < len(branch)))
        for position, (name, _) in enumerate(named)
    )


def _named_in_join(scope: Scope, column: exp.Column) -> exp.Expr | None:
    """ClickHouse's `ARRAY JOIN tags AS tag` names values as a projection does."""
    for join in scope.expression.args.get("joins") or ():
        if isinstance(join.this, exp.Alias) and not column.table and join.this.alias == column.name:
            return join.this
    return None


def _is_offset(unfolded: exp.Expr, name: str) -> bool:
    """Whether a column of unnest(…) is the position and no value."""
    offset = unfolded.args.get("offset")
    return isinstance(offset, exp.Identifier) and offset.name == name


def _source(scope: Scope | None, name: str) -> exp.Table | Scope | None:
    """What a name stands for here, or in the query around (a correlated subquery)."""
    while scope is not None and name:
        source = scope.sources.get(name)
        if isinstance(source, (exp.Table, Scope)):
            return source
        scope = scope.parent
    return None


# --- places inside a document -------------------------------------------------------------------------------


def _is_path(node: exp.Expr) -> bool:
    """`document.key` and `document['key']`, where a column holds records."""
    if isinstance(node, exp.Dot):
        return isinstance(node.expression, exp.Identifier)
    return isinstance(node, exp.Bracket)


def _row_of(node: exp.Expr) -> str | None:
    """The name in `(name).column`."""
    if isinstance(node, exp.Dot) and isinstance(node.this, exp.Paren) and isinstance(node.expression, exp.Identifier):
        named = node.this.unnest()
        bare = isinstance(named, exp.TableColumn) or (isinstance(named, exp.Column) and not named.table)
        return named.name if bare else None
    return None


def _json_chain(node: exp.Expr) -> tuple[exp.Expr, str]:
    """The expression that holds the document, and the JSON pointer into it ("" when it is not constant)."""
    pointers: list[str] = []
    while isinstance(node, JSON_ACCESS) or _is_path(node):
        pointers.append(_pointer(node))
        node = node.this.unnest()
    return node, "".join(reversed(pointers)) if all(pointers) else ""


def _pointer(access: exp.Expr) -> str:
    if isinstance(access, exp.Dot):
        return _step(access.expression.name)
    if isinstance(access, exp.Bracket):
        keys = access.expressions
        return _step(keys[0].name) if len(keys) == 1 and isinstance(keys[0], exp.Literal) and keys[0].is_string else ""
    path = access.args.get("path") if isinstance(access, exp.JSONValue) else access.args.get("expression")
    while isinstance(path, (exp.Cast, exp.Paren)):
        path = path.this
    if isinstance(path, exp.JSONPath):
        keys = [part.this for part in path.expressions if isinstance(part, exp.JSONPathKey)]
        whole = len(keys) == sum(not isinstance(part, exp.JSONPathRoot) for part in path.expressions)
        return "".join(_step(str(key)) for key in keys) if whole else ""
    if not isinstance(path, exp.Literal) or not path.is_string:
        return ""
    if path.name.startswith("{") and path.name.endswith("}"):  # PostgreSQL: p #>> '{a,b}'
        return "".join(_step(key) for key in path.name[1:-1].split(","))
    if path.name.startswith("$."):
        keys = path.name[2:].split(".")
        return "".join(map(_step, keys)) if all(key.isidentifier() for key in keys) else ""
    return _step(path.name)


def _step(key: str) -> str:
    return "/" + key.replace("~", "~0").replace("/", "~1")
