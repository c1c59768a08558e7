"""What the stores that are reached over a network share: settings, listing below prefixes, TLS."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from inventory.errors import SourceError, UnreadableError
from scanners.base import Secret, SourceSettings
from scanners.buckets.bucket import BucketScanner
from scanners.buckets.grouping import ObjectRef
from scanners.buckets.metered import MeteredStore
from scanners.buckets.objects import list_objects
from scanners.buckets.posture import Posture

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig


class RemoteSettings(SourceSettings):
    """A bucket of some store, or the part of it below some prefixes."""

    prefix: tuple[str, ...] = Field(default=(), description="Only these folders; by default the whole bucket.")
    endpoint: str = Field(default="", description="The address, when it is not the vendor's own.")
    anonymous: bool = Field(default=False, description="Do not sign requests (a public bucket).")
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
            raise ValueError("holds no credentials: give them in the settings that are there for them")
        return value

    @model_validator(mode="after")
    def _has_tls(self) -> RemoteSettings:
        if self.endpoint.startswith("http:") and not self.allow_http:
            raise ValueError("the endpoint is without TLS: use https, or set allow_http: true")
        return self

    @property
    def client_options(self) -> ClientConfig:
        """How obstore connects."""
        timeout = timedelta(seconds=self.timeout_seconds)
        return {
            "allow_http": self.allow_http,
            "timeout": timeout,
            "connect_timeout": min(timeout, timedelta(seconds=5)),
        }

    @property
    def retry_config(self) -> RetryConfig:
        """How obstore tries again."""
        return {"max_retries": 3, "retry_timeout": timedelta(seconds=self.timeout_seconds)}

    def revealed(self, *names: str) -> dict[str, Any]:
        """The secrets among the settings of these names, as they are now."""
        secrets: dict[str, Secret | None] = {name: getattr(self, name) for name in names}
        return {name: secret.reveal().get_secret_value() for name, secret in secrets.items() if secret is not None}


class RemoteScanner(BucketScanner):
    """Scans a bucket over a network. A subclass says what it is called and how to open it."""

    @property
    def remote(self) -> RemoteSettings:
        """The settings."""
        return cast(RemoteSettings, self.settings)

    @property
    def folders(self) -> tuple[str, ...]:
        """The prefixes, none of the whole bucket."""
        return tuple(prefix for prefix in self.remote.prefix if prefix)

    def list(self, store: MeteredStore) -> Iterator[ObjectRef | UnreadableError | SourceError]:
        """Below each prefix; a prefix that cannot be listed takes nothing from the others."""
        prefixes = self.remote.prefix or ("",)
        failed: list[SourceError] = []
        for prefix in prefixes:
            try:
                yield from list_objects(store, prefix, self.remote.name)
            except SourceError as error:
                failed.append(error)
        if len(failed) == len(prefixes):
            raise failed[0]
        yield from failed

    def posture(self) -> Posture:
        """TLS, by the endpoint's scheme."""
        posture = Posture(self.system)
        plain = self.remote.endpoint.startswith("http:")
        evidence = "the endpoint is reached by http" if plain else "the endpoint is reached by https"
        posture.state("encryption_in_transit", not plain, evidence)
        return posture

    def no_client(self) -> SourceError:
        """What to raise when obstore refuses the settings; its own text may hold secrets."""
        return SourceError(
            self.remote.name, "the settings make no client", "check endpoint and credentials", "settings"
        )
