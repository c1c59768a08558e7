"""What obstore's errors mean. Their texts hold keys and addresses, and never come out."""

from __future__ import annotations

import pytest
from obstore.exceptions import (
    GenericError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)

from scanners.buckets.faults import is_busy, listing_error, reading_error

REFUSED = "CANARY: Server returned non-2xx status code: 403 Forbidden: <Error><Code>{}</Code></Error>"


@pytest.mark.parametrize(
    "error, code",
    [
        (PermissionDeniedError(REFUSED.format("ExpiredToken")), "credentials-expired"),
        (PermissionDeniedError(REFUSED.format("InvalidAccessKeyId")), "credentials-expired"),
        (
            PermissionDeniedError(REFUSED.format("AuthenticationFailed")),
            "credentials-expired",
        ),  # Azure
        (GenericError(REFUSED.format("TokenRefreshRequired")), "credentials-expired"),
        (UnauthenticatedError("CANARY status code: 401 Unauthorized"), "credentials-expired"),  # Google's
        (PermissionDeniedError(REFUSED.format("AccessDenied")), "no-permission"),
        (PermissionDeniedError(REFUSED.format("AuthorizationPermissionMismatch")), "no-permission"),
        (PermissionError("CANARY"), "no-permission"),
        (FileNotFoundError("CANARY"), "gone"),
        (PreconditionError("CANARY"), "gone"),
        (GenericError("CANARY status code: 503 Service Unavailable"), "busy"),
        (GenericError("CANARY status code: 429 Too Many Requests"), "busy"),
        (GenericError("CANARY status code: 500 Internal Server Error"), "unreadable"),
        (OSError("CANARY"), "unreadable"),
    ],
)
def test_reading(error: Exception, code: str):
    told = reading_error(error, "lake: a.csv")
    assert told.code == code
    assert is_busy(error) is (code == "busy")
    assert "CANARY" not in str(told)


@pytest.mark.parametrize(
    "error, code",
    [
        (PermissionDeniedError(REFUSED.format("ExpiredToken")), "credentials"),
        (PermissionDeniedError(REFUSED.format("AccessDenied")), "no-permission"),
        (GenericError("CANARY status code: 503 Service Unavailable"), "busy"),
        (GenericError("CANARY error sending request"), "unreachable"),
    ],
)
def test_listing(error: Exception, code: str):
    told = listing_error(error, "lake")
    assert told.code == code
    assert "CANARY" not in str(told)
