"""An S3-compatible object store in memory: moto's server, a separate process on loopback."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx

from seed.estate.servers.process import LOOPBACK, running


@contextlib.contextmanager
def object_store(log: Path) -> Iterator[str]:
    """Run the server and give its endpoint, such as `http://127.0.0.1:5000`."""
    with running("object store", _command, _answers, log) as port:
        yield _endpoint(port)


def _command(port: int) -> list[str]:
    return [sys.executable, "-m", "moto.server", "-H", LOOPBACK, "-p", str(port)]


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"{_endpoint(port)}/moto-api/data.json", timeout=10).is_success
    except httpx.TransportError:
        return False


def _endpoint(port: int) -> str:
    return f"http://{LOOPBACK}:{port}"
