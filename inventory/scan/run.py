"""Running scanners: side by side, each source on its own, so that one that fails takes nothing from the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, as_completed
from dataclasses import dataclass
from typing import Generic, TypeVar

from inventory.errors import InventoryError, SourceError
from inventory.model import Finding, Observation, Severity
from inventory.scan.defects import defect
from inventory.scan.workers import Workers, fanned_out
from scanners.base import ScanContext, Scanner
from scanners.budget import Meter

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
    scanners: Sequence[Scanner],
    context: ScanContext,
    sink: Sink[Report],
    executor: Executor,
    workers: Workers | None = None,
) -> Iterator[SourceOutcome[Report]]:
    """Scan every source through `executor` and yield each outcome when it is there.

    The executor's threads feed the sink. They also read the sources, unless there are `workers` for that.
    """
    futures = [executor.submit(scan_source, scanner, context, sink, workers) for scanner in scanners]
    for future in as_completed(futures):
        yield future.result()


def scan_source(
    scanner: Scanner, context: ScanContext, sink: Sink[Report], workers: Workers | None = None
) -> SourceOutcome[Report]:
    """Scan one source into the sink."""
    findings: list[Finding] = []
    source = scanner.settings.name
    try:
        report = sink(source, observations(scanner, context, findings, workers))
    except InventoryError as error:
        return SourceOutcome(source, tuple(findings), None, error)
    return SourceOutcome(source, tuple(findings), report)


def observations(
    scanner: Scanner, context: ScanContext, findings: list[Finding], workers: Workers | None = None
) -> Iterator[Observation]:
    """What the scanner says; a failure of the whole source becomes a finding, and what was said before it stays."""
    said: set[Finding] = set()
    try:
        for observation in _said(scanner, context, workers):
            if isinstance(observation, Finding):
                if observation in said:
                    continue
                said.add(observation)
                findings.append(observation)
            yield observation
    except InventoryError as error:
        failure = error
    except Exception as error:  # noqa: BLE001 - a defect in one scanner must not take the others down
        failure = defect(scanner, error)
    else:
        return
    finding = Finding(scanner.system, failure.code or "source-failed", Severity.ERROR, str(failure))
    findings.append(finding)
    yield finding


def _said(scanner: Scanner, context: ScanContext, workers: Workers | None) -> Iterator[Observation]:
    refusal = Meter(scanner.settings.budget).refusal()
    if refusal:
        raise SourceError(scanner.settings.name, f"was not scanned: {refusal}", code="over-budget")
    return scanner.scan(context) if workers is None else fanned_out(scanner, context, workers)
