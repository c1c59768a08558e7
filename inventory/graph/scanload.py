"""Loading one scan: gathers observations by scope, writes them in batches, ends what was covered and not seen again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal, TypeAlias

from inventory.graph.batch import (
    BATCH,
    Changes,
    Counts,
    EdgeState,
    NodeState,
    StatedEdge,
    batches,
    changed,
    read_edges,
    read_fields,
    read_nodes,
)
from inventory.graph.catalogue import moment
from inventory.graph.connection import Graph, Transaction
from inventory.graph.findings import finding_fact, state_findings
from inventory.graph.schema import EdgeFact, NodeFact, NodeRef, digest, stated
from inventory.graph.statements import REVIEW, SEEN, MeasureFact, Scope, statements_of
from inventory.graph.turn import take_turn
from inventory.model import (
    Aspect,
    Covered,
    DatasetSeen,
    Finding,
    Observation,
    Severity,
    SystemSeen,
    column_of,
    dataset_of,
    field_urn,
)

ScanState: TypeAlias = Literal["completed", "partial", "failed"]

SCAN_EDGES = (
    "CONTAINS",
    "CLASSIFIED_AS",
    "REFERENCES",
    "FLOWS_TO",
    "DISCLOSED_TO",
    "DEFINED_BY",
    "PROTECTED_BY",
    "READABLE_BY",
)
DATASETS_OF = (
    "MATCH (n:Dataset) WHERE n.system = $system AND n.urn STARTS WITH $listed "
    "AND n.valid_to IS NULL AND n.scope IS NOT NULL RETURN n.urn AS urn"
)
DATASETS_NAMED = (
    "MATCH (n:Dataset) WHERE n.urn STARTS WITH $begins AND n.valid_to IS NULL AND n.scope IS NOT NULL "
    "RETURN n.urn AS urn"
)
TOKENS_OF = (
    "MATCH (n:Dataset) WHERE n.system = $system AND n.valid_to IS NULL AND n.content_token IS NOT NULL "
    "RETURN n.urn AS urn, n.content_token AS token"
)
DATASETS_AT_ONCE = 50
ASPECTS = (*Aspect, REVIEW)
MOST_HELD = 50 * BATCH  # statements held for scopes that are not covered yet


@dataclass(slots=True)
class Part:
    """What a scan states of one scope; `covered` when that is all there is."""

    scope: Scope
    nodes: dict[NodeRef, NodeFact] = field(default_factory=dict[NodeRef, NodeFact])
    measures: dict[NodeRef, MeasureFact] = field(default_factory=dict[NodeRef, MeasureFact])
    edges: dict[str, EdgeFact] = field(default_factory=dict[str, EdgeFact])
    covered: bool = False
    token: str = ""  # of a dataset's content: the state that it was read in

    @property
    def size(self) -> int:
        """How many facts."""
        return len(self.nodes) + len(self.measures) + len(self.edges)

    def add(self, fact: NodeFact | EdgeFact | MeasureFact) -> None:
        """Take a fact in; said twice, the last one counts."""
        match fact:
            case NodeFact():
                self.nodes[fact.ref] = fact
            case MeasureFact():
                self.measures[fact.ref] = fact
            case EdgeFact():
                self.edges[fact.id(str(self.scope))] = fact


class ScanLoad:
    """One scan on its way into the graph. `at` is when it started, as the graph keeps times."""

    def __init__(self, graph: Graph, scan: str, source: str, at: str) -> None:
        self.graph = graph
        self.scan = scan
        self.source = source
        self.at = at
        self.counts = Counts()
        self.findings: list[Finding] = []
        self._parts: dict[Scope, Part] = {}
        self._held = 0
        self._next_flush = BATCH
        self._system = ""
        self._reached = False
        self._datasets: set[str] = set()
        self._covered: set[Scope] = set()
        self._broken: set[Scope] = set()

    # --- the three steps ----------------------------------------------------------------------------------

    def begin(self) -> None:
        """Note that the scan runs. Raises SourceError when another one of this source does (see `turn`)."""
        take_turn(self.graph, self.scan, self.source, self.at)

    def take(self, observation: Observation) -> None:
        """Take one observation in, and write a batch when enough is gathered."""
        match observation:
            case Finding():
                self.findings.append(observation)
            case Covered():
                self._cover(Scope(observation.scope, observation.aspect), observation.token)
            case SystemSeen():
                self._system, self._reached = observation.urn, True
            case DatasetSeen():
                self._datasets.add(observation.urn)
            case _:
                pass
        for scope, fact in statements_of(observation, self._system):
            part = self._part(scope)
            self._held -= part.size
            part.add(fact)
            self._held += part.size
        if self._held >= self._next_flush:
            self._flush()

    def finish(self, failed: bool = False) -> ScanState:
        """Write the rest, end what is gone, keep the findings, and close the Scan."""
        self._flush(everything=True)
        listings = self._listings()
        if not failed:
            for listed in listings:
                self._end_unlisted(listed)
        lacking = any(finding.severity is not Severity.INFO for finding in self.findings)
        state: ScanState = "completed"
        if failed or not self._reached:
            state = "failed"
        elif lacking or not listings:
            state = "partial"
        self.counts.add(self._changed(lambda t, c: self._keep_findings(t, c, state)))
        self._close(state)
        return state

    # --- batches ------------------------------------------------------------------------------------------

    def _cover(self, scope: Scope, token: str) -> None:
        self._covered.add(scope)
        part = self._part(scope)
        part.covered = scope not in self._broken
        part.token = token

    def _part(self, scope: Scope) -> Part:
        part = self._parts.get(scope)
        if part is None:
            part = self._parts[scope] = Part(scope)
        return part

    def _flush(self, everything: bool = False) -> None:
        """Write the scopes that are whole, in batches; with `everything` the others too, which then end nothing."""
        ready = [part for part in self._parts.values() if everything or part.covered or self._comes_at_once(part)]
        if not everything and self._held - sum(part.size for part in ready) > MOST_HELD:
            ready = list(self._parts.values())
            self._broken |= {part.scope for part in ready if not part.covered}
        for part in ready:
            del self._parts[part.scope]
            self._held -= part.size
        self._next_flush = self._held + BATCH
        for some in _together(ready):
            self.counts.add(self._changed(lambda t, c, some=some: Decision(t, c, some).decide()))

    def _comes_at_once(self, part: Part) -> bool:
        """The system itself, and what a listing says of one dataset."""
        listed = part.scope.aspect == Aspect.LISTING and part.scope.urn != self._system
        return listed or part.scope.aspect == SEEN

    def _changed(self, decide: Callable[[Transaction, Changes], None]) -> Counts:
        return changed(self.graph, self.at, self.scan, decide)

    # --- the end of the scan ------------------------------------------------------------------------------

    def _listings(self) -> list[str]:
        """What the URNs begin with of all that was listed completely: the system's, or a part of it."""
        covered = (scope.urn for scope in self._covered if scope.aspect == Aspect.LISTING)
        return sorted(urn for urn in covered if self._system and urn.startswith(self._system))

    def _end_unlisted(self, listed: str) -> None:
        """End the datasets that a complete listing no longer names, with everything in them."""
        known = [row["urn"] for row in self.graph.stream(DATASETS_OF, system=self._system, listed=listed)]
        gone = sorted(set(known) - self._datasets)
        for start in range(0, len(gone), DATASETS_AT_ONCE):
            some = gone[start : start + DATASETS_AT_ONCE]
            self.counts.add(self._changed(lambda t, c, some=some: _end_datasets(t, c, some)))

    def _keep_findings(self, transaction: Transaction, changes: Changes, state: ScanState) -> None:
        def over(gone: Mapping[NodeRef, NodeState]) -> set[NodeRef]:
            skipped = self._skipped(transaction, gone.values())
            return {ref for ref, node in gone.items() if node.about not in skipped and self._is_over(node.about, state)}

        state_findings(transaction, changes, self.source, self.findings, over)

    def _skipped(self, transaction: Transaction, known: Iterable[NodeState]) -> set[str]:
        """Of what is known to be amiss: the datasets that were not looked at, as they are as they were."""
        seen = {node.about for node in known} & self._datasets
        unread = [NodeRef("Dataset", urn) for urn in seen if Scope(urn, Aspect.CONTENT) not in self._covered]
        return {node.ref.key for node in read_nodes(transaction, unread).values() if node.token}

    def _is_over(self, about: str, state: ScanState) -> bool:
        """Whether this scan looked where an earlier one found something that this one did not find."""
        if state == "completed":
            return True
        listings = self._listings()
        if state == "failed" or about == self._system:
            return bool(listings)
        looked = {Scope(about, Aspect.STRUCTURE), Scope(about, Aspect.CONTENT)} <= self._covered
        return looked or (about not in self._datasets and any(about.startswith(listed) for listed in listings))

    def _close(self, state: ScanState) -> None:
        born = {"valid_from": self.at, "scan": self.scan}
        self.graph.write(
            "MATCH (s:Scan {urn: $scan}) SET s += $properties REMOVE s.host, s.process, s.alive_at",
            scan=self.scan,
            properties={
                "state": state,
                "finished_at": moment(),
                "findings": len(self.findings),
                "datasets": len(self._datasets),
                **asdict(self.counts),
            },
        )
        if self._reached:
            self.graph.write(
                "MATCH (s:Scan {urn: $scan}) MATCH (t:System {urn: $system}) "
                "MERGE (s)-[r:SCANNED]->(t) ON CREATE SET r += $born",
                scan=self.scan,
                system=self._system,
                born=born,
            )
        found = sorted({finding_fact(self.source, finding).key for finding in self.findings})
        for some in batches(found):
            self.graph.write(
                "MATCH (s:Scan {urn: $scan}) UNWIND $findings AS urn MATCH (f:Finding {urn: urn}) "
                "MERGE (s)-[r:FOUND]->(f) ON CREATE SET r += $born",
                scan=self.scan,
                findings=some,
                born=born,
            )


class Decision:
    """What some parts of a scan change of the graph as it is."""

    def __init__(self, transaction: Transaction, changes: Changes, parts: Collection[Part]) -> None:
        self.changes = changes
        self.parts = parts
        self.transaction = transaction
        # What is only listed, as it is as it was, costs no look at its fields.
        places = {part.scope.urn for part in parts if part.scope.aspect in (Aspect.STRUCTURE, Aspect.CONTENT)}
        scopes = {str(Scope(urn, aspect)) for urn in places for aspect in ASPECTS}
        self.edges = read_edges(transaction, scopes | {str(part.scope) for part in parts}, SCAN_EDGES)
        self.fields = read_fields(transaction, places)
        self.read = [(NodeRef("Dataset", p.scope.urn), p) for p in parts if p.scope.aspect == Aspect.CONTENT]
        named = {ref for part in parts for ref in _refs(part)} | {dataset for dataset, _ in self.read}
        others = named - self.fields.keys()
        self.nodes = self.fields | read_nodes(transaction, others)
        self.stated = {ref for part in parts for ref in part.nodes}
        self.decided = {(edge.source, edge.target) for edge in self.edges.values() if edge.scope.endswith(f"|{REVIEW}")}

    def decide(self) -> None:
        """Compare, and note the changes."""
        for part in self.parts:
            for ref, fact in part.nodes.items():
                before = self.nodes.get(ref)
                if before is None or not before.is_declared_processor:
                    self.changes.state_node(fact, str(part.scope), before)
        for part in self.parts:
            for measure in part.measures.values():
                self._measure(measure)
            for edge_id, fact in part.edges.items():
                self._state_edge(part, edge_id, fact)
        for dataset, part in self.read:
            self.changes.remember(dataset, part.token if part.covered else "", self.nodes.get(dataset))
        ended = {edge.id: edge for part in self.parts if part.covered for edge in self._unsaid(part)}
        gone = self._gone_fields()
        for edge in self.edges.values():
            if (edge.source in gone or edge.target in gone) and not edge.scope.endswith(f"|{REVIEW}"):
                ended.setdefault(edge.id, edge)
        for ref in gone:
            self.changes.end_node(ref)
        for edge in ended.values():
            self.changes.end_edge(edge)
        end_jobs(self.transaction, self.changes, ended.values(), self.stated)

    def _measure(self, measure: MeasureFact) -> None:
        before = self.nodes.get(measure.ref)
        if before is None and measure.ref not in self.stated:
            self.changes.stubs.add(measure.ref)
        if before is None or before.measures != digest(stated(measure.properties)):
            self.changes.measure(measure.ref, measure.properties)

    def _state_edge(self, part: Part, edge_id: str, fact: EdgeFact) -> None:
        before = self.edges.get(edge_id)
        if fact.type == "CLASSIFIED_AS":
            if (fact.source, fact.target) in self.decided:
                self.changes.counts.edges_unchanged += 1
                return
            if before is not None and not part.covered and _confidence(fact) < before.confidence:
                # Judged without a look at the values: that takes nothing from what an earlier look found.
                self.changes.counts.edges_unchanged += 1
                return
        self.changes.state_edge(StatedEdge(str(part.scope), fact), before)
        self.changes.stubs |= {end for end in (fact.source, fact.target) if end not in self.nodes} - self.stated

    def _unsaid(self, part: Part) -> list[EdgeState]:
        scope = str(part.scope)
        return [edge for edge in self.edges.values() if edge.scope == scope and edge.id not in part.edges]

    def _gone_fields(self) -> set[NodeRef]:
        """Fields of covered scopes that were not seen again, and the places inside columns that are gone."""
        covered = {str(part.scope) for part in self.parts if part.covered}
        there = [node for node in self.fields.values() if node.valid and node.ref not in self.stated]
        gone = {node.ref for node in there if node.scope in covered}
        return gone | {node.ref for node in there if NodeRef("Field", _column(node.ref.key)) in gone}


def end_jobs(
    transaction: Transaction, changes: Changes, ended: Iterable[EdgeState], stated: Collection[NodeRef] = ()
) -> None:
    """End the jobs that only the ended edges told of: those that the same scope described."""
    defined = {edge.target: edge.scope for edge in ended if edge.type == "DEFINED_BY" and edge.target not in stated}
    for ref, job in read_nodes(transaction, defined).items():
        if job.valid and job.scope == defined[ref]:
            changes.end_node(ref)


def _end_datasets(transaction: Transaction, changes: Changes, datasets: Collection[str]) -> None:
    scopes = [str(Scope(urn, aspect)) for urn in datasets for aspect in ASPECTS if aspect != REVIEW]
    edges = read_edges(transaction, scopes, SCAN_EDGES)
    for edge in edges.values():
        changes.end_edge(edge)
    end_jobs(transaction, changes, edges.values())
    for node in read_fields(transaction, datasets).values():
        if node.valid and node.scope:
            changes.end_node(node.ref)
    for urn in datasets:
        changes.end_node(NodeRef("Dataset", urn))


def _together(parts: Iterable[Part]) -> Iterator[list[Part]]:
    """Parts in batches of about BATCH facts; those of one dataset stay together."""
    by_place: dict[str, list[Part]] = {}
    for part in parts:
        by_place.setdefault(part.scope.urn, []).append(part)
    some: list[Part] = []
    for place in by_place.values():
        some.extend(place)
        if sum(part.size for part in some) >= BATCH:
            yield some
            some = []
    if some:
        yield some


def _refs(part: Part) -> Iterator[NodeRef]:
    yield from part.nodes
    yield from part.measures
    for fact in part.edges.values():
        yield fact.source
        yield fact.target


def _confidence(fact: EdgeFact) -> float:
    confidence = fact.properties.get("confidence")
    return confidence if isinstance(confidence, float) else 0.0


def _column(field: str) -> str:
    return field_urn(dataset_of(field), column_of(field)[0])
