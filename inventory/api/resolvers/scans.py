"""Questions about scans and findings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Annotated

import strawberry

from inventory.api.context import Info, Row
from inventory.api.paging import USUAL, After, Connection, First, Page
from inventory.api.types.node import AsOf
from inventory.api.types.scans import Finding, Scan


@strawberry.type
class ScanQuestions:
    """Fields of Query."""

    @strawberry.field(description="The scans that were run.")
    async def scans(
        self,
        info: Info,
        source: Annotated[str, strawberry.argument(description="Only scans of this source; all when empty.")] = "",
        as_of: AsOf = None,
        first: First = USUAL,
        after: After = None,
    ) -> Connection[Scan]:
        """A page of scans, newest first."""
        page, at = Page.asked(first, after), info.context.moment(as_of)
        rows = await info.context.rows("scans", source=source, as_of=at, **page.parameters)
        return page.connection(rows, lambda row: Scan.of(row["node"], at))

    @strawberry.field(description="What scans could not do or saw amiss, and what still is so.")
    async def findings(
        self,
        info: Info,
        about: Annotated[
            str, strawberry.argument(description="Only findings about this system or dataset (URN); all when empty.")
        ] = "",
        as_of: AsOf = None,
        first: First = USUAL,
        after: After = None,
    ) -> Connection[Finding]:
        """A page of findings, by URN."""
        page, at = Page.asked(first, after), info.context.moment(as_of)
        rows = await info.context.rows("findings", about=about, as_of=at, **page.parameters)
        return page.connection(rows, lambda row: Finding.of(row["node"], at))


LOOKS_EVERY = 1.0  # seconds; scans tell of their progress about as often


@strawberry.type
class ScanSubscriptions:
    """Fields of Subscription."""

    @strawberry.subscription(
        description="The scans that run, each whenever it is further, and once more when it has ended; of whichever "
        "process scans into this graph."
    )
    async def scan_progress(
        self,
        info: Info,
        source: Annotated[str, strawberry.argument(description="Only scans of this source; all when empty.")] = "",
    ) -> AsyncGenerator[Scan, None]:
        """Looks at the graph now and then, as scans run in other processes."""
        told: dict[str, Row] = {}
        while True:
            at = info.context.moment_after()
            for row in await info.context.rows("scans_under_way", source=source, keys=sorted(told)):
                if told.get(row["key"]) == row["node"]:
                    continue
                told[row["key"]] = row["node"]
                yield Scan.of(row["node"], at)
                if row["node"]["state"] != "running":
                    del told[row["key"]]
            await asyncio.sleep(LOOKS_EVERY)
