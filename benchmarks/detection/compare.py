"""Ours beside the peers, on the same columns of the test split, in one run.

    benchmarks/detection/set_up_peers.sh
    python -m benchmarks.detection.compare [--split test] [--values 40]

Ours is told the columns' names, as any of its users does; a second line shows ours without them. Peers that are not
installed are said to be missing.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from benchmarks.detection import corpus
from benchmarks.detection.evaluate import Judged, Measures, choose, our_verdicts
from scanners.detection import ColumnDetector

FOLDER = Path(".cache/detection-corpus")
PYTHON = Path(".cache/bench-venv/bin/python")


def unnamed(tables: Iterable[corpus.Table]) -> Iterable[corpus.Table]:
    """The same tables with names that say nothing."""
    for number, table in enumerate(tables):
        names = [f"c{index}" for index in range(len(table.columns))]
        columns = tuple(replace(column, name=name) for column, name in zip(table.columns, names, strict=True))
        yield replace(table, name=f"t{number}", columns=columns, data=table.data.rename_columns(names))


def line(title: str, measures: Measures, mb_s: float, values_s: float) -> str:
    precision, recall, f1 = measures.personal_scores()
    known = [c for c in set(measures.right) | set(measures.missed) if measures.right[c]]
    return (
        f"{title:58} personal P {precision:.3f} R {recall:.3f} F1 {f1:.3f}   macro-F1 {measures.macro_f1():.3f} "
        f"({len(known)} categories ever right)   {mb_s:8.3f} MB/s {values_s:9.0f} values/s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--split", default="test")
    parser.add_argument("--values", default="40", help="so many values of each column for the peers, which are slow")
    options = parser.parse_args()
    if not (FOLDER / "labels.json").exists():
        corpus.write(FOLDER)
    tables = list(choose(options.split))
    size = sum(table.data.nbytes for table in tables) / 1e6
    values = sum(table.data.num_rows * table.data.num_columns for table in tables)
    for title, given in (("ours", tables), ("ours, columns' names withheld", list(unnamed(tables)))):
        detector, measures = ColumnDetector(), Measures()
        started = time.process_time()
        for judged in our_verdicts(given, detector):
            measures.add(judged)
        seconds = time.process_time() - started
        print(line(title, measures, size / seconds, values / seconds), flush=True)
    labels = [judged for judged in our_verdicts(tables, ColumnDetector(())) if "/" not in judged.column]
    for peer in ("presidio", "dataprofiler", "scrubadub"):
        out = FOLDER / f"{peer}.json"
        command = [str(PYTHON), "benchmarks/detection/peers.py", peer, str(FOLDER), str(out)]
        command += ["--values", options.values, "--split", options.split]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            last = (getattr(error, "stderr", b"") or b"").decode(errors="replace").strip().splitlines()[-1:]
            print(f"{peer}: not compared: {(last or [str(error)])[0][:150]}", flush=True)
            continue
        result = json.loads(out.read_text())
        measures = Measures()
        for label in labels:
            said = result["said"].get(f"{label.table}.{label.column}", {})
            measures.add(Judged(label.table, label.column, label.labels, label.also, said))
        figures = result["figures"]
        print(line(figures["title"], measures, figures["mb_s"], figures["values_s"]), flush=True)


if __name__ == "__main__":
    main()
