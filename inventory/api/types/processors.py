"""Organisations that receive data, and what is disclosed to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from inventory.api.context import Info, Moment, Row
from inventory.api.paging import USUAL, After, Connection, First, Page
from inventory.api.types.node import Node, node_row, rows_of_nodes
from inventory.api.types.words import Leaving, ProcessorStanding
from inventory.model import Provenance

if TYPE_CHECKING:
    from inventory.api.types.categories import Category
    from inventory.api.types.policy import Clause, Purpose


@strawberry.type(description="An organisation, or a class of organisations, that receives data.")
class Processor(Node):
    """A Processor node."""

    key: str = strawberry.field(description="Its key.")
    name: str = strawberry.field(description="Its name.")
    description: str = strawberry.field(description="What it does for us.")
    role: str = strawberry.field(description="What it is to the data: controller, processor, sub-processor, recipient.")
    service_classes: list[str] = strawberry.field(description="What it does, as words of the vocabulary.")
    regions: list[str] = strawberry.field(description="Where it holds data (ISO 3166); empty when nobody has said.")
    legal_entity: str = strawberry.field(description="The company behind it; empty when unknown.")
    head_office: str = strawberry.field(description="Country of its head office (ISO 3166); empty when unknown.")
    contacts: list[str] = strawberry.field(
        description="Where it is asked, as `privacy: …`, `erasure: …`: what its API cannot erase, is erased there."
    )
    declared_as: str = strawberry.field(
        description="How the policy knows it: as a `class` without naming any, `named`, or as an `instance` of a class "
        "by our own knowledge; empty when only scans know it."
    )

    @classmethod
    def of(cls, node: Row, at: Moment) -> Processor:
        """The processor of a graph node."""
        return cls(
            identity=node["key"],
            at=at,
            key=node["key"],
            name=node.get("name") or node["key"],
            description=node.get("description") or "",
            role=node.get("role") or "",
            service_classes=list(node.get("service_classes") or ()),
            regions=list(node.get("regions") or ()),
            legal_entity=node.get("legal_entity") or "",
            head_office=node.get("head_office") or "",
            contacts=list(node.get("contacts") or ()),
            declared_as=node.get("declared_as") or "",
        )

    @strawberry.field(description="What is disclosed to it: declared and observed, each with its source.")
    async def disclosures(self, info: Info, first: First = USUAL, after: After = None) -> Connection[Disclosure]:
        """DISCLOSED_TO edges that end here."""
        page = Page.asked(first, after)
        rows = await info.context.rows_of(self.key, "disclosures_to_processors", as_of=self.at, **page.parameters)
        return page.connection(rows, lambda row: Disclosure.of(row, self.at))

    @strawberry.field(description="Every category that it receives, declared or observed, and how that is known.")
    async def categories(self, info: Info) -> list[ReceivedCategory]:
        """What its disclosures are of, put together by category."""
        rows = await info.context.rows_of(self.key, "categories_of_processors", as_of=self.at)
        return [ReceivedCategory.of(row, self.at) for row in rows]

    @strawberry.field(description="The clauses of the policy that speak of it.")
    async def clauses(self, info: Info) -> list[Annotated[Clause, strawberry.lazy("inventory.api.types.policy")]]:
        """Its DECLARED_IN edges."""
        from inventory.api.types.policy import Clause

        rows = await info.context.rows_of(self.key, "clauses_of", label="Processor", as_of=self.at)
        return [Clause.of(row["node"], self.at) for row in rows]


@strawberry.type(description="A category that an organisation receives.")
class ReceivedCategory:
    """All disclosures of one category to one organisation."""

    at: strawberry.Private[Moment]
    purpose_keys: strawberry.Private[list[str]]
    category: Annotated[Category, strawberry.lazy("inventory.api.types.categories")] = strawberry.field(
        description="The category."
    )
    declared: bool = strawberry.field(description="Whether the policy says so.")
    observed: bool = strawberry.field(description="Whether it was observed.")
    provenances: list[Provenance] = strawberry.field(description="Where the statements come from.")
    sources: int = strawberry.field(description="How many fields, or words of the policy, it was said of.")

    @classmethod
    def of(cls, row: Row, at: Moment) -> ReceivedCategory:
        """Of a row with the category's `node`, `provenances`, `purposes` and `sources`."""
        from inventory.api.types.categories import Category

        provenances = [Provenance(provenance) for provenance in row["provenances"]]
        return cls(
            at=at,
            purpose_keys=sorted(row["purposes"]),
            category=Category.of(row["node"], at),
            declared=Provenance.DECLARED in provenances,
            observed=any(provenance is not Provenance.DECLARED for provenance in provenances),
            provenances=provenances,
            sources=row["sources"],
        )

    @strawberry.field(description="What it is for, by the policy.")
    async def purposes(self, info: Info) -> list[Annotated[Purpose, strawberry.lazy("inventory.api.types.policy")]]:
        """The purposes that the policy names."""
        from inventory.api.types.policy import Purpose

        rows = await rows_of_nodes(info, "Purpose", self.purpose_keys, self.at)
        return [Purpose.of(row, self.at) for row in rows]


@strawberry.type(description="An organisation, and how the declared map and what was observed agree on it.")
class KnownProcessor:
    """A processor with its standing."""

    at: strawberry.Private[Moment]
    covered_by_keys: strawberry.Private[list[str]]
    processor: Processor = strawberry.field(description="The organisation.")
    standing: ProcessorStanding = strawberry.field(description="How the declared and the observed agree on it.")

    @classmethod
    def of(cls, row: Row, at: Moment) -> KnownProcessor:
        """Of a row with the `node`, its `standing` and `covered_by`."""
        return cls(
            at=at,
            covered_by_keys=list(row["covered_by"]),
            processor=Processor.of(row["node"], at),
            standing=ProcessorStanding(row["standing"]),
        )

    @strawberry.field(description="Of one that is implied: the classes of organisations in the policy that it is of.")
    async def covered_by(self, info: Info) -> list[Processor]:
        """The declared classes of what it does."""
        rows = await rows_of_nodes(info, "Processor", self.covered_by_keys, self.at)
        return [Processor.of(row, self.at) for row in rows]


@strawberry.type(description="An organisation that has, or may have, in another country what it receives.")
class Departure:
    """A processor with where it is."""

    processor: Processor = strawberry.field(description="The organisation, with what it receives.")
    leaving: Leaving = strawberry.field(description="How sure it is that the data leaves the country.")
    outside: list[str] = strawberry.field(description="Its regions outside the country.")

    @classmethod
    def of(cls, row: Row, at: Moment) -> Departure:
        """Of a row with the `node`, `leaving` and `outside`."""
        return cls(
            processor=Processor.of(row["node"], at), leaving=Leaving(row["leaving"]), outside=list(row["outside"])
        )


@strawberry.type(description="The statement that an organisation has, or is sent, what the source holds.")
class Disclosure:
    """A DISCLOSED_TO edge."""

    at: strawberry.Private[Moment]
    processor_key: strawberry.Private[str]
    clause_keys: strawberry.Private[list[str]]
    purpose_keys: strawberry.Private[list[str]]
    source: Node = strawberry.field(description="What is disclosed: a category, system, dataset or field.")
    provenance: Provenance = strawberry.field(description="Where the statement comes from; `DECLARED` by the policy.")
    evidence: str = strawberry.field(description="Why it is said, in words.")
    confidence: float = strawberry.field(description="How sure it is, 0 to 1.")

    @classmethod
    def of(cls, row: Row, at: Moment) -> Disclosure:
        """Of a row with `edge`, the source's `label` and `node`, and the `processor`'s key."""
        from inventory.api.types.nodes import node_of

        edge = row["edge"]
        return cls(
            at=at,
            processor_key=row["processor"],
            clause_keys=list(edge.get("clauses") or ()),
            purpose_keys=list(edge.get("purposes") or ()),
            source=node_of(row["label"], row["node"], at),
            provenance=Provenance(edge["provenance"]),
            evidence=edge.get("evidence") or "",
            confidence=edge.get("confidence", 1.0),
        )

    @strawberry.field(description="The organisation.")
    async def processor(self, info: Info) -> Processor | None:
        """The node at the edge's end."""
        return await processor(info, self.processor_key, self.at)

    @strawberry.field(description="The clauses of the policy that declare it; none for what scans saw.")
    async def clauses(self, info: Info) -> list[Annotated[Clause, strawberry.lazy("inventory.api.types.policy")]]:
        """The clauses named on the edge."""
        from inventory.api.types.policy import Clause

        rows = await rows_of_nodes(info, "Clause", self.clause_keys, self.at)
        return [Clause.of(row, self.at) for row in rows]

    @strawberry.field(description="What it is for, by the policy.")
    async def purposes(self, info: Info) -> list[Annotated[Purpose, strawberry.lazy("inventory.api.types.policy")]]:
        """The purposes named on the edge."""
        from inventory.api.types.policy import Purpose

        rows = await rows_of_nodes(info, "Purpose", self.purpose_keys, self.at)
        return [Purpose.of(row, self.at) for row in rows]


@strawberry.type(description="An organisation that receives a category, and all the disclosures by which it does.")
class Recipient:
    """A processor with the disclosures that answer a question."""

    processor: Processor = strawberry.field(description="The organisation.")
    declared: bool = strawberry.field(description="Whether the policy says that it receives the category.")
    observed: bool = strawberry.field(description="Whether a scan saw that it does.")
    disclosures: list[Disclosure] = strawberry.field(description="How it receives it; at most 100 are listed.")

    @classmethod
    def of(cls, row: Row, at: Moment) -> Recipient:
        """Of a row with the processor's `node` and `disclosures`, a list of rows as `Disclosure.of` takes."""
        disclosures = [Disclosure.of({**found, "processor": row["node"]["key"]}, at) for found in row["disclosures"]]
        return cls(
            processor=Processor.of(row["node"], at),
            declared=any(found.provenance is Provenance.DECLARED for found in disclosures),
            observed=any(found.provenance is not Provenance.DECLARED for found in disclosures),
            disclosures=disclosures,
        )


async def processor(info: Info, key: str, at: Moment) -> Processor | None:
    """A processor by its key."""
    row = await node_row(info, "Processor", key, at)
    return Processor.of(row, at) if row else None


async def disclosures_of(info: Info, urn: str, at: Moment) -> list[Disclosure]:
    """What of this dataset or field is disclosed."""
    rows = await info.context.rows_of(urn, "disclosures_of", as_of=at)
    return [Disclosure.of(row, at) for row in rows]


async def recipients_of(info: Info, category: str, at: Moment, page: Page) -> Connection[Recipient]:
    """Who receives this category or one below it."""
    rows = await info.context.rows_of(category, "recipients_of_categories", as_of=at, **page.parameters)
    return page.connection(rows, lambda row: Recipient.of(row, at))
