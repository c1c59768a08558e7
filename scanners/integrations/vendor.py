"""The scanner of every vendor account: what the connector says is there, and what a sample of it shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from math import ceil, log
from typing import Annotated, Any, ClassVar, Literal, cast
from urllib.parse import quote, urlsplit

from pydantic import AfterValidator, Field, create_model, field_validator

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
    ProcessorSeen,
    Provenance,
    SafeguardSeen,
    Severity,
    SystemKind,
    SystemSeen,
    dataset_urn,
    field_urn,
)
from inventory.vocabulary import is_personal
from scanners.base import Planned, Progress, ScanContext, Secret, SourceSettings
from scanners.budget import Meter
from scanners.detection.interface import ColumnContext, Detection, FieldVerdict, TableContext, Verdict
from scanners.integrations.addresses import filled, moved, placed, times
from scanners.integrations.connector import (
    Connector,
    DnsRecords,
    NoPaging,
    NumberPaging,
    OffsetPaging,
    Resource,
    connectors,
)
from scanners.integrations.engine import Engine, Limits, Pages, Request
from scanners.integrations.onward import leads
from scanners.integrations.places import at
from scanners.integrations.sign_in import Credentials, SignIn, sign_in_of
from scanners.recipients import catalogue
from scanners.recipients.catalogue import registrable
from scanners.recipients.dns_records import Record, signs
from scanners.recipients.sightings import disclosures
from scanners.records import JsonObject, records, union
from scanners.sightings import KnownField, field_sightings

#: Records of a parent resource whose children are asked for.
MOST_PARENTS = 20
#: Of these, so many that cannot be read end a resource's reading.
_MOST_FAILURES = 3
_BATCH = 500
_ASSUMED_PAGE, _ASSUMED_BYTES = 100, 1024  # of a page in records, of a record: for a plan


def _no_step(value: str) -> str:
    if value in (".", ".."):
        raise ValueError("is no name")
    return value


Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9._@-]{1,128}$"), AfterValidator(_no_step)]


class VendorSettings(SourceSettings):
    """An account with a vendor that has a connector."""

    type: str
    account: Word = Field(pattern=r"^[A-Za-z0-9._-]+$", description="The account's identifier with the vendor.")
    variables: dict[str, Word] = Field(default={}, description="What else the connector asks for (docs/connectors.md).")
    base_url: str = Field(default="", description="The API's address, when it is not the vendor's own (an emulator).")
    own_domains: tuple[str, ...] = Field(
        default=(), description="Our own domains: what the vendor sends to them goes to nobody else."
    )
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

    def __init__(
        self, settings: SourceSettings, limits: Limits | None = None, connector: Connector | None = None
    ) -> None:
        self.settings = settings
        self._vendor = cast(VendorSettings, settings)
        self._connector = connector or connectors()[self._vendor.type]
        self._limits = limits

    @property
    def system(self) -> str:
        """`<vendor>://<account>`."""
        return self._vendor.namespace or f"{self._connector.vendor}://{self._vendor.account}"

    def scan(self, context: ScanContext) -> Iterator[Observation]:
        """Check the credentials, then look at each resource."""
        bound = self._bound()
        meter = Meter(self.settings.budget)
        engine = self._engine(bound, meter)
        refused = ""
        try:
            self._check(engine, bound)
            yield self._system_seen()
            yield self._processor_seen()
            plain = bound.base_url.startswith("http:")
            evidence = "the API is reached by http" if plain else "the API is reached by https"
            yield SafeguardSeen(self.system, "encryption_in_transit", not plain, evidence)
            parents: dict[str, list[JsonObject]] = {}
            for done, resource in enumerate(bound.connector.resources):
                context.report(Progress(self.settings.name, done, len(bound.connector.resources), resource.name))
                refused = refused or meter.refusal()
                if refused:
                    yield self._dataset_seen(resource, None)
                else:
                    yield from self._resource(engine, bound, resource, parents, context.detection)
            context.report(Progress(self.settings.name, len(bound.connector.resources), len(bound.connector.resources)))
            if refused:
                message = f"{self.settings.name}: {refused}, so that not all resources were read"
                yield Finding(self.system, "over-budget", Severity.WARNING, message)
            yield Covered(self.system, Aspect.LISTING)
        finally:
            engine.close()

    def plan(self, context: ScanContext) -> Iterator[Planned]:
        """What a scan would ask for at most, by the connector alone: nothing is asked."""
        del context
        rows = self.settings.sampling.rows
        for resource in self._connector.resources:
            paging = resource.paging or self._connector.paging
            page = paging.size if isinstance(paging, OffsetPaging | NumberPaging) else _ASSUMED_PAGE
            lists = 1 if resource.parent is None else MOST_PARENTS
            pages = 1 if isinstance(paging, NoPaging) else ceil(rows / page)
            size = min(rows * _ASSUMED_BYTES, self.settings.sampling.bytes)
            yield Planned(resource.name, rows, size, max(lists, pages))

    def _bound(self) -> _Bound:
        """The connector as it is asked with these settings. Raises ConfigError."""
        source, given = self.settings.name, self._vendor.variables
        missing = self._connector.variables.keys() - given.keys()
        if missing:
            name = min(missing)
            raise ConfigError(source, f"variables.{name} is missing", self._connector.variables[name])
        unknown = given.keys() - self._connector.variables.keys()
        if unknown:
            raise ConfigError(source, f"variables.{min(unknown)} is unknown to the connector {self._connector.vendor}")
        connector = filled(self._connector, {**times(), **given, "account": self._vendor.account}, source)
        base_url = self._vendor.base_url or connector.base_url
        secrets = Credentials(source, self._credential, self._credential_text, given)
        return _Bound(connector, base_url, sign_in_of(connector, secrets, base_url, self._emulator))

    def _engine(self, bound: _Bound, meter: Meter) -> Engine:
        connector = bound.connector
        others = () if self._emulator else (each.base_url for each in connector.resources if each.base_url)
        return Engine(
            self.settings.name,
            bound.base_url,
            (*connector.hosts, *(urlsplit(address).hostname or "" for address in others)),
            {header.name: header.value for header in connector.headers},
            self._limits,
            sign_in=bound.sign_in,
            meter=meter,
            given=bool(self._vendor.base_url),
        )

    @property
    def _emulator(self) -> str:
        """The address of a server on this machine, which stands for all of the vendor's hosts; "" if it is none."""
        return self._vendor.base_url if self._vendor.base_url.startswith("http:") else ""

    def _credential(self, name: str) -> str:
        value = self._credential_text(name)
        if not value.isascii() or not value.isprintable():
            raise ConfigError(self.settings.name, f"credentials.{name} is empty or holds odd characters")
        return value

    def _credential_text(self, name: str) -> str:
        secret = self._vendor.credentials.get(name)
        if secret is None:
            raise ConfigError(self.settings.name, f"credentials.{name} is missing", "name a variable or a file")
        value = secret.reveal().get_secret_value()
        if not value:
            raise ConfigError(self.settings.name, f"credentials.{name} is empty or holds odd characters")
        return value

    def _check(self, engine: Engine, bound: _Bound) -> None:
        try:
            body = bound.connector.check_body
            engine.get(Request("check", bound.connector.check, "GET" if body is None else "POST", body=body))
        except UnreadableError as error:
            if error.code != "not-granted":  # a key may be good, and only for other resources
                raise SourceError(self.settings.name, error.cause, error.remedy, error.code) from None

    @property
    def _processor(self) -> str:
        return self.settings.processor or self._connector.processor

    def _system_seen(self) -> SystemSeen:
        connector = self._connector
        region = self.settings.region or (connector.regions[0] if len(connector.regions) == 1 else "")
        return SystemSeen(
            self.system,
            SystemKind.INTEGRATION,
            f"{connector.name} ({self._vendor.account})",
            connector.vendor,
            region=region,
            processor=self._processor,
        )

    def _processor_seen(self) -> ProcessorSeen:
        """As the catalogue has it, so that every source says the same of an organisation."""
        connector = self._connector
        return catalogue.known(self._processor) or ProcessorSeen(
            self._processor,
            connector.name,
            connector.role,
            (connector.service_class,),
            connector.legal_entity,
            connector.head_office,
            connector.regions,
            tuple(f"{kind}: {address}" for kind, address in connector.contacts.items()),
        )

    def _dataset_seen(self, resource: Resource, records: int | None) -> DatasetSeen:
        return DatasetSeen(
            dataset_urn(self.system, resource.name),
            self.system,
            DatasetKind.API_RESOURCE,
            resource.name,
            resource.description,
            row_estimate=records,
        )

    def _resource(
        self,
        engine: Engine,
        bound: _Bound,
        resource: Resource,
        parents: dict[str, list[JsonObject]],
        detection: Detection,
    ) -> Iterator[Observation]:
        dataset = dataset_urn(self.system, resource.name)
        if resource.parent is not None and resource.parent.resource not in parents:
            yield self._dataset_seen(resource, None)  # what was known of it stays: the parent's finding says why
            return
        sample = _Sample()
        try:
            self._read(engine, bound, resource, parents, sample)
        except UnreadableError as error:
            sample.failure = error
        except SourceError as error:
            if error.code != "credentials":
                raise
            # They were good for the check: it is this resource that they do not open.
            sample.failure = UnreadableError(
                f"{self.settings.name}: {resource.name}", error.cause, error.remedy, error.code
            )
        if sample.failure is None or sample.rows:
            parents[resource.name] = sample.rows[:MOST_PARENTS]
        yield self._dataset_seen(resource, len(sample.rows) if sample.complete else None)
        if sample.failure is not None:
            yield Finding(dataset, sample.failure.code, Severity.ERROR, str(sample.failure))
        if sample.failure is None or sample.rows:
            yield from self._fields(dataset, resource, sample, detection)
            yield Covered(dataset, Aspect.CONTENT)
        if sample.failure is None:
            yield Covered(dataset, Aspect.STRUCTURE)

    def _read(
        self,
        engine: Engine,
        bound: _Bound,
        resource: Resource,
        parents: dict[str, list[JsonObject]],
        sample: _Sample,
    ) -> None:
        """Fill the sample; what was read before an error stays in it, and one of several lists may fail."""
        complete, failures, left = True, 0, float(self.settings.sampling.bytes)
        for request in _requests(resource, parents, self._emulator):
            pages = Pages(left=left)
            paging = resource.paging or bound.connector.paging
            wanted = self.settings.sampling.rows - len(sample.rows)
            if wanted <= 0 or left <= 0:
                return
            try:
                for row in islice(engine.records(request, resource.records, paging, pages), wanted):
                    sample.rows.append(row)
            except UnreadableError as error:
                sample.failure = sample.failure or error
                failures += 1
                if failures == _MOST_FAILURES or error.code == "not-granted":
                    return
            complete, left = complete and pages.complete, pages.left
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
        for observation in field_sightings(dataset, verdicts, columns, detection, known, whole=sample.complete):
            yield observation
            if isinstance(observation, FieldClassified) and is_personal(observation.category):
                personal[observation.field] = None
        yield from _references(self.system, dataset, resource)
        yield from self._disclosures(dataset, resource, sample, personal)

    def _disclosures(
        self, dataset: str, resource: Resource, sample: _Sample, personal: dict[str, None]
    ) -> Iterator[Observation]:
        if not sample.rows:
            return
        # The path as the connector has it: the account's own names stay out.
        path = next(each.path for each in self._connector.resources if each.name == resource.name)
        evidence = f"{len(sample.rows)} records returned by {resource.method} {path}"
        for source in (dataset, *personal):
            yield DisclosureSeen(source, self._processor, Provenance.API, evidence)
        for lead in leads(resource.onward, sample.rows, self._vendor.own_domains):
            if lead.recipient.processor != self._processor:
                yield lead.recipient.described
                said = lead.evidence(resource.name)
                yield DisclosureSeen(dataset, lead.recipient.processor, Provenance.API, said)
        if resource.dns is not None:
            yield from self._named_by_dns(dataset, resource.dns, sample.rows)

    def _named_by_dns(self, dataset: str, places: DnsRecords, rows: list[JsonObject]) -> Iterator[Observation]:
        """Whom DNS records name; names below the zones that they are of are our own."""
        found = [
            Record(name.lower().rstrip("."), type_.upper(), _plain_data(type_.upper(), data))
            for row in rows
            for name, type_, data in [(at(row, places.name), at(row, places.type), at(row, places.data))]
            if isinstance(name, str) and isinstance(type_, str) and isinstance(data, str)
        ]
        own = (*self._vendor.own_domains, *sorted({registrable(record.owner) for record in found} - {""}))
        yield from disclosures(dataset, Provenance.DNS, signs(found, own), said=set())


def _plain_data(type_: str, data: str) -> str:
    """A name without the last dot, or a text without the quotes that APIs show it in (also between its parts)."""
    if type_ == "TXT":
        return data.strip().replace('" "', "").strip('"')
    return data.strip().lower().rstrip(".")


@dataclass(frozen=True, slots=True)
class _Bound:
    """A connector with the settings of one source in its places."""

    connector: Connector
    base_url: str
    sign_in: SignIn


@dataclass(slots=True)
class _Sample:
    rows: list[JsonObject] = field(default_factory=list[JsonObject])
    complete: bool = False
    failure: UnreadableError | None = None


def _requests(resource: Resource, parents: dict[str, list[JsonObject]], emulator: str) -> Iterator[Request]:
    """One a list: of the resource, or of each of its parents."""
    base_url = resource.base_url or ""
    if emulator and base_url:
        base_url = moved(base_url, emulator)
    plain = Request(
        resource.name,
        resource.path,
        resource.method,
        resource.parameters,
        resource.body,
        base_url,
        resource.shape,
        resource.scopes,
    )
    if resource.parent is None:
        yield plain
        return
    placeholder = resource.parent.placeholder
    for row in parents[resource.parent.resource]:
        key = at(row, resource.parent.key)
        parts = str(key).split("/") if resource.parent.whole_path else [str(key)]
        if isinstance(key, str | int) and not {"", ".", ".."} & set(parts):
            yield replace(
                plain,
                path=placed({placeholder: "/".join(quote(part, safe="") for part in parts)}, resource.path),
                parameters=placed({placeholder: str(key)}, resource.parameters),
                body=placed({placeholder: str(key)}, resource.body),
            )


def _with_keys(column: ColumnContext, resource: Resource) -> ColumnContext:
    pointer = "/" + column.name
    target = resource.references.get(pointer, "").replace("/", ".")
    return ColumnContext(column.name, column.type, references=target, primary_key=resource.primary_key == pointer)


def _documented(verdicts: Iterable[FieldVerdict], connector: Connector) -> Iterator[FieldVerdict]:
    """The verdicts, but for what the vendor's documentation says is about nobody."""
    for verdict in verdicts:
        if _is_technical(f"/{verdict.column}{verdict.pointer}", connector.technical_keys):
            verdict = replace(
                verdict, verdicts=(), reason=f"the documentation of {connector.name} says it is technical"
            )
        yield verdict


def _is_technical(place: str, keys: Iterable[str]) -> bool:
    """Whether the place, or the array that it is an element of, ends in one of the keys."""
    place = place.removesuffix("/-")
    return any(place.endswith(key if key.startswith("/") else f"/{key}") for key in keys)


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
