"""Who is signed in: one-time links and sessions for browsers, bearer tokens for programs.

Only SHA-256 digests of the secrets are kept, and every comparison takes the same time whatever matches.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from pydantic import SecretStr


class SignedInBy(StrEnum):
    """How a caller proved who they are."""

    SESSION = "session"
    TOKEN = "token"  # noqa: S105 - the word, not a secret


@dataclass(frozen=True, slots=True)
class Caller:
    """Someone who may ask."""

    by: SignedInBy


class ExpiringSecrets:
    """Random secrets that are valid until their time is over or they are taken back. Safe between threads."""

    def __init__(self, seconds: float, *, most: int = 1000, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._expiry_by_digest: dict[bytes, float] = {}
        self._lock = threading.Lock()

    def issue(self) -> str:
        """A new secret of 256 bits. Beyond `most`, the oldest stops being valid."""
        secret = secrets.token_urlsafe(32)
        with self._lock:
            self._forget_expired()
            while len(self._expiry_by_digest) >= self._most:
                del self._expiry_by_digest[next(iter(self._expiry_by_digest))]
            self._expiry_by_digest[_digest(secret)] = self._clock() + self._seconds
        return secret

    def valid(self, secret: str) -> bool:
        """Whether the secret was issued and is neither expired nor revoked."""
        with self._lock:
            self._forget_expired()
            return _find(secret, self._expiry_by_digest) is not None

    def revoke(self, secret: str) -> bool:
        """Make the secret invalid; True if it was valid until now (so of two who use it at once, one wins)."""
        with self._lock:
            self._forget_expired()
            digest = _find(secret, self._expiry_by_digest)
            if digest is None:
                return False
            del self._expiry_by_digest[digest]
            return True

    def _forget_expired(self) -> None:
        now = self._clock()
        self._expiry_by_digest = {d: expiry for d, expiry in self._expiry_by_digest.items() if expiry > now}


class Doorkeeper:
    """Knows the links, sessions and tokens that are valid."""

    def __init__(self, tokens: Iterable[SecretStr], session_seconds: float, link_seconds: float) -> None:
        self.sessions = ExpiringSecrets(session_seconds)
        self._links = ExpiringSecrets(link_seconds, most=20)
        self._tokens = [_digest(token.get_secret_value()) for token in tokens]

    def create_link_token(self) -> str:
        """A token for one sign-in by link."""
        return self._links.issue()

    def open_session(self, link_token: str) -> str | None:
        """Use up a link's token: the new session's secret, or None when the link is unknown, used or expired."""
        return self.sessions.issue() if self._links.revoke(link_token) else None

    def recognise(self, *, bearer: str, session: str) -> Caller | None:
        """The caller who sent this bearer token or session cookie ("" for none)."""
        if bearer:
            return Caller(SignedInBy.TOKEN) if _find(bearer, self._tokens) is not None else None
        if session and self.sessions.valid(session):
            return Caller(SignedInBy.SESSION)
        return None


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def _find(secret: str, digests: Iterable[bytes]) -> bytes | None:
    """Compare with every digest, without stopping at the one that matches."""
    wanted = _digest(secret)
    found: bytes | None = None
    for digest in digests:
        if hmac.compare_digest(wanted, digest):
            found = digest
    return found
