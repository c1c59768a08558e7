"""Opening what the commands work on: the configuration and the graph it names."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from inventory.graph.connection import Graph, GraphSettings
from inventory.graph.engine import engine_graph
from inventory.graph.schema import migrate
from inventory.scan.config import DEFAULT_PATH, Config, load_config

ConfigOption = Annotated[
    Path,
    typer.Option("--config", "-c", envvar="INVENTORY_CONFIG", help="The configuration file.", show_default=True),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]


def opened_config(path: Path) -> Config:
    """The configuration; without a file at the default place, the defaults."""
    if path == DEFAULT_PATH and not path.exists():
        return Config()
    return load_config(path)


@contextmanager
def opened_graph(config: Config) -> Generator[Graph]:
    """The graph that the configuration names, with its constraints in place: a Neo4j, or the embedded engine."""
    if config.graph.uri:
        assert config.graph.password is not None  # the configuration was refused otherwise
        settings = GraphSettings(
            uri=config.graph.uri,
            user=config.graph.user,
            password=config.graph.password.reveal(),
            database=config.graph.database,
        )
        with Graph(settings) as graph:
            migrate(graph)
            yield graph
    else:
        with engine_graph(config.data_dir / "graph") as graph:
            migrate(graph)
            yield graph
