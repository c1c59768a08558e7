"""Who may read which keys, by Redis's access list (redis.io/docs, "ACL")."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from inventory.model import PrincipalKind
from scanners.access import without_credentials
from scanners.databases.catalog import Reader

#: A command that reads each type of value, with its categories (redis.io/docs/latest/commands/acl-cat).
_READING = {
    "get": {"read", "string", "fast"},
    "mget": {"read", "string", "fast"},
    "getrange": {"read", "string", "slow"},
    "hget": {"read", "hash", "fast"},
    "hgetall": {"read", "hash", "slow"},
    "lrange": {"read", "list", "slow"},
    "smembers": {"read", "set", "slow"},
    "zrange": {"read", "sortedset", "slow"},
    "xrange": {"read", "stream", "slow"},
    "dump": {"read", "keyspace", "slow"},
}


@dataclass(frozen=True, slots=True)
class Grant:
    """The keys that a user may read, by Redis's own patterns; `everyone` needs no password."""

    user: str
    patterns: tuple[str, ...]
    everyone: bool = False

    @property
    def all_keys(self) -> bool:
        """Whether it is of the whole server."""
        return "*" in self.patterns

    def covers(self, key: bytes) -> bool:
        """Whether it is of this key."""
        return any(_glob(pattern).fullmatch(key) for pattern in self.patterns)

    def reader(self, system: str, evidence: str) -> Reader:
        """Who that is."""
        if self.everyone:
            return without_credentials(system, "read")[1]
        return Reader(self.user, PrincipalKind.USER, "read", evidence=evidence)


def key_grants(listed: Iterable[str | bytes]) -> list[Grant]:
    """From the lines of ACL LIST: `user <name> on #<hash of a password> ~<pattern> -@all +@read (<a further rule>)`."""
    found: list[Grant] = []
    for line in listed:
        text = line.decode("utf-8", "replace") if isinstance(line, bytes) else line
        _, name, words = text.split(" ", 2)
        own, *further = re.split(r" ?\(|\)", words)
        flags = own.split()
        rules = [flags, *(rule.split() for rule in further if rule.strip())]
        patterns = tuple(pattern for rule in rules if _reads(rule) for pattern in _patterns_read(rule))
        if "on" in flags and patterns:
            found.append(Grant(name, patterns, everyone=name == "default" and "nopass" in flags))
    return found


def _reads(rule: Iterable[str]) -> bool:
    """Whether the last words that concern a command that reads allow it."""
    allowed: set[str] = set()
    for word in rule:
        sign, named = word[:1], word[1:].lower()
        if sign not in ("+", "-"):
            continue
        meant = {
            command
            for command, categories in _READING.items()
            if named in (command, "@all") or (named.startswith("@") and named[1:] in categories)
        }
        allowed = allowed | meant if sign == "+" else allowed - meant
    return bool(allowed)


def _patterns_read(rule: Iterable[str]) -> Iterator[str]:
    for word in rule:
        permissions, tilde, pattern = word.partition("~")
        if tilde and (not permissions or (permissions.startswith("%") and "R" in permissions)):
            yield pattern


@lru_cache(maxsize=1000)
def _glob(pattern: str) -> re.Pattern[bytes]:
    """Redis's pattern (`*`, `?`, `[a-c]`, `[^a]`, `\\` before a character) as a regular expression."""
    found, place = "", 0
    while place < len(pattern):
        character = pattern[place]
        closing = pattern.find("]", place + 1) if character == "[" else -1
        if character == "\\" and place + 1 < len(pattern):
            place += 1
            found += re.escape(pattern[place])
        elif closing > place + 1:
            inner = pattern[place + 1 : closing]
            negated = inner.startswith("^")
            letters = re.escape(inner.removeprefix("^")).replace(r"\-", "-")
            found += f"[{'^' * negated}{letters}]" if letters else re.escape(pattern[place : closing + 1])
            place = closing
        else:
            found += {"*": ".*", "?": "."}.get(character, re.escape(character))
        place += 1
    try:
        return re.compile(found.encode(), re.DOTALL)
    except re.error:  # a range that ends before it begins
        return re.compile(re.escape(pattern).encode())
