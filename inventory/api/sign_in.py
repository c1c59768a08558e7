"""Who is signed in: one-time links and sessions for browsers, tokens for programs.

Only SHA-256 digests of the secrets are kept. A secret is looked up by its digest, which whoever guesses cannot steer,
so that how long it takes tells nothing of the secrets that are valid.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, TypeVar

from inventory.api.roles import Permission, Role, permissions_of

if TYPE_CHECKING:
    from inventory.api.oidc import Issuer
    from inventory.api.settings import ApiSettings
    from inventory.api.tokens import TokenStore

Kept = TypeVar("Kept")


class SignedInBy(StrEnum):
    """How a caller proved who they are."""

    SESSION = "session"
    TOKEN = "token"  # noqa: S105 - the word, not a secret
    COMMAND_LINE = "command line"


@dataclass(frozen=True, slots=True)
class Caller:
    """Someone who may ask. `name` is how decisions and limits name them; `roles` are what they are."""

    by: SignedInBy
    name: str
    roles: frozenset[Role]
    permissions: frozenset[Permission]

    @classmethod
    def of(cls, by: SignedInBy, name: str, roles: Collection[Role], scopes: Collection[Permission] = ()) -> Caller:
        """A caller who may what the roles may, or of that only the scopes."""
        return cls(by, name, frozenset(roles), permissions_of(roles, scopes))


LOCAL = Caller.of(SignedInBy.COMMAND_LINE, "command line", [Role.ADMIN])
"""Who runs the program on this machine, with its files in hand."""

_BY_LINK = Caller.of(SignedInBy.SESSION, "service (session)", [Role.ADMIN])


@dataclass(frozen=True, slots=True)
class _Valid(Generic[Kept]):
    kept: Kept
    until: float


class ExpiringSecrets(Generic[Kept]):
    """Random secrets, each with what it stands for, until they expire or are taken. Safe between threads."""

    def __init__(self, seconds: float, *, most: int = 1000, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._valid: dict[bytes, _Valid[Kept]] = {}
        self._lock = threading.Lock()

    def issue(self, kept: Kept, seconds: float | None = None) -> str:
        """A new secret of 256 bits, valid for so long at most. Beyond `most`, the oldest stops being valid."""
        secret = secrets.token_urlsafe(32)
        now = self._clock()
        until = now + min(self._seconds, self._seconds if seconds is None else seconds)
        with self._lock:
            self._valid = {digest: valid for digest, valid in self._valid.items() if valid.until > now}
            while len(self._valid) >= self._most:
                del self._valid[next(iter(self._valid))]
            self._valid[digest_of(secret)] = _Valid(kept, until)
        return secret

    def find(self, secret: str) -> Kept | None:
        """What the secret stands for; None when it was not issued, or is expired or revoked."""
        with self._lock:
            return self._found(self._valid.get(digest_of(secret)))

    def take(self, secret: str) -> Kept | None:
        """As `find`, and revoke it: of two who use it at once, one wins."""
        with self._lock:
            return self._found(self._valid.pop(digest_of(secret), None))

    def _found(self, valid: _Valid[Kept] | None) -> Kept | None:
        return valid.kept if valid is not None and valid.until > self._clock() else None


class Doorkeeper:
    """Knows the links, sessions and tokens that are valid, and who is let in by them."""

    def __init__(self, settings: ApiSettings, tokens: TokenStore | None = None, issuer: Issuer | None = None) -> None:
        self.sessions = ExpiringSecrets[Caller](settings.session_minutes * 60)
        self._links = ExpiringSecrets[Caller](settings.sign_in_minutes * 60, most=20)
        self._configured = [digest_of(token.get_secret_value()) for token in settings.tokens]
        self._by_configured = Caller.of(SignedInBy.TOKEN, "service (token)", settings.token_roles)
        self._tokens = tokens
        self._issuer = issuer

    def create_link_token(self) -> str:
        """A token for one sign-in by link, as administrator."""
        return self._links.issue(_BY_LINK)

    def open_session(self, link_token: str) -> str | None:
        """Use up a link's token: the new session's secret, or None when the link is unknown, used or expired."""
        caller = self._links.take(link_token)
        return None if caller is None else self.sessions.issue(caller)

    async def recognise(self, *, bearer: str, session: str) -> Caller | None:
        """The caller who sent this bearer token or session cookie ("" for none).

        Raises SourceError when the issuer of the token cannot be asked for its keys.
        """
        if bearer:
            return await self._by_bearer(bearer)
        return self.sessions.find(session) if session else None

    async def _by_bearer(self, bearer: str) -> Caller | None:
        if _among(bearer, self._configured):
            return self._by_configured
        if self._tokens is not None and (found := self._tokens.find(bearer)) is not None:
            return Caller.of(SignedInBy.TOKEN, f"token {found.name}", found.roles, found.scopes)
        if self._issuer is not None and (person := await self._issuer.recognise(bearer)) is not None:
            return Caller.of(SignedInBy.TOKEN, person.name, person.roles)
        return None


def digest_of(secret: str) -> bytes:
    """What is kept of a secret. Those that we make have 256 bits: no salt or slow hash makes guessing harder."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def _among(secret: str, digests: Collection[bytes]) -> bool:
    """Compare with every digest, without stopping at the one that matches."""
    wanted = digest_of(secret)
    same = [hmac.compare_digest(wanted, digest) for digest in digests]
    return any(same)
