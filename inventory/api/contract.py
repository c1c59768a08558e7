"""The contract: the schema as text and the named questions, and how to ask one of them by name.

In a source tree they are in `graphql/`, in an installed package in `inventory/contract/`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from graphql import OperationDefinitionNode, OperationType, parse

from inventory.api.context import Context, OpenRegister
from inventory.api.schema import InventorySchema, build_schema
from inventory.api.settings import Limits
from inventory.errors import GraphError, QuestionError
from inventory.graph.catalogue import Catalogue

_READ_AS_JSON = frozenset({"Int", "Float", "Boolean"})
_PLACES = (Path(__file__).parents[1] / "contract", Path(__file__).parents[2] / "graphql")


@dataclass(frozen=True, slots=True)
class Operation:
    """A named question: what it asks, its text, and the GraphQL type of each variable as written (`String!`)."""

    name: str
    asks: str
    text: str
    variables: Mapping[str, str]
    watched: bool = False  # a subscription


def contract_folder() -> Path:
    """Where `schema.graphql` and `operations/` are."""
    for place in _PLACES:
        if (place / "operations").is_dir():
            return place
    raise QuestionError("the contract", "is not where it should be", f"looked in {_PLACES[0]} and {_PLACES[1]}")


@cache
def operations() -> Mapping[str, Operation]:
    """Every named question, by name."""
    found = (_read(path) for path in sorted((contract_folder() / "operations").glob("*.graphql")))
    return {operation.name: operation for operation in found}


async def ask(
    catalogue: Catalogue,
    operation_name: str,
    variables: Mapping[str, Any] | None = None,
    register: OpenRegister | None = None,
) -> dict[str, Any]:
    """Ask a named question in this process and return its `data`.

    Variables may be strings, as from a command line: each is read as its type in the operation says, and what is
    neither text nor an enum value is read as JSON. Raises QuestionError when the question is not known, a variable
    is wrong or the answer has errors; GraphError when the graph does not answer.
    """
    operation = operations().get(operation_name)
    if operation is None:
        known = ", ".join(operations())
        raise QuestionError(f"question {operation_name!r}", "is not known", f"known are {known}")
    if operation.watched:
        raise QuestionError(f"question {operation_name}", "is watched, not asked", "subscribe to it at the service")
    result = await _schema().execute(
        operation.text,
        variable_values=coerce_variables(operation, variables or {}),
        context_value=Context(catalogue, register=register),
    )
    if result.errors:
        first = result.errors[0]
        if isinstance(first.original_error, GraphError):
            raise first.original_error
        raise QuestionError(f"question {operation_name}", first.message)
    return result.data or {}


def coerce_variables(operation: Operation, given: Mapping[str, Any]) -> dict[str, Any]:
    """Strings as they come from a command line, read as the operation's variables; other values stay."""
    unknown = [name for name in given if name not in operation.variables]
    if unknown:
        takes = ", ".join(f"{name}: {type_}" for name, type_ in operation.variables.items()) or "no variables"
        raise QuestionError(f"question {operation.name}", f"has no variable {unknown[0]!r}", f"it takes {takes}")
    return {name: _coerce(name, operation.variables[name], value) for name, value in given.items()}


def _coerce(name: str, type_: str, value: object) -> object:
    """`type_` is a GraphQL type as written: `Int!`, `[NodeKind!]`, or an input that is given as JSON."""
    if not isinstance(value, str):
        return value
    bare, text = type_.removesuffix("!"), value.strip()
    if bare.startswith("[") and not text.startswith("["):
        return [_coerce(name, bare[1:-1], item.strip()) for item in text.split(",")]
    if not (bare in _READ_AS_JSON or bare.startswith("[") or text.startswith("{")):
        return value
    try:
        return json.loads(text)
    except ValueError:
        raise QuestionError(f"variable {name}", f"is not a {type_}", "give it as JSON") from None


def _read(path: Path) -> Operation:
    text = path.read_text(encoding="utf-8")
    definition = _definition(text)
    name = definition.name.value if definition.name else ""
    if name != path.stem:
        raise QuestionError(f"question file {path.name}", f"holds the operation {name!r}", "name them alike")
    variables = {
        node.variable.name.value: _source(text, node.type.loc) for node in definition.variable_definitions or ()
    }
    asks = text.partition("\n")[0].removeprefix("#").strip() if text.startswith("#") else ""
    return Operation(name, asks, text, variables, definition.operation is OperationType.SUBSCRIPTION)


def _source(text: str, location: Any) -> str:
    return text[location.start : location.end]


def _definition(text: str) -> OperationDefinitionNode:
    definitions = [node for node in parse(text).definitions if isinstance(node, OperationDefinitionNode)]
    if len(definitions) != 1:
        raise QuestionError("question file", f"holds {len(definitions)} operations", "put one operation in a file")
    return definitions[0]


@cache
def _schema() -> InventorySchema:
    return build_schema(Limits())
