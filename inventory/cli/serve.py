"""`inventory serve`: the GraphQL service."""

from __future__ import annotations

from typing import Annotated

import typer

from inventory.cli.options import DEFAULT_CONFIG, ConfigOption


def serve(
    config: ConfigOption = DEFAULT_CONFIG,
    host: Annotated[str | None, typer.Option(help="Address to listen on, instead of the configured one.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on, instead of the configured one.")] = None,
) -> None:
    """Serve GraphQL, and GraphiQL for browsers, and print a link that signs one browser in, once.

    [bold]Examples[/bold]

      inventory serve

      inventory serve --port 0
    """
    from inventory.cli import road

    settings = road.opened_config(config)
    chosen = {key: value for key, value in (("host", host), ("port", port)) if value is not None}
    with road.opened_graph(settings) as graph:
        road.serve_graph(graph, settings, settings.serve.model_copy(update=chosen))
