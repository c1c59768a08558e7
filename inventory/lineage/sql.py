"""Which columns a SQL statement copies, changes, hashes or counts into which columns of its target.

Pure: a statement, the tables it may name, and its target go in; flows come out. The statement is qualified against
the tables (stars expanded, CTEs, set operations, joins and subqueries followed) by sqlglot, and each output column is
then followed to the columns it is made of. Only what carries data is a flow: a column that is merely compared,
filtered, joined or counted is none.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from sqlglot import exp, parse
from sqlglot.dialects.dialect import Dialect, NormalizationStrategy
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.normalize_identifiers import normalize_identifiers
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope, traverse_scope
from sqlglot.schema import MappingSchema

from inventory.errors import UnreadableError
from inventory.model import Transformation, dataset_of, field_urn

logging.getLogger("sqlglot").addFilter(lambda record: False)  # its warnings quote the SQL, values and all


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
class Flow:
    """Data goes from a field (dataset) to a field (dataset)."""

    source: str
    target: str
    transformation: Transformation


@dataclass(frozen=True, slots=True)
class Lineage:
    """The flows of one statement. Not `resolved`: only whole datasets could be told, not their columns."""

    flows: tuple[Flow, ...]
    resolved: bool = True


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

#: From what tells most of the data to what tells least.
_STRENGTH = (
    Transformation.COPIED,
    Transformation.TRANSFORMED,
    Transformation.MASKED,
    Transformation.AGGREGATED,
    Transformation.HASHED,
)


class _Names:
    """Finds the table or column that a statement names, by the rules of a dialect."""

    def __init__(self, tables: Iterable[Table], dialect: str) -> None:
        strategy = Dialect.get_or_raise(dialect).normalization_strategy
        self._folds = strategy in (
            NormalizationStrategy.CASE_INSENSITIVE,
            NormalizationStrategy.CASE_INSENSITIVE_UPPERCASE,
        )
        self._tables = {self.fold(table.name): table for table in tables}

    def fold(self, name: str) -> str:
        """A name as it compares with others."""
        return name.lower() if self._folds else name

    def table(self, named: exp.Table, home: Sequence[str]) -> Table | None:
        """By its full name, or completed in front by `home`, the target's database and schema."""
        parts = [part.name for part in named.parts]
        for kept in range(len(home), -1, -1):
            table = self._tables.get(self.fold(".".join([*home[:kept], *parts])))
            if table is not None:
                return table
        return self._tables.get(self.fold(parts[-1])) if len(parts) == 2 and not home else None

    def column(self, table: Table, name: str) -> str | None:
        """The column's own spelling."""
        return next((column for column in table.columns if self.fold(column) == self.fold(name)), None)


def flows_of_statement(statement: str, dialect: str, target: Table, tables: Iterable[Table]) -> Lineage:
    """What `statement`, a query or the CREATE of a view, lets flow into `target`.

    `dialect` is sqlglot's name of it. A dataset's flow tells the most that one of its columns' flows tells, and is
    AGGREGATED where none of its columns flows (it is only counted, joined or filtered by). Raises UnreadableError
    when the statement cannot be parsed or is no query.
    """
    names = _Names(tables, dialect)
    query = normalize_identifiers(_query_of(statement, dialect, target), dialect=dialect)
    try:
        sources = _bind(query, names, target)
        root = _qualified(query, sources, names, dialect)
    except (SqlglotError, RecursionError, KeyError, ValueError, TypeError, AttributeError):
        return Lineage((), resolved=False)
    follower = _Follower(sources, names)
    fields = _field_flows(follower.outputs(root), target)
    return Lineage((*_dataset_flows(sources.values(), fields, target), *fields), follower.resolved)


def _query_of(statement: str, dialect: str, target: Table) -> exp.Query:
    try:
        trees = [tree for tree in parse(statement, dialect=dialect) if tree is not None]
    except (SqlglotError, RecursionError):
        trees = []
    if len(trees) == 1:
        tree = trees[0].expression if isinstance(trees[0], exp.Create) else trees[0]
        if isinstance(tree, exp.Query):
            return tree
    raise UnreadableError(target.name, f"its SQL could not be parsed as {dialect}", "its lineage is unknown")


def _bind(query: exp.Query, names: _Names, target: Table) -> dict[str, Table]:
    """Give every table of the statement a plain unique name, so that dots, schemas and cases no longer matter."""
    home = target.name.split(".")[:-1]
    bound: dict[str, Table] = {}
    for named in _named_tables(query):
        table = names.table(named, home)
        if table is None:
            continue
        plain = f"bound/{len(bound)}"
        bound[plain] = table
        if not named.alias:
            named.set("alias", exp.TableAlias(this=named.this.copy()))
        named.set("this", exp.to_identifier(plain, quoted=True))
        named.set("db", None)
        named.set("catalog", None)
    for column in query.find_all(exp.Column):
        column.set("db", None)
        column.set("catalog", None)
    return bound


def _named_tables(query: exp.Query) -> list[exp.Table]:
    """The tables, without what is the name of a CTE or a function."""
    found = {
        id(source): source
        for scope in traverse_scope(query)
        for source in scope.sources.values()
        if isinstance(source, exp.Table) and isinstance(source.this, exp.Identifier)
    }
    return list(found.values())


def _qualified(query: exp.Query, sources: Mapping[str, Table], names: _Names, dialect: str) -> Scope:
    columns: dict[str, object] = {
        plain: {names.fold(column): "text" for column in table.columns} for plain, table in sources.items()
    }
    qualified = qualify(
        query,
        dialect=dialect,
        schema=MappingSchema(columns, dialect=dialect, normalize=False),
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

    def __init__(self, sources: Mapping[str, Table], names: _Names) -> None:
        self._sources = sources
        self._names = names
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
            branches = [self.outputs(branch) for branch in scope.set_operation_scopes]
            named = branches[0] if branches else ()
            return tuple(
                (name, _weakest(branch[position][1] for branch in branches if position < len(branch)))
                for position, (name, _) in enumerate(named)
            )
        if isinstance(expression, exp.Query):
            return tuple(
                (projection.alias_or_name, _weakest([self._made_of(projection, scope, Transformation.COPIED)]))
                for projection in expression.selects
            )
        return ()

    def _made_of(self, node: exp.Expr, scope: Scope, done: Transformation) -> Iterator[Origin]:
        """Every origin of an expression, with what has been done to it on the way."""
        if isinstance(node, exp.Column):
            yield from self._column(node, scope, done)
        elif isinstance(node, _JSON_ACCESS):
            yield from self._json(node, scope, done)
        elif isinstance(node, (exp.Subquery, exp.Query)):
            inner = next((s for s in scope.subquery_scopes if s.expression is node.unnest()), None)
            for _, origins in self.outputs(inner) if inner else ():
                yield from ((place, _stronger(done, how)) for place, how in origins)
        elif not isinstance(node, _TELLS_NO_VALUE):
            done = _stronger(done, _effect(node))
            for part in _data_parts(node):
                yield from self._made_of(part, scope, done)

    def _column(self, column: exp.Column, scope: Scope, done: Transformation) -> Iterator[Origin]:
        source = _source(scope, column.table)
        if isinstance(source, Scope):
            yield from self._column_of_query(column.name, source, done)
            return
        table = self._sources.get(source.name) if source is not None else None
        name = self._names.column(table, column.name) if table else None
        if table and name:
            yield Place(table, name), done
        else:
            self.resolved = False  # its table is unknown, or no table has it, or more than one may

    def _column_of_query(self, name: str, source: Scope, done: Transformation) -> Iterator[Origin]:
        if not isinstance(
            source.expression, exp.Query
        ):  # unnest(…), json_each(…): every value comes from its arguments
            for column in source.expression.find_all(exp.Column):
                if column.table:
                    yield from self._column(column, source, _stronger(done, Transformation.TRANSFORMED))
            return
        for output, origins in self.outputs(source):
            if self._names.fold(output) == self._names.fold(name):
                yield from ((place, _stronger(done, how)) for place, how in origins)

    def _json(self, node: exp.Expr, scope: Scope, done: Transformation) -> Iterator[Origin]:
        """`payload -> 'a' ->> 'b'` is the field `payload/a/b` where that is known, else made of `payload`."""
        base, pointer = _json_chain(node)
        for place, how in self._made_of(base, scope, done):
            inner = Place(place.table, place.column, place.pointer + pointer)
            if pointer and how is done and inner.pointer in place.table.pointers.get(place.column, ()):
                yield inner, how
            else:
                yield place, _stronger(how, Transformation.TRANSFORMED)


def _source(scope: Scope | None, name: str) -> exp.Table | Scope | None:
    """What a name stands for here, or in the query around (a correlated subquery)."""
    while scope is not None and name:
        source = scope.sources.get(name)
        if isinstance(source, (exp.Table, Scope)):
            return source
        scope = scope.parent
    return None


# --- what an expression does to its data ---------------------------------------------------------------------

_JSON_ACCESS = (exp.JSONExtract, exp.JSONExtractScalar, exp.JSONBExtract, exp.JSONBExtractScalar)

#: Their result says that something is so, or how often, and nothing of a value.
_TELLS_NO_VALUE = (exp.Predicate, exp.Connector, exp.Not, exp.Count, exp.CountIf, exp.ApproxDistinct)

_COPIES = (
    *(exp.Alias, exp.Paren, exp.Cast, exp.TryCast, exp.Coalesce, exp.Nullif, exp.Case, exp.If, exp.Collate),
    *(exp.Window, exp.Filter, exp.WithinGroup, exp.Ordered, exp.IgnoreNulls, exp.Distinct),
    *(exp.FirstValue, exp.LastValue, exp.NthValue, exp.Lag, exp.Lead),
)

#: Aggregates whose result is, or holds, single values.
_KEEPS_VALUES = (
    *(exp.Min, exp.Max, exp.AnyValue, exp.First, exp.Last, exp.ArgMax, exp.ArgMin, exp.Mode),
    *(exp.ArrayAgg, exp.ArrayUniqueAgg, exp.GroupConcat, exp.JSONArrayAgg, exp.JSONObjectAgg, exp.JSONBObjectAgg),
)

_HASHES = (exp.MD5, exp.MD5Digest, exp.SHA, exp.SHA1Digest, exp.SHA2, exp.SHA2Digest, exp.FarmFingerprint)
_HASH_NAMES = frozenset(
    [
        *("digest", "hmac", "crypt", "hash", "hashtext", "hashtextextended", "xxhash64", "blake3"),
        *("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3"),
    ]
)
_MASK_WORDS = ("mask", "redact", "anonymi", "pseudonymi")


def _effect(node: exp.Expr) -> Transformation:
    if isinstance(node, _COPIES):
        return Transformation.COPIED
    name = node.name.lower() if isinstance(node, exp.Anonymous) else ""
    if isinstance(node, _HASHES) or name in _HASH_NAMES:
        return Transformation.HASHED
    if any(word in name for word in _MASK_WORDS) or _covers_the_rest(node):
        return Transformation.MASKED
    if isinstance(node, exp.AggFunc) and not isinstance(node, _KEEPS_VALUES):
        return Transformation.AGGREGATED
    return Transformation.TRANSFORMED


def _covers_the_rest(node: exp.Expr) -> bool:
    """`left(email, 2) || '***'`: a part of a value joined to constant text."""
    if not isinstance(node, (exp.DPipe, exp.Concat)):
        return False
    parts = [part.unnest() for part in (node.flatten() if isinstance(node, exp.DPipe) else node.expressions)]
    cut = [isinstance(part, (exp.Left, exp.Right, exp.Substring)) for part in parts]
    return any(cut) and all(is_cut or part.find(exp.Column) is None for is_cut, part in zip(cut, parts, strict=True))


def _data_parts(node: exp.Expr) -> Iterator[exp.Expr]:
    """The parts whose data is in the result; conditions, partitions and orders are not."""
    if isinstance(node, exp.Case):
        parts = [*(branch.args.get("true") for branch in node.args["ifs"]), node.args.get("default")]
    elif isinstance(node, exp.If):
        parts = [node.args.get("true"), node.args.get("false")]
    elif isinstance(node, (exp.Window, exp.Filter, exp.WithinGroup, exp.Nullif, exp.Ordered, exp.Order)):
        parts = [node.this]
    else:
        parts = list(node.iter_expressions())
    yield from (part for part in parts if isinstance(part, exp.Expr))


def _json_chain(node: exp.Expr) -> tuple[exp.Expr, str]:
    """The expression that holds the document, and the JSON pointer into it ("" when it is not constant)."""
    pointers: list[str] = []
    while isinstance(node, _JSON_ACCESS):
        pointers.append(_pointer(node.expression))
        node = node.this.unnest()
    return node, "".join(reversed(pointers)) if all(pointers) else ""


def _pointer(path: exp.Expr) -> str:
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
    return _step(path.name)


def _step(key: str) -> str:
    return "/" + key.replace("~", "~0").replace("/", "~1")


def _stronger(one: Transformation, other: Transformation) -> Transformation:
    return max(one, other, key=_STRENGTH.index)


def _weakest(found: Iterable[Iterable[Origin]]) -> tuple[Origin, ...]:
    """Each place once, with what tells the most of it."""
    weakest: dict[Place, Transformation] = {}
    for origins in found:
        for place, how in origins:
            weakest[place] = min(weakest.get(place, how), how, key=_STRENGTH.index)
    return tuple(weakest.items())


# --- flows ---------------------------------------------------------------------------------------------------


def _field_flows(outputs: Outputs, target: Table) -> list[Flow]:
    if len(outputs) == len(target.columns):
        names: Iterable[str] = target.columns  # a view's own column list renames by position
    else:
        names = (name for name, _ in outputs)
    return [
        Flow(place.urn, field_urn(target.urn, name), how)
        for name, (_, origins) in zip(names, outputs, strict=True)
        for place, how in origins
        if place.table.urn != target.urn
    ]


def _dataset_flows(sources: Iterable[Table], fields: Sequence[Flow], target: Table) -> list[Flow]:
    flows: list[Flow] = []
    for urn in dict.fromkeys(table.urn for table in sources if table.urn != target.urn):
        hows = [flow.transformation for flow in fields if dataset_of(flow.source) == urn]
        flows.append(Flow(urn, target.urn, min(hows, key=_STRENGTH.index, default=Transformation.AGGREGATED)))
    return flows
