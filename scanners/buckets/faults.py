"""What obstore's errors mean, without any text of theirs: it holds keys, addresses and the server's answers."""

from __future__ import annotations

import re

from obstore.exceptions import PermissionDeniedError, PreconditionError, UnauthenticatedError

from inventory.errors import SourceError, UnreadableError

#: Codes of what is no fault of the object's: the store is asked too much, the credentials have ended.
BUSY, EXPIRED = "busy", "credentials-expired"

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
#: What a store says of credentials that it took before and does not take any more (S3's and Azure's words).
_EXPIRED = (
    "ExpiredToken",
    "InvalidToken",
    "TokenRefreshRequired",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "AuthenticationFailed",
    "token request",
)
_STATUS = re.compile(r"status code: (\d{3})")
_BUSY = frozenset({"429", "503"})


def is_busy(error: Exception) -> bool:
    """Whether the store says that it is asked too much, or cannot answer for now."""
    return _status(error) in _BUSY


def listing_error(error: Exception, source: str) -> SourceError:
    """What a failed listing means for the whole source."""
    text = str(error)
    for sign, code, cause, remedy in _LISTING_ERRORS:
        if sign in text:
            return SourceError(source, cause, remedy, code)
    status = _status(error)
    if status == "404":
        return SourceError(source, "there is no such bucket", "check its name and the endpoint", "missing-bucket")
    if status in ("401", "403"):
        return SourceError(source, "listing is not permitted", "check the credentials", "no-permission")
    if status in _BUSY:
        return SourceError(source, "the store is too busy to be listed", "lower budget.queries_per_second", BUSY)
    if status:
        return SourceError(source, f"the endpoint answered with status {status}", "", "unreachable")
    if "HTTP error" in text or "error sending request" in text:
        return SourceError(source, "the endpoint cannot be reached", "check endpoint and network", "unreachable")
    return SourceError(source, "the endpoint does not answer as an object store", "check endpoint", "unreachable")


def reading_error(error: Exception, source: str) -> UnreadableError:
    """What a failed reading of an object that was listed means."""
    if isinstance(error, FileNotFoundError):
        return UnreadableError(source, "was deleted between listing and reading", "scan again", "gone")
    if isinstance(error, PreconditionError):
        return UnreadableError(source, "was replaced between listing and reading", "scan again", "gone")
    text, status = str(error), _status(error)
    if isinstance(error, UnauthenticatedError) or status == "401" or any(sign in text for sign in _EXPIRED):
        return UnreadableError(source, "the credentials have expired", "renew them and scan again", EXPIRED)
    if isinstance(error, PermissionDeniedError | PermissionError) or "Permission denied" in text:
        return UnreadableError(source, "reading is not permitted", "grant read permission", "no-permission")
    if status in _BUSY:
        return UnreadableError(source, "the store is too busy", "lower budget.queries_per_second and scan again", BUSY)
    answer = f"reading failed with status {status}" if status else "reading failed"
    return UnreadableError(source, answer, "scan again", "unreadable")


def _status(error: Exception) -> str:
    found = _STATUS.search(str(error))
    return found.group(1) if found else ""
