"""Arrow columns as fields of texts: what detection looks at, whatever type the values come in.

A flat column is one field. A struct, list, map, or a text column whose values are JSON documents is a field for every
place inside it, named by an RFC 6901 pointer (`/-` every element of an array, `/*` every key of an open map).
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise
from typing import Any, cast
from urllib.parse import unquote_plus

import pyarrow as pa
import pyarrow.compute as pc

from scanners.detection.validators import VALIDATORS

VALUE_BYTES = 64 * 2**10
"""A longer value is looked at up to here."""

_DEPTH = 12
_is_full_name = VALIDATORS["full_name"]
_OPEN_MAP_KEYS = 64


@dataclass(slots=True)
class Chunk:
    """Some values of one field: texts (None for null), all of one kind."""

    pointer: str
    kind: str
    texts: Sequence[str | None]
    lengths: Sequence[int] | None = None  # in bytes, when values were cut


def kind_of(kind: pa.DataType) -> str:
    """Our word for an Arrow type."""
    if pa.types.is_dictionary(kind):
        return kind_of(kind.value_type)
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_integer(kind):
        return "integer"
    if pa.types.is_floating(kind):
        return "float"
    if pa.types.is_decimal(kind):
        return "integer" if kind.scale <= 0 else "float"
    if pa.types.is_date(kind):
        return "date"
    if pa.types.is_timestamp(kind):
        return "timestamp"
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return "binary"
    if pa.types.is_struct(kind) or pa.types.is_map(kind):
        return "object"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return "list"
    return "text"


_DECLARED = (
    ("uuid", "uuid"), ("uniqueidentifier", "uuid"), ("json", "object"), ("variant", "object"), ("struct", "object"),
    ("map", "object"), ("array", "list"), ("list", "list"), ("[]", "list"), ("bool", "boolean"),
    ("timestamp", "timestamp"),
    ("datetime", "timestamp"), ("date", "date"), ("interval", "text"), ("point", "text"), ("int", "integer"),
    ("serial", "integer"), ("float", "float"), ("double", "float"), ("real", "float"), ("decimal", "float"),
    ("numeric", "float"), ("number", "float"), ("money", "float"), ("bytea", "binary"), ("blob", "binary"),
    ("binary", "binary"), ("char", "text"), ("text", "text"), ("string", "text"), ("clob", "text"), ("inet", "text"),
    ("cidr", "text"), ("macaddr", "text"), ("object", "object"), ("integer", "integer"), ("enum", "text"),
)  # fmt: skip


def kind_of_declared(declared: str) -> str:
    """Our word for a type as a source declares it; "" when it says nothing to us."""
    lowered = declared.lower()
    return next((kind for word, kind in _DECLARED if word in lowered), "")


@dataclass
class Nesting:
    """What is known of the inside of one column: which objects are open maps."""

    is_json: bool | None = None
    is_pairs: bool | None = None
    open_maps: set[str] = field(default_factory=set[str])
    keys: dict[str, set[str]] = field(default_factory=dict[str, set[str]])


def chunks(array: pa.Array[Any], nesting: Nesting, pointer: str = "", depth: int = 0) -> Iterator[Chunk]:
    """The fields in an Arrow array, each with its texts."""
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        yield from chunks(cast("Any", array).storage, nesting, pointer, depth)
    elif pa.types.is_dictionary(kind):
        yield from chunks(cast("pa.DictionaryArray[Any, Any]", array).dictionary_decode(), nesting, pointer, depth)
    elif pa.types.is_struct(kind):
        yield Chunk(pointer, "object", [None if n else "{}" for n in array.is_null().to_pylist()])
        for name, inner in _members(array) if depth < _DEPTH else ():
            yield from chunks(inner, nesting, f"{pointer}/{escape(name)}", depth + 1)
    elif pa.types.is_map(kind):
        as_map = cast("Any", array)
        nesting.open_maps.add(pointer)
        yield from chunks(as_map.keys, nesting, pointer, depth + 1)
        if depth < _DEPTH:
            yield from chunks(as_map.items, nesting, f"{pointer}/*", depth + 1)
    elif kind_of(kind) == "list":
        yield Chunk(pointer, "list", [None if n else "[]" for n in array.is_null().to_pylist()])
        if depth < _DEPTH:
            yield from chunks(cast("Any", array).flatten(), nesting, f"{pointer}/-", depth + 1)
    else:
        yield from _flat(array, nesting, pointer)


def _members(array: pa.Array[Any]) -> Sequence[tuple[str, pa.Array[Any]]]:
    """The columns of a struct, with the struct's nulls in each."""
    as_struct = cast("Any", array)
    names = [cast("str", as_struct.type.field(index).name) for index in range(as_struct.type.num_fields)]
    return list(zip(names, cast("list[pa.Array[Any]]", as_struct.flatten()), strict=True))


def _flat(array: pa.Array[Any], nesting: Nesting, pointer: str) -> Iterator[Chunk]:
    kind = kind_of(array.type)
    if kind == "float" and pa.types.is_floating(array.type):
        yield Chunk(pointer, *_numbers(array.to_pylist()))
    elif kind in {"text", "binary"} and (is_text(array.type) or kind == "binary"):
        texts, lengths = _texts(array)
        if kind == "binary":
            yield _binary(pointer, texts, array)
        elif _looks_json(texts, nesting, pointer):
            yield from _documents(texts, nesting, pointer)
        else:
            yield Chunk(pointer, kind, texts, lengths)
            if _looks_like_pairs(texts, nesting, pointer):
                yield from _named_values(texts, pointer)
    elif pa.types.is_null(array.type):
        yield Chunk(pointer, "text", [None] * len(array))
    else:
        yield Chunk(pointer, kind, _as_text(array))


def is_text(kind: pa.DataType) -> bool:
    """Whether an Arrow type is a string."""
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _as_text(array: pa.Array[Any]) -> Sequence[str | None]:
    try:
        return _decoded(array.cast(pa.string()))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return [None if value is None else str(value) for value in cast("list[object]", array.to_pylist())]


def _numbers(values: Sequence[float | None]) -> tuple[str, Sequence[str | None]]:
    """Floats as people wrote them: whole numbers (also in scientific form) lose their point."""
    whole = all(v is None or (v == v and abs(v) < 2**63 and v == int(v)) for v in values)
    if whole:
        return "integer", [None if v is None else str(int(v)) for v in values]
    return "float", [None if v is None or v != v else repr(v) for v in values]


def _texts(array: pa.Array[Any]) -> tuple[Sequence[str | None], Sequence[int] | None]:
    """Texts cut to VALUE_BYTES; bytes that are no UTF-8 are replaced."""
    if pa.types.is_string_view(array.type):
        array = array.cast(pa.large_string())
    if pa.types.is_fixed_size_binary(array.type):
        array = array.cast(pa.binary())
    if array.nbytes > VALUE_BYTES:
        sizes = cast("Any", pc).binary_length(array)
        longest = cast("int | None", cast("Any", pc).max(sizes).as_py())
        if longest is not None and longest > VALUE_BYTES:
            lengths = [size for size in sizes.to_pylist() if size is not None]
            if is_text(array.type):
                array = array.cast(pa.large_binary() if pa.types.is_large_string(array.type) else pa.binary())
            return _decoded(cast("Any", pc).binary_slice(array, 0, VALUE_BYTES)), lengths
    return _decoded(array), None


def _decoded(array: pa.Array[Any]) -> Sequence[str | None]:
    """The texts of an array of strings or bytes; bytes that are no UTF-8 are replaced."""
    _, offsets, data = array.buffers()
    if offsets is None or data is None:
        return [None if value is None else "" for value in array.to_pylist()]
    wide = pa.types.is_large_string(array.type) or pa.types.is_large_binary(array.type)
    ends = memoryview(cast("Any", offsets)).cast("q" if wide else "i")[array.offset : array.offset + len(array) + 1]
    places = ends.tolist()
    first = places[0]
    raw = bytes(memoryview(cast("Any", data))[first : places[-1]])
    cuts = pairwise([place - first for place in places] if first else places)
    if raw.isascii():
        joined = raw.decode("ascii")
        texts = [joined[start:end] for start, end in cuts]
    else:
        texts = [raw[start:end].decode("utf-8", errors="replace") for start, end in cuts]
    if array.null_count:
        given: list[str | None] = [*texts]
        for row in cast("Any", pc).indices_nonzero(array.is_null()).to_pylist():
            given[row] = None
        return given
    return texts


def _binary(pointer: str, texts: Sequence[str | None], array: pa.Array[Any]) -> Chunk:
    """Binary that holds text is text; else it is shown as base64, by its first bytes."""
    present = [text for text in texts if text]
    if present and sum("\ufffd" in t or "\0" in t for t in present) * 5 < len(present):
        return Chunk(pointer, "text", texts)
    raw = cast("list[bytes | None]", array.to_pylist())
    return Chunk(pointer, "binary", [None if v is None else base64.b64encode(v[:64]).decode("ascii") for v in raw])


# --- JSON in text -----------------------------------------------------------------------------------------


def _first_present(texts: Sequence[str | None]) -> Sequence[str]:
    return list(islice((text for text in texts if text and not text.isspace()), 50))


def _looks_json(texts: Sequence[str | None], nesting: Nesting, pointer: str) -> bool:
    if pointer:
        return False
    if nesting.is_json is None:
        present = _first_present(texts)
        if not present:
            return False
        opened = [text for text in present if ("{" in text or "[" in text) and text.lstrip()[:1] in {"{", "["}]
        documents = sum(parse(text) is not None for text in opened) if len(opened) * 10 >= len(present) * 8 else 0
        nesting.is_json = documents * 10 >= len(present) * 8
    return nesting.is_json


_PAIR = re.compile(r"\s*([A-Za-z_][\w.-]{0,40}) ?[=:] ?([^;&|\n=]{0,200})")
_PAIRS = re.compile(r"[;&|\n]")


def pairs(text: str) -> dict[str, str]:
    """The values by key of a blob such as `name=Zoe;mail=z@b.org` or `a=1&b=2`; empty when it is none."""
    parts = [part for part in _PAIRS.split(text[:4_000]) if part.strip()]
    matched = [_PAIR.fullmatch(part) for part in parts]
    if len(parts) < 2 or not all(matched):
        return {}
    return {match[1]: unquote_plus(match[2].strip()) for match in matched if match is not None}


def _looks_like_pairs(texts: Sequence[str | None], nesting: Nesting, pointer: str) -> bool:
    if pointer:
        return False
    if nesting.is_pairs is None:
        present = _first_present(texts)
        if not present:
            return False
        divided = [text for text in present if _PAIRS.search(text)]
        if len(divided) * 10 < len(present) * 8:
            nesting.is_pairs = False
            return False
        blobs = [set(pairs(text)) for text in divided]
        # Blobs of one table have their keys in common; what merely looks like pairs has not.
        keys = set[str]().union(*blobs)
        nesting.is_pairs = len(keys) <= 40 and sum(bool(blob) for blob in blobs) * 10 >= len(present) * 8
    return nesting.is_pairs


def _named_values(texts: Sequence[str | None], pointer: str) -> Iterator[Chunk]:
    columns: dict[str, list[str | None]] = {}
    for text in texts:
        for key, value in pairs(text).items() if text else ():
            if len(columns) < _OPEN_MAP_KEYS or key in columns:
                columns.setdefault(key, []).append(value)
    for key, values in columns.items():
        if not _key_is_data(key):
            yield Chunk(f"{pointer}/{escape(key)}", "text", values)


_BASE64 = re.compile(r"[A-Za-z0-9+/]{16,8192}={0,2}|[A-Za-z0-9_-]{16,8192}={0,2}")
_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")


def may_be_encoded(text: str) -> bool:
    """Whether it is worth trying to take an encoding off: a quick look that lets nothing encoded by."""
    size = len(text)
    return size >= 10 and ("%" in text or (size >= 16 and size % 4 == 0 and " " not in text))


def decoded_once(text: str) -> str:
    """What the text says when URL-encoding or base64 is taken off once; "" when it is neither."""
    if _PERCENT.search(text):
        plain = unquote_plus(text)
        return "" if plain == text or "\ufffd" in plain else plain
    if len(text) % 4 == 0 and _BASE64.fullmatch(text):
        try:
            plain = base64.b64decode(text, altchars=b"-_" if "-" in text or "_" in text else None).decode("utf-8")
        except (ValueError, UnicodeDecodeError):
            return ""
        return plain if plain.isprintable() else ""
    return ""


def parse(text: str) -> dict[str, Any] | list[Any] | None:
    """A JSON object or array, or None."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any] | list[Any]", document) if isinstance(document, dict | list) else None


@dataclass(slots=True)
class _Leaf:
    texts: list[str | None] = field(default_factory=list[str | None])
    kinds: dict[str, int] = field(default_factory=dict[str, int])

    def add(self, kind: str, text: str | None) -> None:
        self.texts.append(text)
        if text is not None:
            self.kinds[kind] = self.kinds.get(kind, 0) + 1

    @property
    def kind(self) -> str:
        if set(self.kinds) == {"integer", "float"}:
            return "float"
        return max(self.kinds, key=lambda kind: self.kinds[kind]) if self.kinds else "text"


def _documents(texts: Sequence[str | None], nesting: Nesting, pointer: str) -> Iterator[Chunk]:
    documents = [None if text is None else parse(text) for text in texts]
    leaves: dict[str, _Leaf] = {pointer: _Leaf()}
    for document in documents:
        _note_keys(document, nesting, pointer, 0)
    for text, document in zip(texts, documents, strict=True):
        if document is None:
            leaves[pointer].add("text", text)
        else:
            _walk(document, nesting, pointer, leaves, 0)
    for place, leaf in leaves.items():
        yield Chunk(place, leaf.kind, leaf.texts)


def _note_keys(value: object, nesting: Nesting, pointer: str, depth: int) -> None:
    """Find the objects whose keys are data: too many different ones, or keys that are themselves values."""
    if depth >= _DEPTH:
        return
    if isinstance(value, dict):
        mapping = cast("dict[str, object]", value)
        known = nesting.keys.setdefault(pointer, set())
        if pointer not in nesting.open_maps:
            known.update(mapping)
            if len(known) > _OPEN_MAP_KEYS or any(_key_is_data(key) for key in mapping):
                nesting.open_maps.add(pointer)
                known.clear()
        for key, inner in mapping.items():
            if isinstance(inner, dict | list):
                _note_keys(cast("object", inner), nesting, _below(nesting, pointer, key), depth + 1)
    elif isinstance(value, list):
        for inner in cast("list[object]", value):
            if isinstance(inner, dict | list):
                _note_keys(cast("object", inner), nesting, f"{pointer}/-", depth + 1)


def _key_is_data(key: str) -> bool:
    """A key that names a person or is a value itself: it may not become a part of a field's name."""
    if " " in key and _is_full_name(key):
        return True
    return "@" in key[1:] or len(key) > 64 or sum(c.isdigit() for c in key) >= 6 or key.count(".") >= 3


def _below(nesting: Nesting, pointer: str, key: str) -> str:
    return f"{pointer}/*" if pointer in nesting.open_maps else f"{pointer}/{escape(key)}"


def _walk(value: object, nesting: Nesting, pointer: str, leaves: dict[str, _Leaf], depth: int) -> None:
    leaf = leaves.setdefault(pointer, _Leaf())
    if isinstance(value, dict):
        mapping = cast("dict[str, object]", value)
        if pointer in nesting.open_maps:
            for key in mapping:
                leaf.add("text", key)
        else:
            leaf.add("object", "{}")
        if depth < _DEPTH:
            for key, inner in mapping.items():
                _walk(inner, nesting, _below(nesting, pointer, key), leaves, depth + 1)
    elif isinstance(value, list):
        leaf.add("list", "[]")
        if depth < _DEPTH:
            for inner in cast("list[object]", value):
                _walk(inner, nesting, f"{pointer}/-", leaves, depth + 1)
    elif value is None:
        leaf.add("text", None)
    elif isinstance(value, bool):
        leaf.add("boolean", "true" if value else "false")
    elif isinstance(value, int):
        leaf.add("integer", _whole(value))
    elif isinstance(value, float):
        kind, texts = _numbers([value])
        leaf.add(kind, texts[0])
    else:
        leaf.add("text", str(value)[:VALUE_BYTES].encode("utf-8", "replace").decode("utf-8", "replace"))


def _whole(value: int) -> str:
    return str(value) if value.bit_length() < 4096 else "0" * 1200


def escape(key: str) -> str:
    """A key as a part of a JSON pointer."""
    return key.replace("~", "~0").replace("/", "~1")
