"""Amazon S3 and what speaks its protocol (MinIO, Ceph, R2, moto)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, ClassVar, Literal, cast
from urllib.parse import urlsplit

from obstore.exceptions import BaseError
from obstore.store import ObjectStore, S3Store
from pydantic import Field, field_validator, model_validator

from inventory.errors import SourceError, UnreadableError
from inventory.model import SafeguardSeen
from scanners.base import Secret, SourceSettings
from scanners.buckets.bucket import BucketScanner
from scanners.buckets.grouping import ObjectRef
from scanners.buckets.objects import list_objects

#: Where Amazon's regions are (docs.aws.amazon.com/global-infrastructure): those whose name's first part is no country.
_COUNTRIES = {
    "af-south-1": "ZA", "ap-east-1": "HK", "ap-northeast-1": "JP", "ap-northeast-2": "KR", "ap-northeast-3": "JP",
    "ap-south-1": "IN", "ap-south-2": "IN", "ap-southeast-1": "SG", "ap-southeast-2": "AU", "ap-southeast-3": "ID",
    "ap-southeast-4": "AU", "eu-central-1": "DE", "eu-central-2": "CH", "eu-north-1": "SE", "eu-south-1": "IT",
    "eu-south-2": "ES", "eu-west-1": "IE", "eu-west-2": "GB", "eu-west-3": "FR", "il-central-1": "IL",
    "me-central-1": "AE", "me-south-1": "BH", "mx-central-1": "MX", "sa-east-1": "BR",
    "ca-central-1": "CA-QC", "ca-west-1": "CA-AB",
    "us-east-1": "US-VA", "us-east-2": "US-OH", "us-west-1": "US-CA", "us-west-2": "US-OR",
}  # fmt: skip


class S3Settings(SourceSettings):
    """An S3 bucket, or the part of it below some prefixes."""

    type: Literal["s3"]
    bucket: str = Field(min_length=3, max_length=255, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]+$")
    prefix: tuple[str, ...] = Field(default=(), description="Only these folders; by default the whole bucket.")
    endpoint: str = Field(default="", description="The address, when it is not Amazon's: https://minio.example:9000.")
    region_name: str = Field(default="us-east-1", description="The region as the protocol calls it.")
    access_key_id: Secret | None = Field(default=None, description="By default the machine's own AWS credentials.")
    secret_access_key: Secret | None = None
    session_token: Secret | None = None
    anonymous: bool = Field(default=False, description="Do not sign requests (a public bucket).")
    virtual_hosted_style: bool = Field(default=False, description="The bucket is part of the host's name.")
    allow_http: bool = Field(default=False, description="Allow an endpoint without TLS.")
    timeout_seconds: float = Field(default=30, gt=0, le=600, description="For one request.")

    @field_validator("prefix", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("prefix")
    @classmethod
    def _each_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        folders = sorted({prefix.strip("/") for prefix in value})
        return tuple(f for f in folders if not any(f == o or f.startswith(o + "/") or not o for o in folders if o != f))

    @field_validator("endpoint")
    @classmethod
    def _is_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise ValueError("is an address such as https://minio.example:9000")
        if parts.username or parts.password or parts.query:
            raise ValueError("holds no credentials: give access_key_id and secret_access_key")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> S3Settings:
        if self.endpoint.startswith("http:") and not self.allow_http:
            raise ValueError("the endpoint is without TLS: use https, or set allow_http: true")
        if (self.access_key_id is None) != (self.secret_access_key is None):
            raise ValueError("access_key_id and secret_access_key go together")
        return self


class S3Scanner(BucketScanner):
    """Scans a bucket over the S3 protocol."""

    settings_type: ClassVar[type[SourceSettings]] = S3Settings
    engine = "s3"

    def __init__(self, settings: SourceSettings) -> None:
        super().__init__(settings)
        self._s3 = cast(S3Settings, settings)

    @property
    def system(self) -> str:
        """`s3://bucket`, after OpenLineage."""
        return self._s3.namespace or f"s3://{self._s3.bucket}"

    @property
    def title(self) -> str:
        """The bucket's name."""
        return self._s3.bucket

    @property
    def region(self) -> str:
        """As configured; Amazon's own regions are known."""
        return self._s3.region or ("" if self._s3.endpoint else _COUNTRIES.get(self._s3.region_name, ""))

    @property
    def whole(self) -> bool:
        """No prefix is set."""
        return not any(self._s3.prefix)

    def open(self) -> ObjectStore:
        """A client; nothing is sent yet."""
        s3 = self._s3
        secrets = {
            name: secret.reveal().get_secret_value()
            for name in ("access_key_id", "secret_access_key", "session_token")
            if (secret := getattr(s3, name)) is not None
        }
        options: dict[str, Any] = {
            **secrets,
            **({"endpoint": s3.endpoint} if s3.endpoint else {}),
            **({"skip_signature": True} if s3.anonymous else {}),
            "region": s3.region_name,
            "virtual_hosted_style_request": s3.virtual_hosted_style,
        }
        timeout = timedelta(seconds=s3.timeout_seconds)
        try:
            return S3Store(
                s3.bucket,
                **options,
                client_options={
                    "allow_http": s3.allow_http,
                    "timeout": timeout,
                    "connect_timeout": min(timeout, timedelta(seconds=5)),
                },
                retry_config={"max_retries": 3, "retry_timeout": timeout},
            )
        except (BaseError, ValueError):
            raise SourceError(s3.name, "the settings make no S3 client", "check endpoint", "settings") from None

    def list(self, store: ObjectStore) -> Iterator[ObjectRef | UnreadableError | SourceError]:
        """Below each prefix; a prefix that cannot be listed takes nothing from the others."""
        prefixes = self._s3.prefix or ("",)
        failed: list[SourceError] = []
        for prefix in prefixes:
            try:
                yield from list_objects(store, prefix, self._s3.name)
            except SourceError as error:
                failed.append(error)
        if len(failed) == len(prefixes):
            raise failed[0]
        yield from failed

    def safeguards(self) -> Iterator[SafeguardSeen]:
        """TLS, by the endpoint's scheme."""
        plain = self._s3.endpoint.startswith("http:")
        evidence = "the endpoint is reached by http" if plain else "the endpoint is reached by https"
        yield SafeguardSeen(self.system, "encryption_in_transit", not plain, evidence)


SCANNER = S3Scanner
