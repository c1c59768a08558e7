"""Which document a request asks: its text, or the hash of a trusted one.

Trusted documents are the named operations (`graphql/operations`). A request names one by `documentId`,
`sha256:<64 hex digits>` (GraphQL over HTTP, appendix on persisted documents), or by Apollo's
`extensions.persistedQuery.sha256Hash`; nothing is ever registered. The hash is of the operation's file as it is, or of
its text as graphql-js prints it, which code generators send: both are known.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from graphql import (
    DocumentNode,
    EnumTypeDefinitionNode,
    FieldNode,
    FloatValueNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    parse,
    print_ast,
    visit,
)
from graphql.language import Node, Visitor

from inventory.api.contract import Operation, contract_folder, operations

_PREFIX = "sha256:"
_PLAIN = frozenset({"Int", "Float", "Boolean", "DateTime"})
HOW = "send the text of a named operation, or its hash as `documentId` (docs/service.md)"


class Refused(Exception):
    """A request that is not answered: the HTTP status, the stable code and what to do."""

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status = status
        self.code = code
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Document:
    """What a request asks.

    `hash` is the SHA-256 of a trusted document's file, or of any other document's text as graphql-js prints it, with
    its texts emptied and its numbers 0, so that no identifier can be guessed from it; "" when it is no GraphQL.
    `texts` are the texts that were written out in it. `plain` are the variables that can hold no identifier.
    """

    text: str
    hash: str = ""
    trusted: bool = False
    name: str = ""
    kind: str = ""  # query, mutation, subscription; "" when it is not known
    fields: Mapping[str, str] | None = None  # name of each field at the top, by its key in the answer
    variables: frozenset[str] = frozenset()
    plain: frozenset[str] = frozenset()
    texts: tuple[str, ...] = ()
    problem: str = ""  # why it is no GraphQL


class Documents:
    """The trusted documents, and how others are read. `ad_hoc`: others are answered as well; `tokens` at most."""

    def __init__(self, *, ad_hoc: bool, tokens: int) -> None:
        self.ad_hoc = ad_hoc
        self._tokens = tokens
        self._enums = _enums()
        self._trusted: dict[str, Document] = {}
        for operation in operations().values():
            document = self._trust(operation)
            for digest in (document.hash, _digest(print_ast(parse(operation.text)))):
                self._trusted[digest] = document

    @property
    def texts(self) -> list[str]:
        """The texts of the trusted documents."""
        return [operation.text for operation in operations().values()]

    def chosen(self, asked: Mapping[str, Any]) -> Document:
        """The document of a request's body (`query`, `documentId`, `operationName`, `extensions`). Raises Refused."""
        text, digest = asked.get("query"), _named(asked)
        if text is not None and not isinstance(text, str):
            raise Refused(400, "BAD_REQUEST", "`query` should be text.")
        if not text and not digest:
            raise Refused(400, "BAD_REQUEST", "There is no question: give `query`, or `documentId`.")
        if not text:
            return self._of_digest(digest)
        if digest and digest != _digest(text):
            raise Refused(400, "BAD_REQUEST", "`query` and the hash beside it are not of the same document.")
        name = asked.get("operationName")
        return self._of_text(text, name if isinstance(name, str) and name else None)

    def _of_digest(self, digest: str) -> Document:
        document = self._trusted.get(digest)
        if document is None:
            message = "No trusted document has this hash, and none can be registered; " + HOW + "."
            raise Refused(400, "PERSISTED_QUERY_NOT_FOUND", message)
        return document

    def _of_text(self, text: str, name: str | None) -> Document:
        known = self._trusted.get(_digest(text))
        if known is not None:
            return known
        try:
            parsed = parse(text, max_tokens=self._tokens)
            document = self._trusted.get(_digest(print_ast(parsed))) or _read(text, parsed, name, self._enums)
        except GraphQLError as error:
            document = Document(text, problem=error.message)
        except RecursionError:
            document = Document(text, problem="The question is nested too deep to be read.")
        if not document.trusted and not self.ad_hoc:
            message = "This service answers trusted documents only (`serve.ad_hoc` is false): " + HOW + "."
            raise Refused(403, "NOT_TRUSTED", message)
        return document

    def _trust(self, operation: Operation) -> Document:
        read = _read(operation.text, parse(operation.text), None, self._enums)
        return Document(
            text=read.text,
            hash=_digest(operation.text),
            trusted=True,
            name=read.name,
            kind=read.kind,
            fields=read.fields,
            variables=read.variables,
            plain=read.plain,
        )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _named(asked: Mapping[str, Any]) -> str:
    """The hash that a request names, in hex; "" when it names none. Raises Refused when it is no hash."""
    given = asked.get("documentId")
    if given is None:
        extensions = asked.get("extensions")
        persisted = (
            cast("dict[str, object]", extensions).get("persistedQuery") if isinstance(extensions, dict) else None
        )
        if not isinstance(persisted, dict):
            return ""
        given = cast("dict[str, object]", persisted).get("sha256Hash")
        given = f"{_PREFIX}{given}" if isinstance(given, str) else ""
    if not isinstance(given, str) or not re.fullmatch(_PREFIX + "[0-9a-f]{64}", given):
        message = f"`documentId` should be `{_PREFIX}` and 64 hex digits in lower case; " + HOW + "."
        raise Refused(400, "BAD_DOCUMENT_ID", message)
    return given.removeprefix(_PREFIX)


def _read(text: str, parsed: DocumentNode, name: str | None, enums: frozenset[str]) -> Document:
    operations_ = [node for node in parsed.definitions if isinstance(node, OperationDefinitionNode)]
    fitting = [node for node in operations_ if name is None or (node.name is not None and node.name.value == name)]
    blank = _Blank()
    digest = _digest(print_ast(visit(parsed, blank)))
    if not fitting:
        return Document(text, digest, texts=tuple(blank.texts))
    operation = fitting[0]
    types = {
        node.variable.name.value: print_ast(node.type).translate(str.maketrans("", "", "[]!"))
        for node in operation.variable_definitions or ()
    }
    return Document(
        text=text,
        hash=digest,
        name=operation.name.value if operation.name else "",
        kind=operation.operation.value,
        fields=dict(_root_fields(parsed, operation.selection_set)),
        variables=frozenset(types),
        plain=frozenset(variable for variable, type_ in types.items() if type_ in _PLAIN or type_ in enums),
        texts=tuple(blank.texts),
    )


class _Blank(Visitor):
    """Empties texts and numbers, and keeps the texts."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def enter_string_value(self, node: StringValueNode, *_: Node) -> Node:
        if node.value:
            self.texts.append(node.value)
        return StringValueNode(value="")

    def enter_int_value(self, node: IntValueNode, *_: Node) -> Node:
        if len(node.value) > 6:  # long enough to be somebody's number
            self.texts.append(node.value)
        return IntValueNode(value="0")

    def enter_float_value(self, *_: Node) -> Node:
        return FloatValueNode(value="0")


def _root_fields(parsed: DocumentNode, selections: SelectionSetNode) -> Iterator[tuple[str, str]]:
    """Key in the answer and name of each field at the top, with those of fragments, each fragment once."""
    fragments = {node.name.value: node for node in parsed.definitions if isinstance(node, FragmentDefinitionNode)}
    left: list[Node] = list(selections.selections)
    seen: set[str] = set()
    while left:
        match left.pop():
            case FieldNode(alias=alias, name=name):
                yield (alias or name).value, name.value
            case InlineFragmentNode(selection_set=inner):
                left.extend(inner.selections)
            case FragmentSpreadNode(name=name) if name.value not in seen:
                seen.add(name.value)
                if fragment := fragments.get(name.value):
                    left.extend(fragment.selection_set.selections)
            case _:
                pass


def _enums() -> frozenset[str]:
    """The schema's enums, whose values are words of the schema."""
    schema = parse((contract_folder() / "schema.graphql").read_text(encoding="utf-8"))
    return frozenset(_names(node for node in schema.definitions if isinstance(node, EnumTypeDefinitionNode)))


def _names(nodes: Iterable[EnumTypeDefinitionNode]) -> Iterator[str]:
    return (node.name.value for node in nodes)
