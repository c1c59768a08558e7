"""What a vendor's YAML file may say, and reading it.

A connector is data only: where the API is, how to sign in and to page, and for each resource where its records are and
which of their fields hold what. Places in a record are JSON pointers (RFC 6901), with `/-` for every element of an
array and `/*` for every key of an open map.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from inventory.errors import ConfigError
from inventory.vocabulary import Vocabulary, categories, regions, roles, service_classes, subjects
from scanners.yaml_files import read_as

FOLDER = Path(__file__).parent / "vendors"


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
HttpsUrl = Annotated[str, Field(pattern=r"^https://[^\s]+$")]
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")]
VariableName = Annotated[str, Field(pattern=r"^[a-z][a-z_]*$")]
UrlPath = Annotated[str, Field(pattern=r"^/[^\s?#]*$")]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BearerAuth(_Strict):
    """`Authorization: Bearer …`."""

    scheme: Literal["bearer"]
    token: str = Field(description="Name of the credential in the source's settings.")
    prefix: str = Field(default="Bearer ", description="What stands before the token, where a vendor has its own word.")


class BasicAuth(_Strict):
    """`Authorization: Basic …` (RFC 7617)."""

    scheme: Literal["basic"]
    username: str = Field(description="Name of the credential in the source's settings.")
    password: str = Field(default="", description="Name of the credential; by default the password is empty.")


class HeaderAuth(_Strict):
    """One or several headers of the vendor's own."""

    scheme: Literal["header"]
    headers: dict[HeaderName, str] = Field(min_length=1, description="Header to the credential's name.")


class ClientCredentialsAuth(_Strict):
    """A token for a client's identifier and secret (OAuth 2.0, RFC 6749, 4.4), asked for again when it expires."""

    scheme: Literal["oauth2_client_credentials"]
    token_url: str = Field(pattern=r"^(https:/)?/[^\s?#]+$", description="An address, or a path of `base_url`.")
    client_id: str = Field(description="Name of the credential in the source's settings.")
    client_secret: str = Field(description="Name of the credential in the source's settings.")
    scopes: tuple[str, ...] = ()
    audience: str = ""
    client_in: Literal["basic", "body"] = Field(default="basic", description="Where the client's secret is sent.")


class ServiceAccountAuth(_Strict):
    """A token for a signed assertion (RFC 7523), as Google's service accounts have it."""

    scheme: Literal["oauth2_service_account"]
    key: str = Field(description="Name of the credential: the account's key file (JSON).")
    scopes: tuple[str, ...] = Field(min_length=1)
    subject: str = Field(default="", description="Variable that names the person it acts for (domain-wide delegation).")


class SignatureAuth(_Strict):
    """Amazon's signature of each request (SigV4)."""

    scheme: Literal["sigv4"]
    service: str = Field(description="As the signature names it: `ses`.")
    region: str = Field(description="Variable that holds the region.")
    access_key_id: str = Field(description="Name of the credential in the source's settings.")
    secret_access_key: str = Field(description="Name of the credential in the source's settings.")
    session_token: str = Field(default="", description="Name of the credential; none by default.")


Auth: TypeAlias = Annotated[
    BearerAuth | BasicAuth | HeaderAuth | ClientCredentialsAuth | ServiceAccountAuth | SignatureAuth,
    Field(discriminator="scheme"),
]


ParameterName = Annotated[
    str,
    Field(min_length=1, description="In the query (of a POST without `body`: in its form), or a pointer into `body`."),
]


class NoPaging(_Strict):
    """One answer holds everything."""

    style: Literal["none"] = "none"


class CursorPaging(_Strict):
    """The next page begins after the last record of this one."""

    style: Literal["cursor"]
    parameter: ParameterName
    key: Pointer = Field(description="Where the cursor is in a record.")
    more: Pointer = Field(description="Where the answer says that there is more.")


class TokenPaging(_Strict):
    """The answer holds a token for the next page; without one it was the last."""

    style: Literal["token"]
    parameter: ParameterName
    token: Pointer
    more: Pointer | None = Field(default=None, description="Where the answer says that there is more, if it does.")


class OffsetPaging(_Strict):
    """The next page begins at a number; a page shorter than `size` is the last."""

    style: Literal["offset"]
    parameter: ParameterName
    size_parameter: ParameterName
    size: int = Field(ge=1, le=10_000)


class NumberPaging(_Strict):
    """Pages have numbers; an empty page, or one shorter than `size`, is the last."""

    style: Literal["number"]
    parameter: ParameterName
    first: Literal[0, 1] = 1
    size_parameter: str = ""
    size: int = Field(ge=1, le=10_000)
    carry: dict[ParameterName, Pointer] = Field(
        default={}, description="What further pages are to be asked with, and where the answer holds it."
    )


class LinkPaging(_Strict):
    """The answer holds the next page's address, in its body or in a Link header (RFC 8288)."""

    style: Literal["link"]
    next: Pointer | None = Field(default=None, description="By default the Link header with rel=next.")
    ends_empty: bool = Field(
        default=False, description="Every page has a next one: the last is the one with no records."
    )


Paging: TypeAlias = Annotated[
    NoPaging | CursorPaging | TokenPaging | OffsetPaging | NumberPaging | LinkPaging, Field(discriminator="style")
]


class FieldRule(_Strict):
    """What a field holds. `provenance`: the vendor's API description says so, we read its documentation so (curated),
    or it was seen in answers."""

    category: CategoryKey
    subject: SubjectKey | None = None
    provenance: Literal["spec", "curated", "observed"] = "curated"
    confidence: float = Field(default=0.95, gt=0, le=1, description="Lower where the vendor only suggests this use.")


class Parent(_Strict):
    """A resource that is asked for once for each record of another."""

    resource: Name
    key: Pointer
    placeholder: str = Field(pattern=r"^[a-z_]+$", description="`{placeholder}` in path and parameters.")
    whole_path: bool = Field(default=False, description="The key is a path of several parts: `properties/1234`.")


class SubjectRequest(_Strict):
    """How the vendor erases a record, or gives all of it (for requests of data subjects; a scan never calls it)."""

    method: Literal["GET", "DELETE", "POST", "PUT", "PATCH"]
    path: UrlPath
    note: str = Field(default="", description="What it leaves, how long it takes, what else must be done.")


class Onward(_Strict):
    """A field that names where the vendor sends data on: its host, or its vendor, is looked up in the catalogue."""

    at: Pointer
    kind: Literal["url", "host", "email", "vendor"]
    note: str = Field(description="What goes there, in a few words: `events by webhook`.")


class DnsRecords(_Strict):
    """Where in a record of the resource a DNS record's parts are: whom it names is observed as in a zone file."""

    name: Pointer = Field(description="Its owner's full name.")
    type: Pointer = Field(description="MX, TXT, CNAME, …")
    data: Pointer = Field(description="The name it leads to, or its text.")


class Resource(_Strict):
    """One list of records."""

    name: Name
    path: UrlPath
    base_url: HttpsUrl | None = Field(default=None, description="By default the connector's.")
    method: Literal["GET", "POST"] = "GET"
    read_only: bool = Field(default=False, description="The vendor says that this POST changes nothing.")
    parameters: dict[str, str] = Field(default={}, description="Of the query, or of the body of a POST.")
    body: Any = Field(
        default=None, description="JSON that a POST sends, in place of a form; parameters then go into the query."
    )
    records: Pointer | None = Field(
        default=None, description="Where the records are (`/-` and `/*` on the way); by default the answer is them."
    )
    shape: Literal["list", "record", "map", "values"] = Field(
        default="list",
        description="Records in an array; one record; a map of records by key (the key becomes `_key`); an array of "
        "plain values (each becomes `value`).",
    )
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
    onward: tuple[Onward, ...] = ()
    dns: DnsRecords | None = Field(default=None, description="When its records are DNS records.")
    scopes: tuple[str, ...] = Field(default=(), description="The least permission that reading it takes.")
    erase: SubjectRequest | None = None
    access: SubjectRequest | None = None

    @model_validator(mode="after")
    def _changes_nothing(self) -> Resource:
        if self.method != "GET" and not self.read_only:
            raise ValueError("a request other than GET must be declared read_only: true")
        return self


class Header(_Strict):
    """A header that every request carries."""

    name: HeaderName
    value: str


class Connector(_Strict):
    """A vendor: who it is, and what its API holds.

    `{account}` and `{<variable>}` in addresses, paths, parameters and headers stand for what the source's settings say;
    `{now}` and `{month_ago}` for the time of the scan and thirty days before (RFC 3339, UTC).
    """

    vendor: str = Field(pattern=r"^[a-z][a-z0-9_-]*$", description="The `type` of its sources, and its namespace.")
    name: str
    legal_entity: str
    processor: str = Field(description="Key of the organisation that receives the data.")
    service_class: ServiceClassKey
    role: RoleKey
    head_office: RegionKey
    regions: tuple[RegionKey, ...] = Field(description="Where it says that it holds data.")
    documentation: HttpsUrl
    verified: Literal["specification", "emulator", "documentation"] = Field(
        description="What it was tried against: the vendor's own API description, an emulator, or a server of our own "
        "after the public documentation."
    )
    api_version: str = Field(default="", description="The version of the API that the file speaks of.")
    dpa: HttpsUrl | None = Field(default=None, description="The agreement on processing of data.")
    sub_processors: HttpsUrl | None = Field(default=None, description="The list of those it passes data on to.")
    contacts: dict[Literal["privacy", "erasure", "security"], str] = Field(
        default={}, description="Addresses (https: or mailto:) for what the API cannot do."
    )
    base_url: str = Field(pattern=r"^https://")
    variables: dict[VariableName, str] = Field(default={}, description="What the settings must say, and what it is.")
    hosts: tuple[str, ...] = Field(default=(), description="Other hosts that pages may be at.")
    headers: tuple[Header, ...] = Field(default=(), description="Such as the pinned version of the API.")
    auth: Auth
    paging: Paging = NoPaging()
    technical_keys: tuple[str, ...] = Field(
        default=(),
        description="Keys that hold, wherever they stand, times, amounts and states, and nothing of a person; "
        "`/Client/Name` is the key below another.",
    )
    check: UrlPath = Field(description="A cheap request that shows whether the credentials work.")
    check_body: Any = Field(default=None, description="JSON to send there by POST, where GET answers nothing.")
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

    @model_validator(mode="after")
    def _variables_are_named(self) -> Connector:
        auth = self.auth
        named = auth.region if isinstance(auth, SignatureAuth) else ""
        named = auth.subject if isinstance(auth, ServiceAccountAuth) else named
        if named and named not in self.variables:
            raise ValueError(f"auth: {named} must stand in variables")
        return self


def load_connector(path: Path) -> Connector:
    """Read a vendor's file; ConfigError naming the file, the place in it and what is wrong there."""
    return read_as(_FORM, path)


_FORM = TypeAdapter(Connector)


@cache
def connectors() -> dict[str, Connector]:
    """Every connector of this folder by its vendor's key."""
    found = (load_connector(path) for path in sorted(FOLDER.glob("*.yaml")))
    return {connector.vendor: connector for connector in found}
