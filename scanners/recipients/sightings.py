"""From signs of outside organisations to what a scanner says of a dataset."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from inventory.model import Aspect, DisclosureSeen, Observation, Provenance
from scanners.recipients.catalogue import Recipient

MOST_REASONS = 5


@dataclass(frozen=True, slots=True)
class Sign:
    """An organisation, what names it in words, and how sure that makes us that it receives data (0..1)."""

    recipient: Recipient
    evidence: str
    confidence: float


def disclosures(
    source: str,
    provenance: Provenance,
    signs: Iterable[Sign],
    said: set[str],
    aspect: Aspect = Aspect.STRUCTURE,
) -> Iterator[Observation]:
    """One `DisclosureSeen` an organisation, with the reasons of all its signs and the confidence of the surest.

    `source` is a dataset or a field, `aspect` where in it the signs are. Whoever is not in `said` is described first
    and added to it.
    """
    of: dict[str, list[Sign]] = {}
    for sign in signs:
        of.setdefault(sign.recipient.processor, []).append(sign)
    for key, found in sorted(of.items()):
        if key not in said:
            said.add(key)
            yield found[0].recipient.described
        reasons = list(dict.fromkeys(sign.evidence for sign in found))
        sure = max(sign.confidence for sign in found)
        yield DisclosureSeen(source, key, provenance, _joined(reasons), sure, aspect)


def _joined(reasons: list[str]) -> str:
    more = len(reasons) - MOST_REASONS
    return "; ".join([*reasons[:MOST_REASONS], *([f"{more} more"] if more > 0 else [])])
