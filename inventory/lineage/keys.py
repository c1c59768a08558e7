"""Keys that no constraint declares: those that people wrote into the configuration, and those that names suggest.

A name suggests a key when it names the table whose key it is: `customer_id` in `orders` is the key of `customers`, or
of the one table whose primary key is called `customer_id`. `id` names nothing, so no two `id` are ever paired. Types
must agree. `contained`, where the caller has sketches of values, says what share of the source's values the target
holds: it confirms or refutes what the names suggest.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from inventory.model import FieldReferences, Provenance, field_urn

EXACT, WITH_ROLE, FAR = 0.7, 0.55, 0.1  # confidence: of a plain name, after a role (`billing_…`), less elsewhere
CONFIRMED, REFUTED = 0.9, 0.3  # containment from which, and below which, values speak louder than names

_GENERIC = frozenset({"id", "key", "pk", "uuid", "guid", "code", "name", "no", "number", "type", "rowid", "oid", "ref"})
_KEY_WORDS = ("id", "key", "uuid", "guid", "pk", "fk", "no", "code", "ref", "number")
_OF_ITSELF = frozenset(
    {"parent", "previous", "prev", "next", "root", "original", "predecessor", "successor", "superseded"}
)
_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_]+")

Containment = Callable[[str, str], float | None]


@dataclass(frozen=True, slots=True)
class KeyColumn:
    """A column as a key may have it: its name, its type as the source says it, whether it is of the primary key."""

    name: str
    type: str
    primary_key: bool = False


@dataclass(frozen=True, slots=True)
class KeyTable:
    """A table of a system with its columns. `schema` and `name` are the parts of its dataset name."""

    urn: str
    system: str
    schema: str
    name: str
    columns: tuple[KeyColumn, ...]

    @property
    def key(self) -> tuple[KeyColumn, ...]:
        """The primary key's columns."""
        return tuple(column for column in self.columns if column.primary_key)


def inferred_references(
    tables: Iterable[KeyTable], declared: Iterable[tuple[str, str]] = (), contained: Containment | None = None
) -> Iterator[FieldReferences]:
    """The keys that names suggest within each system, without the fields that `declared` pairs (source, target) have.

    The columns of a composite key are one group. Sub-quadratic: columns look up tables by the words of their names.
    """
    sources = {source for source, _ in declared}
    systems: defaultdict[str, list[KeyTable]] = defaultdict(list)
    for table in tables:
        systems[table.system].append(table)
    for some in systems.values():
        known = _Keys(some)
        for table in some:
            yield from _of_table(table, known, sources, contained)


def _of_table(
    table: KeyTable, known: _Keys, declared: set[str], contained: Containment | None
) -> Iterator[FieldReferences]:
    taken: set[str] = set()
    for target in known.composite_of(table):
        pairs = [(column.name, column.name) for column in target.key]
        if any(field_urn(table.urn, source) in declared for source, _ in pairs):
            continue
        taken.update(source for source, _ in pairs)
        yield from _references(table, target, pairs, _confidence(EXACT, table, target), contained)
    for column in table.columns:
        source = field_urn(table.urn, column.name)
        if column.name in taken or source in declared:
            continue
        found = known.target_of(table, column)
        if found is not None:
            target, confidence = found
            yield from _references(table, target, [(column.name, target.key[0].name)], confidence, contained)


def _references(
    table: KeyTable,
    target: KeyTable,
    pairs: Sequence[tuple[str, str]],
    confidence: float,
    contained: Containment | None,
) -> Iterator[FieldReferences]:
    urns = [(field_urn(table.urn, source), field_urn(target.urn, key)) for source, key in pairs]
    shares = [share for share in (contained(*pair) for pair in urns) if share is not None] if contained else []
    if shares:
        if min(shares) < REFUTED:
            return
        confidence = max(confidence, min(shares)) if min(shares) >= CONFIRMED else confidence
    group = f"{table.urn}.name:{','.join(source for source, _ in pairs)}"
    for position, (source, key) in enumerate(urns, start=1):
        yield FieldReferences(source, key, group, position, Provenance.NAME, round(confidence, 2))


class _Keys:
    """The tables of one system that have a key, by the names that may point to them."""

    def __init__(self, tables: Sequence[KeyTable]) -> None:
        self._by_name: defaultdict[tuple[str, ...], list[KeyTable]] = defaultdict(list)
        self._by_key: defaultdict[str, list[KeyTable]] = defaultdict(list)
        self._composite: defaultdict[str, list[KeyTable]] = defaultdict(list)
        for table in tables:
            if len(table.key) == 1:
                for name in _names_of(table.name):
                    self._by_name[name].append(table)
                if set(_words(table.key[0].name)) - _GENERIC:
                    self._by_key[table.key[0].name.lower()].append(table)
            elif len(table.key) > 1:
                for column in table.key:
                    if _names_its_table(column.name, table):
                        self._composite[column.name.lower()].append(table)

    def composite_of(self, table: KeyTable) -> list[KeyTable]:
        """The tables whose composite key this one holds, all columns by their own names and types."""
        columns = {column.name.lower(): column for column in table.columns}
        found: list[KeyTable] = []
        for name in columns:
            candidates = [
                target
                for target in self._composite.get(name, ())
                if target is not table
                and all(c.name.lower() in columns and _agree(c.type, columns[c.name.lower()].type) for c in target.key)
            ]
            target = _nearest(table, candidates)
            if target is not None and target not in found:
                found.append(target)
        return found

    def target_of(self, table: KeyTable, column: KeyColumn) -> tuple[KeyTable, float] | None:
        """The one table whose single key the column's name suggests."""
        words = _words(column.name)
        own = column.primary_key and len(table.key) == 1
        by_key = [t for t in self._by_key.get(column.name.lower(), ()) if t is not table]
        by_key = [t for t in by_key if _agree(t.key[0].type, column.type)]
        target = _nearest(table, [t for t in by_key if _names_its_table(column.name, t)])
        if target is not None:
            return target, _confidence(EXACT, table, target)
        if own:
            return None
        if len(by_key) == 1:  # the only key of that name
            return by_key[0], _confidence(WITH_ROLE, table, by_key[0])
        if len(words) == 2 and words[0] in _OF_ITSELF and words[1] in _KEY_WORDS and len(table.key) == 1:
            return (table, WITH_ROLE) if _agree(table.key[0].type, column.type) else None
        for start in range(len(words)):
            for named in _stems(words[start:]):
                candidates = [
                    t
                    for t in self._by_name.get(named, ())
                    if _agree(t.key[0].type, column.type) and (t is not table or start > 0)
                ]
                target = _nearest(table, candidates)
                if target is not None:
                    return target, _confidence(WITH_ROLE if start else EXACT, table, target)
        return None


def _stems(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The words that name a table, of a column's: `customer_id` and `id_customer` both name `customer`."""
    if len(words) > 1 and words[-1] in _KEY_WORDS:
        yield words[:-1]
    if len(words) > 1 and words[0] in _KEY_WORDS:
        yield words[1:]


def _names_its_table(column: str, table: KeyTable) -> bool:
    words = _words(column)
    return bool(set(words) - _GENERIC) and any(stem in _names_of(table.name) for stem in _stems(words))


def _nearest(table: KeyTable, candidates: Sequence[KeyTable]) -> KeyTable | None:
    """The only candidate, or the only one of the same schema."""
    near = [target for target in candidates if target.schema == table.schema]
    some = near or candidates
    return some[0] if len(some) == 1 else None


def _confidence(base: float, table: KeyTable, target: KeyTable) -> float:
    return base if table.schema == target.schema else base - FAR


def _words(name: str) -> tuple[str, ...]:
    return tuple(word.lower() for word in _WORD.findall(name))


def _names_of(table: str) -> list[tuple[str, ...]]:
    """What a row of a table is called: `customers`, `order_lines`, `categories` and `boxes` in the singular."""
    words = _words(table)
    if not words:
        return []
    *first, last = words
    singles = [last]
    if last.endswith("ies"):
        singles.append(last[:-3] + "y")
    if last.endswith(("ses", "xes", "zes", "ches", "shes")):
        singles.append(last[:-2])
    if last.endswith("s") and not last.endswith("ss"):
        singles.append(last[:-1])
    return [(*first, single) for single in singles]


def _agree(one: str, other: str) -> bool:
    return _family(one) == _family(other)


def _family(type_name: str) -> str:
    """Types that hold the same keys: integers of all sizes, texts of all lengths."""
    name = type_name.lower()
    if ("int" in name and "interval" not in name and "point" not in name) or "serial" in name:
        return "integer"
    if any(word in name for word in ("number", "numeric", "decimal")):
        return "integer"
    if "uuid" in name or "uniqueidentifier" in name or "guid" in name:
        return "uuid"
    if any(word in name for word in ("char", "text", "string", "clob")) or not name:
        return "text"
    return name.partition("(")[0].strip()
