"""How the service listens, whom it lets in and how much one request may ask for."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class Limits(BaseModel):
    """What one request may ask for. Each limit is named in the error of a request that goes beyond it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    depth: int = Field(default=15, ge=4, description="Deepest nesting of fields in a question.")
    aliases: int = Field(default=30, ge=1, description="Most aliases in a question.")
    tokens: int = Field(default=2000, ge=100, description="Most lexical tokens in a question.")
    body_bytes: int = Field(default=256 * 2**10, ge=1024, description="Largest request body.")
    event_bytes: int = Field(default=8 * 2**20, ge=1024, description="Largest body of lineage events.")
    seconds: float = Field(default=30, gt=0, description="Longest time one request may take.")


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
    session_minutes: int = Field(default=720, ge=1, description="How long a browser stays signed in.")
    sign_in_minutes: int = Field(default=60, ge=1, description="How long a sign-in link can be used, once.")
    limits: Limits = Limits()

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """Names accepted in the Host header, without port, in lower case."""
        return frozenset({"127.0.0.1", "localhost", "::1", self.host.lower(), *(host.lower() for host in self.hosts)})
