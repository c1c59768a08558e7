"""The GraphQL endpoint: questions by POST as JSON, GraphiQL by GET, subscriptions by graphql-transport-ws.

A trusted document may be asked by GET as well, with those of its variables that can hold no identifier.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from cross_web import AsyncHTTPRequestAdapter, HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.http import GraphQLRequestData
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import ExecutionResult

from inventory.api.audit import Audit
from inventory.api.audited import answered, note
from inventory.api.context import Context
from inventory.api.documents import Document, Documents, Refused
from inventory.api.pages import graphiql_page
from inventory.api.refusals import refuse
from inventory.api.schema import InventorySchema
from inventory.api.settings import Limits
from inventory.api.watching import Watching

_GET = (
    "Questions are asked by POST: in an address they would end up in histories and logs. By GET, send only "
    "`documentId` of a trusted document, and `variables` that are numbers, times, words of the schema or yes and no."
)
_BATCH = "A request holds one question (limit `batch` is 1): send the others by requests of their own."
_NO_PAGE = "This service answers trusted documents only (`serve.ad_hoc` is false); there is no GraphiQL."
_IN_ADDRESSES = frozenset({"documentId", "variables", "extensions", "operationName"})


@dataclass
class _Asked(GraphQLRequestData):
    document: Document | None = None


class Endpoint(GraphQL[Context, None]):
    """Strawberry's ASGI view, without questions in addresses, pages of other sites, uploads or batches."""

    graphql_transport_ws_handler_class = Watching

    def __init__(
        self,
        schema: InventorySchema,
        context: Callable[[Request | WebSocket], Context],
        documents: Documents,
        limits: Limits,
        audit: Audit | None = None,
    ) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            allow_queries_via_get=True,  # `_of_address` says which
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=timedelta(seconds=10),
            max_subscriptions_per_connection=limits.subscriptions_per_connection,
        )
        self._context = context
        self.documents = documents
        self.limits = limits
        self.audit = audit
        self.watching: set[Watching] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, or a connection of subscriptions."""
        if scope["type"] == "websocket":
            await self._connect(WebSocket(scope, receive, send))
            return
        request = Request(scope, receive)
        await (await self._answer(request))(scope, receive, send)

    async def _connect(self, connection: WebSocket) -> None:
        if len(self.watching) < self.limits.connections:
            await self.run(connection)
            return
        text = f"There are as many connections as may be (limit `connections` is {self.limits.connections}); try later."
        refusal = refuse(connection.headers, 503, "LIMIT", text, extra={"Retry-After": "60"})
        await connection.send_denial_response(refusal)

    async def _answer(self, request: Request) -> Response:
        if request.method == "GET" and not request.query_params:
            return self._page(request)
        if request.method not in ("GET", "POST"):
            allow = {"Allow": "GET, POST"}
            return refuse(request.headers, 405, "METHOD_NOT_ALLOWED", _GET, extra=allow)
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if request.method == "POST" and media_type != "application/json":
            return refuse(
                request.headers, 415, "NOT_JSON", "Send the question as JSON, with `Content-Type: application/json`."
            )
        try:
            return await self.run(request)
        except Refused as error:
            extra = {"Allow": "POST"} if error.status == 405 else {}
            return refuse(request.headers, error.status, error.code, str(error), extra=extra)
        except HTTPException as error:
            return refuse(request.headers, error.status_code, "BAD_REQUEST", error.reason)

    def _page(self, request: Request) -> Response:
        if not self.documents.ad_hoc:
            return refuse(request.headers, 403, "NOT_TRUSTED", _NO_PAGE)
        return graphiql_page(request)

    def should_render_graphql_ide(self, request: object) -> bool:
        """Never: `_page` does."""
        return False

    def decode_json(self, data: str | bytes) -> object:
        """The JSON; whatever is none, too deep or has numbers of thousands of digits is no JSON."""
        try:
            return cast(object, json.loads(data))
        except (ValueError, RecursionError):
            raise json.JSONDecodeError("no JSON", "", 0) from None

    async def parse_http_body(self, request: AsyncHTTPRequestAdapter) -> GraphQLRequestData:
        """What is asked. Raises Refused."""
        if request.method == "GET":
            body: object = self._of_address(request)
        else:
            body = self.parse_json(await request.get_body())
        if isinstance(body, list):
            raise Refused(400, "BAD_REQUEST", _BATCH)
        if not isinstance(body, dict):
            raise Refused(400, "BAD_REQUEST", "The body should be a JSON object.")
        asked = cast("dict[str, object]", body)
        variables, operation_name = asked.get("variables"), asked.get("operationName")
        if not isinstance(variables, dict | None):
            raise Refused(400, "BAD_REQUEST", "`variables` should be an object.")
        if not isinstance(operation_name, str | None):
            raise Refused(400, "BAD_REQUEST", "`operationName` should be text.")
        document = self.documents.chosen(asked)
        if request.method == "GET":
            _check_address(document, cast("dict[str, object]", variables or {}))
        return _Asked(
            query=document.text,
            variables=cast("dict[str, Any] | None", variables),
            operation_name=operation_name or None,
            extensions=None,
            protocol="http",
            document=document,
        )

    def _of_address(self, request: AsyncHTTPRequestAdapter) -> Mapping[str, object]:
        given = dict(request.query_params)
        if not {"documentId", "extensions"} & set(given) or set(given) - _IN_ADDRESSES:
            raise Refused(405, "METHOD_NOT_ALLOWED", _GET)
        structured = {
            name: self.parse_json(given.pop(name) or "") for name in ("variables", "extensions") if name in given
        }
        return given | structured

    async def execute_single(
        self,
        request: Request,
        request_adapter: AsyncHTTPRequestAdapter,
        sub_response: Response,
        context: Context,
        root_value: None,
        request_data: GraphQLRequestData,
    ) -> ExecutionResult:
        """Ask, and leave for the audit what was asked and what came of it."""
        document = cast(_Asked, request_data).document
        assert document is not None
        noted = note(request, document, request_data.variables, self.audit)
        result = await super().execute_single(request, request_adapter, sub_response, context, root_value, request_data)
        codes = [str((error.extensions or {}).get("code", "INVALID")) for error in result.errors or ()]
        noted.update(answered(document, result.data, codes))
        return result

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        """What the resolvers of one request share."""
        return self._context(request)


def _check_address(document: Document, variables: Mapping[str, object]) -> None:
    """Raises Refused unless nothing in an address can be a person's identifier."""
    if not document.trusted or document.kind != "query" or set(variables) - document.plain:
        raise Refused(405, "METHOD_NOT_ALLOWED", _GET)
