"""What waits for a network, fetched while what came before is worked on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")


def ahead(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """The items in lists of `size`; a thread fetches the next list meanwhile. Raises what they raise."""
    source = iter(items)
    with ThreadPoolExecutor(1, "ahead") as thread:
        coming = thread.submit(_some, source, size)
        while some := coming.result():
            coming = thread.submit(_some, source, size)
            yield some


def _some(source: Iterator[Item], size: int) -> list[Item]:
    return list(islice(source, size))
