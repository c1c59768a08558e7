"""Outlines: a value with its letters and digits forgotten, and which detectors that leaves in question.

The outline of `Zoe-12@b.org` is `Aaa-00@a.aaa`. A pattern has an outline too: each set of characters in it is widened
to whole classes (`[2-6]` to all digits). What a pattern matches, its outline matches, so that a value's outline rules
out most detectors at once, and for all values of that outline; and where the pattern only knew whole classes
(`[0-9]{3}-[0-9]{4}`), the outline settles it. An outline holds no letter and no digit of a value: it may be remembered.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, cast

from scanners.detection.catalogue import Detector
from scanners.detection.validators import OUTLINES

_parser: Any = importlib.import_module("re._parser")

LONGEST = 256
"""A longer value is judged by its length alone, and then by the patterns themselves."""

_REMEMBERED = 32_768
"""So many outlines are remembered; then all are forgotten."""

_DIGIT, _UPPER, _LOWER, _WIDE = b"0Aa?"
# What is no ASCII is encoded as a question mark, so that both are one class.
_CLASSES = bytes(
    _DIGIT if 48 <= c <= 57 else _UPPER if 65 <= c <= 90 else _LOWER if 97 <= c <= 122 else c if c < 128 else _WIDE
    for c in range(256)
)


def outline(text: str) -> bytes:
    """Digits as 0, letters as A and a, what is no ASCII as ?, anything else as it is: one byte a character."""
    return text.encode("ascii", "replace").translate(_CLASSES)


class _NoOutline(Exception):
    """The pattern says something that outlines cannot (flags, look-around, references)."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a pattern, widened."""

    expression: bytes
    exact: bool = True  # it only knew whole classes
    alphabet: frozenset[int] = frozenset()  # the classes that it can hold at all
    needs: tuple[frozenset[int], ...] = ()  # of each of these sets it holds at least one class


_ALL = frozenset(_CLASSES)
_MEMBERS = {kind: frozenset(c for c in range(128) if _CLASSES[c] == kind) for kind in _ALL}


@dataclass(frozen=True, slots=True)
class _Characters:
    """A set of characters: which ASCII ones, and whether it holds none, some or all of the others."""

    ascii: frozenset[int]
    none: bool = True
    all: bool = False

    def without(self) -> _Characters:
        return _Characters(frozenset(range(128)) - self.ascii, none=self.all, all=self.none)

    def widened(self) -> _Part:
        alphabet: set[int] = set()
        exact = True
        for kind, members in _MEMBERS.items():
            held = members & self.ascii
            wide = kind == _WIDE
            if held or (wide and not self.none):
                alphabet.add(kind)
                exact = exact and held == members and (not wide or self.all)
        kinds = frozenset(alphabet)
        return _Part(_one_of(kinds), exact, kinds, (kinds,))


def _one_of(kinds: frozenset[int]) -> bytes:
    if not kinds:
        return b"(?!)"
    if len(kinds) == len(_ALL):
        return rb"[\x00-\xff]"
    if len(kinds) == 1:
        return re.escape(bytes(kinds))
    return b"[" + b"".join(b"\\x%02x" % kind for kind in sorted(kinds)) + b"]"


@lru_cache(maxsize=32)
def _category(name: str) -> _Characters:
    letter = {"SPACE": "s", "DIGIT": "d", "WORD": "w"}[name.removeprefix("CATEGORY_").removeprefix("NOT_")]
    letter = letter.upper() if "NOT_" in name else letter
    known = re.compile(f"\\{letter}")
    return _Characters(frozenset(c for c in range(128) if known.match(chr(c))), none=False)


def _characters(operation: str, argument: Any) -> _Characters | None:
    """The set of characters that a node stands for, or None when it is no single character."""
    if operation == "LITERAL" or operation == "NOT_LITERAL":
        code = cast("int", argument)
        found = _Characters(frozenset({code}) if code < 128 else frozenset(), none=code < 128)
        return found if operation == "LITERAL" else found.without()
    if operation == "ANY":
        return _Characters(frozenset({10})).without()
    if operation != "IN":
        return None
    ascii_ones: set[int] = set()
    negated, none = False, True
    for kind, value in cast("Iterable[tuple[Any, Any]]", argument):
        name = str(kind)
        if name == "NEGATE":
            negated = True
        elif name == "LITERAL":
            ascii_ones.update({value} if value < 128 else ())
            none = none and value < 128
        elif name == "RANGE":
            first, last = value
            ascii_ones.update(range(first, min(last, 127) + 1))
            none = none and last < 128
        elif name == "CATEGORY":
            ascii_ones.update(_category(str(value)).ascii)
            none = False
        else:
            raise _NoOutline
    found = _Characters(frozenset(ascii_ones), none)
    return found.without() if negated else found


def _widened(parsed: Iterable[tuple[Any, Any]]) -> _Part:
    """A sequence of nodes."""
    parts = [_node(str(operation), argument) for operation, argument in parsed]
    return _Part(
        b"".join(part.expression for part in parts),
        all(part.exact for part in parts),
        frozenset[int]().union(*(part.alphabet for part in parts)),
        tuple({need for part in parts for need in part.needs}),
    )


def _node(operation: str, argument: Any) -> _Part:
    one = _characters(operation, argument)
    if one is not None:
        return one.widened()
    if operation == "BRANCH":
        return _branches([_widened(branch) for branch in argument[1]])
    if operation == "SUBPATTERN":
        _, added, removed, body = argument
        if added or removed:
            raise _NoOutline
        inner = _widened(body)
        return _Part(b"(?:" + inner.expression + b")", inner.exact, inner.alphabet, inner.needs)
    if operation in {"MAX_REPEAT", "MIN_REPEAT"}:
        least, most, body = argument
        inner = _widened(body)
        single = len(body) == 1 and _characters(str(body[0][0]), body[0][1]) is not None
        if int(most) >= 10 and not inner.exact and not single:
            raise _NoOutline  # a loop whose parts, once widened, are no longer told apart could take for ever
        last = b"" if str(most) == "MAXREPEAT" else b"%d" % most
        expression = b"(?:" + inner.expression + b"){%d,%b}" % (least, last)
        return _Part(expression, inner.exact, inner.alphabet, inner.needs if least else ())
    raise _NoOutline


def _branches(parts: Sequence[_Part]) -> _Part:
    # Of alternatives one holds: something is needed only where each of them needs something.
    if all(part.needs for part in parts):
        smallest = [min(part.needs, key=len) for part in parts]
        needs = (frozenset[int]().union(*smallest),)
    else:
        needs = ()
    return _Part(
        b"(?:" + b"|".join(part.expression for part in parts) + b")",
        all(part.exact for part in parts),
        frozenset[int]().union(*(part.alphabet for part in parts)),
        needs,
    )


@dataclass(frozen=True)
class Outline:
    """A pattern's outline: what a value's outline has to be for the pattern to match the value."""

    shortest: int
    longest: int
    pattern: bytes | None  # None: not to be said in outlines
    exact: bool  # a value whose outline matches is matched
    alphabet: frozenset[int]
    needs: tuple[frozenset[int], ...]

    @cached_property
    def expression(self) -> re.Pattern[bytes] | None:
        """What the outline of a value is matched with; made when it is first asked for, as most never are."""
        return None if self.pattern is None else re.compile(self.pattern)

    def may_hold(self, length: int, classes: frozenset[int]) -> bool:
        """Whether a value of this length and these classes of characters can match at all."""
        if not self.shortest <= length <= self.longest:
            return False
        return classes <= self.alphabet and not any(classes.isdisjoint(need) for need in self.needs)

    def may_match(self, shown: bytes) -> bool:
        """Whether a value with the outline `shown` may match (and does, where the outline is exact)."""
        if not self.shortest <= len(shown) <= self.longest:
            return False
        return self.expression is None or len(shown) > LONGEST or self.expression.fullmatch(shown) is not None


@lru_cache(maxsize=1024)
def of_pattern(pattern: str) -> Outline:
    """The outline of a regular expression that whole values are matched with."""
    parsed = _parser.parse(pattern)
    shortest, longest = (int(width) for width in parsed.getwidth())
    try:
        if parsed.state.flags & ~re.UNICODE.value:
            raise _NoOutline
        part = _widened(parsed)
        return Outline(shortest, longest, part.expression, part.exact, part.alphabet, part.needs)
    except (_NoOutline, re.error, OverflowError, RecursionError):
        return Outline(shortest, longest, None, False, _ALL, ())


# What no date lacks: eight digits, or a number before two separators.
_DATED = re.compile(rb"[0?]{8}\Z|[0?]{1,4}[-/. ,]+[^-/. ,]+[-/. ,]")
_SMALL = re.compile(rb"0{1,4}")
_MOMENT = re.compile(rb"0{10}(?:000)?")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A detector whose pattern may match the values of an outline."""

    detector: Detector
    settled: bool  # the pattern matches them all
    hopeful: bool  # a value that it matches may pass the check


@dataclass(frozen=True, slots=True)
class Question:
    """What an outline leaves in question of its values."""

    candidates: tuple[Candidate, ...]
    dated: bool  # they may be dates
    small: bool  # they are numbers of up to four digits
    moment: bool  # they are numbers with as many digits as a moment has


class Outlines:
    """The outlines of some detectors' patterns, ready to be asked which of them a value leaves in question."""

    def __init__(self, detectors: Sequence[Detector]) -> None:
        self._known = [_Known(detector) for detector in detectors]
        self._by_classes: dict[tuple[int, frozenset[int]], Sequence[_Known]] = {}
        self._by_outline: dict[bytes, Question] = {}
        self._same: dict[object, Question] = {}

    def sorted_out(self, texts: Iterable[str]) -> Iterable[tuple[Question, list[str]]]:
        """The texts by what is in question of them: those of which the same is, together."""
        groups: dict[int, tuple[Question, list[str]]] = {}
        remembered = self._by_outline
        for text in texts:
            shown = text.encode("ascii", "replace").translate(_CLASSES)
            question = remembered.get(shown) or self.of(shown)
            group = groups.get(id(question))
            if group is None:
                groups[id(question)] = (question, [text])
            else:
                group[1].append(text)
        return groups.values()

    def of(self, shown: bytes) -> Question:
        """What is in question of values with the outline `shown`."""
        question = self._by_outline.get(shown)
        if question is None:
            question = self._look(shown)
            # Equal answers are one object, so that values can be put together by it.
            key = (
                tuple(map(id, question.candidates)),
                question.dated, question.small, question.moment,
            )  # fmt: skip
            for kept in (self._by_outline, self._by_classes, self._same):
                if len(kept) >= _REMEMBERED:
                    kept.clear()
            question = self._same.setdefault(key, question)
            if len(shown) <= 64:
                self._by_outline[shown] = question
        return question

    def _look(self, shown: bytes) -> Question:
        classes = frozenset(shown)
        key = len(shown), classes
        possible = self._by_classes.get(key)
        if possible is None:
            possible = self._by_classes[key] = [known for known in self._known if known.outline.may_hold(*key)]
        exact = len(shown) <= LONGEST
        return Question(
            tuple(
                known.as_candidate[exact and known.outline.exact][
                    known.hope is None or known.hope.search(shown) is not None
                ]
                for known in possible
                if known.outline.may_match(shown)
            ),
            dated=len(shown) <= 32 and _DATED.match(shown) is not None,
            small=_SMALL.fullmatch(shown) is not None,
            moment=_MOMENT.fullmatch(shown) is not None,
        )


class _Known:
    """A detector with what is known of the outlines of its values."""

    def __init__(self, detector: Detector) -> None:
        self.outline = of_pattern(detector.pattern)
        # What the outline of every value that passes the check holds; None when nothing is known of it.
        needed = None if detector.dictionary else OUTLINES.get(detector.validator)
        self.hope = re.compile(needed, re.DOTALL) if needed else None
        # By whether it is settled and whether it is hopeful: made once, so that equal ones are one object.
        self.as_candidate = [
            [Candidate(detector, settled, hopeful) for hopeful in (False, True)] for settled in (False, True)
        ]
