"""Limits on the shape of a question, checked before any of it runs. Each error names the limit.

Strawberry's own limiters on depth and aliases walk a fragment once for every spread: a few dozen fragments that each
spread the next one twice keep them busy for ever. Ours walk each fragment once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValidationContext,
    ValidationRule,
)
from strawberry.extensions import AddValidationRules, MaxTokensLimiter, SchemaExtension

from inventory.api.settings import Limits


def limiters(limits: Limits) -> Sequence[Callable[[], SchemaExtension]]:
    """The schema extensions that hold questions to `limits`."""
    return [
        lambda: MaxTokensLimiter(max_token_count=limits.tokens),
        lambda: AddValidationRules([shape_rule(limits)]),
    ]


@dataclass(frozen=True, slots=True)
class Shape:
    """How deep a selection is, and how many aliases are in it, with those of its fragments."""

    depth: int = 0
    aliases: int = 0


def shape_rule(limits: Limits) -> type[ValidationRule]:
    """A validation rule that refuses operations deeper than `limits.depth` or with more aliases than allowed.

    Introspection does not count as depth: graphql-core has a rule for it.
    """

    class ShapeRule(ValidationRule):
        def __init__(self, context: ValidationContext) -> None:
            super().__init__(context)
            self._fragments: dict[str, Shape] = {}

        def enter_operation_definition(self, node: OperationDefinitionNode, *_: object) -> None:
            shape = self._of_selections(node.selection_set)
            name = f"`{node.name.value}`" if node.name else "The question"
            if shape.depth > limits.depth:
                text = f"{name} is {shape.depth} fields deep; the limit `depth` is {limits.depth}."
                self.report_error(GraphQLError(text, [node]))
            if shape.aliases > limits.aliases:
                text = f"{name} has {shape.aliases} aliases; the limit `aliases` is {limits.aliases}."
                self.report_error(GraphQLError(text, [node]))

        def _of_selections(self, selections: SelectionSetNode | None) -> Shape:
            shapes = [self._of(node) for node in selections.selections] if selections else []
            return Shape(max((shape.depth for shape in shapes), default=0), sum(shape.aliases for shape in shapes))

        def _of(self, node: object) -> Shape:
            match node:
                case FieldNode():
                    below = self._of_selections(node.selection_set)
                    depth = 0 if node.name.value.startswith("__") else 1 + below.depth
                    return Shape(depth, below.aliases + (node.alias is not None))
                case InlineFragmentNode():
                    return self._of_selections(node.selection_set)
                case FragmentSpreadNode():
                    return self._of_fragment(node.name.value)
                case _:
                    return Shape()

        def _of_fragment(self, name: str) -> Shape:
            if name not in self._fragments:
                self._fragments[name] = Shape()  # a cycle ends here; another rule reports it
                fragment = self.context.get_fragment(name)
                if fragment is not None:
                    self._fragments[name] = self._of_selections(fragment.selection_set)
            return self._fragments[name]

    return ShapeRule
