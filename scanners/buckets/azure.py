"""Azure Blob Storage."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, cast

from obstore.exceptions import BaseError
from obstore.store import AzureStore, ObjectStore
from pydantic import Field

from scanners.base import Secret, SourceSettings
from scanners.buckets.azure_posture import AzureAccess, look
from scanners.buckets.posture import Posture
from scanners.buckets.remote import RemoteScanner, RemoteSettings


class AzureSettings(RemoteSettings):
    """A container of an Azure storage account, or the part of it below some prefixes."""

    type: Literal["azure"]
    account: str = Field(min_length=3, max_length=24, pattern=r"^[a-z0-9]+$", description="The storage account.")
    container: str = Field(min_length=3, max_length=63, pattern=r"^[a-z0-9$][a-z0-9-]+$")
    account_key: Secret | None = Field(default=None, description="By default the machine's own Azure credentials.")
    sas_token: Secret | None = Field(default=None, description="A shared access signature, in place of the key.")


class AzureScanner(RemoteScanner):
    """Scans a container of Azure Blob Storage."""

    settings_type: ClassVar[type[SourceSettings]] = AzureSettings
    engine = "azure"

    def __init__(self, settings: SourceSettings) -> None:
        super().__init__(settings)
        self._azure = cast(AzureSettings, settings)

    @property
    def system(self) -> str:
        """`wasbs://container@account`, after OpenLineage."""
        return self._azure.namespace or f"wasbs://{self._azure.container}@{self._azure.account}"

    @property
    def title(self) -> str:
        """The container's name."""
        return self._azure.container

    def open(self) -> ObjectStore:
        """A client; nothing is sent yet."""
        azure = self._azure
        secrets = azure.revealed("account_key", "sas_token")
        options: dict[str, Any] = {
            **{("sas_key" if name == "sas_token" else name): value for name, value in secrets.items()},
            **({"endpoint": azure.endpoint} if azure.endpoint else {}),
            **({"skip_signature": True} if azure.anonymous else {}),
        }
        try:
            return AzureStore(
                azure.container,
                account_name=azure.account,
                **options,
                client_options=azure.client_options,
                retry_config=azure.retry_config,
            )
        except (BaseError, ValueError):
            raise self.no_client() from None

    def posture(self) -> Posture:
        """TLS, and what the container says of itself; see `azure_posture`."""
        posture = super().posture()
        azure = self._azure
        address = azure.endpoint.rstrip("/") or f"https://{azure.account}.blob.core.windows.net"
        secrets = {} if azure.anonymous else azure.revealed("account_key", "sas_token")
        look(posture, AzureAccess(address, azure.account, azure.container, azure.timeout_seconds, **secrets))
        return posture


SCANNER = AzureScanner
