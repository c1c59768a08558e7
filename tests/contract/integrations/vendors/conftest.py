"""A server that answers as vendors' documentation says, for those whose API description is not at hand.

A test writes what is asked and answered, with invented people; the server refuses every other request, so that a wrong
path, parameter, header or way to the next page is a finding of the scan.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from inventory.model import DatasetSeen, DisclosureSeen, FieldClassified, Finding, Observation
from scanners.base import ScanContext
from scanners.detection.interface import Detection
from scanners.integrations.connector import Resource, connectors
from scanners.integrations.places import every
from scanners.integrations.vendor import VendorScanner


@dataclass(frozen=True)
class Exchange:
    """A request and its answer. `query` and `body` hold what the request must say; None is what it must not say."""

    path: str
    answer: Any
    query: Mapping[str, str | None] = field(default_factory=dict)
    method: str = "GET"
    body: Mapping[str, Any] = field(default_factory=dict)
    link: str = ""  # path of the next page, for the Link header

    def fits(self, method: str, path: str, query: Mapping[str, str], body: Any) -> bool:
        return (
            (method, path) == (self.method, self.path)
            and all(query.get(name) == value for name, value in self.query.items())
            and _holds(body, self.body)
        )


def _holds(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping):
        found = found if isinstance(found, Mapping) else {}
        return all(_holds(found.get(key), value) for key, value in wanted.items())
    return found == wanted


class Documented:
    """The server: what it knows now, and what it was asked."""

    def __init__(self) -> None:
        self.headers: Mapping[str, str] = {}
        self.exchanges: Sequence[Exchange] = ()
        self.asked: set[int] = set()
        self.unknown: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
                body = outer.body_of(self)
                status, answer, link = outer.answer(
                    self.command, parts.path, query, body, {name.lower(): value for name, value in self.headers.items()}
                )
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                if link:
                    self.send_header("Link", f'<{outer.address}{link}>; rel="next"')
                self.end_headers()
                self.wfile.write(data)

            do_POST = do_GET

            def log_message(self, format: str, *args: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"

    @staticmethod
    def body_of(handler: BaseHTTPRequestHandler) -> Any:
        content = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        if handler.headers.get("Content-Type", "").startswith("application/json"):
            return json.loads(content)
        return {name: values[-1] for name, values in parse_qs(content.decode()).items()}

    def answer(
        self, method: str, path: str, query: Mapping[str, str], body: Any, headers: Mapping[str, str]
    ) -> tuple[int, Any, str]:
        if path in ("/oauth/token", "/token"):
            return 200, {"access_token": "token", "token_type": "Bearer", "expires_in": 3600}, ""
        if any(headers.get(name.lower()) != value for name, value in self.headers.items()):
            return 401, {"error": "credentials"}, ""
        for number, exchange in enumerate(self.exchanges):
            if exchange.fits(method, path, query, body):
                self.asked.add(number)
                return 200, exchange.answer, exchange.link
        self.unknown.append(f"{method} {path} {sorted(query.items())} {body}")
        return 404, {"error": "unknown"}, ""


@pytest.fixture(scope="session")
def documented_server() -> Iterator[Documented]:
    server = Documented()
    thread = threading.Thread(target=server.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.server.shutdown()
    server.server.server_close()
    thread.join(10)


@dataclass(frozen=True)
class Seen:
    """What a scan of the server said."""

    system: str
    observations: list[Observation]

    def of(self, kind: type) -> list[Any]:
        return [each for each in self.observations if isinstance(each, kind)]

    def categories(self, resource: str) -> dict[str, set[str]]:
        """Field of a resource to the categories that it holds."""
        start, found = f"{self.system}/{resource}#", {}
        for each in self.of(FieldClassified):
            if each.field.startswith(start):
                found.setdefault(each.field.removeprefix(start), set()).add(each.category)
        return found

    def recipients(self, resource: str) -> set[str]:
        """The organisations that get what a resource holds."""
        return {each.processor for each in self.of(DisclosureSeen) if each.source == f"{self.system}/{resource}"}


@pytest.fixture
def documented(documented_server, monkeypatch, small_detection) -> Callable[..., Seen]:
    """`documented(vendor, account, headers, exchanges, credentials, …)`: scan the vendor's account at the server.

    Holds for each: no finding, no request beyond those written down and each of these made, every resource a dataset,
    every place that the connector speaks of in some answer (unless `whole` is False) and with its category, and
    nothing of the invented people (their values say canary) in what the scan says.
    """

    def scan(
        vendor: str,
        account: str,
        headers: Mapping[str, str],
        exchanges: Sequence[Exchange],
        credentials: Mapping[str, str],
        variables: Mapping[str, str] | None = None,
        path: str = "",
        whole: bool = True,
        rows: int = 1000,
        detection: Detection | None = None,
    ) -> Seen:
        server, connector = documented_server, connectors()[vendor]
        server.headers, server.exchanges, server.asked, server.unknown = headers, exchanges, set(), []
        for name, value in credentials.items():
            monkeypatch.setenv(f"DOCUMENTED_{name.upper()}", value)
        settings = VendorScanner.settings_type.model_validate(
            {
                "name": "tried",
                "type": vendor,
                "account": account,
                "variables": dict(variables or {}),
                "base_url": server.address + path,
                "sampling": {"rows": rows},
                "credentials": {name: {"env": f"DOCUMENTED_{name.upper()}"} for name in credentials},
            }
        )
        context = ScanContext(detection=detection or small_detection)
        seen = Seen(f"{vendor}://{account}", list(VendorScanner(settings).scan(context)))
        assert server.unknown == []
        assert [(each.about, each.message) for each in seen.of(Finding)] == []
        assert [exchange for n, exchange in enumerate(exchanges) if n not in server.asked] == []
        assert [each.name for each in seen.of(DatasetSeen)] == [each.name for each in connector.resources]
        for resource in connector.resources:
            found = seen.categories(resource.name)
            records = [record for exchange in exchanges for record in _records(resource, exchange, path)]
            for pointer, rule in resource.fields.items():
                assert rule.category in found.get(pointer[1:], set()), f"{resource.name}{pointer}"
                held = any(True for record in records for _ in every(record, pointer))
                assert held or not whole, f"{resource.name}: no answer holds {pointer}"
        assert "canary" not in repr(seen.observations).lower()
        return seen

    return scan


def _records(resource: Resource, exchange: Exchange, begin: str) -> Iterator[Any]:
    """The records of the resource in an answer; none if it answers another's request."""
    path = re.sub(r"\\\{[a-z_]+\\\}", ".+", re.escape(resource.path))
    if exchange.method != resource.method or not re.fullmatch(begin + path, exchange.path):
        return
    for found in every(exchange.answer, resource.records or ""):
        match resource.shape:
            case "record":
                yield found
            case "map":
                yield from found.values()
            case "values":
                yield from ({"value": value} for value in found)
            case _:
                yield from found


@pytest.fixture
def exchange() -> type[Exchange]:
    """To write down a request and its answer."""
    return Exchange
