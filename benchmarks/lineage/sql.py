"""How right column lineage of SQL is, next to sqllineage, and how fast statements are read.

python -m benchmarks lineage.sql [--mistakes] [--only statements|tpc|estate|speed]

Peers are looked for in `.cache/lineage-venv` (see `set_up_peers.sh`); without them only our own figures are printed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlglot.dialects.dialect import Dialect, NormalizationStrategy

from benchmarks.lineage.corpus import Flow, Statement, schema, statements
from inventory.lineage.sql import Table, Tables, flows_of_script

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


def main() -> None:
    """Print all comparisons."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--mistakes", action="store_true", help="print ours, one by one")
    arguments.add_argument("--only", choices=("statements", "tpc", "estate", "speed"))
    given = arguments.parse_args()
    started = time.perf_counter()
    if given.only in (None, "statements"):
        compare_statements(given.mistakes)
    print(f"({time.perf_counter() - started:.1f} s)")


if __name__ == "__main__":
    main()
