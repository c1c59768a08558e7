"""The embedded engine: ArcadeDB from the wheel `arcadedb-embedded`, as a child process that speaks Bolt on loopback.

One data directory, one engine. Who comes second (another process, another thread) uses the one that runs. What is
in the directory: `lock`, `engine.json` (who runs, on which port), `password`, `engine.log`, `logging.properties`, and
the engine's own files in `server/`.
"""

from __future__ import annotations

import fcntl
import importlib.util
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import SecretStr

from inventory.errors import GraphError
from inventory.graph import supervisor
from inventory.graph.connection import REFUSED, Graph, GraphSettings

DATABASE = "inventory"
START_SECONDS = 90.0
STOP_SECONDS = supervisor.STOP_SECONDS + 10.0
PORT_ATTEMPTS = 3
LOCAL_RETRY_SECONDS = 15.0  # an engine on this machine that does not answer by then is not coming back by itself

# Errors of statements quote them, sometimes with values: the driver gets a code, and the log gets nothing.
LOGGING = """\
handlers=java.util.logging.ConsoleHandler
java.util.logging.ConsoleHandler.level=INFO
java.util.logging.ConsoleHandler.formatter=java.util.logging.SimpleFormatter
java.util.logging.SimpleFormatter.format=%1$tFT%1$tT.%1$tL %4$s %5$s%n
.level=WARNING
com.arcadedb.level=WARNING
com.arcadedb.bolt.level=OFF
com.arcadedb.query.level=OFF
com.arcadedb.database.level=OFF
com.arcadedb.bolt.BoltNetworkListener.level=INFO
com.arcadedb.server.ArcadeDBServer.level=INFO
"""


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """Whether the engine of a data directory runs; the port and the process ids are 0 when it does not."""

    data_dir: Path
    running: bool
    port: int = 0
    supervisor: int = 0
    java: int = 0
    detached: bool = False


class EmbeddedEngine:
    """The engine of one data directory, with a heap of at most `heap_mb` MiB."""

    def __init__(self, data_dir: Path, heap_mb: int = 768) -> None:
        self.data_dir = data_dir.expanduser().absolute()
        self.heap_mb = heap_mb
        self._started: subprocess.Popen[bytes] | None = None

    @property
    def attached(self) -> bool:
        """Whether this object started the engine that runs, and holds its life in hand."""
        return self._started is not None and self._started.stdin is not None and self._started.poll() is None

    def up(self, detached: bool = False) -> EngineStatus:
        """Start it, or find it running; returns when it answers. Attached, it ends when this process does.

        Raises GraphError when the wheel is missing, the directory cannot be used, or the engine does not start.
        """
        self._prepare()
        deadline = time.monotonic() + START_SECONDS
        starting: subprocess.Popen[bytes] | None = None
        failures = 0
        while time.monotonic() < deadline:
            status = self.status()
            answer = self._answer(status) if status.running else "none"
            if answer == "ours":
                if starting is not None and starting.pid == status.supervisor:
                    self._started = starting
                elif starting is not None:
                    _end(starting)  # another process was quicker
                return status
            if starting is None and not status.running:
                starting = self._spawn(detached)
            elif starting is not None and (answer == "another" or starting.poll() is not None):
                _end(starting)
                if starting.returncode != supervisor.LOCKED:
                    failures += 1  # somebody took the port first: it is worth another try
                    if failures == PORT_ATTEMPTS:
                        raise self._error("the engine ended while starting", self._log_hint())
                starting = None
            time.sleep(0.05)
        if starting is not None:
            _end(starting)
            raise self._error(f"the engine did not answer within {START_SECONDS:.0f} s", self._log_hint())
        raise self._error("another engine holds this directory and does not answer", "inventory graph down")

    def down(self) -> bool:
        """Stop it in good order, whoever started it; False when it does not run."""
        status = self.status()
        if self._started is not None and self._started.poll() is None:
            _end(self._started)
            return True
        if not status.running:
            return False
        for pid, number in ((status.supervisor, signal.SIGTERM), (status.java, signal.SIGTERM)):
            if _signal(pid, number) and self._unlocked_within(STOP_SECONDS):
                return True
        raise self._error("the engine does not stop", f"end process {status.java}")

    def status(self) -> EngineStatus:
        """What runs now, by the state file and the lock; asks nothing over the network."""
        stopped = EngineStatus(self.data_dir, running=False)
        try:
            state = json.loads((self.data_dir / "engine.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return stopped
        if self._unlocked():
            return stopped
        return EngineStatus(
            self.data_dir, True, state["port"], state["supervisor"], state["java"], state["mode"] == "detached"
        )

    @property
    def settings(self) -> GraphSettings:
        """How to reach it now. Raises GraphError when it does not run."""
        status = self.status()
        if not status.running:
            raise self._error("the engine does not run", "start it with `inventory graph up`")
        return self._settings(status.port)

    # --- inside -------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        """The directory and its files, for its owner only."""
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            (self.data_dir / "server").mkdir(exist_ok=True, mode=0o700)
            password = self.data_dir / "password"
            if not password.exists():
                _write_private(password, secrets.token_urlsafe(32), replace=False)
            logging = self.data_dir / "logging.properties"
            if not logging.exists() or logging.read_text(encoding="utf-8") != LOGGING:
                _write_private(logging, LOGGING)
        except OSError as error:
            raise self._error(error.strerror or "cannot be used", "choose a directory that you may write") from None

    def _spawn(self, detached: bool) -> subprocess.Popen[bytes]:
        port = _free_port()
        mode = "detached" if detached else "attached"
        return subprocess.Popen(  # noqa: S603 - our own command line
            [
                *(sys.executable, "-I", str(Path(supervisor.__file__).absolute())),
                *(str(self.data_dir), str(port), mode),
                *self._java_command(port),
            ],
            stdin=subprocess.DEVNULL if detached else subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for us: the engine stops after we have finished with it
            env={name: os.environ[name] for name in ("PATH", "LANG", "TZ") if name in os.environ},
        )

    def _java_command(self, port: int) -> list[str]:
        wheel = _wheel()
        server = self.data_dir / "server"
        settings = {
            "server.mode": "production",
            "server.name": "inventory",
            "server.rootPath": server,
            "server.databaseDirectory": server / "databases",
            "server.rootPasswordPath": self.data_dir / "password",
            "server.defaultDatabases": f"{DATABASE}[]",
            "server.plugins": "Bolt:com.arcadedb.bolt.BoltProtocolPlugin",
            "bolt.host": "127.0.0.1",
            "bolt.port": port,
            "bolt.defaultDatabase": DATABASE,
            # The HTTP listener cannot be turned off: it gets any free port on loopback, and the same password.
            "server.httpIncomingHost": "127.0.0.1",
            "server.httpIncomingPort": 0,
            "serverMetrics": "false",
            "opencypher.loadCsv.allowFileUrls": "false",
            "opencypher.loadCsv.allowRemoteUrls": "false",
        }
        return [
            str(wheel / "jre" / "bin" / "java"),
            f"-Xmx{self.heap_mb}m",
            *("-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError", "-XX:-CreateCoredumpOnCrash"),
            *("--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"),
            "--add-opens=java.base/java.util.concurrent.atomic=ALL-UNNAMED",
            "--add-opens=java.base/java.nio.channels.spi=ALL-UNNAMED",
            "--add-opens=java.base/java.lang=ALL-UNNAMED",
            *("-Djava.awt.headless=true", "-Dfile.encoding=UTF8", "-Djava.net.preferIPv4Stack=true"),
            *("-Dpolyglot.engine.WarnInterpreterOnly=false", f"-Djava.io.tmpdir={server}"),
            f"-Djava.util.logging.config.file={self.data_dir / 'logging.properties'}",
            *(f"-Darcadedb.{name}={value}" for name, value in settings.items()),
            *("-cp", str(wheel / "jars" / "*"), "com.arcadedb.server.ArcadeDBServer"),
        ]

    def _settings(self, port: int) -> GraphSettings:
        password = (self.data_dir / "password").read_text(encoding="utf-8")
        return GraphSettings(
            uri=f"bolt://127.0.0.1:{port}", user="root", password=SecretStr(password), database=DATABASE
        )

    def _answer(self, status: EngineStatus) -> Literal["ours", "another", "none"]:
        """Who answers on the engine's port: ours when it takes our password and has our database."""
        speaks = _speaks_bolt(status.port)
        if not speaks:
            return "none" if speaks is None else "another"
        try:
            with Graph(self._settings(status.port), retry_seconds=0.0) as graph:
                graph.verify()
        except GraphError as error:
            return "another" if REFUSED in error.cause else "none"
        return "ours"

    def _unlocked(self) -> bool:
        try:
            with (self.data_dir / "lock").open("r+b") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return True

    def _unlocked_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not self._unlocked():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def _log_hint(self) -> str:
        return f"see {self.data_dir / 'engine.log'}"

    def _error(self, cause: str, remedy: str) -> GraphError:
        return GraphError(f"embedded graph in {self.data_dir}", cause, remedy)


@contextmanager
def engine_graph(data_dir: Path, heap_mb: int = 768) -> Generator[Graph]:
    """The graph of a data directory: by the engine that runs, or by one that lives as long as the context."""
    engine = EmbeddedEngine(data_dir, heap_mb)
    engine.up()
    try:
        with Graph(engine.settings, retry_seconds=LOCAL_RETRY_SECONDS) as graph:
            yield graph
    finally:
        if engine.attached:
            engine.down()


def _wheel() -> Path:
    spec = importlib.util.find_spec("arcadedb_embedded")
    if spec is None or not spec.submodule_search_locations:
        raise GraphError("embedded graph", "the engine is not installed", "pip install arcadedb-embedded")
    wheel = Path(spec.submodule_search_locations[0])
    if not os.access(wheel / "jre" / "bin" / "java", os.X_OK):
        raise GraphError("embedded graph", "the engine's Java cannot be run", "install arcadedb-embedded again")
    return wheel


def _write_private(path: Path, text: str, replace: bool = True) -> None:
    """Written whole under another name first; without `replace`, who comes second leaves the first one's."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    if replace:
        draft.replace(path)
        return
    with suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _speaks_bolt(port: int) -> bool | None:
    """Whether the handshake of Bolt is answered; None when nothing listens."""
    try:
        probe = socket.create_connection(("127.0.0.1", port), timeout=2.0)
    except OSError:
        return None
    with probe:
        try:
            probe.sendall(bytes.fromhex("6060b017 00000404 00000000 00000000 00000000"))
            return probe.recv(4) == bytes.fromhex("00000404")
        except OSError:
            return False


def _signal(pid: int, number: int) -> bool:
    try:
        os.kill(pid, number)
    except OSError:
        return False
    return True


def _close(process: subprocess.Popen[Any]) -> None:
    if process.stdin is not None:
        process.stdin.close()


def _end(process: subprocess.Popen[Any]) -> None:
    """Closing its standard input, or SIGTERM, asks the supervisor to stop; it takes Java with it."""
    _close(process)
    process.terminate()
    try:
        process.wait(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
