"""Members of an archive, grouped as the objects of a bucket are: a few of each group are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from inventory.errors import UnreadableError
from scanners.base import Sampling, stable_seed
from scanners.buckets.content import Content
from scanners.buckets.formats import tables_of
from scanners.buckets.formats.interface import Table
from scanners.buckets.formats.labelled import MOST_TABLES
from scanners.buckets.grouping import Grouping, ObjectRef


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive; `chunks` is its content. `cut` says that its end lies beyond what was read."""

    name: str
    size: int
    chunks: Iterator[bytes]
    cut: bool = False


def tables_of_members(content: Content, members: Sequence[Member], sampling: Sampling) -> Iterator[Table]:
    """The tables of a few members of each group, named by the group and by what they are called in the member.

    A single file is packed for its size: its tables keep the names that they have without the archive.
    """
    grouping = Grouping(sampling.objects, stable_seed(str(sampling.seed)), most=MOST_TABLES)
    by_key: dict[str, Member] = {}
    for place, member in enumerate(members):
        if member.name not in by_key:
            by_key[member.name] = member
            grouping.add(ObjectRef(member.name, member.size, float(place)))
    alone = len(by_key) == 1
    for name, group in grouping.groups().items():
        chosen = group.sample()
        share = sampling.model_copy(update={"rows": -(-sampling.rows // max(len(chosen), 1))})
        for ref in chosen:
            yield from _tables(content, by_key[ref.key], "" if alone else name, share)


def _tables(content: Content, member: Member, group: str, sampling: Sampling) -> Iterator[Table]:
    try:
        for table in tables_of(content.member(member.name, member.chunks, cut=member.cut), sampling):
            yield replace(table, name="/".join(part for part in (group, table.name) if part))
    except UnreadableError as error:
        yield Table((), _failing(error), group)


def _failing(error: UnreadableError) -> Iterator[pa.RecordBatch]:
    """No rows, and the reason why: the other members are read."""
    raise error
    yield
