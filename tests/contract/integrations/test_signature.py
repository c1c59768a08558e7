"""Amazon's signature, against the library that Amazon gives out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast
from urllib.parse import quote

import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

from scanners.integrations.signature import Key, signed_headers

NOW = datetime(2026, 11, 25, 0, 30, 15, tzinfo=UTC)
NAMES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x2FF), min_size=1, max_size=8)


def by_amazon(key: Key, method: str, address: str, body: bytes) -> str:
    request = AWSRequest(method, address, data=body)
    request.context["timestamp"] = f"{NOW:%Y%m%dT%H%M%SZ}"
    request.headers["X-Amz-Date"] = request.context["timestamp"]
    if key.session_token:
        request.headers["X-Amz-Security-Token"] = key.session_token
    secret = Credentials(key.access_key_id, key.secret_access_key, key.session_token or None)
    signer = SigV4Auth(secret, key.service, key.region)
    text = signer.string_to_sign(request, signer.canonical_request(request))
    return cast(str, signer.signature(text, request))


def ours(key: Key, method: str, address: str, body: bytes) -> str:
    return signed_headers(key, method, address, body, NOW)["Authorization"].rpartition("Signature=")[2]


@pytest.mark.parametrize("session", ["", "session/token=="])
@pytest.mark.parametrize("host", ["https://email.ca-central-1.amazonaws.com", "http://127.0.0.1:4566", "https://x:443"])
def test_the_signature_is_amazons(host: str, session: str):
    key = Key("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "ses", "ca-central-1", session)
    for address, body in ((f"{host}/v2/email/identities?PageSize=10&NextToken=a%2Fb%3D", b""), (host, b'{"n": 1}')):
        assert ours(key, "POST", address, body) == by_amazon(key, "POST", address, body)


@given(
    segments=st.lists(NAMES, max_size=3),
    query=st.dictionaries(
        NAMES, st.text(st.characters(min_codepoint=0x20, max_codepoint=0x2FF), max_size=8), max_size=4
    ),
)
@settings(max_examples=60, deadline=None)
def test_names_of_all_kinds_are_encoded_as_amazon_does(segments: list[str], query: dict[str, str]):
    key = Key("AKIDEXAMPLE", "secret", "ses", "us-east-1")
    path = "/".join(quote(segment, safe="") for segment in segments)
    address = str(httpx.Request("GET", f"https://email.us-east-1.amazonaws.com/{path}", params=query).url).replace(
        "+", "%20"
    )
    assert ours(key, "GET", address, b"") == by_amazon(key, "GET", address, b"")
