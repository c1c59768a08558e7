"""The pages and files for browsers. They are built from `explorer/` and come with the package."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from inventory.api.refusals import refuse

STATIC = Path(__file__).parent / "static"
_NONCE = "__CSP_NONCE__"


def graphiql_page(request: Request) -> Response:
    """GraphiQL, with this answer's nonce for style elements; without built files, how to build them."""
    try:
        page = (STATIC / "graphiql" / "graphiql.html").read_text(encoding="utf-8")
    except FileNotFoundError:
        return refuse(
            request.headers,
            503,
            "PAGES_NOT_BUILT",
            "GraphiQL is not built in this source tree. Build it with `npm ci && npm run build` in explorer/ "
            "(Node 20 or later), then load this page again. Questions by POST work without it.",
        )
    return HTMLResponse(page.replace(_NONCE, request.state.csp_nonce))
