"""Who may read a dataset."""

from __future__ import annotations

import strawberry

from inventory.api.context import Info, Moment, Row
from inventory.model import PrincipalKind


@strawberry.type(description="An account or role of a system that may read a dataset, or one of its fields.")
class Reader:
    """A READABLE_BY edge and the principal at its end."""

    name: str = strawberry.field(description="As its system names it, redacted.")
    kind: PrincipalKind = strawberry.field(description="Whether it is an account, a role, or everyone.")
    readable: str = strawberry.field(description="URN of what it may read: the whole system, the dataset, or a field.")
    privilege: str = strawberry.field(description="In the system's own word.")
    via: str = strawberry.field(description="The role that gives it; empty when it was granted to itself.")
    evidence: str = strawberry.field(description="What the scan saw.")

    @classmethod
    def of(cls, row: Row) -> Reader:
        """Of a row with `source`, `edge` and `node`."""
        edge, node = row["edge"], row["node"]
        return cls(
            name=node["name"],
            kind=PrincipalKind(node["kind"]),
            readable=row["source"],
            privilege=edge.get("privilege") or "",
            via=edge.get("via") or "",
            evidence=edge.get("evidence") or "",
        )


async def readers_of(info: Info, dataset: str, at: Moment) -> list[Reader]:
    """Who may read this dataset."""
    return [Reader.of(row) for row in await info.context.rows_of(dataset, "readers_of_datasets", as_of=at)]
