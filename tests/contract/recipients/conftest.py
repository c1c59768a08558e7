"""A real DNS server on loopback, and looking at it."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest


@dataclass
class Nameserver:
    """Answers over UDP for one zone: CNAMEs, wildcards, NXDOMAIN and no data as RFC 1034 has them."""

    zone: Any
    silent: set[str] = field(default_factory=set)  # names that get no answer
    asked: list[str] = field(default_factory=list)
    address: str = ""

    def answer(self, wire: bytes) -> bytes | None:
        """The response to a query; None to let it wait."""
        import dns.flags
        import dns.message
        import dns.name
        import dns.rcode
        import dns.rdatatype

        query = dns.message.from_wire(wire)
        (question,) = query.question
        name = question.name
        self.asked.append(name.to_text(omit_final_dot=True))
        if self.asked[-1] in self.silent:
            return None
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        if not name.is_subdomain(self.zone.origin):
            response.set_rcode(dns.rcode.REFUSED)
            return response.to_wire()
        owner = name
        if self.zone.get_node(owner) is None and self.zone.get_node(dns.name.Name((b"*", *self.zone.origin.labels))):
            owner = dns.name.Name((b"*", *self.zone.origin.labels))
        if self.zone.get_node(owner) is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
            return response.to_wire()
        for kind in dict.fromkeys((question.rdtype, dns.rdatatype.CNAME)):
            found = self.zone.get_rrset(owner, kind)
            if found is not None:
                found.name = name
                response.answer.append(found)
                break
        return response.to_wire()


@pytest.fixture
def nameserver() -> Iterator[Callable[..., Nameserver]]:
    """Serves a zone until the test ends."""
    import dns.zone

    servers: list[socketserver.UDPServer] = []

    def serve(text: str, origin: str = "setbytes.example", **more: Any) -> Nameserver:
        zone = dns.zone.from_text(text, origin=origin, relativize=False, check_origin=False)
        nameserver = Nameserver(zone, **more)

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                data, sock = self.request
                answer = nameserver.answer(data)
                if answer is not None:
                    sock.sendto(answer, self.client_address)

        server = socketserver.ThreadingUDPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        nameserver.address = f"127.0.0.1:{server.server_address[1]}"
        return nameserver

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()
