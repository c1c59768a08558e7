"""Real servers of object stores, each prepared once into .cache/fleet by Go or npm, on a free loopback port.

What cannot run here raises ToolchainMissing with the reason.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import hmac
import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import urlencode

import httpx

from seed.estate.servers.process import running

FAKE_GCS = "github.com/fsouza/fake-gcs-server@v1.56.1"
VERSITYGW = "github.com/versity/versitygw/cmd/versitygw@v1.8.0"
AZURITE = "azurite@3.35.0"
#: Azurite's own account and key, which its documentation gives.
ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


class ToolchainMissing(Exception):
    """What has to be installed first."""


@contextmanager
def fake_gcs(home: Path) -> Iterator[str]:
    """The address of a fake-gcs-server that keeps everything in memory."""
    program = _built(FAKE_GCS)

    def command(port: int) -> Sequence[str]:
        where = ["-host", "127.0.0.1", "-port", str(port), "-scheme", "http"]
        names = ["-public-host", f"127.0.0.1:{port}", "-external-url", f"http://127.0.0.1:{port}"]
        return [str(program), "-backend", "memory", "-log-level", "error", *where, *names]

    with running("fake-gcs-server", command, _listens, home / "log") as port:
        yield f"http://127.0.0.1:{port}"


@contextmanager
def versitygw(home: Path, key: str, secret: str) -> Iterator[str]:
    """The address of a versitygw (S3 over the files of a folder) with one pair of keys."""
    program = _built(VERSITYGW)
    (home / "data").mkdir(parents=True)

    def command(port: int) -> Sequence[str]:
        keys = ["--access", key, "--secret", secret]
        return [str(program), "--port", f"127.0.0.1:{port}", *keys, "posix", str(home / "data")]

    with running("versitygw", command, _listens, home / "log") as port:
        yield f"http://127.0.0.1:{port}"


@contextmanager
def azurite(home: Path) -> Iterator[str]:
    """The address of an Azurite (Azure Blob Storage), its account's path included."""
    _needed("Azurite", "node", "npm")

    def install(cache: Path) -> None:
        subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--silent", "--prefix", ".", AZURITE], cwd=cache, check=True
        )

    main = _prepared("azurite", AZURITE, install) / "node_modules/azurite/dist/src/blob/main.js"

    def command(port: int) -> Sequence[str]:
        where = ["--blobHost", "127.0.0.1", "--blobPort", str(port)]
        return [
            "node",
            str(main),
            *where,
            "--skipApiVersionCheck",
            "--inMemoryPersistence",
            "--disableTelemetry",
            "--silent",
        ]

    with running("azurite", command, _listens, home / "log") as port:
        yield f"http://127.0.0.1:{port}/{ACCOUNT}"


def make_container(address: str, name: str, headers: Mapping[str, str] | None = None) -> None:
    """Make a container in an Azurite."""
    _put(address, f"/{name}", {"restype": "container"}, headers or {}, b"")


def set_service_properties(address: str, properties: bytes) -> None:
    """Set what holds for the whole account of an Azurite."""
    _put(address, "/", {"restype": "service", "comp": "properties"}, {}, properties)


def signature(container: str) -> str:
    """A shared access signature to read and list a container's blobs (learn.microsoft.com, "Create a service SAS")."""
    version, ends = "2021-08-06", (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    resource = f"/blob/{ACCOUNT}/{container}"
    #          rights, start, end, resource, identifier, IPs, protocol, version, kind, snapshot, scope, five headers
    signed = "\n".join(["rl", "", ends, resource, "", "", "", version, "c", "", "", *[""] * 5])
    return urlencode({"sp": "rl", "se": ends, "sv": version, "sr": "c", "sig": _signed(signed)})


def _put(address: str, path: str, question: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> None:
    """A request signed with the account's key (learn.microsoft.com, "Authorize with Shared Key")."""
    sent = {"x-ms-date": format_datetime(datetime.now(UTC), usegmt=True), "x-ms-version": "2021-08-06", **headers}
    named = "".join(f"{header}:{value}\n" for header, value in sorted(sent.items()))
    asked = "".join(f"\n{name}:{value}" for name, value in sorted(question.items()))
    length = str(len(body)) if body else ""
    text = "\n".join(["PUT", "", "", length, *[""] * 8]) + f"\n{named}/{ACCOUNT}/{ACCOUNT}{path}{asked}"
    sent["Authorization"] = f"SharedKey {ACCOUNT}:{_signed(text)}"
    httpx.put(address + path, params=question, headers=sent, content=body).raise_for_status()


def _signed(text: str) -> str:
    return base64.b64encode(hmac.new(base64.b64decode(ACCOUNT_KEY), text.encode(), hashlib.sha256).digest()).decode()


def _needed(purpose: str, *tools: str) -> None:
    for tool in tools:
        if shutil.which(tool) is None:
            raise ToolchainMissing(f"{purpose} needs {tool}")


def _built(module: str) -> Path:
    """The program that Go builds of the module."""
    name = module.partition("@")[0].rsplit("/", 1)[-1]
    _needed(name, "go")

    def build(cache: Path) -> None:
        subprocess.run(["go", "install", module], env={**os.environ, "GOBIN": str(cache)}, check=True)

    return _prepared(name, module, build) / name


def _prepared(name: str, wanted: str, prepare: Callable[[Path], None]) -> Path:
    cache = Path(os.environ.get("INVENTORY_CACHE") or Path(__file__).parents[3] / ".cache") / "fleet" / name
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs at once prepare it one after the other
        done = cache / "version"
        if not done.exists() or done.read_text() != wanted:
            prepare(cache)
            done.write_text(wanted)
    return cache


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
