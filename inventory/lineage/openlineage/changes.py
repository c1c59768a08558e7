"""What OpenLineage says is done to data, in the inventory's words and back.

From the column-lineage facet 1-1-0 on a change has a type (DIRECT: the data itself goes on; INDIRECT: it only decides,
in a join, a filter, a sort), a subtype and whether it masks. Before, a field had one `transformationType`. Spark says
of hash functions that they mask, and does not say which; a description that names one tells them apart here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from inventory.lineage.openlineage.events import Change, InputField, OutputField
from inventory.model import Transformation

#: From what tells most of the data to what tells least.
_TELLING = (
    Transformation.COPIED,
    Transformation.TRANSFORMED,
    Transformation.UNKNOWN,
    Transformation.HASHED,
    Transformation.MASKED,
    Transformation.AGGREGATED,
)
_HASH = re.compile(r"hash|md5|sha-?\d|hmac|crc32|blake", re.IGNORECASE)

_SAID: dict[Transformation, dict[str, object]] = {
    Transformation.COPIED: {"type": "DIRECT", "subtype": "IDENTITY", "masking": False},
    Transformation.TRANSFORMED: {"type": "DIRECT", "subtype": "TRANSFORMATION", "masking": False},
    Transformation.HASHED: {"type": "DIRECT", "subtype": "TRANSFORMATION", "description": "hash", "masking": True},
    Transformation.MASKED: {"type": "DIRECT", "subtype": "TRANSFORMATION", "masking": True},
    Transformation.AGGREGATED: {"type": "DIRECT", "subtype": "AGGREGATION", "masking": False},
}


def most_telling(transformations: Iterable[Transformation]) -> Transformation:
    """Of several ways from one place to another, the one that tells most of the data."""
    return min(transformations, key=_TELLING.index)


def transformation_of(source: InputField, target: OutputField) -> Transformation | None:
    """What happens to the data of `source` in `target`; None when none of it goes there."""
    if source.transformations:
        direct = [_direct(change) for change in source.transformations if change.type.upper() != "INDIRECT"]
        return most_telling(direct) if direct else None
    return {"IDENTITY": Transformation.COPIED, "MASKED": _masked(target.transformationDescription)}.get(
        (target.transformationType or "").upper(), Transformation.UNKNOWN
    )


def _direct(change: Change) -> Transformation:
    subtype = (change.subtype or "").upper()
    if subtype == "AGGREGATION":
        return Transformation.AGGREGATED
    if change.masking:
        return _masked(change.description)
    return {"IDENTITY": Transformation.COPIED, "TRANSFORMATION": Transformation.TRANSFORMED}.get(
        subtype, Transformation.UNKNOWN
    )


def _masked(description: str | None) -> Transformation:
    return Transformation.HASHED if _HASH.search(description or "") else Transformation.MASKED


def changes_of(transformation: Transformation) -> Sequence[dict[str, object]]:
    """As the facet has it; nothing for what is not known."""
    said = _SAID.get(transformation)
    return [said] if said else []
