"""Documents that come in pieces: what each has said so far is kept in the graph, and decides what it states.

A document of this kind is a scope of its own, as those of `GraphWriter.declare`; many are loaded in one transaction.
What it has said stands in a node `(:Document {key, kept})`, which is no part of the inventory's graph model. Reading
it, deciding and writing are one transaction that holds the document, so two programs that load pieces of the same
document at once come to the same end as one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from inventory.graph.batch import Changes, Counts, StatedEdge, changed, read_edges, read_nodes
from inventory.graph.connection import Graph, Transaction
from inventory.graph.schema import EdgeFact, NodeFact, NodeRef, check


@dataclass(frozen=True, slots=True)
class Restated:
    """All that a document says now, and the text to decide by when its next piece comes.

    `same`: it says what it said when its text was last kept, so that only the text is written.
    """

    scope: str
    nodes: tuple[NodeFact, ...]
    edges: tuple[EdgeFact, ...]
    kept: str
    same: bool = False


Known: TypeAlias = Callable[[Collection[str]], set[str]]
"""Which of these datasets (by URN) a scan has seen and are there still."""

Decide: TypeAlias = Callable[[Mapping[str, str], Known], Iterable[Restated]]
"""What the documents say, by what each has kept ("" for a new one). It may be called more than once."""


def restate(
    graph: Graph, scopes: Collection[str], decide: Decide, types: Collection[str], at: str, by: str
) -> tuple[Counts, int]:
    """Load what `decide` says of these documents, in one transaction; what was done, and how many have kept else.

    Only edges of `types` end, and a node that a document states stays. Raises GraphError.
    """
    news = 0

    def work(transaction: Transaction, changes: Changes) -> None:
        nonlocal news
        kept = _held(transaction, scopes, at)
        documents = list(decide(kept, lambda urns: _known(transaction, urns)))
        _state(transaction, changes, [document for document in documents if not document.same], types)
        different = [document for document in documents if document.kept != kept[document.scope]]
        news = len(different)
        if not different:
            return
        transaction.run(
            "UNWIND $rows AS row MATCH (d:Document {key: row.key}) SET d.kept = row.kept",
            rows=[{"key": document.scope, "kept": document.kept} for document in different],
        )

    return changed(graph, at, by, work), news


def _held(transaction: Transaction, scopes: Collection[str], at: str) -> dict[str, str]:
    """What each has kept; writing to the node first makes others wait for this transaction."""
    rows = transaction.run(
        "UNWIND $keys AS key MERGE (d:Document {key: key}) SET d.held_at = $at RETURN d.key AS key, d.kept AS kept",
        keys=sorted(scopes),
        at=at,
    )
    return {row["key"]: row["kept"] or "" for row in rows}


def _known(transaction: Transaction, urns: Collection[str]) -> set[str]:
    found = read_nodes(transaction, (NodeRef("Dataset", urn) for urn in urns))
    return {ref.key for ref, state in found.items() if state.valid and state.scope}


def _state(transaction: Transaction, changes: Changes, documents: Sequence[Restated], types: Collection[str]) -> None:
    for document in documents:
        check([*document.nodes, *document.edges])
    nodes = read_nodes(transaction, (fact.ref for document in documents for fact in document.nodes))
    edges = read_edges(transaction, [document.scope for document in documents], types)
    stated: set[str] = set()
    for document in documents:
        for fact in document.nodes:
            before = nodes.get(fact.ref)
            if before is None or not before.valid or before.scope in ("", document.scope):
                changes.state_node(fact, document.scope, before, stated_by=(document.scope,))
            else:  # another document described it first
                changes.counts.nodes_unchanged += 1
                if document.scope not in before.stated_by:
                    changes.keep(fact.ref, before.scope, {*before.stated_by, document.scope})
        for fact in document.edges:
            name = fact.id(document.scope)
            if name not in stated:
                stated.add(name)
                changes.state_edge(StatedEdge(document.scope, fact), edges.get(name))
    for edge in edges.values():
        if edge.id not in stated:
            changes.end_edge(edge)
    ends = {end for document in documents for fact in document.edges for end in (fact.source, fact.target)}
    changes.stubs |= ends - read_nodes(transaction, ends).keys()
