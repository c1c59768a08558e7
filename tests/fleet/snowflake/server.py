"""A fake Snowflake in an environment of its own: fakesnow wants an older connector than our lock has."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOM = Path(__file__).parent
TREE = ROOM.parents[2]


class ToolchainMissing(Exception):
    """The environment could not be made."""


def scanned() -> list[tuple[str, dict[str, Any]]]:
    """The observations of a scan, each as its type's name and its properties. Raises ToolchainMissing."""
    command = [str(_python()), "-W", "ignore", str(ROOM / "scan.py")]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(TREE), "HOME": os.environ.get("HOME", "/")}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment, cwd=TREE, timeout=120)
    return [(name, properties) for name, properties in map(json.loads, done.stdout.splitlines())]


def _python() -> Path:
    """The environment's interpreter; made once into .cache/fleet/snowflake."""
    cache = Path(os.environ.get("INVENTORY_CACHE") or TREE / ".cache") / "fleet" / "snowflake"
    cache.mkdir(parents=True, exist_ok=True)
    wanted, made = (ROOM / "requirements.txt").read_text(), cache / "requirements.txt"
    python = cache / "venv" / "bin" / "python"
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs at once make it one after the other
        if not made.exists() or made.read_text() != wanted:
            shutil.rmtree(cache / "venv", ignore_errors=True)
            try:
                for command in _making(cache / "venv", python):
                    subprocess.run(command, check=True, capture_output=True, timeout=600)
            except (subprocess.SubprocessError, OSError):
                raise ToolchainMissing("a fake Snowflake needs fakesnow in an environment of its own (pip)") from None
            made.write_text(wanted)
    return python


def _making(place: Path, python: Path) -> list[list[str]]:
    """By uv where it is, which is much faster than pip."""
    wanted = ["-q", "-r", str(ROOM / "requirements.txt")]
    uv = shutil.which("uv")
    if uv is not None:
        return [
            [uv, "venv", "-q", "-p", sys.executable, str(place)],
            [uv, "pip", "install", "-p", str(python), *wanted],
        ]
    return [[sys.executable, "-m", "venv", str(place)], [str(python), "-m", "pip", "install", *wanted]]
