"""Every connector against its vendor's own API description, where there is one in ../shared/specs.

First without a server: each method and path is there, each required parameter is sent, and each place of a record is
in the answer's schema. Then a Prism that serves all these descriptions at once is scanned as each vendor's account.
Google's discovery documents and botocore's service models are put into the form of OpenAPI before that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from inventory.model import DatasetSeen, FieldClassified, FieldSeen, Finding
from scanners.base import Sampling, ScanContext
from scanners.integrations.connector import (
    BasicAuth,
    BearerAuth,
    ClientCredentialsAuth,
    Connector,
    CursorPaging,
    HeaderAuth,
    LinkPaging,
    NumberPaging,
    OffsetPaging,
    Resource,
    ServiceAccountAuth,
    TokenPaging,
    connectors,
)
from scanners.integrations.vendor import VendorScanner

SPECS = Path(__file__).resolve().parents[5] / "shared" / "specs"

#: google-api-python-client ships the discovery documents of all of Google's APIs.
GOOGLE_CLIENT = find_spec("googleapiclient") is not None
#: Of each vendor, its descriptions.
DESCRIPTIONS: dict[str, tuple[str, ...]] = {
    "adyen": ("adyen/ManagementService-v3.json",),
    "amazon_ses": ("botocore:sesv2",),
    "auth0": ("auth0/management-api-oas.json",),
    "cloudflare": ("cloudflare/openapi.json",),
    "datadog": ("datadog/openapi-v1.yaml", "datadog/openapi-v2-2026-04-14.yaml"),
    "google_analytics": (
        "google/analyticsadmin.v1beta.json",
        *(("googleapiclient:analyticsadmin.v1alpha", "googleapiclient:analyticsdata.v1beta") if GOOGLE_CLIENT else ()),
    ),
    "google_cloud": (
        "google/cloudresourcemanager.v3.json",
        "google/sqladmin.v1.json",
        "google/storage.v1.json",
        "google/logging.v2.json",
    ),
    "google_workspace": ("google/admin.directory_v1.json",),
    "hetzner": ("hetzner/hcloud.json",),
    "intercom": ("intercom/api.intercom.io.yaml",),
    "mailgun": ("mailgun/openapi.yaml",),
    "paypal": tuple(
        f"paypal/{name}.json"
        for name in ("reporting_transactions_v1", "invoicing_v2", "customer_disputes_v1", "notifications_webhooks_v1")
    ),
    "resend": ("resend/resend.json",),
    "sendgrid": tuple(
        f"sendgrid/tsg_{name}_v3.json"
        for name in (
            *("mc_contacts", "mc_lists", "mc_senders", "suppressions", "verified_senders", "teammates"),
            *("subusers", "webhooks", "integrations", "scopes"),
        )
    ),
    "sentry": ("sentry/openapi-derefed.json",),
    "stripe": ("stripe/spec3.json",),
    "stripe_identity": ("stripe/spec3.json",),
    "xero": ("xero/xero_accounting.yaml",),
}
#: Those that another emulator serves better: stripe-mock, moto.
NOT_BY_PRISM = {"stripe", "stripe_identity", "amazon_ses"}
#: What a description does not say and is so: (vendor, resource or "", what) and how it is known.
UNDESCRIBED = {
    ("cloudflare", "access_apps", "page"): "listed since 2025; the description is of 2024",
    ("cloudflare", "access_apps", "per_page"): "listed since 2025; the description is of 2024",
    ("cloudflare", "access_users", "page"): "listed since 2025; the description is of 2024",
    ("cloudflare", "access_users", "per_page"): "listed since 2025; the description is of 2024",
    ("mailgun", "events", "/recipient"): "in the examples of the description itself",
    ("resend", "contacts", "/has_more"): "in the answers of all lists of the API",
    ("intercom", "activity_logs", "starting_after"): "what the answers' pages.next gives is asked with",
    ("intercom", "contacts", "starting_after"): "what the answers' pages.next gives is asked with",
    ("intercom", "contacts", "per_page"): "the same in all lists of the API",
    ("intercom", "contact_notes", "starting_after"): "what the answers' pages.next gives is asked with",
    ("stripe", "charges", "/invoice"): "in the version of the API that the connector pins",
    ("stripe", "invoices", "/subscription"): "in the version of the API that the connector pins",
}
#: APIs of a vendor that no description is at hand of.
NO_DESCRIPTION = (
    ("https://analyticsdata.googleapis.com/", "https://analyticsadmin.googleapis.com/v1alpha/")
    if not GOOGLE_CLIENT
    else ()
)


# --- descriptions -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Operation:
    """A method on a path, of a document that its references point into."""

    document: Mapping[str, Any]
    url: str  # path of the server and path of the operation
    method: str
    content: Mapping[str, Any]
    parameters: tuple[Mapping[str, Any], ...]


@pytest.fixture(scope="session")
def operation(request) -> Callable[[str, str, str], Operation | None]:
    """`operation(vendor, method, url)`: what a vendor's descriptions say of it."""
    folder = request.config.cache.mkdir("specifications")

    @cache
    def of_vendor(vendor: str) -> dict[tuple[str, str], Operation]:
        return {
            (each.method, shape_of(each.url)): each
            for name in DESCRIPTIONS[vendor]
            for each in operations(document(name, folder))
        }

    return lambda vendor, method, url: of_vendor(vendor).get((method.lower(), shape_of(url)))


def shape_of(url: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", url)


def document(name: str, folder: Path) -> dict[str, Any]:
    kind, _, service = name.rpartition(":")
    if kind == "botocore":
        from botocore.loaders import Loader

        return of_botocore(Loader().load_service_model(service, "service-2"))
    if kind == "googleapiclient":
        shipped = files("googleapiclient") / "discovery_cache" / "documents" / f"{service}.json"
        return of_discovery(json.loads(shipped.read_text(encoding="utf-8")))
    path = SPECS / name
    if not path.exists():
        pytest.skip(f"../shared/specs/{name} is not here")
    content = json.loads(path.read_text()) if path.suffix == ".json" else from_yaml(path, folder)
    return of_discovery(content) if content.get("discoveryVersion") else content


def from_yaml(path: Path, folder: Path) -> dict[str, Any]:
    """YAML of megabytes takes seconds: kept as JSON for the next run."""
    state = path.stat()
    kept = folder / f"{path.stem}-{state.st_size}-{state.st_mtime_ns}.json"
    if not kept.exists():
        content = yaml.load(path.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        kept.write_text(json.dumps(content, default=str))
    return json.loads(kept.read_text())


def operations(description: Mapping[str, Any]) -> Iterator[Operation]:
    for path, item in description["paths"].items():
        for method, content in item.items():
            if method not in ("get", "post", "put", "patch", "delete"):
                continue
            servers = content.get("servers") or item.get("servers") or description.get("servers") or [{"url": ""}]
            # A server of PayPal's reporting repeats the beginning of its paths.
            base = urlsplit(servers[0]["url"].replace("{", "").replace("}", "")).path.rstrip("/")
            url = path if base and path.startswith(base) else base + path
            both = [*item.get("parameters", ()), *content.get("parameters", ())]
            parameters = tuple(resolved(each, description) for each in both)
            yield Operation(description, url, method, content, parameters)


def resolved(value: Any, root: Mapping[str, Any]) -> Any:
    for _ in range(20):
        if not isinstance(value, dict) or "$ref" not in value:
            return value
        reference, value = value["$ref"], root
        for part in reference[2:].split("/"):
            value = value[part.replace("~1", "/").replace("~0", "~").replace("%7B", "{").replace("%7D", "}")]
    raise AssertionError("references without end")


def of_discovery(discovery: Mapping[str, Any]) -> dict[str, Any]:
    """A discovery document of Google's as OpenAPI."""

    def schema(value: Any) -> Any:
        if isinstance(value, list):
            return [schema(each) for each in value]
        if not isinstance(value, dict):
            return value
        if isinstance(value.get("$ref"), str):
            return {"$ref": f"#/components/schemas/{value['$ref']}"}
        if value.get("type") == "any":
            return {}
        kept = {"type", "properties", "items", "additionalProperties", "enum"}
        return {
            key: {name: schema(each) for name, each in inner.items()} if key == "properties" else schema(inner)
            for key, inner in value.items()
            if key in kept
        }

    def methods(holder: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        yield from holder.get("methods", {}).values()
        for inner in holder.get("resources", {}).values():
            yield from methods(inner)

    paths: dict[str, Any] = {}
    for method in methods(discovery):
        path = f"/{discovery['servicePath']}{method.get('flatPath', method['path'])}".replace("//", "/")
        named = re.findall(r"\{([^}]*)\}", path)
        parameters = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in named]
        parameters += [
            {"name": name, "in": "query", "required": bool(said.get("required")), "schema": {"type": said["type"]}}
            for name, said in {**discovery.get("parameters", {}), **method.get("parameters", {})}.items()
            if said["location"] == "query"
        ]
        answer = {"application/json": {"schema": schema(method.get("response", {"type": "object"}))}}
        operation = {"parameters": parameters, "responses": {"200": {"description": "", "content": answer}}}
        if "request" in method:
            operation["requestBody"] = {"content": {"application/json": {"schema": {}}}}
        paths.setdefault(path, {})[method["httpMethod"].lower()] = operation
    schemas = {name: schema(value) for name, value in discovery["schemas"].items()}
    return {"openapi": "3.0.3", "info": {}, "paths": paths, "components": {"schemas": schemas}}


def of_botocore(model: Mapping[str, Any]) -> dict[str, Any]:
    """A service model of botocore's (rest-json) as OpenAPI."""

    def schema(shape: Mapping[str, Any]) -> Any:
        match shape["type"]:
            case "structure":
                members = {name: {"$ref": f"#/shapes/{each['shape']}"} for name, each in shape["members"].items()}
                return {"type": "object", "properties": members}
            case "list":
                return {"type": "array", "items": {"$ref": f"#/shapes/{shape['member']['shape']}"}}
            case "map":
                return {"type": "object", "additionalProperties": {"$ref": f"#/shapes/{shape['value']['shape']}"}}
            case plain:
                return {"type": plain}

    paths: dict[str, Any] = {}
    for each in model["operations"].values():
        given = model["shapes"][each["input"]["shape"]]
        parameters = [
            {
                "name": member["locationName"],
                "in": {"uri": "path", "querystring": "query"}.get(member["location"], member["location"]),
                "required": name in given.get("required", ()),
            }
            for name, member in given["members"].items()
            if "location" in member
        ]
        answer = {"application/json": {"schema": {"$ref": f"#/shapes/{each['output']['shape']}"}}}
        operation = {"parameters": parameters, "responses": {"200": {"content": answer}}}
        paths.setdefault(each["http"]["requestUri"], {})[each["http"]["method"].lower()] = operation
    shapes = {name: schema(shape) for name, shape in model["shapes"].items()}
    return {"openapi": "3.0.3", "info": {}, "paths": paths, "shapes": shapes}


# --- places in answers ------------------------------------------------------------------------------------


def answer_of(operation: Operation) -> Any:
    """The schema of the JSON that it answers with."""
    responses = operation.content["responses"]
    chosen = next(responses[status] for status in ("200", 200, "201", "2XX", "default") if status in responses)
    response = resolved(chosen, operation.document)
    content = response.get("content", {})
    kind = next((kind for kind in content if kind.startswith(("application/json", "application/x-ndjson"))), None)
    if kind is None:
        kind = next(kind for kind in content if "json" in kind)
    return content[kind].get("schema", {})


def holds(schema: Any, parts: list[str], root: Mapping[str, Any], depth: int = 0) -> bool:
    """Whether the schema has the place; where it says nothing of an object's members, it may have any."""
    schema = resolved(schema, root)
    if not parts:
        return True
    if not isinstance(schema, dict) or depth > 40:
        return schema is True
    choices = [each for word in ("allOf", "oneOf", "anyOf") for each in schema.get(word, ())]
    if any(holds(each, parts, root, depth + 1) for each in choices):
        return True
    first, rest = parts[0], parts[1:]
    if not schema:
        return True  # any JSON
    if first == "-":
        return "items" in schema and holds(schema["items"], rest, root, depth + 1)
    properties, more = schema.get("properties", {}), schema.get("additionalProperties")
    if first in properties:
        return holds(properties[first], rest, root, depth + 1)
    if isinstance(more, dict) and more:
        return holds(more, rest, root, depth + 1)
    says_nothing = not properties and not choices and "items" not in schema
    return says_nothing and schema.get("type") in (None, "object", ["object", "null"])


def places_of(resource: Resource) -> Iterator[str]:
    """Every place of a record that the connector speaks of."""
    yield from resource.fields
    yield from resource.references
    yield from resource.open_maps
    yield from (onward.at for onward in resource.onward)
    if resource.primary_key is not None:
        yield resource.primary_key


def parts_of(pointer: str | None) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in (pointer or "").split("/")[1:]]


def is_described(connector: Connector, resource: Resource) -> bool:
    return not ((resource.base_url or connector.base_url) + resource.path).startswith(NO_DESCRIPTION)


def url_of(connector: Connector, resource: Resource | None, path: str) -> str:
    base = (resource.base_url if resource is not None else None) or connector.base_url
    parent = resource.parent if resource is not None else None
    if parent is not None and parent.whole_path:  # `properties/1`, which Google's paths write out
        path = path.replace(f"{{{parent.placeholder}}}", f"{parent.resource}/{{}}")
    return urlsplit(base).path.rstrip("/") + path


RESOURCES = [
    pytest.param(connector, resource, id=f"{vendor}-{resource.name}")
    for vendor, connector in connectors().items()
    if vendor in DESCRIPTIONS
    for resource in connector.resources
    if is_described(connector, resource)
]


def test_whoever_says_that_a_description_verifies_it_is_tried_against_one():
    said = {vendor for vendor, connector in connectors().items() if connector.verified == "specification"}
    assert said <= DESCRIPTIONS.keys()


@pytest.mark.parametrize("connector, resource", RESOURCES)
def test_the_description_knows_what_the_connector_asks(operation, connector: Connector, resource: Resource):
    known = operation(connector.vendor, resource.method, url_of(connector, resource, resource.path))
    assert known is not None, "no such path"
    described = {(each["in"], each["name"]): each for each in known.parameters}
    sent = query_of(connector, resource)
    headers = {header.name.lower() for header in connector.headers} | {"accept", "content-type", "authorization"}
    needed = {key for key, each in described.items() if each.get("required") and key[0] in ("query", "header")}
    missing = {name for place, name in needed if name not in sent and name.lower() not in headers}
    assert not missing, "required"
    unknown = {name for name in sent if ("query", name) not in described and resource.method == "GET"}
    assert not {name for name in unknown if (connector.vendor, resource.name, name) not in UNDESCRIBED}


def query_of(connector: Connector, resource: Resource) -> set[str]:
    """The parameters that some page is asked for with."""
    paging = resource.paging or connector.paging
    names = set(resource.parameters)
    if isinstance(paging, OffsetPaging | NumberPaging | CursorPaging | TokenPaging):
        names.add(paging.parameter)
    if isinstance(paging, OffsetPaging | NumberPaging) and paging.size_parameter:
        names.add(paging.size_parameter)
    return {name for name in names if not name.startswith("/")}


@pytest.mark.parametrize("connector, resource", RESOURCES)
def test_the_answers_schema_has_every_place(operation, connector: Connector, resource: Resource):
    known = operation(connector.vendor, resource.method, url_of(connector, resource, resource.path))
    assert known is not None
    answer, root = answer_of(known), known.document
    record = parts_of(resource.records) + {"list": ["-"], "values": ["-"], "record": [], "map": ["*"]}[resource.shape]
    assert holds(answer, record, root), "records"
    own = {pointer for pointer in places_of(resource) if pointer != "/_key"}
    if resource.shape == "values":
        own.discard("/value")
    absent = {pointer for pointer in own if not holds(answer, [*record, *parts_of(pointer)], root)}
    paging = resource.paging or connector.paging
    pointers: set[str | None] = set()
    if isinstance(paging, LinkPaging):
        pointers = {paging.next}
    if isinstance(paging, TokenPaging | CursorPaging):
        pointers = {paging.more, paging.token if isinstance(paging, TokenPaging) else None}
    absent |= {pointer for pointer in pointers if pointer and not holds(answer, parts_of(pointer), root)}
    assert {each for each in absent if (connector.vendor, resource.name, each) not in UNDESCRIBED} == set()


REQUESTS = [
    pytest.param(connector, resource, request, id=f"{vendor}-{resource.name}-{request.method}")
    for vendor, connector in connectors().items()
    if vendor in DESCRIPTIONS
    for resource in connector.resources
    if is_described(connector, resource)
    for request in (resource.erase, resource.access)
    if request is not None
]


@pytest.mark.parametrize("connector, resource, request_", [pytest.param(*each.values, id=each.id) for each in REQUESTS])
def test_the_description_knows_how_people_get_and_erase_their_data(operation, connector, resource, request_):
    if not all((SPECS / name).exists() for name in DESCRIPTIONS[connector.vendor] if ":" not in name):
        pytest.skip("its description is not here")
    known = operation(connector.vendor, request_.method, url_of(connector, resource, request_.path))
    assert known is not None


@pytest.mark.parametrize("vendor", [vendor for vendor in connectors() if vendor in DESCRIPTIONS])
def test_the_description_knows_the_check(operation, vendor: str):
    connector = connectors()[vendor]
    known = operation(vendor, "GET", url_of(connector, None, connector.check))
    assert known is not None
    assert not [each["name"] for each in known.parameters if each.get("required") and each["in"] == "query"]


# --- scanned as a whole -----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def vendors_at(operation, prism, tmp_path_factory) -> Callable[[str], str]:
    """The address of a Prism that serves what a vendor's connector asks for, behind the vendor's own path.

    Two servers in all: descriptions of OpenAPI 3.1 and earlier ones do not mix.
    """
    folder = tmp_path_factory.mktemp("served")

    @cache
    def serve(modern: bool) -> str:
        served = _Served("3.1.0" if modern else "3.0.3")
        for vendor, connector in connectors().items():
            if vendor in DESCRIPTIONS and vendor not in NOT_BY_PRISM and is_modern(vendor) == modern:
                served.add(connector, operation)
        path = folder / f"{served.content['openapi']}.json"
        path.write_text(json.dumps(served.content))
        return prism(str(path))

    def is_modern(vendor: str) -> bool:
        connector = connectors()[vendor]
        known = operation(vendor, "GET", url_of(connector, None, connector.check))
        assert known is not None
        return known.document["openapi"].startswith("3.1")

    return lambda vendor: serve(is_modern(vendor)) + beginning(connectors()[vendor])


def beginning(connector: Connector) -> str:
    """What stands before all paths of a vendor; nothing for one of several hosts, whose paths stay as they are."""
    several = any(resource.base_url for resource in connector.resources)
    return "" if several else f"/{connector.vendor}"


class _Served:
    """One description of many: of each vendor, what the connector asks for, with the credentials that it sends."""

    def __init__(self, version: str) -> None:
        self.content: dict[str, Any] = {
            "openapi": version,
            "info": {"title": "vendors", "version": "1"},
            "paths": {},
            "components": {"schemas": {}, "securitySchemes": {}},
        }
        self._names: dict[tuple[int, str], str] = {}

    def add(self, connector: Connector, operation: Callable[[str, str, str], Operation | None]) -> None:
        own = urlsplit(connector.base_url).path.rstrip("/")
        asked = {("GET", url_of(connector, None, connector.check)): own + connector.check}
        empty: set[str] = set()
        for resource in connector.resources:
            if is_described(connector, resource):
                base = urlsplit(resource.base_url or connector.base_url).path.rstrip("/")
                asked[resource.method, url_of(connector, resource, resource.path)] = base + resource.path
                empty |= {name for name, value in resource.parameters.items() if not value}
        security = self._security(connector)
        for (method, url), template in asked.items():
            known = operation(connector.vendor, method, url)
            if known is None:
                continue  # which is what another test says
            path = self._path(connector, template)
            item = self.content["paths"].setdefault(path, {})
            item[method.lower()] = {**self._plain(known, path, empty), "security": security}
        self._tokens(connector)

    def _path(self, connector: Connector, url: str) -> str:
        """With placeholders by number, for those of two descriptions may differ."""
        count = iter(range(100))
        return re.sub(r"\{[^}]*\}", lambda _: f"{{p{next(count)}}}", beginning(connector) + url)

    def _plain(self, known: Operation, path: str, empty: set[str]) -> dict[str, Any]:
        named = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in re.findall(r"\{([^}]*)\}", path)
        ]
        parameters = [each for each in known.parameters if each["in"] == "query" or each["name"] in _WANTED_HEADERS]
        # Prism takes a parameter that is sent empty for one that is not sent.
        parameters = [{**each, "required": False} if each["name"] in empty else each for each in parameters]
        content: dict[str, Any] = {"schema": self._copy(answer_of(known), known.document)}
        if path.startswith(_BY_EXAMPLES):
            content = {"example": next(iter(known.content["responses"]["200"]["content"].values()))["example"]}
        plain = {
            "parameters": [*named, *(self._copy(each, known.document) for each in parameters)],
            "responses": {"200": {"description": "", "content": {"application/json": content}}},
        }
        body = resolved(known.content.get("requestBody"), known.document) or _ANY_BODY
        return plain if known.method == "get" else {**plain, "requestBody": self._copy(body, known.document)}

    def _copy(self, value: Any, root: Mapping[str, Any]) -> Any:
        """The value with its schemas among ours."""
        if isinstance(value, list):
            return [self._copy(each, root) for each in value]
        if not isinstance(value, dict):
            return value
        if isinstance(value.get("$ref"), str):
            return {"$ref": f"#/components/schemas/{self._schema(value['$ref'], root)}"}
        return {key: self._copy(each, root) for key, each in value.items() if not key.startswith("x-")}

    def _schema(self, reference: str, root: Mapping[str, Any]) -> str:
        key = (id(root), reference)
        if key not in self._names:
            self._names[key] = name = f"s{len(self._names)}"
            self.content["components"]["schemas"][name] = self._copy(resolved({"$ref": reference}, root), root)
        return self._names[key]

    def _security(self, connector: Connector) -> list[dict[str, list[str]]]:
        schemes = self.content["components"]["securitySchemes"]
        match connector.auth:
            case HeaderAuth(headers=named):
                for header in named:
                    schemes[header] = {"type": "apiKey", "in": "header", "name": header}
                return [{header: [] for header in named}]
            case BasicAuth():
                schemes["basic"] = {"type": "http", "scheme": "basic"}
                return [{"basic": []}]
            case BearerAuth(prefix=prefix) if prefix.strip() != "Bearer":
                schemes["own"] = {"type": "apiKey", "in": "header", "name": "Authorization"}
                return [{"own": []}]
            case _:
                schemes["bearer"] = {"type": "http", "scheme": "bearer"}
                return [{"bearer": []}]

    def _tokens(self, connector: Connector) -> None:
        """Where OAuth's tokens come from, which descriptions leave out."""
        match connector.auth:
            case ServiceAccountAuth():
                path = "/token"
            case ClientCredentialsAuth(token_url=url):
                path = (
                    urlsplit(url).path
                    if "://" in url
                    else beginning(connector) + urlsplit(connector.base_url).path + url
                )
            case _:
                return
        schema = {
            "type": "object",
            "required": ["access_token", "expires_in"],
            "properties": {
                "access_token": {"type": "string", "enum": ["token"]},
                "expires_in": {"type": "integer", "enum": [3600]},
            },
        }
        answer = {"200": {"description": "", "content": {"application/json": {"schema": schema}}}}
        form = {"content": {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}}
        self.content["paths"][path] = {"post": {"requestBody": form, "responses": answer}}


_WANTED_HEADERS = {"xero-tenant-id"}
#: Schemas that contain themselves, of which Prism builds no answer.
_BY_EXAMPLES = "/xero/"
_ANY_BODY = {"content": {"application/json": {}, "application/x-www-form-urlencoded": {}}}


@pytest.fixture(scope="session")
def account_key() -> str:
    """The key file of a service account, made for this run."""
    from joserfc.jwk import RSAKey

    pem = RSAKey.generate_key(2048).as_pem(private=True).decode()
    return json.dumps({"client_email": "scanner@project.iam.example", "private_key": pem, "private_key_id": "1"})


@pytest.fixture
def scan(monkeypatch, small_detection, account_key) -> Callable[..., list]:
    def run(connector: Connector, address: str) -> list:
        auth = connector.auth
        credentials = {}
        for name in credentials_of(auth):
            monkeypatch.setenv(
                f"TEST_{name.upper()}", account_key if isinstance(auth, ServiceAccountAuth) else "secret"
            )
            credentials[name] = {"env": f"TEST_{name.upper()}"}
        settings = VendorScanner.settings_type.model_validate(
            {
                "name": "tried",
                "type": connector.vendor,
                "account": "1",
                "variables": dict.fromkeys(connector.variables, "value"),
                "base_url": address + ("" if not beginning(connector) else urlsplit(connector.base_url).path),
                "credentials": credentials,
                # Examples' next pages lead nowhere: one record is less than a page.
                "sampling": Sampling(rows=1).model_dump(),
            }
        )
        return list(VendorScanner(settings).scan(ScanContext(small_detection)))

    return run


def credentials_of(auth: object) -> list[str]:
    match auth:
        case BearerAuth(token=name):
            return [name]
        case BasicAuth(username=username, password=password):
            return [name for name in (username, password) if name]
        case HeaderAuth(headers=named):
            return list(named.values())
        case ClientCredentialsAuth(client_id=identifier, client_secret=secret):
            return [identifier, secret]
        case ServiceAccountAuth(key=key):
            return [key]
        case _:
            return []


@pytest.mark.parametrize(
    "vendor", [vendor for vendor in connectors() if vendor in DESCRIPTIONS and vendor not in NOT_BY_PRISM]
)
def test_an_account_is_scanned_as_the_description_has_it(vendors_at, scan, vendor: str):
    connector = connectors()[vendor]
    seen = scan(connector, vendors_at(vendor))
    undescribed = {each.name for each in connector.resources if not is_described(connector, each)}
    found = [each for each in seen if isinstance(each, Finding) and each.about.rsplit("/", 1)[-1] not in undescribed]
    assert [(each.about, each.message) for each in found] == []
    assert [each.name for each in seen if isinstance(each, DatasetSeen)] == [each.name for each in connector.resources]
    fields = {each.urn for each in seen if isinstance(each, FieldSeen)}
    classified = {(each.field, each.category) for each in seen if isinstance(each, FieldClassified)}
    system = f"{vendor}://1"
    for resource in connector.resources:
        if resource.name in undescribed:
            continue
        dataset = f"{system}/{resource.name}"
        for pointer, rule in resource.fields.items():
            assert (f"{dataset}#{pointer[1:]}", rule.category) in classified
        assert any(urn.startswith(f"{dataset}#") for urn in fields)
