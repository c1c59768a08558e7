"""The GraphQL endpoint: questions by POST as JSON, GraphiQL by GET, subscriptions by graphql-transport-ws."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import cast

from cross_web import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL

from inventory.api.context import Context
from inventory.api.pages import graphiql_page
from inventory.api.refusals import refuse
from inventory.api.schema import InventorySchema

_GET = "Questions are asked by POST: in an address they would end up in histories and logs."


class Endpoint(GraphQL[Context, None]):
    """Strawberry's ASGI view, without questions in addresses, pages of other sites, uploads or batches."""

    def __init__(self, schema: InventorySchema, context: Callable[[Request | WebSocket], Context]) -> None:
        super().__init__(
            schema,
            graphql_ide="graphiql",
            allow_queries_via_get=False,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=timedelta(seconds=10),
            max_subscriptions_per_connection=10,
        )
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, or a connection of subscriptions."""
        if scope["type"] == "websocket":
            await self.run(WebSocket(scope, receive, send))
            return
        request = Request(scope, receive)
        await (await self._answer(request))(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.method == "GET":
            return self._page(request)
        if request.method != "POST":
            allow = {"Allow": "GET, POST"}
            return refuse(request.headers, 405, "METHOD_NOT_ALLOWED", _GET, extra=allow)
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json":
            return refuse(
                request.headers, 415, "NOT_JSON", "Send the question as JSON, with `Content-Type: application/json`."
            )
        try:
            return await self.run(request)
        except HTTPException as error:
            return refuse(request.headers, error.status_code, "BAD_REQUEST", error.reason)
        except (UnicodeDecodeError, RecursionError):
            return refuse(request.headers, 400, "BAD_REQUEST", "The body is not JSON that can be read.")

    def parse_json(self, data: str | bytes) -> object:
        """The body's JSON, which is an object or a list."""
        parsed = super().parse_json(data)
        if not isinstance(parsed, dict | list):
            raise HTTPException(400, "The body is no JSON object")
        return cast(object, parsed)

    def _page(self, request: Request) -> Response:
        if request.query_params:
            return refuse(request.headers, 405, "METHOD_NOT_ALLOWED", _GET, extra={"Allow": "POST"})
        return graphiql_page(request)

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        """What the resolvers of one request share."""
        return self._context(request)
