"""The installation's own secret, and the keys made from it.

Everything that stands for a person's value outside the scanned systems (a digest in the disclosure register, a sketch
of a field) is made with a key, so that whoever steals the graph or a file cannot try guesses on it. The secret is kept
apart from what it protects: by default in `data_dir`, readable by its owner alone; better in a file or variable that
the graph's host does not have (`installation_key` in the configuration). Losing it makes what was made with it useless,
and nothing else.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from contextlib import suppress
from pathlib import Path

from inventory.errors import ConfigError

KEY_BYTES = 32
FILE = "installation.key"


class InstallationKey:
    """The secret; `derived` gives the key of one purpose, which tells nothing of the others."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        if len(secret) < KEY_BYTES:
            cause = f"is shorter than {KEY_BYTES} bytes"
            raise ConfigError("installation key", cause, "make one: openssl rand -hex 32")
        self._secret = secret

    def derived(self, purpose: str) -> bytes:
        """The 32-byte key of a purpose, such as "disclosure-register" (HKDF-Expand of one block, RFC 5869)."""
        return hmac.new(self._secret, purpose.encode() + b"\x01", hashlib.sha256).digest()

    def __repr__(self) -> str:
        return "InstallationKey()"


def installation_key(data_dir: Path, given: str = "") -> InstallationKey:
    """The configured secret, or the one in `data_dir`, which is made the first time.

    Raises ConfigError when it is too short or its file cannot be read or is open to others.
    """
    if given:
        return InstallationKey(given.encode())
    path = data_dir / FILE
    try:
        _made_once(path)
        if path.stat().st_mode & 0o077:
            raise ConfigError(str(path), "can be read by others", f"chmod 600 {path}")
        return InstallationKey(path.read_text(encoding="ascii").strip().encode())
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), "cannot be read", "it holds the installation's secret") from error


def _made_once(path: Path) -> None:
    """Make the file unless it is there; of two processes that try at once, one makes it and both read it whole."""
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{FILE}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_hex(KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
