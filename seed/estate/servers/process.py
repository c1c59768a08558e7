"""A server as a child process: started on a free loopback port, waited for by asking it, stopped with its starter."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from inventory.errors import SourceError

LOOPBACK = "127.0.0.1"
_LEASH = Path(__file__).with_name("leash.py")
_ATTEMPTS = 3


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(
    name: str,
    command: Callable[[int], Sequence[str]],
    ready: Callable[[int], bool],
    log: Path,
    *,
    stop_signal: str = "TERM",
    user: str | None = None,
    patience: float = 60.0,
) -> Iterator[int]:
    """Run `command(port)` until the context ends, and give the port once `ready(port)` says so.

    A port can be taken between choosing and using it; then the server ends at once and another port is tried.
    Raises SourceError naming the log when the server does not become ready within `patience` seconds.
    """
    for _ in range(_ATTEMPTS):
        port = free_port()
        with _leashed(command(port), log, stop_signal, user) as process:
            if _becomes_ready(process, lambda port=port: ready(port), patience):
                yield port
                return
            died = process.poll() is not None
        if not died:
            raise SourceError(name, f"was not ready within {patience:.0f} s", f"see {log}")
    raise SourceError(name, "ended while starting", f"see {log}")


@contextlib.contextmanager
def _leashed(
    command: Sequence[str], log: Path, stop_signal: str, user: str | None
) -> Iterator[subprocess.Popen[bytes]]:
    leash = [sys.executable, "-I", str(_LEASH), "--stop-signal", stop_signal]
    if user is not None:
        leash += ["--user", user]
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 (our own commands, no shell)
            [*leash, "--", *command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            start_new_session=True,  # Ctrl-C reaches the starter, which then stops its servers in order
        )
    try:
        yield process
    finally:
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        process.wait()


def _becomes_ready(process: subprocess.Popen[bytes], ready: Callable[[], bool], patience: float) -> bool:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and process.poll() is None:
        if ready():
            return True
        time.sleep(0.02)
    return False
