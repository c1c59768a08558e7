"""What the resolvers of one request share: the graph, the time it is about, and loaders that put questions together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import strawberry
from strawberry.dataloader import DataLoader

from inventory.api.sign_in import LOCAL, Caller
from inventory.disclosures.facts import declare_register
from inventory.disclosures.register import Disclosure, DisclosureRegister, Entry
from inventory.errors import QuestionError
from inventory.graph.catalogue import Catalogue, moment
from inventory.graph.writer import GraphWriter
from inventory.model import ReviewState

if TYPE_CHECKING:
    from inventory.api.types.disclosures import IdentifierInput

Row: TypeAlias = Mapping[str, Any]
OpenRegister: TypeAlias = Callable[[], DisclosureRegister]
"""Opens the disclosure register; called when it is first needed, as opening it may make the installation's key."""
Moment: TypeAlias = str
"""A time as the catalogue takes it (`inventory.graph.catalogue.moment`)."""


class Context:
    """One request's way to the graph, and to the disclosure register where there is one; who asks, and may what."""

    def __init__(self, catalogue: Catalogue, caller: Caller = LOCAL, register: OpenRegister | None = None) -> None:
        self._catalogue = catalogue
        self._register = register
        self.caller = caller
        self._now = moment()
        self._loaders: dict[tuple[object, ...], DataLoader[str, list[Row]]] = {}

    def moment(self, as_of: datetime | None) -> Moment:
        """The moment of an `asOf` argument; when absent, the same «now» for the whole request."""
        return moment(as_of) if as_of else self._now

    def moment_after(self) -> Moment:
        """The moment after what this request has changed, or what has changed around one that goes on."""
        self._now = moment()
        self._loaders.clear()
        return self._now

    def review(self, field: str, category: str, state: ReviewState) -> None:
        """Keep the caller's decision on a classification (blocking). Raises QuestionError, GraphError."""
        GraphWriter(self._catalogue.graph).review(field, category, state, self.caller.name, datetime.now(UTC))

    def disclosures(self) -> DisclosureRegister:
        """The disclosure register. Raises QuestionError where this service has none."""
        if self._register is None:
            raise QuestionError("the disclosure register", "is not kept here", "ask the service that has its data_dir")
        return self._register()

    def disclosures_about(
        self, people: Sequence[IdentifierInput], as_of: datetime | None, *, suppressed: bool
    ) -> list[Entry]:
        """The register's entries about a person (blocking)."""
        identifiers = [person.identifier() for person in people]
        return self.disclosures().about(identifiers, date.today(), suppressed=suppressed, as_of=as_of)

    def record_disclosure(self, disclosure: Disclosure, people: Sequence[IdentifierInput]) -> Entry:
        """Write it down, and load what the register now says (blocking). Raises QuestionError, GraphError."""
        register = self.disclosures()
        entry = register.record(disclosure, [person.identifier() for person in people], self.caller.name)
        declare_register(GraphWriter(self._catalogue.graph), register.entries(), datetime.now(UTC))
        return entry

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
