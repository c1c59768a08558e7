"""The schema: the questions of every topic, with limits and error handling around them."""

from __future__ import annotations

from functools import lru_cache

import strawberry
from graphql import GraphQLError
from strawberry.tools import merge_types
from strawberry.types import ExecutionContext

from inventory.api.limits import limiters
from inventory.api.masking import ErrorsForCallers
from inventory.api.needs import all_guarded
from inventory.api.resolvers import DECISIONS, QUESTIONS, SUBSCRIPTIONS
from inventory.api.settings import Limits
from inventory.api.types.nodes import NODE_TYPES


class InventorySchema(strawberry.Schema):
    """Strawberry's schema, silent about questions: its own logger would write out the literals in them."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Log nothing here: `ErrorsForCallers` logs what is unexpected, without its text."""


def build_schema(limits: Limits, trusted: tuple[str, ...] = (), *, suggestions: bool = True) -> InventorySchema:
    """The schema that holds questions to `limits`; the texts in `trusted` are parsed and validated once.

    Without `suggestions`, errors do not tell which names are like one that does not exist. The same is given again
    for the same: making it takes a third of a second.
    """
    return _built(limits.model_dump_json(), trusted, suggestions)


@lru_cache(maxsize=16)
def _built(limits: str, trusted: tuple[str, ...], suggestions: bool) -> InventorySchema:
    return InventorySchema(
        query=merge_types("Query", QUESTIONS),
        mutation=all_guarded(merge_types("Mutation", DECISIONS)),
        subscription=merge_types("Subscription", SUBSCRIPTIONS),
        types=NODE_TYPES,
        extensions=[
            *limiters(Limits.model_validate_json(limits), trusted),
            lambda: ErrorsForCallers(suggestions=suggestions),
        ],
    )
