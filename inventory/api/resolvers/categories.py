"""Questions about data categories."""

from __future__ import annotations

from typing import Annotated

import strawberry

from inventory.api.context import Info, Moment, Row
from inventory.api.paging import USUAL, After, Connection, First, Page
from inventory.api.types.categories import Category, Classification, category
from inventory.api.types.datasets import Dataset
from inventory.api.types.fields import Field
from inventory.api.types.node import AsOf
from inventory.api.types.systems import System
from inventory.errors import QuestionError

CategoryKey = Annotated[str, strawberry.argument(description="Key of the category, such as `user.contact.email`.")]


@strawberry.type(description="A place where a category lives, and the classification that says so.")
class Place:
    """An answer to `whereIs`."""

    field: Field = strawberry.field(description="The field that holds it.")
    dataset: Dataset = strawberry.field(description="The dataset that has the field.")
    system: System = strawberry.field(description="The system that holds the dataset.")
    classification: Classification = strawberry.field(description="Why it is thought to hold the category.")

    @classmethod
    def of(cls, row: Row, at: Moment) -> Place:
        """Of a row with `field`, `dataset`, `system`, the classification's `edge` and the `category`'s key."""
        return cls(
            field=Field.of(row["field"], at),
            dataset=Dataset.of(row["dataset"], at),
            system=System.of(row["system"], at),
            classification=Classification.of(row["edge"], row["category"], at),
        )


@strawberry.type
class CategoryQuestions:
    """Fields of Query."""

    @strawberry.field(description="The categories of the vocabulary.")
    async def categories(
        self,
        info: Info,
        found_only: Annotated[
            bool, strawberry.argument(description="Only those that a field is classified as.")
        ] = False,
        as_of: AsOf = None,
        first: First = USUAL,
        after: After = None,
    ) -> Connection[Category]:
        """A page of categories, by key."""
        page, at = Page.asked(first, after), info.context.moment(as_of)
        entry = "categories_found" if found_only else "categories"
        rows = await info.context.rows(entry, as_of=at, **page.parameters)
        return page.connection(rows, lambda row: Category.of(row["node"], at))

    @strawberry.field(description="A category; null when the vocabulary has none of that key.")
    async def category(self, info: Info, key: CategoryKey, as_of: AsOf = None) -> Category | None:
        """A category by key."""
        return await category(info, key, info.context.moment(as_of))

    @strawberry.field(
        description="Where a category, or one below it, lives. Classifications that people rejected are left out."
    )
    async def where_is(
        self,
        info: Info,
        category: CategoryKey,
        as_of: AsOf = None,
        first: First = USUAL,
        after: After = None,
    ) -> Connection[Place]:
        """A page of places, by field."""
        page, at = Page.asked(first, after), info.context.moment(as_of)
        await known_category(info, category, at)
        rows = await info.context.rows("where_is", category=category, as_of=at, **page.parameters)
        return page.connection(rows, lambda row: Place.of(row, at))


async def known_category(info: Info, key: str, at: Moment) -> None:
    """Raise QuestionError for a category that is no word of the vocabulary: a typo must not look like «nowhere»."""
    if await category(info, key, at) is None:
        raise QuestionError(f"category `{key}`", "is not in the vocabulary", "ask `categories` for the keys")
