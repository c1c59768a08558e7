"""How much of a statement is followed. Parsing and qualifying take more than proportional time on hostile or generated
SQL (a sum of 20,000 terms: minutes), so what is beyond these bounds is known by its tables alone."""

from __future__ import annotations

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

MOST_TEXT = 400_000  # characters: some seconds
MOST_NODES = 60_000
MOST_DEPTH = 1_200  # a chain of 2,000 sums takes more than a second, and twice as many four times that
MOST_COLUMNS = 20_000  # of all of a statement's queries together, with stars expanded
MOST_SCOPES = 1_500  # queries in a statement


def too_large(tree: exp.Expr) -> str:
    """Why a parsed statement is not followed, "" when it is."""
    nodes, deepest = 0, 0
    waiting = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        nodes += 1
        deepest = max(deepest, depth)
        if nodes > MOST_NODES:
            return f"it has more than {MOST_NODES:,} parts"
        if deepest > MOST_DEPTH:
            return f"it is nested more than {MOST_DEPTH:,} deep"
        waiting.extend((child, depth + 1) for child in node.iter_expressions())
    return ""


def too_wide(scopes: list[Scope], widths: dict[str, int]) -> str:
    """Why a statement's stars are not expanded, "" when they are. `scopes` are innermost first; `widths` say how many
    columns each plain table has. Two joined copies of a query of two joined copies double at every step."""
    if len(scopes) > MOST_SCOPES:
        return f"it has more than {MOST_SCOPES:,} queries"
    total = 0
    known: dict[int, int] = {}
    for scope in scopes:
        expression = scope.expression
        if isinstance(expression, exp.SetOperation):
            width = max((known.get(id(inner.expression), 0) for inner in scope.set_operation_scopes), default=0)
        elif isinstance(expression, exp.Query):
            wide = {name: _width(source, known, widths) for name, source in scope.sources.items()}
            width = sum(_columns_of(select, wide) for select in expression.selects)
        else:
            width = 0
        known[id(expression)] = width
        if isinstance(expression, exp.Select) and _grown(expression) > MOST_NODES:
            return f"its names for other columns stand for more than {MOST_NODES:,} parts"
        total += width
        if total > MOST_COLUMNS:
            return f"its stars stand for more than {MOST_COLUMNS:,} columns"
    return ""


def _grown(select: exp.Select) -> int:
    """How many parts the columns have once earlier columns' names are replaced by what they stand for: `a || a AS b,
    b || b AS c, …` doubles at every step."""
    sizes: dict[str, int] = {}
    total = 0
    for projection in select.expressions:
        names = [column.name for column in projection.find_all(exp.Column) if not column.table]
        size = 1 + sum(sizes.get(name, 1) for name in names)
        total += size
        if total > MOST_NODES:
            break
        if projection.alias:
            sizes[projection.alias] = size
    return total


def _columns_of(select: exp.Expr, wide: dict[str, int]) -> int:
    if isinstance(select, exp.Star):
        return sum(wide.values())
    if isinstance(select, exp.Column) and isinstance(select.this, exp.Star):
        return wide.get(select.table, 1)
    return 1


def _width(source: object, known: dict[int, int], widths: dict[str, int]) -> int:
    if isinstance(source, Scope):
        return known.get(id(source.expression), 0)
    return widths.get(source.name, 0) if isinstance(source, exp.Table) else 0
