"""Fields: columns, and places inside nested columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from inventory.api.context import Info, Moment, Row
from inventory.api.paging import USUAL, After, Connection, First, Page
from inventory.api.types.categories import Classification
from inventory.api.types.node import Node, node_row
from inventory.model import Provenance, dataset_of

if TYPE_CHECKING:
    from inventory.api.types.datasets import Dataset
    from inventory.api.types.flows import Flow
    from inventory.api.types.processors import Disclosure


@strawberry.type(description="Counts and shapes of the values that were sampled from a field; never a value.")
class FieldProfile:
    """What a Field node says of its values."""

    sampled: int = strawberry.field(description="How many values were sampled.")
    null_share: float = strawberry.field(description="Share of them that is null, 0 to 1.")
    distinct_share: float = strawberry.field(description="Share of them that is distinct, 0 to 1.")
    min_length: int | None = strawberry.field(description="Length of the shortest, in characters.")
    max_length: int | None = strawberry.field(description="Length of the longest, in characters.")
    mean_length: float | None = strawberry.field(description="Mean length, in characters.")


@strawberry.type(description="A column, or a place inside a nested column.")
class Field(Node):
    """A Field node."""

    urn: str = strawberry.field(description="Its name: the dataset's URN, `#` and the column: `…orders#email`.")
    name: str = strawberry.field(description="`email`, or `payload/customer/email` for a place inside a column.")
    type: str = strawberry.field(description="Its type, as the source declares it.")
    position: int = strawberry.field(description="Its place in the dataset.")
    nullable: bool = strawberry.field(description="Whether it can be null.")
    primary_key: bool = strawberry.field(description="Whether it is in the primary key.")
    description: str = strawberry.field(description="The source's own comment, redacted.")
    profile: FieldProfile | None = strawberry.field(description="What its sampled values look like; null if not seen.")

    @classmethod
    def of(cls, node: Row, at: Moment) -> Field:
        """The field of a graph node."""
        return cls(
            identity=node["urn"],
            at=at,
            urn=node["urn"],
            name=node.get("name") or node["urn"],
            type=node.get("type") or "",
            position=node.get("position") or 0,
            nullable=node.get("nullable", True),
            primary_key=node.get("primary_key", False),
            description=node.get("description") or "",
            profile=_profile(node),
        )

    @strawberry.field(description="The dataset that has it.")
    async def dataset(self, info: Info) -> Annotated[Dataset, strawberry.lazy("inventory.api.types.datasets")] | None:
        """Its dataset."""
        from inventory.api.types.datasets import dataset

        return await dataset(info, dataset_of(self.urn), self.at)

    @strawberry.field(description="The categories it holds, surest first; also those that people rejected.")
    async def classifications(self, info: Info) -> list[Classification]:
        """CLASSIFIED_AS edges that begin here."""
        rows = await info.context.rows_of(self.urn, "classifications_of_fields", as_of=self.at)
        return [Classification.of(row["edge"], row["category"], self.at) for row in rows]

    @strawberry.field(description="Fields whose keys its values are.")
    async def references(self, info: Info) -> list[Reference]:
        """REFERENCES edges that begin here."""
        rows = await info.context.rows_of(self.urn, "references_of_fields", as_of=self.at)
        return [Reference.of(row["edge"], row["node"], self.at) for row in rows]

    @strawberry.field(description="Where its data comes from.")
    async def flows_in(
        self, info: Info, first: First = USUAL, after: After = None
    ) -> Connection[Annotated[Flow, strawberry.lazy("inventory.api.types.flows")]]:
        """FLOWS_TO edges that end here."""
        from inventory.api.types.flows import flows_into

        return await flows_into(info, self, Page.asked(first, after))

    @strawberry.field(description="Where its data goes inside our systems.")
    async def flows_out(
        self, info: Info, first: First = USUAL, after: After = None
    ) -> Connection[Annotated[Flow, strawberry.lazy("inventory.api.types.flows")]]:
        """FLOWS_TO edges that begin here."""
        from inventory.api.types.flows import flows_out_of

        return await flows_out_of(info, self, Page.asked(first, after))

    @strawberry.field(description="Outside organisations that it is at, or is sent to.")
    async def disclosures(
        self, info: Info
    ) -> list[Annotated[Disclosure, strawberry.lazy("inventory.api.types.processors")]]:
        """DISCLOSED_TO edges that begin here."""
        from inventory.api.types.processors import disclosures_of

        return await disclosures_of(info, self.urn, self.at)


@strawberry.type(description="The statement that a field's values are keys of another field.")
class Reference:
    """A REFERENCES edge."""

    target: Field = strawberry.field(description="The field whose keys they are.")
    group: str = strawberry.field(description="The pairs of a composite key have the same group.")
    provenance: Provenance = strawberry.field(description="Where the statement comes from.")
    confidence: float = strawberry.field(description="How sure it is, 0 to 1.")

    @classmethod
    def of(cls, edge: Row, target: Row, at: Moment) -> Reference:
        """The reference of a graph edge and the node it ends at."""
        return cls(
            target=Field.of(target, at),
            group=edge.get("group") or "",
            provenance=Provenance(edge["provenance"]),
            confidence=edge.get("confidence", 1.0),
        )


async def field(info: Info, urn: str, at: Moment) -> Field | None:
    """A field by its URN."""
    row = await node_row(info, "Field", urn, at)
    return Field.of(row, at) if row else None


def _profile(node: Row) -> FieldProfile | None:
    if node.get("sampled") is None:
        return None
    return FieldProfile(
        sampled=node["sampled"],
        null_share=node.get("null_share") or 0.0,
        distinct_share=node.get("distinct_share") or 0.0,
        min_length=node.get("min_length"),
        max_length=node.get("max_length"),
        mean_length=node.get("mean_length"),
    )
