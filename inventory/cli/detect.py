"""`inventory detect FILE` and `inventory detect lint RULES`: detection on its own, without any server."""

from __future__ import annotations

from typing import Annotated

import typer


def detect(words: Annotated[list[str] | None, typer.Argument(metavar="FILE | lint RULES…")] = None) -> None:
    """Say what personal data a file holds, with the evidence; or check your own detectors (lint).

    The words are handed on to a command line of its own, which is only imported now: `inventory detect --help`.
    """
    from scanners.detection.command import app

    given = words or ["--help"]
    known = {"file", "lint", "--help", "-h"}
    app(given if given[0] in known else ["file", *given], prog_name="inventory detect")
