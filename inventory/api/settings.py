"""How the service listens, whom it lets in and how much one request may ask for."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from inventory.api.roles import Role


class Limits(BaseModel):
    """What one request may ask for. Each limit is named in the error of a request that goes beyond it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    depth: int = Field(default=15, ge=4, description="Deepest nesting of fields in a question.")
    aliases: int = Field(default=30, ge=1, description="Most aliases in a question.")
    tokens: int = Field(default=2000, ge=100, description="Most lexical tokens in a question.")
    root_fields: int = Field(default=20, ge=1, description="Most fields at the top of a question.")
    fragments: int = Field(default=50, ge=0, description="Most fragments in a question.")
    repeats: int = Field(default=20, ge=1, description="Most times that a question names a field at one place.")
    directives: int = Field(default=20, ge=0, description="Most directives in a question.")
    introspection_depth: int = Field(default=15, ge=4, description="Deepest nesting of fields below `__schema`.")
    cost: int = Field(default=200_000, ge=1000, description="Most things that the pages of a question may hold in all.")
    list_items: int = Field(default=1000, ge=1, description="Most items of the lists in a question and its variables.")
    body_bytes: int = Field(default=256 * 2**10, ge=1024, description="Largest request body.")
    event_bytes: int = Field(default=8 * 2**20, ge=1024, description="Largest body of lineage events.")
    connections: int = Field(default=1000, ge=1, description="Most connections for subscriptions, in all.")
    subscriptions: int = Field(default=1000, ge=1, description="Most subscriptions, in all.")
    subscriptions_per_connection: int = Field(default=10, ge=1, description="Most subscriptions of one connection.")
    seconds: float = Field(default=30, gt=0, description="Longest time one request may take.")
    requests_per_second: float = Field(default=100, gt=0, description="Requests of one caller, on average.")
    requests_at_once: int = Field(default=1000, ge=1, description="Requests of one caller before the average counts.")
    sign_ins_per_minute: int = Field(default=60, ge=1, description="Attempts to sign in from one address.")


class OidcClient(BaseModel):
    """What an OpenID Connect issuer knows of this service, and what its claims mean here."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    issuer: str = Field(description="The issuer, exactly as it names itself; https, or http on this machine.")
    client_id: str = Field(min_length=1, description="Who this service is to the issuer.")
    audience: str = Field(
        default="", description="Access tokens (JWT) for this audience let programs in; none do when empty."
    )
    scopes: tuple[str, ...] = Field(default=("openid",), description="What is asked for when a person signs in.")
    roles_claim: str = Field(
        default="roles", description="Claim that says what a person is; with dots, one inside another."
    )
    roles: dict[str, tuple[Role, ...]] = Field(
        default_factory=dict[str, tuple[Role, ...]], description="Roles by the values of that claim."
    )
    default_roles: tuple[Role, ...] = Field(default=(), description="Roles of whoever the issuer lets in.")
    name_claim: str = Field(
        default="", description="Claim to name people by in decisions; by default they get a pseudonym."
    )

    @model_validator(mode="after")
    def _safe(self) -> OidcClient:
        if not is_safe_address(self.issuer) or "?" in self.issuer:
            raise ValueError("issuer should be an https address (http only on this machine), without a query")
        if "openid" not in self.scopes:
            raise ValueError("scopes should hold openid")
        if self.audience == self.client_id:
            raise ValueError("audience should not be the client_id: ID tokens would pass as access tokens")
        return self


class OidcSettings(OidcClient):
    """The issuer that people sign in with, and the secret that this service proves itself with (none is PKCE alone)."""

    client_secret: SecretStr | None = None


def is_safe_address(address: str) -> bool:
    """Whether what is sent there cannot be read or answered by others: https, or http on this machine."""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    safe = parts.scheme == "https" or (parts.scheme == "http" and host in {"127.0.0.1", "::1", "localhost"})
    return safe and bool(host) and not parts.username and not parts.fragment


def checked_origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    """The origins, each as browsers send it (`https://explorer.example`). Raises ValueError."""
    for origin in origins:
        parts = urlsplit(origin)
        if parts.scheme not in {"https", "http"} or not parts.hostname or f"{parts.scheme}://{parts.netloc}" != origin:
            raise ValueError(f"{origin} should be an origin, such as https://explorer.example")
    return origins


class ApiSettings(BaseModel):
    """Settings of the GraphQL service."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8484, ge=0, le=65535, description="Port to listen on; 0 for any free one.")
    hosts: tuple[str, ...] = Field(
        default=(),
        description="Host names that browsers and clients call the service by, besides loopback and `host`.",
    )
    https: bool = Field(default=False, description="Browsers reach the service by TLS (a proxy ends it).")
    tokens: tuple[SecretStr, ...] = Field(default=(), description="Tokens that programs sign in with (Bearer).")
    token_roles: tuple[Role, ...] = Field(
        default=(Role.ENGINEER, Role.PRIVACY), description="What programs with one of these tokens are."
    )
    ad_hoc: bool = Field(default=True, description="Answer questions that are no trusted documents, and introspection.")
    session_minutes: int = Field(default=720, ge=1, description="How long a browser stays signed in.")
    sign_in_minutes: int = Field(default=60, ge=1, description="How long a sign-in link can be used, once.")
    oidc: OidcSettings | None = Field(default=None, description="The issuer that people sign in with.")
    cors: tuple[str, ...] = Field(
        default=(), description="Origins whose pages may ask with a bearer token; cookies stay with our own pages."
    )
    limits: Limits = Limits()

    @field_validator("cors")
    @classmethod
    def _origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        return checked_origins(origins)

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """Names accepted in the Host header, without port, in lower case."""
        return frozenset({"127.0.0.1", "localhost", "::1", self.host.lower(), *(host.lower() for host in self.hosts)})
