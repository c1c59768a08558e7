"""Questions about the shape of the flows."""

from __future__ import annotations

from typing import Annotated

import strawberry
from starlette.concurrency import run_in_threadpool

from inventory.analysis import MOST_DEPTH, Direction, Place, Subgraph, explored
from inventory.api.context import Info, Moment, Row
from inventory.api.paging import USUAL, After, Connection, First, Page
from inventory.api.resolvers.flows import Whereabouts, known_whereabouts
from inventory.api.types.analysis import (
    ChokePoint,
    Cut,
    Impact,
    Orphan,
    Reach,
    ReachedPlace,
    Stopped,
    path_of,
    stop_of,
)
from inventory.api.types.flows import Stop
from inventory.api.types.node import AsOf
from inventory.errors import QuestionError

MOST = 500

Around = Annotated[Whereabouts, strawberry.argument(description="Where to begin.")]
Starts = Annotated[Whereabouts, strawberry.argument(name="from", description="Where the ways begin.")]
Most = Annotated[int, strawberry.argument(description=f"Most places to answer, 1 to {MOST}.")]
Depth = Annotated[int, strawberry.argument(description=f"Most steps away, 1 to {MOST_DEPTH}.")]


@strawberry.type
class AnalysisQuestions:
    """Fields of Query."""

    @strawberry.field(description="All that data from here reaches, each place with the way there.")
    async def downstream(
        self, info: Info, of: Around, depth: Depth = 8, first: Most = 100, as_of: AsOf = None
    ) -> Reach:
        """What is reached going with the data."""
        return await _reach(info, of, "downstream", depth, first, info.context.moment(as_of))

    @strawberry.field(description="All that the data here comes from, each place with the way from there.")
    async def upstream(self, info: Info, of: Around, depth: Depth = 8, first: Most = 100, as_of: AsOf = None) -> Reach:
        """What is reached going against the data."""
        return await _reach(info, of, "upstream", depth, first, info.context.moment(as_of))

    @strawberry.field(
        description="What dropping or masking a field or dataset does: what loses its only source, what is weakened, "
        "which organisations, jobs and joins are concerned."
    )
    async def impact(
        self,
        info: Info,
        urn: Annotated[str, strawberry.argument(description="URN of the field or dataset.")],
        as_of: AsOf = None,
    ) -> Impact:
        """What lies downstream of it, lost or weakened."""
        at = info.context.moment(as_of)
        gone = await _places(info, Whereabouts(urn=urn), at)
        subgraph = await explored(info.context.rows, gone, at, "downstream")
        keys = [place.key for place in gone]
        reached = await run_in_threadpool(subgraph.reached, keys, "downstream")
        whole = await _with_other_sources(info, subgraph, keys, at)
        origins = whole.origins()
        lost = await run_in_threadpool(whole.lost_without, keys, sorted({*keys, *origins}))
        told = [ReachedPlace.of(each, subgraph, at) for each in reached]
        places = [each for each in told if each.stop.kind != "Processor"]
        references = await info.context.rows("references_to", keys=keys, as_of=at)
        return Impact(
            lost=[each for each in places if each.stop.key in lost],
            weakened=[each for each in places if each.stop.key not in lost],
            processors=[each for each in told if each.stop.kind == "Processor"],
            references=sorted({row["source"] for row in references}),
            jobs=sorted({step.job for step in subgraph.steps() if step.job}),
            truncated=subgraph.truncated,
        )

    @strawberry.field(
        description="The places that every way from here passes on to what it reaches (or to one organisation): where "
        "a mask or a control covers most."
    )
    async def choke_points(
        self,
        info: Info,
        from_: Starts,
        to: Annotated[
            Whereabouts | None, strawberry.argument(description="Where the ways end; all organisations when absent.")
        ] = None,
        first: Most = 20,
        as_of: AsOf = None,
    ) -> list[ChokePoint]:
        """Dominators, those of most ends first."""
        _limit(first)
        at = info.context.moment(as_of)
        starts = await _places(info, from_, at)
        subgraph = await explored(info.context.rows, starts, at, "downstream")
        ends = await _ends(info, subgraph, to, "", at)
        found = await run_in_threadpool(subgraph.choke_points, [place.key for place in starts], ends)
        return [ChokePoint(stop=stop_of(place, at), ends=count) for place, count in found[:first]]

    @strawberry.field(
        description="The fewest flows and disclosures to stop so that data from here no longer reaches an "
        "organisation, a place or a category of fields, or no longer leaves a country. Give `to` or `leaving`."
    )
    async def cut(
        self,
        info: Info,
        from_: Starts,
        to: Annotated[Whereabouts | None, strawberry.argument(description="What must not be reached.")] = None,
        leaving: Annotated[
            str, strawberry.argument(description="ISO 3166 country that the data must not leave, such as CA.")
        ] = "",
        as_of: AsOf = None,
    ) -> Cut:
        """A minimum cut between the two."""
        if (to is None) == (not leaving):
            raise QuestionError("the cut", "has no end or two", "give `to` or `leaving`")
        at = info.context.moment(as_of)
        starts = await _places(info, from_, at)
        keys = [place.key for place in starts]
        subgraph = await explored(info.context.rows, starts, at, "downstream")
        ends = [key for key in await _ends(info, subgraph, to, leaving, at) if key not in keys]
        stopped = await run_in_threadpool(subgraph.cut, keys, ends)
        return Cut(
            stopped=[Stopped(steps=[path_of((step,), subgraph, at) for step in steps]) for steps in stopped],
            starts=len(starts),
            ends=[stop_of(subgraph.places[key], at) for key in sorted(ends)],
            truncated=subgraph.truncated,
        )

    @strawberry.field(description="Ways that lead back to where they begin, shortest first.")
    async def cycles(self, info: Info, first: Most = 20, as_of: AsOf = None) -> list[list[Stop]]:
        """One of the shortest of each strongly connected part of the map."""
        _limit(first)
        at, subgraph, after = info.context.moment(as_of), Subgraph(), ""
        while rows := await info.context.rows("all_steps", as_of=at, after=after, limit=_AT_ONCE):
            await run_in_threadpool(_add_all, subgraph, rows)
            after = rows[-1]["cursor"]
        found = await run_in_threadpool(subgraph.cycles, first)
        return [[stop_of(subgraph.places[key], at) for key in cycle] for cycle in found]

    @strawberry.field(
        description="Datasets with personal fields that no flow and no reference touches: nobody has said how their "
        "data got there."
    )
    async def orphans(
        self, info: Info, as_of: AsOf = None, first: First = USUAL, after: After = None
    ) -> Connection[Orphan]:
        """A page of datasets, by URN."""
        page, at = Page.asked(first, after), info.context.moment(as_of)
        rows = await info.context.rows("orphans", as_of=at, **page.parameters)
        return page.connection(rows, lambda row: Orphan.of(row, at))


_AT_ONCE = 20_000


async def _reach(info: Info, of: Whereabouts, direction: Direction, depth: int, first: int, at: Moment) -> Reach:
    _limit(first)
    if not 1 <= depth <= MOST_DEPTH:
        raise QuestionError("argument `depth`", f"is {depth}", f"the limit is 1 to {MOST_DEPTH}")
    starts = await _places(info, of, at)
    subgraph = await explored(info.context.rows, starts, at, direction, depth)
    reached = await run_in_threadpool(subgraph.reached, [place.key for place in starts], direction, first)
    places = [ReachedPlace.of(each, subgraph, at) for each in reached]
    return Reach(places=places, total=len(subgraph.places) - len(starts), truncated=subgraph.truncated)


async def _places(info: Info, end: Whereabouts, at: Moment) -> list[Place]:
    """The fields and datasets that an end means, or the organisation. Raises QuestionError when there are none."""
    await known_whereabouts(info, end, at)
    if end.processor:
        return [Place("Processor", end.processor, end.processor)]
    rows = await info.context.rows("places", urn=end.urn or "", category=end.category or "", as_of=at)
    if not rows and end.urn:
        raise QuestionError(end.urn, "is not in the inventory", "look up its URN with `search`")
    return [Place(row["label"], row["key"], row["name"] or row["key"]) for row in rows]


async def _ends(info: Info, subgraph: Subgraph, to: Whereabouts | None, leaving: str, at: Moment) -> list[str]:
    """Which of the places that are reached are the ends that a question means."""
    if leaving:
        keys = sorted(key for key, place in subgraph.places.items() if place.label != "System")
        rows = await info.context.rows("regions_of", keys=keys, as_of=at)
        return sorted(row["key"] for row in rows if any(_is_outside(region, leaving) for region in row["regions"]))
    if to is None:
        return sorted(key for key, place in subgraph.places.items() if place.label == "Processor")
    meant = await _places(info, to, at)
    return sorted(place.key for place in meant if place.key in subgraph.places)


async def _with_other_sources(info: Info, subgraph: Subgraph, gone: list[str], at: Moment) -> Subgraph:
    """The subgraph with all else that flows into its places: what they have besides the gone."""
    reached = [place for key, place in subgraph.places.items() if key not in gone and place.label != "Processor"]
    others = await explored(info.context.rows, reached, at, "upstream", depth=1)
    whole = Subgraph((*subgraph.places.values(), *others.places.values()), subgraph.steps())
    for step in others.steps():
        whole.add(step)
    return whole


def _add_all(subgraph: Subgraph, rows: list[Row]) -> None:
    for row in rows:
        subgraph.add_flow(row["id"], row["source"], row["target"])


def _is_outside(region: str, country: str) -> bool:
    return region.partition("-")[0] != country


def _limit(first: int) -> None:
    if not 1 <= first <= MOST:
        raise QuestionError("argument `first`", f"is {first}", f"the limit is 1 to {MOST}")
