"""Who may do what: the roles, what each may, and how a field of the schema says what it needs.

What is asked without a word is `READ`, which whoever reaches GraphQL may. Every other field says where it is declared
what it needs: `@strawberry.field(extensions=[Needs(Permission.SEE_READERS)])`. A mutation that says nothing stops the
schema from being built.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, cast

from graphql import GraphQLError
from strawberry.extensions import FieldExtension
from strawberry.extensions.field_extension import AsyncExtensionResolver
from strawberry.types.base import has_object_definition

if TYPE_CHECKING:
    from inventory.api.context import Info


class Role(StrEnum):
    """What a person or program is to the inventory."""

    VIEWER = "viewer"
    ENGINEER = "engineer"
    PRIVACY = "privacy"
    DSAR = "dsar"  # answers the people who ask what is held of them
    ADMIN = "admin"


class Permission(StrEnum):
    """Something that a role may do; also a scope that an API token can be narrowed to."""

    READ = "read"  # ask anything that needs nothing else
    SEE_READERS = "readers"  # who may read a dataset
    REVIEW = "review"  # decide whether a field holds a category
    SEND_LINEAGE = "lineage"  # send OpenLineage events
    SEE_DISCLOSURES = "disclosures"  # the disclosure register
    RECORD_DISCLOSURES = "record-disclosures"  # write into it
    SEE_SUPPRESSED = "suppressed"  # what the person concerned may not be told


_EVERYONE = frozenset({Permission.READ})
_REGISTER = frozenset({Permission.SEE_DISCLOSURES, Permission.RECORD_DISCLOSURES})

MAY: Mapping[Role, frozenset[Permission]] = {
    Role.VIEWER: _EVERYONE,
    Role.ENGINEER: _EVERYONE | {Permission.SEE_READERS, Permission.REVIEW, Permission.SEND_LINEAGE},
    Role.PRIVACY: _EVERYONE | _REGISTER | {Permission.SEE_READERS, Permission.REVIEW, Permission.SEE_SUPPRESSED},
    Role.DSAR: _EVERYONE | _REGISTER,
    Role.ADMIN: frozenset(Permission),
}


def permissions_of(roles: Iterable[Role], scopes: Collection[Permission] = ()) -> frozenset[Permission]:
    """What any of these roles may; of that, only the scopes when there are some."""
    given = frozenset(permission for role in roles for permission in MAY[role])
    return given & frozenset(scopes) if scopes else given


def roles_with(permission: Permission) -> list[Role]:
    """The roles that may."""
    return [role for role in Role if permission in MAY[role]]


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


def refusal(what: str, permission: Permission, roles: Collection[Role]) -> str:
    """Why somebody with these roles may not."""
    having = [role for role in Role if role in roles]
    if any(permission in MAY[role] for role in having):
        return f"{what} needs a token of scope {permission}; yours is narrowed to others."
    return f"{what} needs one of the roles {', '.join(roles_with(permission))}; you have {', '.join(having) or 'none'}."


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
    return cast("type", decisions)
