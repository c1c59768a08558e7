"""Relay connections that page forward, by a cursor that is where the next page begins."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

import strawberry

from inventory.errors import QuestionError

T = TypeVar("T")

MOST = 200
USUAL = 50

First = Annotated[
    int, strawberry.argument(description=f"How many items to answer at most, 1 to {MOST}. More are on further pages.")
]
After = Annotated[
    str | None, strawberry.argument(description="The `endCursor` of the page before; the first page when absent.")
]


@strawberry.type(description="Where a page stands among all pages.")
class PageInfo:
    """Relay's PageInfo."""

    has_next_page: bool = strawberry.field(description="Whether items follow this page.")
    has_previous_page: bool = strawberry.field(description="Whether items come before this page.")
    start_cursor: str | None = strawberry.field(description="Cursor of the page's first item.")
    end_cursor: str | None = strawberry.field(description="Cursor of the page's last item: give it as `after`.")


@strawberry.type(description="An item of a page.")
class Edge(Generic[T]):
    """Relay's Edge."""

    cursor: str = strawberry.field(description="The item's place; opaque.")
    node: T = strawberry.field(description="The item.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    """Relay's Connection."""

    page_info: PageInfo = strawberry.field(description="Where this page stands.")
    edges: list[Edge[T]] = strawberry.field(description="The page's items, each with its cursor.")


@dataclass(frozen=True, slots=True)
class Page:
    """What a page question asks the graph for: items whose `cursor` is greater than `after`, and one too many."""

    first: int
    after: str

    @classmethod
    def asked(cls, first: int, after: str | None) -> Page:
        """The page of these arguments. Raises QuestionError."""
        if not 1 <= first <= MOST:
            raise QuestionError("argument `first`", f"is {first}", f"the page limit is 1 to {MOST}")
        return cls(first, _decode(after) if after else "")

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters that every paged catalogue entry takes."""
        return {"after": self.after, "limit": self.first + 1}

    def connection(self, rows: Sequence[Mapping[str, Any]], item: Callable[[Mapping[str, Any]], T]) -> Connection[T]:
        """The connection of these rows, each with its `cursor`; one row too many says that a next page exists."""
        edges = [Edge(cursor=_encode(row["cursor"]), node=item(row)) for row in rows[: self.first]]
        return Connection(
            page_info=PageInfo(
                has_next_page=len(rows) > self.first,
                has_previous_page=bool(self.after),
                start_cursor=edges[0].cursor if edges else None,
                end_cursor=edges[-1].cursor if edges else None,
            ),
            edges=edges,
        )


def _encode(place: str) -> str:
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def _decode(cursor: str) -> str:
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise QuestionError("argument `after`", "is no cursor", "give the `endCursor` of the page before") from None
