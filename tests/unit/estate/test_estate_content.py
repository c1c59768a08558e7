"""The generator: the same for the same seed, of the size asked for, and nobody real."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from random import Random

import pytest

from seed.estate.content import values
from seed.estate.content.tables import tables
from seed.estate.content.world import make_world

SIZE = 40


def content(customers: int, seed: int) -> dict[str, list[dict[str, object]]]:
    world = make_world(customers, seed)
    return {t.name: [dict(zip(t.columns, row, strict=True)) for row in t.rows] for t in tables(world)}


def digest(found: dict[str, list[dict[str, object]]]) -> str:
    return hashlib.sha256(repr(found).encode()).hexdigest()


@pytest.fixture(scope="module")
def estate_content() -> dict[str, list[dict[str, object]]]:
    return content(SIZE, seed=1)


def test_same_seed_gives_the_same_bytes(estate_content):
    assert digest(content(SIZE, seed=1)) == digest(estate_content)


def test_another_seed_gives_other_people(estate_content):
    other = content(SIZE, seed=2)
    emails = {row["email"] for row in estate_content["accounts.customers"]}
    assert not emails & {row["email"] for row in other["accounts.customers"]}


@pytest.mark.parametrize("customers", [1, 7])
def test_size_follows_the_number_of_customers(customers):
    made = content(customers, seed=1)
    assert len(made["accounts.customers"]) == customers
    assert len(made["telemetry.access_log"]) == 10 * customers


def test_every_table_has_rows(estate_content):
    assert all(estate_content.values())


def test_english_and_french_people_are_about_as_many():
    languages = [row["language"] for row in content(200, seed=1)["accounts.customers"]]
    assert 0.4 < languages.count("fr") / len(languages) < 0.6


def test_customers_have_their_own_addresses_in_reserved_domains(estate_content):
    emails = [str(row["email"]) for row in estate_content["accounts.customers"]]
    assert len(set(emails)) == SIZE
    assert all(re.search(r"[@.]example\.(com|org|net)$", email) for email in emails)


def test_internet_addresses_are_for_documentation(estate_content):
    networks = [ipaddress.ip_network(n) for n in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")]
    for row in estate_content["telemetry.access_log"]:
        address = ipaddress.ip_address(str(row["client_ip"]))
        assert any(address in network for network in networks if network.version == address.version)


def test_telephone_numbers_are_fictitious(estate_content):
    phones = [re.sub(r"\D", "", str(row["caller_number"])) for row in estate_content["support.call_logs"]]
    assert all(re.fullmatch(r"1?\d{3}55501\d\d", phone) for phone in phones)


def luhn(number: str) -> bool:
    return values.check_digit(number[:-1]) == number[-1]


def test_check_digit_is_luhns():
    assert values.check_digit("7992739871") == "3"  # the example of ISO/IEC 7812-1's commentary


def test_social_insurance_numbers_are_valid_and_never_issued(estate_content):
    numbers = [str(row["sin"]).replace(" ", "") for row in estate_content["identity.verifications"] if row["sin"]]
    assert numbers
    assert all(len(number) == 9 and number.startswith("0") and luhn(number) for number in numbers)


def test_order_numbers_pass_luhn_one_time_in_ten():
    numbers = [values.order_number(sequence) for sequence in range(5000)]
    assert len(set(numbers)) == 5000
    assert 0.08 < sum(map(luhn, numbers)) / 5000 < 0.12


def test_cards_are_test_numbers():
    assert all(luhn(values.card_number(Random(seed))) for seed in range(50))


def test_stores_lie_as_planned(estate_content):
    customers = estate_content["accounts.customers"]
    assert all("@" in str(row["ref_3"]) for row in customers if row["ref_3"])
    assert all(isinstance(row["email_template_id"], int) for row in customers)
    versions = [str(row["version"]) for row in estate_content["platform.deployments"]]
    assert all(ipaddress.ip_address(version) for version in versions)  # they look like addresses, and are not
