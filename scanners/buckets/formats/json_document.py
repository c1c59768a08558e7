"""A JSON document: an array of records, an object around such an array, or one record."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from scanners.base import Sampling
from scanners.buckets.content import Content
from scanners.buckets.formats.interface import BATCH, Recognition, Table
from scanners.buckets.formats.json_lines import table_of
from scanners.buckets.text import batches_of
from scanners.records import JsonObject

_BLANK = re.compile(r"[\s,]*")
#: Where an array of objects begins that is the value of a key at the document's top.
_INNER_ARRAY = re.compile(r'^\s*\{(?:\s*"[^"\\]*"\s*:\s*(?:"[^"\\]*"|[-+.\w]+)\s*,)*\s*"[^"\\]*"\s*:\s*\[(?=\s*\{)')
#: The column of an array whose elements are no objects.
_ELEMENT = "value"


@dataclass(frozen=True, slots=True)
class JsonDocument:
    """JSON (RFC 8259)."""

    name: str = "json"
    suffixes: frozenset[str] = frozenset({".json", ".geojson"})

    def recognises(self, content: Content) -> Recognition:
        """It begins as an object, or as an array."""
        encoding = content.head.encoding
        text = content.head.data.decode(encoding, "replace").removeprefix("\ufeff").lstrip() if encoding else ""
        named = content.head.suffix in self.suffixes
        if re.match(r'\{\s*["}]|\[\s*[\[{"\]\d]', text) and (named or _is_json_or_cut(text, content.head.complete)):
            return Recognition.CONTENT
        return Recognition.NAME if named else Recognition.NO

    def open(self, content: Content, sampling: Sampling) -> Iterator[Table]:
        """The records one after another; of a document that is too long, those that are whole."""
        encoding = content.head.encoding
        if not encoding:
            raise content.unreadable("malformed-json", "is not JSON: it is no text")
        data = b"".join(content.chunks())
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            if not content.cut:
                content.remark("invalid-encoding", f"holds bytes that are not {encoding.upper()}, which were replaced")
            text = data.decode(encoding, "replace")
        if "\0" in text:
            content.remark("nul-bytes", "holds NUL bytes, which were dropped")
            text = text.replace("\0", "")
        text = text.removeprefix("\ufeff").lstrip()
        yield table_of(batches_of(_records(content, text), min(BATCH, sampling.rows)), sampling)


def _is_json_or_cut(text: str, complete: bool) -> bool:
    if not complete:
        return True
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _records(content: Content, text: str) -> Iterator[JsonObject]:
    if text.startswith("["):
        yield from _elements(content, text, 1)
        return
    inner = _INNER_ARRAY.match(text)
    if inner is not None:
        yield from _elements(content, text, inner.end())
        return
    document = _parse(content, text, 0)[0]
    if isinstance(document, dict):
        yield cast(JsonObject, document)
    else:
        yield {_ELEMENT: document}


def _elements(content: Content, text: str, position: int) -> Iterator[JsonObject]:
    while True:
        position = _end_of(_BLANK, text, position)
        if text.startswith("]", position):
            return
        if content.cut and position >= len(text):
            return
        element, position = _parse(content, text, position)
        if element is _CUT:
            return
        yield cast(JsonObject, element) if isinstance(element, dict) else {_ELEMENT: element}


_CUT = object()
_DECODER = json.JSONDecoder()


def _parse(content: Content, text: str, position: int) -> tuple[Any, int]:
    """The value at the position and where it ends; `_CUT` when it is not whole because reading stopped."""
    try:
        return _DECODER.raw_decode(text, position)
    except (ValueError, RecursionError) as error:
        if content.cut:
            if position == 0:
                raise content.unreadable(
                    "too-large", "is one value, too large to read", "raise sampling.bytes"
                ) from None
            return _CUT, position
        kind = "nests too deeply" if isinstance(error, RecursionError) else "is malformed JSON"
        raise content.unreadable("malformed-json", kind, "write it again") from None


def _end_of(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    return match.end() if match is not None else position


FORMAT = JsonDocument()
