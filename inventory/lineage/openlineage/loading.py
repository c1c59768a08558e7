"""Events into the graph: each job is a document of its own, restated when something new is heard of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from inventory.graph.batch import Counts
from inventory.graph.catalogue import moment
from inventory.graph.connection import Graph
from inventory.graph.restating import Known, Restated, restate
from inventory.graph.schema import EdgeFact, NodeFact, NodeRef
from inventory.lineage.openlineage.events import Event
from inventory.lineage.openlineage.history import History
from inventory.lineage.openlineage.pieces import Piece, Reader
from inventory.lineage.redaction import built_in_redaction
from inventory.model import FlowSeen

JOBS_AT_ONCE = 500  # in one transaction
FACTS_AT_ONCE = 5000
_STATED = ("FLOWS_TO", "DEFINED_BY")


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did: `events` taken, how many jobs (or datasets) they are of, how many of those told anything new."""

    events: int
    jobs: int
    news: int
    changes: Counts


class Loader:
    """Loads events into one graph. Safe between threads and processes."""

    def __init__(self, graph: Graph, redact: Callable[[str], str] | None = None) -> None:
        self._graph = graph
        self._reader = Reader(redact or built_in_redaction())

    def load(self, events: Iterable[Event]) -> Loaded:
        """Load them all, whatever their order. Loaded again, nothing changes. Raises GraphError."""
        heard: dict[str, list[Piece]] = {}
        count, news, changes = 0, 0, Counts()
        for event in events:
            piece = self._reader.piece(event)
            heard.setdefault(piece.scope, []).append(piece)
            count += 1
        for some in _portions(heard):
            now = moment(datetime.now(UTC))
            done, new = restate(
                self._graph, list(some), lambda kept, known, some=some: _decide(some, kept, known), _STATED, now,
                "openlineage",
            )  # fmt: skip
            changes.add(done)
            news += new
        return Loaded(count, len(heard), news, changes)


def _portions(heard: Mapping[str, list[Piece]]) -> Iterator[dict[str, list[Piece]]]:
    portion: dict[str, list[Piece]] = {}
    facts = 0
    for scope in sorted(heard):  # in one order, so that two who load wait and do not block each other
        portion[scope] = heard[scope]
        facts += sum(_size(piece) for piece in heard[scope])
        if facts >= FACTS_AT_ONCE or len(portion) >= JOBS_AT_ONCE:
            yield portion
            portion, facts = {}, 0
    if portion:
        yield portion


def _size(piece: Piece) -> int:
    return 1 + len(piece.fields) + len(piece.inputs or ()) * len(piece.outputs or ())


def _decide(heard: Mapping[str, Sequence[Piece]], kept: Mapping[str, str], known: Known) -> list[Restated]:
    jobs = {scope: next((piece.job for piece in pieces if piece.job), "") for scope, pieces in heard.items()}
    histories = {scope: History.of_text(kept[scope]) for scope in heard}
    said = {scope: _said(jobs[scope], history, {}) for scope, history in histories.items() if kept[scope]}
    for scope, pieces in heard.items():
        for piece in pieces:
            histories[scope].take(piece)
    names = _names(histories.values(), known)
    documents: list[Restated] = []
    for scope, history in histories.items():
        nodes, edges = _said(jobs[scope], history, names)
        # What other names stand for may change without an event: then it is stated again.
        same = not history.also and said.get(scope) == (nodes, edges)
        documents.append(Restated(scope, nodes, edges, history.text(), same))
    return documents


def _names(histories: Iterable[History], known: Known) -> dict[str, str]:
    """Of a dataset that no scan has seen and that has another name which one has: that name."""
    also = {dataset: others for history in histories for dataset, others in history.also.items()}
    seen = known({*also, *(other for others in also.values() for other in others)}) if also else set[str]()
    return {
        dataset: next(other for other in others if other in seen)
        for dataset, others in also.items()
        if dataset not in seen and not seen.isdisjoint(others)
    }


def _said(job: str, history: History, names: Mapping[str, str]) -> tuple[tuple[NodeFact, ...], tuple[EdgeFact, ...]]:
    """The job, and the edges that hold."""
    edges = [_flow(flow) for flow in history.flows(job, names)]
    nodes = [NodeFact("Job", job, {name: value for name, (_, value) in history.about.items()})] if job else []
    told = history.last()
    if job and told is not None and len(told.outputs) == 1:  # else its statement does not say which it writes
        (output,) = told.outputs
        edges.append(EdgeFact("DEFINED_BY", NodeRef("Dataset", names.get(output, output)), NodeRef("Job", job)))
    return tuple(nodes), tuple(edges)


def _flow(flow: FlowSeen) -> EdgeFact:
    label = "Field" if "#" in flow.source else "Dataset"
    return EdgeFact(
        "FLOWS_TO",
        NodeRef(label, flow.source),
        NodeRef(label, flow.target),
        {"job": flow.job, "provenance": str(flow.provenance)},
        {"transformation": str(flow.transformation), "confidence": flow.confidence},
    )
