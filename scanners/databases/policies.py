"""Amazon's policies: who may read a resource by IAM and by the resource's own policy.

What is evaluated: allows and denies of a principal's own, its groups' and its attached policies, and of the resource's
policy (docs.aws.amazon.com/IAM/latest/UserGuide, "Policy evaluation logic"). A statement under conditions is taken to
allow, and not to deny: who may read under some conditions may read. Not followed: permission boundaries, the policies
of an organisation, sessions, and who may assume a role.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from inventory.model import PrincipalKind
from scanners.access import EVERYONE
from scanners.databases.catalog import Reader

Statement = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Identity:
    """A user or role of the account, with the statements that concern it, each with where it has them from."""

    name: str  # "user/jo", "role/app"
    kind: PrincipalKind
    statements: tuple[tuple[str, Statement], ...]  # "" for its own, "group/analysts"


def identities(details: Mapping[str, Any]) -> list[Identity]:
    """Those in the answers of IAM's GetAccountAuthorizationDetails, with all pages' lists put together."""
    managed = {policy["Arn"]: _statements(_default(policy)) for policy in details.get("Policies", ())}
    groups = {
        group["GroupName"]: [(f"group/{group['GroupName']}", said) for said in _held(group, "GroupPolicyList", managed)]
        for group in details.get("GroupDetailList", ())
    }
    found: list[Identity] = []
    for user in details.get("UserDetailList", ()):
        own = [("", said) for said in _held(user, "UserPolicyList", managed)]
        shared = [each for group in user.get("GroupList", ()) for each in groups.get(group, ())]
        found.append(Identity(f"user/{user['UserName']}", PrincipalKind.USER, (*own, *shared)))
    for role in details.get("RoleDetailList", ()):
        own = [("", said) for said in _held(role, "RolePolicyList", managed)]
        found.append(Identity(f"role/{role['RoleName']}", PrincipalKind.ROLE, tuple(own)))
    return found


def readers_by_identity(known: Iterable[Identity], actions: Sequence[str], resource: str) -> Iterator[Reader]:
    """Those who may do any of the actions with the resource (an ARN; `*` in it stands for itself)."""
    for identity in known:
        for action in actions:
            concerning = [(via, said) for via, said in identity.statements if _concerns(said, action, resource)]
            if any(_denies(said) for _, said in concerning):
                continue
            allowed = sorted(via for via, said in concerning if said.get("Effect") == "Allow")
            if allowed:
                evidence = (
                    "an IAM policy of its group allows it" if allowed[0] else "an IAM policy of its own allows it"
                )
                yield Reader(identity.name, identity.kind, action, allowed[0], evidence)
                break


def readers_by_resource(policy: str, actions: Sequence[str], resource: str, account: str) -> Iterator[Reader]:
    """Those whom the resource's own policy (a JSON document) allows any of the actions."""
    statements = _statements(_parsed(policy))
    for action in actions:
        concerning = [said for said in statements if _concerns(said, action, resource)]
        denied = {name for said in concerning if _denies(said) for name, _ in _principals(said, account)}
        for said in concerning:
            for name, kind in _principals(said, account) if said.get("Effect") == "Allow" else ():
                if not denied & {name, EVERYONE}:
                    yield Reader(name, kind, action, "", "the table's own policy allows it")


def _concerns(said: Statement, action: str, resource: str) -> bool:
    acts = "Action" in said and _any(said["Action"], action.lower(), lower=True)
    acts = acts or ("NotAction" in said and not _any(said["NotAction"], action.lower(), lower=True))
    if not acts:
        return False
    if "NotResource" in said:
        return not _any(said["NotResource"], resource)
    return _any(said.get("Resource", "*"), resource)


def _denies(said: Statement) -> bool:
    return said.get("Effect") == "Deny" and not said.get("Condition")


def _any(patterns: object, text: str, *, lower: bool = False) -> bool:
    return any(_wildcard(each.lower() if lower else each).fullmatch(text) for each in _texts(patterns))


@lru_cache(maxsize=4096)
def _wildcard(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def _principals(said: Statement, account: str) -> Iterator[tuple[str, PrincipalKind]]:
    """Of a statement of a resource's policy; those of the same account by the name that IAM gives them."""
    principal = said.get("Principal")
    named: Mapping[str, Any] = (
        cast("Mapping[str, Any]", principal) if isinstance(principal, Mapping) else {"AWS": principal}
    )
    for service in _texts(named.get("Service")):
        yield f"service/{service}", PrincipalKind.ROLE
    for text in _texts(named.get("AWS")):
        if text == "*":
            yield EVERYONE, PrincipalKind.PUBLIC
        elif text.isdigit() or text.endswith(":root"):
            yield f"account/{text if text.isdigit() else text.split(':')[4]}", PrincipalKind.ROLE
        else:
            own = text.rpartition(f"::{account}:")[2]
            yield own, PrincipalKind.USER if ":user/" in text else PrincipalKind.ROLE


def _held(of: Mapping[str, Any], inline: str, managed: Mapping[str, list[Statement]]) -> Iterator[Statement]:
    for policy in of.get(inline, ()):
        yield from _statements(policy.get("PolicyDocument"))
    for policy in of.get("AttachedManagedPolicies", ()):
        yield from managed.get(policy.get("PolicyArn"), ())


def _default(policy: Mapping[str, Any]) -> object:
    """The document of the version that is in force."""
    return next(
        (each.get("Document") for each in policy.get("PolicyVersionList", ()) if each["IsDefaultVersion"]), None
    )


def _statements(document: object) -> list[Statement]:
    if not isinstance(document, Mapping):
        return []
    said: object = cast("Mapping[str, object]", document).get("Statement", ())
    each = cast("list[object]", said) if isinstance(said, list) else [said]
    return [cast(Statement, one) for one in each if isinstance(one, Mapping)]


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [each for each in cast("list[object]", value) if isinstance(each, str)] if isinstance(value, list) else []
