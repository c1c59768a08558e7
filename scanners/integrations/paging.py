"""From one page of a list to the next, in each of the ways that a connector can name.

A paging parameter goes into the query (of a POST without `body`, into its form); one that is written as a JSON
pointer goes there into the body.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urljoin

from scanners.integrations.connector import (
    CursorPaging,
    LinkPaging,
    NoPaging,
    NumberPaging,
    OffsetPaging,
    Paging,
    TokenPaging,
)
from scanners.integrations.places import at, with_value


@dataclass(frozen=True, slots=True)
class Step:
    """What to ask for a page. `position` is its number or offset, where pages have one."""

    address: str
    parameters: Mapping[str, str]
    body: Any = None
    position: int = 0

    def mark(self) -> bytes:
        """The same for the same question, and without its text."""
        said = repr((self.address, sorted(self.parameters.items()), json.dumps(self.body, sort_keys=True)))
        return hashlib.blake2b(said.encode("utf-8", "replace"), digest_size=16).digest()

    def with_parameter(self, name: str, value: str | int) -> Step:
        """The step with a parameter of the query, or with a value in the body if its name is a pointer."""
        if name.startswith("/"):
            return replace(self, body=with_value(self.body, name, value))
        return replace(self, parameters={**self.parameters, name: str(value)})


class HalfPageError(ValueError):
    """The answer says that there is more, and gives no way to it."""


def first(paging: Paging, step: Step) -> Step:
    """What to ask for the first page."""
    match paging:
        case OffsetPaging():
            return step.with_parameter(paging.parameter, 0).with_parameter(paging.size_parameter, paging.size)
        case NumberPaging():
            step = replace(step.with_parameter(paging.parameter, paging.first), position=paging.first)
            return step.with_parameter(paging.size_parameter, paging.size) if paging.size_parameter else step
        case _:
            return step


def following(paging: Paging, step: Step, answer: Any, link: str, page: Sequence[Any]) -> Step | None:
    """What to ask after a page, None after the last. Raises HalfPageError."""
    match paging:
        case NoPaging():
            return None
        case CursorPaging():
            if at(answer, paging.more) is not True:
                return None
            return _with_token(step, paging.parameter, at(page[-1], paging.key) if page else None)
        case TokenPaging():
            token = at(answer, paging.token)
            if at(answer, paging.more) is not True if paging.more is not None else not token:
                return None
            return _with_token(step, paging.parameter, token)
        case OffsetPaging():
            if len(page) < paging.size:
                return None
            moved = replace(step, position=step.position + len(page))
            return moved.with_parameter(paging.parameter, moved.position)
        case NumberPaging():
            if len(page) < paging.size:
                return None
            moved = replace(step, position=step.position + 1)
            for parameter, pointer in paging.carry.items():
                moved = _with_token(moved, parameter, at(answer, pointer))
            return moved.with_parameter(paging.parameter, moved.position)
        case LinkPaging():
            if paging.ends_empty and not page:
                return None
            target = at(answer, paging.next) if paging.next else link
            return replace(step, address=urljoin(step.address, str(target)), parameters={}) if target else None


def _with_token(step: Step, parameter: str, token: object) -> Step:
    if not isinstance(token, str | int) or token == "":
        raise HalfPageError
    return step.with_parameter(parameter, token)
