"""What stands before every request: known hosts, sizes, times, who asks, and the headers of every answer.

The layers are plain ASGI so that nothing of a request is read before it is let in. `app.py` puts them together:
`SecurityHeaders` around `KnownHosts` around `RequestLimits` around `SignedInOnly` around the routes.
"""

from __future__ import annotations

import asyncio
import math
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inventory.api.rates import Rate
from inventory.api.refusals import refuse, sign_in_page
from inventory.api.roles import Permission, refusal
from inventory.api.settings import ApiSettings, Limits
from inventory.api.sign_in import Caller, Doorkeeper, SignedInBy
from inventory.errors import InventoryError

PROBES = frozenset({"/healthz", "/readyz"})
EVENTS = frozenset({"/api/v1/lineage", "/api/v1/lineage/batch"})
START, CALLBACK = "/sign-in/start", "/sign-in/callback"
_SIGN_IN = frozenset({"/sign-in", START, CALLBACK})
ROUTES = PROBES | EVENTS | _SIGN_IN | {"/", "/graphql", "/sign-out"}
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_log = structlog.get_logger("inventory.api")


def session_cookie(*, https: bool) -> str:
    """The session cookie's name. `__Host-` makes browsers refuse one set by another host or without TLS."""
    return "__Host-inventory-session" if https else "inventory-session"


class SecurityHeaders:
    """Adds to every answer what browsers need to know, and writes one log line a request.

    The line has method, route, status and time: never an address's query, a body or a header.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(16)
        scope.setdefault("state", {})["csp_nonce"] = nonce
        began = time.monotonic()
        status = 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(MutableHeaders(scope=message), nonce)
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            _log.info(
                "request",
                method=scope["method"],
                route=_route(scope["path"]),
                status=status,
                ms=round((time.monotonic() - began) * 1000, 1),
            )


def _add_headers(headers: MutableHeaders, nonce: str) -> None:
    headers["Content-Security-Policy"] = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        f"script-src 'self'; style-src 'self' 'nonce-{nonce}'; connect-src 'self'; img-src 'self' data:; "
        "font-src 'self' data:"
    )
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    headers["Referrer-Policy"] = "no-referrer"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
    headers.setdefault("Cache-Control", "no-store")


def _route(path: str) -> str:
    """The path when it is one of ours; a path that somebody made up can hold anything and stays out of the log."""
    if path in ROUTES:
        return path
    return "/static" if path.startswith("/static/") else "other"


class KnownHosts:
    """Refuses requests to names that are not ours: a page whose name was re-bound to our address stays outside.

    Probes are let through, as orchestrators send them to an address and they tell nothing.
    """

    def __init__(self, app: ASGIApp, allowed: frozenset[str]) -> None:
        self._app = app
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] not in {"http", "websocket"} or scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if _host_name(headers.get("host", "")) in self._allowed:
            await self._app(scope, receive, send)
            return
        refusal = refuse(
            headers, 421, "UNKNOWN_HOST", "This service does not go by that host name; add it to `hosts` if it should."
        )
        await refusal(scope, receive, send)


def _host_name(host: str) -> str:
    """`[::1]:80` gives `::1`, `Example:80` gives `example`, what is no host gives ""."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


class _BodyTooLarge(Exception):
    """More came than was announced or allowed."""


class RequestLimits:
    """Refuses bodies that are too large, and ends requests that take too long."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        limit = "event_bytes" if scope["path"] in EVENTS else "body_bytes"
        most: int = getattr(self._limits, limit)
        started = False

        async def send_noting_start(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            async with asyncio.timeout(self._limits.seconds):
                await self._app(scope, _counted(headers, receive, most), send_noting_start)
        except _BodyTooLarge:
            code, status = "BODY_TOO_LARGE", 413
            message = f"A request body may have at most {most} bytes (limit `{limit}`)."
        except TimeoutError:
            code, status = "TIMEOUT", 504
            message = f"This took longer than {self._limits.seconds:g} s (limit `seconds`); ask for less at once."
        else:
            return
        if started:
            raise ConnectionError("the answer had begun when a limit was reached")
        await refuse(headers, status, code, message, extra={"Connection": "close"})(scope, receive, send)


def _counted(headers: Headers, receive: Receive, most: int) -> Receive:
    announced = headers.get("content-length", "0")
    left = most

    async def receive_counted() -> Message:
        nonlocal left
        if announced.isdecimal() and int(announced) > most:
            raise _BodyTooLarge
        message = await receive()
        if message["type"] == "http.request":
            left -= len(message.get("body", b""))
            if left < 0:
                raise _BodyTooLarge
        return message

    return receive_counted


class SignedInOnly:
    """Lets only the signed-in through, as often and as far as they may, and of browsers only what our pages sent.

    What fields of the schema need besides is theirs to say (`inventory.api.roles`).
    """

    def __init__(self, app: ASGIApp, doorkeeper: Doorkeeper, settings: ApiSettings, issuer: str = "") -> None:
        self._app = app
        self._doorkeeper = doorkeeper
        self._cookie = session_cookie(https=settings.https)
        self._issuer = issuer
        self._limits = settings.limits
        self._attempts = Rate(settings.limits.sign_ins_per_minute / 60, settings.limits.sign_ins_per_minute)
        self._requests = Rate(settings.limits.requests_per_second, settings.limits.requests_at_once)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] == "lifespan" or scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        request = HTTPConnection(scope)
        if scope["path"] in _SIGN_IN:
            await (self._too_many_attempts(request) or self._app)(scope, receive, send)
            return
        try:
            caller = await self._caller(request)
        except InventoryError as error:
            await _cannot_tell(request.headers, error)(scope, receive, send)
            return
        refused = self._refusal_of(request, caller)
        if refused is not None or caller is None:
            await (refused or self._app)(scope, receive, send)
            return
        state: dict[str, Any] = scope.setdefault("state", {})
        state["caller"] = caller
        if scope["type"] == "websocket":
            watched = _Watched(request, caller, self._caller, self._requests, receive, send)
            await self._app(scope, watched.receive, watched.send)
        else:
            await self._app(scope, receive, send)

    async def _caller(self, request: HTTPConnection) -> Caller | None:
        session = request.cookies.get(self._cookie, "")
        return await self._doorkeeper.recognise(bearer=_bearer(request.headers), session=session)

    def _refusal_of(self, request: HTTPConnection, caller: Caller | None) -> ASGIApp | None:
        """Why this request is not let in; None when it is."""
        if caller is None:
            tried = "authorization" in request.headers or self._cookie in request.cookies
            too_many = self._too_many_attempts(request) if tried else None
            return too_many or _unauthenticated(request.headers, self._issuer)
        if not _from_our_pages(request, caller):
            return refuse(
                request.headers,
                403,
                "FOREIGN_ORIGIN",
                "Another site sent this. Ask from this service's own pages, or sign in with a bearer token.",
            )
        if needed := _needed(request.scope["path"], caller):
            return refuse(request.headers, 403, "FORBIDDEN", refusal("This address", needed, caller.roles))
        if wait := self._requests.wait(caller.name):
            limits = f"{self._limits.requests_per_second:g} a second (limits `requests_per_second`, `requests_at_once`)"
            return _too_often(request.headers, wait, f"One caller may ask {limits}.")
        return None

    def _too_many_attempts(self, request: HTTPConnection) -> ASGIApp | None:
        wait = self._attempts.wait(request.client.host if request.client else "")
        if not wait:
            return None
        limit = f"{self._limits.sign_ins_per_minute} attempts to sign in a minute (limit `sign_ins_per_minute`)"
        return _too_often(request.headers, wait, f"From one address, {limit} are looked at.")


def _needed(path: str, caller: Caller) -> Permission | None:
    """The permission that the caller lacks for this address; whoever is let in may sign out."""
    if path == "/sign-out":
        return None
    permission = Permission.SEND_LINEAGE if path in EVENTS else Permission.READ
    return None if permission in caller.permissions else permission


class _Watched:
    """A connection that ends when what its caller signed in with does: looked at with each message, either way.

    Each message that comes in counts as a request.
    """

    def __init__(
        self,
        request: HTTPConnection,
        caller: Caller,
        recognise: Callable[[HTTPConnection], Awaitable[Caller | None]],
        requests: Rate,
        receive: Receive,
        send: Send,
    ) -> None:
        self._request, self._caller, self._recognise, self._requests = request, caller, recognise, requests
        self._receive, self._send = receive, send
        self._ended = False

    async def receive(self) -> Message:
        """The next message of the client."""
        message = await self._receive()
        if message["type"] == "websocket.receive":
            if not await self._signed_in():
                await self._end(4401, "Unauthorized")
            elif self._requests.wait(self._caller.name):
                await self._end(4429, "Too many requests")
        return {"type": "websocket.disconnect", "code": 1008} if self._ended else message

    async def send(self, message: Message) -> None:
        """A message for the client."""
        if message["type"] == "websocket.send" and not self._ended and not await self._signed_in():
            await self._end(4401, "Unauthorized")
        if not self._ended:
            await self._send(message)

    async def _signed_in(self) -> bool:
        try:
            return await self._recognise(self._request) == self._caller
        except InventoryError:
            return False

    async def _end(self, code: int, reason: str) -> None:
        if not self._ended:
            self._ended = True
            await self._send({"type": "websocket.close", "code": code, "reason": reason})


def _bearer(headers: Headers) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _unauthenticated(headers: Headers, issuer: str) -> ASGIApp:
    challenge = {"WWW-Authenticate": 'Bearer realm="inventory"'}
    if "text/html" in headers.get("accept", ""):
        return sign_in_page(401, issuer, challenge)
    return refuse(
        headers,
        401,
        "UNAUTHENTICATED",
        "Sign in first. Browsers: at /sign-in, or by the one-time link that `inventory serve` printed. Programs: send "
        "a token (`inventory token create`) as `Authorization: Bearer …`.",
        extra=challenge,
    )


def _cannot_tell(headers: Headers, error: InventoryError) -> ASGIApp:
    _log.error("cannot tell who asks", source=error.source, cause=error.cause)
    message = "Whether this token is valid cannot be told now. Sign in another way, or try again later."
    return refuse(headers, 503, "SIGN_IN_UNAVAILABLE", message, extra={"Retry-After": "10"})


def _too_often(headers: Headers, wait: float, message: str) -> ASGIApp:
    return refuse(headers, 429, "TOO_MANY_REQUESTS", message, extra={"Retry-After": str(math.ceil(wait))})


def _from_our_pages(request: HTTPConnection, caller: Caller) -> bool:
    """A cookie goes along with requests and connections that other sites make; a bearer token does not."""
    safe = request.scope.get("method") in _SAFE_METHODS  # a connection has no method, and is not safe
    if caller.by is not SignedInBy.SESSION or safe:
        return True
    origin = request.headers.get("origin")
    if origin is None:
        return request.headers.get("sec-fetch-site") == "same-origin"
    return bool(request.headers.get("host")) and urlsplit(origin).netloc == request.headers["host"]
