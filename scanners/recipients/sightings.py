"""From signs of outside organisations to what a scanner says of a dataset."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from inventory.model import DisclosureSeen, Observation, Provenance
from scanners.recipients.catalogue import Recipient

MOST_REASONS = 5


def disclosures(
    dataset: str, provenance: Provenance, signs: Iterable[tuple[Recipient, str, float]], said: set[str]
) -> Iterator[Observation]:
    """One `DisclosureSeen` an organisation, with the reasons of all its signs and the confidence of the surest.

    A sign is who, why in words, and how sure (0..1). Whoever is not in `said` is described first and added to it.
    """
    reasons: dict[str, dict[str, None]] = {}
    sure: dict[str, float] = {}
    described: dict[str, Recipient] = {}
    for recipient, reason, confidence in signs:
        key = recipient.processor
        described[key] = recipient
        reasons.setdefault(key, {})[reason] = None
        sure[key] = max(sure.get(key, 0.0), confidence)
    for key, recipient in sorted(described.items()):
        if key not in said:
            said.add(key)
            yield recipient.described
        yield DisclosureSeen(dataset, key, provenance, _joined(list(reasons[key])), sure[key])


def _joined(reasons: list[str]) -> str:
    more = len(reasons) - MOST_REASONS
    return "; ".join([*reasons[:MOST_REASONS], *([f"{more} more"] if more > 0 else [])])
