"""What reading a group of objects would take, from the listing alone."""

from __future__ import annotations

from math import ceil

from scanners.base import Planned, Sampling
from scanners.buckets.content import CHUNK, HEAD
from scanners.buckets.grouping import ObjectRef, split_suffix
from scanners.buckets.reading import GroupSample, share

#: Of a record, where it is not known how long records are.
_ROW_BYTES = 500
#: Suffixes of what is read row by row; other formats are read as a whole.
_BY_ROWS = frozenset(
    "csv tsv tab psv jsonl ndjson log txt sql avro parquet pq orc arrow arrows feather".split()  # noqa: SIM905
)


def planned(group: GroupSample, sampling: Sampling, *, unchanged: bool) -> Planned:
    """Most rows, and an estimate of bytes and range reads: text is read as far as its rows go, the rest as a whole."""
    if unchanged:
        return Planned(group.name, 0, 0, 0, unchanged=True)
    each = share(sampling, len(group.objects))
    sizes = [_bytes_of(ref, each) for ref in group.objects]
    requests = sum(1 + ceil(max(size - HEAD, 0) / CHUNK) for size in sizes)
    return Planned(group.name, sampling.rows if sizes else 0, sum(sizes), requests)


def _bytes_of(ref: ObjectRef, sampling: Sampling) -> int:
    most = min(ref.size, sampling.bytes)
    if _BY_ROWS.isdisjoint(split_suffix(ref.key.rsplit("/", 1)[-1])[1].lower().split(".")):
        return most
    chunks = ceil(max(sampling.rows * _ROW_BYTES - HEAD, 0) / CHUNK)
    return min(most, HEAD + chunks * CHUNK)
