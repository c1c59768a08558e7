"""Drafting a connector from a vendor's own description."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from inventory.errors import ConfigError
from scanners.integrations.draft import draft
from scanners.integrations.lint import problems
from scanners.integrations.openapi import MOST_PARTS, read_description

PERSON = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "email": {"type": "string"},
        "plan": {"anyOf": [{"type": "string"}, {"$ref": "#/components/schemas/Plan"}]},
        "created": {"type": "integer", "format": "unix-time"},
        "address": {"$ref": "#/components/schemas/Address"},
        "note": {"type": "string", "description": "The person's date of birth."},
        "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
        "friends": {"type": "array", "items": {"$ref": "#/components/schemas/Person"}},
        "status": {"type": "string", "enum": ["on", "off"]},
    },
}
ADDRESS = {
    "allOf": [{"type": "object", "properties": {"city": {"type": "string"}}}, {"$ref": "#/components/schemas/Lines"}]
}


def listing(schema: str, *parameters: dict, answer: dict | None = None, **said) -> dict:
    array = {"type": "array", "items": {"$ref": f"#/components/schemas/{schema}"}}
    body = {"type": "object", "properties": {"data": array, **(answer or {})}}
    content = {"application/json": {"schema": body}}
    return {"get": {"parameters": list(parameters), "responses": {"200": {"content": content}}, **said}}


def query(name: str, **said) -> dict:
    required = said.pop("required", False)
    return {"name": name, "in": "query", "required": required, "schema": {"type": "string", **said}}


SPEC = {
    "openapi": "3.1.0",
    "info": {"title": "The CRM API", "version": "2"},
    "servers": [{"url": "https://{region}.crm.example/api", "variables": {"region": {"default": "ca"}}}],
    "externalDocs": {"url": "https://crm.example/docs"},
    "paths": {
        "/v1/people": listing(
            "Person",
            query("limit", type="integer", maximum=200),
            query("starting_after"),
            query("since", required=True),
            answer={"has_more": {"type": "boolean"}},
            tags=["People"],
            security=[{"oauth": ["people:read"]}],
        ),
        "/v1/people/{person_id}": {"get": {"responses": {}}, "delete": {"responses": {}}},
        "/v1/people/{person_id}/visits": listing("Visit", query("cursor"), answer={"next_cursor": {"type": "string"}}),
        "/v1/{org_id}/plans": listing("Plan", query("page", default=0), query("per_page"), tags=["Plans"]),
        "/v1/webhooks": listing(
            "Hook", answer={"links": {"type": "object", "properties": {"next": {"type": "string"}}}}
        ),
        "/v1/regions/{region_code}/people": listing("Person", query("offset"), query("limit")),
    },
    "components": {
        "schemas": {
            "Person": PERSON,
            "Address": ADDRESS,
            "Lines": {
                "properties": {"postal_code": {"type": "string"}, "person": {"$ref": "#/components/schemas/Person"}}
            },
            "Plan": {"type": "object", "properties": {"id": {"type": "string"}, "price": {"type": "integer"}}},
            "Visit": {"properties": {"ip_address": {"type": ["string", "null"]}, "person_id": {"type": "string"}}},
            "Hook": {"properties": {"id": {"type": "string"}, "url": {"type": "string"}, "email": {"type": "string"}}},
        },
        "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"}},
    },
}


@pytest.fixture(scope="module")
def detection():
    from scanners.detection import ColumnDetector

    return ColumnDetector()


@pytest.fixture
def drafted(tmp_path: Path, detection):
    """The draft of a description, which the linter has nothing against but what says TODO; its resources by name."""

    def make(spec: object, *args, **options) -> dict:
        path = tmp_path / "spec.json"
        path.write_text(spec if isinstance(spec, str) else json.dumps(spec), encoding="utf-8")
        text = draft(read_description(path), detection, *args, **options).text
        content = yaml.safe_load(text)
        file = tmp_path / f"{content['vendor']}.yaml"
        file.write_text(text, encoding="utf-8")
        assert {each.message for each in problems(file)} <= {"is still to be curated"}
        content["resources"] = {each["name"]: each for each in content["resources"]}
        return content

    return make


def test_the_vendor_is_what_the_description_says(drafted):
    said = drafted(SPEC)
    expected = {
        "vendor": "crm",
        "name": "CRM",
        "base_url": "https://{region}.crm.example/api",
        "auth": {"scheme": "header", "headers": {"X-Api-Key": "x_api_key"}},
        "documentation": "https://crm.example/docs",
        "verified": "specification",
        "api_version": "2",
        "check": "/v1/people",
        "legal_entity": "TODO",
    }
    assert {key: said[key] for key in expected} == expected
    assert {"created", "status"} <= set(said["technical_keys"])


def test_a_list_with_its_key_pages_scopes_and_fields(drafted):
    people = drafted(SPEC)["resources"]["people"]
    fields = people.pop("fields")
    assert people == {
        "name": "people",
        "path": "/v1/people",
        "parameters": {"limit": "200", "since": "TODO"},
        "records": "/data",
        "primary_key": "/id",
        "description": "TODO",
        "open_maps": ["/metadata"],
        "paging": {"style": "cursor", "parameter": "starting_after", "key": "/id", "more": "/has_more"},
        "scopes": ["people:read"],
        "erase": {"method": "DELETE", "path": "/v1/people/{id}"},
    }
    expected = {
        "/email": "user.contact.email",
        "/address/city": "user.contact.address.city",  # of one part of an intersection
        "/address/postal_code": "user.contact.address.postal_code",  # of the other
        "/note": "user.demographic.date_of_birth",  # by what is said of it
    }
    assert {pointer: fields[pointer]["category"] for pointer in expected} == expected
    assert fields["/note"]["confidence"] < fields["/email"]["confidence"]
    assert {rule["provenance"] for rule in fields.values()} == {"spec"}
    assert not [pointer for pointer in fields if pointer.startswith(("/friends", "/address/person", "/plan"))]


def test_a_list_of_each_record_of_another(drafted):
    visits = drafted(SPEC)["resources"]["visits"]
    assert visits["path"] == "/v1/people/{person_id}/visits"
    assert visits["parent"] == {"resource": "people", "key": "/id", "placeholder": "person_id"}
    assert visits["references"] == {"/person_id": "people/id"}
    assert visits["paging"] == {"style": "token", "parameter": "cursor", "token": "/next_cursor"}


def test_what_has_no_parent_is_a_variable(drafted):
    said = drafted(SPEC)
    other = next(each for each in said["resources"].values() if "one_region_code" in each["path"])
    assert set(said["variables"]) == {"region", "one_region_code"}
    assert other["paging"] == {"style": "offset", "parameter": "offset", "size_parameter": "limit", "size": 100}


def test_where_it_leads_on_to(drafted):
    hooks = drafted(SPEC)["resources"]["webhooks"]
    assert hooks["onward"] == [{"at": "/url", "kind": "url", "note": "TODO"}]
    assert hooks["paging"] == {"style": "link", "next": "/links/next"}


def test_lists_of_things_are_left_out_unless_asked_for(drafted):
    assert "plans" not in drafted(SPEC)["resources"]
    plans = drafted(SPEC, everything=True)["resources"]["plans"]
    assert plans["path"] == "/v1/{account}/plans"
    paging = {"style": "number", "parameter": "page", "first": 0, "size_parameter": "per_page", "size": 100}
    assert plans["paging"] == paging
    assert set(drafted(SPEC, ["Plans"])["resources"]) == {"plans"}
    assert set(drafted(SPEC, (), ["/v1/web*"])["resources"]) == {"webhooks"}
    assert set(drafted(SPEC, (), ["/v1/people"])["resources"]) == {"people", "visits"}


def test_an_older_and_another_form(drafted):
    array = {"type": "array", "items": {"$ref": "#/definitions/Person"}}
    get = {"responses": {"200": {"schema": array, "headers": {"Link": {"type": "string"}}}}}
    old = {
        "swagger": "2.0",
        "info": {"title": "Old", "version": "1"},
        "host": "old.example",
        "basePath": "/v1",
        "paths": {"/people": {"get": get}},
        "definitions": {"Person": {"properties": {"email": {"type": "string"}}}},
        "securityDefinitions": {"basic": {"type": "basic"}},
    }
    said = drafted(old)
    assert (said["base_url"], said["auth"]["scheme"]) == ("https://old.example/v1", "basic")
    assert "records" not in said["resources"]["people"]
    assert said["resources"]["people"]["paging"] == {"style": "link"}
    methods = {
        "list": {
            "id": "x.people.list",
            "path": "people",
            "httpMethod": "GET",
            "parameters": {"pageToken": {"type": "string", "location": "query"}},
            "response": {"$ref": "People"},
            "scopes": ["https://x.example/auth/all", "https://x.example/auth/people.readonly"],
        }
    }
    people = {"people": {"type": "array", "items": {"$ref": "Person"}}, "nextPageToken": {"type": "string"}}
    google = {
        "kind": "discovery#restDescription",
        "title": "X",
        "version": "v1",
        "rootUrl": "https://x.example/",
        "servicePath": "v1/",
        "schemas": {"People": {"properties": people}, "Person": {"properties": {"email": {"type": "string"}}}},
        "resources": {"people": {"methods": methods}},
    }
    said = drafted(google)
    people_said = said["resources"]["people"]
    assert said["auth"]["scheme"] == "oauth2_service_account"
    assert people_said["paging"] == {"style": "token", "parameter": "pageToken", "token": "/nextPageToken"}
    assert people_said["scopes"] == ["https://x.example/auth/people.readonly"]


def test_a_cursor_that_the_body_does_not_hold_is_in_the_link_header(drafted):
    array = {"type": "array", "items": {"$ref": "#/components/schemas/Person"}}
    answer = {"200": {"content": {"application/json": {"schema": array}}}}
    spec = {**SPEC, "paths": {"/people": {"get": {"parameters": [query("cursor")], "responses": answer}}}}
    assert drafted(spec)["resources"]["people"]["paging"] == {"style": "link"}


def test_a_key_in_the_address_is_not_taken(drafted):
    spec = json.loads(json.dumps(SPEC))
    spec["components"]["securitySchemes"] = {"key": {"type": "apiKey", "in": "query", "name": "api_key"}}
    spec["paths"]["/v1/people"]["get"]["parameters"].append(query("api_key", required=True))
    said = drafted(spec)
    assert said["auth"] == {"scheme": "bearer", "token": "token"}
    assert "api_key" not in said["resources"]["people"]["parameters"]


def wild(**schemas: object) -> dict:
    return {**SPEC, "paths": {"/things": listing("Thing")}, "components": {"schemas": schemas}}


@pytest.mark.parametrize(
    "thing",
    [
        {"$ref": "#/components/schemas/Thing"},
        {"allOf": [{"$ref": "#/components/schemas/Thing"}, {"properties": {"email": {"type": "string"}}}]},
        {"properties": {"email": {"type": "string"}, "again": {"$ref": "#/components/schemas/Thing"}}},
        {"properties": {"email": {"$ref": "https://elsewhere.example/x.json"}, "b": {"$ref": "#/no/where"}, "c": None}},
        {"properties": {"email": {"type": "string"}, "x": {"oneOf": [{"$ref": "#/components/schemas/Thing"}] * 50}}},
        {"properties": {f"email_{n}": {"$ref": "#/components/schemas/Thing"} for n in range(400)}},
        {"type": 5, "properties": {"email": {"type": "string"}}, "allOf": "x", "items": [1]},
    ],
)
def test_circles_and_nonsense_end(drafted, thing):
    spec = wild(Thing=thing)
    spec["paths"]["/people"] = listing("Person")
    spec["components"]["schemas"]["Person"] = {"properties": {"email": {"type": "string"}}}
    assert "people" in drafted(spec)["resources"]


def test_a_wide_and_deep_description_is_bounded(tmp_path: Path, drafted):
    schemas = {
        f"T{n}": {"properties": {f"f{m}": {"$ref": f"#/components/schemas/T{(n * 7 + m) % 40}"} for m in range(40)}}
        for n in range(40)
    }
    schemas["Thing"] = {"properties": {"email": {"type": "string"}, "all": {"$ref": "#/components/schemas/T1"}}}
    drafted(wild(**schemas))
    found = read_description(tmp_path / "spec.json").places({"$ref": "#/components/schemas/Thing"})
    assert len(found) <= MOST_PARTS


@pytest.mark.parametrize(
    "text, cause",
    [
        ("", "describes no API"),
        ("[1]", "describes no API"),
        ("{", "is neither JSON nor YAML"),
        ("a: [", "is neither JSON nor YAML"),
        ("{" * 100_000, "is neither JSON nor YAML"),
        ('{"openapi": "3.0.0", "paths": {}}', "describes no API"),
        ('{"openapi": "3.0.0", "paths": {"/x": {"post": {}}, "y": 1}}', "has no GET that answers a list"),
        ("!!python/object/apply:os.system ['true']", "is neither JSON nor YAML"),
    ],
)
def test_what_is_no_description_is_said(drafted, text: str, cause: str):
    with pytest.raises(ConfigError, match=cause):
        drafted(text)


def test_the_commands(tmp_path: Path):
    from inventory.cli import app

    spec, file = tmp_path / "spec.json", tmp_path / "crm.yaml"
    spec.write_text(json.dumps(SPEC), encoding="utf-8")
    run = CliRunner().invoke
    done = run(app, ["connector", "draft", str(spec), "--path", "/v1/people", "-o", str(file)])
    assert done.exit_code == 0, done.output
    again = run(app, ["connector", "draft", str(spec), "-o", str(file)])
    assert isinstance(again.exception, ConfigError)
    checked = run(app, ["connector", "lint", str(file)])
    assert checked.exit_code == 1
    assert f"{file}:3: legal_entity: is still to be curated" in checked.stdout
    assert "| [Stripe](https://docs.stripe.com/api) |" in run(app, ["connector", "table"]).stdout
    assert isinstance(run(app, ["connector", "table", "--into", str(spec)]).exception, ConfigError)
