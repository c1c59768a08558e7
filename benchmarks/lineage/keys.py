"""How right the keys are that names suggest: the estate's foreign keys, hidden, next to what is inferred without them.

python -m benchmarks lineage.keys [--mistakes]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from sqlglot import exp, parse

from inventory.lineage.keys import KeyColumn, KeyTable, inferred_references

SCHEMA = Path("seed/estate/schema")

#: True, though no constraint of the schema says so: read by people.
UNDECLARED = frozenset(
    {
        ("accounts.organisations#plan_code", "billing.plans#plan_code"),
        ("platform.domains#project_id", "platform.projects#project_id"),
        ("telemetry.access_log#customer_id", "accounts.customers#customer_id"),
        ("telemetry.access_log#tenant_id", "accounts.customers#tenant_id"),
    }
)


def tables() -> Iterator[tuple[KeyTable, set[tuple[str, str]]]]:
    """Every table of the estate's schema, and the (source, target) fields that its foreign keys pair."""
    for path in sorted(SCHEMA.glob("*.sql")):
        for tree in parse(path.read_text("utf-8"), dialect="postgres"):
            if isinstance(tree, exp.Create) and tree.kind == "TABLE" and isinstance(tree.this, exp.Schema):
                yield _table(tree.this)


def _table(schema: exp.Schema) -> tuple[KeyTable, set[tuple[str, str]]]:
    urn = f"{schema.this.db}.{schema.this.name}"
    keys = {column.name for each in schema.find_all(exp.PrimaryKey) for column in each.expressions}
    pairs: set[tuple[str, str]] = set()
    columns: list[KeyColumn] = []
    for definition in schema.find_all(exp.ColumnDef):
        primary = definition.find(exp.PrimaryKeyColumnConstraint) is not None or definition.name in keys
        kind = definition.args.get("kind")
        columns.append(KeyColumn(definition.name, kind.sql("postgres") if kind else "", primary))
        for reference in definition.find_all(exp.Reference):
            pairs |= _pairs(urn, [definition.name], reference)
    for foreign in schema.find_all(exp.ForeignKey):
        pairs |= _pairs(urn, [column.name for column in foreign.expressions], foreign.args["reference"])
    return KeyTable(urn, "estate", schema.this.db, schema.this.name, tuple(columns)), pairs


def _pairs(urn: str, columns: list[str], reference: exp.Reference) -> set[tuple[str, str]]:
    target = reference.this
    named = target.this if isinstance(target, exp.Schema) else target
    others = [column.name for column in target.expressions] if isinstance(target, exp.Schema) else []
    return {
        (f"{urn}#{column}", f"{named.db}.{named.name}#{other}")
        for column, other in zip(columns, others or columns, strict=False)
    }


def main() -> None:
    """Print precision and recall."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--mistakes", action="store_true")
    given = arguments.parse_args()
    read = list(tables())
    truth = UNDECLARED.union(*(pairs for _, pairs in read))
    said = {(each.source, each.target) for each in inferred_references(table for table, _ in read)}
    right = said & truth
    hidden = f"{len(truth)} pairs of fields in keys ({len(UNDECLARED)} without a constraint)"
    print(f"{len(read)} tables, {hidden}, {len(said)} inferred from names")
    print(f"  precision {len(right) / max(1, len(said)):.3f}  recall {len(right) / max(1, len(truth)):.3f}")
    if given.mistakes:
        print("\n".join(f"wrong  {source} -> {target}" for source, target in sorted(said - truth)))
        print("\n".join(f"missed {source} -> {target}" for source, target in sorted(truth - said)))


if __name__ == "__main__":
    main()
