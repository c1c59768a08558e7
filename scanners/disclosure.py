"""What a source's configuration says of who else holds its data."""

from __future__ import annotations

from collections.abc import Iterator

from inventory.model import DisclosureSeen, Provenance
from scanners.base import SourceSettings


def configured_disclosure(settings: SourceSettings, dataset: str) -> Iterator[DisclosureSeen]:
    """The dataset is at the organisation that runs its source, when that is not ourselves."""
    if settings.processor:
        evidence = f"the configuration says that {settings.processor} runs the source {settings.name}"
        yield DisclosureSeen(dataset, settings.processor, Provenance.CONFIG, evidence)
