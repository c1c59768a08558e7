"""A real OpenID Connect provider, prepared once into .cache/fleet/oidc by npm, on a free loopback port."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seed.estate.servers.process import running

ROOM = Path(__file__).parent
_NAMES = ("package.json", "package-lock.json")


class ToolchainMissing(Exception):
    """What has to be installed first."""


def program() -> Path:
    """The folder with the provider's packages. Raises ToolchainMissing."""
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            raise ToolchainMissing(f"an OpenID Connect provider needs {tool}")
    cache = Path(os.environ.get("INVENTORY_CACHE") or ROOM.parents[2] / ".cache") / "fleet" / "oidc"
    cache.mkdir(parents=True, exist_ok=True)
    wanted = b"".join((ROOM / name).read_bytes() for name in _NAMES)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs at once prepare it one after the other
        done = cache / "inputs"
        if not done.exists() or done.read_bytes() != wanted:
            for name in _NAMES:
                shutil.copyfile(ROOM / name, cache / name)
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
            subprocess.run(command, cwd=cache, check=True)
            done.write_bytes(wanted)
    return cache


@contextmanager
def provider(
    home: Path,
    *,
    keys: Sequence[Mapping[str, Any]],
    client: Mapping[str, Any],
    audiences: Sequence[str],
    people: Mapping[str, Mapping[str, Any]],
    seconds: int = 600,
    userinfo: bool = True,
    port: int | None = None,
) -> Iterator[int]:
    """The port of a provider that signs with `keys` (JWK, private). With `userinfo`, ID tokens hold `sub` only."""
    packages, settings = program(), home / "settings.json"

    def command(free: int) -> Sequence[str]:
        said = {
            "port": port or free,
            "keys": {"keys": list(keys)},
            "client": client,
            "audiences": list(audiences),
            "people": people,
            "seconds": seconds,
            "userinfo": userinfo,
        }
        settings.write_text(json.dumps(said), encoding="utf-8")
        return ["node", str(ROOM / "provider.mjs"), str(settings), str(packages)]

    with running("oidc-provider", command, lambda free: _listens(port or free), home / "log", patience=30) as free:
        yield port or free


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
