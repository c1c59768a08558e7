"""Search by name."""

from __future__ import annotations

from typing import Annotated

import strawberry

from inventory.api.context import Info
from inventory.api.paging import USUAL, After, Connection, First, Page
from inventory.api.types.node import AsOf, Node
from inventory.api.types.nodes import node_of
from inventory.api.types.words import NodeKind
from inventory.errors import QuestionError

LONGEST = 200


@strawberry.type
class SearchQuestions:
    """Fields of Query."""

    @strawberry.field(
        description="Categories, systems, datasets, fields and processors whose name or key has this text in it, in "
        "any case. Exact names come first, then those that begin with it, then the others."
    )
    async def search(
        self,
        info: Info,
        text: Annotated[str, strawberry.argument(description=f"What to look for, 1 to {LONGEST} characters.")],
        kinds: Annotated[
            list[NodeKind] | None, strawberry.argument(description="Only these kinds; all when absent.")
        ] = None,
        as_of: AsOf = None,
        first: First = USUAL,
        after: After = None,
    ) -> Connection[Node]:
        """A page of nodes, best first."""
        page, at, wanted = Page.asked(first, after), info.context.moment(as_of), text.strip().lower()
        if not 1 <= len(wanted) <= LONGEST:
            raise QuestionError("argument `text`", f"has {len(wanted)} characters", f"give 1 to {LONGEST}")
        labels = [kind.value for kind in (kinds or NodeKind)]
        rows = await info.context.rows("search", text=wanted, labels=labels, as_of=at, **page.parameters)
        return page.connection(rows, lambda row: node_of(row["label"], row["node"], at))
