"""What a message's bytes say: JSON, text, or a record in the wire format of a schema registry.

In that format a zero byte and the schema's number (4 bytes, big-endian) come first
(docs.confluent.io, "Schema Registry serializers: wire format"); then Avro without a header, or JSON.
"""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote

from inventory.errors import UnreadableError
from scanners.integrations.engine import Engine, Limits, Request
from scanners.record_store import missing_driver, parsed
from scanners.sightings import KnownField

_LIMITS = Limits(attempts=2, one_wait=5, all_waits=10, silence=10, answer=30)
_HEADER = 5
_MOST_REFERENCES = 100
#: What a decoder may raise at bytes that do not fit their schema.
_MALFORMED = (EOFError, ValueError, IndexError, KeyError, TypeError, OverflowError, RecursionError, struct.error)


class UnknownFormat(Exception):
    """The bytes are in no format that is read; the message says which, in our own words."""


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema as the registry has it; `decoder` is fastavro's form of an Avro schema."""

    type: str  # "AVRO", "JSON", "PROTOBUF"
    text: str
    decoder: Any = None


class SchemaRegistry:
    """A schema registry, asked for each schema once."""

    def __init__(self, source: str, url: str, headers: Mapping[str, str]) -> None:
        self._source = source
        self._engine = Engine(source, url, headers=headers, limits=_LIMITS)
        self._known: dict[int, Schema | UnreadableError] = {}

    def close(self) -> None:
        """Close connections."""
        self._engine.close()

    def schema(self, number: int) -> Schema:
        """The schema of this number; UnreadableError when the registry does not give it."""
        if number not in self._known:
            try:
                answer = self._engine.get(Request(f"schema {number}", f"/schemas/ids/{number}"))
                self._known[number] = self._schema(answer)
            except UnreadableError as error:
                self._known[number] = error
        found = self._known[number]
        if isinstance(found, UnreadableError):
            raise found
        return found

    def declared(self, topic: str) -> Iterator[KnownField]:
        """The fields that the newest schema of a topic's values names (the subject is `<topic>-value`)."""
        path = f"/subjects/{quote(topic + '-value', safe='')}/versions/latest"
        try:
            schema = self._schema(self._engine.get(Request(f"schema of {topic}", path)))
        except UnreadableError:
            return  # it has none, or another naming strategy
        yield from _fields(schema)

    def _schema(self, answer: Any) -> Schema:
        answer = cast(dict[str, Any], answer) if isinstance(answer, dict) else {}
        kind, text = str(answer.get("schemaType") or "AVRO"), str(answer.get("schema") or "")
        if kind != "AVRO":
            return Schema(kind, text)
        named: dict[str, Any] = {}
        self._refer(answer.get("references"), named, [_MOST_REFERENCES])
        return Schema(kind, text, _avro(self._source, text, named))

    def _refer(self, references: Any, named: dict[str, Any], left: list[int]) -> None:
        """Fill `named` with the schemas that another one refers to, those first that these refer to."""
        for each in cast("list[dict[str, Any]]", references or []):
            left[0] -= 1
            if left[0] < 0:
                raise UnreadableError(self._source, "a schema refers to too many others", "", "schema")
            subject, version = quote(str(each.get("subject")), safe=""), int(each.get("version") or 1)
            answer = self._engine.get(Request("referred schema", f"/subjects/{subject}/versions/{version}"))
            self._refer(answer.get("references"), named, left)
            _avro(self._source, str(answer.get("schema") or ""), named)


class Decoder:
    """Makes records of payloads; without a registry, of JSON and text alone."""

    def __init__(self, registry: SchemaRegistry | None) -> None:
        self._registry = registry

    def decode(self, payload: bytes | None) -> object:
        """A JSON value, a record, or text. Raises UnknownFormat, UnreadableError (a schema), SourceError."""
        if payload is None:
            return None
        if payload[:1] == b"\0" and len(payload) > _HEADER:
            if self._registry is None:
                raise UnknownFormat("in a schema registry's format, and no schema_registry is configured")
            return self._registered(self._registry.schema(int.from_bytes(payload[1:_HEADER])), payload[_HEADER:])
        try:
            return parsed(payload.decode("utf-8"))
        except UnicodeDecodeError:
            raise UnknownFormat("in a format that is not read") from None

    def _registered(self, schema: Schema, body: bytes) -> object:
        if schema.type == "JSON":
            return parsed(body.decode("utf-8", "replace"))
        if schema.type != "AVRO":
            raise UnknownFormat(f"in the registry's format {schema.type.title()}, which is not read")
        import fastavro

        try:
            return cast(Any, fastavro).schemaless_reader(io.BytesIO(body), schema.decoder, None)
        except _MALFORMED:
            raise UnknownFormat("not as their schema says") from None


def _avro(source: str, text: str, named: dict[str, Any]) -> Any:
    try:
        import fastavro
        from fastavro.schema import SchemaParseException, UnknownType
    except ImportError:
        raise missing_driver(source, "kafka") from None
    try:
        return cast(Any, fastavro).parse_schema(json.loads(text), named_schemas=named)
    except (SchemaParseException, UnknownType, *_MALFORMED):
        raise UnreadableError(source, "a schema of the registry is malformed", "repair it", "schema") from None


def _fields(schema: Schema) -> Iterator[KnownField]:
    """The top-level fields of an Avro record, with the words of their authors."""
    try:
        document: Any = json.loads(schema.text) if schema.type == "AVRO" else None
    except (ValueError, RecursionError):
        return
    found: Any = cast(dict[str, Any], document).get("fields") if isinstance(document, dict) else None
    for each in cast("list[dict[str, Any]]", found or []):
        kind = each.get("type")
        said = kind if isinstance(kind, str) else ""
        yield KnownField(str(each.get("name")), "", type=said, description=str(each.get("doc") or ""))
