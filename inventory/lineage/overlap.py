"""Lineage without pipelines: which fields share their values, and which of them is the other's copy.

Works on the keyed sketches of `scanners.sketching`. All hashes go into one sorted list; fields that stand beside each
other there share a value, so candidates cost as much as sorting does, and the count of shared values is exact for what
the sketches hold. (LSH Ensemble, Zhu et al., VLDB 2016, which `datasketch` has, answers the same question with a
signature of MinHash values, roughly; a bottom-k sketch is not one of those, and needs no guess.) A value that more than
MOST_SHARING fields hold joins them all to the greatest few of them and not with each other, so the pairs do not grow
with the square of the fields.

Below the smaller of two sketches' largest hashes both are complete; there the share of A's values that B has too is an
unbiased estimate of the containment of A in B, binomial, with Wilson's bounds. Of a field of which only a sample was
read no more than that share of its values can be met, so the estimate is divided by it.

Values that stand for one person (an address, a number, a token) are not shared by chance; names of places, days, small
numbers and keys that count from one are. The former make two datasets *kin*; of kin, the latter are compared too.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from inventory.lineage.sketches import KeptSketch
from inventory.model import (
    DatasetKind,
    DisclosureSeen,
    FieldReferences,
    FlowSeen,
    Provenance,
    SystemKind,
    Transformation,
    dataset_of,
)

LEAST_SHARED = 8  # values; fewer say nothing
LEAST_CONTAINED = 0.3
LEAST_OF_KIN = 0.6  # of values that may be shared by chance
LEAST_OF_CHANCY = 3  # values shared, where they may be by chance
KEY_CONTAINED = 0.9  # of a reference in the key
LEAST_LEFT = 0.3  # of a field's values, for a second source of them
MOST_SHARING = 24
_HUBS = 3
_Z = 1.96  # of 95 %

#: Their values stand for one person, or one thing of a person.
_TELLING = (
    *("user.contact.email", "user.contact.phone_number", "user.contact.fax_number", "user.contact.address.street"),
    *("user.government_id", "user.financial.bank_account", "user.financial.credit_card", "user.account.username"),
    *("user.unique_id", "user.device.device_id", "user.device.cookie_id", "user.authorization", "user.name"),
    *("user.health_and_medical.record_id", "user.health_and_medical.insurance_beneficiary_id"),
)
#: Two systems do not have them in common by chance; two tables of one application may, as the same people use both.
_TELLING_ABROAD = ("user.device.ip_address",)
_CHANCY = ("user.name.first", "user.name.last", "user.financial.credit_card.expiry", "user.financial.bank_account.bic")
_LEAST_DISTINCT = 12

Hashes = npt.NDArray[np.uint64]
_np: Any = np


@dataclass(frozen=True, slots=True)
class FieldFacts:
    """What is known of a sketched field beside its sketch."""

    urn: str
    name: str
    dataset: str
    dataset_kind: str
    system: str
    system_kind: str
    category: str = ""  # the surest
    primary_key: bool = False
    rows: int | None = None  # of the dataset, as estimated
    processors: tuple[str, ...] = ()  # that have it


@dataclass(frozen=True, slots=True)
class Containment:
    """The share of a field's values that another has too: the estimate and its 95 % bounds, all in 0..1."""

    estimate: float
    low: float
    high: float
    shared: int  # values, met in both sketches


def containment(part: KeptSketch, whole: KeptSketch, share: float = 1.0) -> Containment:
    """Of `part` in `whole`, of whose values the share in 0..1 was read."""
    return _estimate(_shared(part, whole), _below(part, _common_end(part, whole)), share)


def _shared(one: KeptSketch, other: KeptSketch) -> int:
    return int(np.isin(one.values, other.values, assume_unique=True).sum())


def _estimate(shared: int, count: int, share: float) -> Containment:
    """Wilson's score interval (Wilson 1927)."""
    if not count:
        return Containment(0.0, 0.0, 1.0, 0)
    p, square = shared / count, _Z * _Z / count
    middle, half = p + square / 2, _Z * math.sqrt(p * (1 - p) / count + square / (4 * count))
    low, high = min(p, (middle - half) / (1 + square)), max(p, (middle + half) / (1 + square))
    return Containment(min(1.0, p / share), min(1.0, max(0.0, low) / share), min(1.0, high / share), shared)


def _end(sketch: KeptSketch) -> int:
    """Up to this hash the sketch holds all."""
    return int(sketch.values[-1]) if sketch.distinct > len(sketch.values) else 2**64 - 1


def _common_end(one: KeptSketch, other: KeptSketch) -> int:
    return min(_end(one), _end(other))


def _below(sketch: KeptSketch, end: int) -> int:
    return int(np.searchsorted(sketch.values, np.uint64(end), side="right"))


# --- candidates -------------------------------------------------------------------------------------------------


def sharing(sketches: Sequence[KeptSketch], least: int = LEAST_SHARED) -> dict[tuple[int, int], int]:
    """Pairs of sketches, by their places (the lesser first), with how many values they share: at least so many."""
    if len(sketches) < 2:
        return {}
    sizes = np.array([len(sketch.values) for sketch in sketches])
    owners = np.repeat(np.arange(len(sketches), dtype=np.int64), sizes)
    hashes = np.concatenate([sketch.values for sketch in sketches])
    order = np.argsort(hashes, kind="stable")
    hashes, owners = hashes[order], owners[order]
    starts = np.flatnonzero(np.r_[True, hashes[1:] != hashes[:-1]])
    lengths = np.diff(np.r_[starts, len(hashes)])
    greatness = np.array([sketch.distinct for sketch in sketches])
    codes, counts = _none(), _none()
    for some in _pairs(owners, starts, lengths, greatness, len(sketches)):
        found, numbers = np.unique(some, return_counts=True)
        codes, counts = _added(codes, counts, found, numbers)
    enough = counts >= least
    return {
        (int(code) // len(sketches), int(code) % len(sketches)): int(count)
        for code, count in zip(codes[enough], counts[enough], strict=True)
    }


_AT_ONCE = 4_000_000  # pairs


def _none() -> npt.NDArray[np.int64]:
    return np.empty(0, dtype=np.int64)


def _added(codes: Any, counts: Any, found: Any, numbers: Any) -> tuple[Any, Any]:
    """Counts of both, by code."""
    together, places = np.unique(np.concatenate([codes, found]), return_inverse=True)
    sums = _np.bincount(places, weights=np.concatenate([counts, numbers]), minlength=len(together))
    return together, sums.astype(np.int64)


def _pairs(owners: Any, starts: Any, lengths: Any, greatness: Any, base: int) -> Iterator[npt.NDArray[np.int64]]:
    """Codes of the pairs that share a value, one for each value."""
    for length in range(2, MOST_SHARING + 1):
        first, second = np.triu_indices(length, 1)
        chosen = starts[lengths == length]
        step = max(1, _AT_ONCE // len(first))
        for start in range(0, len(chosen), step):
            block = owners[chosen[start : start + step, None] + np.arange(length)]  # ascending, as sorting was stable
            yield (block[:, first] * base + block[:, second]).ravel()
    held: list[npt.NDArray[np.int64]] = []
    size = 0
    for start, length in zip(*(each[lengths > MOST_SHARING] for each in (starts, lengths)), strict=True):
        block = owners[start : start + length]
        for hub in block[np.argsort(-greatness[block], kind="stable")[:_HUBS]]:
            others = block[block != hub]
            held.append(np.minimum(others, hub) * base + np.maximum(others, hub))
            size += len(others)
        if size > _AT_ONCE:
            yield np.concatenate(held)
            held, size = [], 0
    if held:
        yield np.concatenate(held)


# --- pairs ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Side:
    """A sketch with what is known of its field."""

    sketch: KeptSketch
    facts: FieldFacts

    @property
    def telling(self) -> bool:
        """Whether its values are not shared by chance."""
        sketch, category = self.sketch, self.facts.category
        if sketch.distinct < _LEAST_DISTINCT or sketch.kind == "number":
            return False
        if sketch.kind in ("email", "phone", "digest"):
            return True
        return _within(category, (*_TELLING, *_TELLING_ABROAD)) and not _within(category, _CHANCY)

    @property
    def abroad(self) -> bool:
        """Whether that holds between systems alone."""
        return _within(self.facts.category, _TELLING_ABROAD)

    @property
    def share(self) -> float:
        """The share of its different values that were read, 0..1."""
        sketch, rows = self.sketch, self.facts.rows
        if sketch.whole or not rows or rows <= sketch.rows:
            return 1.0
        repeated = sketch.sampled / max(sketch.distinct, 1)
        return min(1.0, repeated * sketch.rows / rows)

    @property
    def unique(self) -> bool:
        """Whether no value is there twice."""
        return self.sketch.distinct >= 0.99 * self.sketch.sampled

    @property
    def is_key(self) -> bool:
        """Whether it tells its records apart by itself: a key of several columns may not."""
        return self.facts.primary_key and self.unique

    @property
    def size(self) -> float:
        """Its different values, as estimated for all rows."""
        return self.sketch.distinct / self.share


def _within(category: str, keys: Iterable[str]) -> bool:
    return any(category == key or category.startswith(f"{key}.") for key in keys)


@dataclass(frozen=True, slots=True)
class _Match:
    """Two fields that share values; of `target` so much is in `source`."""

    source: _Side
    target: _Side
    contained: Containment
    back: Containment  # of source in target
    directed: float  # confidence in the direction, 0..1
    telling: bool

    @property
    def datasets(self) -> tuple[str, str]:
        """The source's and the target's."""
        return self.source.facts.dataset, self.target.facts.dataset

    @property
    def hashed(self) -> bool:
        return self.target.sketch.kind == "digest" and self.source.sketch.kind != "digest"


_Copy: TypeAlias = tuple[_Match, float]  # with the confidence in it


class Overlap:
    """The sketched fields of an installation, compared."""

    def __init__(
        self,
        sketches: Iterable[KeptSketch],
        facts: Mapping[str, FieldFacts],
        references: Iterable[tuple[str, str]] = (),
    ) -> None:
        known = (sketch for sketch in sketches if len(sketch.values) and sketch.field in facts)
        self._sides = [_Side(sketch, facts[sketch.field]) for sketch in known]
        self._plain = {side.facts.urn: side for side in self._sides if not side.sketch.form}
        self._chancy: defaultdict[str, list[_Side]] = defaultdict(list)
        for side in self._plain.values():
            if not side.telling:
                self._chancy[side.facts.dataset].append(side)
        self._referring = {source for source, _ in references}

    def contained(self, field: str, key: str) -> float | None:
        """The share of a field's values that the key has too, in 0..1; None when they cannot be compared."""
        one, other = self._plain.get(field), self._plain.get(key)
        if one is None or other is None or one.sketch.key != other.sketch.key:
            return None
        return containment(one.sketch, other.sketch, other.share).estimate

    def observations(self) -> Iterator[FlowSeen | FieldReferences | DisclosureSeen]:
        """The copies, the keys, and what of the inside fields is at an organisation."""
        yield from self._keys()
        telling = self._telling()
        explained = self._referring | {match.target.facts.urn for match in telling if self._explains(match)}
        certain = list(self._candidates(telling, explained))
        others = list(self._candidates(self._of_kin(certain), explained))
        preference = _Preference(telling, [*certain, *others], self._referring)
        copies = _explaining(certain, preference)
        preference.chosen = {copy.datasets for copy, _ in copies}
        copies += _explaining(others, preference)
        for copy, confidence in copies:
            yield FlowSeen(
                copy.source.facts.urn,
                copy.target.facts.urn,
                Provenance.OVERLAP,
                Transformation.HASHED if copy.hashed else Transformation.COPIED,
                confidence=confidence,
            )
        yield from _disclosures(copies)

    # --- what matches ------------------------------------------------------------------------------------------

    def _telling(self) -> list[_Match]:
        """Every pair of fields that share more telling values than chance gives."""
        found: dict[frozenset[str], _Match] = {}
        sides = [side for side in self._sides if side.telling]
        for (first, second), shared in sharing([side.sketch for side in sides]).items():
            match = self._match(sides[first], sides[second], shared)
            if match is not None:
                pair = frozenset((match.source.facts.urn, match.target.facts.urn))
                if pair not in found or match.contained.shared > found[pair].contained.shared:
                    found[pair] = match
        return list(found.values())

    def _of_kin(self, telling: Iterable[_Match]) -> Iterator[_Match]:
        """Between datasets of which one holds copies of the other: fields that agree in category or name."""
        datasets = dict.fromkeys(match.datasets for match in telling if not _is_within_vendor(match))
        for source, target in datasets:
            for other in self._chancy[target]:
                for one in self._chancy[source]:
                    if not _alike(one.facts, other.facts):
                        continue
                    shared = _shared(one.sketch, other.sketch)
                    match = self._match(one, other, shared) if shared >= LEAST_OF_CHANCY else None
                    if match is not None and _is_common(match):
                        continue
                    if match is not None and match.source is other:
                        match = _Match(one, other, match.back, match.contained, match.directed, telling=False)
                    if match is not None:
                        yield match

    def _match(self, one: _Side, other: _Side, shared: int) -> _Match | None:
        if one.facts.urn == other.facts.urn or one.sketch.key != other.sketch.key:
            return None
        if not _comparable(one.sketch, other.sketch):
            return None
        if one.facts.system == other.facts.system and (one.abroad or other.abroad):
            return None
        end = _common_end(one.sketch, other.sketch)
        ahead = _estimate(shared, _below(one.sketch, end), other.share)
        back = _estimate(shared, _below(other.sketch, end), one.share)
        telling = one.telling and other.telling
        least = LEAST_CONTAINED if telling else LEAST_OF_KIN
        if max(ahead.high, back.high) < least or max(ahead.estimate, back.estimate) < least * 0.75:
            return None
        forward, directed = _direction(one, other, ahead, back)
        if forward:
            return _Match(one, other, back, ahead, directed, telling)
        return _Match(other, one, ahead, back, directed, telling)

    # --- keys --------------------------------------------------------------------------------------------------

    def _keys(self) -> Iterator[FieldReferences]:
        """References that nobody declared: nearly all values are in a key of the same system, and the name agrees."""
        keys: defaultdict[tuple[str, str], list[_Side]] = defaultdict(list)
        for side in self._plain.values():
            if side.is_key and not _is_derived(side.facts):
                for word in _said_of_key(side.facts):
                    keys[side.facts.system, word].append(side)
        for field, side in sorted(self._plain.items()):
            if (
                side.is_key
                or side.sketch.distinct < LEAST_SHARED
                or field in self._referring
                or _is_derived(side.facts)
            ):
                continue
            named = {
                key.facts.urn: key
                for word in _words(side.facts.name)
                for key in keys[side.facts.system, word]
                if key.facts.dataset != side.facts.dataset and _names_key(side.facts.name, key.facts)
            }
            within = [(containment(side.sketch, key.sketch, key.share), key.facts) for key in named.values()]
            sure = [each for each in within if each[0].estimate >= KEY_CONTAINED and each[0].shared >= LEAST_SHARED]
            if sure:
                name = side.facts.name
                best, key = max(sure, key=lambda each: (_names_table(name, each[1]), each[0].estimate, each[1].urn))
                confidence = round(0.8 * best.low, 3)
                yield FieldReferences(field, key.urn, f"overlap:{field}", 1, Provenance.OVERLAP, confidence)

    # --- copies ------------------------------------------------------------------------------------------------

    def _candidates(self, matches: Iterable[_Match], explained: Collection[str]) -> Iterator[_Match]:
        """Those that may be copies."""
        for match in matches:
            source, target = match.source.facts, match.target.facts
            if source.dataset == target.dataset or target.urn in explained or self._explains(match):
                continue
            if _is_derived(target):  # its SQL tells
                continue
            own = match.hashed or match.target.sketch.kind in ("email", "phone")
            if target.primary_key and source.system == target.system and not own:  # others refer to it
                continue
            if match.contained.high >= LEAST_CONTAINED:
                yield match

    def _explains(self, match: _Match) -> bool:
        """Whether the source explains the target otherwise than by a copy from elsewhere: it stands beside it in the
        same dataset, or the target refers to it.
        """
        one, other = match.source.facts, match.target.facts
        if one.dataset == other.dataset:
            return match.contained.estimate >= KEY_CONTAINED
        if _is_derived(one) or _is_derived(other):
            return False
        return one.system == other.system and (one.primary_key or one.category.startswith("user.unique_id"))


def _comparable(one: KeptSketch, other: KeptSketch) -> bool:
    """A hashed form stands only beside what may be hashed; a digest beside another, or beside what was hashed."""
    if one.form and other.form:
        return False
    if one.form or other.form:
        return "digest" in (one.kind, other.kind)
    return True


def _direction(one: _Side, other: _Side, ahead: Containment, back: Containment) -> tuple[bool, float]:
    """Whether the first is the source, and how surely. By what can be made from what, in this order."""
    if (one.sketch.kind == "digest") != (other.sketch.kind == "digest"):
        return other.sketch.kind == "digest", 1.0
    derived = [_is_derived(side.facts) for side in (one, other)]
    if one.facts.system == other.facts.system and derived[0] != derived[1]:
        return derived[1], 1.0
    if one.facts.primary_key != other.facts.primary_key and "email" not in one.facts.category:
        return one.facts.primary_key, 0.9
    if ahead.estimate >= KEY_CONTAINED > 2 * back.estimate:
        return False, 0.9
    if back.estimate >= KEY_CONTAINED > 2 * ahead.estimate:
        return True, 0.9
    if one.unique != other.unique and one.facts.system == other.facts.system:
        return one.unique, 0.85
    ranks = [_RANK.get(side.facts.system_kind, 1) for side in (one, other)]
    if ranks[0] != ranks[1]:
        return ranks[0] < ranks[1], 0.9
    if min(one.size, other.size) * 1.1 < max(one.size, other.size):
        return one.size > other.size, 0.75
    if abs(one.sketch.first_seen - other.sketch.first_seen) > _LATER:
        return one.sketch.first_seen < other.sketch.first_seen, 0.7
    return one.facts.urn < other.facts.urn, 0.5


_LATER = 24 * 3600.0  # seconds between the first sights of two fields of which one is older
_RANK: dict[str, int] = {SystemKind.DATABASE: 0, SystemKind.STREAM: 1, SystemKind.BUCKET: 2, SystemKind.INTEGRATION: 2}


def _is_derived(facts: FieldFacts) -> bool:
    return facts.dataset_kind in (DatasetKind.VIEW, DatasetKind.MATERIALIZED_VIEW)


_WORDS = re.compile(r"[a-z]+|\d+")


def _is_within_vendor(match: _Match) -> bool:
    """A vendor's records hold each other."""
    one, other = match.source.facts, match.target.facts
    return one.system == other.system and one.system_kind == SystemKind.INTEGRATION


def _is_common(match: _Match) -> bool:
    """Whether both may have their few values from one list; unless each has all of the other's."""
    few = min(match.source.sketch.distinct, match.target.sketch.distinct) < _LEAST_DISTINCT
    return few and min(match.contained.estimate, match.back.estimate) < KEY_CONTAINED


def _words(name: str) -> list[str]:
    """The words of the last part of a field's name: `profile/userId` gives `user`, `id`."""
    last = next((part for part in reversed(name.split("/")) if part not in ("-", "*", "")), name)
    return _WORDS.findall(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", last).lower())


def _alike(one: FieldFacts, other: FieldFacts) -> bool:
    if one.category and one.category == other.category:
        return True
    return one.system != other.system and _words(one.name) == _words(other.name)


_KEY_WORDS = frozenset(("id", "uuid", "guid", "key", "no", "number", "code", "ref"))


def _said_of_key(key: FieldFacts) -> set[str]:
    """The words by which other fields name a key: its table's, in the singular too, and its own."""
    table = _words(re.split(r"[./]", key.dataset)[-1])
    return {*table, *(word.removesuffix("s") for word in table), *_words(key.name)}


def _names_table(name: str, key: FieldFacts) -> bool:
    table = _words(re.split(r"[./]", key.dataset)[-1])
    return not {*table, *(word.removesuffix("s") for word in table)}.isdisjoint(_words(name))


def _names_key(name: str, key: FieldFacts) -> bool:
    """`customer_id` names `customers.id` and `customers.customer_id`."""
    words, own = _words(name), _words(key.name)
    if words == own:
        return len(words) > 1
    said = set(words) - _KEY_WORDS
    is_key = not _KEY_WORDS.isdisjoint(words) or not _KEY_WORDS.isdisjoint(own)
    return bool(said) and said <= _said_of_key(key) and is_key


# --- explaining -------------------------------------------------------------------------------------------------


class _Preference:
    """Which of several sources that would explain a field is preferred.

    Copies of one thing resemble each other as well, and what a copy was made of is then not told by its values. So:
    what explains about as much as the best; a database before a file; a dataset that explains nearly all of the
    target's; one that other fields of it were found to come from; the origin of the others, as its data is in the
    target either way; one whose name agrees; the one that explains most fields.
    """

    def __init__(
        self, telling: Sequence[_Match], candidates: Sequence[_Match], referring: Collection[str] = ()
    ) -> None:
        self._field_origins = {(match.source.facts.urn, match.target.facts.urn) for match in telling}
        self._origins = {match.datasets for match in telling}
        self._referring = referring
        fields = {(match.datasets, match.target.facts.urn) for match in candidates}
        self._explained = Counter(datasets for datasets, _ in fields)
        self._wanted = Counter(dataset_of(urn) for urn in {urn for _, urn in fields})
        self.chosen: Collection[tuple[str, str]] = ()

    def ranked(self, matches: Sequence[_Match]) -> list[_Match]:
        """Of one target, the best first."""
        best = max(match.contained.estimate for match in matches)
        sources = [match.source.facts for match in matches]
        return sorted(matches, key=lambda match: self._rank(match, best, sources), reverse=True)

    def _rank(self, match: _Match, best: float, sources: Sequence[FieldFacts]) -> tuple[Any, ...]:
        source, target = match.source.facts, match.target.facts
        explained, own = self._explained[match.datasets], source.dataset
        others = {other.dataset for other in sources}
        return (
            match.contained.estimate >= 0.8 * best,
            -_RANK.get(source.system_kind, 1),
            explained >= max(3, 0.8 * self._wanted[target.dataset]),
            match.datasets in self.chosen,
            source.urn not in self._referring,
            _net(source.urn, (other.urn for other in sources), self._field_origins),
            not _dataset_words(own).isdisjoint(_dataset_words(target.dataset)),
            _net(own, others, self._origins),
            explained,
            _words(source.name) == _words(target.name),
            match.contained.estimate,
            match.directed,
            match.back.estimate,
            source.urn,
        )


def _net(own: str, others: Iterable[str], origins: Collection[tuple[str, str]]) -> int:
    """Of how many others it is the origin, less those that are its own."""
    return sum(((own, other) in origins) - ((other, own) in origins) for other in others)


_COMMON_WORDS = frozenset(("export", "data", "public", "main", "table", "log", "file", "date", "number"))


def _dataset_words(dataset: str) -> set[str]:
    """`…/shop.public.order_items` and `…/exports/order-items-{date}.csv` have `order` and `item` in common."""
    name = dataset.partition("://")[2].partition("/")[2]
    return {word.removesuffix("s") for word in _WORDS.findall(name.lower())} - _COMMON_WORDS


def _explaining(matches: Iterable[_Match], preference: _Preference) -> list[_Copy]:
    """For each field the fewest sources that explain its values, with the confidence in each: a value needs one."""
    by_target: defaultdict[str, list[_Match]] = defaultdict(list)
    for match in matches:
        by_target[match.target.facts.urn].append(match)
    found: list[_Copy] = []
    for _, each in sorted(by_target.items()):
        found += [(match, _confidence(match)) for match in _covering(preference.ranked(each))]
    return found


def _covering(matches: Sequence[_Match]) -> Iterator[_Match]:
    values = matches[0].target.sketch.values
    left: Hashes = values
    for match in matches:
        explained = np.isin(left, match.source.sketch.values, assume_unique=True)
        gained = int(explained.sum())
        if len(left) == len(values) or gained >= max(LEAST_SHARED, LEAST_LEFT * len(values)):
            yield match
            left = left[~explained]


def _confidence(match: _Match) -> float:
    """In that it is a copy, in this direction: 0..1."""
    certain = 0.95 if match.telling else 0.75
    return round(certain * match.directed * (0.5 + 0.5 * match.contained.low), 3)


def _disclosures(copies: Iterable[_Copy]) -> Iterator[DisclosureSeen]:
    """What of our own fields an organisation holds, by the fields of its account."""
    said: dict[tuple[str, str], DisclosureSeen] = {}
    for copy, confidence in copies:
        outside, inside = copy.target.facts, copy.source.facts
        if outside.system_kind != SystemKind.INTEGRATION:  # it came from there
            outside, inside = inside, outside
        if outside.system_kind != SystemKind.INTEGRATION or inside.system_kind == SystemKind.INTEGRATION:
            continue
        share = round(100 * (copy.contained if outside is copy.target.facts else copy.back).estimate)
        for processor in outside.processors:
            evidence = (
                f"{share} % of the values of {outside.name} there are among its own ({copy.contained.shared} met)"
            )
            known = said.get((inside.urn, processor))
            if known is None or known.confidence < confidence:
                said[inside.urn, processor] = DisclosureSeen(
                    inside.urn, processor, Provenance.OVERLAP, evidence, confidence
                )
    yield from said.values()
