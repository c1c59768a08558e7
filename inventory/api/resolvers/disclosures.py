"""Questions about the disclosure register, and writing to it."""

from __future__ import annotations

from typing import Annotated

import strawberry
from starlette.concurrency import run_in_threadpool

from inventory.api.context import Info
from inventory.api.needs import Needs
from inventory.api.paging import USUAL, After, Connection, First, Page
from inventory.api.roles import Permission
from inventory.api.types.disclosures import DisclosureInput, IdentifierInput, RegisteredDisclosure
from inventory.api.types.node import AsOf

People = Annotated[list[IdentifierInput], strawberry.argument(description="Identifiers of the people concerned.")]


@strawberry.type
class DisclosureQuestions:
    """Fields of Query."""

    @strawberry.field(
        description="What was handed to authorities and others by a decision, oldest first.",
        extensions=[Needs(Permission.SEE_DISCLOSURES)],
    )
    async def disclosure_register(
        self,
        info: Info,
        recipient: Annotated[str, strawberry.argument(description="Key of a recipient; all when empty.")] = "",
        as_of: AsOf = None,
        first: First = USUAL,
        after: After = None,
    ) -> Connection[RegisteredDisclosure]:
        """A page of the register, by number."""
        page, context = Page.asked(first, after), info.context
        entries = await run_in_threadpool(context.disclosures().entries, as_of)
        rows = [
            {"cursor": f"{entry.number:09d}", "entry": entry}
            for entry in entries
            if (not recipient or entry.disclosure.recipient == recipient) and f"{entry.number:09d}" > page.after
        ]
        at = context.moment(as_of)
        return page.connection(rows, lambda row: RegisteredDisclosure.of(row["entry"], at))

    @strawberry.field(
        description="To whom a person's data was disclosed, as the register has it. What the law forbids to tell the "
        "person is left out unless it is asked for.",
        extensions=[Needs(Permission.SEE_DISCLOSURES, include_suppressed=Permission.SEE_SUPPRESSED)],
    )
    async def disclosures_about(
        self,
        info: Info,
        people: People,
        include_suppressed: Annotated[
            bool, strawberry.argument(description="Also what the person may not be told of.")
        ] = False,
        as_of: AsOf = None,
    ) -> list[RegisteredDisclosure]:
        """The entries of a person."""
        context = info.context
        found = await run_in_threadpool(context.disclosures_about, people, as_of, suppressed=include_suppressed)
        at = context.moment(as_of)
        return [RegisteredDisclosure.of(entry, at) for entry in found]


@strawberry.type
class DisclosureDecisions:
    """Fields of Mutation."""

    @strawberry.mutation(
        description="Write a disclosure into the register. Nothing in it is ever changed: an entry that was wrong is "
        "corrected by another. People are kept as keyed hashes of their identifiers.",
        extensions=[Needs(Permission.RECORD_DISCLOSURES)],
    )
    async def record_disclosure(
        self,
        info: Info,
        disclosure: Annotated[DisclosureInput, strawberry.argument(description="What was disclosed.")],
        people: People,
    ) -> RegisteredDisclosure:
        """The entry as it is written."""
        entry = await run_in_threadpool(info.context.record_disclosure, disclosure.disclosure(), people)
        return RegisteredDisclosure.of(entry, info.context.moment_after())
