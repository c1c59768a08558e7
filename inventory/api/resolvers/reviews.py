"""What people decide: the reviews of classifications."""

from __future__ import annotations

from typing import Annotated

import strawberry
from starlette.concurrency import run_in_threadpool

from inventory.api.context import Info
from inventory.api.needs import Needs
from inventory.api.roles import Permission
from inventory.api.types.fields import Field, field
from inventory.errors import QuestionError
from inventory.model import ReviewState


@strawberry.type
class ReviewDecisions:
    """Fields of Mutation."""

    @strawberry.mutation(
        description="Confirm or reject that a field holds a category. The decision holds across rescans and detector "
        "versions; SUGGESTED takes it back. A category that the detector did not see can be confirmed too.",
        extensions=[Needs(Permission.REVIEW)],
    )
    async def review_classification(
        self,
        info: Info,
        field_urn: Annotated[str, strawberry.argument(description="URN of the field.", name="field")],
        category: Annotated[str, strawberry.argument(description="Key of the category.")],
        state: Annotated[ReviewState, strawberry.argument(description="The decision.")],
    ) -> Field:
        """Keep the decision and give the field as it is now."""
        context = info.context
        await run_in_threadpool(context.review, field_urn, category, state)
        decided = await field(info, field_urn, context.moment_after())
        if decided is None:
            raise QuestionError(field_urn, "is not in the inventory", "look up the field's URN")
        return decided
