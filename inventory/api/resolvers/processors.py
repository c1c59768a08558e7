"""Questions about the organisations that receive data."""

from __future__ import annotations

from typing import Annotated

import strawberry

from inventory.api.context import Info
from inventory.api.paging import USUAL, After, Connection, First, Page
from inventory.api.resolvers.categories import CategoryKey, known_category
from inventory.api.types.node import AsOf
from inventory.api.types.processors import Processor, Recipient, processor, recipients_of


@strawberry.type
class ProcessorQuestions:
    """Fields of Query."""

    @strawberry.field(description="The organisations that receive data, declared or observed.")
    async def processors(
        self,
        info: Info,
        as_of: AsOf = None,
        first: First = USUAL,
        after: After = None,
    ) -> Connection[Processor]:
        """A page of processors, by key."""
        page, at = Page.asked(first, after), info.context.moment(as_of)
        rows = await info.context.rows("processors", as_of=at, **page.parameters)
        return page.connection(rows, lambda row: Processor.of(row["node"], at))

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
