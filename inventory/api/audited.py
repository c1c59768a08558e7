"""What the audit is told of each request: who, which question, what came of it, how long it took.

`Audited` stands around everything that can refuse a request, so that refusals are in the audit as well. What was asked
comes from the GraphQL endpoint, which leaves it in the request's state (`note`).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any, cast

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inventory.api.audit import Audit, AuditError
from inventory.api.documents import Document
from inventory.api.guard import PROBES, ROUTES
from inventory.api.refusals import refuse

_STATIC = "/static/"
_STRANGERS_A_SECOND = 10  # lines about requests of nobody that is signed in; the others are counted


def note(connection: HTTPConnection, document: Document, variables: object, audit: Audit | None) -> dict[str, Any]:
    """Leave in the request's state what is asked; what came of it is added to the answer of this function."""
    noted = asked(document, variables, audit) if audit is not None else {}
    connection.state.asked = noted
    return noted


def asked(document: Document, variables: object, audit: Audit) -> dict[str, Any]:
    """What the audit keeps of a question. Values are in it as keyed hashes only, under their variable's name."""
    given = cast("dict[str, object]", variables) if isinstance(variables, dict) else {}
    hashes = {name: audit.hashes(given[name]) for name in sorted(document.variables - document.plain) if name in given}
    written_out = {"": audit.hashes(list(document.texts))} if document.texts else {}
    return {
        "operation": document.name,
        "kind": document.kind,
        "document": document.hash,
        "trusted": document.trusted,
        "fields": sorted(set((document.fields or {}).values())),
        "identifiers": {name: found for name, found in (hashes | written_out).items() if found},
    }


def answered(document: Document, data: Mapping[str, Any] | None, codes: list[str]) -> dict[str, Any]:
    """What the audit keeps of an answer: how many things each field at the top gave, and the errors' codes."""
    rows: dict[str, int] = {}
    for key, value in (data or {}).items():
        field = (document.fields or {}).get(key, "")
        rows[field] = rows.get(field, 0) + _rows(value)
    return {"rows": rows, "outcome": codes[0] if codes else "OK"}


def _rows(value: object) -> int:
    if isinstance(value, dict):
        edges = cast("dict[str, object]", value).get("edges")
        return len(cast("list[object]", edges)) if isinstance(edges, list) else 1
    if isinstance(value, list):
        return len(cast("list[object]", value))
    return 0 if value is None else 1


def who(state: Mapping[str, Any]) -> dict[str, Any] | None:
    """The caller of a request, as the audit names them; None for nobody that is signed in."""
    caller = state.get("caller")
    if caller is None:
        return None
    return {"by": str(caller.by), "name": caller.name, "roles": sorted(str(role) for role in caller.roles)}


class Audited:
    """Tells the audit of each request, and refuses requests while it cannot be told.

    A line is said before the answer begins; a mutation is answered when its line is on the disk.
    """

    def __init__(self, app: ASGIApp, audit: Audit | None) -> None:
        self._app = app
        self._audit = audit
        self._strangers = _Strangers()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if (
            self._audit is None
            or scope["type"] not in {"http", "websocket"}
            or scope["path"] in PROBES
            or scope["path"].startswith(_STATIC)
        ):
            await self._app(scope, receive, send)
            return
        try:
            self._audit.check()
        except AuditError as error:
            await refuse(HTTPConnection(scope).headers, 503, "AUDIT", f"{error}.")(scope, receive, send)
            return
        await _Telling(self._audit, self._strangers, scope, send).run(self._app, receive)


class _Telling:
    """One request: what is told of it, once."""

    def __init__(self, audit: Audit, strangers: _Strangers, scope: Scope, send: Send) -> None:
        self._audit = audit
        self._strangers = strangers
        self._scope = scope
        self._send = send
        self._began = time.monotonic()
        self._status = 0
        self._told = False
        self._state: dict[str, Any] = scope.setdefault("state", {})

    async def run(self, app: ASGIApp, receive: Receive) -> None:
        try:
            await app(self._scope, receive, self._passed_on)
        finally:
            if not self._told and self._scope["type"] == "http":
                self._tell("FAILED")

    async def _passed_on(self, message: Message) -> None:
        match message["type"]:
            case "http.response.start" | "websocket.http.response.start":
                self._status = message["status"]
                if self._status < 400:
                    await self._tell_of_answer()
            case "http.response.body" | "websocket.http.response.body" if not self._told:
                self._tell(_code(message.get("body", b"")) or f"HTTP_{self._status}")
            case "websocket.close" if not self._told:
                self._status = 403
                self._tell("REFUSED")
            case "websocket.accept":
                self._told = True  # the endpoint tells of each subscription
            case _:
                pass
        await self._send(message)

    async def _tell_of_answer(self) -> None:
        noted: Mapping[str, Any] = self._state.get("asked") or {}
        if not noted and self._route() in {"/", "/graphql", "other"}:
            self._told = True  # a page
            return
        written = self._tell(noted.get("outcome", "OK"))
        if noted.get("kind") == "mutation" and written is not None:
            await asyncio.wrap_future(written)

    def _tell(self, outcome: str) -> Any:
        self._told = True
        noted: dict[str, Any] = self._state.get("asked") or {}
        caller = who(self._state)
        unsaid = 0
        if caller is None and self._status >= 400:
            unsaid = self._strangers.turn()
            if unsaid < 0:
                return None
        return self._audit.say(
            {
                "route": self._route(),
                "method": self._scope.get("method", "CONNECT"),
                "caller": caller,
                **noted,
                "status": self._status,
                "outcome": outcome,
                "ms": round((time.monotonic() - self._began) * 1000, 1),
                **({"unsaid": unsaid} if unsaid else {}),
            }
        )

    def _route(self) -> str:
        """The path when it is one of ours; a path that somebody made up can hold anything."""
        return self._scope["path"] if self._scope["path"] in ROUTES else "other"


class _Strangers:
    """Whose requests are told one by one only so many a second, so that nobody fills the disk with them."""

    def __init__(self) -> None:
        self._second = 0
        self._told = 0
        self._unsaid = 0

    def turn(self) -> int:
        """How many were not told since the last that was; -1 when this one is not told either."""
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._told = second, 0
        if self._told >= _STRANGERS_A_SECOND:
            self._unsaid += 1
            return -1
        self._told += 1
        unsaid, self._unsaid = self._unsaid, 0
        return unsaid


def _code(body: bytes) -> str:
    """The code of a refusal in JSON; "" for a page."""
    try:
        return str(json.loads(body)["errors"][0]["extensions"]["code"])
    except (ValueError, KeyError, TypeError, IndexError):
        return ""
