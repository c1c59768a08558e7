"""Categories along flows: what is copied from a field that holds e-mail addresses holds e-mail addresses.

A field that the detector could not tell by its values (hashed, masked, encrypted, empty so far) is *derived*: it gets
the category of where its data comes from, less surely with every step that changes the data. What a look at the values
says, and what people decided, stands before it; where the two contradict each other, that is a finding.
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


def propagated(known: Iterable[Known], flows: Iterable[FieldFlow]) -> list[Derived]:
    """What fields hold by where their data comes from, each category by its surest way; of the personal ones alone.

    Nothing is said of a field that is known to hold the category, one above or one below it, or of which a person
    has rejected it.
    """
    onward: defaultdict[str, list[FieldFlow]] = defaultdict(list)
    for flow in flows:
        if SURVIVES[flow.transformation]:
            onward[flow.source].append(flow)
    held: defaultdict[str, set[str]] = defaultdict(set)
    rejected: set[tuple[str, str]] = set()
    queue: list[tuple[float, str, str, str, int, tuple[Transformation, ...]]] = []
    for each in known:
        if not each.held:
            rejected.add((each.field, each.category))
        elif is_personal(each.category):
            held[each.field].add(each.category)
            heappush(queue, (-each.confidence, each.field, each.category, each.field, 0, ()))
    found: dict[tuple[str, str], Derived] = {}
    passed: set[tuple[str, str]] = set()
    while queue:
        negative, field, category, origin, steps, changes = heappop(queue)
        if (field, category) in passed:
            continue
        if steps and ((field, category) in rejected or any(_related(category, other) for other in held[field])):
            continue  # from there on goes what is known of the field itself
        passed.add((field, category))
        if steps:
            confidence = int(-negative * 10_000) / 10_000
            found[field, category] = Derived(field, category, confidence, origin, steps, changes)
        for flow in onward[field]:
            confidence = -negative * flow.confidence * SURVIVES[flow.transformation]
            if confidence >= LEAST and (flow.target, category) not in passed:
                more = (*changes, flow.transformation)
                heappush(queue, (-confidence, flow.target, category, origin, steps + 1, more))
    return [found[key] for key in sorted(found)]


def conflicts(derived: Iterable[Derived], known: Iterable[Known]) -> Iterator[Finding]:
    """Fields whose own values say surely something else than what flows into them unchanged."""
    observed: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for each in known:
        if each.held and is_personal(each.category):
            observed[each.field][each.category] = each.confidence
    for each in derived:
        others = {key: sure for key, sure in observed[each.field].items() if sure >= OBSERVED_WELL}
        copied = all(change is Transformation.COPIED for change in each.transformations)
        if not others or not copied or each.confidence < OBSERVED_WELL:
            continue
        name = each.field.partition("#")[2]
        message = (
            f"{name}: holds {', '.join(sorted(others))} by its values, and {each.category} by its data's origin "
            f"{each.origin} (confirm one and reject the other, or mend the flow)"
        )
        yield Finding(dataset_of(each.field), "category-conflict", Severity.WARNING, message)


def _related(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")
