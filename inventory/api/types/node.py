"""What all nodes have: a global id made of the kind and the key (a URN, or the key of a word)."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import strawberry

from inventory.api.context import Info, Moment, Row
from inventory.errors import QuestionError

AsOf = Annotated[
    datetime | None,
    strawberry.argument(description="Ask what the inventory held at this time; now when absent. UTC unless it says."),
]


@strawberry.interface(description="Anything in the inventory that has a global id.")
class Node:
    """Relay's Node. `at` is the moment that the question asks about; what is around the node is of that moment."""

    identity: strawberry.Private[str]
    at: strawberry.Private[Moment]

    @classmethod
    def of(cls, node: Row, at: Moment) -> Node:
        """The node of a graph node's properties."""
        raise NotImplementedError

    @strawberry.field(description="Global id, made of kind and key: the same in every answer and after every scan.")
    def id(self) -> strawberry.ID:
        """The id."""
        return strawberry.ID(global_id(type(self).__name__, self.identity))


async def node_row(info: Info, label: str, key: str, at: Moment) -> Row | None:
    """The properties of a node, if it is there at that moment."""
    rows = await info.context.rows_of(key, "nodes", label=label, as_of=at)
    return rows[0]["node"] if rows else None


async def rows_of_nodes(info: Info, label: str, keys: Sequence[str], at: Moment) -> list[Row]:
    """The properties of the nodes that are there at that moment."""
    rows = await asyncio.gather(*(node_row(info, label, key, at) for key in keys))
    return [row for row in rows if row is not None]


def global_id(kind: str, key: str) -> str:
    """The global id of a node."""
    return base64.urlsafe_b64encode(f"{kind}:{key}".encode()).decode().rstrip("=")


def parse_global_id(id_: str) -> tuple[str, str]:
    """Kind and key of a global id. Raises QuestionError."""
    try:
        kind, colon, key = (
            base64.b64decode(id_ + "=" * (-len(id_) % 4), altchars=b"-_", validate=True).decode().partition(":")
        )
    except (binascii.Error, ValueError):
        colon = kind = key = ""
    if not colon or not key:
        raise QuestionError("argument `id`", "is no id of this inventory", "take `id` from an answer")
    return kind, key
