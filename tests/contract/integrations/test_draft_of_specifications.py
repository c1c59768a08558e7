"""Drafting from every description at hand: it ends soon, in little memory, and the linter takes what it writes."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path

import pytest
import yaml

from inventory.errors import ConfigError
from scanners.integrations.connector import connectors
from scanners.integrations.draft import draft
from scanners.integrations.lint import problems
from scanners.integrations.openapi import read_description

SPECS = Path(__file__).parents[4] / "shared" / "specs"
#: No description of an API of lists, and no fault of the draft's.
NO_LISTS = {"has no GET that answers a list of records", "describes no API"}


@pytest.fixture(scope="module")
def drafted():
    """The draft of a description, made once; why there is none; and the seconds of processor that it took."""
    from scanners.detection import ColumnDetector

    detection = ColumnDetector()

    @cache
    def make(path: Path) -> tuple[str, str, float]:
        begun = time.process_time()
        try:
            return draft(read_description(path), detection).text, "", time.process_time() - begun
        except ConfigError as error:
            return "", error.cause, time.process_time() - begun

    return make


def files() -> list[Path]:
    found = (path for path in sorted(SPECS.glob("*/*")) if path.suffix in (".json", ".yaml"))
    return [path for path in found if not path.name.startswith(".")]


@pytest.mark.parametrize("vendor", sorted({path.parent.name for path in files()}) or ["none"])
def test_a_draft_of_every_description_passes_the_linter(vendor: str, tmp_path: Path, drafted):
    if vendor == "none":
        pytest.skip("../shared/specs is not here")
    drafts = 0
    for path in files():
        if path.parent.name != vendor:
            continue
        text, cause, seconds = drafted(path)
        assert cause in {"", *NO_LISTS}
        assert seconds < 30
        if not text:
            continue
        drafts += 1
        content = yaml.safe_load(text)
        file = tmp_path / f"{content['vendor']}.yaml"
        file.write_text(text, encoding="utf-8")
        assert {problem.message for problem in problems(file)} <= {"is still to be curated"}, path.name
        assert content["resources"]
    assert drafts


@pytest.mark.parametrize("vendor, file", [("stripe", "stripe/spec3.json"), ("auth0", "auth0/management-api-oas.json")])
def test_a_draft_finds_most_of_what_people_curated(vendor: str, file: str, drafted):
    """Of the fields that the shipped connector says something of, those whose leaf names speak."""
    if not (SPECS / file).exists():
        pytest.skip(f"../shared/specs/{file} is not here")
    resources = yaml.safe_load(drafted(SPECS / file)[0])["resources"]
    listed = {each["path"]: each.get("fields", {}) for each in resources}
    wanted = found = 0
    for resource in connectors()[vendor].resources:
        path = next(
            (path for path in listed if resource.path.endswith(path.split("{")[0]) and "{" not in resource.path), ""
        )
        for pointer, rule in resource.fields.items() if path else ():
            wanted += 1
            said = listed[path].get(pointer, {}).get("category", "")
            found += rule.category.startswith(said) or said.startswith(rule.category) if said else 0
    assert wanted >= 20
    assert found / wanted >= 0.5, f"{found} of {wanted}"
