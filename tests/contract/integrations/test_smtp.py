"""Mail servers of plain settings: real ones (aiosmtpd) with and without TLS, and some that are none."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from inventory.errors import ConfigError, SourceError
from inventory.model import (
    Aspect,
    Covered,
    DisclosureSeen,
    FieldClassified,
    Finding,
    ProcessorSeen,
    SafeguardSeen,
    SystemSeen,
)
from scanners.base import ScanContext
from scanners.integrations import smtp
from scanners.integrations.smtp import SmtpScanner, SmtpSettings
from seed.estate.servers.process import free_port


class Received:
    """What a server was sent."""

    def __init__(self) -> None:
        self.commands: list[str] = []

    async def handle_MAIL(self, *_: object) -> str:
        self.commands.append("MAIL")
        return "250 OK"

    async def auth_PLAIN(self, *_: object) -> None:
        self.commands.append("AUTH")


@pytest.fixture
def server(certificate) -> Iterator[Callable[..., tuple[int, Received]]]:
    """`server("starttls")`, `server("implicit")`, `server("")`: the port of a mail server."""
    from aiosmtpd.controller import Controller

    with ExitStack() as stack:

        def start(tls: str) -> tuple[int, Received]:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate.both)
            given = {"starttls": {"tls_context": context}, "implicit": {"ssl_context": context}, "": {}}[tls]
            received, port = Received(), free_port()
            running = Controller(received, hostname="127.0.0.1", port=port, **given)
            running.start()
            stack.callback(running.stop)
            return port, received

        yield start


@pytest.fixture
def scan(small_detection) -> Callable[..., list]:
    def run(port: int, host: str = "127.0.0.1", **given: Any) -> list:
        settings = SmtpSettings(name="mail", type="smtp", host=host, port=port, **given)
        return list(SmtpScanner(settings).scan(ScanContext(small_detection)))

    return run


def of(kind: type, seen: list) -> list:
    return [each for each in seen if isinstance(each, kind)]


@pytest.mark.parametrize("tls, way", [("starttls", "STARTTLS"), ("implicit", "TLS from the start")])
def test_the_way_there_is_encrypted(scan, server, certificate, tls: str, way: str):
    port, received = server(tls)
    seen = scan(port, tls=tls, ca_file=certificate.authority)
    assert of(Finding, seen) == []
    (safeguard,) = of(SafeguardSeen, seen)
    assert (safeguard.safeguard, safeguard.present) == ("encryption_in_transit", True)
    assert safeguard.evidence in (f"{way} with TLSv1.{n}, its certificate holds" for n in (2, 3))
    assert received.commands == []
    assert of(SystemSeen, seen)[0].urn == f"smtp://127.0.0.1:{port}"
    assert seen[-1] == Covered(f"smtp://127.0.0.1:{port}", Aspect.LISTING)


def test_a_certificate_that_nobody_vouches_for(scan, server):
    port, _ = server("starttls")
    seen = scan(port)
    (finding,) = of(Finding, seen)
    assert finding.code == "certificate"
    assert "its certificate does not hold: an unknown authority vouches for it" in of(SafeguardSeen, seen)[0].evidence
    assert not of(SafeguardSeen, seen)[0].present


def test_a_certificate_for_another_name(scan, server, certificate, leading_here):
    port, _ = server("starttls")
    seen = scan(port, "smtp.sendgrid.net", ca_file=certificate.authority)
    assert [each.message for each in of(Finding, seen)] == [
        "mail: the server's certificate does not hold: it is for another name (renew it, or ca_file)"
    ]


def test_no_tls_is_a_finding(scan, server):
    port, _ = server("")
    seen = scan(port)
    assert [each.code for each in of(Finding, seen)] == ["no-tls"]
    assert of(SafeguardSeen, seen)[0].evidence == "the server offers no STARTTLS"


def test_settings_that_use_no_tls_where_there_is_some(scan, server, certificate):
    port, _ = server("starttls")
    seen = scan(port, tls="none", ca_file=certificate.authority)
    assert [each.code for each in of(Finding, seen)] == ["no-tls"]
    assert not of(SafeguardSeen, seen)[0].present


@pytest.fixture
def leading_here(monkeypatch):
    """Every name leads to this machine: no look-up of a real relay leaves it."""
    look_up = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest, **more: look_up("127.0.0.1", *rest, **more))


def test_which_organisation_relays_what(scan, server, leading_here):
    port, _ = server("")
    seen = scan(port, "smtp.sendgrid.net", sends=["user.payment.invoice"])
    (processor,) = of(ProcessorSeen, seen)
    assert processor.key in ("sendgrid", "twilio")
    (disclosure,) = of(DisclosureSeen, seen)
    assert disclosure.processor == processor.key
    assert disclosure.evidence == f"the mail server smtp.sendgrid.net is of {processor.name}"
    system = f"smtp://smtp.sendgrid.net:{port}"
    held = {(each.field, each.category) for each in of(FieldClassified, seen)}
    assert (f"{system}/messages#recipient", "user.contact.email") in held
    assert (f"{system}/messages#body/user.payment.invoice", "user.payment.invoice") in held


def test_an_unknown_organisation_is_said_and_our_own_is_nobody_outside(scan, server, leading_here):
    port, _ = server("")
    assert [each.key for each in of(ProcessorSeen, scan(port, "mail.some-relay.ca"))] == ["unknown:some-relay.ca"]
    assert of(DisclosureSeen, scan(port, "mail.some-relay.ca", own_domains=["some-relay.ca"])) == []
    (said,) = of(DisclosureSeen, scan(port, processor="colo-nord"))
    assert said.processor == "colo-nord"


@pytest.fixture
def answering() -> Iterator[Callable[[Callable[[socket.socket], None]], int]]:
    """`answering(reply)`: the port of a server that does so with each connection."""
    with ExitStack() as stack:

        def start(reply: Callable[[socket.socket], None]) -> int:
            listening = socket.create_server(("127.0.0.1", 0))
            stack.callback(listening.close)

            def serve() -> None:
                while True:
                    try:
                        connection, _ = listening.accept()
                        with connection:
                            reply(connection)
                            connection.shutdown(socket.SHUT_WR)
                            while connection.recv(4096):
                                pass
                    except OSError:
                        if listening.fileno() < 0:
                            return

            threading.Thread(target=serve, daemon=True).start()
            return listening.getsockname()[1]

        yield start


@pytest.mark.parametrize(
    "answer, tls, code",
    [
        (b"HTTP/1.1 400 canary\r\n\r\n", "starttls", "not-smtp"),
        (b"", "starttls", "not-smtp"),
        (b"\xff\xfe\x00canary", "starttls", "not-smtp"),
        (b"x" * 100_000, "starttls", "refused"),
        (b"421 canary is busy\r\n", "starttls", "refused"),
        (b"220 canary\r\n500 no\r\n500 no\r\n", "starttls", "refused"),
        (b"220-canary\r\n220 canary\r\n250-canary\r\n250 STARTTLS\r\n220 go\r\nnot TLS at all", "starttls", "not-tls"),
        (b"220 canary\r\n250-canary\r\n250 STARTTLS\r\n454 not now\r\n", "starttls", "refused"),
        (b"220 canary\r\n", "implicit", "not-tls"),
    ],
)
def test_what_speaks_otherwise_is_said_without_its_words(scan, answering, answer: bytes, tls: str, code: str):
    with pytest.raises(SourceError) as caught:
        scan(answering(lambda connection: connection.sendall(answer)), tls=tls)
    assert caught.value.code == code
    assert "canary" not in str(caught.value)
    assert "127.0.0.1" not in str(caught.value)


def test_a_server_that_drips_is_not_waited_for(scan, answering, monkeypatch):
    monkeypatch.setattr(smtp, "_SECONDS", 0.3)
    gone = threading.Event()

    def drip(connection: socket.socket) -> None:
        while not gone.wait(0.02):
            connection.sendall(b"2")

    try:
        with pytest.raises(SourceError) as caught:
            scan(answering(drip))
        assert caught.value.code == "timeout"
    finally:
        gone.set()


def test_nobody_there(scan):
    with pytest.raises(SourceError, match="mail: the mail server cannot be reached"):
        scan(free_port())
    with pytest.raises(SourceError, match="link-local"):
        scan(25, "169.254.169.254")


def test_a_file_that_vouches_for_nobody(scan, tmp_path):
    (tmp_path / "none.pem").write_text("canary")
    with pytest.raises(ConfigError, match="ca_file") as caught:
        scan(25, ca_file=tmp_path / "none.pem")
    assert "canary" not in str(caught.value)
