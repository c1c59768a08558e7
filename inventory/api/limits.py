"""Limits on the shape of a question, checked before any of it runs. Each error names the limit and its value.

The check walks every fragment once, however often it is spread, and comes before validation: a question that is too
large is not validated at all. Trusted documents, which are ours, are parsed and validated once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLList,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLSyntaxError,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    get_nullable_type,  # pyright: ignore[reportUnknownVariableType]
    is_composite_type,
    is_interface_type,
    is_object_type,
    visit,
)
from graphql.language import Node, Visitor
from strawberry.extensions import SchemaExtension

from inventory.api.settings import Limits

UNPAGED = 10
"""How many things a list without pages is taken to hold."""
_ENDLESS = 10**12  # more than any limit; costs stop growing here
_WRAPPERS = ("Connection", "Edge")  # types whose name ends so hold what the page holds, and are nothing of their own


def limiters(limits: Limits, trusted: Sequence[str] = ()) -> Sequence[Callable[[], SchemaExtension]]:
    """The schema extensions that hold questions to `limits`; `trusted` are texts that need no checks but the cost."""
    known = Parsed(trusted)
    return [lambda: HeldToLimits(limits, known)]


class Parsed:
    """The trusted texts: each parsed when it is first asked, and found valid once."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = frozenset(texts)
        self._documents: dict[str, DocumentNode] = {}
        self._valid: set[str] = set()

    def document(self, text: str | None) -> DocumentNode | None:
        """The document of a trusted text that was parsed before."""
        return self._documents.get(text or "")

    def valid(self, text: str | None) -> bool:
        """Whether it is a trusted text that was found valid before."""
        return text in self._valid

    def keep(self, text: str | None, document: DocumentNode, *, valid: bool) -> None:
        """Keep it if it is trusted."""
        if text is not None and text in self._texts:
            self._documents[text] = document
            if valid:
                self._valid.add(text)


class HeldToLimits(SchemaExtension):
    """Refuses what goes beyond the limits before it is validated."""

    def __init__(self, limits: Limits, parsed: Parsed) -> None:
        super().__init__()
        self._limits = limits
        self._parsed = parsed

    def on_operation(self) -> Iterator[None]:
        """Stop parsing at the limit `tokens`, and say so by its name."""
        asked = self.execution_context
        asked.parse_options["max_tokens"] = self._limits.tokens
        yield
        errors = cast("list[GraphQLError]", getattr(asked.result, "errors", None) or [])
        for place, error in enumerate(errors):
            if isinstance(error, GraphQLSyntaxError) and "Parsing aborted" in error.message:
                text = f"The question has more than {self._limits.tokens} tokens (limit `tokens`)."
                extensions = {"code": "LIMIT", "limit": "tokens", "most": self._limits.tokens}
                errors[place] = GraphQLError(text, extensions=extensions)

    def on_parse(self) -> Iterator[None]:
        """Take the document of a trusted text as it was parsed before."""
        asked = self.execution_context
        if asked.graphql_document is None:
            asked.graphql_document = self._parsed.document(asked.query)
        yield

    def on_validate(self) -> Iterator[None]:
        """Check the shape; validate what was not found valid before."""
        asked = self.execution_context
        document = asked.graphql_document
        assert document is not None
        schema = cast(Any, asked.schema)._schema  # strawberry has no public way to graphql-core's
        beyond = list(shape_errors(schema, document, asked.operation_name, asked.variables or {}, self._limits))
        if beyond:
            asked.pre_execution_errors = beyond
        elif self._parsed.valid(asked.query):
            asked.pre_execution_errors = []
        yield
        if not beyond:
            self._parsed.keep(asked.query, document, valid=not asked.pre_execution_errors)


@dataclass(frozen=True, slots=True)
class Shape:
    """How deep a selection is, how many aliases and things are in it, with those of its fragments."""

    depth: int = 0
    introspection_depth: int = 0
    aliases: int = 0
    cost: int = 0


def shape_errors(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation_name: str | None,
    variables: Mapping[str, Any],
    limits: Limits,
) -> Iterator[GraphQLError]:
    """One error for every limit that the operation goes beyond; none when there is no such operation."""
    operation = _operation(document, operation_name)
    if operation is None:
        return
    name = f"`{operation.name.value}`" if operation.name else "The question"
    fragments = sum(isinstance(node, FragmentDefinitionNode) for node in document.definitions)
    if fragments > limits.fragments:
        yield _beyond(name, "has {} fragments", fragments, "fragments", limits, operation)
        return
    walk = _Walk(schema, document, operation, variables)
    shape = walk.of(operation.selection_set, schema.get_root_type(operation.operation))
    count = _Counted()
    visit(document, count)
    items = count.items + _items(variables)
    for limit, is_, what in (
        ("depth", shape.depth, "is {} fields deep"),
        ("aliases", shape.aliases, "has {} aliases"),
        ("root_fields", walk.root_fields(operation.selection_set), "has {} fields at its top"),
        ("repeats", _repeats(document), "names the same field {} times at one place"),
        ("directives", count.directives, "has {} directives"),
        ("introspection_depth", shape.introspection_depth, "is {} fields deep below introspection"),
        ("cost", shape.cost, "may be answered with {} things; ask for smaller pages (`first`) or less nesting"),
        ("list_items", items, "has {} items in its lists"),
    ):
        if is_ > getattr(limits, limit):
            yield _beyond(name, what, is_, limit, limits, operation)


def _beyond(
    name: str, what: str, is_: int, limit: str, limits: Limits, operation: OperationDefinitionNode
) -> GraphQLError:
    said = f"more than {_ENDLESS}" if is_ >= _ENDLESS else str(is_)
    most = getattr(limits, limit)
    text = f"{name} {what.format(said)}; the limit `{limit}` is {most}."
    return GraphQLError(text, [operation], extensions={"code": "LIMIT", "limit": limit, "most": most})


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode | None:
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    named = [node for node in operations if name is None or (node.name is not None and node.name.value == name)]
    return named[0] if named else None


class _Counted(Visitor):
    """Directives, and items of lists that are written out; lists in lists count with what they hold."""

    def __init__(self) -> None:
        super().__init__()
        self.directives = 0
        self.items = 0

    def enter_directive(self, *_: DirectiveNode) -> None:
        self.directives += 1

    def enter_list_value(self, node: ListValueNode, *_: Node) -> None:
        self.items += len(node.values)


def _repeats(document: DocumentNode) -> int:
    """How often a field with selections of its own is named at one place of the answer, at most.

    Validation compares each of them with each other, and what is in them as well.
    """
    most = 0
    for definition in document.definitions:
        if not isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode):
            continue
        counts: dict[tuple[int, str], list[int]] = {}  # by place and key: the place below, and how often
        left = [(definition.selection_set, 0)]
        while left:
            selections, place = left.pop()
            for node in selections.selections:
                if isinstance(node, InlineFragmentNode):
                    left.append((node.selection_set, place))
                elif isinstance(node, FieldNode) and node.selection_set is not None:
                    found = counts.setdefault((place, (node.alias or node.name).value), [len(counts) + 1, 0])
                    found[1] += 1
                    most = max(most, found[1])
                    left.append((node.selection_set, found[0]))
    return most


def _items(variables: Mapping[str, Any]) -> int:
    """How many items the lists in the variables have in all."""
    left: list[object] = [dict(variables)]
    count = 0
    while left:
        taken = left.pop()
        if isinstance(taken, list):
            items = cast("list[object]", taken)
            count += len(items)
            left.extend(items)
        elif isinstance(taken, dict):
            left.extend(cast("dict[str, object]", taken).values())
    return count


class _Walk:
    """Measures selections; each fragment once. What is unknown costs nothing here: validation refuses it."""

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
    ) -> None:
        self._schema = schema
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._shapes: dict[str, Shape] = {}
        self._root_fields: dict[str, int] = {}
        self._variables = {
            node.variable.name.value: variables.get(node.variable.name.value, _number(node.default_value))
            for node in operation.variable_definitions or ()
        }

    def of(self, selections: SelectionSetNode | None, type_: GraphQLNamedType | None) -> Shape:
        """The shape of the selections of a type."""
        shapes = [self._of_selection(node, type_) for node in selections.selections] if selections else []
        return Shape(
            max((shape.depth for shape in shapes), default=0),
            max((shape.introspection_depth for shape in shapes), default=0),
            sum(shape.aliases for shape in shapes),
            min(sum(shape.cost for shape in shapes), _ENDLESS),
        )

    def root_fields(self, selections: SelectionSetNode) -> int:
        """How many fields are at the top, with those of fragments."""
        count = 0
        for node in selections.selections:
            match node:
                case FieldNode():
                    count += 1
                case InlineFragmentNode():
                    count += self.root_fields(node.selection_set)
                case FragmentSpreadNode():
                    count += self._root_fields_of(node.name.value)
                case _:
                    pass
        return min(count, _ENDLESS)

    def _root_fields_of(self, name: str) -> int:
        if name not in self._root_fields:
            self._root_fields[name] = 0  # a cycle ends here; another rule reports it
            if fragment := self._fragments.get(name):
                self._root_fields[name] = self.root_fields(fragment.selection_set)
        return self._root_fields[name]

    def _of_selection(self, node: object, type_: GraphQLNamedType | None) -> Shape:
        match node:
            case FieldNode():
                return self._of_field(node, type_)
            case InlineFragmentNode():
                named = node.type_condition
                return self.of(node.selection_set, self._schema.get_type(named.name.value) if named else type_)
            case FragmentSpreadNode():
                return self._of_fragment(node.name.value)
            case _:
                return Shape()

    def _of_fragment(self, name: str) -> Shape:
        if name not in self._shapes:
            self._shapes[name] = Shape()  # a cycle ends here; another rule reports it
            if fragment := self._fragments.get(name):
                type_ = self._schema.get_type(fragment.type_condition.name.value)
                self._shapes[name] = self.of(fragment.selection_set, type_)
        return self._shapes[name]

    def _of_field(self, node: FieldNode, type_: GraphQLNamedType | None) -> Shape:
        alias = node.alias is not None
        if node.name.value in ("__schema", "__type"):
            below = self.of(node.selection_set, None)
            return Shape(0, 1 + below.depth, below.aliases + alias)
        field = _field(type_, node.name.value)
        below = self.of(node.selection_set, _named(field) if field else None)
        depth = 0 if node.name.value.startswith("__") else 1 + below.depth
        cost = self._cost(node, field, below.cost) if field else 0
        return Shape(depth, below.introspection_depth, below.aliases + alias, min(cost, _ENDLESS))

    def _cost(self, node: FieldNode, field: GraphQLField, below: int) -> int:
        """How many things the field may be answered with: each once, and what is below each."""
        named = _named(field)
        if not is_composite_type(named):
            return 0
        if "first" in field.args:
            return self._first(node, field) * (1 + below)
        if named.name == "PageInfo" or named.name.endswith(_WRAPPERS) or _in_edge(node, field):
            return below
        return (UNPAGED if _is_list(field) else 1) * (1 + below)

    def _first(self, node: FieldNode, field: GraphQLField) -> int:
        given = next((argument.value for argument in node.arguments or () if argument.name.value == "first"), None)
        match given:
            case VariableNode():
                number = self._variables.get(given.name.value)
            case None:
                number = None
            case _:
                number = _number(given)
        if not isinstance(number, int) or isinstance(number, bool):
            number = cast(object, field.args["first"].default_value)
        return min(max(number, 0), _ENDLESS) if isinstance(number, int) else 1


def _named(field: GraphQLField) -> GraphQLNamedType:
    return cast(GraphQLNamedType, get_named_type(cast(Any, field).type))


def _is_list(field: GraphQLField) -> bool:
    type_: Any = cast(Any, field).type
    return isinstance(get_nullable_type(type_), GraphQLList)


def _in_edge(node: FieldNode, field: GraphQLField) -> bool:
    """Whether it is the `node` of an edge, which its page has counted."""
    return node.name.value == "node" and not field.args


def _field(type_: GraphQLNamedType | None, name: str) -> GraphQLField | None:
    if type_ is None or not (is_object_type(type_) or is_interface_type(type_)):
        return None
    return cast(GraphQLObjectType, type_).fields.get(name)


def _number(node: Node | None) -> int | None:
    if not isinstance(node, IntValueNode):
        return None
    return int(node.value) if len(node.value) < 12 else _ENDLESS
