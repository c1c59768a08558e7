"""Is a user's detector sound? Patterns that could take for ever, that match anything or nothing, unknown words.

Python's `re` backtracks, so `(a+)+$` takes exponential time on `aaaa…b`. Such a pattern is refused by its shape (a
repeat whose body can be cut into repeats in more than one way), and each pattern is also timed on hostile texts in a
process that is ended when it takes too long.
"""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from inventory.errors import ConfigError
from inventory.vocabulary import categories
from scanners.detection.catalogue import Detector, parse, shipped

SECONDS = 3.0
"""A pattern that takes longer than this on some fifty hostile texts of 1,500 characters is refused."""

_LONG = 10
"""From so many repeats on, a repeat counts as one without end."""

_parser: Any = importlib.import_module("re._parser")


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with a detector: a `refused` one may not be used, else it is a warning."""

    detector: str
    refused: bool
    message: str


def read(path: Path) -> Sequence[Detector]:
    """The detectors in a YAML file. Raises ConfigError that names the file and what is wrong."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), "cannot be read as UTF-8 text") from error
    return parse(text, path.name)


def load(path: Path) -> Sequence[Detector]:
    """The detectors in a YAML file, all of them sound. Raises ConfigError with the first reason to refuse one."""
    detectors = read(path)
    for detector in detectors:
        for complaint in lint(detector):
            if complaint.refused:
                raise ConfigError(f"{path.name}, detector {complaint.detector}", complaint.message)
    return detectors


def extended(rules: Iterable[Path]) -> Sequence[Detector]:
    """The shipped detectors, with a user's own: one of the same name replaces the shipped one. Raises ConfigError."""
    own = [detector for path in rules for detector in load(path)]
    replaced = {detector.detector for detector in own}
    return [*(detector for detector in shipped() if detector.detector not in replaced), *own]


def lint(detector: Detector) -> list[Complaint]:
    """Everything that is wrong with a detector; an empty list is praise."""
    found = [Complaint(detector.detector, True, message) for message in _refusals(detector)]
    if not found:
        found += [Complaint(detector.detector, False, message) for message in _warnings(detector)]
    return found


def _refusals(detector: Detector) -> Iterator[str]:
    if detector.category not in categories():
        yield f"category {detector.category!r} is not in the vocabulary"
    for key in ("pattern", "text_pattern", "distinctive", "anchor"):
        pattern = str(getattr(detector, key))
        if not pattern:
            continue
        try:
            parsed = _parser.parse(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            yield f"{key} is no regular expression: {error.args[0] if error.args else 'too large'}"
            continue
        ambiguous = _ambiguous(parsed)
        if ambiguous:
            yield f"{key} could take exponential time: {ambiguous}"
        elif _too_slow(pattern):
            yield f"{key} takes longer than {SECONDS:g} s on texts of 1,500 characters"


def _warnings(detector: Detector) -> Iterator[str]:
    if not detector.names and not detector.about:
        yield "has no names and says nothing about itself ('about')"
    if not detector.dictionary and detector.whole.fullmatch("") is not None:
        yield "pattern matches the empty text"
    if detector.needs_name and not detector.names:
        yield "needs a name but lists none, so it never speaks"
    if (
        detector.weight >= 3
        and detector.validator == "anything"
        and detector.whole.fullmatch("quick brown") is not None
    ):
        yield "pattern matches plain words and nothing checks them, at a weight that decides"
    if detector.within and not detector.anchor_for_bytes:
        yield "is searched for row by row: give an ASCII 'anchor' without \\w, \\d, \\b, '.' or [^…] to make it fast"


# --- shape ------------------------------------------------------------------------------------------------

_ASCII = frozenset(range(128))


def _ambiguous(parsed: Iterable[tuple[Any, Any]]) -> str:
    """Say which repeat can be cut in more than one way, or nothing."""
    for operation, argument in parsed:
        name = str(operation)
        if name in {"MAX_REPEAT", "MIN_REPEAT"}:
            _, most, body = argument
            if int(most) >= _LONG:
                inner = _loose(list(body))
                if inner:
                    return inner
        for child in _children(name, argument):
            found = _ambiguous(child)
            if found:
                return found
    return ""


def _loose(body: list[tuple[Any, Any]]) -> str:
    """Why a repeated body is ambiguous: it holds a repeat (or alike alternatives) that nothing sets apart."""
    body = _unwrapped(body)
    if len(body) == 1 and str(body[0][0]) == "BRANCH":
        return _alike(cast("list[Any]", body[0][1][1]))
    fixed = [_characters([item]) for item in body if not _is_repeat(item)]
    for item in body:
        if _is_repeat(item) and int(item[1][1]) >= _LONG:
            inside = _characters(list(item[1][2]))
            # A character that must stand between two rounds and cannot be part of the inner repeat sets them apart.
            if not any(not characters & inside for characters in fixed if characters):
                return "a repeat inside a repeat with nothing between the rounds, such as (a+)+"
    return ""


def _alike(alternatives: list[Any]) -> str:
    seen: set[int] = set()
    for alternative in alternatives:
        first = _first(list(alternative))
        if first & seen:
            return "alternatives inside a repeat begin alike, such as (a|aa)+"
        seen |= first
    return ""


def _first(sequence: list[tuple[Any, Any]]) -> frozenset[int]:
    found: frozenset[int] = frozenset()
    for item in _unwrapped(sequence):
        found |= _characters([item])
        if not (_is_repeat(item) and int(item[1][0]) == 0):
            break
    return found


def _unwrapped(body: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    while len(body) == 1 and str(body[0][0]) == "SUBPATTERN":
        body = list(body[0][1][-1])
    return body


def _is_repeat(item: tuple[Any, Any]) -> bool:
    return str(item[0]) in {"MAX_REPEAT", "MIN_REPEAT"}


def _children(name: str, argument: Any) -> Iterator[list[tuple[Any, Any]]]:
    if name in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
        yield list(argument[2])
    elif name == "SUBPATTERN":
        yield list(argument[-1])
    elif name == "BRANCH":
        yield from (list(alternative) for alternative in argument[1])
    elif name in {"ASSERT", "ASSERT_NOT"}:
        yield list(argument[1])


def _characters(sequence: list[tuple[Any, Any]]) -> frozenset[int]:
    """The ASCII characters that any part of a sequence can match."""
    found: set[int] = set()
    for operation, argument in sequence:
        name = str(operation)
        if name == "LITERAL":
            found.add(argument)
        elif name == "NOT_LITERAL":
            found |= _ASCII - {argument}
        elif name == "ANY":
            found |= _ASCII
        elif name == "IN":
            found |= _members(argument)
        else:
            for child in _children(name, argument):
                found |= _characters(child)
    return frozenset(found)


_CATEGORIES = {"CATEGORY_DIGIT": r"\d", "CATEGORY_WORD": r"\w", "CATEGORY_SPACE": r"\s"}


def _members(items: list[tuple[Any, Any]]) -> frozenset[int]:
    found: set[int] = set()
    negated = False
    for operation, argument in items:
        name = str(operation)
        if name == "NEGATE":
            negated = True
        elif name == "LITERAL":
            found.add(argument)
        elif name == "RANGE":
            found |= set(range(argument[0], min(argument[1], 127) + 1))
        elif name == "CATEGORY":
            word = str(argument)
            plain = word.replace("CATEGORY_NOT_", "CATEGORY_")
            matching = {c for c in _ASCII if re.match(_CATEGORIES.get(plain, r"\w"), chr(c))}
            found |= (_ASCII - matching) if "NOT_" in word else matching
    return _ASCII - found if negated else frozenset(found)


# --- time -------------------------------------------------------------------------------------------------


_TRIAL = """
import re, sys
pattern = sys.stdin.read()
compiled = re.compile(pattern)
letters = {c for c in pattern if c.isascii() and c.isprintable()} | set("a0 -")
texts = [letter * 1500 for letter in sorted(letters)[:40]]
texts += [pair * 500 for pair in ("a ", "a-", "a.", "0 ", "ab", "aA0")]
for text in texts:
    compiled.fullmatch(text + chr(0))
"""


def _too_slow(pattern: str) -> bool:
    """Whether the pattern dawdles on hostile texts; tried in a process that is ended when it does."""
    command = [sys.executable, "-I", "-S", "-c", _TRIAL]
    try:
        tried = subprocess.run(  # noqa: S603
            command, input=pattern.encode(), timeout=SECONDS, capture_output=True, check=False
        )
    except subprocess.TimeoutExpired:
        return True
    return tried.returncode != 0
