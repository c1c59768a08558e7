"""Questions about fields."""

from __future__ import annotations

from typing import Annotated

import strawberry

from inventory.api.context import Info
from inventory.api.paging import USUAL, After, Connection, First, Page
from inventory.api.types.fields import Field
from inventory.api.types.node import AsOf
from inventory.model import ReviewState


@strawberry.type
class FieldQuestions:
    """Fields of Query."""

    @strawberry.field(description="Fields of one dataset or of all, classified as something or not.")
    async def fields(
        self,
        info: Info,
        dataset: Annotated[str, strawberry.argument(description="URN of the dataset; all when empty.")] = "",
        category: Annotated[
            str,
            strawberry.argument(description="Only fields classified as this category or one below it; all when empty."),
        ] = "",
        state: Annotated[
            ReviewState | None,
            strawberry.argument(description="Only fields with a classification in this state."),
        ] = None,
        as_of: AsOf = None,
        first: First = USUAL,
        after: After = None,
    ) -> Connection[Field]:
        """A page of fields, by URN."""
        page, at = Page.asked(first, after), info.context.moment(as_of)
        if dataset and not (category or state):
            rows = await info.context.rows("fields", dataset=dataset, as_of=at, **page.parameters)
        else:
            wanted = {"dataset": dataset, "category": category, "state": state.value if state else ""}
            rows = await info.context.rows("fields_where", **wanted, as_of=at, **page.parameters)
        return page.connection(rows, lambda row: Field.of(row["node"], at))
