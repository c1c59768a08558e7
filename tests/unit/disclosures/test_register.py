"""The disclosure register: what it takes, what it tells whom, and that no person is in it."""

from __future__ import annotations

from datetime import date

import pytest

from inventory.disclosures.importing import read_disclosures
from inventory.disclosures.register import Disclosure, DisclosureRegister, LegalBasis, holding
from inventory.errors import ConfigError, InventoryError, QuestionError
from inventory.identifiers import Identifier, IdentifierKind, digest, normalised, parse_identifier
from inventory.installation import InstallationKey, installation_key

TODAY = date(2026, 11, 25)
ADA = Identifier(IdentifierKind.EMAIL, "Ada.Lovelace@Example.ca ")
CALL = Identifier(IdentifierKind.PHONE, "(514) 555-0123")


@pytest.fixture
def register(tmp_path):
    return DisclosureRegister(tmp_path, InstallationKey(b"s" * 32))


def disclosure(**changed):
    said = {
        "recipient": "law-enforcement",
        "asked_by": "Federal Policing",
        "legal_basis": LegalBasis.WARRANT,
        "reference": "W-1",
        "categories": ("user.name",),
        "disclosed_on": date(2026, 11, 1),
    }
    return Disclosure(**{**said, **changed})


def test_an_entry_comes_back_as_it_was_written(register):
    said = disclosure(sources=("postgres://db:5432",), subjects=2, suppressed=True, suppressed_until=TODAY)
    written = register.record(said, [ADA], "lin")
    assert register.entries() == [written]
    assert (written.number, written.disclosure, written.recorded_by) == (1, said, "lin")


def test_no_identifier_is_in_the_files(register, tmp_path):
    register.record(disclosure(), [ADA, CALL], "lin")
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir()).lower()
    assert b"lovelace" not in content
    assert b"0123" not in content
    assert digest(b"another key", ADA).encode() not in content


def test_a_person_is_found_by_any_form_of_an_identifier(register):
    register.record(disclosure(), [ADA, CALL], "lin")
    register.record(disclosure(reference="W-2"), [Identifier(IdentifierKind.EMAIL, "bob@example.ca")], "lin")
    for person in ("email:ada.lovelace@example.ca", "email: ADA.LOVELACE@EXAMPLE.CA", "phone:+1 514 555 0123"):
        found = register.about([parse_identifier(person)], TODAY)
        assert [entry.disclosure.reference for entry in found] == ["W-1"]
    assert register.about([parse_identifier("username:ada.lovelace@example.ca")], TODAY) == []


def test_what_may_not_be_told_is_told_only_when_asked_for(register):
    register.record(disclosure(suppressed=True), [ADA], "lin")
    register.record(disclosure(suppressed=True, suppressed_until=date(2026, 12, 1)), [ADA], "lin")
    register.record(disclosure(suppressed=True, suppressed_until=TODAY), [ADA], "lin")
    assert [entry.number for entry in register.about([ADA], TODAY)] == [3]
    assert [entry.number for entry in register.about([ADA], TODAY, suppressed=True)] == [1, 2, 3]


def test_a_correction_stands_in_the_place_of_what_it_corrects(register):
    register.record(disclosure(), [ADA], "lin")
    register.record(disclosure(reference="W-9", corrects=1), [ADA], "lin")
    first, second = register.entries()
    assert (first.corrected_by, second.corrected_by) == (2, 0)
    assert [entry.number for entry in holding(register.entries())] == [2]
    assert [entry.number for entry in register.about([ADA], TODAY)] == [2]


@pytest.mark.parametrize(
    "changed, cause",
    [
        ({"categories": ()}, "no category"),
        ({"categories": ("user.shoe_size",)}, "shoe_size"),
        ({"recipient": ""}, "missing"),
        ({"asked_by": "x" * 201}, "200"),
        ({"reference": "a\nb"}, "one line"),
        ({"corrects": 1}, "no entry"),
        ({"subjects": -1}, "negative"),
        ({"suppressed_until": TODAY}, "not suppressed"),
    ],
)
def test_what_cannot_be_is_refused_and_not_written(register, changed, cause):
    with pytest.raises(InventoryError, match=cause):
        register.record(disclosure(**changed), [], "lin")
    assert register.verify() == 0


@pytest.mark.parametrize("text", ["ada@example.ca", "shoe:44", "email:", "email:nobody", "phone:12", "email:a\x00b@c"])
def test_what_is_no_identifier_is_refused_without_saying_it(text):
    with pytest.raises(QuestionError) as raised:
        normalised(parse_identifier(text))
    assert not any(value in str(raised.value) for value in ("ada@", "44", "nobody", "12", "a\x00b"))


def test_an_identifier_does_not_show_itself():
    assert "Ada" not in f"{ADA!r} {ADA}"


def test_csv_and_yaml_say_the_same(tmp_path):
    (tmp_path / "d.csv").write_text(
        "recipient,asked_by,legal_basis,categories,disclosed_on,people,suppressed,suppressed_until,subjects\n"
        "regulators,OPC,required_by_law,user.name; user.contact.email,2026-10-02,email:a@b.ca;phone:5145550123,,,\n",
        "utf-8",
    )
    (tmp_path / "d.yaml").write_text(
        "- recipient: regulators\n  asked_by: OPC\n  legal_basis: required_by_law\n"
        "  categories: [user.name, user.contact.email]\n  disclosed_on: 2026-10-02\n"
        "  people: ['email:a@b.ca', 'phone:5145550123']\n",
        "utf-8",
    )
    of_csv, of_yaml = read_disclosures(tmp_path / "d.csv"), read_disclosures(tmp_path / "d.yaml")
    assert of_csv == of_yaml
    assert of_csv[0][0].subjects == 2


def test_every_mistake_of_a_file_is_named_and_no_value(tmp_path):
    file = tmp_path / "d.csv"
    file.write_text(
        "recipient,asked_by,legal_basis,categories,disclosed_on,people\n"
        "regulators,OPC,because,user.name,2026-10-02,\n"
        "regulators,OPC,consent,user.name,yesterday,\n"
        "regulators,OPC,consent,user.name,2026-10-02,phone:secret-number\n",
        "utf-8",
    )
    with pytest.raises(ConfigError) as raised:
        read_disclosures(file)
    said = str(raised.value)
    assert "line 2, legal_basis: is none of" in said
    assert "line 3, disclosed_on: cannot be read" in said
    assert "line 4: identifier of kind phone" in said
    assert not any(value in said for value in ("because", "yesterday", "secret-number"))


def test_the_installation_key_is_made_once_and_is_private(tmp_path):
    first, again = installation_key(tmp_path / "data"), installation_key(tmp_path / "data")
    assert first.derived("a") == again.derived("a") != first.derived("b")
    path = tmp_path / "data" / "installation.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text("ascii").strip() not in repr(first)
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        installation_key(tmp_path / "data")


def test_a_short_key_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="32 bytes"):
        installation_key(tmp_path, "short")
    assert installation_key(tmp_path, "l" * 32).derived("a")
    assert list(tmp_path.iterdir()) == []
