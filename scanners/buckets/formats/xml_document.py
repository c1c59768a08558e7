"""XML: the elements that repeat are records, read as they stream by; what stands around them is a record of its own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast
from xml.parsers import expat

from scanners.base import Sampling
from scanners.buckets.content import Content
from scanners.buckets.formats.interface import Recognition, Table
from scanners.buckets.formats.labelled import tables_by_name
from scanners.records import JsonObject, cut

_BEGINS = re.compile(r"\s*(?:<\?xml[\s?]|<!DOCTYPE\s+(?!html)|<!--|<[A-Za-z_][\w.:-]*(?:\s[^<>]*)?/?>)")
_MOST_DEEP = 100
_CHUNK = 64 * 2**10
#: The key of an element's own text beside its attributes and children.
_TEXT = "text"

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class XmlDocument:
    """XML 1.0, without entities of its own (the way of "billion laughs" and of reading other files)."""

    name: str = "xml"
    suffixes: frozenset[str] = frozenset({".xml"})

    def recognises(self, content: Content) -> Recognition:
        """It begins as XML does and not as a page."""
        encoding = content.head.encoding
        named = content.head.suffix in self.suffixes
        text = content.head.data[:2000].decode(encoding, "replace").removeprefix("\ufeff") if encoding else ""
        if _BEGINS.match(text) and (named or text.lstrip().startswith("<?xml")):
            return Recognition.CONTENT
        return Recognition.NAME if named else Recognition.NO

    def open(self, content: Content, sampling: Sampling) -> Iterator[Table]:
        """The records' columns are their attributes and children, nested ones as JSON.

        When there is one kind of record its table has no name; of several kinds each is named by its element, and so
        is what stands around the records, by the root's.
        """
        yield from tables_by_name(_records(content, sampling), sampling)


def _records(content: Content, sampling: Sampling) -> Iterator[tuple[str, JsonObject]]:
    # A document that declares nothing is UTF-8 or UTF-16; some are neither.
    undeclared = content.head.encoding == "cp1252" and b"encoding" not in content.head.data[:200]
    encoding = "cp1252" if undeclared else None
    shape = _Reader(frozenset(), sampling.value_bytes, encoding)
    with suppress(_Refused):  # said below, where the records before it are read first
        shape.feed(content.head.data, final=content.head.complete)
    paths = shape.repeated()
    reader = _Reader(paths, sampling.value_bytes, encoding)
    only = next(iter(paths)) if len(paths) == 1 else None
    try:
        for chunk in content.chunks():
            for start in range(0, len(chunk), _CHUNK):
                reader.feed(chunk[start : start + _CHUNK])
                yield from reader.take(only)
        if not content.cut:
            reader.feed(b"", final=True)
        yield from reader.take(only)
    except _Refused as refused:
        yield from reader.take(only)
        raise content.unreadable(refused.code, refused.cause, "write it again") from None
    around = reader.around()
    if around:
        yield (reader.root if paths else ""), around


class _Refused(Exception):
    def __init__(self, code: str, cause: str) -> None:
        super().__init__(cause)
        self.code, self.cause = code, cause


@dataclass(slots=True)
class _Element:
    values: dict[str, Any] = field(default_factory=dict[str, Any])
    texts: list[str] = field(default_factory=list[str])
    length: int = 0
    structured: bool = False

    def value(self, value_bytes: int) -> object:
        text = cut("".join(self.texts).strip(), value_bytes)
        if not self.values:
            return text or None
        return {**self.values, **({_TEXT: text} if text else {})}

    def add(self, name: str, value: object) -> None:
        if name not in self.values:
            self.values[name] = value
        elif isinstance(self.values[name], list):
            self.values[name].append(value)
        else:
            self.values[name] = [self.values[name], value]


class _Reader:
    """Elements as they end: records are kept apart, everything else goes into its parent."""

    def __init__(self, records: frozenset[Path], value_bytes: int, encoding: str | None) -> None:
        self.root = ""
        self._records = set(records)
        self._value_bytes = value_bytes
        self._path: list[str] = []
        self._open: list[_Element] = [_Element()]
        self._found: list[tuple[Path, JsonObject]] = []
        self._counts: Counter[Path] = Counter()
        self._structured: set[Path] = set()
        parser = expat.ParserCreate(encoding)
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.EntityDeclHandler = self._entity
        self._parser = parser

    def feed(self, data: bytes, final: bool = False) -> None:
        try:
            self._parser.Parse(data, final)
        except (expat.ExpatError, ValueError, LookupError):
            raise _Refused("malformed-xml", "is malformed XML") from None

    def take(self, only: Path | None) -> Iterator[tuple[str, JsonObject]]:
        found, self._found = self._found, []
        for path, record in found:
            yield ("" if path == only else path[-1]), record

    def repeated(self) -> frozenset[Path]:
        """The outermost paths with more than one element that has attributes or children; else plain repeated ones."""
        for candidates in (self._structured, set(self._counts)):
            paths: set[Path] = set()
            for path in sorted(candidates, key=len):
                inside = any(path[: len(outer)] == outer for outer in paths)
                if len(path) > 1 and self._counts[path] > 1 and not inside:
                    paths.add(path)
            if paths:
                return frozenset(paths)
        return frozenset()

    def around(self) -> JsonObject | None:
        """What is outside the records, of elements that are still open as well."""
        while len(self._open) > 1:
            inner = self._open.pop().value(self._value_bytes)
            if inner is not None:
                self._open[-1].add(self._path.pop(), inner)
        whole = self._open[0].values.get(self.root)
        return None if whole is None else _record(self.root, whole)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        self.root = self.root or name
        self._path.append(name)
        if len(self._path) > _MOST_DEEP:
            raise _Refused("malformed-xml", "nests too deeply")
        element = _Element()
        for key, value in attributes.items():
            if key != "xmlns" and not key.startswith("xmlns:"):
                element.values[key.rpartition(":")[2]] = cut(value, self._value_bytes)
        element.structured = bool(element.values)
        self._open[-1].structured = True
        self._open.append(element)

    def _end(self, _: str) -> None:
        element = self._open.pop()
        path = tuple(self._path)
        self._path.pop()
        value = element.value(self._value_bytes)
        if path in self._records:
            self._found.append((path, _record(path[-1], value)))
            return
        if value is not None:
            self._open[-1].add(path[-1], value)
        if any(path[: len(record)] == record for record in self._records):
            return
        self._counts[path] += 1
        if element.structured:
            self._structured.add(path)
            if self._counts[path] == 2 and len(path) > 1 and self._records:
                self._records.add(path)  # a kind of record that begins only later

    def _text(self, text: str) -> None:
        element = self._open[-1]
        if element.length < self._value_bytes:
            element.texts.append(text)
            element.length += len(text)

    def _entity(self, *_: object) -> None:
        raise _Refused("entities", "declares entities of its own, which are not read")


def _record(name: str, value: object) -> JsonObject:
    return cast(JsonObject, value) if isinstance(value, dict) else {name: value}


FORMAT = XmlDocument()
