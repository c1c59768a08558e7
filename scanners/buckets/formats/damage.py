"""What a parser of somebody else raises on a damaged or hostile file, as one error of ours."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from inventory.errors import InventoryError
from scanners.buckets.content import Content


@contextmanager
def damaged(content: Content, code: str, cause: str, remedy: str = "write it again") -> Generator[None]:
    """Raise UnreadableError for whatever goes wrong inside; its own text may hold values and is dropped.

    Parsers promise nothing about what they raise on wild input (IndexError, KeyError, struct.error, their own), so
    everything is caught that is not ours already.
    """
    try:
        yield
    except InventoryError:
        raise
    except Exception:  # noqa: BLE001
        raise content.unreadable(code, cause, remedy) from None
