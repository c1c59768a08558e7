"""Nodes by their global id."""

from __future__ import annotations

import asyncio
from typing import Annotated

import strawberry

from inventory.api.context import Info
from inventory.api.paging import MOST
from inventory.api.types.node import AsOf, Node, parse_global_id
from inventory.api.types.nodes import find_node
from inventory.errors import QuestionError


@strawberry.type
class NodeQuestions:
    """Fields of Query."""

    @strawberry.field(description="The node of a global id; null when there is none at that time.")
    async def node(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="A global id from an answer.")],
        as_of: AsOf = None,
    ) -> Node | None:
        """A node by id."""
        kind, key = parse_global_id(id)
        return await find_node(info, kind, key, info.context.moment(as_of))

    @strawberry.field(description="The nodes of global ids, in the same order; null where there is none at that time.")
    async def nodes(
        self,
        info: Info,
        ids: Annotated[
            list[strawberry.ID], strawberry.argument(description=f"Global ids from answers, at most {MOST}.")
        ],
        as_of: AsOf = None,
    ) -> list[Node | None]:
        """Nodes by id."""
        if len(ids) > MOST:
            raise QuestionError("argument `ids`", f"has {len(ids)} ids", f"give at most {MOST}")
        at, wanted = info.context.moment(as_of), [parse_global_id(id_) for id_ in ids]
        return list(await asyncio.gather(*(find_node(info, kind, key, at) for kind, key in wanted)))
