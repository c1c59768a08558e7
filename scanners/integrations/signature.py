"""Amazon's signature of a request, version 4.

After "Create a signed AWS API request" (docs.aws.amazon.com/IAM, reference_sigv-create-signed-request).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote, unquote, urlsplit


@dataclass(frozen=True, slots=True)
class Key:
    """What signs, and for which service and region."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    service: str
    region: str
    session_token: str = field(default="", repr=False)


def signed_headers(key: Key, method: str, address: str, body: bytes, now: datetime) -> Mapping[str, str]:
    """The headers to add to the request; `now` is in UTC. A space in the address is `%20`, as Amazon reads it."""
    parts = urlsplit(address)
    time = now.strftime("%Y%m%dT%H%M%SZ")
    scope = f"{time[:8]}/{key.region}/{key.service}/aws4_request"
    headers = {"host": _host(parts.scheme, parts.netloc), "x-amz-date": time}
    if key.session_token:
        headers["x-amz-security-token"] = key.session_token
    names = ";".join(sorted(headers))
    listed = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    payload = hashlib.sha256(body).hexdigest()
    canonical = "\n".join((method, _path(parts.path), _query(parts.query), listed, names, payload))
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    signature = _hmac(_signing_key(key, time[:8]), "\n".join(("AWS4-HMAC-SHA256", time, scope, digest))).hex()
    credential = f"Credential={key.access_key_id}/{scope}"
    del headers["host"]
    return headers | {"Authorization": f"AWS4-HMAC-SHA256 {credential}, SignedHeaders={names}, Signature={signature}"}


def _host(scheme: str, netloc: str) -> str:
    return netloc.removesuffix(":443" if scheme == "https" else ":80").lower()


def _path(path: str) -> str:
    """Each segment is encoded twice: as it is in the request, and once more."""
    return quote(path or "/", safe="/-_.~")


def _query(query: str) -> str:
    pairs = (part.partition("=") for part in query.split("&") if part)
    encoded = ((_encoded(name), _encoded(value)) for name, _, value in pairs)
    return "&".join(f"{name}={value}" for name, value in sorted(encoded))


def _encoded(text: str) -> str:
    return quote(unquote(text), safe="-_.~")


def _signing_key(key: Key, day: str) -> bytes:
    signing = f"AWS4{key.secret_access_key}".encode()
    for part in (day, key.region, key.service, "aws4_request"):
        signing = _hmac(signing, part)
    return signing


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
