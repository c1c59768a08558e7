"""What several checks ask of the same texts, found out once for all of them, and all texts at a time.

A memo holds values. It is made for one look at a chunk of a field's values and dropped with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from datetime import date

from scanners.detection.lexicon import fold, fold_lines

_SHORT = 200
"""Longer texts are not folded before somebody asks."""

_WORD = re.compile(r"[^\W\d_]+")
_WHOLE_WORD = re.compile(r"\w+")


class _Folded(dict[str, str]):
    def __missing__(self, text: str) -> str:
        folded = self[text] = fold(text)
        return folded


class _Tokens(dict[str, "list[str]"]):
    def __init__(self, folded: _Folded) -> None:
        self._folded = folded

    def __missing__(self, text: str) -> list[str]:
        tokens = self[text] = self._folded[text].split()
        return tokens


class _Days(dict[str, "date | None"]):
    def __init__(self, parse: Callable[[str], date | None]) -> None:
        self._parse = parse

    def __missing__(self, text: str) -> date | None:
        day = self[text] = self._parse(text)
        return day


class Memo:
    """What is known of some texts, by text: their folded forms, the words of those, the dates that they are.

    It answers for any text; `texts` are those that it may find out about together. Only of them speak `none_is`,
    `none_holds` and `none_says`: where they say yes, no check of a text need look for the words.
    """

    __slots__ = ("_all_folded", "_all_words", "_folded", "_said", "_texts", "_tokens", "days")

    def __init__(self, parse_date: Callable[[str], date | None], texts: Collection[str] = ()) -> None:
        self._texts = texts
        self._folded: _Folded | None = None
        self._tokens: _Tokens | None = None
        self._all_folded: frozenset[str] | None = None
        self._all_words: frozenset[str] | None = None
        self._said: frozenset[str] | None = None
        self.days = _Days(parse_date)

    @property
    def folded(self) -> _Folded:
        """The folded forms, by text."""
        if self._folded is None:
            self._fold_all()
            assert self._folded is not None
        return self._folded

    @property
    def tokens(self) -> _Tokens:
        """The folded forms cut at blanks, by text."""
        if self._tokens is None:
            self._fold_all()
            assert self._tokens is not None
        return self._tokens

    def none_is(self, known: frozenset[str]) -> bool:
        """Whether surely none of the texts, folded, is one of `known`."""
        if self._all_folded is None:
            self._fold_all()
            assert self._all_folded is not None
        return bool(self._all_folded) and known.isdisjoint(self._all_folded)

    def none_holds(self, known: frozenset[str]) -> bool:
        """Whether surely none of the texts, folded, holds one of the words `known` (of letters only) by itself."""
        return known.isdisjoint(self._words()) and bool(self._all_folded)

    def none_ends(self, endings: tuple[str, ...]) -> bool:
        """Whether surely none of the words of the texts, folded, has one of `endings` (of letters only)."""
        return not any(word.endswith(endings) for word in self._words()) and bool(self._all_folded)

    def none_says(self, known: frozenset[str]) -> bool:
        """Whether none of the texts has one of the words `known` (with its accents) between what is no word."""
        if self._said is None:
            self._said = frozenset(_WHOLE_WORD.findall("\n".join(self._texts).casefold()))
        return bool(self._texts) and known.isdisjoint(self._said)

    def _words(self) -> frozenset[str]:
        if self._all_words is None:
            if self._all_folded is None:
                self._fold_all()
            self._all_words = frozenset(_WORD.findall("\n".join(self._all_folded or ())))
        return self._all_words

    def _fold_all(self) -> None:
        folded = self._folded = _Folded()
        tokens = self._tokens = _Tokens(folded)
        short = [text for text in self._texts if len(text) <= _SHORT and "\n" not in text]
        for text, line in zip(short, fold_lines("\n".join(short)), strict=True) if short else ():
            cut = tokens[text] = line.split()
            folded[text] = cut[0] if len(cut) == 1 else " ".join(cut)
        self._all_folded = frozenset(folded.values()) if len(short) == len(self._texts) else frozenset()
