"""Dictionaries: given and family names, towns, and closed vocabularies, each word with its weight.

A `.tsv` holds a word and its weight (1 rare to 9 common) a line; a list in `vocabularies.yaml` holds a closed set of
words. Words are compared folded: lower case, without accents, hyphens as spaces.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import cast

import yaml

from scanners.yaml_files import LOADER


def fold(text: str) -> str:
    """Lower case, no accents, apostrophes and hyphens as one space: `Saint-Jérôme` gives `saint jerome`."""
    if text.isalpha() and text.isascii():
        return text.lower()
    return " ".join(_folded(text).split())


def fold_lines(text: str) -> list[str]:
    """The lines of `text`, each as `fold` gives it but for its blanks, which are as they were."""
    return _folded(text).split("\n")


_LATIN_MARKS = re.compile("[\u0300-\u034e\u0350-\u036f]+")
"""The marks that combine with letters, up to U+036F."""


def _folded(text: str) -> str:
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
        text = _LATIN_MARKS.sub("", text)
        if max(text, default="") > "\u036f":
            text = "".join([c for c in text if c.isascii() or not unicodedata.combining(c)])
    return text.lower().replace("-", " ").replace("'", " ").replace("’", " ").replace(".", " ")


@cache
def words(name: str) -> Mapping[str, int]:
    """The weighted words of `<name>.tsv`."""
    found: dict[str, int] = {}
    for line in (files("scanners.detection.lexicon") / f"{name}.tsv").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            word, _, weight = line.partition("\t")
            found[word] = max(found.get(word, 0), int(weight or 1))
    return found


def read_yaml(text: str) -> object:
    """As `yaml.safe_load`, in a tenth of the time where PyYAML has libyaml."""
    return yaml.load(text, LOADER)  # noqa: S506 - a safe loader


@cache
def _vocabularies() -> Mapping[str, frozenset[str]]:
    text = (files("scanners.detection.lexicon") / "vocabularies.yaml").read_text(encoding="utf-8")
    lists = cast("dict[str, list[str]]", read_yaml(text))
    return {name: frozenset(fold(str(word)) for word in listed) for name, listed in lists.items()}


@cache
def vocabulary(name: str) -> frozenset[str]:
    """The closed set of folded words called `name`."""
    return _vocabularies()[name]


@cache
def abbreviations() -> Mapping[str, str]:
    """Abbreviated words of column names, and what they stand for."""
    text = (files("scanners.detection.lexicon") / "abbreviations.yaml").read_text(encoding="utf-8")
    return cast("dict[str, str]", read_yaml(text))


@cache
def endings(name: str) -> tuple[str, ...]:
    """The closed set called `name`, as `str.endswith` takes it."""
    return tuple(sorted(vocabulary(name)))
