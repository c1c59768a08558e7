"""Scans and what they could not do or saw amiss."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from inventory.api.context import Info, Moment, Row
from inventory.api.paging import USUAL, After, Connection, First, Page
from inventory.api.types.node import Node
from inventory.api.types.words import ScanState
from inventory.model import Severity

if TYPE_CHECKING:
    from inventory.api.types.systems import System


@strawberry.type(description="One look at one source.")
class Scan(Node):
    """A Scan node."""

    urn: str = strawberry.field(description="Its name: `scan:<run>/<source>`.")
    source: str = strawberry.field(description="The source's name in the configuration.")
    state: ScanState = strawberry.field(description="How it ended.")
    started_at: datetime | None = strawberry.field(description="When it began.")
    finished_at: datetime | None = strawberry.field(description="When it ended; null while it runs.")
    done: int | None = strawberry.field(description="How many datasets it has looked at; null when it does not tell.")
    total: int | None = strawberry.field(description="Of how many; null until that is known.")

    @classmethod
    def of(cls, node: Row, at: Moment) -> Scan:
        """The scan of a graph node."""
        return cls(
            identity=node["urn"],
            at=at,
            urn=node["urn"],
            source=node.get("source") or "",
            state=ScanState(node["state"]),
            started_at=node.get("started_at"),
            finished_at=node.get("finished_at"),
            done=node.get("done"),
            total=node.get("total"),
        )

    @strawberry.field(description="The systems it looked at.")
    async def systems(self, info: Info) -> list[Annotated[System, strawberry.lazy("inventory.api.types.systems")]]:
        """Its SCANNED edges."""
        from inventory.api.types.systems import System

        rows = await info.context.rows_of(self.urn, "systems_of_scans")
        return [System.of(row["node"], self.at) for row in rows]

    @strawberry.field(description="What it could not do or saw amiss.")
    async def findings(self, info: Info, first: First = USUAL, after: After = None) -> Connection[Finding]:
        """Its FOUND edges."""
        page = Page.asked(first, after)
        rows = await info.context.rows_of(self.urn, "findings_of_scans", **page.parameters)
        return page.connection(rows, lambda row: Finding.of(row["node"], self.at))


@strawberry.type(description="Something that a scan could not do or saw amiss: what, where, and what to do.")
class Finding(Node):
    """A Finding node."""

    urn: str = strawberry.field(description="Its name, the same in every scan that finds it.")
    code: str = strawberry.field(description="What kind it is: `unreachable`, `no-permission`, `truncated`.")
    severity: Severity = strawberry.field(description="How much of the answer it takes away.")
    message: str = strawberry.field(description="In one line: what, where, and what to do.")

    @classmethod
    def of(cls, node: Row, at: Moment) -> Finding:
        """The finding of a graph node."""
        return cls(
            identity=node["urn"],
            at=at,
            urn=node["urn"],
            code=node["code"],
            severity=Severity(node["severity"]),
            message=node["message"],
        )

    @strawberry.field(description="The system or dataset that it is about; null when that is not in the inventory.")
    async def about(self, info: Info) -> Node | None:
        """Its ABOUT edge's end."""
        from inventory.api.types.nodes import node_of

        rows = await info.context.rows_of(self.urn, "subjects_of_findings")
        return node_of(rows[0]["label"], rows[0]["node"], self.at) if rows else None
