"""Who may read topics, by a Kafka cluster's access lists (kafka.apache.org/documentation, "Authorization and ACLs")."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from inventory.model import PrincipalKind
from scanners.access import EVERYONE
from scanners.databases.catalog import Reader

KafkaPython: TypeAlias = Any  # kafka-python has no annotations

ALL_TOPICS = "*"
_ALL_USERS = "User:*"


@dataclass(frozen=True, slots=True)
class Rule:
    """A line of an access list that allows or denies to read topics of this name, or that begin so."""

    topic: str  # ALL_TOPICS for every one
    principal: str  # "User:clerk"
    allows: bool
    prefixed: bool = False
    anywhere: bool = True  # from every host
    privilege: str = "Read"

    def concerns(self, topic: str) -> bool:
        """Whether it is of this topic, or of every one."""
        return topic.startswith(self.topic) if self.prefixed else self.topic in (topic, ALL_TOPICS)


#: What a cluster without access lists does.
NO_LISTS = (Rule(ALL_TOPICS, _ALL_USERS, allows=True),)


def access_rules(admin: KafkaPython) -> Sequence[Rule] | None:
    """Those about reading topics; None when we may not see them, or the cluster is too old to tell."""
    from kafka import admin as names
    from kafka import errors

    kafka, kinds = cast(KafkaPython, names), cast(KafkaPython, errors)
    anything = kafka.ResourcePatternFilter(kafka.ResourceType.TOPIC, None, kafka.ACLResourcePatternType.ANY)
    wanted = kafka.ACLFilter(None, None, kafka.ACLOperation.ANY, kafka.ACLPermissionType.ANY, anything)
    try:
        listed, _ = admin.describe_acls(wanted)
    except kinds.SecurityDisabledError:
        return NO_LISTS
    except (kinds.AuthorizationError, kinds.UnsupportedVersionError, kinds.IncompatibleBrokerVersion):
        return None
    return [
        Rule(
            str(each.resource_pattern.resource_name),
            str(each.principal),
            each.permission_type == kafka.ACLPermissionType.ALLOW,
            each.resource_pattern.pattern_type == kafka.ACLResourcePatternType.PREFIXED,
            each.host == "*",
            each.operation.name.title(),
        )
        for each in listed
        if each.operation in (kafka.ACLOperation.READ, kafka.ACLOperation.ALL)
    ]


def readers(rules: Sequence[Rule], topic: str) -> Iterator[Reader]:
    """Those who may read a topic and not all; of ALL_TOPICS, those who may read all. A deny outdoes an allow."""
    whole = {rule.principal for rule in rules if rule.allows and _is_whole(rule)}
    denied = {rule.principal for rule in rules if not rule.allows and rule.anywhere and rule.concerns(topic)}
    for rule in rules:
        if not rule.allows or not rule.concerns(topic) or denied & {rule.principal, _ALL_USERS}:
            continue
        if (topic == ALL_TOPICS) == (rule.principal in whole):
            evidence = "an access list allows it" if rule.anywhere else "an access list allows it from some hosts"
            yield Reader(*_principal(rule.principal), rule.privilege, evidence=evidence)


def _is_whole(rule: Rule) -> bool:
    return rule.topic == ALL_TOPICS and not rule.prefixed


def _principal(named: str) -> tuple[str, PrincipalKind]:
    if named == _ALL_USERS:
        return EVERYONE, PrincipalKind.PUBLIC
    kind, _, name = named.partition(":")
    return (name, PrincipalKind.USER) if kind == "User" else (named, PrincipalKind.ROLE)
