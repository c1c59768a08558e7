"""How each request shows who asks, in each of the ways that a connector can name."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol, TypeAlias, cast

import httpx

from inventory.errors import ConfigError, SourceError
from scanners.integrations.addresses import moved
from scanners.integrations.connector import (
    BasicAuth,
    BearerAuth,
    ClientCredentialsAuth,
    Connector,
    HeaderAuth,
    ServiceAccountAuth,
    SignatureAuth,
)
from scanners.integrations.signature import Key, signed_headers

#: Google's, of all its service accounts (developers.google.com/identity/protocols/oauth2/service-account).
GOOGLE_TOKENS = "https://oauth2.googleapis.com/token"
_EARLY = 60.0  # seconds before its end at which a token is no longer used
_ASSERTION_SECONDS = 3600

Form: TypeAlias = Mapping[str, str]
#: Posts a form to an address with some headers, and gives the JSON of the answer.
Post: TypeAlias = Callable[[str, Form, Mapping[str, str]], Any]
Clock: TypeAlias = Callable[[], float]


class SignIn(Protocol):
    """Signs requests. `tokens_at` is where it asks for tokens, "" if it needs none."""

    @property
    def tokens_at(self) -> str:
        """The address that tokens come from."""
        ...

    def sign(self, request: httpx.Request, post: Post) -> None:
        """Add what shows who asks. Raises what `post` raises."""
        ...

    def renew(self) -> bool:
        """After a refusal: whether the same request, signed anew, may be accepted."""
        ...


@dataclass(frozen=True, slots=True)
class FixedHeaders:
    """The same headers on every request."""

    headers: Mapping[str, str] = field(repr=False)
    tokens_at: str = ""

    def sign(self, request: httpx.Request, post: Post) -> None:
        """Add them."""
        del post
        request.headers.update(self.headers)

    def renew(self) -> bool:
        """They stay the same."""
        return False


@dataclass(frozen=True, slots=True)
class SignedRequests:
    """A signature over each request (SigV4)."""

    key: Key
    tokens_at: str = ""

    def sign(self, request: httpx.Request, post: Post) -> None:
        """Sign it as it is."""
        del post
        now = datetime.now(UTC)
        request.url = request.url.copy_with(query=request.url.query.replace(b"+", b"%20") or None)
        request.headers.update(signed_headers(self.key, request.method, str(request.url), request.content, now))

    def renew(self) -> bool:
        """The signature says nothing that ends."""
        return False


@dataclass(slots=True)
class Tokens:
    """A bearer token, asked for when there is none or it ends. `asking` gives the form and headers to ask with."""

    source: str
    tokens_at: str
    asking: Callable[[], tuple[Form, Mapping[str, str]]]
    clock: Clock = time.monotonic
    _token: str = field(default="", repr=False)
    _ends: float = 0.0

    def sign(self, request: httpx.Request, post: Post) -> None:
        """Add the token. Raises SourceError when there is none to be had."""
        if not self._token or self.clock() >= self._ends:
            self._ask(post)
        request.headers["Authorization"] = f"Bearer {self._token}"

    def renew(self) -> bool:
        """A token may have ended before its time, or been revoked: another is asked for."""
        self._token = ""
        return True

    def _ask(self, post: Post) -> None:
        form, headers = self.asking()
        answer = post(self.tokens_at, form, headers)
        said = cast("dict[str, object]", answer) if isinstance(answer, dict) else {}
        token, seconds = said.get("access_token"), said.get("expires_in")
        if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
            raise SourceError(self.source, "no token is given for the credentials", "check credentials", "credentials")
        self._token = token
        lasts = _seconds(seconds)
        self._ends = self.clock() + max(lasts - _EARLY, lasts / 2)


def _seconds(value: object) -> float:
    """Of `expires_in`; without one (RFC 6749, 5.1, only recommends it) the token is used until it is refused."""
    try:
        return max(float(cast("Any", value)), 0.0)
    except (TypeError, ValueError):
        return float("inf")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the settings of a source say: `secret` reads a credential by its name (raises ConfigError)."""

    source: str
    secret: Callable[[str], str]
    text: Callable[[str], str]  # one that has several lines
    variables: Mapping[str, str]


def sign_in_of(connector: Connector, credentials: Credentials, base_url: str, moved_to: str = "") -> SignIn:
    """The connector's way of signing in; `moved_to` is the emulator's address, if it is one. Raises ConfigError."""
    secret = credentials.secret
    match connector.auth:
        case BearerAuth(token=name, prefix=prefix):
            return FixedHeaders({"Authorization": prefix + secret(name)})
        case BasicAuth(username=username, password=password):
            return FixedHeaders({"Authorization": _basic(secret(username), secret(password) if password else "")})
        case HeaderAuth(headers=named):
            return FixedHeaders({header: secret(name) for header, name in named.items()})
        case ClientCredentialsAuth() as auth:
            address = base_url.rstrip("/") + auth.token_url if auth.token_url.startswith("/") else auth.token_url
            return _client(auth, credentials, moved(address, moved_to) if moved_to else address)
        case ServiceAccountAuth() as auth:
            return _service_account(auth, credentials, moved(GOOGLE_TOKENS, moved_to) if moved_to else GOOGLE_TOKENS)
        case SignatureAuth() as auth:
            return _signed(auth, credentials)


def _basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def _client(auth: ClientCredentialsAuth, credentials: Credentials, address: str) -> Tokens:
    identifier, secret = credentials.secret(auth.client_id), credentials.secret(auth.client_secret)
    form = {"grant_type": "client_credentials"}
    if auth.scopes:
        form["scope"] = " ".join(auth.scopes)
    if auth.audience:
        form["audience"] = auth.audience
    headers: dict[str, str] = {}
    if auth.client_in == "basic":
        headers["Authorization"] = _basic(identifier, secret)
    else:
        form |= {"client_id": identifier, "client_secret": secret}
    return Tokens(credentials.source, address, lambda: (form, headers))


def _signed(auth: SignatureAuth, credentials: Credentials) -> SignedRequests:
    return SignedRequests(
        Key(
            credentials.secret(auth.access_key_id),
            credentials.secret(auth.secret_access_key),
            auth.service,
            credentials.variables[auth.region],
            credentials.secret(auth.session_token) if auth.session_token else "",
        )
    )


def _service_account(auth: ServiceAccountAuth, credentials: Credentials, address: str) -> Tokens:
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import RSAKey

    refused = ConfigError(credentials.source, f"credentials.{auth.key} is no key file of a service account")
    try:
        said: Any = json.loads(credentials.text(auth.key))
        issuer, pem, identifier = str(said["client_email"]), str(said["private_key"]), said.get("private_key_id")
        key = RSAKey.import_key(pem)
    except (ValueError, TypeError, KeyError, AttributeError, JoseError):
        raise refused from None

    def asking() -> tuple[Form, Mapping[str, str]]:
        now = int(time.time())
        claims = {"iss": issuer, "scope": " ".join(auth.scopes), "aud": GOOGLE_TOKENS, "iat": now}
        claims["exp"] = now + _ASSERTION_SECONDS
        if auth.subject:
            claims["sub"] = credentials.variables[auth.subject]
        header = {"alg": "RS256", "typ": "JWT"} | ({"kid": str(identifier)} if identifier else {})
        assertion = jwt.encode(header, claims, key)
        return {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}, {}

    return Tokens(credentials.source, address, asking)
