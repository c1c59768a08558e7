"""The disclosure register: what was handed to whom, once, by a person's decision."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from inventory.api.context import Info, Moment
from inventory.api.types.node import rows_of_nodes
from inventory.api.types.processors import Processor, processor
from inventory.disclosures.register import Disclosure, Entry, LegalBasis
from inventory.identifiers import Identifier, IdentifierKind

if TYPE_CHECKING:
    from inventory.api.types.categories import Category


@strawberry.type(description="An entry of the disclosure register. It holds nothing of the people concerned.")
class RegisteredDisclosure:
    """An entry."""

    at: strawberry.Private[Moment]
    recipient_key: strawberry.Private[str]
    category_keys: strawberry.Private[tuple[str, ...]]
    number: int = strawberry.field(description="Its number in the register, from 1.")
    recorded_at: datetime = strawberry.field(description="When it was written.")
    recorded_by: str = strawberry.field(description="Who wrote it.")
    asked_by: str = strawberry.field(description="Which authority or office asked.")
    legal_basis: LegalBasis = strawberry.field(description="Why it could be disclosed.")
    reference: str = strawberry.field(description="Number of the warrant, order or agreement.")
    disclosed_on: date = strawberry.field(description="When it was disclosed.")
    sources: list[str] = strawberry.field(description="URNs of the systems or datasets that it was taken from.")
    subjects: int = strawberry.field(description="How many people it concerns.")
    suppressed: bool = strawberry.field(description="Whether the law forbids telling the people concerned.")
    suppressed_until: date | None = strawberry.field(description="Until when; null for ever.")
    corrects: int | None = strawberry.field(description="Number of the entry in whose place it stands.")
    corrected_by: int | None = strawberry.field(description="Number of the entry that stands in its place.")

    @classmethod
    def of(cls, entry: Entry, at: Moment) -> RegisteredDisclosure:
        """Of the register's entry."""
        said = entry.disclosure
        return cls(
            at=at,
            recipient_key=said.recipient,
            category_keys=said.categories,
            number=entry.number,
            recorded_at=datetime.fromisoformat(entry.recorded_at),
            recorded_by=entry.recorded_by,
            asked_by=said.asked_by,
            legal_basis=said.legal_basis,
            reference=said.reference,
            disclosed_on=said.disclosed_on,
            sources=list(said.sources),
            subjects=said.subjects,
            suppressed=said.suppressed,
            suppressed_until=said.suppressed_until,
            corrects=said.corrects or None,
            corrected_by=entry.corrected_by or None,
        )

    @strawberry.field(description="The organisation that got it; null when the inventory does not know it.")
    async def recipient(self, info: Info) -> Processor | None:
        """The processor of the key."""
        return await processor(info, self.recipient_key, self.at)

    @strawberry.field(description="What was disclosed.")
    async def categories(
        self, info: Info
    ) -> list[Annotated[Category, strawberry.lazy("inventory.api.types.categories")]]:
        """The categories of the keys."""
        from inventory.api.types.categories import Category

        rows = await rows_of_nodes(info, "Category", self.category_keys, self.at)
        return [Category.of(row, self.at) for row in rows]


@strawberry.input(description="An identifier of a person. It is compared by its keyed hash, and never kept or logged.")
class IdentifierInput:
    """An identifier as it is given."""

    kind: IdentifierKind = strawberry.field(description="What it is.")
    value: str = strawberry.field(description="The identifier. Give it as a variable, never in the question's text.")

    def identifier(self) -> Identifier:
        """As the program has it."""
        return Identifier(self.kind, self.value)


@strawberry.input(description="What is written of a disclosure.")
class DisclosureInput:
    """A disclosure as it is given."""

    recipient: str = strawberry.field(description="Key of the organisation or class: `law-enforcement`.")
    asked_by: str = strawberry.field(description="Which authority or office asked; not which officer.")
    legal_basis: LegalBasis = strawberry.field(description="Why it could be disclosed.")
    reference: str = strawberry.field(description="Number of the warrant, order or agreement.", default="")
    categories: list[str] = strawberry.field(description="Keys of the categories that were disclosed.")
    disclosed_on: date = strawberry.field(description="When it was disclosed.")
    sources: list[str] = strawberry.field(
        description="URNs of the systems or datasets that it was taken from.", default_factory=list
    )
    subjects: int = strawberry.field(description="How many people it concerns.", default=0)
    suppressed: bool = strawberry.field(
        description="Whether the law forbids telling the people concerned.", default=False
    )
    suppressed_until: date | None = strawberry.field(description="Until when.", default=None)
    corrects: int | None = strawberry.field(description="Number of the entry in whose place it stands.", default=None)

    def disclosure(self) -> Disclosure:
        """As the register has it."""
        return Disclosure(
            recipient=self.recipient,
            asked_by=self.asked_by,
            legal_basis=self.legal_basis,
            reference=self.reference,
            categories=tuple(self.categories),
            disclosed_on=self.disclosed_on,
            sources=tuple(self.sources),
            subjects=self.subjects,
            suppressed=self.suppressed,
            suppressed_until=self.suppressed_until,
            corrects=self.corrects or 0,
        )
