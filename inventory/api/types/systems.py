"""Systems: what holds datasets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from inventory.api.context import Info, Moment, Row
from inventory.api.paging import USUAL, After, Connection, First, Page
from inventory.api.types.node import Node, node_row
from inventory.model import SystemKind

if TYPE_CHECKING:
    from inventory.api.types.datasets import Dataset
    from inventory.api.types.policy import Safeguard
    from inventory.api.types.processors import Processor
    from inventory.api.types.scans import Finding


@strawberry.type(description="A database server, bucket, stream or vendor account that holds data.")
class System(Node):
    """A System node."""

    processor_key: strawberry.Private[str]
    urn: str = strawberry.field(description="Its name, an OpenLineage namespace: `postgres://host:5432`.")
    name: str = strawberry.field(description="How people call it.")
    kind: SystemKind | None = strawberry.field(description="What it is; null when no scan has reached it yet.")
    engine: str = strawberry.field(description="What runs it: `postgresql`, `s3`, `stripe`.")
    version: str = strawberry.field(description="Version of what runs it; empty when unknown.")
    region: str = strawberry.field(description="Where it is: ISO 3166 country or subdivision; empty when unknown.")

    @classmethod
    def of(cls, node: Row, at: Moment) -> System:
        """The system of a graph node."""
        return cls(
            identity=node["urn"],
            at=at,
            processor_key=node.get("processor") or "",
            urn=node["urn"],
            name=node.get("name") or node["urn"],
            kind=SystemKind(node["kind"]) if node.get("kind") else None,
            engine=node.get("engine") or "",
            version=node.get("version") or "",
            region=node.get("region") or "",
        )

    @strawberry.field(description="What it holds.")
    async def datasets(
        self, info: Info, first: First = USUAL, after: After = None
    ) -> Connection[Annotated[Dataset, strawberry.lazy("inventory.api.types.datasets")]]:
        """Its datasets."""
        from inventory.api.types.datasets import Dataset

        page = Page.asked(first, after)
        rows = await info.context.rows_of(self.urn, "datasets_of_systems", as_of=self.at, **page.parameters)
        return page.connection(rows, lambda row: Dataset.of(row["node"], self.at))

    @strawberry.field(description="The organisation that runs it for us; null when we run it ourselves.")
    async def processor(
        self, info: Info
    ) -> Annotated[Processor, strawberry.lazy("inventory.api.types.processors")] | None:
        """Who runs it."""
        from inventory.api.types.processors import processor

        return await processor(info, self.processor_key, self.at) if self.processor_key else None

    @strawberry.field(description="Protections that scans looked for, found or not.")
    async def safeguards(self, info: Info) -> list[SeenSafeguard]:
        """Its PROTECTED_BY edges."""
        rows = await info.context.rows_of(self.urn, "safeguards_of_systems", as_of=self.at)
        return [SeenSafeguard.of(row, self.at) for row in rows]

    @strawberry.field(description="What scans could not do or saw amiss in it or its datasets.")
    async def findings(
        self, info: Info, first: First = USUAL, after: After = None
    ) -> Connection[Annotated[Finding, strawberry.lazy("inventory.api.types.scans")]]:
        """Findings about it."""
        from inventory.api.types.scans import Finding

        page = Page.asked(first, after)
        rows = await info.context.rows_of(self.urn, "findings_of_systems", as_of=self.at, **page.parameters)
        return page.connection(rows, lambda row: Finding.of(row["node"], self.at))


@strawberry.type(description="A protection that a scan looked for in a system.")
class SeenSafeguard:
    """A PROTECTED_BY edge."""

    at: strawberry.Private[Moment]
    safeguard_row: strawberry.Private[Row]
    present: bool = strawberry.field(description="Whether the system has it.")
    evidence: str = strawberry.field(description="What the scan saw.")

    @classmethod
    def of(cls, row: Row, at: Moment) -> SeenSafeguard:
        """Of a row with `edge` and `node`."""
        edge = row["edge"]
        return cls(
            at=at, safeguard_row=row["node"], present=edge.get("present", True), evidence=edge.get("evidence") or ""
        )

    @strawberry.field(description="The protection.")
    def safeguard(self) -> Annotated[Safeguard, strawberry.lazy("inventory.api.types.policy")]:
        """The word of the vocabulary."""
        from inventory.api.types.policy import Safeguard

        return Safeguard.of(self.safeguard_row, self.at)


async def system(info: Info, urn: str, at: Moment) -> System | None:
    """A system by its URN."""
    row = await node_row(info, "System", urn, at)
    return System.of(row, at) if row else None
