"""Questions about systems."""

from __future__ import annotations

import strawberry

from inventory.api.context import Info
from inventory.api.paging import USUAL, After, Connection, First, Page
from inventory.api.types.node import AsOf
from inventory.api.types.systems import System


@strawberry.type
class SystemQuestions:
    """Fields of Query."""

    @strawberry.field(description="The systems that scans reached.")
    async def systems(
        self,
        info: Info,
        as_of: AsOf = None,
        first: First = USUAL,
        after: After = None,
    ) -> Connection[System]:
        """A page of systems, by URN."""
        page, at = Page.asked(first, after), info.context.moment(as_of)
        rows = await info.context.rows("systems", as_of=at, **page.parameters)
        return page.connection(rows, lambda row: System.of(row["node"], at))
