"""What stands before every request: known hosts, sizes, times, who asks, and the headers of every answer.

The layers are plain ASGI so that nothing of a request is read before it is let in. `app.py` puts them together:
`SecurityHeaders` around `KnownHosts` around `RequestLimits` around `SignedInOnly` around the routes.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import Any
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inventory.api.refusals import refuse
from inventory.api.settings import Limits
from inventory.api.sign_in import Caller, Doorkeeper, SignedInBy

PROBES = frozenset({"/healthz", "/readyz"})
EVENTS = frozenset({"/api/v1/lineage", "/api/v1/lineage/batch"})
ROUTES = PROBES | EVENTS | {"/", "/graphql", "/sign-in", "/sign-out"}
_OPEN_TO_ALL = PROBES | {"/sign-in"}
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
    """Lets only the signed-in through, and of browsers only what our own pages sent."""

    def __init__(self, app: ASGIApp, doorkeeper: Doorkeeper, *, https: bool) -> None:
        self._app = app
        self._doorkeeper = doorkeeper
        self._cookie = session_cookie(https=https)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] == "lifespan" or scope["path"] in _OPEN_TO_ALL:
            await self._app(scope, receive, send)
            return
        request = HTTPConnection(scope)
        caller = await self._doorkeeper.recognise(
            bearer=_bearer(request.headers), session=request.cookies.get(self._cookie, "")
        )
        if caller is None:
            await _unauthenticated(request.headers)(scope, receive, send)
        elif not _from_our_pages(request, caller):
            refusal = refuse(
                request.headers,
                403,
                "FOREIGN_ORIGIN",
                "Another site sent this. Ask from this service's own pages, or sign in with a bearer token.",
            )
            await refusal(scope, receive, send)
        else:
            state: dict[str, Any] = scope.setdefault("state", {})
            state["caller"] = caller
            await self._app(scope, receive, send)


def _bearer(headers: Headers) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _unauthenticated(headers: Headers) -> ASGIApp:
    return refuse(
        headers,
        401,
        "UNAUTHENTICATED",
        "Sign in first. Browsers: open the one-time link that `inventory serve` printed, or start it again for a new "
        "one. Programs: send a token from the configuration as `Authorization: Bearer …`.",
        extra={"WWW-Authenticate": 'Bearer realm="inventory"'},
    )


def _from_our_pages(request: HTTPConnection, caller: Caller) -> bool:
    """A cookie goes along with requests and connections that other sites make; a bearer token does not."""
    safe = request.scope.get("method") in _SAFE_METHODS  # a connection has no method, and is not safe
    if caller.by is not SignedInBy.SESSION or safe:
        return True
    origin = request.headers.get("origin")
    if origin is None:
        return request.headers.get("sec-fetch-site") == "same-origin"
    return bool(request.headers.get("host")) and urlsplit(origin).netloc == request.headers["host"]
