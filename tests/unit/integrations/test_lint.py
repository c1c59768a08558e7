"""What the linter of connectors' files says."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from inventory.errors import ConfigError
from scanners.integrations.connector import FOLDER
from scanners.integrations.lint import problems

GOOD = """\
vendor: crm
name: CRM
legal_entity: CRM Inc.
processor: crm
service_class: crm
role: processor
head_office: US
regions: [US]
documentation: https://crm.example/docs
verified: documentation
base_url: https://{region}.crm.example
variables: {region: Where the account is.}
auth: {scheme: basic, username: user, password: api_key}
check: /me
resources:
  - name: people
    path: /people
    primary_key: /id
    fields:
      /mail: {category: user.contact.email}
  - name: notes
    path: /people/{person}/notes
    parent: {resource: people, key: /id, placeholder: person}
    references: {/person: people/id}
    fields:
      /text: {category: user.content}
"""


@pytest.fixture
def said(tmp_path: Path):
    """The problems of the file with some of its text replaced: line, place and message."""

    def say(old: str = "", new: str = "", name: str = "crm") -> list[tuple[int, str, str]]:
        assert old in GOOD
        path = tmp_path / f"{name}.yaml"
        path.write_text(GOOD.replace(old, new, 1) if old else GOOD, encoding="utf-8")
        return [(each.line, each.place, each.message) for each in problems(path)]

    return say


def test_a_good_file_has_no_problem(said):
    assert said() == []


def test_nothing_is_amiss_in_what_is_shipped():
    assert [(path.name, problems(path)) for path in FOLDER.glob("*.yaml") if problems(path)] == []


@pytest.mark.parametrize(
    "old, new, line, message",
    [
        ("    path: /people\n", "    pathe: /people\n", 17, "unknown key"),
        ("role: processor", "role: owner", 6, "is not a known role"),
        ("/mail: {cat", "/mail: {colour: blue, cat", 20, "unknown key"),
        ("name: CRM\n", "name: CRM\nname: CRM\n", 3, "name stands here a second time"),
        ("/mail: {", "/mail: {category: user.name}\n      /mail: {", 21, "/mail stands here a second time"),
        ("{region}.crm", "{colour}.crm", 11, "{colour} is neither account"),
        ("    path: /people\n", "    path: /people/{person}\n", 17, "{person} is neither account"),
        (
            "    path: /people\n",
            "    path: /people/{api_key}\n",
            17,
            "{api_key} would put a credential into the address",
        ),
        ("https://{region}", "https://{api_key}@{region}", 11, "the address holds who signs in"),
        ("https://{region}.crm.example", "https://{region}.crm.example/?api_key=x", 11, "api_key would put a secret"),
        (
            "    path: /people\n",
            "    path: /people\n    parameters: {api_key: x}\n",
            18,
            "would put a secret into the address",
        ),
        ("    path: /people\n", "    path: /people\n    parameters: {Access-Token: x}\n", 18, "would put a secret"),
        ("check: /me", "headers: [{name: X-Api-Key, value: x}]\ncheck: /me", 14, "X-Api-Key shows who asks"),
        ("name: CRM", "name: sk_live_51H8canary0123456789", 2, "looks like a secret"),
        ("legal_entity: CRM Inc.", "legal_entity: TODO", 3, "is still to be curated"),
        ("service_class: crm", "service_class: TODO", 5, "is still to be curated"),
        ("placeholder: person}", "placeholder: human}", 22, "{person} is neither account"),
        ("{/person: people/id}", "{/person: people/colour}", 24, "people has neither key nor field /colour"),
        ("variables: {region", "variables: {colour: Of it., region", 12, "is nowhere used"),
        ("    primary_key: /id\n", "    body: {a: 1}\n", 18, "a GET has none"),
        ("    primary_key: /id\n", "    access: {method: DELETE, path: /x}\n", 18, "nothing is changed"),
        ("    primary_key: /id\n", "    erase: {method: DELETE, path: '/x/{user}'}\n", 18, "would put a credential"),
    ],
)
def test_each_problem_has_its_line(said, old: str, new: str, line: int, message: str):
    found = said(old, new)
    assert [each for each in found if each[0] == line and message in each[2]], found


def test_all_problems_are_said_at_once(tmp_path: Path):
    content = yaml.safe_load(GOOD) | {"role": "owner", "colour": "blue"}
    content["resources"][0]["fields"]["/x"] = {"category": "user.emial"}
    (tmp_path / "crm.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    assert {each.place for each in problems(tmp_path / "crm.yaml")} == {
        "role",
        "colour",
        "resources.0.fields./x.category",
    }


def test_parameters_that_only_look_like_secrets_pass(said):
    assert (
        said("    path: /people\n", "    path: /people\n    parameters: {sort_key: a, page_token: b, keys: c}\n") == []
    )


def test_the_file_is_called_as_its_vendor(said):
    assert said(name="other") == [(1, "vendor", "the file of crm is called crm.yaml")]


def test_what_is_no_yaml_has_its_line(said):
    assert said("name: CRM", "name: [") == [(4, "", "is not YAML")]


@pytest.mark.parametrize("text", ["", "[]", "5", "null"])
def test_what_is_no_connector_is_said(tmp_path: Path, text: str):
    path = tmp_path / "crm.yaml"
    path.write_text(text, encoding="utf-8")
    assert problems(path)


def test_what_cannot_be_read_is_an_error(tmp_path: Path):
    with pytest.raises(ConfigError, match="No such file"):
        problems(tmp_path / "nothing.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="no text in UTF-8"):
        problems(tmp_path / "binary.yaml")


def test_the_tables_in_the_documentation_are_current():
    from scanners.integrations.connector import connectors
    from scanners.integrations.table import replaced, tables

    document = (FOLDER.parents[2] / "docs" / "connectors.md").read_text(encoding="utf-8")
    assert document == replaced(document, tables(connectors())), (
        "run: inventory connector table --into docs/connectors.md"
    )
