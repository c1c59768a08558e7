"""The disclosure register by the service: written, asked, and seen in what a category's recipients are."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime

import pytest

from inventory.errors import QuestionError

PERSON = {"kind": "EMAIL", "value": "Ada@Example.ca"}
WARRANT = {
    "recipient": "law-enforcement",
    "askedBy": "Federal Policing",
    "legalBasis": "WARRANT",
    "reference": "W-1",
    "categories": ["user.contact.email"],
    "disclosedOn": "2026-11-01",
    "subjects": 1,
    "suppressed": True,
}


@pytest.fixture
def register(tmp_path):
    from inventory.disclosures.register import DisclosureRegister
    from inventory.installation import InstallationKey

    return DisclosureRegister(tmp_path, InstallationKey(b"s" * 32))


@pytest.fixture
def ask(catalogue, register):
    from inventory.api.contract import ask
    from inventory.disclosures.facts import declare_register
    from inventory.graph.writer import GraphWriter

    async def asked(name, variables):
        try:
            return await ask(catalogue, name, variables, lambda: register)
        finally:
            await catalogue.graph.aclose()

    yield lambda name, **variables: asyncio.run(asked(name, variables))
    declare_register(GraphWriter(catalogue.graph), [], datetime.now(UTC))


def test_a_disclosure_is_written_and_asked_for(ask, register):
    written = ask("RecordDisclosure", disclosure=WARRANT, people=[PERSON])["recordDisclosure"]
    assert (written["number"], written["recipient"]["name"]) == (1, "Law enforcement")
    (entry,) = [edge["node"] for edge in ask("DisclosureRegister")["disclosureRegister"]["edges"]]
    assert (entry["legalBasis"], entry["suppressed"], entry["subjects"]) == ("WARRANT", True, 1)
    assert entry["categories"] == [{"key": "user.contact.email"}]
    assert register.entries()[0].disclosure.disclosed_on == date(2026, 11, 1)


def test_a_recipient_of_the_register_is_observed(ask):
    ask("RecordDisclosure", disclosure=WARRANT, people=[PERSON])
    recipients = ask("ProcessorsOf", category="user.contact.email", first="200")["processorsOf"]["edges"]
    police = next(edge["node"] for edge in recipients if edge["node"]["processor"]["key"] == "law-enforcement")
    assert (police["declared"], police["observed"]) == (True, True)
    (said,) = [d for d in police["disclosures"] if d["provenance"] == "REGISTER"]
    assert said["evidence"] == "the disclosure register has it once, last on 2026-11-01 (entry 1)"


def test_what_was_observed_of_a_member_counts_for_its_class(ask):
    ask("RecordDisclosure", disclosure={**WARRANT, "recipient": "stripe", "legalBasis": "CONTRACT"}, people=[])
    edges = ask("Processors", first="200", standing=["CONFIRMED"])["processors"]["edges"]
    assert {edge["node"]["processor"]["key"] for edge in edges} >= {"stripe", "payment-gateways"}


def test_what_a_person_may_not_be_told_is_left_out(ask):
    ask("RecordDisclosure", disclosure=WARRANT, people=[PERSON])
    ask("RecordDisclosure", disclosure={**WARRANT, "suppressed": False, "reference": "W-2"}, people=[PERSON])
    same = {"kind": "EMAIL", "value": "ada@example.CA"}
    told = ask("DisclosuresAbout", people=[same])["disclosuresAbout"]
    assert [entry["reference"] for entry in told] == ["W-2"]
    all_of_it = ask("DisclosuresAbout", people=[same], includeSuppressed=True)["disclosuresAbout"]
    assert [entry["reference"] for entry in all_of_it] == ["W-1", "W-2"]
    assert ask("DisclosuresAbout", people=[same], asOf="2020-01-01T00:00:00Z")["disclosuresAbout"] == []


def test_a_mistake_is_said_without_the_identifier(ask):
    with pytest.raises(QuestionError) as raised:
        ask("RecordDisclosure", disclosure=WARRANT, people=[{"kind": "EMAIL", "value": "nobody-at-all"}])
    assert "is no e-mail address" in str(raised.value)
    assert "nobody" not in str(raised.value)
    assert ask("DisclosureRegister")["disclosureRegister"]["edges"] == []
