"""What a vendor's YAML file may say, and reading it.

A connector is data only: where the API is, how to sign in and to page, and for each resource where its records are and
which of their fields hold what. Places in a record are JSON pointers (RFC 6901), with `/-` for every element of an
array and `/*` for every key of an open map.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from inventory.errors import ConfigError
from inventory.vocabulary import Vocabulary, categories, regions, roles, service_classes, subjects

FOLDER = Path(__file__).parent


def _term_of(vocabulary: Vocabulary, key: str) -> str:
    try:
        vocabulary.term(key)
    except ConfigError as error:
        raise ValueError(error.cause) from None
    return key


CategoryKey = Annotated[str, AfterValidator(lambda key: _term_of(categories(), key))]
SubjectKey = Annotated[str, AfterValidator(lambda key: _term_of(subjects(), key))]
RegionKey = Annotated[str, AfterValidator(lambda key: _term_of(regions(), key))]
RoleKey = Annotated[str, AfterValidator(lambda key: _term_of(roles(), key))]
ServiceClassKey = Annotated[str, AfterValidator(lambda key: _term_of(service_classes(), key))]
Pointer = Annotated[str, Field(pattern=r"^(/[^/\s]+)+$")]
UrlPath = Annotated[str, Field(pattern=r"^/[^\s?#]*$")]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BearerAuth(_Strict):
    """`Authorization: Bearer …`."""

    scheme: Literal["bearer"]
    token: str = Field(description="Name of the credential in the source's settings.")


class BasicAuth(_Strict):
    """`Authorization: Basic …` (RFC 7617)."""

    scheme: Literal["basic"]
    username: str = Field(description="Name of the credential in the source's settings.")
    password: str = Field(default="", description="Name of the credential; by default the password is empty.")


class HeaderAuth(_Strict):
    """A header of the vendor's own."""

    scheme: Literal["header"]
    header: str = Field(pattern=r"^[A-Za-z0-9-]+$")
    value: str = Field(description="Name of the credential in the source's settings.")


Auth: TypeAlias = Annotated[BearerAuth | BasicAuth | HeaderAuth, Field(discriminator="scheme")]


class NoPaging(_Strict):
    """One answer holds everything."""

    style: Literal["none"] = "none"


class CursorPaging(_Strict):
    """The next page begins after the last record of this one."""

    style: Literal["cursor"]
    parameter: str
    key: Pointer = Field(description="Where the cursor is in a record.")
    more: Pointer = Field(description="Where the answer says that there is more.")


class TokenPaging(_Strict):
    """The answer holds a token for the next page; without one it was the last."""

    style: Literal["token"]
    parameter: str
    token: Pointer


class OffsetPaging(_Strict):
    """The next page begins at a number; a page shorter than `size` is the last."""

    style: Literal["offset"]
    parameter: str
    size_parameter: str
    size: int = Field(ge=1, le=10_000)


class LinkPaging(_Strict):
    """The answer holds the next page's address, in its body or in a Link header (RFC 8288)."""

    style: Literal["link"]
    next: Pointer | None = Field(default=None, description="By default the Link header with rel=next.")


Paging: TypeAlias = Annotated[
    NoPaging | CursorPaging | TokenPaging | OffsetPaging | LinkPaging, Field(discriminator="style")
]


class FieldRule(_Strict):
    """What a field holds, as the vendor's documentation says."""

    category: CategoryKey
    subject: SubjectKey | None = None
    confidence: float = Field(default=0.95, gt=0, le=1, description="Lower where the vendor only suggests this use.")


class Parent(_Strict):
    """A resource that is asked for once for each record of another."""

    resource: Name
    key: Pointer
    placeholder: str = Field(pattern=r"^[a-z_]+$", description="`{placeholder}` in path and parameters.")


class Erasure(_Strict):
    """How the vendor erases a record (for requests of data subjects; a scan never calls it)."""

    method: Literal["DELETE", "POST"]
    path: UrlPath


class Resource(_Strict):
    """One list of records."""

    name: Name
    path: UrlPath
    method: Literal["GET", "POST"] = "GET"
    read_only: bool = Field(default=False, description="The vendor says that this POST changes nothing.")
    parameters: dict[str, str] = {}
    records: Pointer | None = Field(default=None, description="Where the array is; by default the answer is it.")
    primary_key: Pointer | None = None
    description: str = ""
    subject: SubjectKey | None = None
    parent: Parent | None = None
    references: dict[Pointer, str] = Field(default={}, description="Field to `resource/pointer` that it is a key of.")
    fields: dict[Pointer, FieldRule] = {}
    open_maps: tuple[Pointer, ...] = Field(
        default=(), description="Objects whose keys our own side chooses: what they hold, only a sample can tell."
    )
    paging: Paging | None = Field(default=None, description="By default the connector's.")
    erase: Erasure | None = None

    @model_validator(mode="after")
    def _changes_nothing(self) -> Resource:
        if self.method != "GET" and not self.read_only:
            raise ValueError("a request other than GET must be declared read_only: true")
        return self


class Header(_Strict):
    """A header that every request carries."""

    name: str = Field(pattern=r"^[A-Za-z0-9-]+$")
    value: str


class Connector(_Strict):
    """A vendor: who it is, and what its API holds."""

    vendor: str = Field(pattern=r"^[a-z][a-z0-9_-]*$", description="The `type` of its sources, and its namespace.")
    name: str
    legal_entity: str
    processor: str = Field(description="Key of the organisation that receives the data.")
    service_class: ServiceClassKey
    role: RoleKey
    regions: tuple[RegionKey, ...]
    documentation: str
    base_url: str = Field(pattern=r"^https://")
    hosts: tuple[str, ...] = Field(default=(), description="Other hosts that pages may be at.")
    headers: tuple[Header, ...] = Field(default=(), description="Such as the pinned version of the API.")
    auth: Auth
    paging: Paging = NoPaging()
    technical_keys: tuple[str, ...] = Field(
        default=(),
        description="Keys that hold, wherever they stand, times, amounts and states, and nothing of a person.",
    )
    check: UrlPath = Field(description="A cheap request that shows whether the credentials work.")
    resources: tuple[Resource, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_fit(self) -> Connector:
        names = [resource.name for resource in self.resources]
        if len(set(names)) < len(names):
            raise ValueError("two resources have the same name")
        for position, resource in enumerate(self.resources):
            if resource.parent is not None and resource.parent.resource not in names[:position]:
                raise ValueError(f"{resource.name}: its parent must stand before it")
            unknown = [target for target in resource.references.values() if target.split("/")[0] not in names]
            if unknown:
                raise ValueError(f"{resource.name}: refers to an unknown resource ({unknown[0]})")
        return self


def load_connector(path: Path) -> Connector:
    """Read a vendor's file; ConfigError naming the file, the place in it and what is wrong there."""
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(str(path), error.strerror or "cannot be read") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark is not None else ""
        raise ConfigError(f"{path}{place}", "is not YAML") from None
    try:
        return Connector.model_validate(content)
    except ValidationError as error:
        first, *others = error.errors(include_url=False, include_input=False)
        place = ".".join(str(part) for part in first["loc"])
        cause = "unknown key" if first["type"] == "extra_forbidden" else first["msg"].removeprefix("Value error, ")
        more = f"; and {len(others)} more" if others else ""
        raise ConfigError(f"{path}: {place}" if place else str(path), cause + more) from None


@cache
def connectors() -> dict[str, Connector]:
    """Every connector of this folder by its vendor's key."""
    found = (load_connector(path) for path in sorted(FOLDER.glob("*.yaml")))
    return {connector.vendor: connector for connector in found}
