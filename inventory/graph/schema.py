"""What the graph holds: node and edge types, their keys and identity, and the constraints made from them.

What is written of a thing is either *versioned* (a change closes the old version and opens a new one) or *measured*
(a count that differs from scan to scan, updated in place). All nodes and edges carry `valid_from`, `valid_to` (absent
while valid) and `scan`; see docs/graph-model.md.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from inventory.errors import GraphError
from inventory.graph.connection import Graph

VERSION = 3

Value: TypeAlias = str | int | float | bool | list[str] | None


@dataclass(frozen=True, slots=True)
class NodeType:
    """A label and the property that names its nodes.

    `declared` types are said by documents (the vocabulary, the policy, a pipeline's description); the others are
    seen by scans. `measured` are the properties that are updated in place. `indexes` are more properties to find by.
    """

    label: str
    key: str
    declared: bool = False
    measured: frozenset[str] = frozenset()
    indexes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EdgeType:
    """A relationship type: what it may connect, and which properties tell two edges of the same ends apart.

    `measured` are updated in place. `narrow` is the end that has few of these edges: statements begin there.
    """

    type: str
    sources: frozenset[str]
    targets: frozenset[str]
    identity: tuple[str, ...] = ()
    measured: frozenset[str] = frozenset()
    narrow: str = "source"


NODES: Mapping[str, NodeType] = {
    node.label: node
    for node in (
        NodeType("System", "urn"),
        NodeType(
            "Dataset",
            "urn",
            measured=frozenset({"row_estimate", "object_count", "retention_evidence"}),
            indexes=("system",),
        ),
        NodeType(
            "Field",
            "urn",
            measured=frozenset({"sampled", "null_share", "distinct_share", "min_length", "max_length", "mean_length"}),
            indexes=("dataset",),
        ),
        NodeType("Principal", "urn", indexes=("system",)),
        NodeType("Job", "urn", declared=True),
        NodeType("Scan", "urn", indexes=("source",)),
        NodeType("Finding", "urn", indexes=("source", "about")),
        *(
            NodeType(label, "key", declared=True)
            for label in (
                "Category",
                "Subject",
                "Purpose",
                "Right",
                "Safeguard",
                "RetentionRule",
                "Clause",
                "Processor",
                "Region",
            )
        ),
    )
}

_DATA = frozenset({"System", "Dataset", "Field"})
_WORDS = frozenset(label for label, node in NODES.items() if node.key == "key")
_ANY = _DATA | _WORDS | {"Job"}

EDGES: Mapping[str, EdgeType] = {
    edge.type: edge
    for edge in (
        EdgeType("CONTAINS", frozenset({"System", "Dataset"}), frozenset({"Dataset", "Field"}), narrow="target"),
        EdgeType(
            "CLASSIFIED_AS",
            frozenset({"Field", "Dataset"}),
            frozenset({"Category"}),
            measured=frozenset({"evidence_json"}),
        ),
        EdgeType("REFERENCES", frozenset({"Field"}), frozenset({"Field"}), ("group", "position", "provenance")),
        EdgeType("FLOWS_TO", frozenset({"Field", "Dataset"}), frozenset({"Field", "Dataset"}), ("job", "provenance")),
        EdgeType(
            "DISCLOSED_TO",
            _DATA | _WORDS,
            frozenset({"Processor"}),
            ("provenance",),
            measured=frozenset({"evidence"}),  # it counts records, which come and go
        ),
        EdgeType("READABLE_BY", _DATA, frozenset({"Principal"})),
        EdgeType("DEFINED_BY", frozenset({"Dataset"}), frozenset({"Job"})),
        EdgeType("BROADER", _WORDS, _WORDS),
        EdgeType("FOR_PURPOSE", _ANY, frozenset({"Purpose"})),
        EdgeType("GOVERNED_BY", _ANY, _WORDS),
        EdgeType("DECLARED_IN", _ANY, frozenset({"Clause"})),
        EdgeType("PROTECTED_BY", _ANY, frozenset({"Safeguard"}), ("provenance",)),
        EdgeType("LOCATED_IN", _ANY, _WORDS),
        EdgeType("SCANNED", frozenset({"Scan"}), frozenset({"System"})),
        EdgeType("FOUND", frozenset({"Scan"}), frozenset({"Finding"}), narrow="target"),
        EdgeType("ABOUT", frozenset({"Finding"}), frozenset({"System", "Dataset"})),
        EdgeType("VERSION_OF", frozenset({"Version"}), frozenset(NODES)),
    )
}

#: Properties that the writer keeps of every node and edge; a fact cannot say them.
BOOKKEEPING = frozenset(
    {
        *("valid_from", "valid_to", "changed_at", "scan", "scope", "stated_by", "fingerprint", "measures", "id"),
        "content_token",  # of a dataset: the state in which its content was last read
    }
)


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class NodeRef:
    """A node by its label and key."""

    label: str
    key: str


@dataclass(frozen=True, slots=True)
class NodeFact:
    """A node and what is said of it; None and "" say nothing, and lists hold texts."""

    label: str
    key: str
    properties: Mapping[str, Value] = field(default_factory=dict[str, Value])

    @property
    def ref(self) -> NodeRef:
        """The node's name."""
        return NodeRef(self.label, self.key)


@dataclass(frozen=True, slots=True)
class EdgeFact:
    """An edge, what tells it from others of its type between the same nodes, and what else is said of it."""

    type: str
    source: NodeRef
    target: NodeRef
    identity: Mapping[str, Value] = field(default_factory=dict[str, Value])
    properties: Mapping[str, Value] = field(default_factory=dict[str, Value])

    def id(self, scope: str) -> str:
        """Stable name of the edge as `scope` states it."""
        named = (self.type, *_flat(self.source), *_flat(self.target), sorted(self.identity.items()), scope)
        return digest(named)

    @property
    def all_properties(self) -> dict[str, Value]:
        """Identity and the rest."""
        return {**stated(self.properties), **self.identity}


def check(facts: Iterable[NodeFact | EdgeFact]) -> None:
    """Raise GraphError for a fact that the schema does not have."""
    for fact in facts:
        if isinstance(fact, NodeFact):
            _require(fact.label in NODES, f"node type {fact.label}", "is unknown")
            _require(bool(fact.key), f"a {fact.label}", "has no key")
        else:
            edge = EDGES.get(fact.type)
            _require(edge is not None, f"edge type {fact.type}", "is unknown")
            assert edge is not None
            ends = f"{fact.type} from {fact.source.label} to {fact.target.label}"
            _require(fact.source.label in edge.sources and fact.target.label in edge.targets, ends, "is not allowed")
            _require(bool(fact.source.key and fact.target.key), ends, "has an end without a key")
            _require(set(fact.identity) == set(edge.identity), ends, f"is told apart by {', '.join(edge.identity)}")
        reserved = BOOKKEEPING & set(fact.properties)
        _require(not reserved, "a fact", f"cannot say {', '.join(sorted(reserved))}")


def stated(properties: Mapping[str, Value]) -> dict[str, Value]:
    """The properties that say something."""
    return {name: value for name, value in properties.items() if value is not None and value != "" and value != []}


def digest(value: Any) -> str:
    """16 hexadecimal digits that are the same for the same value, whatever the order of its maps."""
    return hashlib.blake2b(_ENCODER.encode(value).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def migrate(graph: Graph) -> None:
    """Make the constraints and indexes, and note the schema's version; does nothing where they are there."""
    try:
        version = max((row["version"] for row in graph.read("MATCH (n:Schema) RETURN n.version AS version")), default=0)
    except TypeError:
        version = 0
    if version == VERSION:
        return
    if version > VERSION:
        raise GraphError("graph", f"was written by a newer program (schema {version})", "use that or a newer one")
    for statement in statements():
        graph.write(statement)
    graph.write("MERGE (n:Schema {key: 'schema'}) SET n.version = $version", version=VERSION)


def statements() -> list[str]:
    """The constraints and indexes, as Cypher that may be run again."""
    made = [
        f"CREATE CONSTRAINT {label.lower()}_key IF NOT EXISTS FOR (n:{label}) REQUIRE n.key IS UNIQUE"
        for label in ("Schema", "Document")  # no part of the model: see `migrate` and `restating`
    ]
    for node in NODES.values():
        name = node.label.lower()
        made.append(
            f"CREATE CONSTRAINT {name}_{node.key} IF NOT EXISTS FOR (n:{node.label}) REQUIRE n.{node.key} IS UNIQUE"
        )
        made.extend(
            f"CREATE INDEX {name}_{indexed} IF NOT EXISTS FOR (n:{node.label}) ON (n.{indexed})"
            for indexed in node.indexes
        )
    made.extend(
        f"CREATE INDEX {edge.type.lower()}_scope IF NOT EXISTS FOR ()-[r:{edge.type}]-() ON (r.scope)"
        for edge in EDGES.values()
        if edge.type not in ("SCANNED", "FOUND", "VERSION_OF")
    )
    return made


def _flat(ref: NodeRef) -> tuple[str, str]:
    return (ref.label, ref.key)


def _require(holds: bool, source: str, cause: str) -> None:
    if not holds:
        raise GraphError(source, cause, "see inventory/graph/schema.py")
