"""What a field of the schema needs of its caller, said where the field is declared.

`@strawberry.field(extensions=[Needs(Permission.SEE_READERS)])`. A field that says nothing is for whoever reaches
GraphQL (`Permission.READ`); a mutation that says nothing stops the schema from being built.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphql import GraphQLError
from strawberry.extensions import FieldExtension
from strawberry.extensions.field_extension import AsyncExtensionResolver
from strawberry.types.base import has_object_definition

from inventory.api.roles import Permission, refusal

if TYPE_CHECKING:
    from inventory.api.context import Info


class Needs(FieldExtension):
    """Refuses a field to callers without the permission, before its resolver runs.

    `arguments` need one more, each, when they are given and not false: `include_suppressed=Permission.SEE_SUPPRESSED`.
    """

    def __init__(self, permission: Permission, **arguments: Permission) -> None:
        self.permission = permission
        self.arguments = arguments

    async def resolve_async(self, next_: AsyncExtensionResolver, source: Any, info: Info, **kwargs: Any) -> Any:
        """Let the caller through, or raise."""
        _require(info, self.permission, f"`{info.field_name}`")
        for name, permission in self.arguments.items():
            if kwargs.get(name):
                _require(info, permission, f"`{_as_written(name)}` of `{info.field_name}`")
        return await next_(source, info, **kwargs)


def _require(info: Info, permission: Permission, what: str) -> None:
    caller = info.context.caller
    if permission not in caller.permissions:
        raise GraphQLError(refusal(what, permission, caller.roles), extensions={"code": "FORBIDDEN"})


def _as_written(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def needs_of(type_: type) -> dict[str, Needs | None]:
    """What each field of a type of the schema says that it needs, by the field's name in Python."""
    assert has_object_definition(type_)
    return {
        field.python_name: next((each for each in field.extensions if isinstance(each, Needs)), None)
        for field in type_.__strawberry_definition__.fields
    }


def all_guarded(decisions: type) -> type:
    """The type of mutations, refused while one of them does not say what it needs."""
    silent = [name for name, needs in needs_of(decisions).items() if needs is None]
    if silent:
        raise TypeError(f"mutations without extensions=[Needs(...)]: {', '.join(silent)}")
    return decisions
