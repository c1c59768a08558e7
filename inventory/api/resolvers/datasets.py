"""Questions about datasets."""

from __future__ import annotations

from typing import Annotated

import strawberry

from inventory.api.context import Info
from inventory.api.paging import USUAL, After, Connection, First, Page
from inventory.api.types.datasets import Dataset
from inventory.api.types.node import AsOf


@strawberry.type
class DatasetQuestions:
    """Fields of Query."""

    @strawberry.field(description="The datasets of all systems, or of one.")
    async def datasets(
        self,
        info: Info,
        system: Annotated[str, strawberry.argument(description="URN of the system; all systems when empty.")] = "",
        as_of: AsOf = None,
        first: First = USUAL,
        after: After = None,
    ) -> Connection[Dataset]:
        """A page of datasets, by URN."""
        page, at = Page.asked(first, after), info.context.moment(as_of)
        if system:
            rows = await info.context.rows("datasets", system=system, as_of=at, **page.parameters)
        else:
            rows = await info.context.rows("datasets_everywhere", as_of=at, **page.parameters)
        return page.connection(rows, lambda row: Dataset.of(row["node"], at))
