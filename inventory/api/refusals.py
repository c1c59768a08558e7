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
{head}
<h1>{title}</h1>
{body}
</html>
"""


def refuse(
    headers: Headers, status: int, code: str, message: str, *, extra: Mapping[str, str] | None = None
) -> Response:
    """A refusal in the form the sender of `headers` reads; `code` is stable, `message` says what to do."""
    if "text/html" in headers.get("accept", ""):
        title = code.replace("_", " ").capitalize()
        return page(title, f"<p>{escape(message)}</p>", status=status, headers=extra)
    return JSONResponse(error_body(code, message), status_code=status, headers=dict(extra or {}))


def page(
    title: str, body: str, *, head: str = "", status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A short page; `body` and `head` are HTML."""
    content = _PAGE.format(title=escape(title), body=body, head=head)
    return HTMLResponse(content, status_code=status, headers=dict(headers or {}))


def sign_in_page(status: int, issuer: str, headers: Mapping[str, str] | None = None) -> Response:
    """How people sign in: with the issuer of that name, if there is one, or by a one-time link."""
    ways = [f'<p><a href="/sign-in/start">Sign in with {escape(issuer)}</a></p>'] if issuer else []
    ways.append(
        "<p>Whoever runs this service can sign in by the one-time link that <code>inventory serve</code> prints when "
        "it starts.</p>"
    )
    return page("Sign in", "\n".join(ways), status=status, headers=headers)


def error_body(code: str, message: str) -> dict[str, list[dict[str, object]]]:
    """An error in the form of a GraphQL answer, so that clients need to know one form only."""
    return {"errors": [{"message": message, "extensions": {"code": code}}]}
