"""Objects of a bucket, listed and read through obstore; its errors become ours, without any text of theirs.

obstore's messages hold keys, addresses and the server's answers, so only their kind is passed on.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager

import obstore
from obstore.exceptions import (
    BaseError,
    InvalidPathError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import ObjectStore

from inventory.errors import InventoryError, SourceError, UnreadableError
from scanners.buckets.grouping import ObjectRef

#: Keys in one page of S3's listing.
PAGE = 1000

_LISTING_ERRORS = (
    ("/latest/api/token", "credentials", "no credentials were found", "give access_key_id and secret_access_key"),
    ("NoSuchBucket", "missing-bucket", "there is no such bucket", "check its name and the endpoint"),
    ("InvalidBucketName", "missing-bucket", "the bucket's name is not valid", "check its name"),
    ("InvalidAccessKeyId", "credentials", "the access key is not known there", "check access_key_id"),
    ("SignatureDoesNotMatch", "credentials", "the secret key is wrong", "check secret_access_key"),
    ("ExpiredToken", "credentials", "the session token has expired", "renew the credentials"),
    ("InvalidToken", "credentials", "the session token is not valid", "renew the credentials"),
    ("AccessDenied", "no-permission", "listing is not permitted", "grant s3:ListBucket"),
    ("ContainerNotFound", "missing-bucket", "there is no such container", "check its name and the account"),
    ("AuthenticationFailed", "credentials", "the account key or the signature is wrong", "check the credentials"),
    ("AuthorizationFailure", "credentials", "the account key or the signature is wrong", "check the credentials"),
    ("token request", "credentials", "no credentials were found", "give a service account's key"),
    ("PermanentRedirect", "wrong-region", "the bucket is in another region", "check region_name"),
    ("AuthorizationHeaderMalformed", "wrong-region", "the bucket is in another region", "check region_name"),
)
_STATUS = re.compile(r"status code: (\d{3})")


def list_objects(store: ObjectStore, prefix: str, source: str) -> Iterator[ObjectRef | UnreadableError]:
    """Every object below `prefix`, streamed; SourceError when the listing fails.

    Keys that no path can be made of (`a//b`, `a/../b`) make obstore's listing stop; it then goes on folder by
    folder, and each folder that cannot be listed is one UnreadableError among the objects.
    """
    try:
        yield from _list(store, prefix, "", source)
    except (BaseError, OSError, ValueError) as error:
        raise listing_error(error, source) from None


def _list(store: ObjectStore, prefix: str, after: str, source: str) -> Iterator[ObjectRef | UnreadableError]:
    """Objects in the order of their keys, without those up to `after`, which were listed before."""
    try:
        for page in _pages(store, prefix):
            for meta in page:
                if meta["path"] > after:
                    after = meta["path"]
                    yield _ref(meta)
        return
    except InvalidPathError:
        pass
    try:
        here: obstore.ListResult[Sequence[obstore.ObjectMeta]] = obstore.list_with_delimiter(store, prefix or None)  # pyright: ignore[reportUnknownMemberType]
    except InvalidPathError:
        cause = "a folder holds keys with an empty or dotted part and cannot be listed"
        yield UnreadableError(source, cause, "rename these objects", "unlistable-keys")
        return
    for meta in here["objects"]:
        if meta["path"] > after:
            yield _ref(meta)
    for folder in here["common_prefixes"]:
        yield from _list(store, folder, after, source)


def _pages(store: ObjectStore, prefix: str) -> Iterable[Sequence[obstore.ObjectMeta]]:
    return obstore.list(store, prefix or None, chunk_size=PAGE)  # pyright: ignore[reportUnknownMemberType]


def _ref(meta: obstore.ObjectMeta) -> ObjectRef:
    return ObjectRef(meta["path"], meta["size"], meta["last_modified"].timestamp(), meta["e_tag"], meta["version"])


def listing_error(error: Exception, source: str) -> SourceError:
    """What a failed listing means for the whole source."""
    text = str(error)
    for sign, code, cause, remedy in _LISTING_ERRORS:
        if sign in text:
            return SourceError(source, cause, remedy, code)
    status = _STATUS.search(text)
    if status is not None and status.group(1) == "404":
        return SourceError(source, "there is no such bucket", "check its name and the endpoint", "missing-bucket")
    if status is not None and status.group(1) in ("401", "403"):
        return SourceError(source, "listing is not permitted", "check the credentials", "no-permission")
    if status is not None:
        return SourceError(source, f"the endpoint answered with status {status.group(1)}", "", "unreachable")
    if "HTTP error" in text or "error sending request" in text:
        return SourceError(source, "the endpoint cannot be reached", "check endpoint and network", "unreachable")
    return SourceError(source, "the endpoint does not answer as an object store", "check endpoint", "unreachable")


def read_range(store: ObjectStore, ref: ObjectRef, start: int, end: int, source: str) -> bytes:
    """Bytes `start` to `end` (exclusive) of the object as it was listed; fewer at its end."""
    end = min(end, ref.size)
    if start >= end:
        return b""
    with _reading(source):
        options: obstore.GetOptions = {"range": (start, end)}
        if ref.etag:
            options["if_match"] = ref.etag
        return bytes(obstore.get(store, ref.key, options=options).bytes())


@contextmanager
def _reading(source: str) -> Generator[None]:
    try:
        yield
    except (BaseError, OSError, ValueError) as error:
        raise _reading_error(error, source) from None


def _reading_error(error: Exception, source: str) -> InventoryError:
    if isinstance(error, FileNotFoundError):
        return UnreadableError(source, "was deleted between listing and reading", "scan again", "gone")
    if isinstance(error, PreconditionError):
        return UnreadableError(source, "was replaced between listing and reading", "scan again", "gone")
    if isinstance(error, PermissionDeniedError | UnauthenticatedError | PermissionError):
        return UnreadableError(source, "reading is not permitted", "grant read permission", "no-permission")
    text = str(error)
    if "Permission denied" in text:
        return UnreadableError(source, "reading is not permitted", "grant read permission", "no-permission")
    status = _STATUS.search(text)
    answer = f"reading failed with status {status.group(1)}" if status else "reading failed"
    return UnreadableError(source, answer, "scan again", "unreadable")
