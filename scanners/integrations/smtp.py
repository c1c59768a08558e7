"""The scanner of plain SMTP settings: which organisation relays our mail, and whether the way to it is encrypted.

It greets the server, asks for STARTTLS (RFC 3207) or begins with TLS (RFC 8314), and leaves: it signs in nowhere and
sends nothing. What goes to the relay is what a message has, whatever it says: addresses, a subject, a text (RFC 5321,
5322).
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import Annotated, Any, ClassVar, Literal, cast

from pydantic import AfterValidator, Field

from inventory.errors import ConfigError, SourceError
from inventory.model import (
    Aspect,
    Covered,
    DatasetKind,
    DatasetSeen,
    DisclosureSeen,
    Evidence,
    FieldClassified,
    FieldSeen,
    Finding,
    Observation,
    Provenance,
    SafeguardSeen,
    Severity,
    SystemKind,
    SystemSeen,
    dataset_urn,
    field_urn,
)
from inventory.vocabulary import categories
from scanners.base import Progress, ScanContext, SourceSettings
from scanners.integrations.addresses import is_link_local, machines
from scanners.recipients.catalogue import Recipient, of_host

_DETECTOR = "smtp/1"
_SECONDS = 20.0
#: What every message has (RFC 5321, 3.3; RFC 5322, 3.6).
_FIELDS = {
    "recipient": "user.contact.email",
    "sender": "user.contact.email",
    "subject": "user.content.private",
    "body": "user.content.private",
}


def _known_category(key: str) -> str:
    if key not in categories():
        raise ValueError("is no category of the vocabulary")
    return key


class SmtpSettings(SourceSettings):
    """A mail server that programs send through. No password is needed."""

    type: Literal["smtp"]
    host: str = Field(pattern=r"^[A-Za-z0-9._:-]{1,253}$", description="As programs have it: smtp.example.com.")
    port: int = Field(default=587, ge=1, le=65535)
    tls: Literal["starttls", "implicit", "none"] = Field(
        default="starttls", description="How programs begin: by STARTTLS, with TLS at once (port 465), or without."
    )
    ca_file: Path | None = Field(default=None, description="Who may vouch for the server, when it is not a public CA.")
    sends: tuple[Annotated[str, AfterValidator(_known_category)], ...] = Field(
        default=(), description="Categories that the messages hold besides addresses and text."
    )
    own_domains: tuple[str, ...] = Field(default=(), description="Ours: a server below them is nobody outside.")


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the server offered. `trusted`: its certificate holds for its name; `fault` says why not."""

    version: str = ""  # "TLSv1.3"; "" when it offers none
    trusted: bool = False
    fault: str = ""


class SmtpScanner:
    """Looks at a mail server that programs send through."""

    settings_type: ClassVar[type[SourceSettings]] = SmtpSettings

    def __init__(self, settings: SourceSettings) -> None:
        self.settings = settings
        self._smtp = cast(SmtpSettings, settings)

    @property
    def system(self) -> str:
        """`smtp://<host>:<port>`."""
        host = self._smtp.host.lower()
        return self._smtp.namespace or f"smtp://{f'[{host}]' if ':' in host else host}:{self._smtp.port}"

    def scan(self, context: ScanContext) -> Iterator[Observation]:
        """Greet, ask for TLS, leave. Raises SourceError when the server cannot be reached."""
        context.report(Progress(self.settings.name, 0, 1, "messages"))
        seen = self._look()
        relay = of_host(self._smtp.host, self._smtp.own_domains)
        processor = self.settings.processor or (relay.processor if relay is not None else "")
        name = f"mail server {self._smtp.host}"
        yield SystemSeen(
            self.system, SystemKind.INTEGRATION, name, "smtp", region=self.settings.region, processor=processor
        )
        if relay is not None and not self.settings.processor:
            yield relay.described
        yield from self._encryption(seen)
        yield from self._messages(processor, relay)
        context.report(Progress(self.settings.name, 1, 1))
        yield Covered(self.system, Aspect.LISTING)

    def _encryption(self, seen: _Seen) -> Iterator[Observation]:
        way = "TLS from the start" if self._smtp.tls == "implicit" else "STARTTLS"
        if not seen.version:
            yield SafeguardSeen(self.system, "encryption_in_transit", False, "the server offers no STARTTLS")
            message = f"{self.settings.name}: the server offers no STARTTLS, so that mail goes to it unencrypted"
            yield Finding(self.system, "no-tls", Severity.WARNING, message)
            return
        trust = "its certificate holds" if seen.trusted else f"its certificate does not hold: {seen.fault}"
        used = self._smtp.tls != "none"
        evidence = f"{way} with {seen.version}, {trust}" if used else f"{way} is offered and the settings use none"
        yield SafeguardSeen(self.system, "encryption_in_transit", used and seen.trusted, evidence)
        if not used:
            message = f"{self.settings.name}: the server offers STARTTLS and the settings use none (set tls: starttls)"
            yield Finding(self.system, "no-tls", Severity.WARNING, message)
        elif not seen.trusted:
            message = (
                f"{self.settings.name}: the server's certificate does not hold: {seen.fault} (renew it, or ca_file)"
            )
            yield Finding(self.system, "certificate", Severity.WARNING, message)

    def _messages(self, processor: str, relay: Recipient | None) -> Iterator[Observation]:
        dataset = dataset_urn(self.system, "messages")
        yield DatasetSeen(dataset, self.system, DatasetKind.API_RESOURCE, "messages", "Mail that programs send.")
        said = [(name, category, "every message has it (RFC 5321, RFC 5322)") for name, category in _FIELDS.items()]
        said += [(f"body/{key}", key, "the settings say that messages hold it") for key in self._smtp.sends]
        for position, (name, category, reason) in enumerate(said):
            column, slash, below = name.partition("/")
            field = field_urn(dataset, column, slash + below)
            yield FieldSeen(field, dataset, name, "text", position)
            evidence = (Evidence("connector:smtp", reason, 4.0),)
            yield FieldClassified(field, category, 0.98, evidence, _DETECTOR)
        if processor:
            who = "of the settings" if relay is None or self.settings.processor else f"of {relay.name}"
            evidence = f"the mail server {self._smtp.host} is {who}"
            yield DisclosureSeen(dataset, processor, Provenance.CONFIG, evidence)
        yield Covered(dataset, Aspect.STRUCTURE)
        yield Covered(dataset, Aspect.CONTENT)

    # --- the server ---------------------------------------------------------------------------------------

    def _look(self) -> _Seen:
        if any(is_link_local(machine) for machine in machines(self._smtp.host)):
            raise SourceError(self.settings.name, "its address is link-local, which is refused", "", "elsewhere")
        try:
            return self._greeted(self._context())
        except ssl.SSLCertVerificationError as error:
            fault = _FAULTS.get(error.verify_code, "it is not trusted")
        unverified = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        unverified.check_hostname = False
        unverified.verify_mode = ssl.CERT_NONE  # only to see the version: nothing is sent
        try:
            seen = self._greeted(unverified)
        except ssl.SSLCertVerificationError:  # pragma: no cover - nothing is verified
            raise self._broken() from None
        return _Seen(seen.version, False, fault)

    def _context(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self._smtp.ca_file and str(self._smtp.ca_file.expanduser()))
        except (OSError, ssl.SSLError):
            raise ConfigError(self.settings.name, "ca_file cannot be read, or holds no certificates") from None

    def _greeted(self, context: ssl.SSLContext) -> _Seen:
        """Raises SSLCertVerificationError, and SourceError for all else."""
        try:
            return self._asked(context)
        except ssl.SSLCertVerificationError:
            raise
        except TimeoutError:
            raise SourceError(self.settings.name, "the mail server does not answer in time", "", "timeout") from None
        except ssl.SSLError:
            raise self._broken() from None
        except (smtplib.SMTPException, UnicodeError) as error:
            if isinstance(error, smtplib.SMTPResponseException) and error.smtp_code >= 200:
                cause = f"the mail server answers {error.smtp_code}"
                raise SourceError(self.settings.name, cause, "see the server's own log", "refused") from None
            cause = "what answers there does not speak SMTP, or broke off"
            raise SourceError(self.settings.name, cause, "check host and port", "not-smtp") from None
        except OSError:
            raise SourceError(self.settings.name, "the mail server cannot be reached", "", "unreachable") from None

    def _broken(self) -> SourceError:
        remedy = "check port and tls: 465 is implicit, 587 is starttls"
        return SourceError(self.settings.name, "TLS could not be agreed upon", remedy, "not-tls")

    def _asked(self, context: ssl.SSLContext) -> _Seen:
        implicit = self._smtp.tls == "implicit"
        watch = _Watch()
        try:
            server = _SessionByTls(self._smtp, watch, context=context) if implicit else _Session(self._smtp, watch)
            with server:
                server.ehlo_or_helo_if_needed()
                if not implicit:
                    if not server.has_extn("starttls"):
                        return _Seen()
                    server.starttls(context=context)
                    server.ehlo_or_helo_if_needed()
                version = server.sock.version() if isinstance(server.sock, ssl.SSLSocket) else None
                return _Seen(version or "", True)
        except (OSError, smtplib.SMTPException):
            if watch.is_over:
                raise TimeoutError from None
            raise
        finally:
            watch.stop()


class _Watch:
    """Cuts a session off after some seconds, however slowly the server speaks."""

    def __init__(self) -> None:
        self.is_over = False
        self._socket: socket.socket | None = None
        self._timer = Timer(_SECONDS, self._cut)
        self._timer.daemon = True
        self._timer.start()

    def over(self, connection: socket.socket) -> None:
        """Watch over this connection."""
        self._socket = connection

    def _cut(self) -> None:
        self.is_over = True
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def stop(self) -> None:
        """It went well, or ended by itself."""
        self._timer.cancel()


class _Session(smtplib.SMTP):
    """Greets the server at once."""

    def __init__(self, settings: SmtpSettings, watch: _Watch, **given: Any) -> None:
        self._watch = watch
        super().__init__(settings.host, settings.port, local_hostname="localhost", timeout=_SECONDS, **given)

    def getreply(self) -> tuple[int, bytes]:
        """As the server answers."""
        if self.sock is not None:
            self._watch.over(self.sock)
        return super().getreply()


class _SessionByTls(_Session, smtplib.SMTP_SSL):
    """The same, with TLS from its first byte."""


#: OpenSSL's words for what is wrong with a certificate, in ours (X509_V_ERR_*).
_FAULTS = {
    10: "it has expired",
    9: "it is not valid yet",
    18: "it vouches for itself",
    19: "an unknown authority vouches for it",
    20: "an unknown authority vouches for it",
    21: "an unknown authority vouches for it",
    62: "it is for another name",
    64: "it is for another address",
}

SCANNER = SmtpScanner
