"""The small process between us and the embedded engine: holds the data directory's lock and never leaves Java behind.

Run as a script, with the standard library alone: `python -I supervisor.py DATA_DIR PORT MODE JAVA_COMMAND…`.

- MODE `attached`: standard input is a pipe from the parent. When the parent ends, by `kill -9` too, the pipe closes and
  the engine is stopped in good order. A forked sibling may hold the pipe open, so a change of parent counts as well.
- MODE `detached`: runs until SIGTERM (`inventory graph down`).
- When this process itself is killed by `kill -9`, Linux kills Java (PR_SET_PDEATHSIG); the engine recovers from its log
  at the next start. Other systems have no such signal: there Java is left running and keeps the lock, the next `up`
  says so, and `down` ends it by the process id in the state file.
- Java inherits the lock, so the directory counts as locked until both are gone.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import selectors
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

LOCKED = 75  # exit status: another supervisor has this data directory
STOP_SECONDS = 20.0
PR_SET_PDEATHSIG = 1


def main() -> int:
    """Run the engine until it is to stop; the exit status is LOCKED, Java's own, or 0 after an orderly stop."""
    directory, port, mode, command = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:]
    lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return LOCKED
    wake = _wake_on(signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
    java = _start(command, directory, lock)
    state = directory / "engine.json"
    _write(state, {"supervisor": os.getpid(), "java": java.pid, "port": port, "mode": mode})
    try:
        _wait(java, mode, wake)
    finally:
        state.unlink(missing_ok=True)  # from here on nobody new connects
        status = _stop(java)
    return status


def _start(command: list[str], directory: Path, lock: int) -> subprocess.Popen[bytes]:
    parent = os.getpid()
    libc = ctypes.CDLL(None)

    def die_with_parent() -> None:
        if sys.platform == "linux":
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:  # it died before the line above
                os._exit(1)

    log = os.open(directory / "engine.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        return subprocess.Popen(  # noqa: S603 - our own command line
            command,
            cwd=directory / "server",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(lock,),
            preexec_fn=die_with_parent,
        )
    finally:
        os.close(log)


def _wait(java: subprocess.Popen[bytes], mode: str, wake: int) -> None:
    """Until Java ends, a signal asks to stop, or (attached) the parent is gone."""
    parent = os.getppid()
    with selectors.DefaultSelector() as events:
        events.register(wake, selectors.EVENT_READ)
        if mode == "attached":
            events.register(sys.stdin.fileno(), selectors.EVENT_READ)
        while java.poll() is None:
            for key, _ in events.select(timeout=1.0):
                received = os.read(key.fd, 64)
                if key.fd != wake:
                    if not received:
                        return
                elif any(number != signal.SIGCHLD for number in received):
                    return
            if mode == "attached" and os.getppid() != parent:
                return


def _stop(java: subprocess.Popen[bytes]) -> int:
    if java.poll() is not None:
        return java.returncode if java.returncode > 0 else 1
    java.terminate()
    try:
        java.wait(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        java.kill()
        java.wait()
    return 0


def _wake_on(*signals: int) -> int:
    """A file descriptor that becomes readable when one of `signals` arrives, with their numbers as bytes."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in signals:
        signal.signal(number, _noted)
    return reading


def _noted(_number: int, _frame: FrameType | None) -> None:
    """The signal's number is already in the pipe."""


def _write(path: Path, state: dict[str, object]) -> None:
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(state), encoding="utf-8")
    draft.replace(path)


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(main())
