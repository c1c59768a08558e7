"""Who may do what: the roles, and what each may."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum


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


def refusal(what: str, permission: Permission, roles: Collection[Role]) -> str:
    """Why somebody with these roles may not."""
    having = [role for role in Role if role in roles]
    if any(permission in MAY[role] for role in having):
        return f"{what} needs a token of scope {permission}; yours is narrowed to others."
    return f"{what} needs one of the roles {', '.join(roles_with(permission))}; you have {', '.join(having) or 'none'}."
