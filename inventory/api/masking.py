"""Which errors a caller sees, and what the log keeps of the others.

A caller sees what they can act on: syntax, validation, limits, and this project's own errors, whose messages are
written for people. Everything else becomes one sentence with an id; the log has the id, the error's type and
where it arose. Neither the log nor an answer gets an error's own text, as drivers put values into it.
"""

from __future__ import annotations

import re
import secrets
import traceback

import structlog
from graphql import GraphQLError
from strawberry.extensions import MaskErrors

from inventory.errors import GraphError, InventoryError, QuestionError

_SUGGESTION = re.compile(r" Did you mean [^?]{1,1000}\?")
_log = structlog.get_logger("inventory.api")


def should_mask(error: GraphQLError) -> bool:
    """Whether the caller must not see the error's text."""
    original = error.original_error
    while isinstance(original, GraphQLError):
        original = original.original_error
    return original is not None and not isinstance(original, InventoryError)


class ErrorsForCallers(MaskErrors):
    """Masks what is not for callers, and gives every error a stable code."""

    def __init__(self, *, suggestions: bool = True) -> None:
        super().__init__(should_mask_error=should_mask)
        self._suggestions = suggestions

    def anonymise_error(self, error: GraphQLError) -> GraphQLError:
        """The sentence that stands for an unexpected error."""
        incident = secrets.token_hex(6)
        _log.error("unexpected error", incident=incident, **_whereabouts(error.original_error))
        return GraphQLError(
            f"Something went wrong in the service; its log says more under {incident}.",
            nodes=error.nodes,
            path=error.path,
            extensions={"code": "INTERNAL", "incident": incident},
        )

    def _process_errors(self, errors: list[GraphQLError]) -> list[GraphQLError]:
        processed = super()._process_errors(errors)
        for error in processed:
            if error.extensions is None:
                error.extensions = {}
            error.extensions.setdefault("code", _code(error))
            if not self._suggestions:
                error.message = _SUGGESTION.sub("", error.message)
        return processed


def _code(error: GraphQLError) -> str:
    match error.original_error:
        case QuestionError():
            return "BAD_QUESTION"
        case GraphError():
            return "GRAPH_UNAVAILABLE"
        case InventoryError():
            return "FAILED"
        case _:
            return "INVALID"


def _whereabouts(error: BaseException | None) -> dict[str, object]:
    """The error's type and the lines it passed through: code places only, no values."""
    frames = traceback.extract_tb(error.__traceback__ if error is not None else None)
    return {
        "error": type(error).__qualname__,
        "frames": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-12:]],
    }
