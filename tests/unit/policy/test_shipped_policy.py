"""The declared map that the project ships, against the policy it is about."""

import re
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from inventory.policy.document import DeclaredMap, read_declared
from inventory.vocabulary import categories

ROOT = Path(__file__).parents[3]
SOURCE = ROOT.parent / "shared" / "policy" / "setbytes-privacy-policy.txt"
needs_source = pytest.mark.skipif(not SOURCE.exists(), reason="the policy's text is kept beside the project, not in it")

# Reviewed against the policy's text, statement by statement: 35 bullets, and 13 statements that are not in a list.
CLAUSES = {
    "1.1": "scope",
    "1.2": "notice",
    "1.3": "acceptance",
    "1.4": "law",
    "2.1": "collection",
    "2.2": "category",
    "2.3": "category",
    "2.4": "category",
    "2.5": "category",
    "2.6": "collection",
    "2.7": "category",
    "2.8": "category",
    "2.9": "category",
    "2.10": "category",
    "3.1": "purpose",
    "3.2": "purpose",
    "3.3": "purpose",
    "3.4": "purpose",
    "3.5": "purpose",
    "3.6": "purpose",
    "3.7": "purpose",
    "4.1": "prohibition",
    "4.2": "recipient",
    "4.3": "recipient",
    "4.4": "recipient",
    "4.5": "recipient",
    "5.1": "safeguard",
    "5.2": "safeguard",
    "5.3": "safeguard",
    "5.4": "safeguard",
    "5.5": "safeguard",
    "6.1": "recipient",
    "6.2": "recipient",
    "6.3": "recipient",
    "7.1": "right",
    "7.2": "right",
    "7.3": "right",
    "7.4": "right",
    "8.1": "tracking",
    "8.2": "control",
    "9.1": "retention",
    "9.2": "retention",
    "9.3": "retention",
    "9.4": "retention",
    "10.1": "change",
    "10.2": "notification",
    "10.3": "effective",
    "11.1": "contact",
}
NOT_IN_A_LIST = {"1.1", "1.2", "1.3", "1.4", "2.1", "2.6", "4.1", "8.1", "8.2", "9.1", "10.1", "10.2", "10.3"}


@pytest.fixture(scope="module")
def shipped() -> DeclaredMap:
    return read_declared()


def test_no_clause_is_left_out_and_none_is_made_up(shipped):
    assert {clause.key: clause.kind for clause in shipped.policy.clauses} == CLAUSES


@needs_source
def test_there_are_as_many_clauses_as_the_text_has_bullets():
    bullets: Counter[str] = Counter()
    section = ""
    for line in SOURCE.read_text(encoding="utf-8").splitlines():
        heading = re.match(r"(\d+)\. ", line)
        section = heading.group(1) if heading else section
        bullets[section] += line.startswith("- ")
    in_lists = Counter(key.partition(".")[0] for key in CLAUSES.keys() - NOT_IN_A_LIST)
    assert +bullets == in_lists


@needs_source
@pytest.mark.parametrize("folder", ["seed", "docs"])
def test_no_five_words_in_a_row_are_the_policys_own(folder):
    def runs(text: str) -> set[tuple[str, ...]]:
        words = re.findall(r"[a-z0-9]+", text.lower())
        return {tuple(words[n : n + 5]) for n in range(len(words) - 4)}

    source = runs(SOURCE.read_text(encoding="utf-8"))
    texts = [path for path in (ROOT / folder).rglob("*") if path.suffix in {".yaml", ".yml", ".py", ".sql", ".md"}]
    assert texts
    copied = {path.name: found for path in texts if (found := runs(path.read_text(encoding="utf-8")) & source)}
    assert not copied


def test_the_policys_dates_and_names(shipped):
    assert shipped.policy.effective == date(2025, 1, 20)
    assert shipped.policy.controller.name == "SetBytes"
    assert shipped.policy.contact.email == "", "the source hides it, and none is invented"
    assert shipped.policy.contact.see


def test_recipients_named_by_the_policy_are_told_from_our_own(shipped):
    declared = {processor.key: processor.declared for processor in shipped.processors}
    assert {key for key, how in declared.items() if how == "named"} == {"cloudflare", "google"}
    assert {key for key, how in declared.items() if how == "instance"} == {"stripe"}
    assert declared["data-centres"] == "class"
    stripe = next(processor for processor in shipped.processors if processor.key == "stripe")
    assert (stripe.role, stripe.service_classes, stripe.member_of, stripe.head_office) == (
        "processor",
        ("payment_gateway",),
        "payment-gateways",
        "US",
    )


def test_every_declared_recipient_receives_something_for_a_purpose(shipped):
    for clause in shipped.policy.clauses:
        for key in clause.recipients:
            processor = next(processor for processor in shipped.processors if processor.key == key)
            assert any(clause.key in receipt.clauses for receipt in processor.receives), (clause.key, key)


def test_nobody_is_given_more_than_the_policy_says_is_collected(shipped):
    collected = {key for clause in shipped.policy.clauses for key in clause.categories}
    given = {key for processor in shipped.processors for receipt in processor.receives for key in receipt.categories}
    assert {key for key in given if not {key, *(t.key for t in categories().ancestors(key))} & collected} == set()
    secret = "user.authorization.password"
    assert {p.key for p in shipped.processors if any(secret in r.categories for r in p.receives)} == {
        "cloud-infrastructure",
        "infrastructure-hosting",
        "data-centres",
    }


def test_marketing_needs_consent(shipped):
    marketing = [clause for clause in shipped.policy.clauses if any(p.startswith("marketing") for p in clause.purposes)]
    assert [clause.key for clause in marketing] == ["3.7"]
    assert marketing[0].consent


def test_the_policy_gives_no_length_of_retention(shipped):
    rules = {clause.key: clause.retention for clause in shipped.policy.clauses if clause.retention}
    assert {key: rule.action for key, rule in rules.items()} == {
        "9.1": "keep",
        "9.2": "delete",
        "9.3": "archive",
        "9.4": "anonymise",
    }
    assert {rule.period for rule in rules.values()} == {""}
