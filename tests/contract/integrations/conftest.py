"""Servers that integrations talk to: a real localstripe, and one that misbehaves as it is told."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NoReturn

import pytest

# localstripe listens on all interfaces and keeps its store in /tmp: here it does neither; and has no webhook endpoints.
LOCALSTRIPE = """
import sys
from aiohttp import web
from localstripe import resources
resources.Store.dump_to_disk = lambda self: None
from localstripe.server import app
endpoint = {"id": "we_1", "url": "https://hooks.zapier.com/hooks/catch/canary", "secret": "canary"}
endpoints = {"object": "list", "data": [endpoint], "has_more": False}
app.router.add_get("/v1/webhook_endpoints", lambda _: web.json_response(endpoints))
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
"""


@pytest.fixture(scope="session")
def localstripe(tmp_path_factory) -> Iterator[str]:
    """The address of a Stripe with three customers, one of them with a card, and nothing else."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("localstripe") / "log"
    with log.open("wb") as file:
        process = subprocess.Popen([sys.executable, "-c", LOCALSTRIPE, str(port)], stdout=file, stderr=file)
    address = f"http://127.0.0.1:{port}"
    try:
        until(lambda: post(address, "/v1/customers", {"email": "first@canary.example", "name": "First Canary"}))
        last = ""
        for n in range(2):
            customer = {
                "email": f"n{n}@canary.example",
                "name": f"Canary {n}",
                "phone": "+15145550100",
                "description": "write to other@canary.example",
                "address": {"line1": "1 rue Canary", "city": "Montréal", "country": "CA"},
                "metadata": {"backup_mail": f"backup{n}@canary.example"},
            }
            last = post(address, "/v1/customers", customer)["id"]
        card = {"number": "4242424242424242", "exp_month": "12", "exp_year": "2030", "cvc": "123"}
        method = post(address, "/v1/payment_methods", {"type": "card", "card": card})
        post(address, f"/v1/payment_methods/{method['id']}/attach", {"customer": last})
        yield address
    finally:
        process.terminate()
        process.wait(10)


def post(address: str, path: str, body: dict) -> dict:
    headers = {"Authorization": "Bearer sk_test_12345", "Content-Type": "application/json"}
    request = urllib.request.Request(address + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def until(attempt: Callable[[], object], seconds: float = 30) -> None:
    """Call until it does not fail to connect."""
    end = time.monotonic() + seconds
    while True:
        try:
            attempt()
        except urllib.error.HTTPError:
            raise
        except OSError:
            if time.monotonic() > end:
                raise
            threading.Event().wait(0.02)
        else:
            return


class Misbehaving:
    """A server whose answers a test writes: `answers[path]` is called with the handler."""

    def __init__(self) -> None:
        self.answers: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.bodies: list[bytes] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                outer.headers.append({name.lower(): value for name, value in self.headers.items()})
                outer.bodies.append(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
                outer.answers[self.path.partition("?")[0]](self)

            do_POST = do_GET

            def log_message(self, format: str, *args: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"

    def answer(
        self, path: str, body: object, status: int = 200, kind: str = "application/json", **headers: str
    ) -> None:
        """Always answer so."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answers[path] = lambda handler: self.send(handler, data, status, kind, **headers)

    def sequence(self, path: str, *answers: tuple[int, object, dict[str, str]]) -> None:
        """Answer so one after another, the last for ever."""
        rest = list(answers)

        def reply(handler: BaseHTTPRequestHandler) -> None:
            status, body, headers = rest.pop(0) if len(rest) > 1 else rest[0]
            self.send(handler, json.dumps(body).encode(), status, **headers)

        self.answers[path] = reply

    @staticmethod
    def send(
        handler: BaseHTTPRequestHandler, data: bytes, status: int = 200, kind: str = "application/json", **headers: str
    ) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(data)


@pytest.fixture
def misbehaving() -> Iterator[Misbehaving]:
    server = Misbehaving()
    thread = threading.Thread(target=server.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.server.shutdown()
    server.server.server_close()
    thread.join(10)


# --- vendors' own descriptions, served by Prism -----------------------------------------------------------


@pytest.fixture(scope="session")
def prism(tmp_path_factory) -> Iterator[Callable[..., str]]:
    """`prism("auth0/management-api-oas.json", "/users", "/clients")` gives the address of a server of that description
    (a path in ../shared/specs, or an absolute one), with only the paths named (as the description writes them) or all.

    Give the address to a source as `base_url`; with prism's examples a cursor may never end: then sample few rows.
    Skips by name where the description is missing, and where node is, which fails with CI=true. At most four servers
    run at a time: ask again in each test, which is cheap. Not for Stripe's, which takes minutes: see `stripe_mock`.
    """
    fleet = _fleet_vendors()
    running: dict[tuple[str, ...], tuple[str, ExitStack]] = {}

    def start(spec: str, *paths: str) -> str:
        key = (spec, *paths)
        if key in running:
            running[key] = running.pop(key)  # the one used last
            return running[key][0]
        file = fleet.SPECS / spec
        if not file.exists():
            pytest.skip(f"../shared/specs/{spec} is not here")
        while len(running) >= 4:
            running.pop(next(iter(running)))[1].close()
        stack = ExitStack()
        try:
            address = stack.enter_context(fleet.prism(file, tmp_path_factory.mktemp("prism"), paths))
        except fleet.ToolchainMissing as missing:
            _skip(str(missing))
        running[key] = (address, stack)
        return address

    yield start
    for _, stack in running.values():
        stack.close()


def _skip(reason: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def _fleet_vendors() -> Any:
    path = Path(__file__).parents[2] / "fleet" / "vendors.py"
    spec = importlib.util.spec_from_file_location("fleet_vendors", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def stripe_mock(tmp_path_factory) -> Iterator[str]:
    """The address of a stripe-mock: Stripe's own description of its API, with its own examples."""
    fleet = _fleet_vendors()
    try:
        with fleet.stripe_mock(tmp_path_factory.mktemp("stripe-mock")) as address:
            yield address
    except fleet.ToolchainMissing as missing:
        _skip(str(missing))


@pytest.fixture(scope="session")
def moto(tmp_path_factory) -> Iterator[str]:
    """The address of a moto for Amazon's services (SES, IAM); any key may ask it. Fill it with boto3."""
    with _fleet_vendors().moto(tmp_path_factory.mktemp("moto")) as address:
        yield address
