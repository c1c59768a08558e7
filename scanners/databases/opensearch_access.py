"""Who may read indices, by the roles of OpenSearch's security plugin or of Elasticsearch's security.

What is asked is each one's API of roles, their mappings and users (opensearch.org/docs, "Access control API";
elastic.co/guide, "Security APIs"). Restrictions to documents or fields of an index are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, cast

from inventory.errors import UnreadableError
from inventory.model import PrincipalKind
from scanners.access import EVERYONE
from scanners.databases.catalog import Reader
from scanners.integrations.engine import Engine, Request
from scanners.records import json_object, json_objects

#: Words of either product that, among others, allow documents to be read.
_READING = frozenset({"*", "all", "indices_all", "read", "search", "get", "crud", "data_access", "manage_all"})
_READING_ACTION = ("indices:data/read", "indices:data/*", "indices:*")


@dataclass(frozen=True, slots=True)
class Grant:
    """A principal that may read the indices whose names these patterns match."""

    reader: Reader
    patterns: tuple[str, ...]

    @property
    def all_indices(self) -> bool:
        """Whether it is of every index."""
        return "*" in self.patterns

    def covers(self, indices: Iterable[str]) -> bool:
        """Whether it is of any of these indices."""
        return any(fnmatchcase(index, pattern) for index in indices for pattern in self.patterns)


def index_grants(client: Engine, kind: str) -> list[Grant] | None:
    """Of `opensearch` or `elasticsearch`; None when we may not see them, or it has none."""
    try:
        if kind == "opensearch":
            roles, mappings, users = (
                json_object(client.get(Request(f"list of {name}", f"/_plugins/_security/api/{name}")))
                for name in ("roles", "rolesmapping", "internalusers")
            )
            return list(_of_opensearch(roles, mappings, users))
        roles, users = (
            json_object(client.get(Request(f"list of {name}s", f"/_security/{name}"))) for name in ("role", "user")
        )
        return list(_of_elasticsearch(roles, users))
    except UnreadableError:
        return None


def readers(grants: Sequence[Grant], indices: Sequence[str]) -> tuple[Reader, ...]:
    """Those who may read any of these indices, but not every index."""
    return tuple(grant.reader for grant in grants if not grant.all_indices and grant.covers(indices))


def readers_of_all(grants: Sequence[Grant]) -> tuple[Reader, ...]:
    """Those who may read every index."""
    return tuple(grant.reader for grant in grants if grant.all_indices)


def _of_opensearch(roles: Mapping[str, Any], mappings: Mapping[str, Any], users: Mapping[str, Any]) -> Iterator[Grant]:
    for role, about in roles.items():
        permissions = json_objects(json_object(about).get("index_permissions"))
        patterns = _patterns(permissions, "allowed_actions", "index_patterns")
        mapped = json_object(mappings.get(role))
        behind = set(_texts(mapped.get("backend_roles")))
        named = set(_texts(mapped.get("users")))
        for user, said in users.items():
            own = set(_texts(json_object(said).get("opendistro_security_roles")))
            if role in own or behind & set(_texts(json_object(said).get("backend_roles"))):
                named.add(user)
        principals = [(EVERYONE, PrincipalKind.PUBLIC)] if "*" in named else []
        principals += [(name, PrincipalKind.USER) for name in sorted(named - {"*"})]
        principals += [(f"backend_role/{name}", PrincipalKind.ROLE) for name in sorted(behind)]
        yield from _granted(role, patterns, principals)


def _of_elasticsearch(roles: Mapping[str, Any], users: Mapping[str, Any]) -> Iterator[Grant]:
    for role, about in roles.items():
        patterns = _patterns(json_objects(json_object(about).get("indices")), "privileges", "names")
        holders = sorted(
            name
            for name, said in users.items()
            if role in _texts(json_object(said).get("roles")) and json_object(said).get("enabled") is not False
        )
        yield from _granted(role, patterns, [(name, PrincipalKind.USER) for name in holders])


def _granted(role: str, patterns: tuple[str, ...], held: Sequence[tuple[str, PrincipalKind]]) -> Iterator[Grant]:
    """To the role itself, and to those who hold it."""
    if not patterns:
        return
    evidence = "the role may read it"
    yield Grant(Reader(f"role/{role}", PrincipalKind.ROLE, "read", evidence=evidence), patterns)
    for name, kind in held:
        yield Grant(Reader(name, kind, "read", f"role/{role}", evidence), patterns)


def _patterns(permissions: Iterable[Mapping[str, Any]], actions: str, names: str) -> tuple[str, ...]:
    return tuple(name for each in permissions if _reads(_texts(each.get(actions))) for name in _texts(each.get(names)))


def _reads(actions: Iterable[str]) -> bool:
    return any(each.lower() in _READING or each.startswith(_READING_ACTION) for each in actions)


def _texts(value: object) -> list[str]:
    return [str(each) for each in cast("list[object]", value)] if isinstance(value, list) else []
