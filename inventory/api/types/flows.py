"""Flows between datasets and fields, and the ways that they make."""

from __future__ import annotations

import strawberry

from inventory.api.context import Info, Moment, Row
from inventory.api.paging import Connection, Page
from inventory.api.types.node import Node, node_row
from inventory.api.types.words import StepKind
from inventory.model import Provenance, Transformation


@strawberry.type(description="What moves data: a view, a pipeline, a sync.")
class Job(Node):
    """A Job node."""

    urn: str = strawberry.field(description="Its name.")
    name: str = strawberry.field(description="How people call it.")
    kind: str = strawberry.field(description="What it is: `view`, `export`, `sync`.")
    statement: str = strawberry.field(description="Its SQL with every literal replaced; empty when it has none.")
    dialect: str = strawberry.field(description="The SQL's dialect.")

    @classmethod
    def of(cls, node: Row, at: Moment) -> Job:
        """The job of a graph node."""
        return cls(
            identity=node["urn"],
            at=at,
            urn=node["urn"],
            name=node.get("name") or node["urn"],
            kind=node.get("kind") or "",
            statement=node.get("statement") or "",
            dialect=node.get("dialect") or "",
        )


@strawberry.type(description="The statement that data goes from one dataset or field to another.")
class Flow:
    """A FLOWS_TO edge."""

    at: strawberry.Private[Moment]
    job_urn: strawberry.Private[str]
    source: Node = strawberry.field(description="Where the data comes from: a dataset or field.")
    target: Node = strawberry.field(description="Where it goes: a dataset or field.")
    transformation: Transformation = strawberry.field(description="What happens to it on the way.")
    provenance: Provenance = strawberry.field(description="Where the statement comes from.")
    confidence: float = strawberry.field(description="How sure it is, 0 to 1.")

    @classmethod
    def of(cls, edge: Row, source: Node, target: Node, at: Moment) -> Flow:
        """The flow of a graph edge between these nodes."""
        return cls(
            at=at,
            job_urn=edge.get("job") or "",
            source=source,
            target=target,
            transformation=Transformation(edge.get("transformation") or Transformation.UNKNOWN),
            provenance=Provenance(edge["provenance"]),
            confidence=edge.get("confidence", 1.0),
        )

    @strawberry.field(description="What moves it, when that is known.")
    async def job(self, info: Info) -> Job | None:
        """The job named on the edge."""
        return await job(info, self.job_urn, self.at) if self.job_urn else None


@strawberry.type(description="A place on a way: a dataset, a field or an organisation.")
class Stop:
    """A node of a path."""

    at: strawberry.Private[Moment]
    kind: str = strawberry.field(description="`Dataset`, `Field` or `Processor`.")
    key: str = strawberry.field(description="URN of a dataset or field, key of an organisation.")
    name: str = strawberry.field(description="Its name.")

    @strawberry.field(description="All that is known of it.")
    async def node(self, info: Info) -> Node | None:
        """The node itself."""
        from inventory.api.types.nodes import find_node

        return await find_node(info, self.kind, self.key, self.at)


@strawberry.type(description="A step of a way, from one stop to the next.")
class Step:
    """An edge of a path."""

    at: strawberry.Private[Moment]
    job_urn: strawberry.Private[str]
    kind: StepKind = strawberry.field(description="What it does with the data.")
    provenance: Provenance = strawberry.field(description="Where the statement comes from.")
    confidence: float = strawberry.field(description="How sure it is, 0 to 1.")
    transformation: Transformation | None = strawberry.field(description="What happens to the data, if it is a flow.")
    evidence: str = strawberry.field(description="Why it is said, in words, if it is a disclosure.")

    @strawberry.field(description="What moves the data, when that is known.")
    async def job(self, info: Info) -> Job | None:
        """The job named on the edge."""
        return await job(info, self.job_urn, self.at) if self.job_urn else None


@strawberry.type(description="A way that data takes, stop by stop.")
class Path:
    """A path of FLOWS_TO and DISCLOSED_TO edges."""

    stops: list[Stop] = strawberry.field(description="Where it goes along, first to last.")
    steps: list[Step] = strawberry.field(description="The steps between the stops: one less than there are stops.")

    @classmethod
    def of(cls, row: Row, at: Moment) -> Path:
        """Of a row of the entry `flows`."""
        return cls(
            stops=[
                Stop(at=at, kind=node["label"], key=node["key"], name=node["name"] or node["key"])
                for node in row["nodes"]
            ],
            steps=[
                Step(
                    at=at,
                    job_urn=edge["job"] or "",
                    kind=StepKind(edge["type"]),
                    provenance=Provenance(edge["provenance"]),
                    confidence=1.0 if edge["confidence"] is None else edge["confidence"],
                    transformation=Transformation(edge["transformation"]) if edge["transformation"] else None,
                    evidence=edge["evidence"] or "",
                )
                for edge in row["edges"]
            ],
        )


async def job(info: Info, urn: str, at: Moment) -> Job | None:
    """A job by its URN."""
    row = await node_row(info, "Job", urn, at)
    return Job.of(row, at) if row else None


async def flows_into(info: Info, place: Node, page: Page) -> Connection[Flow]:
    """Flows that end at this dataset or field."""
    from inventory.api.types.nodes import node_of

    rows = await info.context.rows_of(place.identity, "flows_into", as_of=place.at, **page.parameters)
    return page.connection(
        rows, lambda row: Flow.of(row["edge"], node_of(row["label"], row["node"], place.at), place, place.at)
    )


async def flows_out_of(info: Info, place: Node, page: Page) -> Connection[Flow]:
    """Flows that begin at this dataset or field."""
    from inventory.api.types.nodes import node_of

    rows = await info.context.rows_of(place.identity, "flows_from", as_of=place.at, **page.parameters)
    return page.connection(
        rows, lambda row: Flow.of(row["edge"], place, node_of(row["label"], row["node"], place.at), place.at)
    )
