"""Servers that stand for vendors, each prepared once into .cache/fleet by npm or Go, on a free loopback port.

Prism answers as a vendor's own API description says: it checks each request (paths, required parameters, credentials'
headers) and answers with the description's examples, or with values of its schemas. stripe-mock does that with
Stripe's. moto answers as Amazon's services do, and keeps what it was told. What cannot run here raises
ToolchainMissing with the reason.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from seed.estate.servers.process import running

ROOM = Path(__file__).parent
STRIPE_MOCK = "github.com/stripe/stripe-mock@v0.203.0"
#: The vendors' descriptions, which are no part of the project.
SPECS = ROOM.parents[2] / "shared" / "specs"
_METHODS = {"get", "post"}
#: Of a description, what holds operations and what they refer to.
_HOLDERS = {"paths", "webhooks", "components", "definitions", "parameters", "responses", "tags", "x-tagGroups"}


class ToolchainMissing(Exception):
    """What has to be installed first."""


@contextmanager
def prism(spec: Path, home: Path, paths: Collection[str] = ()) -> Iterator[str]:
    """The address of a Prism that serves the description, or only some of its paths (which starts far sooner)."""
    program = _program()
    served = home / "served.json"
    content = _read(spec)
    served.write_text(json.dumps(_only(content, paths) if paths else content, default=str), encoding="utf-8")

    def command(port: int) -> Sequence[str]:
        return ["node", str(program), "mock", "--host", "127.0.0.1", "--port", str(port), "-v", "error", str(served)]

    with running("prism", command, _listens, home / "log", patience=45) as port:
        yield f"http://127.0.0.1:{port}"


@contextmanager
def stripe_mock(home: Path) -> Iterator[str]:
    """The address of a stripe-mock: Stripe's own description of its API, with its own examples."""
    program = _stripe_mock()

    def command(port: int) -> Sequence[str]:
        return [str(program), "-http-addr", f"127.0.0.1:{port}"]

    with running("stripe-mock", command, _listens, home / "log") as port:
        yield f"http://127.0.0.1:{port}"


@contextmanager
def moto(home: Path) -> Iterator[str]:
    """The address of a moto that holds nothing yet; any key may ask it."""
    program = Path(sys.executable).parent / "moto_server"

    def command(port: int) -> Sequence[str]:
        return [str(program), "-H", "127.0.0.1", "-p", str(port)]

    with running("moto", command, _listens, home / "log") as port:
        yield f"http://127.0.0.1:{port}"


def _program() -> Path:
    _needed("Prism", "node", "npm")
    names = ("package.json", "package-lock.json")

    def install(cache: Path) -> None:
        for name in names:
            shutil.copyfile(ROOM / "prism" / name, cache / name)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
        subprocess.run(command, cwd=cache, check=True)

    cache = _prepared("prism", b"".join((ROOM / "prism" / name).read_bytes() for name in names), install)
    return cache / "node_modules" / "@stoplight" / "prism-cli" / "dist" / "index.js"


def _stripe_mock() -> Path:
    _needed("stripe-mock", "go")

    def build(cache: Path) -> None:
        subprocess.run(["go", "install", STRIPE_MOCK], env={**os.environ, "GOBIN": str(cache)}, check=True)

    return _prepared("stripe-mock", STRIPE_MOCK.encode(), build) / "stripe-mock"


def _needed(purpose: str, *tools: str) -> None:
    for tool in tools:
        if shutil.which(tool) is None:
            raise ToolchainMissing(f"{purpose} needs {tool}")


def _prepared(name: str, wanted: bytes, prepare: Callable[[Path], None]) -> Path:
    cache = Path(os.environ.get("INVENTORY_CACHE") or ROOM.parents[1] / ".cache") / "fleet" / name
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs at once prepare it one after the other
        done = cache / "inputs"
        if not done.exists() or done.read_bytes() != wanted:
            prepare(cache)
            done.write_bytes(wanted)
    return cache


def _read(spec: Path) -> dict[str, Any]:
    text = spec.read_text(encoding="utf-8")
    return (
        json.loads(text) if spec.suffix == ".json" else yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    )


def _only(spec: dict[str, Any], paths: Collection[str]) -> dict[str, Any]:
    """The description with nothing but these paths, what reads them and what they refer to."""
    missing = set(paths) - set(spec["paths"])
    assert not missing, f"the description has no path {', '.join(sorted(missing))}"
    kept = {
        path: {key: value for key, value in spec["paths"][path].items() if key in _METHODS or key == "parameters"}
        for path in paths
    }
    needed: dict[str, Any] = {}
    waiting: list[Any] = [kept]
    while waiting:
        for reference in _references(waiting.pop()):
            if reference not in needed and reference.startswith("#/"):
                needed[reference] = _at(spec, reference)
                waiting.append(needed[reference])
    cut = {key: value for key, value in spec.items() if key not in _HOLDERS}
    cut["paths"] = kept
    if "securitySchemes" in spec.get("components", {}):
        cut["components"] = {"securitySchemes": spec["components"]["securitySchemes"]}
    for reference, value in needed.items():
        *holders, name = [part.replace("~1", "/").replace("~0", "~") for part in reference[2:].split("/")]
        place = cut
        for holder in holders:
            place = place.setdefault(holder, {})
        place.setdefault(name, value)
    return cut


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        reference = value.get("$ref")
        if isinstance(reference, str):
            yield reference
        for each in value.values():
            yield from _references(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)


def _at(spec: Any, reference: str) -> Any:
    for part in reference[2:].split("/"):
        part = part.replace("~1", "/").replace("~0", "~")
        spec = spec[int(part)] if isinstance(spec, list) else spec[part]
    return spec


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
