"""How right the detector is: precision, recall and F1 a category, personal or not, calibration and confusion.

    python -m benchmarks.detection.evaluate --split test
    python -m benchmarks.detection.evaluate --split holdout --wrong

A column counts for every label that it must have; labels that it may have count neither way.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.detection import corpus
from scanners.detection import ColumnDetector
from scanners.detection.interface import ColumnContext, TableContext

NARROW = {
    "SIN": "user.government_id.national_identification_number.sin",
    "card": "user.financial.credit_card",
    "IBAN": "user.financial.bank_account.iban",
    "e-mail": "user.contact.email",
    "IP": "user.device.ip_address",
}


@dataclass(frozen=True)
class Judged:
    """One column's labels and what was said of it: category to confidence."""

    table: str
    column: str
    labels: frozenset[str]
    also: frozenset[str]
    said: Mapping[str, float]


@dataclass
class Measures:
    """Counts of a run."""

    right: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    personal: Counter[str] = field(default_factory=Counter)
    confidence: list[tuple[float, bool]] = field(default_factory=list)
    confusion: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, judged: Judged) -> None:
        labels = judged.labels
        if len(labels) == 1 and not labels & judged.said.keys() and judged.also & judged.said.keys():
            labels = judged.also & judged.said.keys()  # either of several labels is right
            judged = replace(judged, labels=labels)
        said = {category for category in judged.said if category not in judged.also or category in judged.labels}
        for category in judged.labels:
            (self.right if category in said else self.missed)[category] += 1
        for category in said - judged.labels:
            self.wrong[category] += 1
        self.personal[_outcome(bool(judged.labels), bool(judged.said), bool(judged.also))] += 1
        for category, confidence in judged.said.items():
            if category in judged.labels or category not in judged.also:
                self.confidence.append((confidence, category in judged.labels))
        for category in judged.labels - said or ({""} if not judged.labels else set()):
            for other in said - judged.labels or {""}:
                if category != other:
                    self.confusion[category, other] += 1

    def scores(self, category: str) -> tuple[float, float, float, int]:
        right, wrong, missed = self.right[category], self.wrong[category], self.missed[category]
        precision = right / (right + wrong) if right + wrong else 0.0
        recall = right / (right + missed) if right + missed else 0.0
        f1 = 2 * right / (2 * right + wrong + missed) if right + wrong + missed else 0.0
        return precision, recall, f1, right + missed

    def macro_f1(self) -> float:
        """Over the categories that occur in the labels."""
        categories = set(self.right) | set(self.missed)
        return sum(self.scores(c)[2] for c in categories) / max(1, len(categories))

    def personal_scores(self) -> tuple[float, float, float]:
        right, wrong, missed = self.personal["right"], self.personal["wrong"], self.personal["missed"]
        return (
            right / max(1, right + wrong),
            right / max(1, right + missed),
            2 * right / max(1, 2 * right + wrong + missed),
        )

    def ece(self, bins: int = 10) -> float:
        """Expected calibration error of the verdicts, ten bins of equal width."""
        held: dict[int, list[tuple[float, bool]]] = defaultdict(list)
        for confidence, right in self.confidence:
            held[min(bins - 1, int(confidence * bins))].append((confidence, right))
        total = len(self.confidence)
        return sum(
            abs(sum(c for c, _ in inside) - sum(right for _, right in inside)) / total for inside in held.values()
        )


def _outcome(labelled: bool, said: bool, allowed: bool) -> str:
    if labelled:
        return "right" if said else "missed"
    return "wrong" if said and not allowed else "quiet"


def our_verdicts(tables: Iterable[corpus.Table], detector: ColumnDetector) -> Iterable[Judged]:
    """The detector's verdicts, fed a table with nothing but its names and values."""
    for table in tables:
        context = TableContext(table.name, tuple(ColumnContext(column.name) for column in table.columns))
        detection = detector.table(context)
        detection.feed(table.data)
        said: dict[tuple[str, str], dict[str, float]] = {}
        for verdict in detection.verdicts():
            said[verdict.column, verdict.pointer] = {v.category: v.confidence for v in verdict.verdicts}
        for column in table.columns:
            for pointer, label in column.pointers.items():
                yield Judged(
                    table.name,
                    column.name + pointer,
                    frozenset({label}),
                    frozenset(),
                    said.get((column.name, pointer), {}),
                )
            yield Judged(table.name, column.name, column.labels, column.also, said.get((column.name, ""), {}))


def report(name: str, measures: Measures) -> None:
    print(f"== {name}: {sum(measures.personal.values())} columns")
    for category in sorted(set(measures.right) | set(measures.missed) | set(measures.wrong)):
        precision, recall, f1, count = measures.scores(category)
        print(f"  {category:62} P {precision:.2f}  R {recall:.2f}  F1 {f1:.2f}  n {count}")
    precision, recall, f1 = measures.personal_scores()
    print(f"personal or not   P {precision:.3f}  R {recall:.3f}  F1 {f1:.3f}")
    print(f"macro-F1 of categories {measures.macro_f1():.3f}    ECE {measures.ece():.3f}")
    for short, category in NARROW.items():
        print(f"  {short:7} precision {measures.scores(category)[0]:.3f}  recall {measures.scores(category)[1]:.3f}")


def choose(split: str) -> Iterable[corpus.Table]:
    """The tables of a split: train, dev, test; holdout, blind, field and fresh (other makers, other schemas)."""
    if split == "holdout":
        from benchmarks.detection import holdout

        return holdout.tables()
    if split == "blind":
        from benchmarks.detection import holdout

        return holdout.tables(schemas=holdout.BLIND, seed=99)
    if split == "field":
        from benchmarks.detection import field as field_set

        return field_set.tables()
    if split == "fresh":
        from benchmarks.detection import field as field_set

        return field_set.tables(seed=977, schemas=field_set.FRESH)
    return (table for table in corpus.tables() if split in {table.split, "all"})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--split", default="test")
    parser.add_argument("--wrong", action="store_true", help="list every column that was judged wrong")
    parser.add_argument("--json", default="", help="also write the figures to this file")
    options = parser.parse_args()
    measures = Measures()
    for judged in our_verdicts(choose(options.split), ColumnDetector()):
        measures.add(judged)
        said = set(judged.said) - (judged.also - judged.labels)
        if options.wrong and said != set(judged.labels) and not (not said and judged.also & judged.said.keys()):
            print(f"{judged.table}.{judged.column}: should be {sorted(judged.labels)}, said {dict(judged.said)}")
    report(options.split, measures)
    if options.wrong:
        for (label, other), count in measures.confusion.most_common(20):
            print(f"  {label or 'nothing':60} taken for {other or 'nothing'} x{count}")
    if options.json:
        figures = {
            "personal": measures.personal_scores(), "macro_f1": measures.macro_f1(), "ece": measures.ece(),
            "precision": {short: measures.scores(category)[0] for short, category in NARROW.items()},
        }  # fmt: skip
        Path(options.json).write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
