"""Categories along flows: what is copied from a field that holds e-mail addresses holds e-mail addresses.

A field that the detector could not tell by its values (hashed, masked, encrypted, empty so far) is *derived*: it gets
the category of where its data comes from, less surely with every step that changes the data. What a look at the values
says, and what people decided, stands before it; where the two have nothing in common, that is a finding.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import heappop, heappush

from inventory.model import Evidence, FieldClassified, Finding, Severity, Transformation, dataset_of
from inventory.vocabulary import is_personal

DETECTOR = "lineage/1"
LEAST = 0.3  # less sure than this is not worth saying
OBSERVED = 0.5  # a field of which so much is known needs no derivation
OBSERVED_WELL = 0.8  # an observation that contradicts what flows in is a finding from here on

#: What is left of a category's certainty after the step. A hash of an address still stands for one person; a count
#: of addresses does not.
SURVIVES: Mapping[Transformation, float] = {
    Transformation.COPIED: 1.0,
    Transformation.TRANSFORMED: 0.8,
    Transformation.HASHED: 0.9,
    Transformation.MASKED: 0.6,
    Transformation.UNKNOWN: 0.6,
    Transformation.AGGREGATED: 0.0,
}


@dataclass(frozen=True, slots=True)
class Known:
    """That a field holds a category, as a look at it or a person says; `held` is False where a person rejected it."""

    field: str
    category: str
    confidence: float
    held: bool = True


@dataclass(frozen=True, slots=True)
class FieldFlow:
    """Data goes from one field to another."""

    source: str
    target: str
    transformation: Transformation
    confidence: float


@dataclass(frozen=True, slots=True)
class Derived:
    """A category that a field holds by where its data comes from: from `origin`, in so many steps."""

    field: str
    category: str
    confidence: float
    origin: str
    steps: int
    transformations: tuple[Transformation, ...]

    def classified(self) -> FieldClassified:
        """As the graph is told of it."""
        ways = sorted({str(each) for each in self.transformations if each is not Transformation.COPIED})
        changed = f", {' and '.join(ways)} on the way" if ways else ""
        steps = "1 step" if self.steps == 1 else f"{self.steps} steps"
        detail = f"its data comes from {self.origin} in {steps}{changed}"
        return FieldClassified(
            self.field, self.category, self.confidence, (Evidence("lineage:origin", detail, 1.0),), DETECTOR
        )


@dataclass(frozen=True, slots=True)
class Propagated:
    """What follows for fields that nobody could judge, and what flows unchanged into fields that hold other things."""

    derived: tuple[Derived, ...]
    contradicted: tuple[Derived, ...]


def propagated(known: Iterable[Known], flows: Iterable[FieldFlow]) -> Propagated:
    """What fields hold by where their data comes from, each category by its surest way; of the personal ones alone.

    Nothing is derived of a field that a look or a person found to hold something personal, nor what a person has
    rejected of it; from there on goes what is known of the field itself.
    """
    onward: defaultdict[str, list[FieldFlow]] = defaultdict(list)
    for flow in flows:
        if SURVIVES[flow.transformation]:
            onward[flow.source].append(flow)
    held: defaultdict[str, dict[str, float]] = defaultdict(dict)
    rejected: set[tuple[str, str]] = set()
    queue: list[tuple[float, str, str, str, int, tuple[Transformation, ...]]] = []
    for each in known:
        if not each.held:
            rejected.add((each.field, each.category))
        elif is_personal(each.category):
            held[each.field][each.category] = each.confidence
            heappush(queue, (-each.confidence, each.field, each.category, each.field, 0, ()))
    derived: dict[tuple[str, str], Derived] = {}
    contradicted: dict[tuple[str, str], Derived] = {}
    passed: set[tuple[str, str]] = set()
    while queue:
        negative, field, category, origin, steps, changes = heappop(queue)
        if (field, category) in passed:
            continue
        if steps:
            found = Derived(field, category, int(-negative * 10_000) / 10_000, origin, steps, changes)
            own = {key for key, sure in held[field].items() if sure >= OBSERVED or _related(key, category)}
            if own and not any(_related(key, other) for key in own for other in held[origin]):
                contradicted.setdefault((field, origin), found)
            if own or (field, category) in rejected:
                continue
            derived[field, category] = found
        passed.add((field, category))
        for flow in onward[field]:
            confidence = -negative * flow.confidence * SURVIVES[flow.transformation]
            if confidence >= LEAST and (flow.target, category) not in passed:
                more = (*changes, flow.transformation)
                heappush(queue, (-confidence, flow.target, category, origin, steps + 1, more))
    return Propagated(
        tuple(derived[key] for key in sorted(derived)), tuple(contradicted[key] for key in sorted(contradicted))
    )


def conflicts(contradicted: Iterable[Derived], known: Iterable[Known]) -> Iterator[Finding]:
    """Fields whose own values say surely something else than all of what flows into them unchanged."""
    observed: defaultdict[str, set[str]] = defaultdict(set)
    for each in known:
        if each.held and each.confidence >= OBSERVED_WELL and is_personal(each.category):
            observed[each.field].add(each.category)
    for each in contradicted:
        copied = all(change is Transformation.COPIED for change in each.transformations)
        if not observed[each.field] or not copied or each.confidence < OBSERVED_WELL:
            continue
        name = each.field.partition("#")[2]
        message = (
            f"{name}: holds {', '.join(sorted(observed[each.field]))} by its values, and {each.category} by its data's "
            f"origin {each.origin} (confirm one and reject the other, or mend the flow)"
        )
        yield Finding(dataset_of(each.field), "category-conflict", Severity.WARNING, message)


def _related(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")
