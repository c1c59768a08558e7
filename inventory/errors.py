"""The few errors a user meets. Each names the source and the cause in one line.

A message is written for the person who reads it in a terminal and is also stored as a finding in the graph,
so it never holds a value from the scanned data, a secret, or a connection string with its password.
"""

from __future__ import annotations


class InventoryError(Exception):
    """Something a user can act on: `source` (what it concerns), `cause` (what went wrong), `remedy` (what to do).

    `code` is the stable word for it in a `Finding` ("no-permission"), where it becomes one.
    """

    def __init__(self, source: str, cause: str, remedy: str = "", code: str = "") -> None:
        self.source = source
        self.cause = cause
        self.remedy = remedy
        self.code = code
        super().__init__(f"{source}: {cause}" + (f" ({remedy})" if remedy else ""))

    def __reduce__(self) -> tuple[type[InventoryError], tuple[str, str, str, str]]:
        """As it travels from a worker process."""
        return type(self), (self.source, self.cause, self.remedy, self.code)


class ConfigError(InventoryError):
    """The configuration, a vocabulary file or a connector file is wrong; nothing was started."""


class SourceError(InventoryError):
    """A source could not be looked at (unreachable, refused, no permission); other sources go on."""


class UnreadableError(InventoryError):
    """One dataset or object of a source could not be read; the rest of the source goes on."""


class GraphError(InventoryError):
    """The graph engine is missing, locked, unreachable or refused a statement."""


class QuestionError(InventoryError):
    """A question is malformed or names something the inventory does not hold."""
