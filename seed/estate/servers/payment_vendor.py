"""A payment vendor with state: localstripe, a separate process on loopback.

localstripe as installed listens on all interfaces and writes its whole store to a fixed file in /tmp after every
change. Run as a program, this module starts it on loopback alone with the store in memory.
"""

from __future__ import annotations

import contextlib
import random
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import httpx

from seed.estate.servers.process import LOOPBACK, running


@contextlib.contextmanager
def payment_vendor(log: Path, api_key: str) -> Iterator[str]:
    """Run the vendor and give its base URL (`http://127.0.0.1:8420`). Any key that begins with `sk_` opens it."""
    with running("payment vendor", _command, lambda port: _answers(port, api_key), log) as port:
        yield _base_url(port)


def _command(port: int) -> list[str]:
    return [sys.executable, "-m", __name__, str(port)]


def _answers(port: int, api_key: str) -> bool:
    try:
        answer = httpx.get(f"{_base_url(port)}/v1/balance", auth=(api_key, ""), timeout=10)
    except httpx.TransportError:
        return False
    return answer.is_success


def _base_url(port: int) -> str:
    return f"http://{LOOPBACK}:{port}"


def _serve(port: int) -> None:
    from aiohttp import web
    from localstripe import resources, server

    from seed.estate.content.values import NOW

    resources.Store.dump_to_disk = lambda self: None
    resources.time = types.SimpleNamespace(time=NOW.timestamp)  # everything was made in the estate's present

    async def no_webhooks(_: web.Request) -> web.Response:  # localstripe has none of that
        return web.json_response({"object": "list", "data": [], "has_more": False, "url": "/v1/webhook_endpoints"})

    server.app.router.add_get("/v1/webhook_endpoints", no_webhooks)
    random.seed(0)  # the vendor draws its object ids from here: the same order of requests gives the same ids
    web.run_app(server.app, host=LOOPBACK, port=port, access_log=None, print=None)


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
