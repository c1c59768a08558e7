"""The embedded engine's life: one a directory, private, and never left behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from inventory.errors import GraphError
from inventory.graph.connection import Graph, GraphSettings
from inventory.graph.engine import EmbeddedEngine, engine_graph

PARENT = """
import sys
from pathlib import Path
from inventory.graph.engine import EmbeddedEngine
engine = EmbeddedEngine(Path(sys.argv[1]), heap_mb=256)
status = engine.up(detached=sys.argv[2] == "detached")
print(status.supervisor, status.java, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def data_dir(tmp_path):
    directory = tmp_path / "graph"
    yield directory
    EmbeddedEngine(directory).down()


@pytest.fixture
def parent(data_dir):
    """Another process that has brought the engine up: `parent(mode)` gives it, the supervisor's and Java's id."""
    started = []

    def start(mode):
        process = subprocess.Popen(
            [sys.executable, "-c", PARENT, str(data_dir), mode], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        started.append(process)
        assert process.stdout is not None
        supervisor, java = (int(number) for number in process.stdout.readline().split())
        return process, supervisor, java

    yield start
    for process in started:
        process.kill()
        process.communicate()


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition, seconds=40.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def listening(pid: int) -> set[str]:
    """The addresses that a process listens on."""
    sockets = {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                found.add(fields[1].split(":")[0])
    return found


def test_it_is_private_and_on_loopback_only(data_dir):
    with engine_graph(data_dir, heap_mb=256) as graph:
        status = EmbeddedEngine(data_dir).status()
        assert status.running
        assert not status.detached
        assert listening(status.java) == {"0100007F"}
        command = Path(f"/proc/{status.java}/cmdline").read_bytes()
        assert graph.settings.password.get_secret_value().encode() not in command
        environment = Path(f"/proc/{status.java}/environ").read_bytes()
        assert b"PYTEST_CURRENT_TEST" not in environment
        wrong = graph.settings.model_copy(update={"password": type(graph.settings.password)("wrong")})
        with Graph(wrong) as stranger, pytest.raises(GraphError, match="refused the password"):
            stranger.verify()
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700
    open_to_others = [path for path in data_dir.rglob("*") if path.is_file() and path.stat().st_mode & 0o077]
    assert open_to_others == []
    assert not EmbeddedEngine(data_dir).status().running
    assert not alive(status.java)
    assert not alive(status.supervisor)


def test_what_was_written_is_there_after_a_restart(data_dir):
    with engine_graph(data_dir, heap_mb=256) as graph:
        graph.write("CREATE (:Note {text: $text})", text="kept")
    with engine_graph(data_dir, heap_mb=256) as graph:
        assert graph.read("MATCH (n:Note) RETURN n.text AS text") == [{"text": "kept"}]


def test_values_of_failed_statements_are_in_no_error_and_no_log(data_dir):
    canary = "canary.b7f3@example.org"
    with engine_graph(data_dir, heap_mb=256) as graph:
        graph.write("CREATE CONSTRAINT u IF NOT EXISTS FOR (n:U) REQUIRE n.key IS UNIQUE")
        graph.write("CREATE (:U {key: $key})", key="taken")
        texts = []
        for statement in (
            "MATCH (u:U) CREATE (:U {key: u.key, canary: $value})",
            "RETURN date($value)",
            "RETURN $value / 0",
            "RETURN 'canary.b7f3@example.org' +",
            "CALL nothing.of.this.name($value)",
        ):
            with pytest.raises(GraphError) as caught:
                graph.write(statement, value=canary)
            texts.append(str(caught.value))
    assert not [text for text in texts if canary in text]
    logs = [data_dir / "engine.log", *(data_dir / "server").glob("*log*/*")]
    assert logs[0].stat().st_size > 0
    assert not [log for log in logs if canary in log.read_text(errors="replace")]


def test_a_second_process_uses_the_engine_that_runs(data_dir, parent):
    _, supervisor, java = parent("attached")
    with engine_graph(data_dir) as graph:
        graph.verify()
        status = EmbeddedEngine(data_dir).status()
        assert (status.supervisor, status.java) == (supervisor, java)
    assert alive(java)  # it is the other's


def test_two_that_start_at_once_share_one(data_dir, parent, tmp_path):
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PARENT, str(data_dir), "detached"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(2)
    ]
    lines = {process.communicate(b"")[0] for process in processes}
    assert len(lines) == 1
    assert lines != {b""}


@pytest.mark.parametrize("victim", ["parent", "supervisor", "java"])
def test_nothing_is_left_behind_when_one_is_killed(data_dir, parent, victim):
    process, supervisor, java = parent("attached")
    os.kill({"parent": process.pid, "supervisor": supervisor, "java": java}[victim], signal.SIGKILL)
    wait_until(lambda: not alive(java) and not alive(supervisor))
    assert not EmbeddedEngine(data_dir).status().running
    with engine_graph(data_dir, heap_mb=256) as graph:  # and the next one starts
        graph.verify()


def test_it_ends_in_good_order_when_the_parent_ends(data_dir, parent):
    process, supervisor, java = parent("attached")
    process.communicate(b"")
    wait_until(lambda: not alive(java) and not alive(supervisor))
    assert "ArcadeDB Server is down" in (data_dir / "engine.log").read_text()


def test_detached_it_outlives_who_started_it_until_down(data_dir, parent):
    process, supervisor, java = parent("detached")
    process.kill()
    process.wait()
    engine = EmbeddedEngine(data_dir)
    status = engine.status()
    assert (status.running, status.detached, status.java) == (True, True, java)
    assert engine.up().java == java
    assert engine.down()
    assert not alive(java)
    assert not alive(supervisor)
    assert not engine.down()


def test_a_state_file_left_by_a_crash_is_not_believed(data_dir):
    data_dir.mkdir(mode=0o700)
    (data_dir / "lock").touch()
    state = {"supervisor": os.getpid(), "java": os.getpid(), "port": 1, "mode": "detached"}
    (data_dir / "engine.json").write_text(json.dumps(state))
    assert not EmbeddedEngine(data_dir).status().running


def test_a_port_that_somebody_took_is_tried_again(data_dir, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ports = [taken.getsockname()[1]]
        free_port = sys.modules[EmbeddedEngine.__module__]._free_port
        monkeypatch.setattr(EmbeddedEngine.__module__ + "._free_port", lambda: ports.pop() if ports else free_port())
        with engine_graph(data_dir, heap_mb=256) as graph:
            graph.verify()
            assert str(taken.getsockname()[1]) not in graph.settings.uri


def test_a_directory_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(GraphError, match="file/graph"):
        EmbeddedEngine(tmp_path / "file" / "graph").up()


def test_a_graph_that_is_not_there_is_named_within_seconds():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        uri = f"bolt://127.0.0.1:{free.getsockname()[1]}"
    with Graph(GraphSettings(uri=uri), retry_seconds=0.5) as graph, pytest.raises(GraphError, match="not reachable"):
        graph.verify()
