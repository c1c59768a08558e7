"""Everything that is amiss in a connector's file, each with its line.

Beyond what the schema asks: nothing secret stands in an address or in the file, every placeholder can be filled, what
refers to another resource fits, no key stands twice, and nothing is left to be curated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, cast

import yaml
from pydantic import ValidationError

from inventory.errors import ConfigError
from scanners.integrations.addresses import times
from scanners.integrations.connector import (
    BasicAuth,
    BearerAuth,
    ClientCredentialsAuth,
    Connector,
    HeaderAuth,
    Resource,
    ServiceAccountAuth,
    SignatureAuth,
)
from scanners.integrations.places import parts_of
from scanners.yaml_files import LOADER

Place: TypeAlias = tuple[str | int, ...]

#: What a draft writes where a person has to decide.
TODO = "TODO"
_STAND_INS = {"service_class": "crm", "head_office": "CA", "documentation": "https://vendor.example"}
_PLACEHOLDER = re.compile(r"\{([^{}/]*)\}")
#: Names of parameters that carry what nobody else may read; addresses end up in logs, histories and proxies.
SECRET_PARAMETERS = re.compile(
    r"(?i)(x[-_])?(api[-_]?)?(key|token|secret|password|passwd|signature|sig|auth|authorization|bearer)"
    r"|(access|auth|client|private|secret|bearer|session|personal)[-_]?(key|token|secret|id[-_]secret|password)"
    r"|app(lication)?[-_]?key|jwt|pwd"
)
_SECRET_HEADERS = re.compile(
    r"(?i)(proxy-)?authorization|cookie|.*(api-?key|-token|-secret|app-?key|application-key|password)"
)
#: Literal secrets by their vendors' prefixes, keys in PEM, tokens in three parts.
_SECRETS = re.compile(
    r"\b(sk|rk|pk)_(live|test)_\w{8,}|\bAKIA[0-9A-Z]{16}\b|\bSG\.[\w-]{16,}\.|\bghp_\w{20,}|\bxox[abpr]-[\w-]{10,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----|\beyJ[\w-]{10,}\.[\w-]{10,}\.|\bBearer [\w.~+/-]{16,}"
)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something amiss, in one line. `line` is 0 where the file has none for it."""

    line: int
    place: str  # "resources.2.fields./mail"
    message: str


def problems(path: Path) -> list[Problem]:
    """All that is amiss in the file, from its first line to its last. Raises ConfigError when it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise ConfigError(str(path), getattr(error, "strerror", None) or "is no text in UTF-8") from None
    try:
        root = yaml.compose(text, LOADER)
        content: Any = yaml.load(text, LOADER)  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        return [Problem(mark.line + 1 if mark is not None else 0, "", "is not YAML")]
    found = [(place, message) for place, message in _said(content, path.stem)]
    listed = [Problem(_line(root, place), _words(place), message) for place, message in found]
    listed += [Problem(line, "", f"{key} stands here a second time") for key, line in _twice(root)]
    return sorted(listed, key=lambda problem: (problem.line, problem.place))


def _said(content: Any, stem: str) -> Iterator[tuple[Place, str]]:
    yield from _texts(content, ())
    try:
        connector = Connector.model_validate(_with_stand_ins(content))
    except ValidationError as error:
        for each in error.errors(include_url=False, include_input=False):
            unknown = each["type"] == "extra_forbidden"
            yield each["loc"], "unknown key" if unknown else each["msg"].removeprefix("Value error, ")
        return
    if connector.vendor != stem:
        yield ("vendor",), f"the file of {connector.vendor} is called {connector.vendor}.yaml"
    yield from _of_connector(connector)
    for index, resource in enumerate(connector.resources):
        for place, message in _of_resource(connector, resource):
            yield ("resources", index, *place), message


def _with_stand_ins(content: Any) -> Any:
    """The content with something that fits where a draft has a mark, so that the rest is looked at too."""
    if not isinstance(content, dict):
        return content
    said = cast("dict[str, Any]", content)
    return said | {key: fits for key, fits in _STAND_INS.items() if said.get(key) == TODO}


def _texts(value: Any, place: Place) -> Iterator[tuple[Place, str]]:
    """What any text may not hold, wherever it stands."""
    if isinstance(value, dict):
        for key, each in cast("dict[Any, object]", value).items():
            yield from _texts(each, (*place, key))
    elif isinstance(value, list):
        for index, each in enumerate(cast("list[object]", value)):
            yield from _texts(each, (*place, index))
    elif isinstance(value, str):
        if re.search(rf"\b{TODO}\b", value):
            yield place, "is still to be curated"
        if _SECRETS.search(value):
            yield place, "looks like a secret, which belongs into the source's credentials"


def _of_connector(connector: Connector) -> Iterator[tuple[Place, str]]:
    known = {"account", *times(), *connector.variables}
    for place, text in (
        (("base_url",), connector.base_url),
        (("check",), connector.check),
        *((("hosts", index), host) for index, host in enumerate(connector.hosts)),
        *((("headers", index, "value"), header.value) for index, header in enumerate(connector.headers)),
        *(
            (("auth", "token_url"), auth.token_url)
            for auth in (connector.auth,)
            if isinstance(auth, ClientCredentialsAuth)
        ),
    ):
        yield from ((place, message) for message in _unfilled(text, known, connector))
    yield from ((("base_url",), message) for message in _secret_address(connector.base_url))
    for index, header in enumerate(connector.headers):
        if _SECRET_HEADERS.fullmatch(header.name):
            yield ("headers", index), f"{header.name} shows who asks: it belongs into auth"
    used = connector.model_dump_json(include={"base_url", "check", "hosts", "headers", "auth", "resources"})
    named = {name for name in (*_named_by(connector.auth),) if name}
    for name in connector.variables:
        if f"{{{name}}}" not in used and name not in named:
            yield ("variables", name), "is nowhere used"


def _named_by(auth: object) -> tuple[str, ...]:
    """Variables that the way of signing in takes."""
    match auth:
        case SignatureAuth():
            return (auth.region,)
        case ServiceAccountAuth():
            return (auth.subject,)
        case _:
            return ()


def credentials_of(connector: Connector) -> tuple[str, ...]:
    """Names of the credentials that a source's settings must give, in the order of the connector."""
    match connector.auth:
        case BearerAuth(token=token):
            return (token,)
        case BasicAuth(username=username, password=password):
            return tuple(name for name in (username, password) if name)
        case HeaderAuth(headers=headers):
            return tuple(dict.fromkeys(headers.values()))
        case ClientCredentialsAuth(client_id=client, client_secret=secret):
            return client, secret
        case ServiceAccountAuth(key=key):
            return (key,)
        case SignatureAuth() as auth:
            return tuple(name for name in (auth.access_key_id, auth.secret_access_key, auth.session_token) if name)


def _of_resource(connector: Connector, resource: Resource) -> Iterator[tuple[Place, str]]:
    known = {"account", *times(), *connector.variables}
    if resource.parent is not None:
        known.add(resource.parent.placeholder)
        wanted = f"{{{resource.parent.placeholder}}}"
        if wanted not in f"{resource.path} {resource.parameters} {resource.body}":
            yield ("parent", "placeholder"), f"{wanted} stands neither in path nor in parameters or body"
    for place, text in (
        (("path",), resource.path),
        (("base_url",), resource.base_url or ""),
        *((("parameters", name), value) for name, value in resource.parameters.items()),
    ):
        yield from ((place, message) for message in _unfilled(text, known, connector))
    for place, text in _strings(resource.body, ("body",)):
        for name in _PLACEHOLDER.findall(text):
            if name not in known and name in credentials_of(connector):
                yield place, f"{{{name}}} would send a credential in place of signing in"
    yield from ((("base_url",), message) for message in _secret_address(resource.base_url or ""))
    if resource.method == "GET" or resource.body is not None:
        for name in resource.parameters:
            if SECRET_PARAMETERS.fullmatch(name):
                yield ("parameters", name), "would put a secret into the address: sign in by a header"
    if resource.method == "GET" and resource.body is not None:
        yield ("body",), "a GET has none"
    yield from _references(connector, resource, known)


def _references(connector: Connector, resource: Resource, known: set[str]) -> Iterator[tuple[Place, str]]:
    others = {each.name: each for each in connector.resources}
    for pointer, target in resource.references.items():
        name, _, key = target.partition("/")
        other = others[name]
        if other.primary_key is not None and f"/{key}" != other.primary_key and f"/{key}" not in other.fields:
            yield ("references", pointer), f"{name} has neither key nor field /{key}"
    for kind in ("erase", "access"):
        request = getattr(resource, kind)
        if request is None:
            continue
        if kind == "access" and request.method not in ("GET", "POST"):
            yield (kind, "method"), "to give a record, nothing is changed"
        own = {parts_of(resource.primary_key)[-1]} if resource.primary_key is not None else set[str]()
        for name in _PLACEHOLDER.findall(request.path):
            if name in credentials_of(connector) and name not in known | own:
                yield (kind, "path"), f"{{{name}}} would put a credential into the address"


def _unfilled(text: str, known: set[str], connector: Connector) -> Iterator[str]:
    for name in _PLACEHOLDER.findall(text):
        if name in known:
            continue
        if name in credentials_of(connector):
            yield f"{{{name}}} would put a credential into the address: sign in by a header"
        else:
            yield f"{{{name}}} is neither account, nor a variable, nor the parent's placeholder"


def _secret_address(address: str) -> Iterator[str]:
    authority = address.partition("://")[2].partition("/")[0]
    if "@" in authority:
        yield "the address holds who signs in"
    for name in re.findall(r"[?&;]([^=&;#]+)=", address):
        if SECRET_PARAMETERS.fullmatch(name):
            yield f"{name} would put a secret into the address: sign in by a header"


def _strings(value: Any, place: Place) -> Iterator[tuple[Place, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for key, each in cast("Mapping[str, object]", value).items():
            yield from _strings(each, (*place, key))
    elif isinstance(value, Sequence):
        for index, each in enumerate(cast("Sequence[object]", value)):
            yield from _strings(each, (*place, index))


# --- lines ------------------------------------------------------------------------------------------------


def _line(root: yaml.Node | None, place: Place) -> int:
    """Of the innermost part of the place that the file has; parts that only the schema knows are passed over."""
    node, line = root, 1
    for part in place:
        if isinstance(node, yaml.MappingNode):
            pairs = cast("list[tuple[yaml.Node, yaml.Node]]", node.value)
            for key, value in pairs:
                if key.value == part:
                    node, line = value, key.start_mark.line + 1
                    break
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = cast("list[yaml.Node]", node.value)[part]
            line = node.start_mark.line + 1
    return line


def _twice(node: yaml.Node | None) -> Iterator[tuple[str, int]]:
    """Keys that a mapping has twice: of these, YAML would silently keep the last."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in cast("list[tuple[yaml.Node, yaml.Node]]", node.value):
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    yield key.value, key.start_mark.line + 1
                seen.add(key.value)
            yield from _twice(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in cast("list[yaml.Node]", node.value):
            yield from _twice(value)


def _words(place: Place) -> str:
    return ".".join(str(part) for part in place)
