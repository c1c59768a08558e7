"""Texts that say where something is sent: names of settings, and the hosts in their values."""

from __future__ import annotations

import re

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_PLAIN = frozenset({"dsn", "endpoint", "webhook", "smtp", "relay", "broker", "brokers", "sink", "collector", "mailer"})
_ENDPOINT = _PLAIN | {"url", "uri", "host", "hostname", "server", "bootstrap", "callback", "destination", "origin"}
# What names a page for people, a place of code, or something of one's own.
_ELSEWHERE = frozenset(
    {"doc", "docs", "documentation", "homepage", "home", "source", "license", "licence", "schema", "repository", "repo",
     "issue", "issues", "badge", "readme", "icon", "avatar", "logo", "picture", "photo", "image", "profile", "website",
     "referrer", "referer", "redirect", "client", "customer", "user", "visitor", "page", "request", "remote", "git",
     "bugs", "funding", "changelog", "support", "help", "terms", "privacy", "blog", "virtual", "vm"}
)  # fmt: skip
_SCHEME = r"[a-z][a-z0-9+.-]{1,30}"
_URL = re.compile(rf"(?:{_SCHEME}:)?//(?:[^\s/@'\"<>]{{0,512}}@)?(\[[0-9a-f:.]+\]|[a-z0-9*_.-]+)", re.IGNORECASE)
_DSN = re.compile(r"(?:^|[;\s(])(?:host|server|data source|address)\s*=\s*(?:tcp:)?([a-z0-9_.-]+)", re.IGNORECASE)
_HOST = re.compile(r"(?:[a-z0-9_-]+\.)+[a-z][a-z0-9-]+", re.IGNORECASE)
_FILE = re.compile(
    r"\.(?:py|js|ts|json|ya?ml|toml|md|sh|go|rs|rb|conf|cfg|ini|log|txt|sock|html?|css|png|svg|sql|xml|key|pem|crt)$"
)


def names_endpoint(name: str) -> bool:
    """Whether a setting of that name says where something is sent: `SMTP_HOST`, `webhookUrl`, `sentry-dsn`."""
    words = {word.lower() for word in _WORDS.findall(name)}
    return bool(words & _ENDPOINT) and not words & _ELSEWHERE


def is_plainly_endpoint(name: str) -> bool:
    """Whether it says so without another word: `webhook`, and not `url`, which may be that of anything."""
    return names_endpoint(name) and any(word.lower() in _PLAIN for word in _WORDS.findall(name))


def endpoint_hosts(value: str) -> list[str]:
    """The hosts in a setting's value: of URLs, of a connection string, or the value itself if it is a host.

    Nothing but hosts is taken: no user, password, path or query.
    """
    value = value.strip().strip("'\"")[:4096]
    hosts = [host.lower().strip("[]") for host in _URL.findall(value)] + [host.lower() for host in _DSN.findall(value)]
    if hosts:
        return hosts
    bare = re.sub(r":\d{1,5}$", "", value)
    if "@" in bare:
        bare = bare.rpartition("@")[2]
    return [bare.lower()] if _HOST.fullmatch(bare) and not _FILE.search(bare.lower()) else []
