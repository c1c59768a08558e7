"""Findings, kept about what they concern: those of scans, and what deriving from the graph saw amiss."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict
from datetime import datetime

from inventory.graph.batch import (
    Changes,
    Counts,
    NodeState,
    StatedEdge,
    changed,
    read_edges,
    read_findings_of,
    read_nodes,
)
from inventory.graph.catalogue import moment
from inventory.graph.connection import Graph, Transaction
from inventory.graph.schema import EdgeFact, NodeFact, NodeRef, digest
from inventory.model import Finding


def keep_findings(graph: Graph, source: str, findings: Iterable[Finding], at: datetime) -> Counts:
    """Keep these as all that `source` ("lineage:sql") finds now; what it found before and not now has ended.

    Writes nothing when they are the same as before. Raises GraphError.
    """
    found = tuple(findings)
    return changed(graph, moment(at), source, lambda t, c: state_findings(t, c, source, found, lambda gone: gone))


def state_findings(
    transaction: Transaction,
    changes: Changes,
    source: str,
    findings: Iterable[Finding],
    over: Callable[[Mapping[NodeRef, NodeState]], Collection[NodeRef]],
) -> None:
    """Note what `source` finds, each about its system or dataset where that is there.

    `over` says which of those that it found before, and not now, have ended.
    """
    scope = f"{source}|findings"
    facts = {fact.ref: (fact, finding) for finding in findings for fact in [finding_fact(source, finding)]}
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
    ended = set(over({ref: known[ref] for ref in known.keys() - facts.keys()}))
    for ref in ended:
        changes.end_node(ref)
    for edge in edges.values():
        if edge.source in ended:
            changes.end_edge(edge)


def finding_fact(source: str, finding: Finding) -> NodeFact:
    """The node of a finding, which has the same name whenever the source finds the same."""
    key = f"finding:{digest((source, finding.about, finding.code, finding.message))}"
    return NodeFact("Finding", key, {**asdict(finding), "severity": str(finding.severity), "source": source})


_ABOUT = ("System", "Dataset")
