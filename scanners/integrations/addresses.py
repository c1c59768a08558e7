"""Where a request may go: addresses after their placeholders are filled, and which machines are never asked."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias, cast
from urllib.parse import urlsplit, urlunsplit

from inventory.errors import ConfigError
from scanners.integrations.connector import Connector

Origin: TypeAlias = tuple[str, str, int]  # scheme, host, port

#: Of a connector, what stands in requests.
_FILLED = ("base_url", "hosts", "headers", "auth", "check", "resources")


def filled(connector: Connector, values: Mapping[str, str], source: str) -> Connector:
    """The connector with `{name}` replaced by the value; a resource's own placeholders stay. Raises ConfigError."""
    content = connector.model_dump()
    content |= {key: _replaced(content[key], values) for key in _FILLED}
    bound = Connector.model_validate(content)
    for address in (bound.base_url, *(resource.base_url for resource in bound.resources if resource.base_url)):
        try:
            origin_of(address)
        except ValueError:
            raise ConfigError(source, "account and variables give no address", "see the connector's table") from None
    return bound


def times(now: datetime | None = None) -> dict[str, str]:
    """The values of `{now}` and `{month_ago}`, for lists that vendors give only of a span of time."""
    moment = (now or datetime.now(UTC)).replace(microsecond=0)
    said = {"now": moment, "month_ago": moment - timedelta(days=30)}
    return {name: each.isoformat().replace("+00:00", "Z") for name, each in said.items()}


def _replaced(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for name, text in values.items():
            value = value.replace("{" + name + "}", text)
        return value
    if isinstance(value, dict):
        return {
            _replaced(key, values): _replaced(each, values) for key, each in cast("dict[str, object]", value).items()
        }
    if isinstance(value, list | tuple):
        return [_replaced(each, values) for each in cast("list[object]", value)]
    return value


def placed(values: Mapping[str, str], value: Any) -> Any:
    """The JSON value with `{name}` replaced by the value in all texts of it."""
    return _replaced(value, values)


def moved(address: str, base: str) -> str:
    """The address at the origin of `base`: where an emulator serves what the vendor has on several hosts."""
    new = urlsplit(base)
    return urlunsplit((new.scheme, new.netloc, *urlsplit(address)[2:]))


def origin_of(address: str) -> Origin:
    """Scheme, host and port; ValueError when the address has no plain ones."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise ValueError("no plain address")
    return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)


def machines(host: str) -> list[str]:
    """The IP addresses of a host; none when nobody knows it (the request itself then says so)."""
    try:
        return [str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError):
        return []


def is_link_local(machine: str) -> bool:
    """Whether the IP address is of this network segment alone, where clouds answer with credentials."""
    parsed = _ip(machine)
    return parsed is not None and parsed.is_link_local


def is_private(machine: str) -> bool:
    """Whether the IP address is not of the public network."""
    parsed = _ip(machine)
    return parsed is not None and not parsed.is_global


def _ip(machine: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        parsed = ipaddress.ip_address(machine.partition("%")[0])
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return mapped or parsed
