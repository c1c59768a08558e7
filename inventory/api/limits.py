"""Limits on the shape of a question, checked before any of it runs. Each error names the limit.

Strawberry brings the limits on aliases and tokens. Its depth limiter walks a fragment once for every spread, which
fragments that spread each other twice make exponential; ours walks each fragment once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from strawberry.extensions import AddValidationRules, MaxAliasesLimiter, MaxTokensLimiter, SchemaExtension

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValidationContext,
    ValidationRule,
)
from inventory.api.settings import Limits


def limiters(limits: Limits) -> Sequence[Callable[[], SchemaExtension]]:
    """The schema extensions that hold questions to `limits`."""
    return [
        lambda: MaxTokensLimiter(max_token_count=limits.tokens),
        lambda: MaxAliasesLimiter(max_alias_count=limits.aliases),
        lambda: AddValidationRules([depth_rule(limits.depth)]),
    ]


def depth_rule(limit: int) -> type[ValidationRule]:
    """A validation rule that refuses operations nested deeper than `limit` fields.

    Introspection does not count: graphql-core has a rule for it.
    """

    class DepthRule(ValidationRule):
        def __init__(self, context: ValidationContext) -> None:
            super().__init__(context)
            self._fragment_depths: dict[str, int] = {}

        def enter_operation_definition(self, node: OperationDefinitionNode, *_: object) -> None:
            depth = self._depth(node.selection_set)
            if depth > limit:
                name = f"`{node.name.value}`" if node.name else "The question"
                self.report_error(GraphQLError(f"{name} is {depth} fields deep; the limit `depth` is {limit}.", [node]))

        def _depth(self, selections: SelectionSetNode | None) -> int:
            return max((self._depth_of(node) for node in selections.selections), default=0) if selections else 0

        def _depth_of(self, node: object) -> int:
            match node:
                case FieldNode(name=name) if name.value.startswith("__"):
                    return 0
                case FieldNode():
                    return 1 + self._depth(node.selection_set)
                case InlineFragmentNode():
                    return self._depth(node.selection_set)
                case FragmentSpreadNode():
                    return self._depth_of_fragment(node.name.value)
                case _:
                    return 0

        def _depth_of_fragment(self, name: str) -> int:
            if name not in self._fragment_depths:
                self._fragment_depths[name] = 0  # a cycle ends here; another rule reports it
                fragment: FragmentDefinitionNode | None = self.context.get_fragment(name)
                if fragment is not None:
                    self._fragment_depths[name] = self._depth(fragment.selection_set)
            return self._fragment_depths[name]

    return DepthRule
