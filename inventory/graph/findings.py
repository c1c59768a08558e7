"""Findings that no scan found: what deriving from the graph saw amiss, kept about the datasets that it concerns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime

from inventory.graph.batch import Changes, Counts, StatedEdge, changed, read_edges, read_findings_of, read_nodes
from inventory.graph.catalogue import moment
from inventory.graph.connection import Graph, Transaction
from inventory.graph.schema import EdgeFact, NodeFact, NodeRef, digest
from inventory.model import Finding


def keep_findings(graph: Graph, source: str, findings: Iterable[Finding], at: datetime) -> Counts:
    """Keep these as all that `source` ("lineage:sql") finds now; what it found before and not now has ended.

    Writes nothing when they are the same as before. Raises GraphError.
    """
    facts: dict[NodeRef, tuple[NodeFact, Finding]] = {}
    for finding in findings:
        key = f"finding:{digest((source, finding.about, finding.code, finding.message))}"
        said = {**asdict(finding), "severity": str(finding.severity), "source": source}
        facts[NodeRef("Finding", key)] = NodeFact("Finding", key, said), finding

    def decide(transaction: Transaction, changes: Changes) -> None:
        scope = f"{source}|findings"
        known = read_findings_of(transaction, source)
        before = known | read_nodes(transaction, facts)
        there = read_nodes(transaction, [NodeRef(label, f.about) for _, f in facts.values() for label in _ABOUT])
        edges = read_edges(transaction, [scope], ["ABOUT"])
        for ref, (fact, finding) in facts.items():
            changes.state_node(fact, scope, before.get(ref))
            for about in (NodeRef(label, finding.about) for label in _ABOUT):
                if about in there:
                    edge = EdgeFact("ABOUT", ref, about)
                    changes.state_edge(StatedEdge(scope, edge), edges.get(edge.id(scope)))
        over = known.keys() - facts.keys()
        for ref in over:
            changes.end_node(ref)
        for edge in edges.values():
            if edge.source in over:
                changes.end_edge(edge)

    return changed(graph, moment(at), source, decide)


_ABOUT = ("System", "Dataset")
