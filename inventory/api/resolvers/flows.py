"""Questions about the ways that data takes."""

from __future__ import annotations

from typing import Annotated

import strawberry

from inventory.api.context import Info, Moment
from inventory.api.resolvers.categories import known_category
from inventory.api.types.flows import Path
from inventory.api.types.node import AsOf
from inventory.api.types.processors import processor
from inventory.errors import QuestionError

MOST = 100


@strawberry.input(description="One end of a way. Give exactly one of the three.", one_of=True)
class Whereabouts:
    """Where a way begins or ends."""

    urn: str | None = strawberry.field(
        default=strawberry.UNSET, description="URN of a system, dataset or field; all that is in it counts."
    )
    category: str | None = strawberry.field(
        default=strawberry.UNSET, description="Key of a category: the fields that hold it or one below it."
    )
    processor: str | None = strawberry.field(
        default=strawberry.UNSET, description="Key of an organisation that receives data. Ways only end there."
    )


@strawberry.type
class FlowQuestions:
    """Fields of Query."""

    @strawberry.field(description="How data gets from one place to another, in at most 6 steps; shortest ways first.")
    async def flows(
        self,
        info: Info,
        from_: Annotated[Whereabouts, strawberry.argument(name="from", description="Where the ways begin.")],
        to: Annotated[
            Whereabouts | None, strawberry.argument(description="Where they end; anywhere when absent.")
        ] = None,
        as_of: AsOf = None,
        first: Annotated[int, strawberry.argument(description=f"Most ways to answer, 1 to {MOST}.")] = 50,
    ) -> list[Path]:
        """Paths, shortest first."""
        if not 1 <= first <= MOST:
            raise QuestionError("argument `first`", f"is {first}", f"the limit is 1 to {MOST}")
        if from_.processor:
            raise QuestionError("argument `from`", "is an organisation", "ways begin at a place or a category")
        at = info.context.moment(as_of)
        await known_whereabouts(info, from_, at)
        target = to or Whereabouts()
        await known_whereabouts(info, target, at)
        rows = await info.context.rows(
            "flows",
            source=from_.urn or from_.category,
            target=target.urn or target.category or target.processor or "",
            as_of=at,
            limit=first,
        )
        return [Path.of(row, at) for row in rows]


async def known_whereabouts(info: Info, end: Whereabouts, at: Moment) -> None:
    """Raise QuestionError for a word that is not known: a typo must not look like «no way»."""
    if end.category:
        await known_category(info, end.category, at)
    if end.processor and await processor(info, end.processor, at) is None:
        raise QuestionError(f"processor `{end.processor}`", "is not known", "ask `processors` for the keys")
