"""A job's pieces put together: whatever their order, the same history, and from it the flows that hold.

What a job's last complete run (or its newest JobEvent) says are its flows: a run that failed proves none, and what the
last one no longer reads no longer flows. A job that never completes (streaming) flows while it runs. A run that names
neither inputs nor outputs says nothing of flows, and those of the run before it stand.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self, cast

from inventory.lineage.openlineage.events import MOST_PAIRS, RunState
from inventory.lineage.openlineage.pieces import Piece, Ways, keep_most
from inventory.model import FlowSeen, Provenance, Transformation

MOST_OPEN = 16  # runs of a job that prove no flow so far and are remembered
MOST_BEFORE = 3  # older runs, of which more may be heard: a run may complete twice


@dataclass(slots=True)
class Told:
    """What one run (or a JobEvent, a DatasetEvent) has told so far. Times are "" until then."""

    at: str = ""  # its newest event
    complete: str = ""
    running: str = ""
    failed: str = ""
    inputs: set[str] = field(default_factory=set[str])
    outputs: set[str] = field(default_factory=set[str])
    fields: Ways = field(default_factory=Ways)
    datasets: Ways = field(default_factory=Ways)
    described: set[str] = field(default_factory=set[str])

    def take(self, piece: Piece) -> None:
        """Take an event of the same run in; one that was taken before changes nothing."""
        self.at = max(self.at, piece.at)
        match piece.state:
            case RunState.COMPLETE:
                self.complete = max(self.complete, piece.at)
            case RunState.RUNNING:
                self.running = max(self.running, piece.at)
            case RunState.FAIL | RunState.ABORT:
                self.failed = max(self.failed, piece.at)
            case _:
                pass
        inputs, outputs = self.inputs | set(piece.inputs or ()), self.outputs | set(piece.outputs or ())
        if len(inputs) * len(outputs) > MOST_PAIRS:  # each piece has fewer: the newest stands
            inputs, outputs = set(piece.inputs or ()), set(piece.outputs or ())
        self.inputs, self.outputs = inputs, outputs
        self.described |= piece.described
        for mine, others in ((self.fields, piece.fields), (self.datasets, piece.datasets)):
            for pair, way in others.items():
                keep_most(mine, pair, way)

    def proven(self, *, endless: bool) -> str:
        """Since when its flows are proven; "" when they are not."""
        if not (self.inputs or self.outputs):
            return ""
        return max(self.running, self.complete) if endless else self.complete if self.complete > self.failed else ""

    def ways(self) -> Iterator[tuple[str, str, Transformation]]:
        """Between datasets, then between fields.

        Of several outputs, one that has column lineage is made of what that names; a single output is made of
        every input.
        """
        pairs = dict(self.datasets)
        for output in self.outputs:
            if output not in self.described or len(self.outputs) == 1:
                for source in self.inputs:
                    pairs.setdefault((source, output), Transformation.UNKNOWN)
        for ways in (pairs, self.fields):
            yield from ((source, target, ways[source, target]) for source, target in sorted(ways) if source != target)


@dataclass(slots=True)
class History:
    """All that is remembered of one job. `about` keeps of each property when it was said."""

    runs: dict[str, Told] = field(default_factory=dict[str, Told])
    about: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    also: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    endless: bool = False

    def take(self, piece: Piece) -> None:
        """Take an event in."""
        for name, value in piece.about.items():
            self.about[name] = max((piece.at, value), self.about.get(name, ("", "")))
        for dataset, others in piece.also.items():
            self.also[dataset] = tuple(sorted({*self.also.get(dataset, ()), *others}))
        if piece.endless is not None:
            self.endless = self.endless or piece.endless
        if piece.run:
            self.runs.setdefault(piece.run, Told()).take(piece)
        else:
            self._restate(piece)
        self._forget()

    def _restate(self, piece: Piece) -> None:
        """A JobEvent or a DatasetEvent says all at once, and is complete as it is."""
        if piece.inputs is None and piece.outputs is None:
            return
        before = self.runs.get("")
        if before is None or before.at <= piece.at:
            told = Told() if before is None or before.at < piece.at else before
            told.take(piece)
            told.complete = piece.at
            self.runs[""] = told

    def last(self) -> Told | None:
        """The run whose flows hold."""
        proven = [(told.proven(endless=self.endless), run) for run, told in self.runs.items()]
        since, run = max(proven, default=("", ""))
        return self.runs[run] if since else None

    def _forget(self) -> None:
        """Keep the run whose flows hold, the newest that prove none so far, and a few that were the last before."""
        last = self.last()
        kept: set[str] = set()
        for proven, most in ((False, MOST_OPEN), (True, MOST_BEFORE)):
            others = [
                (told.at, run)
                for run, told in self.runs.items()
                if told is not last and bool(told.proven(endless=self.endless)) is proven
            ]
            kept |= {run for _, run in sorted(others)[-most:]}
        self.runs = {run: told for run, told in self.runs.items() if told is last or run in kept}

    def flows(self, job: str, known: Mapping[str, str]) -> Iterator[FlowSeen]:
        """The flows that hold. `known` gives the name by which the inventory knows a dataset of another name."""
        told = self.last()
        for source, target, way in told.ways() if told else ():
            ends = _renamed(source, known), _renamed(target, known)
            if ends[0] != ends[1]:
                yield FlowSeen(*ends, Provenance.OPENLINEAGE, way, job)

    # --- as it is kept ------------------------------------------------------------------------------------

    def text(self) -> str:
        """As JSON."""
        runs = {run: _plain(told) for run, told in self.runs.items()}
        said = {"runs": runs, "about": self.about, "also": self.also, "endless": self.endless}
        return json.dumps(said, ensure_ascii=False, separators=(",", ":"), sort_keys=True)

    @classmethod
    def of_text(cls, text: str) -> Self:
        """What `text` gave; "" is a job that nothing was heard of."""
        said = cast("dict[str, Any]", json.loads(text or "{}"))
        return cls(
            runs={run: _told(told) for run, told in said.get("runs", {}).items()},
            about={name: (at, value) for name, (at, value) in said.get("about", {}).items()},
            also={dataset: tuple(others) for dataset, others in said.get("also", {}).items()},
            endless=said.get("endless", False),
        )


def _renamed(urn: str, known: Mapping[str, str]) -> str:
    dataset, hash_, column = urn.partition("#")
    return f"{known.get(dataset, dataset)}{hash_}{column}"


def _plain(told: Told) -> dict[str, Any]:
    return {
        "at": told.at,
        "complete": told.complete,
        "running": told.running,
        "failed": told.failed,
        "inputs": sorted(told.inputs),
        "outputs": sorted(told.outputs),
        "described": sorted(told.described),
        "fields": [[*pair, str(way)] for pair, way in sorted(told.fields.items())],
        "datasets": [[*pair, str(way)] for pair, way in sorted(told.datasets.items())],
    }


def _told(said: Mapping[str, Any]) -> Told:
    def ways(rows: list[list[str]]) -> Ways:
        return {(source, target): Transformation(way) for source, target, way in rows}

    return Told(
        said["at"],
        said["complete"],
        said["running"],
        said["failed"],
        set(said["inputs"]),
        set(said["outputs"]),
        ways(said["fields"]),
        ways(said["datasets"]),
        set(said["described"]),
    )
