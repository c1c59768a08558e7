"""What a scan would read and what that would cost its sources, from their metadata alone."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import repeat

from inventory.errors import InventoryError
from inventory.scan.defects import defect
from scanners.base import Planned, PlanningScanner, ScanContext, Scanner


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """The plan for one source; `reason` says why there is none."""

    source: str
    datasets: tuple[Planned, ...] = ()
    reason: str = ""

    @property
    def unchanged(self) -> int:
        """How many datasets need not be read."""
        return sum(planned.unchanged for planned in self.datasets)

    @property
    def rows(self) -> int:
        """Most rows that would be read."""
        return sum(planned.rows for planned in self.datasets)

    @property
    def bytes(self) -> int:
        """An estimate of their bytes."""
        return sum(planned.bytes for planned in self.datasets)

    @property
    def queries(self) -> int:
        """How many queries, beside those of the catalog."""
        return sum(planned.queries for planned in self.datasets)


def plan_scans(scanners: Sequence[Scanner], context: ScanContext, executor: Executor) -> list[SourcePlan]:
    """A plan for every source, in their order."""
    return list(executor.map(plan_scan, scanners, repeat(context)))


def plan_scan(scanner: Scanner, context: ScanContext) -> SourcePlan:
    """The plan for one source."""
    source = scanner.settings.name
    if not isinstance(scanner, PlanningScanner):
        return SourcePlan(source, reason=f"{source}: scanners of type {_type(scanner)} cannot tell beforehand")
    try:
        return SourcePlan(source, tuple(scanner.plan(context)))
    except InventoryError as error:
        return SourcePlan(source, reason=str(error))
    except Exception as error:  # noqa: BLE001 - a defect in one scanner must not take the others down
        return SourcePlan(source, reason=str(defect(scanner, error)))


def _type(scanner: Scanner) -> str:
    return str(getattr(scanner.settings, "type", ""))
