"""One batch of statements against the graph as it is: what is new, changed, ended or unchanged, in one transaction.

The batch reads the present state of everything it is about (fingerprints, not properties), compares in Python, and
writes the differences alone. It can run again at any point: a second run finds nothing to write.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from inventory.graph.connection import Graph, Row, Transaction
from inventory.graph.schema import EDGES, NODES, EdgeFact, NodeFact, NodeRef, Value, digest, stated
from inventory.graph.statements import stub_properties

BATCH = 2000  # facts in one transaction

Item = TypeVar("Item")


def batches(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """The items, BATCH at a time."""
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]


@dataclass(slots=True)
class Counts:
    """How many nodes and edges a load created, changed, ended and left as they were; measures are no change."""

    nodes_created: int = 0
    nodes_changed: int = 0
    nodes_ended: int = 0
    nodes_unchanged: int = 0
    edges_created: int = 0
    edges_changed: int = 0
    edges_ended: int = 0
    edges_unchanged: int = 0
    measured: int = 0

    def add(self, other: Counts) -> None:
        """Count the other's too."""
        for name in (count.name for count in fields(self)):
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(frozen=True, slots=True)
class NodeState:
    """A node as the graph has it; an empty `fingerprint` is a node that others point to and nobody has described."""

    ref: NodeRef
    fingerprint: str
    measures: str
    scope: str
    stated_by: tuple[str, ...]
    valid: bool
    about: str = ""  # of a finding
    token: str = ""  # of a dataset: the state in which its content was last read

    @property
    def is_declared_processor(self) -> bool:
        """Whether a document describes the organisation (scans do in a scope with a `|`), which stands before scans."""
        return self.ref.label == "Processor" and self.valid and bool(self.scope) and "|" not in self.scope

    @property
    def is_seen_processor(self) -> bool:
        """Whether only scans describe the organisation."""
        return self.ref.label == "Processor" and self.valid and "|" in self.scope


@dataclass(frozen=True, slots=True)
class EdgeState:
    """An edge that is valid in the graph."""

    id: str
    type: str
    source: NodeRef
    target: NodeRef
    scope: str
    fingerprint: str
    measures: str
    confidence: float
    state: str


@dataclass(frozen=True, slots=True)
class StatedEdge:
    """An edge as one scope states it."""

    scope: str
    fact: EdgeFact


@dataclass(slots=True)
class Changes:
    """What is to be written. Nodes come before edges, and ends before beginnings."""

    at: str
    by: str  # the URN of the scan, or the name of the declaring scope
    create: dict[NodeRef, dict[str, Value]] = field(default_factory=dict[NodeRef, dict[str, Value]])
    replace: dict[NodeRef, dict[str, Value]] = field(default_factory=dict[NodeRef, dict[str, Value]])
    patch: dict[NodeRef, dict[str, Value]] = field(default_factory=dict[NodeRef, dict[str, Value]])
    end: set[NodeRef] = field(default_factory=set[NodeRef])
    stubs: set[NodeRef] = field(default_factory=set[NodeRef])
    open_edges: list[StatedEdge] = field(default_factory=list[StatedEdge])
    patch_edges: list[StatedEdge] = field(default_factory=list[StatedEdge])
    end_edges: list[EdgeState] = field(default_factory=list[EdgeState])
    counts: Counts = field(default_factory=Counts)

    # --- deciding -----------------------------------------------------------------------------------------

    def state_node(self, fact: NodeFact, scope: str, before: NodeState | None, stated_by: Collection[str] = ()) -> None:
        """The fact holds: create, reopen or change the node, or leave it."""
        versioned, measured = split(fact)
        kept: dict[str, Value] = {
            **versioned,
            **measured,
            "scope": scope,
            "stated_by": sorted(stated_by) or None,
            "fingerprint": digest(versioned),
        }
        if measured:
            kept["measures"] = digest(measured)
        if before is None:
            self.create[fact.ref] = kept
            self.counts.nodes_created += 1
        elif not before.valid or before.fingerprint != kept["fingerprint"]:
            self.replace[fact.ref] = kept
            created = not before.valid or not before.fingerprint
            self.counts.nodes_created += created
            self.counts.nodes_changed += not created
        else:
            self.counts.nodes_unchanged += 1
            if before.scope != scope:
                self._patched(fact.ref, {"scope": scope})
            if measured and before.measures != kept["measures"]:
                self.measure(fact.ref, measured)

    def measure(self, ref: NodeRef, measured: Mapping[str, Value]) -> None:
        """The measures differ: update them in place, or write them with the node that is being written."""
        written = self.create.get(ref) or self.replace.get(ref)
        properties = {**measured, "measures": digest(stated(measured))}
        if written is not None:
            written.update(properties)
        else:
            self._patched(ref, properties)
        self.counts.measured += 1

    def keep(self, ref: NodeRef, scope: str, stated_by: Collection[str]) -> None:
        """The node stays as it is; who describes it and who states it differ."""
        self._patched(ref, {"scope": scope, "stated_by": sorted(stated_by)})

    def remember(self, dataset: NodeRef, token: str, before: NodeState | None) -> None:
        """Keep in which state the dataset's content was read; "" forgets it. This is no change of the dataset."""
        if before is not None and before.valid and before.token == token:
            return
        written = self.create.get(dataset) or self.replace.get(dataset)
        if written is not None:
            written["content_token"] = token or None
        elif before is not None:
            self._patched(dataset, {"content_token": token or None})

    def end_node(self, ref: NodeRef) -> None:
        """The node is there no longer."""
        if ref not in self.end:
            self.end.add(ref)
            self.counts.nodes_ended += 1

    def state_edge(self, edge: StatedEdge, before: EdgeState | None) -> None:
        """The edge holds: open it, end the old version and open a new one, update its measures, or leave it."""
        if before is None:
            self.open_edges.append(edge)
            self.counts.edges_created += 1
        elif before.fingerprint != fingerprint(edge.fact):
            self.end_edges.append(before)
            self.open_edges.append(edge)
            self.counts.edges_changed += 1
        elif before.measures != digest(edge.fact.all_properties):
            self.patch_edges.append(edge)
            self.counts.edges_unchanged += 1
            self.counts.measured += 1
        else:
            self.counts.edges_unchanged += 1

    def end_edge(self, edge: EdgeState) -> None:
        """The edge holds no longer."""
        self.end_edges.append(edge)
        self.counts.edges_ended += 1

    def _patched(self, ref: NodeRef, properties: Mapping[str, Value]) -> None:
        self.patch.setdefault(ref, {}).update(properties)

    # --- writing ------------------------------------------------------------------------------------------

    def write(self, transaction: Transaction) -> None:
        """Write it all."""
        self._create_nodes(transaction)
        self._replace_nodes(transaction)
        self._patch_nodes(transaction)
        self._end_nodes(transaction)
        self._end_edges(transaction)
        self._open_edges(transaction)
        self._patch_edges(transaction)

    def _create_nodes(self, transaction: Transaction) -> None:
        born = {"valid_from": self.at, "changed_at": self.at, "scan": self.by}
        rows: dict[str, list[Row]] = defaultdict(list)
        for ref, properties in self.create.items():
            rows[ref.label].append({"key": ref.key, "properties": _present({**properties, **born})})
        for label, some in rows.items():
            transaction.run(
                f"UNWIND $rows AS row MERGE (n:{label} {{{NODES[label].key}: row.key}}) SET n += row.properties",
                rows=some,
            )
        rows = defaultdict(list)
        for ref in sorted(self.stubs - self.create.keys(), key=_order):
            rows[ref.label].append({"key": ref.key, "properties": _present({**stub_properties(ref), **born})})
        for label, some in rows.items():
            transaction.run(
                f"UNWIND $rows AS row MERGE (n:{label} {{{NODES[label].key}: row.key}}) "
                "ON CREATE SET n += row.properties",
                rows=some,
            )

    def _replace_nodes(self, transaction: Transaction) -> None:
        """Keep what the node was as a Version, unless nothing was known of it, and give it its new properties."""
        by_label: dict[str, list[str]] = defaultdict(list)
        for ref in self.replace:
            by_label[ref.label].append(ref.key)
        for label, keys in by_label.items():
            name = NODES[label].key
            old = transaction.run(
                f"MATCH (n:{label}) WHERE n.{name} IN $keys RETURN n.{name} AS key, properties(n) AS was", keys=keys
            )
            archived: list[Row] = []
            replaced: list[Row] = []
            for row in old:
                was, ref = row["was"], NodeRef(label, row["key"])
                if was.get("fingerprint"):
                    ended = was.get("valid_to") or self.at
                    kept = {name: value for name, value in was.items() if name != "content_token"}
                    version = {**kept, "label": label, "valid_from": was.get("changed_at"), "valid_to": ended}
                    archived.append({"key": ref.key, "properties": version})
                replaced.append({"key": ref.key, "properties": self._successor(ref, was)})
            transaction.run(
                f"UNWIND $rows AS row MATCH (n:{label} {{{name}: row.key}}) "
                "CREATE (v:Version)-[:VERSION_OF {valid_from: $at, scan: $by}]->(n) SET v += row.properties",
                rows=archived,
                at=self.at,
                by=self.by,
            )
            transaction.run(
                f"UNWIND $rows AS row MATCH (n:{label} {{{name}: row.key}}) SET n = row.properties", rows=replaced
            )

    def _successor(self, ref: NodeRef, was: Mapping[str, Any]) -> Row:
        """The node's new properties: what is stated, and the measures, which go on from version to version."""
        measured = {name: was[name] for name in (*NODES[ref.label].measured, "measures") if name in was}
        alive = "valid_to" not in was
        if alive and "content_token" in was:  # what ended and is back is read anew
            measured["content_token"] = was["content_token"]
        return _present(
            {
                NODES[ref.label].key: ref.key,
                **measured,
                **self.replace[ref],
                "valid_from": was["valid_from"] if alive else self.at,
                "scan": was["scan"] if alive else self.by,
                "changed_at": self.at if was.get("fingerprint") else was["valid_from"],
            }
        )

    def _patch_nodes(self, transaction: Transaction) -> None:
        rows: dict[str, list[Row]] = defaultdict(list)
        for ref, properties in self.patch.items():
            if ref not in self.end:
                rows[ref.label].append({"key": ref.key, "properties": properties})
        for label, some in rows.items():
            transaction.run(
                f"UNWIND $rows AS row MATCH (n:{label} {{{NODES[label].key}: row.key}}) SET n += row.properties",
                rows=some,
            )

    def _end_nodes(self, transaction: Transaction) -> None:
        keys: dict[str, list[str]] = defaultdict(list)
        for ref in self.end:
            keys[ref.label].append(ref.key)
        for label, some in keys.items():
            transaction.run(
                f"UNWIND $keys AS key MATCH (n:{label} {{{NODES[label].key}: key}}) SET n.valid_to = $at",
                keys=some,
                at=self.at,
            )

    def _end_edges(self, transaction: Transaction) -> None:
        rows: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for edge in self.end_edges:
            narrow = edge.source if EDGES[edge.type].narrow == "source" else edge.target
            rows[edge.type, narrow.label].append({"key": narrow.key, "id": edge.id})
        for (kind, label), some in rows.items():
            transaction.run(
                f"UNWIND $rows AS row MATCH {_anchored(kind, label)} "
                "WHERE r.id = row.id AND r.valid_to IS NULL SET r.valid_to = $at",
                rows=some,
                at=self.at,
            )

    def _open_edges(self, transaction: Transaction) -> None:
        rows: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
        for edge in self.open_edges:
            fact = edge.fact
            properties = {
                **fact.all_properties,
                "id": fact.id(edge.scope),
                "scope": edge.scope,
                "fingerprint": fingerprint(fact),
                "measures": digest(fact.all_properties),
                "valid_from": self.at,
                "scan": self.by,
            }
            row = {"source": fact.source.key, "target": fact.target.key, "properties": _present(properties)}
            rows[fact.type, fact.source.label, fact.target.label].append(row)
        for (kind, source, target), some in rows.items():
            transaction.run(
                f"UNWIND $rows AS row MATCH (a:{source} {{{NODES[source].key}: row.source}}) "
                f"MATCH (b:{target} {{{NODES[target].key}: row.target}}) "
                f"CREATE (a)-[r:{kind}]->(b) SET r += row.properties",
                rows=some,
            )

    def _patch_edges(self, transaction: Transaction) -> None:
        rows: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for edge in self.patch_edges:
            fact = edge.fact
            narrow = fact.source if EDGES[fact.type].narrow == "source" else fact.target
            measured = {**fact.all_properties, "measures": digest(fact.all_properties)}
            row = {"key": narrow.key, "id": fact.id(edge.scope), "properties": measured}
            rows[fact.type, narrow.label].append(row)
        for (kind, label), some in rows.items():
            transaction.run(
                f"UNWIND $rows AS row MATCH {_anchored(kind, label)} "
                "WHERE r.id = row.id AND r.valid_to IS NULL SET r += row.properties",
                rows=some,
            )


def changed(graph: Graph, at: str, by: str, decide: Callable[[Transaction, Changes], None]) -> Counts:
    """Let `decide` read and say what changes, and write that, in one transaction; what was done."""

    def work(transaction: Transaction) -> Counts:
        changes = Changes(at, by)
        decide(transaction, changes)
        changes.write(transaction)
        return changes.counts

    return graph.transaction(work)


# --- reading what is there --------------------------------------------------------------------------------


def read_nodes(transaction: Transaction, refs: Iterable[NodeRef]) -> dict[NodeRef, NodeState]:
    """The nodes of these names that the graph has, ended ones too."""
    keys: dict[str, set[str]] = defaultdict(set)
    for ref in refs:
        keys[ref.label].add(ref.key)
    found: dict[NodeRef, NodeState] = {}
    for label, some in keys.items():
        found |= _nodes_where(transaction, label, f"n.{NODES[label].key} IN $values", sorted(some))
    return found


def read_fields(transaction: Transaction, datasets: Collection[str]) -> dict[NodeRef, NodeState]:
    """The fields of these datasets, ended ones too."""
    return _nodes_where(transaction, "Field", "n.dataset IN $values", sorted(datasets)) if datasets else {}


def read_findings_of(transaction: Transaction, source: str) -> dict[NodeRef, NodeState]:
    """The valid findings of scans of this source."""
    return _nodes_where(transaction, "Finding", "n.source IN $values AND n.valid_to IS NULL", [source])


def read_edges(transaction: Transaction, scopes: Collection[str], types: Iterable[str]) -> dict[str, EdgeState]:
    """The valid edges of these types that these scopes state, by their ids."""
    found: dict[str, EdgeState] = {}
    if not scopes:
        return found
    for kind in types:
        for row in transaction.run(
            f"MATCH (a)-[r:{kind}]->(b) WHERE r.scope IN $scopes AND r.valid_to IS NULL {_EDGE_STATE}",
            scopes=sorted(scopes),
        ):
            found[row["id"]] = _edge_state(kind, row)
    return found


def read_edges_from(transaction: Transaction, source: NodeRef, kind: str) -> dict[str, EdgeState]:
    """The valid edges of this type that begin at a node, whoever states them, by their ids."""
    rows = transaction.run(
        f"MATCH (a:{source.label} {{{NODES[source.label].key}: $key}})-[r:{kind}]->(b) "
        f"WHERE r.valid_to IS NULL {_EDGE_STATE}",
        key=source.key,
    )
    return {row["id"]: _edge_state(kind, row) for row in rows}


_EDGE_STATE = (
    "RETURN r.id AS id, labels(a)[0] AS source_label, coalesce(a.urn, a.key) AS source, "
    "labels(b)[0] AS target_label, coalesce(b.urn, b.key) AS target, r.scope AS scope, "
    "r.fingerprint AS fingerprint, r.measures AS measures, r.confidence AS confidence, r.state AS state"
)


def _edge_state(kind: str, row: Row) -> EdgeState:
    return EdgeState(
        id=row["id"],
        type=kind,
        source=NodeRef(row["source_label"], row["source"]),
        target=NodeRef(row["target_label"], row["target"]),
        scope=row["scope"],
        fingerprint=row["fingerprint"],
        measures=row["measures"],
        confidence=row["confidence"] or 0.0,
        state=row["state"] or "",
    )


def read_stated_by(transaction: Transaction, scope: str) -> dict[NodeRef, NodeState]:
    """The valid nodes that a document states."""
    found: dict[NodeRef, NodeState] = {}
    for node in NODES.values():
        if node.declared:
            found |= _nodes_where(
                transaction, node.label, "n.valid_to IS NULL AND ANY(s IN n.stated_by WHERE s IN $values)", [scope]
            )
    return found


def read_properties(transaction: Transaction, edge: EdgeState) -> Row:
    """All that a valid edge says."""
    narrow = edge.source if EDGES[edge.type].narrow == "source" else edge.target
    rows = transaction.run(
        f"UNWIND $rows AS row MATCH {_anchored(edge.type, narrow.label)} "
        "WHERE r.id = row.id AND r.valid_to IS NULL RETURN properties(r) AS properties",
        rows=[{"key": narrow.key, "id": edge.id}],
    )
    return rows[0]["properties"] if rows else {}


def _nodes_where(transaction: Transaction, label: str, condition: str, values: list[str]) -> dict[NodeRef, NodeState]:
    states = (
        NodeState(
            ref=NodeRef(label, row["key"]),
            fingerprint=row["fingerprint"] or "",
            measures=row["measures"] or "",
            scope=row["scope"] or "",
            stated_by=tuple(row["stated_by"] or ()),
            valid=row["valid"],
            about=row["about"] or "",
            token=row["token"] or "",
        )
        for row in transaction.run(
            f"MATCH (n:{label}) WHERE {condition} RETURN n.{NODES[label].key} AS key, n.fingerprint AS fingerprint, "
            "n.measures AS measures, n.scope AS scope, n.stated_by AS stated_by, n.valid_to IS NULL AS valid, "
            "n.about AS about, n.content_token AS token",
            values=values,
        )
    )
    return {state.ref: state for state in states}


# --- facts as they are kept -------------------------------------------------------------------------------


def split(fact: NodeFact) -> tuple[dict[str, Value], dict[str, Value]]:
    """The properties that make a version, and those that are measured."""
    measured = NODES[fact.label].measured
    kept = stated(fact.properties)
    return (
        {name: value for name, value in kept.items() if name not in measured},
        {name: value for name, value in kept.items() if name in measured},
    )


def fingerprint(fact: EdgeFact) -> str:
    """The same while the edge says the same: numbers count to two decimals, and reasons in words do not count."""
    return digest(
        {
            name: round(value, 2) if isinstance(value, float) else value
            for name, value in fact.all_properties.items()
            if name not in EDGES[fact.type].measured
        }
    )


def _present(properties: Mapping[str, Any]) -> Row:
    return {name: value for name, value in properties.items() if value is not None}


def _anchored(kind: str, label: str) -> str:
    """A pattern of an edge `r` that begins at its narrow end, whose key is `row.key`."""
    end = f"(n:{label} {{{NODES[label].key}: row.key}})"
    return f"{end}-[r:{kind}]->()" if EDGES[kind].narrow == "source" else f"{end}<-[r:{kind}]-()"


def _order(ref: NodeRef) -> tuple[str, str]:
    return (ref.label, ref.key)
