"""The pages by which people sign in and out.

`GET /sign-in` with a link's token opens a session; without, it is the page that says how to sign in. With an issuer,
`/sign-in/start` sends the browser there and `/sign-in/callback` takes it back. What is remembered meanwhile is kept
here under a cookie of its own, so that an answer that was made for another browser signs nobody in. No address is ever
taken from a request: after signing in, everybody gets to the same page.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from inventory.api.guard import CALLBACK, START, session_cookie
from inventory.api.oidc import Attempt, Issuer, SignInRefused
from inventory.api.refusals import page, refuse, sign_in_page
from inventory.api.settings import ApiSettings
from inventory.api.sign_in import Caller, Doorkeeper, ExpiringSecrets, SignedInBy
from inventory.errors import SourceError

ATTEMPT_SECONDS = 600.0
"""How long a person may take at the issuer's."""
HOME = "/graphql"

_log = structlog.get_logger("inventory.api")


class SignInRoutes:
    """The routes of one service."""

    def __init__(self, settings: ApiSettings, doorkeeper: Doorkeeper, issuer: Issuer | None) -> None:
        self._settings = settings
        self._doorkeeper = doorkeeper
        self._issuer = issuer
        self._attempts = ExpiringSecrets[Attempt](ATTEMPT_SECONDS, most=10_000)
        self._attempt_cookie = session_cookie(https=settings.https).replace("session", "sign-in")

    def routes(self) -> Sequence[BaseRoute]:
        """As the app takes them."""
        return [
            Route("/sign-in", self._sign_in),
            Route(START, self._start, methods=["GET"]),
            Route(CALLBACK, self._callback, methods=["GET"]),
            Route("/sign-out", self._sign_out, methods=["POST"]),
        ]

    async def _sign_in(self, request: Request) -> Response:
        if request.method == "HEAD":  # a preview of the link must not use it up
            return Response(status_code=405, headers={"Allow": "GET"})
        if "token" not in request.query_params and "text/html" in request.headers.get("accept", ""):
            return sign_in_page(200, self._issuer.name if self._issuer else "")
        session = self._doorkeeper.open_session(request.query_params.get("token", ""))
        if session is None:
            return refuse(
                request.headers,
                401,
                "SIGN_IN_LINK_NOT_VALID",
                "This sign-in link was used before, is too old, or is not complete. Start `inventory serve` again for "
                "a new one.",
            )
        return self._with_session(RedirectResponse(HOME, 303), request, session, self._settings.session_minutes * 60)

    async def _start(self, request: Request) -> Response:
        if self._issuer is None:
            return refuse(request.headers, 404, "NOT_FOUND", "This service has no issuer to sign in with.")
        if request.method == "HEAD":
            return Response(status_code=405, headers={"Allow": "GET"})
        try:
            address, attempt = await self._issuer.begin(self._redirect_address(request))
        except SourceError as error:
            return _silent(request, error)
        response = RedirectResponse(address, 303)
        response.set_cookie(
            self._attempt_cookie,
            self._attempts.issue(attempt),
            max_age=int(ATTEMPT_SECONDS),
            httponly=True,
            samesite="lax",  # the issuer's page sends the browser back: a strict cookie would stay behind
            secure=self._settings.https,
        )
        return response

    def _redirect_address(self, request: Request) -> str:
        """Ours, under the name that the browser knows us by; `KnownHosts` has let that name in."""
        return f"{'https' if self._settings.https else 'http'}://{request.headers['host']}{CALLBACK}"

    async def _callback(self, request: Request) -> Response:
        if request.method == "HEAD":
            return Response(status_code=405, headers={"Allow": "GET"})
        attempt = self._attempts.take(request.cookies.get(self._attempt_cookie, ""))
        if self._issuer is None or attempt is None:
            return self._refused(request, "this answer was used before, is too old, or is another browser's")
        try:
            person = await self._issuer.finish(attempt, request.query_params)
        except SignInRefused as refusal:
            return self._refused(request, refusal.cause)
        except SourceError as error:
            return _silent(request, error)
        if not person.roles:
            message = "The issuer knows you, and you have no role here. Ask whoever runs this service for one."
            return self._without_attempt(refuse(request.headers, 403, "NO_ROLE", message))
        seconds = min(self._settings.session_minutes * 60, int(person.until - time.time()))
        caller = Caller.of(SignedInBy.SESSION, person.name, person.roles)
        session = self._doorkeeper.sessions.issue(caller, max(seconds, 0))
        # A redirect would still belong to the issuer's page, and the strict cookie would not go along with it.
        welcome = page(
            "You are signed in",
            f'<p><a href="{HOME}">Continue</a></p>',
            head=f'<meta http-equiv="refresh" content="0;url={HOME}">',
        )
        return self._without_attempt(self._with_session(welcome, request, session, max(seconds, 0)))

    def _refused(self, request: Request, cause: str) -> Response:
        _log.warning("sign-in refused", cause=cause)
        message = f"You are not signed in: {cause}. Begin again at /sign-in."
        return self._without_attempt(refuse(request.headers, 401, "SIGN_IN_REFUSED", message))

    def _without_attempt(self, response: Response) -> Response:
        response.delete_cookie(self._attempt_cookie, httponly=True, samesite="lax", secure=self._settings.https)
        return response

    def _with_session(self, response: Response, request: Request, session: str, seconds: int) -> Response:
        name = session_cookie(https=self._settings.https)
        self._doorkeeper.sessions.take(request.cookies.get(name, ""))  # whoever signs in anew leaves the old session
        request.state.caller = self._doorkeeper.sessions.find(session)  # for the audit
        response.set_cookie(
            name, session, max_age=seconds, httponly=True, samesite="strict", secure=self._settings.https
        )
        return response

    async def _sign_out(self, request: Request) -> Response:
        name = session_cookie(https=self._settings.https)
        self._doorkeeper.sessions.take(request.cookies.get(name, ""))
        response = JSONResponse({"signedOut": True}, headers={"Clear-Site-Data": '"cache", "cookies", "storage"'})
        response.delete_cookie(name, httponly=True, samesite="strict", secure=self._settings.https)
        return response


def _silent(request: Request, error: SourceError) -> Response:
    return refuse(request.headers, 503, "ISSUER_UNAVAILABLE", str(error), extra={"Retry-After": "10"})
