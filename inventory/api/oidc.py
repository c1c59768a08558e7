"""People and programs that an OpenID Connect issuer vouches for.

People sign in by the authorization code flow with PKCE: `begin` gives the address to send the browser to and what has
to be remembered meanwhile, `finish` takes what came back. Programs send access tokens (JWT) of the issuer.
Both are checked against the issuer's keys, which are fetched when they are needed and again when a token names one that
is not known. What a token says of a person stays here, but for the roles and the name that decisions get; nothing of it
is logged.

Sources: OpenID Connect Core 1.0 and Discovery 1.0, RFC 7636 (PKCE), RFC 9207 (issuer in the answer), RFC 9068 (JWT
access tokens), RFC 8725 (JWT best practices), RFC 9700 (OAuth security).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote_plus

import httpx
import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from inventory.api.roles import Role
from inventory.api.settings import OidcSettings, is_safe_address
from inventory.errors import SourceError

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""What tokens may be signed with: never `none`, never a secret that both sides know (HS256)."""
LEEWAY = 30  # seconds that the issuer's clock may be off
TIMEOUT = 10.0  # seconds for one answer of the issuer
LARGEST = 2**20  # bytes of one answer
KNOWN_FOR = 3600.0  # seconds until the discovery document is read again
KEYS_KNOWN_FOR = 3600.0  # seconds until the keys are fetched again, also when no token names an unknown one
ASKED_EVERY = 10.0  # seconds between two fetches of the keys, and after the issuer did not answer
LONGEST_TOKEN = 16 * 2**10
LONGEST_NAME = 100

_log = structlog.get_logger("inventory.api")


class SignInRefused(Exception):
    """What came back does not prove who the person is; `cause` says why, without anything of the person."""

    def __init__(self, cause: str) -> None:
        self.cause = cause
        super().__init__(cause)


@dataclass(frozen=True, slots=True)
class Person:
    """Someone the issuer vouches for until `until` (seconds since the epoch)."""

    name: str
    roles: frozenset[Role]
    until: float


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is remembered while a person is at the issuer's."""

    state: str
    nonce: str
    verifier: str
    redirect: str


@dataclass(frozen=True, slots=True)
class _Endpoints:
    authorization: str
    token: str
    keys: str
    userinfo: str


class Issuer:
    """One issuer. `pseudonym_key` makes the names of people who have none here: another key, other names."""

    def __init__(
        self, settings: OidcSettings, pseudonym_key: bytes, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._pseudonym_key = pseudonym_key
        self._clock = clock
        self._endpoints: _Endpoints | None = None
        self._endpoints_until = 0.0
        self._keys: KeySet | None = None
        self._keys_at = 0.0
        self._silent_until = 0.0
        self._lock = asyncio.Lock()

    @property
    def name(self) -> str:
        """How people know it."""
        return httpx.URL(self._settings.issuer).host

    # --- people -------------------------------------------------------------------------------------------

    async def begin(self, redirect: str) -> tuple[str, Attempt]:
        """The address to send the browser to, and what to remember. Raises SourceError."""
        endpoints = await self._known_endpoints()
        attempt = Attempt(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48), redirect)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(attempt.verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": redirect,
            "scope": " ".join(self._settings.scopes),
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return str(httpx.URL(endpoints.authorization).copy_merge_params(asked)), attempt

    async def finish(self, attempt: Attempt, answer: Mapping[str, str]) -> Person:
        """The person that the answer's code stands for. Raises SignInRefused, SourceError."""
        if not hmac.compare_digest(answer.get("state", "").encode(), attempt.state.encode()):
            raise SignInRefused("the answer belongs to another attempt to sign in")
        if "iss" in answer and answer["iss"] != self._settings.issuer:
            raise SignInRefused("the answer is another issuer's")
        if "error" in answer or not answer.get("code"):
            raise SignInRefused("the issuer did not let you in")
        tokens = await self._redeem(attempt, answer["code"])
        claims = await self._claims(str(tokens.get("id_token", "")), self._settings.client_id)
        if claims is None:
            raise SignInRefused("the issuer's ID token is not valid")
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), attempt.nonce.encode()):
            raise SignInRefused("the ID token belongs to another attempt to sign in")
        if claims.get("azp", self._settings.client_id) != self._settings.client_id:
            raise SignInRefused("the ID token was made for another client")
        return self._person({**await self._userinfo(tokens, claims), **claims})

    async def _redeem(self, attempt: Attempt, code: str) -> Mapping[str, Any]:
        endpoints = await self._known_endpoints()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": attempt.redirect,
            "code_verifier": attempt.verifier,
        }
        secret, auth = self._settings.client_secret, None
        if secret is None:
            form["client_id"] = self._settings.client_id
        else:
            # RFC 6749, 2.3.1: both are form-encoded before they become the user and password of HTTP.
            auth = httpx.BasicAuth(quote_plus(self._settings.client_id), quote_plus(secret.get_secret_value()))
        status, document = await self._asked("POST", endpoints.token, data=form, auth=auth)
        if status != 200:
            raise SignInRefused("the issuer did not take the code")
        return document

    async def _userinfo(self, tokens: Mapping[str, Any], claims: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the issuer says of the person besides the ID token, where something that is needed is not in it."""
        needed = [self._settings.roles_claim, *filter(None, [self._settings.name_claim])]
        if all(_claim(claims, name) is not None for name in needed):
            return {}
        endpoints = await self._known_endpoints()
        if not endpoints.userinfo or not tokens.get("access_token"):
            return {}
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        status, said = await self._asked("GET", endpoints.userinfo, headers=bearer)
        if status != 200 or said.get("sub") != claims["sub"]:
            raise SignInRefused("the issuer does not say who you are")
        return said

    # --- programs -----------------------------------------------------------------------------------------

    async def recognise(self, token: str) -> Person | None:
        """Who sent this access token; None when it is none of the issuer's, for us, and valid. Raises SourceError."""
        if not self._settings.audience:
            return None
        claims = await self._claims(token, self._settings.audience)
        return None if claims is None else self._person(claims)

    # --- tokens -------------------------------------------------------------------------------------------

    async def _claims(self, token: str, audience: str) -> dict[str, Any] | None:
        """What a token says when it is signed by the issuer, for this audience, and valid now."""
        header = _header(token)
        if header is None or header.get("alg") not in ALGORITHMS:
            return None
        keys = await self._keys_with(header.get("kid"))
        registry = jwt.JWTClaimsRegistry(
            leeway=LEEWAY,
            iss={"essential": True, "value": self._settings.issuer},
            aud={"essential": True, "value": audience},
            sub={"essential": True},
            exp={"essential": True},
        )
        try:
            claims = jwt.decode(token, keys, algorithms=list(ALGORITHMS)).claims
            registry.validate(claims)
        except (JoseError, ValueError, TypeError, OverflowError, RecursionError):
            return None
        return claims

    def _person(self, claims: Mapping[str, Any]) -> Person:
        values = _words(_claim(claims, self._settings.roles_claim))
        roles = {role for value in values for role in self._settings.roles.get(value, ())}
        name = _claim(claims, self._settings.name_claim) if self._settings.name_claim else None
        if not isinstance(name, str) or not name.strip():
            name = self._pseudonym(str(claims["sub"]))
        said = "person " + "".join(letter for letter in name if letter.isprintable())[:LONGEST_NAME]  # no token's name
        # An absurdly late end is as good as none: the session's own time holds.
        until = float(min(claims["exp"], time.time() + 10 * 365 * 86400))
        return Person(said, frozenset(roles | set(self._settings.default_roles)), until)

    def _pseudonym(self, subject: str) -> str:
        digest = hmac.new(self._pseudonym_key, f"{self._settings.issuer}\0{subject}".encode(), hashlib.sha256)
        return digest.hexdigest()[:16]

    # --- what the issuer publishes ------------------------------------------------------------------------

    async def _keys_with(self, kid: object) -> KeySet:
        """The issuer's keys; fetched anew, though not often, when none has the id that a token names."""
        if (known := self._known_keys(kid)) is not None:
            return known
        async with self._lock:
            if (known := self._known_keys(kid)) is not None:  # another request has fetched them meanwhile
                return known
            try:
                self._keys = await self._fetched_keys()
            except SourceError:
                if self._keys is None:
                    raise
                _log.warning("the issuer's keys could not be fetched again", issuer=self.name)
            self._keys_at = self._clock()
            return self._keys

    def _known_keys(self, kid: object) -> KeySet | None:
        age = self._clock() - self._keys_at
        if self._keys is None or age >= KEYS_KNOWN_FOR:
            return None
        return self._keys if _has(self._keys, kid) or age < ASKED_EVERY else None

    async def _fetched_keys(self) -> KeySet:
        endpoints = await self._known_endpoints()
        status, document = await self._asked("GET", endpoints.keys)
        listed = document.get("keys")
        if status != 200 or not isinstance(listed, list):
            raise self._trouble("does not give its keys")
        usable = [key for key in cast("list[object]", listed) if _may_verify(key)]
        try:
            return KeySet.import_key_set({"keys": cast("Any", usable)})
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise self._trouble("gives keys that cannot be read") from error

    async def _known_endpoints(self) -> _Endpoints:
        if self._endpoints is not None and self._clock() < self._endpoints_until:
            return self._endpoints
        address = self._settings.issuer.rstrip("/") + "/.well-known/openid-configuration"
        try:
            status, document = await self._asked("GET", address)
            if status != 200:
                raise self._trouble("has no discovery document")
            self._endpoints = self._checked(document)
        except SourceError:
            if self._endpoints is None:
                raise
        self._endpoints_until = self._clock() + KNOWN_FOR
        return self._endpoints

    def _checked(self, document: Mapping[str, Any]) -> _Endpoints:
        if document.get("issuer") != self._settings.issuer:
            raise self._trouble("calls itself otherwise in its discovery document", "write `issuer` as it does")
        found = [
            str(document.get(name, ""))
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint")
        ]
        if not all(is_safe_address(address) for address in (found if found[3] else found[:3])):
            raise self._trouble("gives addresses that are not safe in its discovery document")
        return _Endpoints(*found)

    async def _asked(self, method: str, address: str, **given: Any) -> tuple[int, Mapping[str, Any]]:
        """Status and JSON of an answer; of one that holds no JSON object, an empty one. Raises SourceError."""
        if self._clock() < self._silent_until:
            raise self._trouble("did not answer a moment ago")
        body = bytearray()
        try:
            async with (
                asyncio.timeout(TIMEOUT),
                httpx.AsyncClient(timeout=TIMEOUT) as client,
                client.stream(method, address, **given) as answer,
            ):
                async for piece in answer.aiter_bytes():
                    body += piece
                    if len(body) > LARGEST:
                        raise self._trouble("answers more than it should")
                status = answer.status_code
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError):
            self._silent_until = self._clock() + ASKED_EVERY
            _log.warning("the issuer does not answer", issuer=self.name)
            raise self._trouble("does not answer") from None
        try:
            document: object = json.loads(body)
        except (ValueError, RecursionError):
            document = {}
        return status, cast("Mapping[str, Any]", document) if isinstance(document, dict) else {}

    def _trouble(self, cause: str, remedy: str = "sign in another way, or try again later") -> SourceError:
        return SourceError(f"issuer {self.name}", cause, remedy)


def _header(token: str) -> Mapping[str, Any] | None:
    """The header of a compact JWS; None for anything else."""
    if len(token) > LONGEST_TOKEN or token.count(".") != 2:
        return None
    first = token.partition(".")[0]
    try:
        header: object = json.loads(base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    except (ValueError, RecursionError):
        return None
    return cast("Mapping[str, Any]", header) if isinstance(header, dict) else None


def _has(keys: KeySet, kid: object) -> bool:
    return kid is None or any(key.kid == kid for key in keys.keys)


def _may_verify(key: object) -> bool:
    """Whether this is a public key for signatures: a symmetric one would let whoever knows it sign."""
    return (
        isinstance(key, dict)
        and cast("dict[str, object]", key).get("kty") in {"RSA", "EC", "OKP"}
        and cast("dict[str, object]", key).get("use", "sig") == "sig"
    )


def _claim(claims: Mapping[str, Any], name: str) -> object:
    """A claim by its name, or by a way through claims inside others (`realm_access.roles`)."""
    if name in claims:
        return claims[name]
    value: object = claims
    for part in name.split("."):
        value = cast("Mapping[str, object]", value).get(part) if isinstance(value, dict) else None
    return value


def _words(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [word for word in cast("list[object]", value) if isinstance(word, str)] if isinstance(value, list) else []
