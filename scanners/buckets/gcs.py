"""Google Cloud Storage."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module
from typing import Any, ClassVar, Literal, cast

import httpx
from obstore.exceptions import BaseError
from obstore.store import GCSStore, ObjectStore
from pydantic import Field

from scanners.base import Secret, SourceSettings
from scanners.buckets.posture import Expiry, Posture
from scanners.buckets.remote import RemoteScanner, RemoteSettings

_ADDRESS = "https://storage.googleapis.com"
_SCOPE = "https://www.googleapis.com/auth/devstorage.read_only"
_DAY = 86_400  # seconds
_EVERYONE = frozenset({"allUsers", "allAuthenticatedUsers"})


class GcsSettings(RemoteSettings):
    """A bucket of Google Cloud Storage, or the part of it below some prefixes."""

    type: Literal["gcs"]
    bucket: str = Field(min_length=3, max_length=222, pattern=r"^[a-z0-9][a-z0-9._-]+$")
    service_account_key: Secret | None = Field(
        default=None, description="The key file's JSON. By default the machine's own Google credentials."
    )


class GcsScanner(RemoteScanner):
    """Scans a bucket of Google Cloud Storage."""

    settings_type: ClassVar[type[SourceSettings]] = GcsSettings
    engine = "gcs"

    def __init__(self, settings: SourceSettings) -> None:
        super().__init__(settings)
        self._gcs = cast(GcsSettings, settings)

    @property
    def system(self) -> str:
        """`gs://bucket`, after OpenLineage."""
        return self._gcs.namespace or f"gs://{self._gcs.bucket}"

    @property
    def title(self) -> str:
        """The bucket's name."""
        return self._gcs.bucket

    def open(self) -> ObjectStore:
        """A client; nothing is sent yet."""
        gcs = self._gcs
        options: dict[str, Any] = {
            **gcs.revealed("service_account_key"),
            **({"base_url": gcs.endpoint} if gcs.endpoint else {}),
            **({"skip_signature": True} if gcs.anonymous else {}),
        }
        try:
            return GCSStore(gcs.bucket, **options, client_options=gcs.client_options, retry_config=gcs.retry_config)
        except (BaseError, ValueError):
            raise self.no_client() from None

    def posture(self) -> Posture:
        """TLS, and what the bucket's settings and its access policy say."""
        posture = super().posture()
        if not self._gcs.endpoint:
            posture.state("encryption_at_rest", True, "Google encrypts every object at rest")
        headers = self._headers()
        settings = None if headers is None else self._asked("", headers)
        if settings is None:
            posture.unknown.append("its settings")
        else:
            enabled = bool(settings.get("versioning", {}).get("enabled"))
            posture.state("versioning", enabled, "versioning is on" if enabled else "versioning is off")
            logged = "logging" in settings
            posture.state("access_logging", logged, "usage logs are on" if logged else "usage logs are off")
            posture.state("object_lock", *object_lock(settings))
            posture.expiries.extend(expiries(settings))
        policy = None if headers is None else self._asked("/iam", headers)
        if policy is None:
            posture.unknown.append("its access policy")
        else:
            prevented = (settings or {}).get("iamConfiguration", {}).get("publicAccessPrevention") == "enforced"
            role = next((b["role"] for b in policy.get("bindings", ()) if _EVERYONE & set(b.get("members", ()))), "")
            evidence = "its policy lets everyone in" if role else "its policy does not let everyone in"
            posture.open_to_all(
                bool(role) and not prevented, role, "public access is prevented" if prevented else evidence
            )
        return posture

    def _asked(self, what: str, headers: Mapping[str, str]) -> dict[str, Any] | None:
        """The answer to one question about the bucket, None when it is not granted."""
        gcs = self._gcs
        address = f"{gcs.endpoint.rstrip('/') or _ADDRESS}/storage/v1/b/{gcs.bucket}{what}"
        try:
            answer = httpx.get(address, headers=headers, timeout=gcs.timeout_seconds)
            told: object = answer.json() if answer.is_success else None
        except (httpx.HTTPError, ValueError):
            return None
        return cast("dict[str, Any]", told) if isinstance(told, dict) else None

    def _headers(self) -> dict[str, str] | None:
        """What signs a request; None without Google's own library for that, or without credentials."""
        if self._gcs.anonymous:
            return {}
        try:
            auth = import_module("google.auth")
            transport = import_module("google.auth.transport.requests")
            key = self._gcs.revealed("service_account_key").get("service_account_key")
            credentials: Any = (
                auth.load_credentials_from_dict(json.loads(key), scopes=[_SCOPE])[0]
                if key
                else auth.default(scopes=[_SCOPE])[0]
            )
            credentials.refresh(transport.Request())
        except Exception:  # noqa: BLE001 (of many kinds, and none keeps the bucket from being read)
            return None
        return {"Authorization": f"Bearer {credentials.token}"}


def object_lock(settings: Mapping[str, Any]) -> tuple[bool, str]:
    """Whether objects cannot be deleted or overwritten for some time, and what says so.

    A retention policy holds for every object of the bucket, and for good once it is locked; the objects' own retention
    is set one by one.
    """
    policy: dict[str, Any] = settings.get("retentionPolicy", {})
    if policy.get("retentionPeriod"):
        days = int(policy["retentionPeriod"]) / _DAY
        locked = "locked" if policy.get("isLocked") else "not locked itself"
        return True, f"a retention policy keeps every object for {days:g} days ({locked})"
    if settings.get("objectRetention", {}).get("mode") == "Enabled":
        return True, "objects can be locked one by one"
    return False, "there is no retention policy"


def expiries(settings: Mapping[str, Any]) -> list[Expiry]:
    """The lifecycle rules that delete by age and by nothing else than the key's beginning."""
    found: list[Expiry] = []
    rules: list[dict[str, Any]] = settings.get("lifecycle", {}).get("rule", [])
    for rule in rules:
        condition: dict[str, Any] = rule.get("condition", {})
        if rule.get("action", {}).get("type") == "Delete" and set(condition) <= {"age", "matchesPrefix"}:
            for prefix in condition.get("matchesPrefix", [""]):
                found.append(Expiry(str(prefix), float(condition.get("age", 0))))
    return found


SCANNER = GcsScanner
