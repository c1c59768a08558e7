"""The whole road by the command line: an estate, its configuration, and `inventory` as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from seed.estate import Estate

INVENTORY = Path(sys.executable).with_name("inventory")
ROWS = 150


@dataclass(frozen=True)
class Command:
    """`inventory` with one configuration."""

    config: Path

    def run(
        self, *words: str, status: int | None = 0, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run it to its end; `status` is the exit status it must have (None: any)."""
        done = subprocess.run(
            [INVENTORY, *words],
            capture_output=True,
            text=True,
            timeout=240,
            env={**os.environ, "INVENTORY_CONFIG": str(self.config), "NO_COLOR": "1", **(env or {})},
        )
        assert status is None or done.returncode == status, done.stdout + done.stderr
        return done

    def json(self, *words: str, status: int | None = 0) -> Any:
        """Its answer as JSON."""
        return json.loads(self.run(*words, "--json", status=status).stdout)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start it and come back."""
        return subprocess.Popen(
            [INVENTORY, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "INVENTORY_CONFIG": str(self.config), "NO_COLOR": "1"},
        )


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Callable[..., Command]]:
    """Makes a configuration of these keys in a directory of its own, with its engine up."""
    made: list[Command] = []

    def make(*, up: bool = True, **content: Any) -> Command:
        folder = tmp_path / f"config-{len(made)}"
        folder.mkdir()
        config = folder / "inventory.yaml"
        config.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
        made.append(Command(config))
        if up:
            made[-1].run("graph", "up")
        return made[-1]

    yield make
    for each in made:
        each.run("graph", "down", status=None)


@pytest.fixture(scope="session")
def road_estate() -> Iterator[Estate]:
    """A running estate that no test changes."""
    from seed.estate import Estate

    with tempfile.TemporaryDirectory(prefix="road-") as folder:
        Path(folder).chmod(0o711)
        with Estate(Path(folder, "estate"), rows=ROWS) as estate:
            yield estate
        estate.remove()


@pytest.fixture(scope="session")
def scanned(road_estate: Estate) -> Iterator[tuple[Command, Any]]:
    """The estate, declared and scanned once by the command line: the command, and what `scan --json` said."""
    with tempfile.TemporaryDirectory(prefix="road-graph-") as folder:
        config = Path(folder, "inventory.yaml")
        config.write_text(yaml.safe_dump({"sources": road_estate.sources(), "flows": road_estate.flows()}))
        command = Command(config)
        command.run("graph", "up")
        command.run("load")
        yield command, command.json("scan")
        command.run("graph", "down")


@pytest.fixture
def graph_of() -> Iterator[Callable[[Command], Any]]:
    """The catalogue of a command's running embedded engine."""
    from inventory.graph.catalogue import Catalogue
    from inventory.graph.connection import Graph
    from inventory.graph.engine import EmbeddedEngine

    opened: list[Graph] = []

    def open_catalogue(command: Command) -> Catalogue:
        opened.append(Graph(EmbeddedEngine(command.config.parent / ".inventory" / "graph").settings))
        return Catalogue(opened[-1])

    yield open_catalogue
    for graph in opened:
        graph.close()
