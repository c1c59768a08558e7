"""How right column lineage of SQL is, next to sqllineage, and how fast statements are read.

python -m benchmarks lineage.sql [--mistakes] [--only statements|tpc|estate|speed]

Peers are looked for in `.cache/lineage-venv` (see `set_up_peers.sh`); without them only our own figures are printed.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from sqlglot import exp, parse_one
from sqlglot.dialects.dialect import Dialect, NormalizationStrategy

from benchmarks.lineage.corpus import Flow, Statement, schema, statements
from inventory.lineage.sql import Table, Tables, flows_of_script, flows_of_statement
from inventory.lineage.sql.batch import Asked, lineages
from inventory.lineage.sql.cache import LineageCache
from inventory.lineage.sql.statements import split
from inventory.model import FlowSeen, Provenance, dataset_of, dataset_urn

PEERS = Path(".cache/lineage-venv/bin/python")
PEER = Path(__file__).with_name("peer_sqllineage.py")


@dataclass(frozen=True)
class Tally:
    """Flows found, claimed wrongly and missed."""

    found: int = 0
    wrong: int = 0
    missed: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.found + other.found, self.wrong + other.wrong, self.missed + other.missed)

    def __str__(self) -> str:
        precision = self.found / (self.found + self.wrong) if self.found + self.wrong else 1.0
        recall = self.found / (self.found + self.missed) if self.found + self.missed else 1.0
        f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
        return f"precision {precision:.4f}  recall {recall:.4f}  F1 {f1:.4f}"


def score(said: set[Flow], asked: Statement) -> Tally:
    """Compare the flows that were said of a statement with what should be."""
    return Tally(len(said & asked.required), len(said - asked.allowed), len(asked.required - said))


def ours(sql: str, dialect: str, known: Mapping[str, Sequence[str]], targets: Iterable[str]) -> set[Flow]:
    """What we say of a statement."""
    upper = Dialect.get_or_raise(dialect).normalization_strategy is NormalizationStrategy.UPPERCASE
    named = {**dict.fromkeys(targets, ()), **known}
    tables = [_table(name, columns, upper=upper) for name, columns in named.items()]
    return {
        (_field(flow.source), _field(flow.target))
        for written in flows_of_script(sql, Tables(tables, dialect))
        for flow in written.lineage.flows
        if "#" in flow.source and "#" in flow.target
    }


def _table(name: str, columns: Sequence[str], *, upper: bool) -> Table:
    if upper:
        name, columns = name.upper(), [column.upper() for column in columns]
    return Table(name, name, tuple(columns))


def _field(urn: str) -> str:
    return urn.replace("#", ".").lower()


def theirs(asked: Sequence[tuple[str, str]], known: Mapping[str, Sequence[str]]) -> Iterator[set[Flow] | None]:
    """What sqllineage says of each statement and dialect; None where it raised."""
    lines = [json.dumps({"schema": known}), *(json.dumps({"sql": sql, "dialect": dialect}) for sql, dialect in asked)]
    answered = subprocess.run([PEERS, PEER], input="\n".join(lines), capture_output=True, text=True, check=True)
    for line in answered.stdout.splitlines():
        answer = json.loads(line)
        yield {(source, target) for source, target in answer["flows"]} if "flows" in answer else None


def compare_statements(mistakes: bool) -> None:
    """Precision and recall on the statements beside this file."""
    known, asked = schema(), list(statements())
    said: dict[str, list[set[Flow] | None]] = {
        "ours": [ours(each.sql, each.dialect, known, each.targets) for each in asked]
    }
    if PEERS.exists():
        said["sqllineage"] = list(theirs([(each.sql, each.dialect) for each in asked], known))
    dialects = len({each.dialect for each in asked})
    print(f"{len(asked)} statements in {dialects} dialects, {sum(len(each.required) for each in asked)} flows")
    for who, answers in said.items():
        for part in ("known", "blind", "all"):
            pairs = [pair for pair in zip(asked, answers, strict=True) if part in (pair[0].part, "all")]
            tally = sum((score(flows or set(), each) for each, flows in pairs), Tally())
            whole = sum(
                not score(flows or set(), each).wrong + score(flows or set(), each).missed for each, flows in pairs
            )
            refused = sum(flows is None for _, flows in pairs)
            print(f"  {who:11} {part:6} {tally}  {whole} of {len(pairs)} statements all right, {refused} refused")
    if mistakes:
        for each, flows in zip(asked, said["ours"], strict=True):
            wrong, missed = (flows or set()) - each.allowed, each.required - (flows or set())
            if wrong or missed:
                print(
                    f"{each.part} {each.dialect} | {each.sql}\n    wrong {sorted(wrong)}\n    missed {sorted(missed)}"
                )


def compare_tpc() -> None:
    """The queries of TPC-H and TPC-DS, which DuckDB's extensions ship: nobody wrote down what flows in them, so only
    what is followed at all, and how far the two agree, is said."""
    if not PEERS.exists():
        print("TPC: no peers' environment (benchmarks/lineage/set_up_peers.sh)")
        return
    answered = subprocess.run([PEERS, PEER, "tpc"], capture_output=True, text=True, check=True)
    shipped = json.loads(answered.stdout)
    for name in ("tpch", "tpcds"):
        asked = [(f"CREATE VIEW v AS {query.strip().rstrip(';')}", "duckdb") for query in shipped[name]["queries"]]
        mine = [ours(sql, dialect, shipped[name]["schema"], ["v"]) for sql, dialect in asked]
        both = [(one, other or set()) for one, other in zip(mine, theirs(asked, shipped[name]["schema"]), strict=True)]
        shared = sum(len(one & other) for one, other in both)
        said, said_there = (sum(len(pair[side]) for pair in both) for side in (0, 1))
        followed = sum(bool(one) for one in mine)
        print(
            f"{name}: {len(asked)} queries, {followed} followed by us, {sum(bool(other) for _, other in both)} by "
            f"sqllineage; {said} and {said_there} flows, {shared} of them the same"
        )


def compare_estate() -> None:
    """The estate's views: their flows next to the truth of its generator."""
    from seed.estate import names
    from seed.estate.score import score_flows
    from seed.estate.truth import truth

    known, views = estate_schema()
    tables = [
        Table(dataset_urn(names.DATABASE_NAMESPACE, name), name, tuple(columns)) for name, columns in known.items()
    ]
    by_name = {table.name: table for table in tables}
    found = [
        FlowSeen(flow.source, flow.target, Provenance.SQL, flow.transformation)
        for name, statement in views.items()
        for flow in flows_of_statement(statement, "postgres", by_name[name], tables).flows
    ]
    of_views = {by_name[name].urn for name in views}
    all_of_it = truth()
    true = replace(all_of_it, flows=tuple(flow for flow in all_of_it.flows if dataset_of(flow.target) in of_views))
    tally, mistakes = score_flows(found, true)
    hows = {(flow.source, flow.target): flow.transformation for flow in found}
    pairs = [(flow, hows[flow.source, flow.target]) for flow in true.flows if (flow.source, flow.target) in hows]
    print(
        f"estate, provenance sql: {tally}; what happens to the data: {sum(t.transformation is h for t, h in pairs)}"
        f" of {len(pairs)} as the truth says"
    )
    print("\n".join(f"    {mistake}" for mistake in mistakes))


def estate_schema() -> tuple[dict[str, list[str]], dict[str, str]]:
    """The estate's tables and views with their columns, and the views' statements, read from its schema's files."""
    from seed.estate import names

    known: dict[str, list[str]] = {}
    views: dict[str, str] = {}
    for path in sorted(Path("seed/estate/schema").glob("*.sql")):
        for text in split(path.read_text("utf-8").replace("WITH NO DATA", ""), "postgres"):
            tree = parse_one(text, dialect="postgres")
            if not isinstance(tree, exp.Create) or tree.kind not in ("TABLE", "VIEW"):
                continue
            made = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
            name = f"{names.DATABASE}.{made.db}.{made.name}"
            if tree.kind == "VIEW":
                views[name] = text
                known[name] = [each.alias_or_name for each in tree.expression.selects]
            else:
                known[name] = [each.name for each in tree.this.expressions if isinstance(each, exp.ColumnDef)]
    return known, views


def measure_speed(count: int) -> None:
    """Statements a second: one core, all cores, and from the cache."""
    known = schema()
    tables = [Table(name, name, tuple(columns)) for name, columns in known.items()]
    written = [each for each in statements() if each.dialect == "postgres" and len(each.targets) == 1]
    targets = {table.name: table for table in [*tables, Table("v", "v", ()), Table("t", "t", ())]}
    asked = [
        Asked(f"{each.sql.rstrip(';')} /* {number} */", "postgres", targets[each.targets[0]], "s")
        for number, each in zip(range(count), itertools.cycle(written), strict=False)
    ]
    with tempfile.TemporaryDirectory() as room, closing(LineageCache(Path(room))) as cache:
        for what, processes in (("one process", 0), ("all cores", None), ("from the cache", None)):
            started = time.perf_counter()
            done = sum(1 for _ in lineages(asked, {"s": tables}, None if processes == 0 else cache, processes))
            took = time.perf_counter() - started
            print(f"{what:15} {done} statements in {took:.1f} s: {done / took:,.0f} a second")


def main() -> None:
    """Print all comparisons."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--mistakes", action="store_true", help="print ours, one by one")
    arguments.add_argument("--only", choices=("statements", "tpc", "estate", "speed"))
    arguments.add_argument("--count", type=int, default=10_000, help="statements whose reading is timed")
    given = arguments.parse_args()
    started = time.perf_counter()
    if given.only in (None, "statements"):
        compare_statements(given.mistakes)
    if given.only in (None, "tpc"):
        compare_tpc()
    if given.only in (None, "estate"):
        compare_estate()
    if given.only in (None, "speed"):
        measure_speed(given.count)
    print(f"({time.perf_counter() - started:.1f} s)")


if __name__ == "__main__":
    main()
