"""The one HTTP client of all integrations: reads JSON from one vendor, and from nowhere else.

Whatever a server does, an error says only which resource it was and what kind of thing went wrong: addresses (which
hold keys of records), headers (which hold credentials) and bodies (which hold data) stay out of messages and logs.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import logging
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, cast
from urllib.parse import urljoin, urlsplit

import httpx

from inventory.errors import InventoryError, SourceError, UnreadableError
from scanners.integrations.connector import (
    CursorPaging,
    LinkPaging,
    NoPaging,
    NumberPaging,
    OffsetPaging,
    Paging,
    TokenPaging,
)
from scanners.records import JsonObject

Wait = Callable[[float], None]

# At INFO, httpx logs every address it asks for, with the keys of records in it; httpcore logs headers.
for _name in ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy"):
    logging.getLogger(_name).addFilter(lambda record: record.levelno >= logging.WARNING)


@dataclass(frozen=True, slots=True)
class Limits:
    """How far the engine goes with one vendor. Sizes in bytes, times in seconds."""

    response: int = 16 * 2**20
    pages: int = 1000
    attempts: int = 5
    one_wait: float = 60
    all_waits: float = 180
    silence: float = 30  # until the next byte
    answer: float = 120  # until the last byte


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask for. `name` stands for it in messages."""

    name: str
    path: str
    method: str = "GET"
    parameters: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class _Answer:
    body: Any
    link: str


@dataclass(slots=True)
class Pages:
    """What became of reading a list: `complete` once the last page was seen."""

    complete: bool = False


class Engine:
    """Asks one vendor, as `source`, at `base_url` and the other `hosts`. `wait` sleeps (a test gives its own)."""

    def __init__(
        self,
        source: str,
        base_url: str,
        hosts: tuple[str, ...] = (),
        headers: Mapping[str, str] | None = None,
        limits: Limits | None = None,
        wait: Wait = time.sleep,
    ) -> None:
        self._source = source
        self._base = base_url.rstrip("/")
        self._origin = _origin_of(base_url)
        self._origins = {self._origin, *(("https", host, 443) for host in hosts)}
        self._limits = limits or Limits()
        self._wait = wait
        self._waited = 0.0
        self._client = httpx.Client(
            headers={"Accept": "application/json", "Accept-Encoding": "identity", **(headers or {})},
            timeout=self._limits.silence,
            follow_redirects=False,
        )

    def close(self) -> None:
        """Close connections."""
        self._client.close()

    def get(self, request: Request) -> Any:
        """The JSON that the server answers."""
        return self._ask(request, self._base + request.path, request.parameters).body

    def records(self, request: Request, pointer: str | None, paging: Paging, pages: Pages) -> Iterator[JsonObject]:
        """The records of a list, page after page, each asked for when it is needed."""
        address = self._base + request.path
        parameters = dict(request.parameters or {})
        if isinstance(paging, OffsetPaging):
            parameters |= {paging.parameter: "0", paging.size_parameter: str(paging.size)}
        if isinstance(paging, NumberPaging):
            sized = {paging.size_parameter: str(paging.size)} if paging.size_parameter else {}
            parameters |= {paging.parameter: str(paging.first), **sized}
        seen = {_mark(address, parameters)}
        for _ in range(self._limits.pages):
            answer = self._ask(request, address, parameters)
            page = self._page(request, answer.body, pointer)
            yield from page
            step = self._next(request, paging, answer, page, parameters, address)
            if step is None:
                pages.complete = True
                return
            address, parameters = step
            mark = _mark(address, parameters)
            if mark in seen:
                raise self._unreadable(request, "cycle", "its pages lead in a circle")
            seen.add(mark)
        raise self._unreadable(request, "too-many-pages", f"has more than {self._limits.pages} pages")

    def _page(self, request: Request, body: Any, pointer: str | None) -> list[JsonObject]:
        found = at(body, pointer) if pointer else body
        if not isinstance(found, list):
            raise self._unreadable(request, "unexpected-answer", "answered JSON without the list it should hold")
        rows = cast(list[object], found)
        if not all(isinstance(row, dict) for row in rows):
            raise self._unreadable(request, "unexpected-answer", "answered a list of other things than records")
        return cast(list[JsonObject], rows)

    def _next(
        self,
        request: Request,
        paging: Paging,
        answer: _Answer,
        page: list[JsonObject],
        parameters: dict[str, str],
        address: str,
    ) -> tuple[str, dict[str, str]] | None:
        match paging:
            case NoPaging():
                return None
            case CursorPaging():
                if at(answer.body, paging.more) is not True:
                    return None
                cursor = at(page[-1], paging.key) if page else None
                if not isinstance(cursor, str | int):
                    raise self._unreadable(request, "half-page", "says that there is more, and gives no way to it")
                return address, {**parameters, paging.parameter: str(cursor)}
            case TokenPaging():
                token = at(answer.body, paging.token)
                return (address, {**parameters, paging.parameter: str(token)}) if token else None
            case OffsetPaging():
                offset = int(parameters[paging.parameter]) + len(page)
                return (address, {**parameters, paging.parameter: str(offset)}) if len(page) >= paging.size else None
            case NumberPaging():
                number = int(parameters[paging.parameter]) + 1
                return (address, {**parameters, paging.parameter: str(number)}) if len(page) >= paging.size else None
            case LinkPaging():
                link = at(answer.body, paging.next) if paging.next else answer.link
                return (urljoin(address, str(link)), {}) if link else None

    def _ask(self, request: Request, address: str, parameters: Mapping[str, str] | None) -> _Answer:
        self._refuse_elsewhere(request, address)
        error: InventoryError | None = None
        for attempt in range(self._limits.attempts):
            if attempt and error is not None:
                self._pause(attempt, error)
            try:
                return self._try(request, address, parameters)
            except _TryAgainError as again:
                error = again
        raise error or self._unreadable(request, "unreachable", "was not asked")

    def _pause(self, attempt: int, error: InventoryError) -> None:
        asked = error.after if isinstance(error, _TryAgainError) else None
        seconds = min(0.5 * 2 ** (attempt - 1) if asked is None else asked, self._limits.one_wait)
        if self._waited + seconds > self._limits.all_waits:
            raise error
        self._waited += seconds
        self._wait(seconds)

    def _try(self, request: Request, address: str, parameters: Mapping[str, str] | None) -> _Answer:
        posted = dict(parameters or {}) if request.method == "POST" else None
        query = dict(parameters) if parameters and posted is None else None
        try:
            with self._client.stream(request.method, address, params=query, data=posted) as response:
                self._refuse_link_local(request, response)
                self._refuse_status(request, response)
                return _Answer(self._json(request, response), response.links.get("next", {}).get("url", ""))
        except httpx.TimeoutException:
            raise self._again(request, "timeout", "did not answer in time") from None
        except httpx.ConnectError:
            raise self._again(request, "unreachable", "cannot be reached", whole=True) from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError):
            raise self._again(request, "broken-answer", "broke off its answer") from None

    def _json(self, request: Request, response: httpx.Response) -> Any:
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if not (kind == "application/json" or kind.endswith("+json")):
            raise self._unreadable(request, "not-json", "answered something other than JSON")
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise self._unreadable(request, "not-json", "answered in an encoding that was not asked for")
        body = bytearray()
        end = time.monotonic() + self._limits.answer
        for chunk in response.iter_raw():
            body += chunk
            if time.monotonic() > end:
                raise self._again(request, "timeout", "did not answer in time")
            if len(body) > self._limits.response:
                limit = self._limits.response // 2**20
                raise self._unreadable(request, "too-large", f"answered more than {limit} MiB at once")
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise self._unreadable(request, "not-json", "answered malformed JSON") from None

    def _refuse_status(self, request: Request, response: httpx.Response) -> None:
        status = response.status_code
        if status == 200:
            return
        if status == 401:
            raise SourceError(self._source, "the credentials are refused", "check credentials", "credentials")
        if status == 403:
            raise self._unreadable(request, "no-permission", "reading is not permitted", "grant read permission")
        if 300 <= status < 400:
            raise self._unreadable(request, "redirect", "redirects elsewhere, which is not followed")
        if status == 429:
            raise self._again(request, "rate-limited", "is asked for too often", _retry_after(response))
        if status >= 500:
            raise self._again(request, "server-error", f"answers with status {status}", _retry_after(response))
        raise self._unreadable(request, "refused", f"answers with status {status}")

    def _refuse_elsewhere(self, request: Request, address: str) -> None:
        try:
            origin = _origin_of(address)
        except ValueError:
            origin = None
        if origin not in self._origins:
            raise self._unreadable(request, "elsewhere", "leads to another host, which is not followed")
        for entry in _addresses(origin[1]):
            if _is_link_local(entry):
                raise SourceError(self._source, "its address is link-local, which is refused", "", "elsewhere")

    def _refuse_link_local(self, request: Request, response: httpx.Response) -> None:
        """A name may have changed its address between the look-up and the connection."""
        stream = response.extensions.get("network_stream")
        peer: Any = stream.get_extra_info("server_addr") if stream is not None else None
        if peer and _is_link_local(str(peer[0])):
            raise self._unreadable(request, "elsewhere", "leads to a link-local address, which is refused")

    def _unreadable(self, request: Request, code: str, cause: str, remedy: str = "") -> UnreadableError:
        return UnreadableError(f"{self._source}: {request.name}", cause, remedy, code)

    def _again(
        self, request: Request, code: str, cause: str, after: float | None = None, whole: bool = False
    ) -> _TryAgainError:
        source = self._source if whole else f"{self._source}: {request.name}"
        return _TryAgainError(source, cause, "scan again later", code, after)


class _TryAgainError(UnreadableError):
    """What may go well the next time; `after` is how many seconds the server asks to wait."""

    def __init__(self, source: str, cause: str, remedy: str, code: str, after: float | None) -> None:
        super().__init__(source, cause, remedy, code)
        self.after = after


def at(value: Any, pointer: str) -> Any:
    """What is at the JSON pointer, or None."""
    for part in pointer.split("/")[1:]:
        if not isinstance(value, dict):
            return None
        value = cast(dict[str, Any], value).get(part.replace("~1", "/").replace("~0", "~"))
    return value


def _origin_of(address: str) -> tuple[str, str, int]:
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise ValueError("no plain address")
    return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)


def _addresses(host: str) -> list[str]:
    try:
        return [str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError):
        return []  # the request itself says that the host is unknown


def _is_link_local(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_link_local


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds, of either form of the header (RFC 9110, 10.2.3)."""
    value = response.headers.get("retry-after", "").strip()
    if value.isdigit() and len(value) < 10:
        return float(value)
    try:
        return max(parsedate_to_datetime(value).timestamp() - time.time(), 0.0)
    except (ValueError, TypeError, OverflowError):
        return None


def _mark(address: str, parameters: Mapping[str, str]) -> bytes:
    return hashlib.blake2b(repr((address, sorted(parameters.items()))).encode(), digest_size=16).digest()
