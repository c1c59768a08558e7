"""How the service says no: as JSON to programs, as a short page to browsers. Every refusal says what to do."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, JSONResponse, Response

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Privacy inventory: {title}</title>
<h1>{title}</h1>
<p>{message}</p>
</html>
"""


def refuse(
    headers: Headers, status: int, code: str, message: str, *, extra: Mapping[str, str] | None = None
) -> Response:
    """A refusal in the form the sender of `headers` reads; `code` is stable, `message` says what to do."""
    if "text/html" in headers.get("accept", ""):
        page = _PAGE.format(title=escape(code.replace("_", " ").capitalize()), message=escape(message))
        return HTMLResponse(page, status_code=status, headers=dict(extra or {}))
    return JSONResponse(error_body(code, message), status_code=status, headers=dict(extra or {}))


def error_body(code: str, message: str) -> dict[str, list[dict[str, object]]]:
    """An error in the form of a GraphQL answer, so that clients need to know one form only."""
    return {"errors": [{"message": message, "extensions": {"code": code}}]}
