"""Files of events: NDJSON, one event a line, as the client's file transport writes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from inventory.errors import QuestionError, UnreadableError
from inventory.lineage.openlineage.events import Event, read_event
from inventory.lineage.openlineage.loading import Loaded
from inventory.model import Finding, Severity

LINES_AT_ONCE = 2000
BYTES_AT_ONCE = 32 * 2**20
LONGEST_LINE = 64 * 2**20  # bytes


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file gave: events that are in the graph, and a finding for each line that is none."""

    events: int
    news: int
    findings: tuple[Finding, ...]


def import_events(path: Path, load: Callable[[Sequence[Event]], Loaded]) -> Imported:
    """Load a file's events, some thousands at a time. Raises UnreadableError, GraphError."""
    findings: list[Finding] = []
    events = news = 0
    for lines in _portions(_lines(path)):
        some: list[Event] = []
        for number, line in lines:
            origin = f"{path.name}, line {number}"
            try:
                if len(line) > LONGEST_LINE:
                    raise QuestionError(origin, f"is longer than {LONGEST_LINE >> 20} MiB")
                some.append(read_event(line, origin))
            except QuestionError as error:
                findings.append(Finding(f"file:{path.name}", "openlineage-line", Severity.ERROR, str(error)))
        loaded = load(some)
        events += loaded.events
        news += loaded.news
    return Imported(events, news, tuple(findings))


def _portions(lines: Iterator[tuple[int, bytes]]) -> Iterator[list[tuple[int, bytes]]]:
    portion: list[tuple[int, bytes]] = []
    size = 0
    for number, line in lines:
        portion.append((number, line))
        size += len(line)
        if len(portion) >= LINES_AT_ONCE or size >= BYTES_AT_ONCE:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, with their numbers; of a longer line than the longest, its beginning."""
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(LONGEST_LINE + 1):
                number += 1
                whole = line
                while whole and not whole.endswith(b"\n") and len(whole) > LONGEST_LINE:
                    whole = file.readline(LONGEST_LINE + 1)
                if line.strip():
                    yield number, line
    except OSError as error:
        raise UnreadableError(str(path), error.strerror or "cannot be read") from error
