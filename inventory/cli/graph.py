"""`inventory graph up|down|status`: the embedded engine."""

from __future__ import annotations

import typer

from inventory.cli.console import out, print_json, say
from inventory.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption

app = typer.Typer(help="Start, stop and look at the embedded graph engine.", no_args_is_help=True)


@app.command()
def up(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Start the embedded engine in the background; other commands then use it instead of starting their own."""
    from inventory.cli import road

    state = road.engine(road.opened_config(config)).up(detached=True)
    say(f"graph: up at bolt://127.0.0.1:{state.port} (process {state.java})", style="green")


@app.command()
def down(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Stop the embedded engine."""
    from inventory.cli import road

    stopped = road.engine(road.opened_config(config)).down()
    say("graph: down" if stopped else "graph: was not up")


@app.command()
def status(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Say whether the embedded engine is up, and where. Exit status 1 when it is not."""
    from inventory.cli import road

    state = road.engine(road.opened_config(config)).status()
    if as_json:
        print_json({"up": state.running, "port": state.port, "process": state.java, "dataDir": str(state.data_dir)})
    elif state.running:
        out.print(f"up at bolt://127.0.0.1:{state.port} (process {state.java}), data in {state.data_dir}")
    else:
        out.print(f"down, data in {state.data_dir}")
    if not state.running:
        raise typer.Exit(1)
