"""Databases that are files: whether they have changed."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

SETTLED = 2.0  # seconds after which a further write would show in a file's time


def file_state(files: Iterable[Path], head: int) -> str:
    """The same while nobody has written to these files, of which any may be absent; "" when that cannot be told.

    `head` is how many bytes at the beginning hold the database's own counter of writes. Times alone are too coarse: a
    file that was written just now may be written again within the same tick.
    """
    said: list[str] = []
    try:
        for file in files:
            if not file.exists():
                continue
            status = file.stat()
            if time.time() - status.st_mtime < SETTLED:
                return ""
            with file.open("rb") as opened:
                said.append(f"{status.st_ino} {status.st_size} {status.st_mtime_ns} {opened.read(head).hex()}")
    except OSError:
        return ""
    return ", ".join(said)
