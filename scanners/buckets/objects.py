"""Objects of a bucket, listed and read through obstore."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager

import obstore
from obstore.exceptions import BaseError, InvalidPathError

from inventory.errors import UnreadableError
from scanners.buckets.faults import EXPIRED, is_busy, listing_error, reading_error
from scanners.buckets.grouping import ObjectRef
from scanners.buckets.metered import ATTEMPTS, MeteredStore

#: Keys in one page of S3's listing.
PAGE = 1000


def list_objects(metered: MeteredStore, prefix: str, source: str) -> Iterator[ObjectRef | UnreadableError]:
    """Every object below `prefix`, streamed; SourceError when the listing fails.

    Keys that no path can be made of (`a//b`, `a/../b`) make obstore's listing stop; it then goes on folder by
    folder, and each folder that cannot be listed is one UnreadableError among the objects.
    """
    try:
        yield from _list(metered, prefix, "", source)
    except (BaseError, OSError, ValueError) as error:
        raise listing_error(error, source) from None


def _list(metered: MeteredStore, prefix: str, after: str, source: str) -> Iterator[ObjectRef | UnreadableError]:
    """Objects, without those up to `after`, which were listed before (stores list by keys, when they must go on)."""
    last = after
    try:
        for page in _pages(metered, prefix):
            for meta in page:
                if meta["path"] > after or not after:
                    last = meta["path"]
                    yield _ref(meta)
        return
    except InvalidPathError:
        after = last
    try:
        here = metered.ask(lambda: obstore.list_with_delimiter(metered.store, prefix or None))  # pyright: ignore[reportUnknownMemberType]
    except InvalidPathError:
        cause = "a folder holds keys with an empty or dotted part and cannot be listed"
        yield UnreadableError(source, cause, "rename these objects", "unlistable-keys")
        return
    for meta in here["objects"]:
        if meta["path"] > after:
            yield _ref(meta)
    for folder in here["common_prefixes"]:
        yield from _list(metered, folder, after, source)


def _pages(metered: MeteredStore, prefix: str) -> Iterator[Sequence[obstore.ObjectMeta]]:
    """The listing, gone on with behind its last key when the store was too busy for the next page."""
    after: str | None = None
    for attempt in range(1, ATTEMPTS + 1):
        stream = obstore.list(metered.store, prefix or None, offset=after, chunk_size=PAGE)  # pyright: ignore[reportUnknownMemberType]
        pages: Iterator[Sequence[obstore.ObjectMeta]] = iter(stream)
        try:
            while page := metered.ask_once(lambda pages=pages: next(pages, None)):
                if page[-1]["path"] == after:
                    raise ValueError("the same page again, and again")
                after = page[-1]["path"]
                yield page
        except (BaseError, OSError) as error:
            if not is_busy(error) or attempt == ATTEMPTS:
                raise
        else:
            return


def _ref(meta: obstore.ObjectMeta) -> ObjectRef:
    return ObjectRef(meta["path"], meta["size"], meta["last_modified"].timestamp(), meta["e_tag"], meta["version"])


def read_range(metered: MeteredStore, ref: ObjectRef, start: int, end: int, source: str) -> bytes:
    """Bytes `start` to `end` (exclusive) of the object as it was listed; fewer at its end. Raises UnreadableError."""
    end = min(end, ref.size)
    if start >= end:
        return b""
    options: obstore.GetOptions = {"range": (start, end)}
    if ref.etag:
        options["if_match"] = ref.etag
    with _reading(metered, source):
        data = metered.ask(lambda: _first(obstore.get(metered.store, ref.key, options=options), end - start))
        metered.count(0, len(data))
        return data


def _first(answer: obstore.GetResult, size: int) -> bytes:
    """So many bytes of it: a broken store may send more than it was asked for, without an end."""
    data = bytearray()
    for chunk in answer.stream():
        data += chunk[: size - len(data)]
        if len(data) >= size:
            break
    return bytes(data)


@contextmanager
def _reading(metered: MeteredStore, source: str) -> Generator[None]:
    try:
        yield
    except (BaseError, OSError, ValueError) as error:
        failure = reading_error(error, source)
    else:
        return
    if failure.code == EXPIRED:
        metered.expired = failure
    raise failure
