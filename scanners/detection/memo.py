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


# Letters in lower case, anything else a blank: what the words of an ASCII text are, in one pass over all of it.
_LETTERS = bytes(c + 32 if 65 <= c <= 90 else c if 97 <= c <= 122 else 32 for c in range(256))

_SYMBOLS = "\u20a0"
"""From here on stand symbols that fold to letters (`™`), which may then run into the word beside them."""


class Memo:
    """What is known of some texts, by text: their folded forms, the words of those, the dates that they are.

    It answers for any text; `texts` are those that it may find out about together. Only of them speak `none_holds` and
    `none_ends`: where they say yes, no check of a text need look for the words.
    """

    __slots__ = ("_folded", "_texts", "_tokens", "_words", "days")

    def __init__(self, parse_date: Callable[[str], date | None], texts: Collection[str] = ()) -> None:
        self._texts = texts
        self._folded: _Folded | None = None
        self._tokens: _Tokens | None = None
        self._words: frozenset[str] | None = None
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

    def none_holds(self, known: frozenset[str]) -> bool:
        """Whether surely none of the texts, folded, holds one of the words `known` (of letters only) by itself."""
        words = self._words if self._words is not None else self._put_together()
        return known.isdisjoint(words) and bool(words)

    def none_ends(self, endings: tuple[str, ...]) -> bool:
        """Whether surely none of the words of the texts, folded, has one of `endings` (of letters only)."""
        words = self._words if self._words is not None else self._put_together()
        return not any(word.endswith(endings) for word in words) and bool(words)

    def _put_together(self) -> frozenset[str]:
        """All words of letters in the folded texts; none when that is not sure or not worth finding out."""
        joined = "\n".join(self._texts)
        if len(joined) > _SHORT * len(self._texts) or (not joined.isascii() and max(joined) >= _SYMBOLS):
            self._words = frozenset()
            return self._words
        if not joined.isascii():
            joined = " ".join(map(self.folded.__getitem__, self._texts))
        if joined.isascii():
            self._words = frozenset(joined.encode("ascii").translate(_LETTERS).decode("ascii").split())
        else:
            self._words = frozenset(_WORD.findall(joined))
        return self._words

    def _fold_all(self) -> None:
        folded = self._folded = _Folded()
        tokens = self._tokens = _Tokens(folded)
        short = [text for text in self._texts if len(text) <= _SHORT and "\n" not in text]
        for text, line in zip(short, fold_lines("\n".join(short)), strict=True) if short else ():
            cut = tokens[text] = line.split()
            folded[text] = cut[0] if len(cut) == 1 else " ".join(cut)
