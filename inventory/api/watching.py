"""Connections for subscriptions (graphql-transport-ws): what they may send, and how many there may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler
from strawberry.subscriptions.protocols.graphql_transport_ws.types import Message, SubscribeMessage

from inventory.api.audit import AuditError
from inventory.api.audited import asked, who
from inventory.api.context import Context
from inventory.api.documents import Document, Refused

if TYPE_CHECKING:
    from inventory.api.endpoint import Endpoint

_TYPES = frozenset({"connection_init", "ping", "pong", "subscribe", "complete"})
_LONGEST_ID = 128


class Watching(BaseGraphQLTransportWSHandler[Context, None]):
    """One connection. It takes subscriptions only; questions and mutations are requests of their own."""

    async def handle(self) -> None:
        """Until the connection ends."""
        self._endpoint.watching.add(self)
        try:
            await super().handle()
        finally:
            self._endpoint.watching.discard(self)

    async def handle_message(self, message: Message) -> None:
        """One message; what is none of the protocol ends the connection."""
        given = cast(object, message)
        if not isinstance(given, dict) or cast("dict[str, object]", given).get("type") not in _TYPES:
            await self.handle_invalid_message("Not a message of graphql-transport-ws")
            return
        sent = cast("dict[str, object]", given)
        if sent["type"] in ("subscribe", "complete"):
            id_ = sent.get("id")
            if not isinstance(id_, str) or not 1 <= len(id_) <= _LONGEST_ID:
                await self.handle_invalid_message("The message's id should be a short text")
                return
        await super().handle_message(message)

    async def handle_subscribe(self, message: SubscribeMessage) -> None:
        """Check what is asked; a refusal is the answer to this subscription and leaves the others."""
        payload = cast("dict[str, Any]", message.get("payload"))
        if not isinstance(cast(object, payload), dict):
            await self.handle_invalid_message("The message has no payload")
            return
        if not self.connection_acknowledged or message["id"] in self.operations:
            await super().handle_subscribe(message)
            return
        document = Document("")
        try:
            document = self._document(payload)
            self._told(document, payload, "OK")
        except Refused as error:
            if error.code != "AUDIT":
                self._told(document, payload, error.code)
            problem = {"message": str(error), "extensions": {"code": error.code}}
            await self.send_message(cast(Message, {"id": message["id"], "type": "error", "payload": [problem]}))
            return
        payload["query"] = document.text
        await super().handle_subscribe(message)

    def _document(self, payload: dict[str, Any]) -> Document:
        limits, endpoint = self._endpoint.limits, self._endpoint
        if endpoint.audit is not None:
            try:
                endpoint.audit.check()
            except AuditError as error:
                raise Refused(503, "AUDIT", f"{error}.") from error
        if not isinstance(payload.get("variables"), dict | None):
            raise Refused(400, "BAD_REQUEST", "`variables` should be an object.")
        if not isinstance(payload.get("operationName"), str | None):
            raise Refused(400, "BAD_REQUEST", "`operationName` should be text.")
        document = endpoint.documents.chosen(payload)
        if document.problem:
            raise Refused(400, "INVALID", document.problem)
        if document.kind != "subscription":
            raise Refused(400, "NOT_A_SUBSCRIPTION", "A connection takes subscriptions only; ask the rest by POST.")
        for limit, now in (
            ("subscriptions_per_connection", len(self.operations)),
            ("subscriptions", sum(len(connection.operations) for connection in endpoint.watching)),
        ):
            most = getattr(limits, limit)
            if now >= most:
                raise Refused(429, "LIMIT", f"There are as many subscriptions as may be (limit `{limit}` is {most}).")
        return document

    def _told(self, document: Document, payload: dict[str, Any], outcome: str) -> None:
        audit = self._endpoint.audit
        if audit is None:
            return
        caller = who({"caller": self.context.caller})
        audit.say(
            {"route": "/graphql", "method": "SUBSCRIBE", "caller": caller}
            | asked(document, payload.get("variables"), audit)
            | {"outcome": outcome}
        )

    @property
    def _endpoint(self) -> Endpoint:
        return cast("Endpoint", self.view)
