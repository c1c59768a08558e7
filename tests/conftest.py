"""Fixtures that more than one room of tests uses. Heavy imports stay inside the fixtures."""

from __future__ import annotations

import re

import pytest

FIGURES = pytest.StashKey[list[str]]()


@pytest.fixture(autouse=True)
def _logging_as_before():
    """The command line configures how everything is logged, with what standard error is at that moment."""
    import structlog

    yield
    structlog.reset_defaults()


@pytest.fixture
def figure(request):
    """Notes a measured figure (precision, recall, …); all are printed at the end of the run."""
    return request.config.stash.setdefault(FIGURES, []).append


def pytest_terminal_summary(terminalreporter, config):
    """Print the figures that tests noted."""
    for line in config.stash.get(FIGURES, []):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def small_detection():
    """A detector that knows e-mail addresses only, for tests that are not about detection."""
    import pyarrow as pa

    from inventory.model import Evidence, Profile
    from scanners.detection.interface import FieldVerdict, TableContext, Verdict

    address = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")

    class Table:
        def __init__(self, context: TableContext) -> None:
            self.context = context
            self.values: dict[str, list[str]] = {column.name: [] for column in context.columns}
            self.rows = 0

        def feed(self, batch: pa.RecordBatch) -> bool:
            self.rows += batch.num_rows
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                self.values.setdefault(name, []).extend(str(v) for v in column.to_pylist() if v is not None)
            return True

        def verdicts(self):
            types = {column.name: column.type for column in self.context.columns}
            for name, values in self.values.items():
                hits = sum(1 for value in values if address.search(value))
                evidence = (Evidence("value:email", f"{hits} of {len(values)} sampled values", 4.0),)
                found = (Verdict("user.contact.email", 0.9, evidence),) if hits else ()
                null_share = 1 - len(values) / self.rows if self.rows else 0.0
                profile = Profile(len(values), null_share, len(set(values)) / max(len(values), 1))
                yield FieldVerdict(name, "", types.get(name, ""), profile, found)

    class SmallDetection:
        version = "small/1"

        def table(self, context: TableContext) -> Table:
            return Table(context)

        def redact(self, text: str) -> str:
            return address.sub("‹email›", text)

    return SmallDetection()


# --- graphs -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def embedded_engine(tmp_path_factory):
    """A running embedded engine of this test session."""
    from inventory.graph.engine import EmbeddedEngine

    engine = EmbeddedEngine(tmp_path_factory.mktemp("embedded") / "graph", heap_mb=512)
    engine.up()
    yield engine
    engine.down()


@pytest.fixture(scope="session")
def neo4j_settings(tmp_path_factory):
    """How to reach a real Neo4j of this test session; skips by name where it cannot run, and fails in CI."""
    import importlib.util
    import os
    from pathlib import Path

    from pydantic import SecretStr

    from inventory.graph.connection import GraphSettings

    path = Path(__file__).parent / "fleet" / "neo4j" / "server.py"
    spec = importlib.util.spec_from_file_location("neo4j_fleet", path)
    assert spec is not None
    assert spec.loader is not None
    fleet = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fleet)
    try:
        fleet.jars()
    except fleet.ToolchainMissing as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    with fleet.neo4j_server(tmp_path_factory.mktemp("neo4j")) as (address, password):
        yield GraphSettings(uri=address, password=SecretStr(password))


@pytest.fixture(scope="session")
def _embedded_connection(embedded_engine):
    from inventory.graph.connection import Graph

    with Graph(embedded_engine.settings) as graph:
        yield graph


@pytest.fixture(scope="session")
def _neo4j_connection(neo4j_settings):
    from inventory.graph.connection import Graph

    with Graph(neo4j_settings) as graph:
        yield graph


@pytest.fixture
def embedded_graph(_embedded_connection):
    """An empty graph in the embedded engine, with its constraints."""
    return _emptied(_embedded_connection)


@pytest.fixture
def neo4j_graph(_neo4j_connection):
    """An empty graph in a real Neo4j, with its constraints."""
    return _emptied(_neo4j_connection)


@pytest.fixture(params=["embedded", pytest.param("neo4j", marks=pytest.mark.neo4j)])
def graph(request):
    """An empty graph, in both engines one after the other."""
    return request.getfixturevalue(f"{request.param}_graph")


def _emptied(graph):
    from inventory.graph.schema import migrate

    while graph.write("MATCH (n) WITH n LIMIT 5000 DETACH DELETE n RETURN count(*) AS gone")[0]["gone"]:
        pass
    migrate(graph)
    return graph


# --- stores of the fleet ----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def fleet_stores():
    """The module that starts real servers of record stores (tests/fleet/stores.py)."""
    import importlib.util
    from pathlib import Path

    spec = importlib.util.spec_from_file_location("fleet_stores", Path(__file__).parent / "fleet" / "stores.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def running_store(fleet_stores, tmp_path_factory):
    """Starts a server of the fleet for the test session; skips by name where it cannot run, and fails in CI."""
    import os
    from contextlib import ExitStack

    with ExitStack() as stack:

        def start(name: str, *arguments):
            try:
                return stack.enter_context(getattr(fleet_stores, name)(tmp_path_factory.mktemp(name), *arguments))
            except fleet_stores.ToolchainMissing as missing:
                if os.environ.get("CI") == "true":
                    pytest.fail(str(missing))
                pytest.skip(str(missing))

        yield start


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A server's certificate for 127.0.0.1 (tests/fleet/certificates.py): PEM files of it and of its authority."""
    import importlib.util
    import sys
    from pathlib import Path

    path = Path(__file__).parent / "fleet" / "certificates.py"
    spec = importlib.util.spec_from_file_location("fleet_certificates", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module.certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="session")
def divided():
    """What a divisible scanner says when its chunks have travelled as they do to a worker."""
    import pickle

    from scanners.base import Chunk

    def said(scanner, context):
        found = []
        for each in scanner.outline(context):
            if isinstance(each, Chunk):
                worker, chunk = pickle.loads(pickle.dumps((scanner, each)))
                found += worker.read(context, chunk, scanner.settings.budget).observations
            else:
                found.append(each)
        return found

    return said
