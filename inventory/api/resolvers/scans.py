"""Questions about scans and findings."""

from __future__ import annotations

from typing import Annotated

import strawberry

from inventory.api.context import Info
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
