"""What a column's or table's name says: it is cut into words, and the words are compared with the catalogue's.

Names come as `snake_case`, `camelCase`, `kebab-case`, glued (`firstname`, `codepostal`), abbreviated (`cust_nm`,
`dob`) and in English or French. The head of an English name is its last word (`email_template_id` is an id), that of
a French one its first (`courriel_facturation` is a courriel).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from scanners.detection.catalogue import Detector
from scanners.detection.lexicon import abbreviations, fold, vocabulary

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=[0-9])|(?<=[0-9])(?=[A-Za-z])")
_APART = re.compile(r"[^A-Za-z0-9]+")
_ABBREVIATIONS = abbreviations()
_NEUTRAL = vocabulary("neutral_words")
_ABOUT = vocabulary("about_words")
_PERSON_TABLES = vocabulary("person_tables")
_THING_TABLES = vocabulary("thing_tables")
_SHORT = frozenset(["ip", "id", "no", "dt", "nm", "cd", "tm", "ph"])
_TABLE_SUFFIXES = vocabulary("table_suffixes")
_STOP = vocabulary("stop_words")


@lru_cache(maxsize=65536)
def tokens(name: str) -> tuple[str, ...]:
    """The words of a name, folded, abbreviations written out: `custFName2` gives `customer first name 2`."""
    parts: list[str] = []
    for rough in _APART.split(_without_accents(name)):
        if not rough:
            continue
        for part in _known_or_split(rough):
            lowered = part.lower()
            if lowered in _STOP:
                continue
            parts.extend(_expand(lowered))
    return tuple(parts)


def _without_accents(name: str) -> str:
    """Case is kept: it marks words in camelCase."""
    if name.isascii():
        return name
    return "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))


def _known_or_split(rough: str) -> Sequence[str]:
    if rough.lower() in _ABBREVIATIONS:
        return [rough]
    return _CAMEL.split(rough)


def _expand(word: str) -> Sequence[str]:
    if word in _ABBREVIATIONS:
        return _ABBREVIATIONS[word].split()
    known = _vocabulary()
    if word in known or word.isdecimal() or len(word) < 5:
        return [word]
    if word.endswith("s") and word[:-1] in known:
        return [word[:-1]]
    spelled = _skeletons().get(word)
    if spelled is not None:
        return spelled
    cut = _segment(word)
    return [part for whole in cut for part in _ABBREVIATIONS.get(whole, whole).split()] if cut else [word]


@cache
def _vocabulary() -> frozenset[str]:
    from scanners.detection.catalogue import shipped

    found: set[str] = set(_NEUTRAL | _ABOUT | _PERSON_TABLES | _THING_TABLES)
    for detector in shipped():
        for phrase in (*detector.names, *detector.hints):
            found.update(fold(phrase).split())
    return frozenset(w for w in found if len(w) > 1)


_VOWELS = str.maketrans("", "", "aeiouy")


@cache
def _skeletons() -> dict[str, list[str]]:
    """Names without their vowels, as old systems write them: `brthdt` for birth date, `lstnm` for last name."""
    from scanners.detection.catalogue import shipped

    found: dict[str, list[str]] = {}
    phrases = [phrase for detector in shipped() for phrase in detector.names]
    for phrase in sorted(phrases, key=len):
        words = fold(phrase).split()
        skeleton = "".join(word.translate(_VOWELS) for word in words)
        if len(skeleton) >= 4:
            found.setdefault(skeleton, words)
            found.setdefault(skeleton.removesuffix("t"), words) if words[-1] == "date" else None
    return found


@lru_cache(maxsize=65536)
def _segment(word: str) -> tuple[str, ...]:
    """Cut a glued word into known words of two or more letters, as few as possible; empty when it cannot be."""
    known = _vocabulary() | _ABBREVIATIONS.keys()
    best: list[tuple[str, ...] | None] = [(), *([None] * len(word))]
    for end in range(1, len(word) + 1):
        for start in range(max(0, end - 16), end):
            before, piece = best[start], word[start:end]
            if before is None:
                continue
            if piece in {"de", "du", "of"} and start > 0 and end < len(word):
                piece = ""
            elif piece not in known or (len(piece) < 3 and piece not in _SHORT):
                continue
            candidate = (*before, piece) if piece else before
            current = best[end]
            if current is None or len(candidate) < len(current):
                best[end] = candidate
    return best[len(word)] or ()


_PART_OF_A_HINT = 0.2
"""A name that holds a hint among other words (`user_sig`) says little."""


@dataclass(frozen=True, slots=True)
class NameMatch:
    """How a name says a category: `strength` in -1..1, and the phrase that said it."""

    phrase: str
    strength: float
    hint: bool = False


@dataclass(frozen=True, slots=True)
class _Phrase:
    words: tuple[str, ...]
    detector: str
    hint: bool


class Names:
    """The names of a set of detectors, ready to be compared with columns' names."""

    def __init__(self, detectors: Sequence[Detector]) -> None:
        self._known = {detector.detector for detector in detectors}
        self._booleans = {detector.detector for detector in detectors if "boolean" in detector.types}
        self._neutral = {detector.detector: _NEUTRAL | detector.neutral for detector in detectors}
        by_first: dict[str, list[_Phrase]] = {}
        for detector in detectors:
            for hint, listed in ((False, detector.names), (True, detector.hints)):
                for cut in {form for phrase in listed for form in _forms(tokens(phrase))}:
                    by_first.setdefault(cut[0], []).append(_Phrase(cut, detector.detector, hint))
        self._by_first = by_first
        self.look = lru_cache(maxsize=16384)(self._look)
        self.look_within = lru_cache(maxsize=16384)(self._look_within)

    def _look_within(self, holder: str, name: str) -> dict[str, NameMatch]:
        """As `look`; a name of one or two words is also read after its holder's: `id` in `user`."""
        found = self._look(name)
        words, above = tokens(name), tokens(holder.rsplit(".", 1)[-1])
        if not above or not 1 <= len(words) <= 2:
            return found
        joined = self._look(" ".join((_singular(above[-1]), *words)))
        more = {
            detector: NameMatch(match.phrase, 0.8 * match.strength)
            for detector, match in joined.items()
            if len(match.phrase.split()) > len(words) and match.strength >= 0.9 and not match.hint
        }
        return {**found, **more} if more else found

    def _look(self, name: str) -> dict[str, NameMatch]:
        """The detectors that `name` speaks for (or, as an attribute of the thing, against), by detector's name."""
        words = tokens(name)
        spans: list[tuple[int, int, _Phrase]] = []
        for start, word in enumerate(words):
            for phrase in self._by_first.get(word, ()):
                end = start + len(phrase.words)
                if words[start:end] == phrase.words:
                    spans.append((start, end, phrase))
        longest = [s for s in spans if not any(_covers(other, s) for other in spans)]
        found: dict[str, NameMatch] = {}
        for start, end, phrase in longest:
            own = {i for first, last, other in longest if other.detector == phrase.detector for i in range(first, last)}
            after = [word for i, word in enumerate(words[end:], end) if i not in own]
            later = any(other[0] >= end and other[2].detector != phrase.detector for other in longest)
            boolean = phrase.detector in self._booleans
            strength = _strength(words[:start], after, later, boolean, self._neutral[phrase.detector])
            if phrase.hint and strength < 0.9:
                strength = min(strength, _PART_OF_A_HINT)
            match = NameMatch(" ".join(phrase.words), strength, phrase.hint)
            known = found.get(phrase.detector)
            if known is None or (match.hint, -match.strength) < (known.hint, -known.strength):
                found[phrase.detector] = match
        person = _key_of_person(words)
        taken = any(match.strength > 0.5 for match in found.values())
        if person and not taken and "unique_id" in self._known - found.keys():
            found["unique_id"] = NameMatch(person, 0.9)
        return found


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


_KEY_WORDS = frozenset(["id", "key", "number", "uuid", "guid", "ref", "uid", "pk", "sk", "fk"])


def _key_of_person(words: tuple[str, ...]) -> str:
    """The phrase in a name such as `candidate_key` or `id_cliente`: a word for a person beside one for a key."""
    nouns = vocabulary("person_nouns")
    if len(words) >= 2 and words[-1] in _KEY_WORDS and words[-2] in nouns:
        return " ".join(words[-2:])
    if len(words) >= 2 and words[0] in _KEY_WORDS and words[1] in nouns:
        return " ".join(words[:2])
    return ""


def _forms(words: tuple[str, ...]) -> Sequence[tuple[str, ...]]:
    """A phrase and, where it ends in id or number, the order that French uses: `id client` beside `client id`."""
    if not words:
        return []
    if len(words) == 2 and words[-1] in {"id", "number"}:
        return [words, (words[-1], *words[:-1])]
    return [words]


def _covers(other: tuple[int, int, _Phrase], span: tuple[int, int, _Phrase]) -> bool:
    inside = other[0] <= span[0] and span[1] <= other[1]
    return inside and (other[1] - other[0]) > (span[1] - span[0])


def _strength(
    before: Sequence[str], after: Sequence[str], later: bool, boolean: bool, neutral: frozenset[str]
) -> float:
    if before and before[0] in {"is", "has", "est", "nb", "count", "nombre"} and not boolean:
        return -0.6
    if not after:
        return 0.9 if before else 1.0
    if all(word in neutral for word in after):
        return 0.9
    if any(word in _ABOUT and word not in neutral for word in after):
        return -0.6
    return 0.15 if later else 0.45


@lru_cache(maxsize=16384)
def about_people(name: str) -> float:
    """Whether a table by its name is about people (1), their doings (0.6), things (-1), or does not say (0)."""
    words = tuple(word for word in tokens(name.rsplit(".", 1)[-1]) if word not in _TABLE_SUFFIXES)
    if any(word in _THING_TABLES for word in words[-1:]) and not any(word in _PERSON_TABLES for word in words[-1:]):
        return -1.0
    if any(word in _PERSON_TABLES for word in (words[:1] + words[-1:] if len(words) < 2 else words[-1:])):
        return 1.0
    if any(word in _PERSON_TABLES for word in words):
        return 0.6
    return -0.5 if any(word in _THING_TABLES for word in words) else 0.0
