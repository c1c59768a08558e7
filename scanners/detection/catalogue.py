"""The catalogue of detectors: one entry of YAML is one detector.

An entry has

- `detector` (its name), `category` (vocabulary key), `about` (what it recognises, shown to people);
- `pattern`: a regular expression that a whole value must match (no look-around, so that it also runs in hyperscan);
- `validator`: the name of a check in `validators.py`, run on what the pattern lets through;
- `chance`: the share of look-alikes that pass the check by luck (Luhn 0.1, mod 97 0.01);
- `weight`: log-odds for the category when every value passes;
- `distinctive`, `distinctive_weight`: a narrower form that says more than the pattern;
- `complete: true`: every value of this category matches, so a column without matches is none;
- `spread: true`: many different values are to be expected; `few: true`: a handful;
- `closed: true`: the dictionary is all but complete, so a column without its words is none;
- `needs_name: true`: values alone never say it; `needs_person: true`: only in a table about people;
- `names`: column names (EN, FR, words apart) that say it; `hints`: names that say it together with values;
- `dictionary`: words (compared without case and accents) that take the place of pattern and validator;
- `neutral`: words that may follow a name without changing what it says (`avatar url` is still an avatar);
- `types`: kinds of value it takes (`text` by default);
- `within: true`: it is also looked for inside longer texts, by `text_pattern` (else `pattern`) and `text_validator`;
- `least`: the share of texts that must hold it before it is told of them;
- `anchor`: a short ASCII form that everything `text_pattern` matches contains, for the first, fast look at raw bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, cast

import yaml

from inventory.errors import ConfigError
from scanners.detection.lexicon import fold, read_yaml
from scanners.detection.memo import Memo
from scanners.detection.validators import PASSING, VALIDATORS, Validator

# What means something else in bytes than in text, or has no meaning in hyperscan.
_BEYOND_BYTES = re.compile(r"\\[wWdDsSbB]|\[\^|(?<!\\)\.|\(\?[^:]")

KINDS = frozenset({"text", "integer", "float", "boolean", "date", "timestamp", "uuid", "binary", "object", "list"})


@dataclass(frozen=True)
class Detector:
    """One entry of the catalogue; the keys are explained at the head of this module."""

    detector: str
    category: str
    pattern: str
    about: str = ""
    validator: str = "anything"
    chance: float = 0.0
    weight: float = 1.0
    distinctive: str = ""
    distinctive_weight: float = 0.0
    complete: bool = False
    needs_name: bool = False
    spread: bool = False
    few: bool = False
    closed: bool = False
    needs_person: bool = False
    names: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    neutral: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset({"text"})
    within: bool = False
    text_pattern: str = ""
    text_validator: str = ""
    anchor: str = ""
    least: float = 0.0
    dictionary: frozenset[str] = field(default=frozenset(), repr=False)

    @cached_property
    def whole(self) -> re.Pattern[str]:
        """Matches a whole value."""
        return re.compile(self.pattern)

    @cached_property
    def narrow(self) -> re.Pattern[str] | None:
        """Matches a whole value of the distinctive form."""
        return re.compile(self.distinctive) if self.distinctive else None

    @cached_property
    def inside(self) -> re.Pattern[str]:
        """Finds the form inside a text, not as a part of a longer word or number."""
        return re.compile(rf"(?<![\w@.+-])(?:{self.text_pattern or self.pattern})(?![\w@-])")

    @cached_property
    def anchor_for_bytes(self) -> str:
        """What the bytes of a text are searched with; "" when only the text itself can be."""
        if self.anchor:
            return self.anchor
        pattern = self.text_pattern or self.pattern
        return pattern if pattern.isascii() and _BEYOND_BYTES.search(pattern) is None else ""

    @cached_property
    def check(self) -> Validator:
        """The check of a whole value: in the dictionary, when there is one, else the named check."""
        if self.dictionary:
            return lambda text: fold(text) in self.dictionary
        return VALIDATORS[self.validator]

    def passing(self, texts: Sequence[str], memo: Memo) -> Sequence[str]:
        """Those of `texts`, all of which the pattern matches, whose check passes."""
        if self.dictionary:
            folded = memo.folded
            return [text for text in texts if folded[text] in self.dictionary]
        if self.validator == "anything":
            return texts
        together = PASSING.get(self.validator)
        if together is not None:
            return together(texts, memo)
        return list(filter(self.check, texts))

    @cached_property
    def text_check(self) -> Validator:
        """The check of a hit inside a text."""
        return VALIDATORS[self.text_validator or self.validator]

    def matches(self, text: str) -> bool:
        """Whether `text` as a whole is a value of this kind."""
        return self.whole.fullmatch(text) is not None and self.check(text)


@cache
def shipped() -> tuple[Detector, ...]:
    """The detectors that come with the package, in the order of their files."""
    found: list[Detector] = []
    for source in sorted(files("scanners.detection").joinpath("detectors").iterdir(), key=lambda entry: entry.name):
        if source.name.endswith(".yaml"):
            found.extend(parse(source.read_text(encoding="utf-8"), source.name))
    return tuple(found)


def parse(text: str, source: str) -> Sequence[Detector]:
    """The detectors in a YAML list. Raises ConfigError that names the source and the entry."""
    try:
        entries = read_yaml(text)
    except yaml.YAMLError as error:
        raise ConfigError(source, "is not YAML") from error
    if not isinstance(entries, list):
        raise ConfigError(source, "is not a list of detectors", "begin each entry with '- detector: name'")
    return [entry(cast("dict[str, Any]", item), source) for item in cast("list[object]", entries)]


_LISTS = ("names", "hints", "neutral", "types", "dictionary")


def entry(item: dict[str, Any], source: str) -> Detector:
    """One detector from its YAML mapping."""
    name = str(item.get("detector", "?"))
    unknown = set(item) - set(Detector.__dataclass_fields__)
    if unknown:
        raise ConfigError(f"{source}, detector {name}", f"unknown key {sorted(unknown)[0]!r}")
    if item.get("dictionary"):
        item = {"pattern": "[^\\n]{1,200}", **item}
    for key in ("detector", "category", "pattern"):
        if not item.get(key):
            raise ConfigError(f"{source}, detector {name}", f"has no {key!r}")
    settings = dict(item)
    for key in ("names", "hints"):
        settings[key] = tuple(str(word) for word in cast("Iterable[object]", item.get(key, ())))
    settings["neutral"] = frozenset(fold(str(word)) for word in cast("Iterable[object]", item.get("neutral", ())))
    settings["types"] = frozenset(cast("Iterable[str]", item.get("types", ("text",))))
    settings["dictionary"] = frozenset(fold(str(word)) for word in cast("Iterable[object]", item.get("dictionary", ())))
    if not settings["types"] <= KINDS:
        raise ConfigError(f"{source}, detector {name}", "unknown type", f"one of {', '.join(sorted(KINDS))}")
    for key in ("validator", "text_validator"):
        if settings.get(key) and settings[key] not in VALIDATORS:
            raise ConfigError(f"{source}, detector {name}", f"unknown {key} {settings[key]!r}")
    return Detector(**settings)
