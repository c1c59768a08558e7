"""What the shape of the flows tells: what is reached, what is lost, where all ways meet, where to cut them, cycles.

Works on the part of the graph that a question needs, fetched from the catalogue level by level (one query a level), as
a networkx graph whose nodes are fields, datasets and organisations. A *step* is a flow or a disclosure.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import islice, pairwise
from typing import Any, Literal, TypeAlias, cast

import networkx

from inventory.errors import QuestionError
from inventory.model import Provenance, Transformation

Ask: TypeAlias = Callable[..., Awaitable[Sequence[Mapping[str, Any]]]]
"""Asks a catalogue entry: `ask(name, **parameters)` gives its rows."""
StepType: TypeAlias = Literal["FLOWS_TO", "DISCLOSED_TO"]
Direction: TypeAlias = Literal["downstream", "upstream"]

MOST_DEPTH = 20
MOST_PLACES = 50_000  # that one question looks at
_COARSE = 0.5  # confidence in that a field goes along with its dataset

_SOURCE, _SINK, _INTO, _OUT_OF = "\0source", "\0sink", "\0into ", "\0out of "
_nx: Any = networkx  # its types are but partly known


@dataclass(frozen=True, slots=True)
class Place:
    """A node: its label (Field, Dataset, System or Processor), its URN or key, its name."""

    label: str
    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Step:
    """An edge, from one place to the next. `coarse`: a field goes along with its dataset, as far as is known.

    Fields that go along with their dataset share the `id` of the one flow or disclosure of the dataset or its system.
    """

    id: str
    source: str
    target: str
    type: StepType
    provenance: Provenance
    confidence: float
    transformation: Transformation
    job: str
    evidence: str
    coarse: bool


@dataclass(frozen=True, slots=True)
class Reached:
    """A place that is reached, by the surest of the shortest ways there: its steps in the direction of the data."""

    place: Place
    distance: int
    confidence: float  # the product of the steps'
    way: tuple[Step, ...]


class Subgraph:
    """A part of the map. Between two places there may be several steps; the surest stands for them on a way."""

    def __init__(self, places: Iterable[Place] = (), steps: Iterable[Step] = ()) -> None:
        self.places: dict[str, Place] = {place.key: place for place in places}
        self._graph: Any = _nx.DiGraph()
        self._graph.add_nodes_from(self.places)
        self.truncated = False
        for step in steps:
            self.add(step)

    def add(self, step: Step) -> None:
        """Add a step between places that are known."""
        if self._graph.has_edge(step.source, step.target):
            steps = cast("list[Step]", self._graph.edges[step.source, step.target]["steps"])
            steps.append(step)
            steps.sort(key=lambda each: (-each.confidence, each.id))
        else:
            self._graph.add_edge(step.source, step.target, steps=[step])

    def add_flow(self, id_: str, source: str, target: str) -> None:
        """Add a flow of which only the ends matter."""
        for key in (source, target):
            self.places.setdefault(key, Place("Field" if "#" in key else "Dataset", key, key.rpartition("/")[2]))
        step = Step(id_, source, target, "FLOWS_TO", Provenance.CONFIG, 1.0, Transformation.UNKNOWN, "", "", False)
        self.add(step)

    def origins(self) -> list[str]:
        """The places that nothing flows into."""
        return sorted(key for key, degree in self._graph.in_degree() if degree == 0)

    def steps(self) -> Iterator[Step]:
        """Every step, in the order of their ends' names."""
        for _, _, data in sorted(self._graph.edges(data=True), key=lambda edge: edge[:2]):
            yield from cast("list[Step]", data["steps"])

    def reached(self, starts: Collection[str], direction: Direction, most: int | None = None) -> list[Reached]:
        """All that the starts lead to, or come from: nearest first, then surest, then by name. `most` of them."""
        forward = direction == "downstream"
        neighbours = self._graph.successors if forward else self._graph.predecessors
        best: dict[str, tuple[int, float, str | None]] = {}
        queue: list[tuple[int, float, str, str | None]] = [(0, -1.0, key, None) for key in sorted(starts)]
        while queue:
            distance, negative, key, before = heappop(queue)
            if key in best:
                continue
            best[key] = distance, -negative, before
            for other in neighbours(key):
                if other not in best:
                    step = self._step(key, other) if forward else self._step(other, key)
                    heappush(queue, (distance + 1, negative * step.confidence, other, key))
        order = sorted((distance, -confidence, key) for key, (distance, confidence, _) in best.items())
        return [
            Reached(self.places[key], distance, -negative, self._way(key, best, forward=forward))
            for distance, negative, key in islice(((d, c, key) for d, c, key in order if d), most)
        ]

    def lost_without(self, gone: Collection[str], starts: Collection[str]) -> set[str]:
        """What the `starts` reach only by way of the `gone`: it loses its source when they go."""
        return self._reachable(starts) - self._reachable(starts, without=frozenset(gone)) - set(gone)

    def choke_points(self, starts: Collection[str], ends: Collection[str]) -> list[tuple[Place, int]]:
        """The places that every way from the starts to an end passes, with the number of ends that this holds for.

        These are the dominators of the ends in the flow graph (Cooper, Harvey, Kennedy 2001, as networkx has it).
        """
        graph: Any = self._graph.copy()
        graph.add_edges_from((_SOURCE, start) for start in starts)
        dominators = cast("dict[str, str]", _nx.immediate_dominators(graph, _SOURCE))
        counts: dict[str, int] = {}
        for end in ends:
            place = dominators.get(end) or _SOURCE
            while place != _SOURCE:
                counts[place] = counts.get(place, 0) + 1
                place = dominators[place]
        found = [(self.places[key], count) for key, count in counts.items() if key not in starts]
        return sorted(found, key=lambda each: (-each[1], each[0].key))

    def cut(self, starts: Collection[str], ends: Collection[str]) -> list[tuple[Step, ...]]:
        """The fewest flows and disclosures to stop so that no start reaches an end (max-flow min-cut).

        Each with all its steps, as one of a dataset carries several fields. Empty when nothing is reached anyway.
        Raises QuestionError when a start is an end itself.
        """
        if set(starts) & set(ends):
            raise QuestionError("the cut", "has a place on both sides", "no flow that is stopped can part them")
        graph = self._with_poles(starts, ends)
        _, (near, _) = _nx.minimum_cut(graph, _SOURCE, _SINK, capacity="capacity")
        stopped: dict[str, list[Step]] = {}
        for step in self.steps():
            if f"{_INTO}{step.id}" in near and f"{_OUT_OF}{step.id}" not in near:
                stopped.setdefault(step.id, []).append(step)
        return [tuple(steps) for _, steps in sorted(stopped.items())]

    def cycles(self, most: int) -> list[tuple[str, ...]]:
        """Ways that lead back to where they begin: one of the shortest of each strongly connected part, by size."""
        strong = cast("Iterable[set[str]]", _nx.strongly_connected_components(self._graph))
        parts = [part for part in strong if self._has_cycle(part)]
        parts.sort(key=lambda part: (len(part), min(part)))
        return [self._cycle(part) for part in parts[:most]]

    def _has_cycle(self, part: set[str]) -> bool:
        return len(part) > 1 or any(self._graph.has_edge(key, key) for key in part)

    def _cycle(self, part: set[str]) -> tuple[str, ...]:
        inside, start = self._graph.subgraph(part), min(part)
        if inside.has_edge(start, start):
            return (start, start)
        others = cast("list[str]", sorted(inside.successors(start)))
        ways = [cast("list[str]", _nx.shortest_path(inside, other, start)) for other in others]
        return (start, *min(ways, key=len))

    def _reachable(self, starts: Iterable[str], without: Collection[str] = ()) -> set[str]:
        """The starts and all that they lead to, but for ways through what is left out."""
        left_out = set(without)
        found = set(starts) - left_out
        waiting = list(found)
        while waiting:
            beyond = set(cast("Iterable[str]", self._graph.successors(waiting.pop()))) - found - left_out
            found |= beyond
            waiting += beyond
        return found

    def _with_poles(self, starts: Collection[str], ends: Collection[str]) -> Any:
        """What the starts reach, with a source before them and a sink after the ends, and each flow an edge to cut.

        A flow or disclosure is one edge, however many fields it carries; edges without a capacity cannot be cut.
        """
        graph: Any = _nx.DiGraph()
        graph.add_nodes_from((_SOURCE, _SINK))
        reachable = self._reachable(starts)
        for step in self.steps():
            if step.source in reachable:
                into, out_of = f"{_INTO}{step.id}", f"{_OUT_OF}{step.id}"
                graph.add_edge(step.source, into)
                graph.add_edge(into, out_of, capacity=1)
                graph.add_edge(out_of, step.target)
        graph.add_edges_from((_SOURCE, start) for start in starts)
        graph.add_edges_from((end, _SINK) for end in ends if end in reachable)
        return graph

    def _step(self, source: str, target: str) -> Step:
        return cast("list[Step]", self._graph.edges[source, target]["steps"])[0]

    def _way(self, key: str, best: Mapping[str, tuple[int, float, str | None]], *, forward: bool) -> tuple[Step, ...]:
        keys = [key]
        while (before := best[keys[-1]][2]) is not None:
            keys.append(before)
        ordered = keys[::-1] if forward else keys
        return tuple(self._step(source, target) for source, target in pairwise(ordered))


async def explored(
    ask: Ask, starts: Sequence[Place], as_of: object, direction: Direction, depth: int = MOST_DEPTH
) -> Subgraph:
    """All that lies before or behind the starts, at most `depth` steps away; a query a level.

    Beyond MOST_PLACES the rest is left out, and the subgraph says that it is `truncated`.
    """
    found = Subgraph(starts)
    frontier = sorted(found.places)
    entry, other = ("steps_from", "target") if direction == "downstream" else ("steps_into", "source")
    for _ in range(depth):
        if not frontier:
            break
        if len(found.places) > MOST_PLACES:
            found.truncated = True
            break
        beyond: set[str] = set()
        for row in await ask(entry, keys=frontier, as_of=as_of):
            if row[other] not in found.places:
                found.places[row[other]] = Place(row["label"], row[other], row["name"] or row[other])
                beyond.add(row[other])
            found.add(_step(row, direction))
        frontier = sorted(key for key in beyond if found.places[key].label in ("Field", "Dataset"))
    else:
        found.truncated = bool(frontier)
    return found


def _step(row: Mapping[str, Any], direction: Direction) -> Step:
    edge: Mapping[str, Any] = row["edge"]
    ends = (row["key"], row["target"]) if direction == "downstream" else (row["source"], row["key"])
    confidence = edge.get("confidence")
    return Step(
        edge.get("id") or "",
        *ends,
        type=row["type"],
        provenance=Provenance(edge["provenance"]),
        confidence=(1.0 if confidence is None else float(confidence)) * (_COARSE if row["coarse"] else 1.0),
        transformation=Transformation(edge.get("transformation") or Transformation.UNKNOWN),
        job=edge.get("job") or "",
        evidence=edge.get("evidence") or "",
        coarse=row["coarse"],
    )
