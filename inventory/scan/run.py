"""Running scanners: side by side, each source on its own, so that one that fails takes nothing from the others."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import structlog

from inventory.errors import InventoryError
from inventory.model import Finding, Observation, Severity
from scanners.base import ScanContext, Scanner

log = structlog.get_logger(__name__)

Report = TypeVar("Report")

#: Takes in what a scan of the named source says, as it says it, and reports what became of it.
Sink = Callable[[str, Iterable[Observation]], Report]


@dataclass(frozen=True, slots=True)
class SourceOutcome(Generic[Report]):
    """How the scan of one source went: what the sink reports, or the error that kept it from loading."""

    source: str
    findings: tuple[Finding, ...]
    report: Report | None
    error: InventoryError | None = None

    @property
    def complete(self) -> bool:
        """Nothing was left out: no error, and no finding that took away from the answer."""
        return self.error is None and all(f.severity is Severity.INFO for f in self.findings)


def run_scans(
    scanners: Sequence[Scanner], context: ScanContext, sink: Sink[Report], executor: Executor
) -> Iterator[SourceOutcome[Report]]:
    """Scan every source through `executor` and yield each outcome when it is there."""
    futures = [executor.submit(scan_source, scanner, context, sink) for scanner in scanners]
    for future in as_completed(futures):
        yield future.result()


def scan_source(scanner: Scanner, context: ScanContext, sink: Sink[Report]) -> SourceOutcome[Report]:
    """Scan one source into the sink."""
    findings: list[Finding] = []
    source = scanner.settings.name
    try:
        report = sink(source, observations(scanner, context, findings))
    except InventoryError as error:
        return SourceOutcome(source, tuple(findings), None, error)
    return SourceOutcome(source, tuple(findings), report)


def observations(scanner: Scanner, context: ScanContext, findings: list[Finding]) -> Iterator[Observation]:
    """What the scanner says; a failure of the whole source becomes a finding, and what was said before it stays."""
    try:
        for observation in scanner.scan(context):
            if isinstance(observation, Finding):
                findings.append(observation)
            yield observation
    except InventoryError as error:
        finding = Finding(scanner.system, error.code or "source-failed", Severity.ERROR, str(error))
    except Exception as error:  # noqa: BLE001 - a defect in one scanner must not take the others down
        # The text of an unforeseen error may hold a value of the data: only its type and place are told.
        log.error("scanner failed", source=scanner.settings.name, error=type(error).__name__, at=_place(error))
        message = f"{scanner.settings.name}: the scanner failed with {type(error).__name__} (please report it)"
        finding = Finding(scanner.system, "scanner-defect", Severity.ERROR, message)
    else:
        return
    findings.append(finding)
    yield finding


def _place(error: Exception) -> str:
    """Where it was raised: the innermost lines of code, without any value."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames))
