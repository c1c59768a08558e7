"""The service: GraphQL, lineage events and sign-in; its routes, and how it is served."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Callable

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import State
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from inventory.api.audit import Audit
from inventory.api.audited import Audited
from inventory.api.context import Context, OpenRegister
from inventory.api.documents import Documents
from inventory.api.endpoint import Endpoint
from inventory.api.guard import KnownHosts, RequestLimits, SecurityHeaders, SignedInOnly
from inventory.api.lineage import BATCH, EVENT, LineageEndpoint
from inventory.api.oidc import Issuer
from inventory.api.pages import STATIC
from inventory.api.refusals import refuse
from inventory.api.schema import build_schema
from inventory.api.settings import ApiSettings
from inventory.api.sign_in import Doorkeeper
from inventory.api.sign_in_routes import SignInRoutes
from inventory.api.tokens import TokenStore
from inventory.errors import ConfigError, GraphError
from inventory.graph.catalogue import Catalogue

_log = structlog.get_logger("inventory.api")


def create_app(
    catalogue: Catalogue,
    settings: ApiSettings,
    register: OpenRegister | None = None,
    *,
    tokens: TokenStore | None = None,
    pseudonym_key: bytes = b"",
    audit: Audit | None = None,
) -> Starlette:
    """The service over one graph and one register. `app.state` holds its settings, doorkeeper and catalogue.

    `tokens` are the API tokens that let programs in. People who sign in with an issuer are named by `pseudonym_key`;
    without one they have other names after every start. Requests are told to `audit`.
    """
    issuer = Issuer(settings.oidc, pseudonym_key or secrets.token_bytes(32)) if settings.oidc else None
    doorkeeper = Doorkeeper(settings, tokens, issuer)
    documents = Documents(ad_hoc=settings.ad_hoc, tokens=settings.limits.tokens)
    endpoint = Endpoint(
        build_schema(settings.limits, tuple(documents.texts), suggestions=settings.ad_hoc),
        lambda request: Context(catalogue, request.state.caller, register),
        documents,
        settings.limits,
        audit,
    )
    lineage = LineageEndpoint(catalogue.graph, settings.limits.event_bytes)
    app = Starlette(
        routes=[
            Route("/", _home),
            Route("/graphql", endpoint),
            WebSocketRoute("/graphql", endpoint),
            Route(EVENT, lineage.event, methods=["POST"]),
            Route(BATCH, lineage.batch, methods=["POST"]),
            *SignInRoutes(settings, doorkeeper, issuer).routes(),
            Route("/healthz", _alive),
            Route("/readyz", _ready),
            Mount("/static", StaticFiles(directory=STATIC, check_dir=False)),
        ],
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(Audited, audit=audit),
            Middleware(KnownHosts, allowed=settings.allowed_hosts),
            *_foreign_pages(settings.cors),
            Middleware(RequestLimits, limits=settings.limits),
            Middleware(SignedInOnly, doorkeeper=doorkeeper, settings=settings, issuer=issuer.name if issuer else ""),
        ],
        exception_handlers={404: _not_found, 405: _wrong_method, Exception: _failed},
    )
    app.state = State({"settings": settings, "doorkeeper": doorkeeper, "catalogue": catalogue})
    return app


def _foreign_pages(origins: tuple[str, ...]) -> list[Middleware]:
    """Lets pages of these origins ask, without cookies."""
    if not origins:
        return []
    headers = ["authorization", "content-type"]
    told = ["Retry-After", "WWW-Authenticate"]
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["POST"],
            allow_headers=headers,
            expose_headers=told,
        )
    ]


def create_sign_in_link(app: Starlette, address: str) -> str:
    """A link that signs one browser in, once. `address` is where the service is reached: `http://127.0.0.1:8484`."""
    return f"{address.rstrip('/')}/sign-in?token={app.state.doorkeeper.create_link_token()}"


def serve(app: Starlette, *, ready: Callable[[str], None] = lambda _: None) -> None:
    """Serve until SIGINT or SIGTERM, then finish the requests under way. Prints nothing.

    `ready` is called once with the service's address when it accepts requests, to print the sign-in link then.
    Raises ConfigError when the address cannot be listened on.
    """
    settings: ApiSettings = app.state.settings
    listener = _listen(settings.host, settings.port)
    host, port = listener.getsockname()[:2]
    address = f"{'https' if settings.https else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"
    server = _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            proxy_headers=False,
            h11_max_incomplete_event_size=32 * 2**10,
            ws="websockets-sansio",
            ws_max_size=settings.limits.body_bytes,
            timeout_graceful_shutdown=int(settings.limits.seconds) + 1,
        ),
        lambda: ready(address),
    )
    app.state.server = server
    with listener:
        asyncio.run(server.serve(sockets=[listener]))


def stop(app: Starlette) -> None:
    """Have `serve`, in another thread, finish the requests under way and return."""
    server: uvicorn.Server | None = getattr(app.state, "server", None)
    if server is not None:
        server.should_exit = True


class _Server(uvicorn.Server):
    """Says when it accepts requests."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        cause = error.strerror or "cannot be listened on"
        raise ConfigError(f"address {host}:{port}", cause, "choose another `host` or `port`") from error


# --- routes -----------------------------------------------------------------------------------------------


async def _home(_: Request) -> Response:
    return RedirectResponse("/graphql", status_code=303)


async def _alive(_: Request) -> Response:
    return JSONResponse({"status": "alive"})


async def _ready(request: Request) -> Response:
    catalogue: Catalogue = request.app.state.catalogue
    try:
        async with asyncio.timeout(5):
            await catalogue.check()
    except (GraphError, TimeoutError):
        return JSONResponse({"status": "the graph does not answer"}, status_code=503)
    return JSONResponse({"status": "ready"})


async def _not_found(request: Request, _: Exception) -> Response:
    return refuse(request.headers, 404, "NOT_FOUND", "There is nothing here. Questions go to /graphql.")


async def _wrong_method(request: Request, _: Exception) -> Response:
    return refuse(request.headers, 405, "METHOD_NOT_ALLOWED", "This address does not take that method.")


async def _failed(request: Request, error: Exception) -> Response:
    _log.error("request failed", error=type(error).__qualname__)
    return refuse(request.headers, 500, "INTERNAL", "Something went wrong in the service.")
