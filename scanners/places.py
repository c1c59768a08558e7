"""The values at some places inside nested columns, and of no others: what is asked for costs, not what is there.

A place is an RFC 6901 pointer as detection names it: `/-` is every element of an array, `/*` every value of an open
map, and the pointer of the map itself means its keys.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc

from scanners.detection.values import Nesting, chunks, is_text, parse

_pc: Any = pc


def values_at(arrays: Sequence[pa.Array[Any]], pointers: Collection[str]) -> dict[str, list[pa.Array[Any]]]:
    """By pointer, the values there: Arrow arrays of flat types. Texts are read as JSON documents."""
    found: dict[str, list[pa.Array[Any]]] = {pointer: [] for pointer in pointers}
    for array in arrays:
        if is_text(array.type):
            for pointer, texts in _of_documents(array, pointers).items():
                found[pointer].append(pa.array(texts, pa.string()))
        else:
            for pointer in pointers:
                found[pointer] += _descended(array, _parts(pointer))
    return found


def _parts(pointer: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _descended(array: pa.Array[Any], parts: Sequence[str]) -> list[pa.Array[Any]]:
    """Along structs, lists and maps."""
    at: Any = array
    for part in parts:
        kind = at.type
        if part == "-" and (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
            at = at.flatten()
        elif part == "*" and pa.types.is_map(kind):
            at = at.items
        elif pa.types.is_struct(kind) and kind.get_field_index(part) >= 0:
            at = _pc.struct_field(at, kind.get_field_index(part))
        else:
            return []
    if pa.types.is_map(at.type):
        at = at.keys
    return [] if pa.types.is_nested(at.type) else [cast("pa.Array[Any]", at)]


# --- documents --------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Place:
    """Where a wanted place is, or the way there goes on."""

    pointer: str = ""  # "": nothing is wanted of the place itself
    inner: dict[str, _Place] = field(default_factory=dict[str, "_Place"])


def _of_documents(array: pa.Array[Any], pointers: Collection[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {pointer: [] for pointer in pointers}
    root = _Place()
    for pointer in pointers:
        place = root
        for part in _parts(pointer):
            place = place.inner.setdefault(part, _Place())
        place.pointer = pointer
    texts = [text for text in cast("list[str | None]", array.to_pylist()) if text]
    if not any(text.lstrip()[:1] in ("{", "[") for text in texts[:100]):
        return _of_pairs(array, found)
    for text in texts:
        _gather(parse(text), root, found)
    return found


def _gather(value: object, place: _Place, found: dict[str, list[str]]) -> None:
    if place.pointer:
        found[place.pointer].extend(_texts(value))
    for part, inner in place.inner.items():
        if isinstance(value, dict):
            members = cast("dict[str, object]", value)
            for member in members.values() if part == "*" else (members.get(part),):
                _gather(member, inner, found)
        elif part == "-" and isinstance(value, list):
            for member in cast("list[object]", value):
                _gather(member, inner, found)


def _texts(value: object) -> Iterable[str]:
    if isinstance(value, str):
        return (value,)
    if isinstance(value, dict):
        return cast("dict[str, object]", value).keys()
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return (str(value),)
    return ()


def _of_pairs(array: pa.Array[Any], found: dict[str, list[str]]) -> dict[str, list[str]]:
    """Texts that hold named values in another way, as detection takes them apart."""
    for chunk in chunks(array, Nesting()):
        if chunk.pointer in found:
            found[chunk.pointer].extend(text for text in chunk.texts if text is not None)
    return found
