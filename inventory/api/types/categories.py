"""Data categories and what is classified as them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from inventory.api.context import Info, Moment, Row
from inventory.api.paging import USUAL, After, Connection, First, Page
from inventory.api.types.node import Node, node_row
from inventory.model import Provenance, ReviewState

if TYPE_CHECKING:
    from inventory.api.types.fields import Field
    from inventory.api.types.policy import Clause, Purpose
    from inventory.api.types.processors import Recipient


@strawberry.type(description="A category of data, such as `user.contact.email`: a word of the vocabulary (fideslang).")
class Category(Node):
    """A Category node."""

    key: str = strawberry.field(description="The category's key; its parent is what stands before the last dot.")
    name: str = strawberry.field(description="The category's name.")
    description: str = strawberry.field(description="What belongs to it; empty when the name says it.")
    personal: bool = strawberry.field(description="Whether it is about a person.")
    sensitive: bool = strawberry.field(description="Whether it is sensitive in most contexts (PIPEDA 4.3.4).")

    @classmethod
    def of(cls, node: Row, at: Moment) -> Category:
        """The category of a graph node."""
        return cls(
            identity=node["key"],
            at=at,
            key=node["key"],
            name=node.get("name") or node["key"],
            description=node.get("description") or "",
            personal=node.get("personal", True),
            sensitive=node.get("sensitive", False),
        )

    @strawberry.field(description="The category that this one is a part of; null at the top.")
    async def parent(self, info: Info) -> Category | None:
        """One category up."""
        parent = self.key.rpartition(".")[0]
        return await category(info, parent, self.at) if parent else None

    @strawberry.field(description="The categories directly below this one.")
    async def children(self, info: Info) -> list[Category]:
        """One level down."""
        rows = await info.context.rows_of(self.key, "children_of_categories", as_of=self.at)
        return [Category.of(row["node"], self.at) for row in rows]

    @strawberry.field(description="Fields classified as this category or one below it; rejected ones are left out.")
    async def fields(
        self, info: Info, first: First = USUAL, after: After = None
    ) -> Connection[Annotated[Field, strawberry.lazy("inventory.api.types.fields")]]:
        """Fields that hold it."""
        from inventory.api.types.fields import Field

        page = Page.asked(first, after)
        rows = await info.context.rows_of(self.key, "fields_of_categories", as_of=self.at, **page.parameters)
        return page.connection(rows, lambda row: Field.of(row["node"], self.at))

    @strawberry.field(description="What it is used for, by the policy.")
    async def purposes(self, info: Info) -> list[Annotated[Purpose, strawberry.lazy("inventory.api.types.policy")]]:
        """Its FOR_PURPOSE edges."""
        from inventory.api.types.policy import Purpose

        rows = await info.context.rows_of(self.key, "purposes_of_categories", as_of=self.at)
        return [Purpose.of(row["node"], self.at) for row in rows]

    @strawberry.field(description="The clauses of the policy that speak of it.")
    async def clauses(self, info: Info) -> list[Annotated[Clause, strawberry.lazy("inventory.api.types.policy")]]:
        """Its DECLARED_IN edges."""
        from inventory.api.types.policy import Clause

        rows = await info.context.rows_of(self.key, "clauses_of", label="Category", as_of=self.at)
        return [Clause.of(row["node"], self.at) for row in rows]

    @strawberry.field(description="Organisations that receive this category or one below it, and how.")
    async def recipients(
        self, info: Info, first: First = USUAL, after: After = None
    ) -> Connection[Annotated[Recipient, strawberry.lazy("inventory.api.types.processors")]]:
        """Processors it is disclosed to."""
        from inventory.api.types.processors import recipients_of

        return await recipients_of(info, self.key, self.at, Page.asked(first, after))


@strawberry.type(description="One reason for a classification.")
class Evidence:
    """What spoke for or against."""

    signal: str = strawberry.field(description="What spoke: `value:email`, `name:courriel`, `checksum:luhn`.")
    detail: str = strawberry.field(description="How strongly, in words: `412 of 420 sampled values`. Never a value.")
    weight: float = strawberry.field(description="Its share in the confidence, in log-odds; negative speaks against.")


@strawberry.type(description="The statement that a field holds a category.")
class Classification:
    """A CLASSIFIED_AS edge."""

    at: strawberry.Private[Moment]
    category_key: str = strawberry.field(description="Key of the category.")
    confidence: float = strawberry.field(description="How sure the detector is, 0 to 1, calibrated.")
    state: ReviewState = strawberry.field(description="What people have said of it.")
    provenance: Provenance | None = strawberry.field(description="Where it comes from.")
    detector: str = strawberry.field(description="Name and version of the detector that said so.")
    evidence: list[Evidence] = strawberry.field(description="The reasons, strongest first.")

    @classmethod
    def of(cls, edge: Row, category: str, at: Moment) -> Classification:
        """The classification of a graph edge and its category's key."""
        return cls(
            at=at,
            category_key=category,
            confidence=edge["confidence"],
            state=ReviewState(edge.get("state") or ReviewState.SUGGESTED),
            provenance=Provenance(edge["provenance"]) if edge.get("provenance") else None,
            detector=edge.get("detector") or "",
            evidence=[
                Evidence(signal=reason["signal"], detail=reason["detail"], weight=reason["weight"])
                for reason in edge.get("evidence") or ()
            ],
        )

    @strawberry.field(description="The category.")
    async def category(self, info: Info) -> Category | None:
        """The category at the edge's end."""
        return await category(info, self.category_key, self.at)


async def category(info: Info, key: str, at: Moment) -> Category | None:
    """A category by its key."""
    row = await node_row(info, "Category", key, at)
    return Category.of(row, at) if row else None
