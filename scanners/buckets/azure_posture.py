"""What an Azure container says of itself to whoever may read its blobs.

Lifecycle rules, and whether an account keeps versions, are told by Azure's management API alone, which wants other
rights than reading. Whether blobs do have versions shows in a listing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree

import httpx

from scanners.buckets.posture import Posture

_VERSION = "2021-08-06"


@dataclass(frozen=True, slots=True)
class AzureAccess:
    """Where a container is and by what it is asked: an account's key, a signature (SAS), or neither."""

    address: str  # of the account, its path included
    account: str
    container: str
    timeout_seconds: float
    account_key: str = ""
    sas_token: str = ""

    def ask(self, path: str, question: Mapping[str, str]) -> httpx.Response | None:
        """The answer, None when there is none, or when it is not granted."""
        parts = {**dict(parse_qsl(self.sas_token.removeprefix("?"))), **question}
        try:
            headers = self._headers(path, parts)
            answer = httpx.get(self.address + path, params=parts, headers=headers, timeout=self.timeout_seconds)
        except (httpx.HTTPError, binascii.Error):
            return None
        return answer if answer.is_success else None

    def _headers(self, path: str, question: Mapping[str, str]) -> dict[str, str]:
        """What signs a request with the account's key (learn.microsoft.com, "Authorize with Shared Key")."""
        sent = {"x-ms-date": format_datetime(datetime.now(UTC), usegmt=True), "x-ms-version": _VERSION}
        if not self.account_key:
            return sent
        named = "".join(f"{name}:{value}\n" for name, value in sent.items())
        asked = "".join(f"\n{name}:{value}" for name, value in sorted(question.items()))
        resource = f"/{self.account}{urlsplit(self.address + path).path}{asked}"
        text = "\n".join(["GET", *[""] * 11, named + resource])
        digest = hmac.new(base64.b64decode(self.account_key), text.encode(), hashlib.sha256).digest()
        return {**sent, "Authorization": f"SharedKey {self.account}:{base64.b64encode(digest).decode()}"}


def look(posture: Posture, access: AzureAccess) -> None:
    """Ask for each setting; what is not told is `unknown`."""
    container = access.ask(f"/{access.container}", {"restype": "container"})
    _public_access(posture, access, container)
    if container is None:
        posture.unknown.append("object lock")
    else:
        locks = {"an immutability policy": "x-ms-has-immutability-policy", "a legal hold": "x-ms-has-legal-hold"}
        there = [what for what, header in locks.items() if container.headers.get(header) == "true"]
        evidence = (
            f"the container has {' and '.join(there)}" if there else "it has no immutability policy or legal hold"
        )
        posture.state("object_lock", bool(there), evidence)
    service = _tree(access.ask("/", {"restype": "service", "comp": "properties"}))
    _versioning(posture, access, service)
    if service is not None and service.findtext("Logging/Read") == "true":
        posture.state("access_logging", True, "storage analytics log every reading")
    else:
        posture.unknown.append("logging of access (a diagnostic setting, which Azure's management API tells)")
    posture.unknown.append("lifecycle rules (which Azure's management API tells)")


def _public_access(posture: Posture, access: AzureAccess, container: httpx.Response | None) -> None:
    """By the container's own setting; else by whether a listing without signing in is answered."""
    if container is not None and (access.account_key or access.sas_token):
        level = container.headers.get("x-ms-blob-public-access", "")
        evidence = f"its public access level is {level}" if level else "it has no public access level"
        posture.open_to_all(bool(level), "list and read" if level == "container" else "read", evidence)
        return
    question = {"restype": "container", "comp": "list", "maxresults": "1"}
    try:
        answer = httpx.get(f"{access.address}/{access.container}", params=question, timeout=access.timeout_seconds)
    except httpx.HTTPError:
        posture.unknown.append("public access")
        return
    how = "answered" if answer.is_success else "refused"
    posture.open_to_all(answer.is_success, "list and read", f"a listing without signing in was {how}")


def _versioning(posture: Posture, access: AzureAccess, service: ElementTree.Element | None) -> None:
    """By the first blob of a listing with versions; what soft delete keeps is said beside it."""
    question = {"restype": "container", "comp": "list", "maxresults": "1", "include": "versions"}
    listing = _tree(access.ask(f"/{access.container}", question))
    blob = None if listing is None else listing.find("Blobs/Blob")
    if service is None:
        kept = ""
    elif service.findtext("DeleteRetentionPolicy/Enabled") == "true":
        kept = f"; deleted blobs are kept for {service.findtext('DeleteRetentionPolicy/Days')} days"
    else:
        kept = "; deleted blobs are not kept"
    if blob is None:
        posture.unknown.append("versioning")
    else:
        versioned = blob.find("VersionId") is not None
        evidence = "the first blob listed has a version" if versioned else "the first blob listed has no version"
        posture.state("versioning", versioned, evidence + kept)
        if blob.findtext("Properties/ServerEncrypted") == "true":
            posture.state("encryption_at_rest", True, "the first blob listed is encrypted by the server")


def _tree(answer: httpx.Response | None) -> ElementTree.Element | None:
    if answer is None:
        return None
    try:
        return ElementTree.fromstring(answer.content)  # noqa: S314 (expat refuses entities that multiply)
    except ElementTree.ParseError:
        return None
