"""Amazon DynamoDB, by boto3.

A sample is short segments of the table's own parallel scan, which are spread over its partitions and are the same at
every scan; reads are eventually consistent, at half the price. The system is named as OpenLineage names AWS Glue's:
`arn:aws:dynamodb:<region>:<account>`, a table `table/<name>`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from importlib import import_module
from typing import Any, ClassVar, Literal, TypeAlias, cast
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from inventory.errors import UnreadableError
from inventory.model import DatasetKind, SafeguardSeen
from scanners.base import Secret, SourceSettings
from scanners.databases.catalog import Fault
from scanners.detection.interface import Detection
from scanners.record_store import (
    Opening,
    RecordSet,
    RecordStoreScanner,
    Retention,
    encryption_in_transit,
    missing_driver,
    quiet,
)
from scanners.sightings import KnownField

SEGMENTS = 10

Boto3: TypeAlias = Any  # boto3 makes its clients at run time


class DynamoDBSettings(SourceSettings):
    """The tables of one account in one region."""

    type: Literal["dynamodb"] = "dynamodb"
    account: str = Field(pattern=r"^\d{12}$", description="The AWS account's number.")
    region_name: str = Field(pattern=r"^[a-z0-9-]+$", description="The AWS region, such as ca-central-1.")
    endpoint: str = Field(default="", description="The address, when it is not Amazon's own.")
    access_key_id: Secret | None = Field(default=None, description="By default the machine's own AWS credentials.")
    secret_access_key: Secret | None = None
    session_token: Secret | None = None
    allow_http: bool = Field(default=False, description="Allow an endpoint without TLS.")
    tables: tuple[str, ...] = Field(default=(), description="Only these tables; all when empty.")
    exclude_tables: tuple[str, ...] = Field(default=(), description="Not these tables.")
    timeout: float = Field(default=30.0, gt=0, le=600, description="Seconds to wait for an answer.")

    @field_validator("endpoint")
    @classmethod
    def _is_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.hostname or parts.username):
            raise ValueError("is an address such as https://dynamodb.example.com, without credentials")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> DynamoDBSettings:
        if self.endpoint.startswith("http:") and not self.allow_http:
            raise ValueError("the endpoint is without TLS: use https, or set allow_http: true")
        if (self.access_key_id is None) != (self.secret_access_key is None):
            raise ValueError("access_key_id and secret_access_key go together")
        return self


class DynamoDBScanner(RecordStoreScanner[DynamoDBSettings, Boto3]):
    """Scans the tables of one account in one region."""

    settings_type: ClassVar[type[SourceSettings]] = DynamoDBSettings
    engine_name = "dynamodb"
    queries_of_sample = SEGMENTS

    @property
    def system(self) -> str:
        """`arn:aws:dynamodb:<region>:<account>`."""
        settings = self.settings
        return settings.namespace or f"arn:aws:dynamodb:{settings.region_name}:{settings.account}"

    def listed(self) -> tuple[str, ...]:
        """Everything, unless only some tables were asked for: then nothing is known to have ended."""
        return () if self.settings.tables or self.settings.exclude_tables else ("",)

    @contextmanager
    def connected(self) -> Generator[Boto3]:
        """A client; nothing is sent yet."""
        settings = self.settings
        try:
            boto3, config = import_module("boto3"), import_module("botocore.config")
        except ImportError:
            raise missing_driver(settings.name, "dynamodb") from None
        quiet("boto3", "botocore", "urllib3")
        names = {
            "access_key_id": "aws_access_key_id",
            "secret_access_key": "aws_secret_access_key",
            "session_token": "aws_session_token",
        }
        secrets = {
            argument: secret.reveal().get_secret_value()
            for name, argument in names.items()
            if (secret := cast("Secret | None", getattr(settings, name))) is not None
        }
        bounds = config.Config(
            connect_timeout=min(settings.timeout, 10),
            read_timeout=settings.timeout,
            retries={"max_attempts": 3, "mode": "standard"},
            user_agent_extra="privacy-inventory",
        )
        client: Boto3 = boto3.client(
            "dynamodb",
            region_name=settings.region_name,
            endpoint_url=settings.endpoint or None,
            config=bounds,
            **secrets,
        )
        try:
            yield client
        finally:
            client.close()

    def opening(self, client: Boto3) -> Opening:
        """TLS by the endpoint's scheme; Amazon encrypts every table at rest."""
        client.list_tables(Limit=1)
        safeguards = [encryption_in_transit(self.system, not self.settings.endpoint.startswith("http:"))]
        if not self.settings.endpoint:
            evidence = "DynamoDB encrypts every table"
            safeguards.append(SafeguardSeen(self.system, "encryption_at_rest", True, evidence))
        return Opening("", tuple(safeguards))

    # --- listing -------------------------------------------------------------------------------------------

    def listing(self, client: Boto3, detection: Detection) -> Iterator[RecordSet | UnreadableError]:
        """Every table with its keys; one that may not be described is told and takes nothing from the others."""
        settings = self.settings
        for name in settings.tables or self._names(client):
            if name in settings.exclude_tables:
                continue
            try:
                described = client.describe_table(TableName=name)["Table"]
            except _client_error() as error:
                fault = _of_code(error)
                if fault.fatal:
                    raise
                yield UnreadableError(f"{settings.name}: {name}", fault.cause, fault.remedy, fault.code)
                continue
            yield self._record_set(client, name, described)

    def _names(self, client: Boto3) -> Iterator[str]:
        for page in client.get_paginator("list_tables").paginate():
            yield from page["TableNames"]

    def _record_set(self, client: Boto3, name: str, table: Mapping[str, Any]) -> RecordSet:
        types: dict[str, str] = {
            each["AttributeName"]: each["AttributeType"] for each in table.get("AttributeDefinitions", ())
        }
        keys = {each["AttributeName"] for each in table.get("KeySchema", ())}
        return RecordSet(
            f"table/{name}",
            DatasetKind.TABLE,
            row_estimate=table.get("ItemCount"),
            retention=self._retention(client, name),
            known=tuple(
                KnownField(attribute, "", primary_key=attribute in keys, type=_TYPES.get(kind, kind))
                for attribute, kind in types.items()
            ),
            handle=name,
        )

    def _retention(self, client: Boto3, name: str) -> Retention:
        try:
            said = client.describe_time_to_live(TableName=name).get("TimeToLiveDescription", {})
        except _client_error():
            return Retention()
        if said.get("TimeToLiveStatus") not in ("ENABLED", "ENABLING"):
            return Retention()
        return Retention(None, f"items are deleted at the time in their attribute {said.get('AttributeName', '')}")

    # --- content -------------------------------------------------------------------------------------------

    def sample(self, client: Boto3, subject: RecordSet) -> Iterator[Mapping[str, Any]]:
        """The first items of each segment; a small table is one segment."""
        rows = self.settings.sampling.rows
        segments = SEGMENTS if (subject.row_estimate or 0) > rows >= SEGMENTS else 1
        taken = 0
        for segment in range(segments):
            share = -(-(rows - taken) // (segments - segment))
            for item in self._items(client, subject.handle, segment, segments, share):
                taken += 1
                yield {name: _value(value) for name, value in item.items()}

    def _items(self, client: Boto3, table: str, segment: int, segments: int, rows: int) -> Iterator[Mapping[str, Any]]:
        pages = client.get_paginator("scan").paginate(
            TableName=table,
            Segment=segment,
            TotalSegments=segments,
            PaginationConfig={"MaxItems": rows, "PageSize": min(rows, 500)},
        )
        for page in pages:
            yield from page["Items"]

    def fault(self, error: Exception) -> Fault | None:
        """By Amazon's code, or the driver's class."""
        exceptions = import_module("botocore.exceptions")
        if isinstance(error, exceptions.ClientError):
            return _of_code(error)
        if isinstance(error, exceptions.NoCredentialsError | exceptions.PartialCredentialsError):
            return Fault("credentials", "there are no credentials", "give access_key_id and secret_access_key", True)
        if isinstance(error, exceptions.HTTPClientError | exceptions.EndpointConnectionError):
            where = self.settings.endpoint or f"DynamoDB in {self.settings.region_name}"
            return Fault("unreachable", f"cannot reach {where}", "check region_name, endpoint and network", True)
        if isinstance(error, exceptions.BotoCoreError):
            return Fault("unreadable", f"its items could not be read ({type(error).__name__})", "report this")
        return None


SCANNER = DynamoDBScanner

_TYPES = {"S": "string", "N": "number", "B": "binary"}
_REFUSED = Fault("credentials", "the credentials are refused or have expired", "check credentials", True)
_THROTTLED = Fault("throttled", "Amazon slows us down", "scan later, or raise the table's capacity")
_FAULTS = {
    "AccessDeniedException": Fault(
        "no-permission",
        "no permission to read it",
        "grant dynamodb:ListTables, DescribeTable, DescribeTimeToLive, Scan",
    ),
    "ResourceNotFoundException": Fault("changed", "it was dropped while it was read", "scan again"),
    **dict.fromkeys(
        (
            "UnrecognizedClientException",
            "InvalidSignatureException",
            "ExpiredTokenException",
            "InvalidClientTokenId",
            "MissingAuthenticationTokenException",
            "SignatureDoesNotMatch",
            "ExpiredToken",
            "IncompleteSignature",
        ),
        _REFUSED,
    ),
    **dict.fromkeys(
        ("ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"), _THROTTLED
    ),
}


def _client_error() -> type[Exception]:
    return import_module("botocore.exceptions").ClientError


def _of_code(error: Exception) -> Fault:
    code = str(cast(Any, error).response.get("Error", {}).get("Code", ""))
    return _FAULTS.get(code, Fault("unreadable", f"Amazon refused with {code if code.isalnum() else 'no code'}"))


def _value(said: Mapping[str, Any]) -> object:
    """An attribute value as the API writes it, `{"N": "31"}`, as a Python value."""
    for kind, value in said.items():
        match kind:
            case "N":
                return Decimal(value)
            case "NS":
                return [Decimal(each) for each in value]
            case "NULL":
                return None
            case "M":
                return {name: _value(each) for name, each in value.items()}
            case "L":
                return [_value(each) for each in value]
            case _:  # texts, bytes and booleans, and sets of them
                return value
    return None
