"""The one HTTP client of all integrations: reads JSON from one vendor, and from nowhere else.

Whatever a server does, an error says only which resource it was and what kind of thing went wrong: addresses (which
hold keys of records), headers (which hold credentials) and bodies (which hold data) stay out of messages and logs.
"""

from __future__ import annotations

import json
import logging
import re
import time
import urllib.request
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Literal, cast

import httpx

from inventory.errors import InventoryError, SourceError, UnreadableError
from scanners.budget import Budget, Meter
from scanners.integrations.addresses import Origin, is_link_local, is_private, machines, origin_of
from scanners.integrations.connector import Paging
from scanners.integrations.paging import HalfPageError, Step, first, following
from scanners.integrations.places import every
from scanners.integrations.sign_in import FixedHeaders, Form, SignIn
from scanners.records import JsonObject

Wait = Callable[[float], None]

# At INFO, httpx logs every address it asks for, with the keys of records in it; httpcore logs headers.
for _name in ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy"):
    logging.getLogger(_name).addFilter(lambda record: record.levelno >= logging.WARNING)

_JSON = re.compile(r"(application|text)/([a-z0-9.+-]+\+)?(x-)?(json|amz-json-1\.[01])")
_UNPACKED = 2**20  # bytes that a part is unpacked to at most
#: One JSON value a line (ndjson.org, jsonlines.org).
_LINES = re.compile(r"application/(x-)?(ndjson|jsonl|jsonlines|json-lines|json-seq)")


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
    alike: float = 0.25  # answers that begin sooner tell nothing of how busy the vendor is


Shape = Literal["list", "record", "map", "values"]


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask for. `name` stands for it in messages, `scopes` are what reading it takes."""

    name: str
    path: str
    method: str = "GET"
    parameters: Mapping[str, str] | None = None
    body: Any = None
    base_url: str = ""  # by default the engine's
    shape: Shape = "list"
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Answer:
    body: Any
    link: str
    size: int  # bytes, unpacked
    took: float  # seconds until it began
    cut: bool = False  # it went on, and was not read to its end


@dataclass(slots=True)
class Pages:
    """What became of reading a list: `complete` once the last page was seen. `left` bytes are still to be read."""

    complete: bool = False
    left: float = float("inf")


class Engine:
    """Asks one vendor, as `source`, at `base_url` and the other `hosts`, signed by `sign_in`.

    `given` tells that the user wrote `base_url`: only then it may be a machine of a private network. `wait` sleeps (a
    test gives its own), `meter` keeps to the source's budget.
    """

    def __init__(
        self,
        source: str,
        base_url: str,
        hosts: tuple[str, ...] = (),
        headers: Mapping[str, str] | None = None,
        limits: Limits | None = None,
        wait: Wait = time.sleep,
        sign_in: SignIn | None = None,
        meter: Meter | None = None,
        *,
        given: bool = True,
    ) -> None:
        self._source = source
        self._base = base_url.rstrip("/")
        self._origins: set[Origin] = {origin_of(base_url), *(("https", host, 443) for host in hosts)}
        self._given: set[Origin] = {origin_of(base_url)} if given else set()
        self._looked_up: set[Origin] = set()
        self._limits = limits or Limits()
        self._wait = wait
        self._waited = 0.0
        self._sign_in = sign_in or FixedHeaders({})
        if self._sign_in.tokens_at:
            self._origins.add(origin_of(self._sign_in.tokens_at))
        self._meter = meter or Meter(Budget(), sleep=wait)
        self._proxied = bool(urllib.request.getproxies())  # then the peer is the proxy
        self._client = httpx.Client(
            headers={"Accept": "application/json", "Accept-Encoding": "gzip", **(headers or {})},
            timeout=self._limits.silence,
            follow_redirects=False,
        )
        self._client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))  # each request stands for itself

    def close(self) -> None:
        """Close connections."""
        self._client.close()

    def get(self, request: Request) -> Any:
        """The JSON that the server answers."""
        return self._ask(request, self._first(request)).body

    def records(self, request: Request, pointer: str | None, paging: Paging, pages: Pages) -> Iterator[JsonObject]:
        """The records of a list, page after page, each asked for when it is needed and the budget allows it."""
        step = first(paging, self._first(request))
        seen = {step.mark()}
        pace = Meter(Budget(), sleep=self._wait)  # how busy the vendor is, by how long its pages take
        for _ in range(self._limits.pages):
            if self._meter.refusal():
                return
            pace.wait()
            answer = self._ask(request, step)
            pace.feel(max(answer.took, self._limits.alike))
            page = self._page(request, answer.body, pointer)
            self._meter.count_sample(len(page), 0)
            pages.left -= answer.size
            yield from page
            if answer.cut or pages.left <= 0:
                return
            following_step = self._following(request, paging, step, answer, page)
            if following_step is None:
                pages.complete = True
                return
            step = following_step
            mark = step.mark()
            if mark in seen:
                raise self._unreadable(request, "cycle", "its pages lead in a circle")
            seen.add(mark)
        raise self._unreadable(request, "too-many-pages", f"has more than {self._limits.pages} pages")

    def _first(self, request: Request) -> Step:
        base = request.base_url.rstrip("/") or self._base
        return Step(base + request.path, dict(request.parameters or {}), request.body)

    def _page(self, request: Request, body: Any, pointer: str | None) -> list[JsonObject]:
        found = list(every(body, pointer)) if pointer else [body]
        if pointer and not found and "/-" not in pointer and "/*" not in pointer:
            raise self._unreadable(request, "unexpected-answer", "answered JSON without the records it should hold")
        rows: list[JsonObject] = []
        for each in found:
            rows += self._shaped(request, each)
        return rows

    def _shaped(self, request: Request, found: Any) -> list[JsonObject]:
        match request.shape, found:
            case "list" | "map" | "values", None:
                return []  # as Go writes an empty list
            case "record", dict():
                return [cast("JsonObject", found)]
            case "map", dict():
                members = cast("dict[str, object]", found)
                return [_with_key(key, value) for key, value in members.items()]
            case "values", list():
                return [{"value": value} for value in cast("list[object]", found)]
            case "list", list():
                rows = cast("list[object]", found)
                if all(isinstance(row, dict) for row in rows):
                    return cast("list[JsonObject]", rows)
                raise self._unreadable(request, "unexpected-answer", "answered a list of other things than records")
            case _:
                raise self._unreadable(request, "unexpected-answer", f"answered JSON without the {request.shape}")

    def _following(
        self, request: Request, paging: Paging, step: Step, answer: _Answer, page: list[JsonObject]
    ) -> Step | None:
        try:
            return following(paging, step, answer.body, answer.link, page)
        except HalfPageError:
            raise self._unreadable(request, "half-page", "says that there is more, and gives no way to it") from None

    def _ask(self, request: Request, step: Step) -> _Answer:
        self._refuse_elsewhere(request, step.address)
        error: InventoryError | None = None
        for attempt in range(self._limits.attempts):
            if attempt and error is not None:
                self._pause(attempt, error)
            try:
                return self._try(request, step)
            except _TryAgainError as again:
                error = again
        raise error or self._unreadable(request, "unreachable", "was not asked")

    def _pause(self, attempt: int, error: InventoryError) -> None:
        asked = error.after if isinstance(error, _TryAgainError) else None
        seconds = 0.5 * 2 ** (attempt - 1) if asked is None else asked
        if seconds > self._limits.one_wait or self._waited + seconds > self._limits.all_waits:
            raise error  # to ask sooner than the server wants to be asked would not help
        self._waited += seconds
        self._wait(seconds)

    def _try(self, request: Request, step: Step) -> _Answer:
        """One attempt, and another at once when a token has ended."""
        try:
            return self._signed(request, step)
        except _RefusedError:
            if not self._sign_in.renew():
                raise
        return self._signed(request, step)

    def _signed(self, request: Request, step: Step) -> _Answer:
        try:
            built = self._built(request, step)
            self._sign_in.sign(built, self._post)
            return self._sent(request, built)
        except httpx.TimeoutException:
            raise self._again(request, "timeout", "did not answer in time") from None
        except httpx.ConnectError:
            raise self._again(request, "unreachable", "cannot be reached", whole=True) from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, UnicodeError):
            raise self._again(request, "broken-answer", "broke off its answer") from None

    def _built(self, request: Request, step: Step) -> httpx.Request:
        query = dict(step.parameters) or None
        if request.method != "POST":
            return self._client.build_request(request.method, step.address, params=query)
        if step.body is None:
            return self._client.build_request("POST", step.address, data=dict(step.parameters))
        return self._client.build_request("POST", step.address, params=query, json=step.body)

    def _post(self, address: str, form: Form, headers: Mapping[str, str]) -> Any:
        """A form, for a token."""
        request = Request("token", "", "POST")
        self._refuse_elsewhere(request, address)
        built = self._client.build_request("POST", address, data=dict(form), headers=dict(headers))
        try:
            return self._sent(request, built).body
        except _TryAgainError:
            raise
        except (UnreadableError, _RefusedError) as error:
            if error.code in ("refused", "not-granted", "credentials"):
                cause = "no token is given for the credentials"
                raise SourceError(self._source, cause, "check credentials", "credentials") from None
            raise SourceError(error.source, error.cause, error.remedy, error.code) from None

    def _sent(self, request: Request, built: httpx.Request) -> _Answer:
        self._meter.wait()
        self._meter.count_query()
        begun = time.monotonic()
        response = self._client.send(built, stream=True)
        took = time.monotonic() - begun
        try:
            self._refuse_peer(request, response)
            self._refuse_status(request, response)
            link = response.links.get("next", {}) if "link" in response.headers else {}
            # Sentry's last page links to an empty one, and says so.
            target = "" if link.get("results") == "false" else link.get("url", "")
            return self._read(request, response, target, took)
        finally:
            response.close()

    def _read(self, request: Request, response: httpx.Response, link: str, took: float) -> _Answer:
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        lines = _LINES.fullmatch(kind) is not None
        if not lines and not _JSON.fullmatch(kind):
            raise self._unreadable(request, "not-json", "answered something other than JSON")
        if response.headers.get("content-encoding", "identity").lower() not in ("identity", "gzip"):
            raise self._unreadable(request, "not-json", "answered in an encoding that was not asked for")
        body, whole = self._body(request, response, lines)
        try:
            if lines:
                rows = [json.loads(line) for line in _lines(body, whole)]
                return _Answer(rows, "", len(body), took, cut=not whole)
            return _Answer(json.loads(body), link, len(body), took)
        except (ValueError, RecursionError):
            raise self._unreadable(request, "not-json", "answered malformed JSON") from None

    def _body(self, request: Request, response: httpx.Response, may_cut: bool) -> tuple[bytes, bool]:
        """What was read, and whether it is all: lines may be cut after any of them, one JSON value may not."""
        parts: list[bytes] = []
        size, end = 0, time.monotonic() + self._limits.answer
        for part in self._unpacked(request, response):
            parts.append(part)
            size += len(part)
            if size > self._limits.response:
                if may_cut:
                    break
                limit = self._limits.response // 2**20
                raise self._unreadable(request, "too-large", f"answered more than {limit} MiB at once")
            if time.monotonic() > end:
                raise self._again(request, "timeout", "did not answer in time")
        self._meter.count_sample(0, response.num_bytes_downloaded)
        return b"".join(parts), size <= self._limits.response

    def _unpacked(self, request: Request, response: httpx.Response) -> Iterator[bytes]:
        """The answer in parts: never much more than the limit at a time, however well it packs."""
        if response.headers.get("content-encoding", "identity").lower() != "gzip":
            yield from response.iter_raw()
            return
        unpacking = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            for chunk in response.iter_raw():
                while chunk:
                    yield unpacking.decompress(chunk, _UNPACKED)
                    chunk = unpacking.unconsumed_tail
            yield unpacking.flush()
        except zlib.error:
            raise self._unreadable(request, "not-json", "answered what is not packed as it says") from None
        if not unpacking.eof:
            raise self._again(request, "broken-answer", "broke off its answer")

    def _refuse_status(self, request: Request, response: httpx.Response) -> None:
        status = response.status_code
        if status == 200:
            return
        if status == 401:
            raise _RefusedError(self._source)
        if status == 403:
            what = f"grant {' or '.join(request.scopes)}" if request.scopes else "grant read permission"
            raise self._unreadable(request, "not-granted", "reading is not permitted", what)
        if 300 <= status < 400:
            raise self._unreadable(request, "redirect", "redirects elsewhere, which is not followed")
        if status == 429:
            raise self._again(request, "rate-limited", "is asked for too often", _retry_after(response))
        if status >= 500:
            raise self._again(request, "server-error", f"answers with status {status}", _retry_after(response))
        raise self._unreadable(request, "refused", f"answers with status {status}")

    def _refuse_elsewhere(self, request: Request, address: str) -> None:
        try:
            origin = origin_of(address)
        except ValueError:
            origin = None
        if origin not in self._origins:
            raise self._unreadable(request, "elsewhere", "leads to another host, which is not followed")
        if origin in self._looked_up:
            return
        for machine in machines(origin[1]):
            self._refuse_machine(machine, given=origin in self._given)
        self._looked_up.add(origin)

    def _refuse_peer(self, request: Request, response: httpx.Response) -> None:
        """A name may have changed its address between the look-up and the connection."""
        stream = response.extensions.get("network_stream")
        peer: Any = stream.get_extra_info("server_addr") if stream is not None and not self._proxied else None
        if peer:
            url = response.request.url
            origin = (url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80))
            self._refuse_machine(str(peer[0]), given=origin in self._given)

    def _refuse_machine(self, machine: str, *, given: bool) -> None:
        if is_link_local(machine):
            raise SourceError(self._source, "its address is link-local, which is refused", "", "elsewhere")
        if not given and is_private(machine):
            cause = "its address is of a private network, which is refused"
            raise SourceError(self._source, cause, "write base_url if that is meant", "elsewhere")

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

    def __reduce__(self) -> tuple[type[InventoryError], tuple[str, str, str, str]]:
        return UnreadableError, (self.source, self.cause, self.remedy, self.code)


class _RefusedError(SourceError):
    """The server does not know who asks."""

    def __init__(self, source: str) -> None:
        super().__init__(source, "the credentials are refused", "check credentials", "credentials")

    def __reduce__(self) -> tuple[type[InventoryError], tuple[str, str, str, str]]:
        return SourceError, (self.source, self.cause, self.remedy, self.code)


def _with_key(key: str, value: object) -> JsonObject:
    return {"_key": key, **(cast("JsonObject", value) if isinstance(value, dict) else {"value": value})}


def _lines(body: bytes, whole: bool) -> Iterator[bytes]:
    lines = body.splitlines()
    for line in lines if whole else lines[:-1]:
        if line.strip():
            yield line


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds, of either form of the header (RFC 9110, 10.2.3)."""
    value = response.headers.get("retry-after", "").strip()
    if value.isdigit() and len(value) < 10:
        return float(value)
    try:
        return max(parsedate_to_datetime(value).timestamp() - time.time(), 0.0)
    except (ValueError, TypeError, OverflowError):
        return None
