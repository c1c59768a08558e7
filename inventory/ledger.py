"""An append-only file of JSON lines in which each line vouches for all before it.

A line is `{"n": 3, "at": "…", "entry": {…}, "seal": "…"}`: `seal` is a keyed hash (HMAC-SHA-256) over the line and the
seal before it, so that a line altered, removed, added or moved breaks the chain, and nobody without the installation's
key can mend it. Lines cut off at the end leave a chain that is whole: so how long it is and its last seal are kept
beside it in `<name>.head`, sealed as well. Whoever can restore both files to an earlier state goes unnoticed; a copy
of the head elsewhere (`Ledger.head`) is what shows that.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

from inventory.errors import ConfigError, InventoryError

BEGIN = "begin"  # the seal before the first line


class LedgerError(InventoryError):
    """The ledger is damaged: a line was altered, removed, added or moved."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its number (from 1), when it was written (ISO 8601, UTC), what it says, its seal."""

    number: int
    at: str
    entry: Mapping[str, Any]
    seal: str


@dataclass(frozen=True, slots=True)
class Head:
    """How many lines and bytes there are, and the last line's seal."""

    lines: int
    size: int
    seal: str


class Ledger:
    """The file at `path`, made when the first line is written, with `key` to seal and check lines."""

    def __init__(self, path: Path, key: bytes) -> None:
        self.path = path
        self._key = key

    def append(self, entry: Mapping[str, Any]) -> Line:
        """Write a line to the end and to the disk; takes the same time however long the ledger is.

        Of several processes, one at a time writes. Raises LedgerError when the end is not as it was left, so that
        nothing is built on it; ConfigError when it cannot be written.
        """
        return self.append_all([entry])[0]

    def append_all(self, entries: Sequence[Mapping[str, Any]]) -> list[Line]:
        """Write lines to the end, in this order, and to the disk at once. Otherwise as `append`."""
        with self._locked() as head:
            if not self._head_path.exists():
                self._write_head(head)  # several lines may be there without their head, but none without any
            written = list(self._sealed(entries, head))
            text = b"".join(_written(line) for line in written)
            with os.fdopen(os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            if written:
                self._write_head(Head(written[-1].number, head.size + len(text), written[-1].seal))
            return written

    def lines(self) -> Iterator[Line]:
        """Every line, oldest first, each checked. Raises LedgerError at the first that does not fit."""
        if not self.path.exists() and not self._head_path.exists():
            return
        with self._locked() as head:
            pass
        before = BEGIN
        with self._opened() as file:
            for number in range(1, head.lines + 1):
                line = self._read(number, file.readline(), before)
                yield line
                before = line.seal
        if before != head.seal:
            raise self._damaged(head.lines, "is not the line that was written last")

    def last(self) -> Line | None:
        """The last line, found from the end however long the ledger is; None when there is none."""
        if not self.path.exists() and not self._head_path.exists():
            return None
        with self._locked() as head, self._opened() as file:
            if not head.lines:
                return None
            text, reach = b"", 4096
            while b"\n" not in text[:-1] and len(text) < head.size:
                file.seek(max(0, head.size - reach))
                text, reach = file.read(min(reach, head.size)), reach * 4
        line = self._parsed(head.lines, text[text.rfind(b"\n", 0, -1) + 1 :])
        if line.seal != head.seal:
            raise self._damaged(head.lines, "is not the line that was written last")
        return line

    def head(self) -> Head:
        """The number of lines, the bytes and the last seal, as they are kept beside the file."""
        if not self._head_path.exists():
            if self.path.exists() and self.path.stat().st_size:
                # Only a first line may be there without a head: the program died between the two.
                with self.path.open("rb") as file:
                    if sum(1 for _ in file) > 1:
                        raise self._damaged(0, "has lines, and what was kept of its end is gone")
            return Head(0, 0, BEGIN)
        try:
            said = cast("dict[str, Any]", json.loads(self._head_path.read_text(encoding="utf-8")))
            head, mark = Head(int(said["lines"]), int(said["size"]), str(said["seal"])), str(said["mark"])
        except (ValueError, KeyError, TypeError):
            raise self._damaged(0, "what was kept of its end cannot be read") from None
        if not hmac.compare_digest(mark, self._mark(head)):
            raise self._damaged(0, "what was kept of its end was altered")
        return head

    @property
    def _head_path(self) -> Path:
        return self.path.with_name(f"{self.path.name}.head")

    @contextmanager
    def _opened(self) -> Generator[BinaryIO]:
        try:
            with self.path.open("rb") as file:
                yield file
        except FileNotFoundError:
            raise self._damaged(0, "is gone, and what was kept of its end is there") from None

    @contextmanager
    def _locked(self) -> Generator[Head]:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self.path.with_name(f"{self.path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise ConfigError(str(self.path), error.strerror or "cannot be written") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield self._recovered()
        except OSError as error:
            raise ConfigError(str(self.path), error.strerror or "cannot be written") from error
        finally:
            os.close(lock)

    def _recovered(self) -> Head:
        """The end, after a program that died between a line and its head: a whole line counts, half a line is cut."""
        head = self.head()
        size = self.path.stat().st_size if self.path.exists() else 0
        if size < head.size:
            raise self._damaged(head.lines, "lines are missing at its end")
        if size == head.size:
            return head
        with self.path.open("r+b") as file:
            file.seek(head.size)
            while text := file.readline():
                if not text.endswith(b"\n"):
                    file.truncate(head.size)
                    break
                line = self._read(head.lines + 1, text, head.seal)
                head = Head(line.number, head.size + len(text), line.seal)
        self._write_head(head)
        return head

    def _sealed(self, entries: Iterable[Mapping[str, Any]], head: Head) -> Iterator[Line]:
        at, before = datetime.now(UTC).isoformat(timespec="milliseconds"), head.seal
        for number, entry in enumerate(entries, head.lines + 1):
            line = Line(number, at, entry, self._seal(number, at, entry, before))
            yield line
            before = line.seal

    def _read(self, number: int, text: bytes, before: str) -> Line:
        line = self._parsed(number, text)
        expected = self._seal(line.number, line.at, line.entry, before)
        if line.number != number or not hmac.compare_digest(line.seal, expected) or _written(line) != text:
            raise self._damaged(number, "was altered, moved or does not follow the line before it")
        return line

    def _parsed(self, number: int, text: bytes) -> Line:
        try:
            said = cast("dict[str, Any]", json.loads(text))
            line = Line(int(said["n"]), str(said["at"]), said["entry"], str(said["seal"]))
            _written(line)
        except (ValueError, KeyError, TypeError):
            raise self._damaged(number, "is no line of it") from None
        return line

    def _seal(self, number: int, at: str, entry: Mapping[str, Any], before: str) -> str:
        said = json.dumps([number, at, entry, before], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hmac.new(self._key, said.encode(), hashlib.sha256).hexdigest()

    def _mark(self, head: Head) -> str:
        said = f"head {head.lines} {head.size} {head.seal}"
        return hmac.new(self._key, said.encode(), hashlib.sha256).hexdigest()

    def _write_head(self, head: Head) -> None:
        draft = self._head_path.with_name(f"{self._head_path.name}.new")
        said = {"lines": head.lines, "size": head.size, "seal": head.seal, "mark": self._mark(head)}
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(said, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._head_path)

    def _damaged(self, number: int, cause: str) -> LedgerError:
        place = f"{self.path}, line {number}" if number else str(self.path)
        return LedgerError(place, cause, "restore it from a backup; nothing is written to it as it is")


def _written(line: Line) -> bytes:
    said = {"n": line.number, "at": line.at, "entry": line.entry, "seal": line.seal}
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
