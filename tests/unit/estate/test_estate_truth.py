"""The truth is well formed, agrees with the reviewed golden file, and scoring against it counts rightly."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from inventory.model import FieldClassified, FlowSeen, Provenance, dataset_of
from seed.estate.score import Tally, score, score_flows, score_recipients
from seed.estate.truth import (
    Expected,
    Transformation,
    TrueFlow,
    Truth,
    declared_processors,
    parse_expected,
    truth,
)

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests/golden/estate_findings.txt"


def test_golden_file_is_the_truth():
    """When it fails: review the truth, then `python -m seed.estate.truth > tests/golden/estate_findings.txt`."""
    assert GOLDEN.read_text(encoding="utf-8").splitlines() == list(truth().golden())


def test_golden_file_of_processors_is_the_truth():
    """When it fails: `python -m seed.estate.truth processors > tests/golden/estate_processors.txt`, and review it."""
    lines = list(truth().golden_processors(declared_processors()))
    assert GOLDEN.with_name("estate_processors.txt").read_text(encoding="utf-8").splitlines() == lines


def test_recipients_are_counted_by_organisation_and_source():
    known = Truth({}, {}, (), frozenset({("stripe", "code"), ("stripe", "domain")}))
    tally, mistakes = score_recipients([("stripe", "code"), ("stripe", "code"), ("zendesk", "code")], known)
    assert tally == Tally(found=1, wrong=1, missed=1)
    assert mistakes == ("missed | stripe | domain", "wrong | zendesk | code")


def test_every_category_is_in_the_vocabulary():
    entries = yaml.safe_load((ROOT / "inventory/vocabulary/categories.yaml").read_text(encoding="utf-8"))
    keys = {entry["key"] for entry in entries}
    used = {category for expected in truth().fields.values() for category in expected.allowed}
    assert used <= keys


def test_flows_begin_and_end_at_fields_of_the_estate():
    known = truth()
    for flow in known.flows:
        assert known.expected(flow.source) is not None, flow.source
        assert known.expected(flow.target) is not None, flow.target


@pytest.mark.parametrize(
    "text,expected",
    [
        ("none", Expected()),
        ("user.name", Expected((("user.name",),))),
        ("user.name & user.device?", Expected((("user.name",),), frozenset({"user.device"}))),
        ("user.name | user.account", Expected((("user.name", "user.account"),))),
        ("user.name? & user.account?", Expected((), frozenset({"user.name", "user.account"}))),
    ],
)
def test_notation(text, expected):
    assert parse_expected(text) == expected


SMALL = Truth(
    fields={
        "s/t#email": parse_expected("user.contact.email"),
        "s/t#either": parse_expected("user.name.first | user.name.last"),
        "s/t#id": parse_expected("user.unique_id?"),
        "s/t#version": parse_expected("none"),
        "s/t#doc/phone": parse_expected("user.contact.phone_number"),
    },
    defaults={"s/noise": Expected()},
    flows=(
        TrueFlow("s/t#email", "s/v#email", Transformation.COPIED, True),
        TrueFlow("s/t#id", "s/v#place", Transformation.TRANSFORMED, False),
    ),
)


def claim(field: str, category: str, confidence: float = 0.9) -> FieldClassified:
    return FieldClassified(field, category, confidence, (), "test/1")


RIGHT = [
    claim("s/t#email", "user.contact.email"),
    claim("s/t#either", "user.name.last"),
    claim("s/t#doc/phone", "user.contact.phone_number"),
]


def test_all_right():
    found = score(RIGHT, SMALL)
    assert found.categories == Tally(found=3)
    assert found.personal == Tally(found=3)
    assert found.mistakes == ()
    assert (found.categories.precision, found.categories.recall) == (1.0, 1.0)


def test_nothing_claimed_misses_all():
    found = score([], SMALL)
    assert found.categories == found.personal == Tally(missed=3)
    assert found.categories.recall == 0.0


@pytest.mark.parametrize(
    "extra,wrong,personal_wrong",
    [
        (claim("s/t#version", "user.device.ip_address"), 1, 1),
        (claim("s/t#email", "user.name"), 1, 0),
        (claim("s/t#id", "user.unique_id"), 0, 0),  # silence is right too
        (claim("s/t#email", "user.contact"), 0, 0),  # broader, not wrong
        (claim("s/t#doc", "user.contact.phone_number"), 0, 0),  # the column shows what is inside
        (claim("s/t#doc", "user.name"), 1, 0),
        (claim("s/noise#anything", "user.name"), 1, 1),
        (claim("s/unheard#of", "user.name"), 1, 1),
        (claim("s/t#version", "user.device.ip_address", confidence=0.4), 0, 0),  # below the threshold
    ],
)
def test_a_claim_too_many(extra, wrong, personal_wrong):
    found = score([*RIGHT, extra], SMALL)
    assert found.categories == Tally(found=3, wrong=wrong)
    assert found.personal == Tally(found=3, wrong=personal_wrong)
    assert len(found.mistakes) == wrong


def flow(source: str, target: str) -> FlowSeen:
    return FlowSeen(source, target, Provenance.SQL)


def test_flows_are_counted_by_fields():
    tally, mistakes = score_flows([flow("s/t#email", "s/v#email"), flow("s/t", "s/v")], SMALL)
    assert (tally, mistakes) == (Tally(found=1), ())
    tally, mistakes = score_flows([flow("s/t#email/part", "s/v#email"), flow("s/t#id", "s/v#place")], SMALL)
    assert (tally, mistakes) == (Tally(found=1), ())
    tally, mistakes = score_flows([flow("s/t#version", "s/v#email")], SMALL)
    assert tally == Tally(wrong=1, missed=1)
    assert mistakes == ("missed | s/t#email | s/v#email", "wrong | s/t#version | s/v#email")


def test_containers_need_no_entry_of_their_own():
    nested = next(field for field in truth().fields if field.endswith("#profile/job/title"))
    column = nested.removesuffix("/job/title")
    expected = truth().expected(column)
    assert expected is not None
    assert not expected.required
    assert "user.job_title" in expected.allowed
    assert truth().expected(f"{dataset_of(nested)}#not_there") is None
