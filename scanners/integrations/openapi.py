"""A vendor's own description of its API (OpenAPI 3, Swagger 2, Google's discovery format), as far as a draft needs it.

Descriptions are large, refer in circles and unite many kinds of one thing. So every walk through a schema is bounded in
depth and in the number of parts, follows no reference into itself, and takes of a union of a key and the thing that it
stands for (an expansion) the key alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias, cast

import yaml

from inventory.errors import ConfigError
from scanners.yaml_files import LOADER

Schema: TypeAlias = Mapping[str, Any]

MOST_BYTES = 64 * 2**20
DEPTH = 5  # of fields in a record
MOST_PARTS = 1500  # schemas looked at for one record
_MOST_KINDS = 12  # of a union
_SCALARS = frozenset({"string", "integer", "number", "boolean"})


@dataclass(frozen=True, slots=True)
class Parameter:
    """Of an operation's path or query."""

    name: str
    place: str  # "path", "query", "header"
    required: bool
    schema: Schema


@dataclass(frozen=True, slots=True)
class Operation:
    """A GET, and what it answers."""

    path: str
    tags: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    answer: Schema
    has_link_header: bool
    scopes: tuple[str, ...]
    erases: str  # the path that deletes one of its records, "" if there is none


@dataclass(frozen=True, slots=True)
class Merged:
    """A schema with its references followed and its parts put together."""

    type: str  # "object", "array", a scalar, "" when it does not say
    properties: Mapping[str, Schema] = field(default_factory=dict[str, Schema])
    items: Schema | None = None
    values: Schema | None = None  # of an open map
    is_open: bool = False
    format: str = ""
    is_listed: bool = False  # one of a list of words
    description: str = ""
    maximum: int | None = None
    default: Any = None
    references: tuple[str, ...] = ()  # what was followed, so that it is not followed again below


@dataclass(frozen=True, slots=True)
class Place:
    """A field of a record: its pointer, its name, and what is said of it."""

    pointer: str
    name: str
    holder: str
    schema: Merged


class Description:
    """A description that was read; `source` names it in messages."""

    def __init__(self, content: Mapping[str, Any], source: str) -> None:
        self.content = content
        self.source = source
        self._followed: dict[str, Any] = {}

    # --- operations ---------------------------------------------------------------------------------------

    def operations(self) -> Iterator[Operation]:
        """Every GET, in the order of the description."""
        paths = _mapping(self.content.get("paths"))
        for path, item in paths.items():
            methods = _mapping(self.followed(item))
            said = _mapping(methods.get("get"))
            if not said or not path.startswith("/"):
                continue
            listed = (*_sequence(methods.get("parameters")), *_sequence(said.get("parameters")))
            parameters = {(each.name, each.place): each for each in map(self._parameter, listed) if each is not None}
            answer = self._answer(said)
            yield Operation(
                path,
                tuple(str(tag) for tag in _sequence(said.get("tags"))),
                tuple(parameters.values()),
                self._schema_of(answer),
                "link" in {str(name).lower() for name in _mapping(answer.get("headers"))},
                self._scopes(said),
                next((other for other in paths if _is_one_of(other, path) and "delete" in _mapping(paths[other])), ""),
            )

    def _parameter(self, given: Any) -> Parameter | None:
        said = _mapping(self.followed(given))
        name, place = said.get("name"), said.get("in")
        if not isinstance(name, str) or not isinstance(place, str):
            return None
        return Parameter(name, place, said.get("required") is True, _mapping(said.get("schema")) or said)

    def _answer(self, operation: Mapping[str, Any]) -> Mapping[str, Any]:
        answers = {str(status): answer for status, answer in _mapping(operation.get("responses")).items()}
        for status in ("200", "201", "2XX", "2xx", "default"):
            if status in answers:
                return _mapping(self.followed(answers[status]))
        return {}

    def _schema_of(self, answer: Mapping[str, Any]) -> Schema:
        content = _mapping(answer.get("content"))
        for kind, said in content.items():
            if "json" in kind or kind == "*/*":
                return _mapping(_mapping(said).get("schema"))
        return _mapping(answer.get("schema"))  # Swagger 2

    def _scopes(self, operation: Mapping[str, Any]) -> tuple[str, ...]:
        """Of the first way in that names any; where one of several is enough, the least looking one."""
        for way in _sequence(operation.get("security")):
            for scopes in _mapping(way).values():
                words = [str(scope) for scope in _sequence(scopes)]
                if words:
                    return tuple(words)
        return ()

    # --- schemas ------------------------------------------------------------------------------------------

    def followed(self, value: Any) -> Any:
        """What a reference stands for; {} where it leads out of the description or in a circle."""
        seen: set[str] = set()
        while isinstance(value, Mapping):
            reference = cast("Mapping[str, object]", value).get("$ref")
            if not isinstance(reference, str):
                return cast("Mapping[str, Any]", value)
            if reference in seen:
                return {}
            seen.add(reference)
            value = self._at(reference)
        return value

    def _at(self, reference: str) -> Any:
        if reference not in self._followed:
            found: Any = self.content if reference.startswith("#/") else {}
            for part in reference[2:].split("/"):
                part = part.replace("~1", "/").replace("~0", "~").replace("%7B", "{").replace("%7D", "}")
                if isinstance(found, list):
                    rows = cast("list[Any]", found)
                    found = rows[int(part)] if part.isdigit() and int(part) < len(rows) else {}
                else:
                    found = _mapping(found).get(part, {})
            self._followed[reference] = found
        return self._followed[reference]

    def merged(self, schema: Any, above: frozenset[str] = frozenset()) -> Merged:
        """The schema as one, whose parts may be spread over references, intersections and unions.

        A reference that is in `above` is not followed: it is a circle.
        """
        return self._merged(schema, above, 0)

    def _merged(self, schema: Any, above: frozenset[str], depth: int) -> Merged:
        references: list[str] = []
        said = _mapping(schema)
        while isinstance(said.get("$ref"), str):
            reference = str(said["$ref"])
            if reference in above or reference in references or len(references) > 20:
                return Merged("", references=tuple(references))
            references.append(reference)
            said = _mapping(self._at(reference))
        own = _own(said, tuple(references))
        if depth > 6:
            return own
        below = above | set(references)
        parts = [self._merged(part, below, depth + 1) for part in _sequence(said.get("allOf"))[:_MOST_KINDS]]
        kinds = (*_sequence(said.get("oneOf")), *_sequence(said.get("anyOf")))[:_MOST_KINDS]
        united = [self._merged(kind, below, depth + 1) for kind in kinds]
        return _together((own, *parts, *_without_expansions(united)))

    def places(self, schema: Any) -> list[Place]:
        """The fields of a record, those of objects and arrays inside it after them; bounded in depth and number."""
        found: list[Place] = []
        waiting: list[tuple[str, str, Merged, frozenset[str], int]] = []
        record = self.merged(schema)
        waiting.append(("", "", record, frozenset(record.references), 0))
        parts = 0
        while waiting:
            pointer, holder, merged, above, depth = waiting.pop(0)
            for name, each in merged.properties.items():
                parts += 1
                if parts > MOST_PARTS:
                    return found
                inner = self.merged(each, above)
                place = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
                if not name or any(character.isspace() for character in name):
                    continue
                found.append(Place(place, name, holder, inner))
                if depth >= DEPTH:
                    continue
                below = above | set(inner.references)
                if inner.type == "array" and inner.items is not None:
                    item = self.merged(inner.items, below)
                    waiting.append((f"{place}/-", name, item, below | set(item.references), depth + 1))
                elif inner.properties:
                    waiting.append((place, name, inner, below, depth + 1))
        return found


def read_description(path: Path) -> Description:
    """Read a description in JSON or YAML. Raises ConfigError naming the file and what is wrong with it."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ConfigError(str(path), f"is larger than {MOST_BYTES // 2**20} MiB")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(str(path), error.strerror or "cannot be read") from None
    except UnicodeError:
        raise ConfigError(str(path), "is no text in UTF-8") from None
    try:
        content: Any = json.loads(text) if text.lstrip().startswith("{") else yaml.load(text, LOADER)  # noqa: S506
    except (ValueError, RecursionError, yaml.YAMLError):
        raise ConfigError(str(path), "is neither JSON nor YAML") from None
    said = _mapping(content)
    if said.get("kind") == "discovery#restDescription":
        said = _of_discovery(said)
    if not ("openapi" in said or "swagger" in said) or not _mapping(said.get("paths")):
        raise ConfigError(str(path), "describes no API", "give an OpenAPI description")
    return Description(said, str(path))


# --- putting schemas together -----------------------------------------------------------------------------


def _own(said: Mapping[str, Any], references: tuple[str, ...]) -> Merged:
    kind: Any = said.get("type", "")
    if isinstance(kind, list):  # OpenAPI 3.1: [string, "null"]
        kind = next((each for each in cast("list[Any]", kind) if each != "null"), "")
    properties = {str(name): _mapping(each) for name, each in _mapping(said.get("properties")).items()}
    further: Any = said.get("additionalProperties")
    is_object = kind == "object" or bool(properties)
    maximum: Any = said.get("maximum")
    return Merged(
        "object" if properties and not kind else str(kind),
        properties,
        _mapping(said["items"]) if "items" in said else None,
        _mapping(further) if isinstance(further, Mapping) and further else None,
        is_object and not properties and further is not False,
        str(said.get("format", "")),
        bool(said.get("enum")) or "const" in said,
        str(said.get("description", "")),
        maximum if isinstance(maximum, int) else None,
        said.get("default"),
        references,
    )


def _together(parts: tuple[Merged, ...]) -> Merged:
    if len(parts) == 1:
        return parts[0]
    properties: dict[str, Schema] = {}
    for part in parts:
        for name, schema in part.properties.items():
            properties.setdefault(name, schema)
    kinds = [part for part in parts if part.type or part.properties]
    objects = any(part.properties for part in parts)
    first = next((part for part in kinds if not objects or part.properties), parts[0])
    return Merged(
        "object" if objects else first.type,
        properties,
        next((part.items for part in parts if part.items is not None), None),
        next((part.values for part in parts if part.values is not None), None),
        not properties and any(part.is_open for part in parts),
        next((part.format for part in parts if part.format), ""),
        any(part.is_listed for part in kinds),
        next((part.description for part in parts if part.description), ""),
        next((part.maximum for part in parts if part.maximum is not None), None),
        next((part.default for part in parts if part.default is not None), None),
        tuple(reference for part in parts for reference in part.references),
    )


def _without_expansions(united: list[Merged]) -> list[Merged]:
    """Of a key and the thing that it stands for, the key."""
    keys = [kind for kind in united if kind.type in _SCALARS]
    return keys[:1] if keys else united


def _is_one_of(path: str, listing: str) -> bool:
    """Whether the path is that of one record of the list: `/users/{id}` of `/users`."""
    rest = path.removeprefix(listing.rstrip("/"))
    return rest != path and rest.startswith("/{") and rest.rstrip("/").endswith("}") and rest.count("/") <= 2


def _mapping(value: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _sequence(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


# --- Google's discovery format ----------------------------------------------------------------------------


def _of_discovery(said: Mapping[str, Any]) -> Mapping[str, Any]:
    """As OpenAPI (developers.google.com/discovery/v1/reference/apis)."""
    paths: dict[str, dict[str, Any]] = {}
    for method in _methods(said):
        path = "/" + str(method.get("flatPath") or method.get("path", "")).lstrip("/")
        if method.get("httpMethod") not in ("GET", "DELETE") or "+" in path:
            continue
        parameters = [
            {
                "name": name,
                "in": _mapping(each).get("location"),
                "required": _mapping(each).get("required"),
                "schema": each,
            }
            for name, each in _mapping(method.get("parameters")).items()
        ]
        scopes = sorted(_sequence(method.get("scopes")), key=lambda scope: ("readonly" not in scope, len(scope)))[:1]
        paths.setdefault(path, {})[str(method["httpMethod"]).lower()] = {
            "tags": [str(method.get("id", "")).rpartition(".")[0]],
            "parameters": parameters,
            "responses": {"200": {"content": {"application/json": {"schema": _google(method.get("response", {}))}}}},
            "security": [{"google": scopes}],
        }
    address = str(said.get("rootUrl", "")) + str(said.get("servicePath", ""))
    return {
        "openapi": "3.0.0",
        "info": {"title": said.get("title", ""), "version": said.get("version", "")},
        "servers": [{"url": address.rstrip("/")}],
        "externalDocs": {"url": said.get("documentationLink", "")},
        "paths": paths,
        "components": {
            "schemas": {name: _google(schema) for name, schema in _mapping(said.get("schemas")).items()},
            "securitySchemes": {"google": {"type": "google"}},
        },
    }


def _methods(said: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for method in _mapping(said.get("methods")).values():
        yield _mapping(method)
    for resource in _mapping(said.get("resources")).values():
        yield from _methods(_mapping(resource))


def _google(schema: Any) -> Any:
    if isinstance(schema, Mapping):
        said = {key: _google(each) for key, each in cast("Mapping[str, Any]", schema).items()}
        reference = said.get("$ref")
        return said | ({"$ref": f"#/components/schemas/{reference}"} if isinstance(reference, str) else {})
    return [_google(each) for each in cast("list[Any]", schema)] if isinstance(schema, list) else schema
