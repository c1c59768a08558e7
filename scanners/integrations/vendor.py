"""The scanner of every vendor account: what the connector says is there, and what a sample of it shows."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from math import log
from typing import Any, ClassVar, Literal, cast
from urllib.parse import quote, urlsplit

from pydantic import Field, create_model, field_validator

from inventory.errors import ConfigError, SourceError, UnreadableError
from inventory.model import (
    Aspect,
    Covered,
    DatasetKind,
    DatasetSeen,
    DisclosureSeen,
    Evidence,
    FieldClassified,
    FieldReferences,
    Finding,
    Observation,
    Provenance,
    SafeguardSeen,
    Severity,
    SystemKind,
    SystemSeen,
    dataset_urn,
    field_urn,
)
from inventory.vocabulary import is_personal
from scanners.base import Progress, ScanContext, Secret, SourceSettings
from scanners.detection.interface import ColumnContext, Detection, FieldVerdict, TableContext, Verdict
from scanners.integrations.connector import BasicAuth, BearerAuth, Connector, HeaderAuth, Resource, connectors
from scanners.integrations.engine import Engine, Limits, Pages, Request, at
from scanners.records import JsonObject, records, union
from scanners.sightings import KnownField, field_sightings

#: Records of a parent resource whose children are asked for.
MOST_PARENTS = 20
_BATCH = 500


class VendorSettings(SourceSettings):
    """An account with a vendor that has a connector."""

    type: str
    account: str = Field(pattern=r"^[A-Za-z0-9._-]{1,128}$", description="The account's identifier with the vendor.")
    base_url: str = Field(default="", description="The API's address, when it is not the vendor's own (an emulator).")
    credentials: dict[str, Secret] = Field(default={}, description="By the names that the connector gives them.")

    @field_validator("base_url")
    @classmethod
    def _is_safe_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise ValueError("is an address such as https://api.example.com")
        if parts.username is not None or parts.query or parts.fragment:
            raise ValueError("holds no credentials and no query")
        if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
            raise ValueError("must be https, but for an emulator on this machine")
        return value


def _settings_type() -> type[SourceSettings]:
    vendors: Any = Literal[tuple(connectors())]
    return create_model("IntegrationSettings", __base__=VendorSettings, type=(vendors, ...))


class VendorScanner:
    """Scans a vendor account over HTTP, by its connector."""

    settings_type: ClassVar[type[SourceSettings]] = _settings_type()

    def __init__(self, settings: SourceSettings, limits: Limits | None = None) -> None:
        self.settings = settings
        self._vendor = cast(VendorSettings, settings)
        self._connector = connectors()[self._vendor.type]
        self._limits = limits

    @property
    def system(self) -> str:
        """`<vendor>://<account>`."""
        return self._vendor.namespace or f"{self._connector.vendor}://{self._vendor.account}"

    def scan(self, context: ScanContext) -> Iterator[Observation]:
        """Check the credentials, then look at each resource."""
        connector = self._connector
        base_url = self._vendor.base_url or connector.base_url
        engine = Engine(self.settings.name, base_url, connector.hosts, self._headers(), self._limits)
        try:
            self._check(engine)
            yield self._system_seen()
            plain = base_url.startswith("http:")
            evidence = "the API is reached by http" if plain else "the API is reached by https"
            yield SafeguardSeen(self.system, "encryption_in_transit", not plain, evidence)
            parents: dict[str, list[JsonObject]] = {}
            for done, resource in enumerate(connector.resources):
                context.report(Progress(self.settings.name, done, len(connector.resources), resource.name))
                yield from self._resource(engine, resource, parents, context.detection)
            context.report(Progress(self.settings.name, len(connector.resources), len(connector.resources)))
            yield Covered(self.system, Aspect.LISTING)
        finally:
            engine.close()

    def _headers(self) -> dict[str, str]:
        headers = {header.name: header.value for header in self._connector.headers}
        match self._connector.auth:
            case BearerAuth(token=name, prefix=prefix):
                headers["Authorization"] = prefix + self._credential(name)
            case BasicAuth(username=username, password=password):
                pair = f"{self._credential(username)}:{self._credential(password) if password else ''}"
                headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
            case HeaderAuth(headers=named):
                headers |= {header: self._credential(name) for header, name in named.items()}
            case _:
                raise ConfigError(self.settings.name, "this way of signing in is not built yet")
        return headers

    def _credential(self, name: str) -> str:
        secret = self._vendor.credentials.get(name)
        if secret is None:
            raise ConfigError(self.settings.name, f"credentials.{name} is missing", "name a variable or a file")
        value = secret.reveal().get_secret_value()
        if not value or not value.isascii() or not value.isprintable():
            raise ConfigError(self.settings.name, f"credentials.{name} is empty or holds odd characters")
        return value

    def _check(self, engine: Engine) -> None:
        try:
            engine.get(Request("check", self._connector.check))
        except UnreadableError as error:
            if error.code != "no-permission":  # a key may be good, and only for other resources
                raise SourceError(self.settings.name, error.cause, error.remedy, error.code) from None

    def _system_seen(self) -> SystemSeen:
        connector = self._connector
        region = self.settings.region or (connector.regions[0] if len(connector.regions) == 1 else "")
        return SystemSeen(
            self.system,
            SystemKind.INTEGRATION,
            f"{connector.name} ({self._vendor.account})",
            connector.vendor,
            region=region,
            processor=self.settings.processor or connector.processor,
        )

    def _resource(
        self, engine: Engine, resource: Resource, parents: dict[str, list[JsonObject]], detection: Detection
    ) -> Iterator[Observation]:
        dataset = dataset_urn(self.system, resource.name)
        sample = _Sample()
        try:
            self._read(engine, resource, parents, sample)
        except UnreadableError as error:
            sample.failure = error
        parents[resource.name] = sample.rows[:MOST_PARENTS]
        yield DatasetSeen(
            dataset,
            self.system,
            DatasetKind.API_RESOURCE,
            resource.name,
            resource.description,
            row_estimate=len(sample.rows) if sample.complete else None,
        )
        if sample.failure is not None:
            yield Finding(dataset, sample.failure.code, Severity.ERROR, str(sample.failure))
        if sample.failure is None or sample.rows:
            yield from self._fields(dataset, resource, sample, detection)
            yield Covered(dataset, Aspect.CONTENT)
        if sample.failure is None:
            yield Covered(dataset, Aspect.STRUCTURE)

    def _read(self, engine: Engine, resource: Resource, parents: dict[str, list[JsonObject]], sample: _Sample) -> None:
        """Fill the sample; what was read before an error stays in it."""
        complete = True
        for request in _requests(resource, parents):
            pages = Pages()
            paging = resource.paging or self._connector.paging
            wanted = self.settings.sampling.rows - len(sample.rows)
            if wanted <= 0:
                return
            for row in islice(engine.records(request, resource.records, paging, pages), wanted):
                sample.rows.append(row)
            complete = complete and pages.complete
        sample.complete = complete and resource.parent is None

    def _fields(self, dataset: str, resource: Resource, sample: _Sample, detection: Detection) -> Iterator[Observation]:
        value_bytes = self.settings.sampling.value_bytes
        chunks = [sample.rows[start : start + _BATCH] for start in range(0, len(sample.rows), _BATCH)]
        converted = [records(chunk, value_bytes) for chunk in chunks]
        columns = tuple(_with_keys(column, resource) for column in union(each.columns for each in converted))
        table = detection.table(TableContext(resource.name, columns, resource.description))
        for each in converted:
            if not table.feed(each.batch):
                break
        personal: dict[str, None] = {}
        known = _known_fields(resource, self._connector)
        verdicts = _documented(table.verdicts(), self._connector)
        for observation in field_sightings(dataset, verdicts, columns, detection, known):
            yield observation
            if isinstance(observation, FieldClassified) and is_personal(observation.category):
                personal[observation.field] = None
        yield from _references(self.system, dataset, resource)
        yield from self._disclosures(dataset, resource, sample, personal)

    def _disclosures(
        self, dataset: str, resource: Resource, sample: _Sample, personal: dict[str, None]
    ) -> Iterator[DisclosureSeen]:
        if not sample.rows:
            return
        evidence = f"{len(sample.rows)} records returned by {resource.method} {resource.path}"
        for source in (dataset, *personal):
            yield DisclosureSeen(source, self._connector.processor, Provenance.API, evidence)


@dataclass(slots=True)
class _Sample:
    rows: list[JsonObject] = field(default_factory=list[JsonObject])
    complete: bool = False
    failure: UnreadableError | None = None


def _requests(resource: Resource, parents: dict[str, list[JsonObject]]) -> Iterator[Request]:
    if resource.parent is None:
        yield Request(resource.name, resource.path, resource.method, resource.parameters)
        return
    placeholder = "{" + resource.parent.placeholder + "}"
    for row in parents[resource.parent.resource]:
        key = at(row, resource.parent.key)
        if isinstance(key, str | int) and ".." not in str(key).split("/"):
            path = resource.path.replace(placeholder, quote(str(key), safe="/" if resource.parent.whole_path else ""))
            parameters = {name: value.replace(placeholder, str(key)) for name, value in resource.parameters.items()}
            yield Request(resource.name, path, resource.method, parameters)


def _with_keys(column: ColumnContext, resource: Resource) -> ColumnContext:
    pointer = "/" + column.name
    target = resource.references.get(pointer, "").replace("/", ".")
    return ColumnContext(column.name, column.type, references=target, primary_key=resource.primary_key == pointer)


def _documented(verdicts: Iterable[FieldVerdict], connector: Connector) -> Iterator[FieldVerdict]:
    """The verdicts, but for what the vendor's documentation says is about nobody."""
    for verdict in verdicts:
        if (verdict.pointer or verdict.column).rsplit("/", 1)[-1] in connector.technical_keys:
            verdict = replace(
                verdict, verdicts=(), reason=f"the documentation of {connector.name} says it is technical"
            )
        yield verdict


def _known_fields(resource: Resource, connector: Connector) -> Iterator[KnownField]:
    detail = f"the documentation of {connector.name} says what {resource.name} hold here"
    for pointer, rule in resource.fields.items():
        weight = round(log(rule.confidence / max(1 - rule.confidence, 1e-6)), 2)
        evidence = Evidence(f"connector:{connector.vendor}", detail, weight)
        column, below = _place(pointer)
        yield KnownField(column, below, Verdict(rule.category, rule.confidence, (evidence,)))
    if resource.primary_key is not None:
        yield KnownField(*_place(resource.primary_key), primary_key=True)
    for pointer in (*resource.references, *resource.open_maps):
        yield KnownField(*_place(pointer))


def _references(system: str, dataset: str, resource: Resource) -> Iterator[FieldReferences]:
    for pointer, target in resource.references.items():
        name, _, key = target.partition("/")
        source = field_urn(dataset, *_place(pointer))
        other = field_urn(dataset_urn(system, name), *_place("/" + key))
        yield FieldReferences(source, other, f"{resource.name}{pointer}", 0, Provenance.API)


def _place(pointer: str) -> tuple[str, str]:
    """A pointer into a record as the column's name and the pointer inside it."""
    column, slash, below = pointer[1:].partition("/")
    return column.replace("~1", "/").replace("~0", "~"), slash + below


SCANNER = VendorScanner
