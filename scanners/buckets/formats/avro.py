"""Avro object container files. We take them apart into blocks ourselves, so that no block unpacks to too much."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import fastavro
import pyarrow as pa

from scanners.base import Sampling
from scanners.buckets.compression import Broken, inflate, wrapper_of
from scanners.buckets.content import Content
from scanners.buckets.formats.damage import damaged
from scanners.buckets.formats.interface import BATCH, Recognition, Table
from scanners.buckets.formats.json_lines import table_of
from scanners.buckets.formats.labelled import plain
from scanners.buckets.streams import ChunkFile
from scanners.buckets.text import batches_of
from scanners.records import JsonObject

_MAGIC = b"Obj\x01"
#: Writers close a block after some ten or hundred KiB.
_MOST_UNPACKED = 64 * 2**20
_LONGEST_NUMBER = 10  # bytes of a 64-bit varint
_SYNC = 16
_File: TypeAlias = "io.BufferedReader[ChunkFile]"
#: The column of values that are no records.
_VALUE = "value"


@dataclass(frozen=True, slots=True)
class Avro:
    """Apache Avro (avro.apache.org/docs/1.12.0/specification, "Object Container Files")."""

    name: str = "avro"
    suffixes: frozenset[str] = frozenset({".avro"})

    def recognises(self, content: Content) -> Recognition:
        """By the magic at its beginning."""
        if content.head.data.startswith(_MAGIC):
            return Recognition.MAGIC
        return Recognition.NAME if content.head.suffix in self.suffixes else Recognition.NO

    def open(self, content: Content, sampling: Sampling) -> Iterator[Table]:
        """One row a datum, its fields the columns."""
        rows = _rows(content)
        yield table_of(batches_of(rows, min(BATCH, sampling.rows)), sampling)


def _rows(content: Content) -> Iterator[JsonObject]:
    with damaged(content, "damaged-avro", "is a damaged Avro file"):
        try:
            yield from _data(content, io.BufferedReader(ChunkFile(content.chunks())))
        except EOFError:
            if not content.cut:
                raise


def _data(content: Content, file: _File) -> Iterator[JsonObject]:
    if file.read(len(_MAGIC)) != _MAGIC:
        raise content.unreadable("not-avro", "is no Avro file, whatever its name says")
    header = dict(_map(file))
    _exactly(file, _SYNC)
    schema = fastavro.parse_schema(json.loads(header[b"avro.schema"]))
    _refuse_endless(content, schema)
    codec = header.get(b"avro.codec", b"null").decode()
    read = cast("Callable[[io.BytesIO, object, None], object]", fastavro.schemaless_reader)  # pyright: ignore[reportUnknownMemberType]
    while file.peek(1):
        count = _number(file)
        block = io.BytesIO(_unpacked(content, codec, _exactly(file, _number(file))))
        _exactly(file, _SYNC)
        for _ in range(count):
            row = plain(read(block, schema, None))
            yield cast(JsonObject, row) if isinstance(row, dict) else {_VALUE: row}


def _map(file: _File) -> Iterator[tuple[bytes, bytes]]:
    while count := _number(file):
        if count < 0:
            count = -count
            _number(file)
        for _ in range(count):
            yield _exactly(file, _number(file)), _exactly(file, _number(file))


def _number(file: _File) -> int:
    """A zig-zag varint."""
    value = 0
    for place in range(_LONGEST_NUMBER):
        byte = _exactly(file, 1)[0]
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1)
    raise ValueError


def _exactly(file: _File, size: int) -> bytes:
    data = file.read(size) if 0 <= size <= _MOST_UNPACKED else b""
    if len(data) != size:
        raise EOFError
    return data


def _unpacked(content: Content, codec: str, data: bytes) -> bytes:
    if codec == "null":
        return data
    if codec == "snappy":
        return _unsnapped(content, data)
    unpack: Callable[[Iterator[bytes]], Iterator[bytes]] | None = inflate if codec == "deflate" else None
    if unpack is None:
        wrapper = wrapper_of(data[:16])
        if wrapper is None:
            raise content.unreadable("unknown-codec", "is compressed in a way that is not read")
        unpack = wrapper.unpack
    whole = bytearray()
    try:
        for chunk in unpack(iter((data,))):
            whole += chunk
            if len(whole) > _MOST_UNPACKED:
                raise content.unreadable("bomb", "unpacks to far more than any table does; it was not read")
    except Broken as broken:
        raise content.unreadable(broken.code, broken.cause, broken.remedy) from None
    return bytes(whole)


def _unsnapped(content: Content, data: bytes) -> bytes:
    """Snappy begins with the size of what it holds; Avro puts a checksum behind it."""
    size = 0
    for place, byte in enumerate(data[:5]):
        size |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            break
    if size > _MOST_UNPACKED:
        raise content.unreadable("bomb", "unpacks to far more than any table does; it was not read")
    return pa.decompress(data[:-4], size, "snappy", asbytes=True)


def _refuse_endless(content: Content, schema: object) -> None:
    """An array of values that take no bytes can claim any length."""
    if isinstance(schema, dict):
        known = cast("dict[str, Any]", schema)
        items = known.get("items", known.get("values"))
        empty_record = isinstance(items, dict) and cast("dict[str, Any]", items).get("fields") == []
        if known.get("type") == "array" and (items == "null" or empty_record):
            raise content.unreadable("bomb", "declares arrays of nothing, which have no end; it was not read")
        for value in known.values():
            _refuse_endless(content, value)
    elif isinstance(schema, list):
        for each in cast("list[object]", schema):
            _refuse_endless(content, each)


FORMAT = Avro()
