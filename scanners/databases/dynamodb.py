"""Amazon DynamoDB, by boto3.

A sample is short segments of the table's own parallel scan, which are spread over its partitions and are the same at
every scan; reads are eventually consistent, at half the price. The system is named as OpenLineage names AWS Glue's:
`arn:aws:dynamodb:<region>:<account>`, a table `table/<name>`.

A table is read again when its count of items or its size is another. Amazon counts about every six hours, and a write
that leaves both as they were is found `recheck_days` later.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from importlib import import_module
from typing import Any, ClassVar, Literal, TypeAlias, cast

from pydantic import Field, field_validator, model_validator

from inventory.errors import UnreadableError
from inventory.model import DatasetKind, SafeguardSeen
from scanners.base import Secret, SourceSettings
from scanners.databases.catalog import Fault, Reader
from scanners.databases.policies import Identity, identities, readers_by_identity, readers_by_resource
from scanners.detection.interface import Detection
from scanners.record_store import (
    CountedSettings,
    Opening,
    RecordSet,
    RecordStoreScanner,
    Retention,
    encryption_in_transit,
    http_address,
    missing_driver,
    quiet,
)
from scanners.sightings import KnownField

SEGMENTS = 10

Boto3: TypeAlias = Any  # boto3 makes its clients at run time


class DynamoDBSettings(CountedSettings):
    """The tables of one account in one region."""

    type: Literal["dynamodb"] = "dynamodb"
    account: str = Field(pattern=r"^\d{12}$", description="The AWS account's number.")
    region_name: str = Field(pattern=r"^[a-z0-9-]+$", description="The AWS region, such as ca-central-1.")
    endpoint: str = Field(default="", description="The address, when it is not Amazon's own.")
    iam_endpoint: str = Field(default="", description="IAM's address, when `endpoint` is given and has an IAM.")
    access_key_id: Secret | None = Field(default=None, description="By default the machine's own AWS credentials.")
    secret_access_key: Secret | None = None
    session_token: Secret | None = None
    allow_http: bool = Field(default=False, description="Allow an endpoint without TLS.")
    tables: tuple[str, ...] = Field(default=(), description="Only these tables; all when empty.")
    exclude_tables: tuple[str, ...] = Field(default=(), description="Not these tables.")
    timeout: float = Field(default=30.0, gt=0, le=600, description="Seconds to wait for an answer.")

    @field_validator("endpoint", "iam_endpoint")
    @classmethod
    def _is_address(cls, value: str) -> str:
        return value and http_address(value, "https://dynamodb.example.com")

    @model_validator(mode="after")
    def _fits_together(self) -> DynamoDBSettings:
        if any(each.startswith("http:") for each in (self.endpoint, self.iam_endpoint)) and not self.allow_http:
            raise ValueError("the endpoint is without TLS: use https, or set allow_http: true")
        if (self.access_key_id is None) != (self.secret_access_key is None):
            raise ValueError("access_key_id and secret_access_key go together")
        return self


@dataclass(frozen=True, slots=True)
class Clients:
    """What asks DynamoDB, and IAM where there is one."""

    tables: Boto3
    iam: Boto3 | None


class DynamoDBScanner(RecordStoreScanner[DynamoDBSettings, Clients]):
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
    def connected(self) -> Generator[Clients]:
        """Clients; nothing is sent yet."""
        try:
            boto3, config = import_module("boto3"), import_module("botocore.config")
        except ImportError:
            raise missing_driver(self.settings.name, "dynamodb") from None
        quiet("boto3", "botocore", "urllib3")
        bounds = config.Config(
            connect_timeout=min(self.settings.timeout, 10),
            read_timeout=self.settings.timeout,
            retries={"max_attempts": 3, "mode": "standard"},
            user_agent_extra="privacy-inventory",
        )
        session = boto3.Session(region_name=self.settings.region_name, **self._credentials())
        with ExitStack() as stack:

            def client(service: str, endpoint: str) -> Boto3:
                made: Boto3 = session.client(service, endpoint_url=endpoint or None, config=bounds)
                stack.callback(made.close)
                return made

            yield Clients(
                client("dynamodb", self.settings.endpoint),
                client("iam", self.settings.iam_endpoint) if self._has_iam else None,
            )

    def _credentials(self) -> dict[str, str]:
        names = {
            "access_key_id": "aws_access_key_id",
            "secret_access_key": "aws_secret_access_key",
            "session_token": "aws_session_token",
        }
        return {
            argument: secret.reveal().get_secret_value()
            for name, argument in names.items()
            if (secret := cast("Secret | None", getattr(self.settings, name))) is not None
        }

    @property
    def _has_iam(self) -> bool:
        return not self.settings.endpoint or bool(self.settings.iam_endpoint)

    def opening(self, client: Clients) -> Opening:
        """TLS by the endpoint's scheme; Amazon encrypts every table at rest; who may read every table."""
        client.tables.list_tables(Limit=1)
        safeguards = [encryption_in_transit(self.system, not self.settings.endpoint.startswith("http:"))]
        if not self.settings.endpoint:
            evidence = "DynamoDB encrypts every table"
            safeguards.append(SafeguardSeen(self.system, "encryption_at_rest", True, evidence))
        known = self._identities(client)
        return Opening("", tuple(safeguards), None if known is None else tuple(self._by_identity(known, "*")))

    # --- who may read --------------------------------------------------------------------------------------

    def _identities(self, client: Clients) -> list[Identity] | None:
        """The account's users and roles; None when we may not ask IAM."""
        if client.iam is None:
            return None
        found: dict[str, list[Any]] = {}
        try:
            for page in client.iam.get_paginator("get_account_authorization_details").paginate():
                for name in ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"):
                    found.setdefault(name, []).extend(page.get(name, ()))
        except _client_error() as error:
            if _of_code(error).fatal:
                raise
            return None
        return identities(found)

    def _by_identity(self, known: Iterable[Identity], table: str) -> Iterator[Reader]:
        return readers_by_identity(known, _READING, self._arn(table))

    def _by_policy(self, client: Clients, table: str) -> tuple[Reader, ...] | None:
        """Those whom the table's own policy allows; None when we may not see it."""
        arn = self._arn(table)
        try:
            policy = str(client.tables.get_resource_policy(ResourceArn=arn).get("Policy", ""))
        except _client_error() as error:
            return () if _code(error) == "PolicyNotFoundException" else None
        return tuple(readers_by_resource(policy, _READING, arn, self.settings.account))

    def _arn(self, table: str) -> str:
        return f"arn:aws:dynamodb:{self.settings.region_name}:{self.settings.account}:table/{table}"

    # --- listing -------------------------------------------------------------------------------------------

    def listing(self, client: Clients, detection: Detection) -> Iterator[RecordSet | UnreadableError]:
        """Every table with its keys; one that may not be described is told and takes nothing from the others."""
        settings, known = self.settings, self._identities(client)
        everywhere = {reader.principal for reader in self._by_identity(known or (), "*")}
        for name in settings.tables or self._names(client.tables):
            if name in settings.exclude_tables:
                continue
            try:
                described = client.tables.describe_table(TableName=name)["Table"]
            except _client_error() as error:
                fault = _of_code(error)
                if fault.fatal:
                    raise
                yield UnreadableError(f"{settings.name}: {name}", fault.cause, fault.remedy, fault.code)
                continue
            allowed = self._by_policy(client, name)
            own = [each for each in self._by_identity(known or (), name) if each.principal not in everywhere]
            yield replace(
                self._record_set(client.tables, name, described),
                readers=(*own, *(allowed or ())) if allowed or known is not None else None,
                all_readers=known is not None and allowed is not None,
            )

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
            state=(str(table.get("CreationDateTime")), table.get("ItemCount"), table.get("TableSizeBytes")),
            exact=False,
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

    def pulse(self, client: Clients) -> None:
        """The name of one table."""
        client.tables.list_tables(Limit=1)

    def sample(self, client: Clients, subject: RecordSet) -> Iterator[Mapping[str, Any]]:
        """The first items of each segment; a small table is one segment."""
        rows = self.settings.sampling.rows
        segments = SEGMENTS if (subject.row_estimate or 0) > rows >= SEGMENTS else 1
        taken = 0
        for segment in range(segments):
            share = -(-(rows - taken) // (segments - segment))
            for item in self._items(client.tables, subject.handle, segment, segments, share):
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
        if isinstance(error, exceptions.ReadTimeoutError):
            return Fault("statement-timeout", "Amazon did not answer in time", "raise timeout, or exclude it")
        if isinstance(error, exceptions.HTTPClientError | exceptions.ConnectionError):
            where = self.settings.endpoint or f"DynamoDB in {self.settings.region_name}"
            return Fault("unreachable", f"cannot reach {where}", "check region_name, endpoint and network", True)
        if isinstance(error, exceptions.BotoCoreError):
            return Fault("unreadable", f"its items could not be read ({type(error).__name__})", "report this")
        return None


SCANNER = DynamoDBScanner

#: What gives away a table's items.
_READING = tuple(f"dynamodb:{each}" for each in ("Scan", "Query", "GetItem", "BatchGetItem", "PartiQLSelect"))

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


def _code(error: Exception) -> str:
    return str(cast(Any, error).response.get("Error", {}).get("Code", ""))


def _of_code(error: Exception) -> Fault:
    code = _code(error)
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
