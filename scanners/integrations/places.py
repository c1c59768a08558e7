"""JSON pointers (RFC 6901) into answers, with `/-` for every element of an array and `/*` for every member."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast


def at(value: Any, pointer: str) -> Any:
    """What is at the pointer, or None."""
    for part in parts_of(pointer):
        if not isinstance(value, dict):
            return None
        value = cast("dict[str, Any]", value).get(part)
    return value


def every(value: Any, pointer: str) -> Iterator[Any]:
    """All that is at the pointer: one, or as many as arrays and open maps on the way hold."""
    return _below(value, parts_of(pointer))


def _below(value: Any, parts: list[str]) -> Iterator[Any]:
    if not parts:
        yield value
        return
    first, rest = parts[0], parts[1:]
    if isinstance(value, list) and first == "-":
        for each in cast("list[object]", value):
            yield from _below(each, rest)
    elif isinstance(value, dict):
        members = cast("dict[str, object]", value)
        for key in members if first == "*" else (first,) if first in members else ():
            yield from _below(members[key], rest)


def with_value(value: Any, pointer: str, new: object) -> Any:
    """A copy of the JSON value with `new` at the pointer; objects on the way are made."""
    return _with(value, parts_of(pointer), new)


def _with(value: Any, parts: list[str], new: object) -> Any:
    if not parts:
        return new
    members = cast("dict[str, object]", value) if isinstance(value, dict) else {}
    return {**members, parts[0]: _with(members.get(parts[0]), parts[1:], new)}


def parts_of(pointer: str) -> list[str]:
    """The pointer's parts, unescaped."""
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
