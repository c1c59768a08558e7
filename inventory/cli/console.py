"""What the command line prints: answers to standard output, everything else to standard error."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from inventory.errors import InventoryError

if TYPE_CHECKING:
    from scanners.base import Progress, ProgressSink

PARTIAL = 3  # exit status: what could be done is done, what could not is named

#: Wide enough for the answers where no terminal says how wide it is (a pipe, a file).
out = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
err = Console(stderr=True, highlight=False)


def configure_logging(*, verbose: bool) -> None:
    """Structured lines on standard error; warnings and errors unless `verbose`."""
    import structlog

    level = logging.INFO if verbose else logging.WARNING
    logging.basicConfig(level=level, stream=sys.stderr, format="%(message)s")
    logging.getLogger("neo4j").setLevel(logging.ERROR if verbose else logging.CRITICAL)  # we say what it says
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(level),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(colors=err.is_terminal and not err.no_color)
            if err.is_terminal
            else structlog.processors.JSONRenderer(),
        ],
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # as it is when something is said
    )


def fail(error: InventoryError) -> int:
    """Say what went wrong in one line; the exit status."""
    err.print("error:", style="bold red", end=" ")
    err.print(str(error), markup=False, soft_wrap=True)
    return 1


def say(text: str, style: str = "") -> None:
    """One line about what is going on, to standard error."""
    err.print(text, style=style, markup=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """One JSON document, to standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")


@contextmanager
def progress(*, as_json: bool = False) -> Generator[ProgressSink]:
    """Bars where a person looks at a terminal, a JSON line a step otherwise (`as_json`), else nothing."""
    if as_json:
        yield _json_line
    elif err.is_terminal:
        with Bars(
            TextColumn("{task.description:<16}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[dataset]}", style="dim"),
            console=err,
        ) as bars:
            yield _bar(bars)
    else:
        yield lambda _: None


def _json_line(step: Progress) -> None:
    line = {"source": step.source, "done": step.done, "total": step.total, "dataset": step.dataset}
    sys.stderr.write(json.dumps(line, ensure_ascii=False) + "\n")


def _bar(bars: Bars) -> Callable[[Progress], None]:
    tasks: dict[str, Any] = {}

    def show(step: Progress) -> None:
        if step.source not in tasks:
            tasks[step.source] = bars.add_task(step.source, total=step.total, dataset="")
        bars.update(tasks[step.source], completed=step.done, total=step.total, dataset=step.dataset[-48:])

    return show
