"""`inventory serve`: the GraphQL service."""

from __future__ import annotations

from typing import Annotated

import typer

from inventory.api.app import create_app, create_sign_in_link
from inventory.api.app import serve as run
from inventory.api.settings import ApiSettings
from inventory.cli.console import out, say
from inventory.cli.opening import ConfigOption, opened_config, opened_graph
from inventory.graph.catalogue import Catalogue
from inventory.graph.connection import Graph
from inventory.scan.config import DEFAULT_PATH, ServeSection


def serve(
    config: ConfigOption = DEFAULT_PATH,
    host: Annotated[str | None, typer.Option(help="Address to listen on, instead of the configured one.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on, instead of the configured one.")] = None,
) -> None:
    """Serve GraphQL, and GraphiQL for browsers, and print a link that signs one browser in, once.

    [bold]Examples[/bold]

      inventory serve
      inventory serve --port 0
    """
    settings = opened_config(config)
    chosen = {key: value for key, value in (("host", host), ("port", port)) if value is not None}
    with opened_graph(settings) as graph:
        serve_graph(graph, settings.serve.model_copy(update=chosen))


def serve_graph(graph: Graph, section: ServeSection) -> None:
    """Serve until interrupted."""
    app = create_app(Catalogue(graph), api_settings(section))

    def ready(address: str) -> None:
        out.print(f"GraphQL at {address}/graphql", soft_wrap=True)
        out.print(f"Sign in, once, at {create_sign_in_link(app, address)}", soft_wrap=True)
        say("Press Ctrl-C to stop", style="dim")

    run(app, ready=ready)


def api_settings(section: ServeSection) -> ApiSettings:
    """The service's settings, as the configuration has them."""
    tokens = () if section.token is None else (section.token.reveal(),)
    return ApiSettings(
        host=section.host, port=section.port, hosts=section.allowed_hosts, https=section.https, tokens=tokens
    )
