"""The audit: who asked what, and what came of it. Lines are only ever added, each sealed with those before it.

The lines are in `<data_dir>/audit/000001.jsonl` and on (`inventory.ledger`). A file that has grown to its size ends
with a line that names the next, and the next begins with the number of lines and the last seal of the one before, so
that the chain goes over all files. Lines are written by one thread, many at once and at most `SOON` seconds after they
were said, in the order they were said in.

What could be a person's identifier (every text in a variable or a literal) is kept as a keyed hash only, under a key
of its own purpose: whoever has the identifier and the installation's key finds what was asked about it.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
import re
import threading
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import structlog

from inventory.errors import ConfigError, InventoryError
from inventory.installation import InstallationKey
from inventory.ledger import BEGIN, Ledger, LedgerError, Line

FOLDER = "audit"
FILE_BYTES = 64 * 2**20
SOON = 0.02  # seconds
AGAIN = 1.0  # seconds until what could not be written is tried again
MOST_WAITING = 10_000  # lines said and not yet written
MOST_TEXTS = 50  # texts of one request that are kept as hashes

_CONTINUES, _ENDS = "file begun", "file full"

_log = structlog.get_logger("inventory.api")


class AuditError(InventoryError):
    """The audit cannot be written, so that nothing may be asked."""


class Audit:
    """Writes the audit in `data_dir`. One process at a time writes; `close` it so that the last lines are written."""

    def __init__(
        self, data_dir: Path, key: InstallationKey, *, file_bytes: int = FILE_BYTES, soon: float = SOON
    ) -> None:
        self._folder = data_dir / FOLDER
        self._key = key
        self._texts_key = texts_key(key)
        self._file_bytes = file_bytes
        self._soon = soon
        self._said = threading.Condition()
        self._waiting: list[tuple[Mapping[str, Any], Future[None]]] = []
        self._cause = ""
        self._closing = False
        self._lock = self._locked()
        self._file = self._opened()
        self._thread = threading.Thread(target=self._write_on, name="audit", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raises AuditError while lines cannot be written, or too many wait to be."""
        with self._said:
            if self._cause:
                raise AuditError("the audit", self._cause, "nothing is answered until it can be written again")
            if len(self._waiting) >= MOST_WAITING or self._closing or not self._thread.is_alive():
                raise AuditError("the audit", "is not written fast enough", "ask again later")

    def say(self, entry: Mapping[str, Any]) -> Future[None]:
        """Have a line written soon; the future is done when it is on the disk."""
        future: Future[None] = Future()
        with self._said:
            self._waiting.append((entry, future))
            self._said.notify()
        return future

    def hashes(self, value: object) -> list[str]:
        """Every text in `value`, which is as JSON holds it, as a keyed hash; the same text gives the same."""
        return [text_hash(self._texts_key, text) for text in _texts(value)]

    def close(self) -> None:
        """Write what waits, and let another process write. Raises AuditError when lines could not be written."""
        with self._said:
            self._closing = True
            self._said.notify()
        self._thread.join()
        os.close(self._lock)
        if self._waiting:
            raise AuditError("the audit", f"{len(self._waiting)} lines could not be written: {self._cause}")

    def _write_on(self) -> None:
        """The thread: takes what waits, writes it, and tries again what could not be written."""
        while True:
            with self._said:
                self._said.wait_for(lambda: self._waiting or self._closing)
                if not self._closing:
                    # More is said meanwhile and goes to the disk at once; what failed is not tried without rest.
                    self._said.wait_for(lambda: self._closing, AGAIN if self._cause else self._soon)
                batch, closing = list(self._waiting), self._closing
            cause = self._write(batch) if batch else ""
            with self._said:
                if bool(cause) != bool(self._cause):
                    with suppress(OSError, ValueError):  # a log that is closed must not end the audit
                        (_log.error if cause else _log.info)("audit", can_be_written=not cause, cause=cause)
                self._cause = cause
                if not cause:
                    del self._waiting[: len(batch)]
                if closing and (cause or not self._waiting):
                    return
            if not cause:
                for _, future in batch:
                    future.set_result(None)

    def _write(self, batch: Sequence[tuple[Mapping[str, Any], Future[None]]]) -> str:
        """Why the lines could not be written; "" when they are."""
        try:
            self._file = _grown(self._file, self._key, self._file_bytes)
            self._file.append_all([entry for entry, _ in batch])
        except InventoryError as error:
            return error.cause
        except (OSError, ValueError, TypeError) as error:
            return f"failed: {type(error).__name__}"
        return ""

    def _locked(self) -> int:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise ConfigError(str(self._folder), error.strerror or "cannot be written") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            cause = "is written by another process"
            raise ConfigError(
                str(self._folder), cause, "stop it, or give each service a data_dir of its own"
            ) from error
        return lock

    def _opened(self) -> Ledger:
        """The last file, as long as its end holds."""
        try:
            paths = files(self._folder)
            file = _ledger(paths[-1] if paths else self._folder / _name(1), self._key)
            file.last()
        except InventoryError:
            os.close(self._lock)
            raise
        return file


def texts_key(key: InstallationKey) -> bytes:
    """The key that texts are hashed with."""
    return key.derived("audit-identifiers")


def text_hash(key: bytes, text: str) -> str:
    """The keyed hash of a text in its one form: Unicode NFKC, without case or space around it; 32 hex digits."""
    form = unicodedata.normalize("NFKC", text).strip().casefold()
    return hmac.new(key, form.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:32]


def files(folder: Path) -> list[Path]:
    """The audit's files, oldest first."""
    return sorted(path for path in folder.glob("*.jsonl") if re.fullmatch(r"\d{6}\.jsonl", path.name))


def lines(data_dir: Path, key: InstallationKey) -> Iterator[tuple[Path, Line]]:
    """Every line of every file, each checked. Raises LedgerError at the first altered, removed, added or moved."""
    folder = data_dir / FOLDER
    paths = files(folder)
    before: Ledger | None = None
    ended = False
    for number, path in enumerate(paths, 1):
        if path.name != _name(number):
            raise LedgerError(str(folder / _name(number)), "is gone", "restore it from a backup")
        file = _ledger(path, key)
        line = None
        for line in file.lines():
            if line.number == 1:
                _check_first(path, line, before)
            yield path, line
        if line is None and (before is None or number < len(paths)):
            raise LedgerError(str(path), "has no lines", "restore it from a backup")
        ended = line is not None and line.entry.get("event") == _ENDS
        if not ended and number < len(paths):
            raise LedgerError(str(path), "does not end with the name of the next file", "restore it from a backup")
        before = file
    if ended:
        raise LedgerError(str(folder / _name(len(paths) + 1)), "is gone, and the file before it names it")


def _check_first(path: Path, line: Line, before: Ledger | None) -> None:
    """The first line of a file says where the file before it ended."""
    if before is None:
        expected, said = ("", 0, BEGIN), ("", 0, BEGIN)
        if line.entry.get("event") == _CONTINUES:
            said = ("another", 0, "")
    else:
        head = before.head()
        expected = (before.path.name, head.lines, head.seal)
        said = (line.entry.get("after"), line.entry.get("lines"), line.entry.get("seal"))
    if said != expected:
        raise LedgerError(f"{path}, line 1", "does not follow the last line of the file before it")


def _grown(file: Ledger, key: InstallationKey, most_bytes: int) -> Ledger:
    """The file to write to: this one, or the next when it is full. A program that died in between goes on here."""
    head = file.head()
    last = file.last() if head.size >= most_bytes else None
    if last is None:
        return file
    following = file.path.with_name(_name(int(file.path.stem) + 1))
    if last.entry.get("event") != _ENDS:
        file.append({"event": _ENDS, "next": following.name})
        head = file.head()
    opened = _ledger(following, key)
    if not opened.head().lines:
        opened.append({"event": _CONTINUES, "after": file.path.name, "lines": head.lines, "seal": head.seal})
    return opened


def _ledger(path: Path, key: InstallationKey) -> Ledger:
    return Ledger(path, key.derived("audit-ledger"))


def _name(number: int) -> str:
    return f"{number:06}.jsonl"


def _texts(value: object) -> Iterator[str]:
    left: list[object] = [value]
    found = 0
    while left and found < MOST_TEXTS:
        taken = left.pop()
        if isinstance(taken, str):
            found += 1
            yield taken
        elif isinstance(taken, dict):
            left.extend(reversed(cast("dict[str, object]", taken).values()))
        elif isinstance(taken, list):
            left.extend(reversed(cast("list[object]", taken)))
