"""The one door into the graph: what scans saw, what documents declare, what people decided.

A load streams: observations are gathered by scope and written in batches, one transaction a batch, so memory stays
bounded and a load that is killed leaves whole batches behind; the next one completes them. Only what was covered ends.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from inventory.errors import GraphError, InventoryError, QuestionError
from inventory.graph.batch import (
    Changes,
    Counts,
    StatedEdge,
    batches,
    changed,
    read_edges,
    read_edges_from,
    read_nodes,
    read_properties,
    read_stated_by,
)
from inventory.graph.catalogue import moment
from inventory.graph.connection import Graph, Row, Transaction
from inventory.graph.scanload import DATASETS_NAMED, TOKENS_OF, ScanLoad, ScanState
from inventory.graph.schema import EDGES, NODES, EdgeFact, NodeFact, NodeRef, Value, check
from inventory.graph.statements import REVIEW, Scope
from inventory.graph.turn import kept_turn
from inventory.model import Aspect, Finding, Observation, Provenance, ReviewState, dataset_of


@dataclass(frozen=True, slots=True)
class ScanRun:
    """One scan of one source: part of the run `run_id`, which may scan other sources too."""

    run_id: str
    source: str
    started_at: datetime

    @property
    def urn(self) -> str:
        """The Scan node's name."""
        return f"scan:{self.run_id}/{self.source}"


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What a load did, and what went wrong in the scan that it loaded. `scan` is "" for declared facts."""

    source: str
    scan: str
    state: ScanState
    changes: Counts
    findings: tuple[Finding, ...] = ()

    @property
    def complete(self) -> bool:
        """Nothing was left out."""
        return self.state == "completed"

    @property
    def counts(self) -> dict[str, int]:
        """How many nodes and edges were created, changed, ended, unchanged; and measures updated in place."""
        return asdict(self.changes)

    @property
    def versions(self) -> int:
        """How many versions of nodes and edges the load began or ended: 0 when nothing has changed."""
        return sum(count for name, count in self.counts.items() if name.endswith(("_created", "_changed", "_ended")))

    @property
    def summary(self) -> str:
        """In words, for a terminal."""
        counts = self.changes
        nodes, edges = counts.nodes_unchanged, counts.edges_unchanged
        return (
            f"{self.state}: {counts.nodes_created} nodes and {counts.edges_created} edges new, "
            f"{counts.nodes_changed + counts.edges_changed} changed, {counts.nodes_ended + counts.edges_ended} ended, "
            f"{nodes + edges} unchanged"
        )


def new_run_id() -> str:
    """A name for a run that sorts by time."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"


class GraphWriter:
    """Writes to one graph; shared by threads that load different sources."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def tokens(self, system: str) -> dict[str, str]:
        """The state in which each dataset of the system was last read, by its URN; for `ScanContext.tokens`."""
        return {row["urn"]: row["token"] for row in self.graph.stream(TOKENS_OF, system=system)}

    def datasets(self, begins: str) -> Iterator[str]:
        """The URNs of the datasets that begin so, of whichever system; for `ScanContext.datasets`."""
        for row in self.graph.stream(DATASETS_NAMED, begins=begins):
            yield row["urn"]

    def last_started(self) -> dict[str, datetime]:
        """When each source's last scan began, by the source's name."""
        rows = self.graph.read("MATCH (s:Scan) RETURN s.source AS source, max(s.started_at) AS at")
        return {row["source"]: datetime.fromisoformat(row["at"]) for row in rows if row["source"] and row["at"]}

    def load(self, scan: ScanRun, observations: Iterable[Observation]) -> LoadReport:
        """Load what a scan says, as it says it. Raises GraphError, what `observations` raises, and SourceError before
        it has asked for any when another scan of the source runs.

        When `observations` raises, what was covered until then is loaded and the Scan is kept as failed.
        """
        load = ScanLoad(self.graph, scan.urn, scan.source, moment(scan.started_at))
        load.begin()
        with kept_turn(self.graph, scan.urn):
            try:
                for observation in observations:
                    load.take(observation)
            except GraphError:
                raise
            except InventoryError:
                load.finish(failed=True)
                raise
            state = load.finish()
        return LoadReport(scan.source, scan.urn, state, load.counts, tuple(load.findings))

    def progress(self, scan: ScanRun, done: int, total: int | None, dataset: str) -> None:
        """Keep on the Scan how far it is, for those who watch. Raises GraphError."""
        self.graph.write(
            "MATCH (s:Scan {urn: $scan}) SET s.done = $done, s.total = $total, s.dataset = $dataset",
            scan=scan.urn,
            done=done,
            total=total,
            dataset=dataset,
        )

    def declare(self, scope: str, nodes: Iterable[NodeFact], edges: Iterable[EdgeFact], at: datetime) -> LoadReport:
        """Load all that a document says (a policy, a vocabulary, a pipeline): what it no longer says ends.

        `scope` names the document. A node that another scope described first keeps that description; it ends when
        no scope states it any more. Raises GraphError.
        """
        if "|" in scope or not scope:
            raise GraphError(f"scope {scope!r}", "is no name of a document", "leave out `|`")
        node_facts = {fact.ref: fact for fact in nodes}
        edge_facts = {fact.id(scope): fact for fact in edges}
        check([*node_facts.values(), *edge_facts.values()])
        for ref in node_facts:
            if not NODES[ref.label].declared:
                raise GraphError(f"a {ref.label}", "is seen by scans, not declared", "declare edges to it")
        counts, when = Counts(), moment(at)
        for some in batches(list(node_facts.values())):
            counts.add(self._changed(when, scope, lambda t, c, some=some: _declare_nodes(t, c, scope, some)))
        for some in batches(list(edge_facts.values())):
            counts.add(self._changed(when, scope, lambda t, c, some=some: _declare_edges(t, c, scope, some)))
        counts.add(
            self._changed(when, scope, lambda t, c: _end_undeclared(t, c, scope, set(node_facts), set(edge_facts)))
        )
        return LoadReport(scope, "", "completed", counts)

    def review(self, field: str, category: str, state: ReviewState, by: str, at: datetime) -> None:
        """Keep a person's decision on a classification; scans do not change it. SUGGESTED takes it back, and what the
        detector said holds again.

        Raises QuestionError when the inventory does not hold the field or the category; GraphError.
        """
        scope = str(Scope(dataset_of(field), REVIEW))
        source, target = NodeRef("Field", field), NodeRef("Category", category)

        def decide(transaction: Transaction, changes: Changes) -> None:
            if len(read_nodes(transaction, [source, target])) < 2:
                raise QuestionError(f"{field} as {category}", "is not in the inventory", "look up the field's URN")
            present = read_edges_from(transaction, source, "CLASSIFIED_AS")
            here = [edge for edge in present.values() if edge.target == target]
            decided = next((edge for edge in here if edge.scope == scope), None)
            known = read_properties(transaction, decided or here[0]) if here else {}
            if state is ReviewState.SUGGESTED:
                if decided is not None:
                    changes.end_edge(decided)
                    if known.get("detector"):
                        content = str(Scope(dataset_of(field), Aspect.CONTENT))
                        fact = EdgeFact("CLASSIFIED_AS", source, target, {}, _suggestion(known))
                        changes.state_edge(StatedEdge(content, fact), present.get(fact.id(content)))
                return
            said = _suggestion(known) | {"suggested_by": known.get("suggested_by") or known.get("provenance")}
            said |= {"state": str(state), "by": by, "provenance": str(Provenance.REVIEW)}
            if not here:
                said["confidence"] = 1.0 if state is ReviewState.CONFIRMED else 0.0
            changes.state_edge(StatedEdge(scope, EdgeFact("CLASSIFIED_AS", source, target, {}, said)), decided)
            for edge in here:
                if edge is not decided:
                    changes.end_edge(edge)

        self._changed(moment(at), f"review:{by}", decide)

    def _changed(self, at: str, by: str, decide: Callable[[Transaction, Changes], None]) -> Counts:
        return changed(self.graph, at, by, decide)


def _suggestion(known: Row) -> dict[str, Value]:
    """What the detector said, of an edge that is its suggestion or a person's decision on it."""
    reasons: dict[str, Value] = {name: known.get(name) for name in ("confidence", "evidence_json", "detector")}
    return reasons | {
        "state": str(ReviewState.SUGGESTED),
        "provenance": known.get("suggested_by") or known.get("provenance"),
    }


# --- declared facts ---------------------------------------------------------------------------------------


def _declare_nodes(transaction: Transaction, changes: Changes, scope: str, facts: Sequence[NodeFact]) -> None:
    present = read_nodes(transaction, (fact.ref for fact in facts))
    for fact in facts:
        before = present.get(fact.ref)
        if before is None or not before.valid or not before.scope or before.is_seen_processor:
            changes.state_node(fact, scope, before, stated_by=(scope,))
        elif before.scope == scope:
            changes.state_node(fact, scope, before, stated_by=before.stated_by)
        else:
            changes.counts.nodes_unchanged += 1
            if scope not in before.stated_by:
                changes.keep(fact.ref, before.scope, {*before.stated_by, scope})


def _declare_edges(transaction: Transaction, changes: Changes, scope: str, facts: Sequence[EdgeFact]) -> None:
    present = read_edges(transaction, [scope], {fact.type for fact in facts})
    for fact in facts:
        changes.state_edge(StatedEdge(scope, fact), present.get(fact.id(scope)))
    ends = {end for fact in facts for end in (fact.source, fact.target)}
    changes.stubs |= ends - read_nodes(transaction, ends).keys()


def _end_undeclared(
    transaction: Transaction, changes: Changes, scope: str, nodes: Collection[NodeRef], edges: Collection[str]
) -> None:
    for edge in read_edges(transaction, [scope], EDGES).values():
        if edge.id not in edges:
            changes.end_edge(edge)
    for node in read_stated_by(transaction, scope).values():
        if node.ref in nodes:
            continue
        others = [other for other in node.stated_by if other != scope]
        if others:
            changes.keep(node.ref, others[0] if node.scope == scope else node.scope, others)
        else:
            changes.end_node(node.ref)
