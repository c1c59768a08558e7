"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_CONFIG = Path("inventory.yaml")

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", envvar="INVENTORY_CONFIG", help="The configuration file.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
