"""Fit the calibration of confidences on the train and dev splits (never on test), and write it into the package.

    python -m benchmarks.detection.calibrate

Platt scaling: two numbers, slope and intercept in log-odds, by Newton's method on the verdicts of both splits with
their columns' names and with the names withheld, so that unsure verdicts are among them. A corpus of one's own making
is easier than the world, so a right verdict counts as 97 % right, and a little ridge keeps the fit near no change.
"""

from __future__ import annotations

import math
from pathlib import Path

from benchmarks.detection import corpus
from benchmarks.detection.compare import unnamed
from benchmarks.detection.evaluate import Measures, our_verdicts
from scanners.detection import ColumnDetector
from scanners.detection.detector import VERSION
from scanners.detection.weighing import calibration

INTO = Path(__file__).parents[2] / "scanners" / "detection" / "calibration.yaml"
RIDGE = 4.0
RIGHT = 0.97


def main() -> None:
    slope, intercept = calibration()
    tables = [table for table in corpus.tables() if table.split in {"train", "dev"}]
    measures = Measures()
    for given in (tables, list(unnamed(tables))):
        for judged in our_verdicts(given, ColumnDetector()):
            measures.add(judged)
    # Back to what the confidences were before the present calibration.
    pairs = [((math.log(c / (1 - c)) - intercept) / slope, right) for c, right in measures.confidence]
    a, b = 1.0, 0.0
    for _ in range(50):
        ga, gb, haa, hab, hbb = RIDGE * (a - 1), RIDGE * b, RIDGE, 0.0, RIDGE
        for x, hit in pairs:
            right = RIGHT if hit else 1 - RIGHT
            p = 1 / (1 + math.exp(-(a * x + b)))
            w = p * (1 - p)
            ga, gb = ga + (p - right) * x, gb + (p - right)
            haa, hab, hbb = haa + w * x * x, hab + w * x, hbb + w
        determinant = haa * hbb - hab * hab
        a, b = a - (hbb * ga - hab * gb) / determinant, b - (haa * gb - hab * ga) / determinant
    text = f"# Fitted by benchmarks/detection/calibrate.py on {len(pairs)} verdicts of train and dev, for {VERSION}.\n"
    INTO.write_text(f"{text}slope: {a:.3f}\nintercept: {b:.3f}\n", encoding="utf-8")
    print(INTO.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
