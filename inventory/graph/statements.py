"""What an observation states of the graph: nodes, edges and measures, and which scope states them.

A scope is what can end together: an aspect of a system or a dataset (`postgres://db/shop.public.orders|structure`).
When a scan has looked at all of a scope (`Covered`), what it did not state of it has ended.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, TypeAlias, cast

from inventory.graph.schema import EdgeFact, NodeFact, NodeRef, Value
from inventory.model import (
    AccessSeen,
    Aspect,
    Covered,
    DatasetClassified,
    DatasetSeen,
    DisclosureSeen,
    Evidence,
    FieldClassified,
    FieldProfiled,
    FieldReferences,
    FieldSeen,
    FieldSketched,
    Finding,
    FlowSeen,
    JobSeen,
    Observation,
    ProcessorSeen,
    Profile,
    ReviewState,
    SafeguardSeen,
    SystemSeen,
    column_of,
    dataset_of,
    principal_urn,
)

REVIEW = "review"  # the aspect of a dataset that people state; no scan covers it
SEEN = "seen"  # of a system: itself and its principals, which never end by a scan


@dataclass(frozen=True, slots=True)
class MeasureFact:
    """What was measured of a node; says nothing of whether the node is there."""

    ref: NodeRef
    properties: dict[str, Value]


Fact: TypeAlias = NodeFact | EdgeFact | MeasureFact


@dataclass(frozen=True, slots=True)
class Scope:
    """An aspect of a system or a dataset."""

    urn: str
    aspect: str

    def __str__(self) -> str:
        return f"{self.urn}|{self.aspect}"


Statement: TypeAlias = tuple[Scope, Fact]


def statements_of(observation: Observation, system: str) -> Iterator[Statement]:
    """What the observation states, in a scan of `system`; nothing for sketches, findings and `Covered`."""
    match observation:
        case SystemSeen():
            yield Scope(observation.urn, SEEN), NodeFact("System", observation.urn, _properties(observation))
        case SafeguardSeen():
            yield (
                Scope(observation.system, Aspect.LISTING),
                EdgeFact(
                    "PROTECTED_BY",
                    NodeRef("System", observation.system),
                    NodeRef("Safeguard", observation.safeguard),
                    {"provenance": "config"},
                    {"present": observation.present, "evidence": observation.evidence},
                ),
            )
        case DatasetSeen():
            scope, node = Scope(observation.urn, Aspect.LISTING), NodeRef("Dataset", observation.urn)
            yield scope, NodeFact("Dataset", observation.urn, _properties(observation))
            yield scope, EdgeFact("CONTAINS", NodeRef("System", observation.system), node)
        case FieldSeen():
            # A place inside a column is known by looking at values; the column itself by the structure.
            nested = column_of(observation.urn)[1]
            scope = Scope(observation.dataset, Aspect.CONTENT if nested else Aspect.STRUCTURE)
            node = NodeRef("Field", observation.urn)
            yield scope, NodeFact("Field", observation.urn, _properties(observation))
            yield scope, EdgeFact("CONTAINS", NodeRef("Dataset", observation.dataset), node)
        case FieldProfiled():
            measures = MeasureFact(NodeRef("Field", observation.field), _properties(observation.profile))
            yield Scope(dataset_of(observation.field), Aspect.CONTENT), measures
        case FieldClassified():
            field = NodeRef("Field", observation.field)
            yield Scope(dataset_of(observation.field), Aspect.CONTENT), classification(field, observation)
        case DatasetClassified():
            dataset = NodeRef("Dataset", observation.dataset)
            yield Scope(observation.dataset, Aspect.CONTENT), classification(dataset, observation)
        case FieldReferences():
            yield (
                Scope(dataset_of(observation.source), Aspect.STRUCTURE),
                EdgeFact(
                    "REFERENCES",
                    NodeRef("Field", observation.source),
                    NodeRef("Field", observation.target),
                    {
                        "group": observation.group,
                        "position": observation.position,
                        "provenance": str(observation.provenance),
                    },
                    {"confidence": observation.confidence},
                ),
            )
        case JobSeen():
            scope = Scope(observation.dataset, Aspect.STRUCTURE)
            yield scope, NodeFact("Job", observation.urn, _properties(observation))
            yield (
                scope,
                EdgeFact("DEFINED_BY", NodeRef("Dataset", observation.dataset), NodeRef("Job", observation.urn)),
            )
        case FlowSeen():
            yield _owner(observation, system), _flow(observation)
        case ProcessorSeen():
            # Many sources name the same organisation, so no one of them may end it: its edges end.
            yield Scope(system, SEEN), NodeFact("Processor", observation.key, _properties(observation))
        case DisclosureSeen():
            source = data_ref(observation.source, system)
            yield (
                _discloser(observation, system),
                EdgeFact(
                    "DISCLOSED_TO",
                    source,
                    NodeRef("Processor", observation.processor),
                    {"provenance": str(observation.provenance)},
                    {"evidence": observation.evidence, "confidence": observation.confidence},
                ),
            )
        case AccessSeen():
            principal = NodeRef("Principal", principal_urn(system, observation.principal))
            named = {"system": system, "name": observation.principal, "kind": str(observation.kind)}
            # Many datasets name the same principal, so no one of them may end it: its edges end.
            yield Scope(system, SEEN), NodeFact("Principal", principal.key, {**named})
            yield (
                Scope(dataset_of(observation.data), Aspect.ACCESS),
                EdgeFact(
                    "READABLE_BY",
                    data_ref(observation.data, system),
                    principal,
                    {},
                    {"privilege": observation.privilege, "via": observation.via, "evidence": observation.evidence},
                ),
            )
        case FieldSketched() | Finding() | Covered():
            return  # sketches are kept apart from the graph


def data_ref(urn: str, system: str) -> NodeRef:
    """The system, dataset or field of a URN."""
    if "#" in urn:
        return NodeRef("Field", urn)
    return NodeRef("System" if urn == system else "Dataset", urn)


def stub_properties(ref: NodeRef) -> dict[str, Value]:
    """What the name alone says of a node that others point to and that no scan has seen."""
    if ref.label == "Field":
        column, pointer = column_of(ref.key)
        return {"dataset": dataset_of(ref.key), "name": column + pointer}
    if ref.label == "Dataset":
        return {"name": ref.key.rpartition("/")[2] or ref.key}
    return {}


def classification(source: NodeRef, observation: FieldClassified | DatasetClassified) -> EdgeFact:
    """The edge of a verdict, as nobody has looked at it yet."""
    return EdgeFact(
        "CLASSIFIED_AS",
        source,
        NodeRef("Category", observation.category),
        {},
        {
            "confidence": observation.confidence,
            "evidence_json": json.dumps([_properties(reason) for reason in observation.evidence], ensure_ascii=False),
            "detector": observation.detector,
            "state": str(ReviewState.SUGGESTED),
            "provenance": _provenance(observation),
        },
    )


def _provenance(observation: FieldClassified | DatasetClassified) -> str:
    """By the strongest reason: the values, or only names."""
    strongest = max(observation.evidence, key=lambda reason: reason.weight, default=None)
    kind = strongest.signal.partition(":")[0] if strongest else ""
    return {"name": "name", "record": "name", "comment": "comment", "lineage": "lineage"}.get(kind, "value")


def _flow(observation: FlowSeen) -> EdgeFact:
    return EdgeFact(
        "FLOWS_TO",
        data_ref(observation.source, ""),
        data_ref(observation.target, ""),
        {"job": observation.job, "provenance": str(observation.provenance)},
        {"transformation": str(observation.transformation), "confidence": observation.confidence},
    )


def _owner(flow: FlowSeen, system: str) -> Scope:
    """A flow belongs to the dataset it ends in, when that is of this system, or else to the one it begins in."""
    for end in (flow.target, flow.source):
        dataset = dataset_of(end)
        if dataset.startswith(f"{system}/"):
            return Scope(dataset, Aspect.STRUCTURE)
    return Scope(system, Aspect.LISTING)


def _discloser(disclosure: DisclosureSeen, system: str) -> Scope:
    """A disclosure belongs to its dataset, and of another system's dataset (a register names it) to who says so."""
    dataset = dataset_of(disclosure.source)
    if dataset.startswith(f"{system}/"):
        return Scope(dataset, disclosure.aspect)
    return Scope(system, Aspect.LISTING)


def _properties(
    said: SystemSeen | DatasetSeen | FieldSeen | JobSeen | ProcessorSeen | Profile | Evidence,
) -> dict[str, Value]:
    """All but the name (`dataclasses.asdict` copies deeply, which is half the cost of a statement)."""
    values = ((field.name, getattr(said, field.name)) for field in fields(said) if field.name not in ("urn", "key"))
    return {name: _value(value) for name, value in values}


def _value(value: Any) -> Value:
    if isinstance(value, str):
        return str(value)
    return list(cast(tuple[str, ...], value)) if isinstance(value, tuple) else value
