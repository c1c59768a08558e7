"""API tokens: made and revoked on the command line, known to the running service at once.

A token is `inv_<id>_<secret>`: the prefix lets scanners of leaked secrets know it, the id lets people tell which one it
is, the secret has 256 bits. Only the digest of the whole is kept, in `tokens.sqlite` of the `data_dir`, which its owner
alone can read. Every look-up reads the file, so a token that another process revokes is refused from then on.
"""

from __future__ import annotations

import hmac
import os
import secrets
import sqlite3
import threading
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from inventory.api.roles import Permission, Role
from inventory.api.sign_in import digest_of
from inventory.errors import ConfigError, QuestionError

FILE = "tokens.sqlite"
PREFIX = "inv"
LONGEST_NAME = 60
NOTED_EVERY = timedelta(hours=1)
"""How exactly it is known when a token was last used: enough to see which are not in use any more."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS tokens (
    id TEXT PRIMARY KEY, digest BLOB NOT NULL, name TEXT NOT NULL, roles TEXT NOT NULL, scopes TEXT NOT NULL,
    created TEXT NOT NULL, expires TEXT NOT NULL, used TEXT NOT NULL DEFAULT '', revoked TEXT NOT NULL DEFAULT ''
)
"""
_COLUMNS = "id, digest, name, roles, scopes, created, expires, used, revoked"


@dataclass(frozen=True, slots=True)
class ApiToken:
    """What is kept of a token. Times are UTC; `used` is to the hour."""

    id: str
    digest: bytes
    name: str
    roles: frozenset[Role]
    scopes: frozenset[Permission]
    created: datetime
    expires: datetime
    used: datetime | None
    revoked: datetime | None

    def valid(self, now: datetime) -> bool:
        """Neither expired nor revoked."""
        return self.revoked is None and now < self.expires


class TokenStore:
    """The tokens of a `data_dir`. Safe between threads and processes."""

    def __init__(self, data_dir: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.path = data_dir / FILE
        self._clock = clock
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None

    def create(
        self, name: str, roles: Collection[Role], lasting: timedelta, scopes: Collection[Permission] = ()
    ) -> tuple[str, ApiToken]:
        """A new token, which is kept nowhere, and what is kept of it. Raises QuestionError, ConfigError."""
        if not name or len(name) > LONGEST_NAME or not name.isprintable():
            raise QuestionError(f"name {name!r:.80}", f"is not 1 to {LONGEST_NAME} printable characters")
        if not roles:
            raise QuestionError(f"token {name}", "has no role", "give one or more")
        now = self._clock()
        id_ = secrets.token_hex(4)
        secret = f"{PREFIX}_{id_}_{secrets.token_urlsafe(32)}"
        token = ApiToken(
            id_, digest_of(secret), name, frozenset(roles), frozenset(scopes), now, now + lasting, None, None
        )
        with self._opened(make=True) as database:
            assert database is not None
            database.execute("BEGIN IMMEDIATE")
            same = [each for each in _tokens(database) if each.name == name and each.valid(now)]
            if same:
                database.execute("ROLLBACK")
                raise QuestionError(f"token {name}", "is there already", "revoke it, or choose another name")
            database.execute(
                f"INSERT INTO tokens ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, '', '')",  # noqa: S608 - our own words
                [
                    token.id,
                    token.digest,
                    name,
                    " ".join(sorted(roles)),
                    " ".join(sorted(scopes)),
                    token.created.isoformat(),
                    token.expires.isoformat(),
                ],
            )
            database.execute("COMMIT")
        return secret, token

    def tokens(self) -> list[ApiToken]:
        """All that were made, oldest first, also those that are no longer valid."""
        with self._opened() as database:
            return [] if database is None else sorted(_tokens(database), key=lambda token: (token.created, token.id))

    def revoke(self, id_or_name: str) -> ApiToken:
        """Refuse the token from now on. Raises QuestionError when no valid token has this id or name."""
        now = self._clock()
        found = [token for token in self.tokens() if id_or_name in {token.id, token.name} and token.valid(now)]
        if not found:
            raise QuestionError(f"token {id_or_name}", "is not known, or not valid any more", "inventory token list")
        with self._opened() as database:
            assert database is not None
            database.execute("UPDATE tokens SET revoked = ? WHERE id = ?", [now.isoformat(), found[0].id])
        return found[0]

    def find(self, secret: str) -> ApiToken | None:
        """The valid token of a secret, noting that it is used. Raises ConfigError when the file cannot be read."""
        prefix, _, rest = secret.partition("_")
        if prefix != PREFIX:
            return None
        with self._opened() as database:
            if database is None:
                return None
            found = _tokens(database, "WHERE id = ?", rest.partition("_")[0])
            now = self._clock()
            if not found or not hmac.compare_digest(found[0].digest, digest_of(secret)) or not found[0].valid(now):
                return None
            _note_use(database, found[0], now)
            return found[0]

    def close(self) -> None:
        """Let the file go."""
        with self._lock:
            if self._database is not None:
                self._database.close()
            self._database = None

    @contextmanager
    def _opened(self, *, make: bool = False) -> Generator[sqlite3.Connection | None]:
        """The database; None while no token was made."""
        with self._lock:
            try:
                if self._database is None and (make or self.path.exists()):
                    self._database = _database(self.path)
                yield self._database
            except (OSError, sqlite3.Error) as error:
                raise ConfigError(str(self.path), "cannot be read or written", "it holds the API tokens") from error


def _database(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    if path.stat().st_mode & 0o077:
        raise ConfigError(str(path), "can be read by others", f"chmod 600 {path}")
    database = sqlite3.connect(path, timeout=10, check_same_thread=False, isolation_level=None)
    database.execute(_SCHEMA)
    return database


def _tokens(database: sqlite3.Connection, where: str = "", *values: str) -> list[ApiToken]:
    rows = database.execute(f"SELECT {_COLUMNS} FROM tokens {where}", values)  # noqa: S608 - our own words
    return [
        ApiToken(
            id_,
            digest,
            name,
            frozenset(Role(role) for role in roles.split()),
            frozenset(Permission(scope) for scope in scopes.split()),
            datetime.fromisoformat(created),
            datetime.fromisoformat(expires),
            datetime.fromisoformat(used) if used else None,
            datetime.fromisoformat(revoked) if revoked else None,
        )
        for id_, digest, name, roles, scopes, created, expires, used, revoked in rows
    ]


def _note_use(database: sqlite3.Connection, token: ApiToken, now: datetime) -> None:
    if token.used is not None and now - token.used < NOTED_EVERY:
        return
    hour = now.replace(minute=0, second=0, microsecond=0).isoformat()
    with suppress(sqlite3.Error):  # somebody else writes, or the disk is full: the token is valid all the same
        database.execute("UPDATE tokens SET used = ? WHERE id = ?", [hour, token.id])
