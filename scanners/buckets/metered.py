"""The requests that a scan makes of one bucket: paid for by its budget, slower when the store is busy."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from obstore.exceptions import BaseError
from obstore.store import ObjectStore

from inventory.errors import UnreadableError
from scanners.buckets.faults import is_busy
from scanners.budget import Budget, Meter, Spent

#: How often a request is made of a store that is busy; obstore has then tried several times each time.
ATTEMPTS = 4

Answer = TypeVar("Answer")


class MeteredStore:
    """A store and its budget, shared by the threads that list and read.

    When the store says that it is busy (status 429 or 503), all of them wait, longer each time. When the credentials
    have `expired`, nothing more is asked.
    """

    def __init__(self, store: ObjectStore, budget: Budget, meter: Meter | None = None) -> None:
        self.store = store
        self.expired: UnreadableError | None = None
        self._meter = meter or Meter(budget)
        self._turn = threading.Lock()

    @property
    def spent(self) -> Spent:
        """What was taken so far."""
        return self._meter.spent

    def refusal(self) -> str:
        """Why nothing more may be read; "" while it may."""
        return self._meter.refusal()

    def ask(self, question: Callable[[], Answer]) -> Answer:
        """The answer, when it is this request's turn. Raises what `question` raises."""
        for _ in range(ATTEMPTS - 1):
            try:
                return self.ask_once(question)
            except (BaseError, OSError) as error:
                if not is_busy(error):
                    raise
        return self.ask_once(question)

    def ask_once(self, question: Callable[[], Answer]) -> Answer:
        """As `ask`, for what cannot be asked again; that the store was busy is remembered."""
        if self.expired is not None:
            raise self.expired
        with self._turn:
            self._meter.wait()
            self._meter.count_query()
        try:
            answer = question()
        except (BaseError, OSError) as error:
            self._told(is_busy(error))
            raise
        self._told(busy=False)
        return answer

    def count(self, rows: int, bytes_: int) -> None:
        """So much was read."""
        with self._turn:
            self._meter.count_sample(rows, bytes_)

    def _told(self, busy: bool) -> None:
        with self._turn:
            self._meter.told(busy)
