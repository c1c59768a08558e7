"""Questions about the organisations that receive data."""

from __future__ import annotations

from typing import Annotated

import strawberry

from inventory.api.context import Info
from inventory.api.paging import USUAL, After, Connection, First, Page
from inventory.api.resolvers.categories import CategoryKey, known_category
from inventory.api.types.node import AsOf
from inventory.api.types.processors import (
    Departure,
    KnownProcessor,
    Processor,
    Recipient,
    processor,
    recipients_of,
)
from inventory.api.types.systems import System
from inventory.api.types.words import ProcessorStanding
from inventory.errors import QuestionError
from inventory.vocabulary import regions


@strawberry.type
class ProcessorQuestions:
    """Fields of Query."""

    @strawberry.field(
        description="The organisations that receive data, declared or observed, and how the two agree: "
        "`standing: [UNDECLARED]` are those seen that the policy says nothing of, `[UNSEEN]` those declared that were "
        "never seen."
    )
    async def processors(
        self,
        info: Info,
        standing: Annotated[
            list[ProcessorStanding] | None, strawberry.argument(description="Only these; all when absent.")
        ] = None,
        as_of: AsOf = None,
        first: First = USUAL,
        after: After = None,
    ) -> Connection[KnownProcessor]:
        """A page of processors, by key."""
        page, at = Page.asked(first, after), info.context.moment(as_of)
        asked = [each.value for each in standing or ()]
        rows = await info.context.rows("processors", standing=asked, as_of=at, **page.parameters)
        return page.connection(rows, lambda row: KnownProcessor.of(row, at))

    @strawberry.field(
        description="Everything that leaves a country: the organisations that receive data and hold it elsewhere, or "
        "may, each with the categories that it receives."
    )
    async def leaving(
        self,
        info: Info,
        country: Annotated[str, strawberry.argument(description="ISO 3166 country, such as CA.")] = "CA",
        as_of: AsOf = None,
        first: First = USUAL,
        after: After = None,
    ) -> Connection[Departure]:
        """A page of departures, by the processor's key."""
        page, at = Page.asked(first, after), info.context.moment(as_of)
        rows = await info.context.rows("leaving", country=_country(country), as_of=at, **page.parameters)
        return page.connection(rows, lambda row: Departure.of(row, at))

    @strawberry.field(description="The systems that are in another country, or nobody has said where (empty `region`).")
    async def systems_outside(
        self,
        info: Info,
        country: Annotated[str, strawberry.argument(description="ISO 3166 country, such as CA.")] = "CA",
        as_of: AsOf = None,
        first: First = USUAL,
        after: After = None,
    ) -> Connection[System]:
        """A page of systems, by URN."""
        page, at = Page.asked(first, after), info.context.moment(as_of)
        rows = await info.context.rows("systems_outside", country=_country(country), as_of=at, **page.parameters)
        return page.connection(rows, lambda row: System.of(row["node"], at))

    @strawberry.field(description="An organisation; null when the inventory has none of that key.")
    async def processor(
        self,
        info: Info,
        key: Annotated[str, strawberry.argument(description="Key of the organisation.")],
        as_of: AsOf = None,
    ) -> Processor | None:
        """A processor by key."""
        return await processor(info, key, info.context.moment(as_of))

    @strawberry.field(
        description="Which organisations receive a category, or one below it: by the policy (also when it speaks of a "
        "wider category), or by what scans saw of the fields that hold it, their datasets and systems."
    )
    async def processors_of(
        self, info: Info, category: CategoryKey, as_of: AsOf = None, first: First = USUAL, after: After = None
    ) -> Connection[Recipient]:
        """A page of recipients, by the processor's key."""
        at = info.context.moment(as_of)
        await known_category(info, category, at)
        return await recipients_of(info, category, at, Page.asked(first, after))


def _country(given: str) -> str:
    """A country of the vocabulary. Raises QuestionError."""
    if len(given) != 2 or given not in regions():
        raise QuestionError("argument `country`", "is no ISO 3166 country", "such as CA")
    return given
