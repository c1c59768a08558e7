"""`POST /api/v1/lineage`: OpenLineage events from whatever moves data, one by one or (`/batch`) as a list.

201 says that the event is in the graph. Sent again, or late, it changes nothing or what it should (see
`inventory.lineage.openlineage`). Who may change the inventory may send events: the same tokens as for GraphQL.
"""

from __future__ import annotations

import json
import zlib
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from inventory.api.refusals import refuse
from inventory.errors import GraphError, QuestionError
from inventory.graph.connection import Graph
from inventory.lineage.openlineage.events import Event, read_event
from inventory.lineage.openlineage.gathering import Gathering
from inventory.lineage.openlineage.loading import Loader

EVENT = "/api/v1/lineage"
BATCH = "/api/v1/lineage/batch"
MOST_LISTED = 5000  # events in one list


class _Refused(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        self.status, self.code, self.message = status, code, message
        super().__init__(code)


class LineageEndpoint:
    """The two routes over one graph. Bodies have at most `most_bytes`, also when they were compressed."""

    def __init__(self, graph: Graph, most_bytes: int) -> None:
        self._graph = graph
        self._most = most_bytes
        self._gathered: Gathering | None = None

    async def event(self, request: Request) -> Response:
        """Take one event."""
        return await self._answer(request, many=False)

    async def batch(self, request: Request) -> Response:
        """Take a list of events: those that are in order, and say which are not."""
        return await self._answer(request, many=True)

    async def _answer(self, request: Request, *, many: bool) -> Response:
        try:
            body = await self._body(request)
            if many:
                return await self._batch(body)
            await self._gathering().take([read_event(body)], len(body))
        except _Refused as refusal:
            return refuse(request.headers, refusal.status, refusal.code, refusal.message)
        except QuestionError as error:
            return refuse(request.headers, 400, "NO_EVENT", str(error))
        except GraphError as error:
            return refuse(request.headers, 503, "GRAPH", str(error), extra={"Retry-After": "5"})
        return Response(status_code=201)

    async def _batch(self, body: bytes) -> Response:
        events: list[Event] = []
        failed: list[dict[str, object]] = []
        listed = _list(body)
        if len(listed) > MOST_LISTED:
            raise _Refused(413, "BODY_TOO_LARGE", f"A list may have at most {MOST_LISTED} events.")
        for index, one in enumerate(listed):
            try:
                events.append(read_event(json.dumps(one)))
            except QuestionError as error:
                failed.append({"index": index, "reason": str(error), "retriable": False})
        await self._gathering().take(events, len(body))
        summary = {"received": len(listed), "successful": len(events), "failed": len(failed)}
        status = "partial_success" if failed and events else "failure" if failed else "success"
        answer = {"status": status, "summary": summary, "failed_events": failed}
        return JSONResponse(answer, 400 if failed and not events else 200)

    def _gathering(self) -> Gathering:
        """Made when the first event comes, as reading names without personal values takes the detector."""
        if self._gathered is None:
            loader: Loader | None = None

            def load(events: Any) -> Any:
                nonlocal loader
                loader = loader or Loader(self._graph)
                return loader.load(events)

            self._gathered = Gathering(load)
        return self._gathered

    async def _body(self, request: Request) -> bytes:
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json":
            raise _Refused(415, "NOT_JSON", "Send events as JSON, with `Content-Type: application/json`.")
        coding = request.headers.get("content-encoding", "identity").strip().lower()
        body = await request.body()
        if coding == "gzip":
            return self._unpacked(body)
        if coding != "identity":
            raise _Refused(415, "UNKNOWN_CODING", "Send events as they are, or with `Content-Encoding: gzip`.")
        return body

    def _unpacked(self, body: bytes) -> bytes:
        reader = zlib.decompressobj(wbits=31)
        try:
            unpacked = reader.decompress(body, self._most + 1)
        except zlib.error:
            raise _Refused(400, "BAD_REQUEST", "The body is not gzip.") from None
        if len(unpacked) > self._most:
            message = f"An unpacked body may have at most {self._most} bytes (limit `event_bytes`)."
            raise _Refused(413, "BODY_TOO_LARGE", message)
        if not reader.eof or reader.unused_data:
            raise _Refused(400, "BAD_REQUEST", "The body is gzip that was cut off, or has more behind it.")
        return unpacked


def _list(body: bytes) -> list[Any]:
    try:
        listed: Any = json.loads(body)
    except (ValueError, RecursionError):
        raise QuestionError("events", "$ is no JSON", "send a list of events") from None
    if not isinstance(listed, list):
        raise QuestionError("events", "$ is no list", "send one event to /api/v1/lineage")
    return cast("list[Any]", listed)
