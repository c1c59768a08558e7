"""Questions about the declared map."""

from __future__ import annotations

from typing import Annotated

import strawberry

from inventory.api.context import Info
from inventory.api.paging import USUAL, After, Connection, First, Page
from inventory.api.types.node import AsOf
from inventory.api.types.policy import Clause


@strawberry.type
class PolicyQuestions:
    """Fields of Query."""

    @strawberry.field(description="The clauses of the privacy policy.")
    async def clauses(
        self,
        info: Info,
        section: Annotated[
            str, strawberry.argument(description="Only clauses of this section of the policy; all when empty.")
        ] = "",
        kind: Annotated[
            str, strawberry.argument(description="Only clauses of this kind, such as `retention`; all when empty.")
        ] = "",
        as_of: AsOf = None,
        first: First = USUAL,
        after: After = None,
    ) -> Connection[Clause]:
        """A page of clauses, in the policy's order."""
        page, at = Page.asked(first, after), info.context.moment(as_of)
        rows = await info.context.rows("clauses", section=section, kind=kind, as_of=at, **page.parameters)
        return page.connection(rows, lambda row: Clause.of(row["node"], at))
