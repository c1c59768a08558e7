"""A real Neo4j for tests: its jars by Maven into a cache, once; then one JVM that ends when the tests do."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import neo4j

ROOM = Path(__file__).parent
START_SECONDS = 120


class ToolchainMissing(Exception):
    """What has to be installed first."""


def jars() -> Path:
    """The folder of Neo4j's jars, brought by Maven when it is not there yet. Raises ToolchainMissing."""
    for tool in ("java", "mvn"):
        if shutil.which(tool) is None:
            raise ToolchainMissing(f"a real Neo4j needs {tool}")
    cache = Path(os.environ.get("INVENTORY_CACHE") or ROOM.parents[2] / ".cache") / "fleet" / "neo4j"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs at once prepare it one after the other
        done, pom = cache / "pom.xml", ROOM / "pom.xml"
        if not done.exists() or done.read_bytes() != pom.read_bytes():
            shutil.rmtree(cache / "lib", ignore_errors=True)
            subprocess.run(
                [
                    "mvn",
                    "-q",
                    "-B",
                    "-f",
                    str(pom),
                    "dependency:copy-dependencies",
                    f"-DoutputDirectory={cache / 'lib'}",
                ],
                check=True,
            )
            shutil.copyfile(pom, done)
    return cache / "lib"


@contextmanager
def neo4j_server(home: Path) -> Iterator[tuple[str, str]]:
    """Its Bolt address and the password of user `neo4j`; logs go to `home/launcher.log`."""
    opened = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in ("java.nio", "java.io", "sun.nio.ch")]
    home.mkdir(parents=True, exist_ok=True)
    with (home / "launcher.log").open("wb") as log:
        process = subprocess.Popen(
            [
                "java",
                "-Xmx512m",
                *opened,
                "-cp",
                f"{jars()}/*",
                str(ROOM / "Launcher.java"),
                str(home),
                str(home / "port"),
            ],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
        )
    try:
        address = f"bolt://127.0.0.1:{_port(process, home / 'port')}"
        yield address, _first_login(address)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(timeout=60)


def _port(process: subprocess.Popen[bytes], file: Path) -> int:
    deadline = time.monotonic() + START_SECONDS
    while not file.exists():
        assert process.poll() is None, "Neo4j ended while starting: see launcher.log"
        assert time.monotonic() < deadline, "Neo4j did not start in time"
        time.sleep(0.1)
    return int(file.read_text())


def _first_login(address: str) -> str:
    password = secrets.token_urlsafe(16)
    with neo4j.GraphDatabase.driver(address, auth=("neo4j", "neo4j")) as driver:
        driver.execute_query(
            "ALTER CURRENT USER SET PASSWORD FROM 'neo4j' TO $password", password=password, database_="system"
        )
    return password
