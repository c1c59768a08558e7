"""Runs one command and ends it when standard input closes: `python leash.py --stop-signal INT [--user U] -- command …`.

Whoever starts a server holds the other end of the pipe, so the server ends with its starter however that dies,
`kill -9` included. Should the leash itself be killed, Linux sends the stop signal (PR_SET_PDEATHSIG).
This file is run by its path and imports nothing of ours, so that it starts fast and for any user.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import TypedDict

_PR_SET_PDEATHSIG = 1
_GRACE_SECONDS = 15.0


def main() -> None:
    """Start the command, then wait for it or for the end of standard input, whichever comes first."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--stop-signal", default="TERM")
    parser.add_argument("--user", default=None)
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    stop_signal = signal.Signals[f"SIG{options.stop_signal}"]
    child = subprocess.Popen(  # noqa: S603 (the command is our starter's)
        options.command,
        stdin=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
        preexec_fn=_die_with_parent(stop_signal),  # safe: no thread has started yet
        **as_user(options.user),
    )
    threading.Thread(target=_leave_with, args=(child,), daemon=True).start()
    while os.read(sys.stdin.fileno(), 4096):
        pass
    child.send_signal(stop_signal)
    try:
        child.wait(_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


class RunAs(TypedDict, total=False):
    """Arguments of `subprocess` that say whom to run as."""

    user: str
    group: int
    extra_groups: list[str]


def as_user(user: str | None) -> RunAs:
    """What `subprocess` needs to run as `user` with that user's group and no other."""
    if user is None:
        return {}
    import pwd

    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def _die_with_parent(stop_signal: signal.Signals) -> Callable[[], None] | None:
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    starter = os.getpid()

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, int(stop_signal), 0, 0, 0)
        if os.getppid() != starter:  # it died before we asked
            os._exit(1)

    return ask


def _leave_with(child: subprocess.Popen[bytes]) -> None:
    status = child.wait()
    os._exit(status if 0 <= status < 256 else 1)


if __name__ == "__main__":
    main()
