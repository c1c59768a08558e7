"""The declared map: the policy's clauses and the words they use."""

from __future__ import annotations

import strawberry

from inventory.api.context import Info, Moment, Row
from inventory.api.types.node import Node


@strawberry.type(description="One statement of the privacy policy, in our own words.")
class Clause(Node):
    """A Clause node."""

    key: str = strawberry.field(description="Its number: the policy's section and its place in it.")
    section: str = strawberry.field(description="Number of the policy's section.")
    kind: str = strawberry.field(description="What kind of statement it is: `category`, `recipient`, `retention`.")
    name: str = strawberry.field(description="Its heading.")
    says: str = strawberry.field(description="What it says, in our own words.")

    @classmethod
    def of(cls, node: Row, at: Moment) -> Clause:
        """The clause of a graph node."""
        return cls(
            identity=node["key"],
            at=at,
            key=node["key"],
            section=node["key"].partition(".")[0],
            kind=node.get("kind") or "",
            name=node.get("name") or node["key"],
            says=node.get("says") or node.get("description") or "",
        )

    @strawberry.field(description="What it declares: categories, purposes, processors, safeguards, rights and so on.")
    async def declares(self, info: Info) -> list[Node]:
        """The other ends of its DECLARED_IN edges."""
        from inventory.api.types.nodes import node_of

        rows = await info.context.rows_of(self.key, "declared_in_clauses", as_of=self.at)
        return [node_of(row["label"], row["node"], self.at) for row in rows]


@strawberry.interface(description="A word that the policy uses: a purpose, subject, right, safeguard, region or rule.")
class Term(Node):
    """What these nodes have in common."""

    key: str = strawberry.field(description="The word's key.")
    name: str = strawberry.field(description="Its name.")
    description: str = strawberry.field(description="What it means; empty when the name says it.")

    @strawberry.field(description="The clauses of the policy that use it.")
    async def clauses(self, info: Info) -> list[Clause]:
        """Its DECLARED_IN edges."""
        rows = await info.context.rows_of(self.key, "clauses_of", label=type(self).__name__, as_of=self.at)
        return [Clause.of(row["node"], self.at) for row in rows]


@strawberry.type(description="What data is used for.")
class Purpose(Term):
    """A Purpose node."""

    @classmethod
    def of(cls, node: Row, at: Moment) -> Purpose:
        """The purpose of a graph node."""
        return cls(**_word(node, at))


@strawberry.type(description="Whose data it is.")
class Subject(Term):
    """A Subject node."""

    @classmethod
    def of(cls, node: Row, at: Moment) -> Subject:
        """The subject of a graph node."""
        return cls(**_word(node, at))


@strawberry.type(description="A right of a person over their data.")
class Right(Term):
    """A Right node."""

    @classmethod
    def of(cls, node: Row, at: Moment) -> Right:
        """The right of a graph node."""
        return cls(**_word(node, at))


@strawberry.type(description="A way to protect data.")
class Safeguard(Term):
    """A Safeguard node."""

    @classmethod
    def of(cls, node: Row, at: Moment) -> Safeguard:
        """The safeguard of a graph node."""
        return cls(**_word(node, at))


@strawberry.type(description="A country or a part of one.")
class Region(Term):
    """A Region node."""

    @classmethod
    def of(cls, node: Row, at: Moment) -> Region:
        """The region of a graph node."""
        return cls(**_word(node, at))


@strawberry.type(description="How long data is kept, and what happens then.")
class RetentionRule(Term):
    """A RetentionRule node."""

    action: str = strawberry.field(description="What happens: `keep`, `delete`, `archive`, `anonymise`.")
    starts: str = strawberry.field(description="When the term begins: `collection`, `account_closed`.")
    until: str = strawberry.field(description="The end of the term, in words.")
    period: str = strawberry.field(description="The term as an ISO 8601 duration; empty when the policy gives none.")

    @classmethod
    def of(cls, node: Row, at: Moment) -> RetentionRule:
        """The rule of a graph node."""
        return cls(
            **_word(node, at),
            action=node.get("action") or "",
            starts=node.get("starts") or "",
            until=node.get("until") or "",
            period=node.get("period") or "",
        )


def _word(node: Row, at: Moment) -> dict[str, str]:
    return {
        "identity": node["key"],
        "at": at,
        "key": node["key"],
        "name": node.get("name") or node["key"],
        "description": node.get("description") or "",
    }
