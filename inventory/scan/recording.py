"""Recordings: a scan's observations as JSON Lines, for a scanner that runs where the graph cannot be reached.

The first line is `{"kind": "Recording", "source": …, "started_at": …}`; each further line is one observation with its
class name as `kind`. A recording holds what a scan says, so no value of the data. It is complete only with its last
line, `{"kind": "End"}`: one that was cut off loads as far as it goes and says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO, get_args

from pydantic import TypeAdapter, ValidationError

from inventory.errors import UnreadableError
from inventory.model import Finding, Observation, Severity

_ADAPTERS: dict[str, TypeAdapter[Observation]] = {kind.__name__: TypeAdapter(kind) for kind in get_args(Observation)}


@dataclass(frozen=True, slots=True)
class Recording:
    """What a recording says of itself, and the file it is in."""

    source: str
    started_at: datetime
    path: Path


def record(file: TextIO, source: str, started_at: datetime, observations: Iterable[Observation]) -> int:
    """Write a recording; returns how many observations it holds."""
    count = 0
    file.write(json.dumps({"kind": "Recording", "source": source, "started_at": started_at.isoformat()}) + "\n")
    for observation in observations:
        line = {"kind": type(observation).__name__, **asdict(observation)}
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
        count += 1
    file.write(json.dumps({"kind": "End"}) + "\n")
    return count


def record_to(path: Path, source: str, started_at: datetime, observations: Iterable[Observation]) -> int:
    """`record` into a new file; UnreadableError when it cannot be written (what is in it by then is cut off)."""
    try:
        with path.open("w", encoding="utf-8") as file:
            return record(file, source, started_at, observations)
    except OSError as error:
        cause = (error.strerror or "cannot be written").lower()
        raise UnreadableError(str(path), f"the recording was given up: {cause}", "make room and scan again") from error


def open_recording(path: Path) -> Recording:
    """Read the first line; UnreadableError when the file is not a recording."""
    try:
        with path.open(encoding="utf-8") as file:
            head: Any = json.loads(file.readline())
        return Recording(str(head["source"]), datetime.fromisoformat(head["started_at"]), path)
    except OSError as error:
        raise UnreadableError(str(path), error.strerror or "cannot be read") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableError(str(path), "is not a recording of a scan", "make one: inventory scan --output") from error


def replay(recording: Recording) -> Iterator[Observation]:
    """Its observations, one by one; a line that cannot be read, or a missing end, becomes a finding."""
    about = f"recording:{recording.source}"
    with recording.path.open(encoding="utf-8", errors="replace") as file:
        next(file)
        for number, line in enumerate(file, start=2):
            try:
                content: dict[str, Any] = json.loads(line)
                kind = str(content.pop("kind"))
                if kind == "End":
                    return
                yield _ADAPTERS[kind].validate_python(content)
            except (ValueError, KeyError, TypeError, AttributeError, ValidationError):
                message = f"{recording.path.name}, line {number}: is no observation; it was left out"
                yield Finding(about, "recording-line", Severity.ERROR, message)
    message = f"{recording.path.name}: was cut off; what stands after the cut is not loaded (record it again)"
    yield Finding(about, "recording-cut-off", Severity.ERROR, message)
