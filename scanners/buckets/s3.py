"""Amazon S3 and what speaks its protocol (MinIO, Ceph, R2, versitygw, moto)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, cast

from obstore.exceptions import BaseError
from obstore.store import ObjectStore, S3Store
from pydantic import Field, model_validator

from scanners.base import Secret, SourceSettings
from scanners.buckets.posture import Posture
from scanners.buckets.remote import RemoteScanner, RemoteSettings
from scanners.buckets.s3_posture import look

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


class S3Settings(RemoteSettings):
    """An S3 bucket, or the part of it below some prefixes."""

    type: Literal["s3"]
    bucket: str = Field(min_length=3, max_length=255, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]+$")
    region_name: str = Field(default="us-east-1", description="The region as the protocol calls it.")
    access_key_id: Secret | None = Field(default=None, description="By default the machine's own AWS credentials.")
    secret_access_key: Secret | None = None
    session_token: Secret | None = None
    virtual_hosted_style: bool = Field(default=False, description="The bucket is part of the host's name.")

    @model_validator(mode="after")
    def _fits_together(self) -> S3Settings:
        if (self.access_key_id is None) != (self.secret_access_key is None):
            raise ValueError("access_key_id and secret_access_key go together")
        return self


class S3Scanner(RemoteScanner):
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

    def open(self) -> ObjectStore:
        """A client; nothing is sent yet."""
        s3 = self._s3
        options: dict[str, Any] = {
            **self._secrets(),
            **({"endpoint": s3.endpoint} if s3.endpoint else {}),
            **({"skip_signature": True} if s3.anonymous else {}),
            "region": s3.region_name,
            "virtual_hosted_style_request": s3.virtual_hosted_style,
        }
        try:
            return S3Store(s3.bucket, **options, client_options=s3.client_options, retry_config=s3.retry_config)
        except (BaseError, ValueError):
            raise self.no_client() from None

    def posture(self) -> Posture:
        """TLS, and what the bucket's settings say."""
        posture = super().posture()
        s3 = self._s3
        look(posture, s3.bucket, s3.region_name, s3.endpoint, s3.timeout_seconds, s3.anonymous, self._secrets())
        return posture

    def _secrets(self) -> dict[str, str]:
        return self._s3.revealed("access_key_id", "secret_access_key", "session_token")


SCANNER = S3Scanner
