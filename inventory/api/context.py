"""What the resolvers of one request share: the graph, the time it is about, and loaders that put questions together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

import strawberry
from strawberry.dataloader import DataLoader

from inventory.graph.catalogue import Catalogue, moment
from inventory.graph.writer import GraphWriter
from inventory.model import ReviewState

Row: TypeAlias = Mapping[str, Any]
Moment: TypeAlias = str
"""A time as the catalogue takes it (`inventory.graph.catalogue.moment`)."""


class Context:
    """One request's way to the graph."""

    def __init__(self, catalogue: Catalogue, caller: str = "command line") -> None:
        self._catalogue = catalogue
        self._caller = caller
        self._now = moment()
        self._loaders: dict[tuple[object, ...], DataLoader[str, list[Row]]] = {}

    def moment(self, as_of: datetime | None) -> Moment:
        """The moment of an `asOf` argument; when absent, the same «now» for the whole request."""
        return moment(as_of) if as_of else self._now

    def moment_after(self) -> Moment:
        """The moment after what this request has changed."""
        self._now = moment()
        return self._now

    def review(self, field: str, category: str, state: ReviewState) -> None:
        """Keep the caller's decision on a classification (blocking). Raises QuestionError, GraphError."""
        GraphWriter(self._catalogue.graph).review(field, category, state, self._caller, datetime.now(UTC))

    async def rows(self, entry: str, **parameters: Any) -> list[Row]:
        """The rows of a catalogue entry."""
        return list(await self._catalogue.aask(entry, **parameters))

    async def rows_of(self, key: str, entry: str, **parameters: Any) -> list[Row]:
        """The rows of an entry that takes `keys` and says in each row which `key` it is of.

        All that are asked for on one level of a question, with the same parameters, become one question to the graph.
        """
        asked = (entry, *sorted(parameters.items()))
        loader = self._loaders.get(asked)
        if loader is None:
            loader = self._loaders[asked] = DataLoader(load_fn=self._batch(entry, parameters), max_batch_size=1000)
        return await loader.load(key)

    def _batch(self, entry: str, parameters: Row) -> Callable[[list[str]], Awaitable[list[list[Row]]]]:
        async def load(keys: list[str]) -> list[list[Row]]:
            rows_by_key: dict[str, list[Row]] = {key: [] for key in keys}
            for row in await self.rows(entry, keys=keys, **parameters):
                rows_by_key[row["key"]].append(row)
            return [rows_by_key[key] for key in keys]

        return load


Info: TypeAlias = strawberry.Info[Context, None]
