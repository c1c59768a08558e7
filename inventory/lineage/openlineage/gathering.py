"""Events that come one by one and are loaded together: while one load runs, what comes meanwhile makes the next one.

Nobody waits for company: an event that comes while nothing runs is loaded at once. Who gave an event hears of it when
it is in the graph.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from inventory.errors import GraphError
from inventory.lineage.openlineage.events import Event
from inventory.lineage.openlineage.loading import Loaded

MOST_WAITING = 20_000  # events
MOST_BYTES = 256 * 2**20  # of the events' JSON
AT_ONCE = 2000


class Gathering:
    """Gathers for one `load` (blocking, run in a thread)."""

    def __init__(self, load: Callable[[Sequence[Event]], Loaded]) -> None:
        self._load = load
        self._waiting: list[tuple[Event, int, asyncio.Future[None]]] = []
        self._bytes = 0
        self._work: asyncio.Task[None] | None = None

    async def take(self, events: Sequence[Event], size: int) -> None:
        """Return when the events, `size` bytes of JSON, are in the graph. Raises GraphError, as well when too much
        waits already."""
        if len(self._waiting) + len(events) > MOST_WAITING or self._bytes + size > MOST_BYTES:
            raise GraphError("lineage", "more events wait than can be held", "send them again a little later")
        loop = asyncio.get_running_loop()
        done = [loop.create_future() for _ in events]
        share = size // max(len(events), 1)
        self._waiting.extend((event, share, future) for event, future in zip(events, done, strict=True))
        self._bytes += share * len(events)
        if self._work is None or self._work.done():
            self._work = loop.create_task(self._all())
        for result in await asyncio.gather(*done, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result

    async def _all(self) -> None:
        while self._waiting:
            some, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
            self._bytes -= sum(size for _, size, _ in some)
            failure: BaseException | None = None
            try:
                await asyncio.to_thread(self._load, [event for event, _, _ in some])
            except Exception as error:  # noqa: BLE001 - whoever waits is told
                failure = error
            for _, _, future in some:
                if future.done():
                    continue  # who gave it has gone
                if failure is None:
                    future.set_result(None)
                else:
                    future.set_exception(failure)
