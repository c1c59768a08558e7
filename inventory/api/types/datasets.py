"""Datasets: tables, views, groups of objects and the like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from inventory.api.context import Info, Moment, Row
from inventory.api.needs import Needs
from inventory.api.paging import USUAL, After, Connection, First, Page
from inventory.api.roles import Permission
from inventory.api.types.categories import Classification
from inventory.api.types.node import Node, node_row
from inventory.model import DatasetKind

if TYPE_CHECKING:
    from inventory.api.types.access import Reader
    from inventory.api.types.fields import Field
    from inventory.api.types.flows import Flow, Job
    from inventory.api.types.processors import Disclosure
    from inventory.api.types.systems import System


@strawberry.type(description="A table, view, collection, topic, group of objects or API resource.")
class Dataset(Node):
    """A Dataset node."""

    system_urn: strawberry.Private[str]
    urn: str = strawberry.field(description="Its name, after OpenLineage: `postgres://host:5432/shop.public.orders`.")
    name: str = strawberry.field(description="Its name in its system.")
    kind: DatasetKind | None = strawberry.field(description="What it is; null when no scan has seen it yet.")
    description: str = strawberry.field(description="The source's own comment, redacted.")
    row_estimate: float | None = strawberry.field(description="About how many rows it has; null when unknown.")
    object_count: float | None = strawberry.field(description="How many objects it has, when it is a group of objects.")
    retention_days: float | None = strawberry.field(
        description="After how many days its source itself removes records; null when not known to."
    )
    retention_evidence: str = strawberry.field(description="What says so: a TTL index, a lifecycle rule.")

    @classmethod
    def of(cls, node: Row, at: Moment) -> Dataset:
        """The dataset of a graph node."""
        return cls(
            identity=node["urn"],
            at=at,
            system_urn=node.get("system") or "",
            urn=node["urn"],
            name=node.get("name") or node["urn"],
            kind=DatasetKind(node["kind"]) if node.get("kind") else None,
            description=node.get("description") or "",
            row_estimate=node.get("row_estimate"),
            object_count=node.get("object_count"),
            retention_days=node.get("retention_days"),
            retention_evidence=node.get("retention_evidence") or "",
        )

    @strawberry.field(description="The system that holds it; null when no scan has seen the dataset yet.")
    async def system(self, info: Info) -> Annotated[System, strawberry.lazy("inventory.api.types.systems")] | None:
        """Its system."""
        from inventory.api.types.systems import system

        return await system(info, self.system_urn, self.at) if self.system_urn else None

    @strawberry.field(description="Its fields, also those inside nested columns.")
    async def fields(
        self, info: Info, first: First = USUAL, after: After = None
    ) -> Connection[Annotated[Field, strawberry.lazy("inventory.api.types.fields")]]:
        """Its fields."""
        from inventory.api.types.fields import Field

        page = Page.asked(first, after)
        rows = await info.context.rows_of(self.urn, "fields_of_datasets", as_of=self.at, **page.parameters)
        return page.connection(rows, lambda row: Field.of(row["node"], self.at))

    @strawberry.field(description="What its records are (an access log, an audit trail), surest first.")
    async def classifications(self, info: Info) -> list[Classification]:
        """CLASSIFIED_AS edges that begin here."""
        rows = await info.context.rows_of(self.urn, "classifications_of_datasets", as_of=self.at)
        return [Classification.of(row["edge"], row["category"], self.at) for row in rows]

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

    @strawberry.field(
        description="Who may read it or one of its fields, where its system tells.",
        extensions=[Needs(Permission.SEE_READERS)],
    )
    async def readable_by(self, info: Info) -> list[Annotated[Reader, strawberry.lazy("inventory.api.types.access")]]:
        """READABLE_BY edges that begin here, at its system or at its fields."""
        from inventory.api.types.access import readers_of

        return await readers_of(info, self.urn, self.at)

    @strawberry.field(description="What defines it, when it is a view or a job writes it.")
    async def job(self, info: Info) -> Annotated[Job, strawberry.lazy("inventory.api.types.flows")] | None:
        """Its DEFINED_BY edge's end."""
        from inventory.api.types.flows import Job

        rows = await info.context.rows_of(self.urn, "jobs_of_datasets", as_of=self.at)
        return Job.of(rows[0]["node"], self.at) if rows else None


async def dataset(info: Info, urn: str, at: Moment) -> Dataset | None:
    """A dataset by its URN."""
    row = await node_row(info, "Dataset", urn, at)
    return Dataset.of(row, at) if row else None
