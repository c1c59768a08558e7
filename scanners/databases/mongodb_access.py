"""Who may read which collections, by MongoDB's users and roles (mongodb.com/docs/manual/core/authorization)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from inventory.model import PrincipalKind
from scanners.databases.catalog import Reader
from scanners.records import json_object, json_objects


@dataclass(frozen=True, slots=True)
class Grant:
    """Who may read the documents of a collection ("" for all) of a database ("" for all)."""

    database: str
    collection: str
    reader: Reader

    def covers(self, database: str, collection: str) -> bool:
        """Whether it is of this collection, without being of the whole server."""
        if not self.database and not self.collection:
            return False
        return self.database in ("", database) and self.collection in ("", collection)


def role_grants(users: Iterable[Mapping[str, Any]], roles: Iterable[Mapping[str, Any]]) -> Iterator[Grant]:
    """From the answers of usersInfo and of rolesInfo with privileges (mongodb.com/docs/manual/reference/command)."""
    privileges = {
        (str(role.get("db")), str(role.get("role"))): [
            *json_objects(role.get("privileges")),
            *json_objects(role.get("inheritedPrivileges")),
        ]
        for role in roles
    }
    for user in users:
        name = f"{user.get('db')}.{user.get('user')}"
        for role in json_objects(user.get("roles")):
            held = str(role.get("db")), str(role.get("role"))
            named = ".".join(held)
            reader = Reader(name, PrincipalKind.USER, "find", named, f"{named} holds the action find")
            found = {_place(each) for each in privileges.get(held, ()) if _finds(each)}
            yield from (Grant(*place, reader) for place in sorted(place for place in found if place is not None))


def _finds(privilege: Mapping[str, Any]) -> bool:
    return bool({"find", "anyAction"} & set(privilege.get("actions") or ()))


def _place(privilege: Mapping[str, Any]) -> tuple[str, str] | None:
    """Database and collection of a privilege, None when it is of the cluster or of the server's own collections."""
    resource = json_object(privilege.get("resource"))
    if resource.get("anyResource"):
        return "", ""
    if "db" not in resource or "collection" not in resource:
        return None
    return str(resource["db"]), str(resource["collection"])


def readers_of(grants: Iterable[Grant] | None, database: str, collection: str) -> tuple[Reader, ...] | None:
    """Those of a collection, but for those who may read the whole server; None when that is not told."""
    if grants is None:
        return None
    return tuple(grant.reader for grant in grants if grant.covers(database, collection))
