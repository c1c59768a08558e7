"""The people of the estate: half of them write English, half French."""

from __future__ import annotations

import itertools
import unicodedata
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Literal

from faker import Faker

from seed.estate.content import values

Language = Literal["en", "fr"]
_POOL = 400  # names, streets and so on drawn from Faker once; people combine them
_MAIL_DOMAINS = ("example.com", "example.org", "example.net", "mail.example.com", "courriel.example.org")
# (city, province, area code, first letter and digit of postal codes)
_CITIES: dict[Language, tuple[tuple[str, str, str, str], ...]] = {
    "en": (
        ("Toronto", "ON", "416", "M5"),
        ("Ottawa", "ON", "613", "K1"),
        ("Vancouver", "BC", "604", "V6"),
        ("Calgary", "AB", "403", "T2"),
        ("Halifax", "NS", "902", "B3"),
        ("Winnipeg", "MB", "204", "R3"),
    ),
    "fr": (
        ("Montréal", "QC", "514", "H2"),
        ("Québec", "QC", "418", "G1"),
        ("Gatineau", "QC", "819", "J8"),
        ("Trois-Rivières", "QC", "819", "G9"),
        ("Saint-Jérôme", "QC", "450", "J7"),
        ("Moncton", "NB", "506", "E1"),
    ),
}
_POSTAL_LETTERS = "ABCEGHJKLMNPRSTVWXYZ"
_STREET_TYPES_FR = ("rue", "avenue", "boulevard", "chemin", "côte")


@dataclass(frozen=True, slots=True)
class Address:
    """Where mail reaches somebody."""

    line_1: str
    line_2: str | None
    city: str
    province: str
    postal_code: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, with what follows from who they are."""

    first_name: str
    last_name: str
    email: str
    phone: str
    language: Language
    born: date
    gender: str
    address: Address
    ip: str
    user_agent: str

    @property
    def full_name(self) -> str:
        """Given name and family name."""
        return f"{self.first_name} {self.last_name}"


@dataclass(frozen=True, slots=True)
class Customer:
    """A person who has an account with a tenant."""

    tenant_id: int
    customer_id: int
    username: str
    person: Person
    second_email: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class _Pool:
    women: list[str]
    men: list[str]
    last_names: list[str]
    streets: list[str]


@dataclass(slots=True)
class People:
    """Makes people, each with an e-mail address of their own."""

    random: Random
    seed: int
    _pools: dict[Language, _Pool] = field(init=False)
    _user_agents: list[str] = field(init=False)
    _serial: itertools.count[int] = field(init=False)

    def __post_init__(self) -> None:
        self._pools = {"en": _pool("en_CA", self.seed), "fr": _pool("fr_CA", self.seed)}
        fake = Faker("en_CA")
        fake.seed_instance(self.seed)
        self._user_agents = [fake.user_agent() for _ in range(200)]
        self._serial = itertools.count(1)

    def person(self) -> Person:
        """Somebody new."""
        random = self.random
        language: Language = random.choice(("en", "fr"))
        pool = self._pools[language]
        gender = random.choice(("F", "M"))
        first, last = random.choice(pool.women if gender == "F" else pool.men), random.choice(pool.last_names)
        city, province, area, postal = random.choice(_CITIES[language])
        return Person(
            first_name=first,
            last_name=last,
            email=f"{mailbox(first)}.{mailbox(last)}{next(self._serial)}@{random.choice(_MAIL_DOMAINS)}",
            phone=values.telephone(random, area),
            language=language,
            born=date(1950, 1, 1) + timedelta(days=random.randrange(56 * 365)),
            gender=gender,
            address=self._address(language, city, province, postal),
            ip=values.ip_address(random),
            user_agent=random.choice(self._user_agents),
        )

    def _address(self, language: Language, city: str, province: str, postal: str) -> Address:
        random = self.random
        number, street = random.randrange(1, 9999), random.choice(self._pools[language].streets)
        unit = random.randrange(1, 900) if random.random() < 0.3 else None
        if language == "fr":
            line_1, line_2 = f"{number}, {street}", f"app. {unit}" if unit else None
        else:
            line_1, line_2 = f"{number} {street}", f"Unit {unit}" if unit else None
        letter, other = random.choice(_POSTAL_LETTERS), random.choice(_POSTAL_LETTERS)
        code = f"{postal}{letter} {random.randrange(10)}{other}{random.randrange(10)}"
        return Address(line_1, line_2, city, province, code)


def mailbox(name: str) -> str:
    """A name as it is written in an e-mail address or a user name: lower case, no accents, no spaces."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return "".join(c for c in plain if c.isalnum() or c == "-").strip("-") or "x"


def _pool(locale: str, seed: int) -> _Pool:
    fake = Faker(locale)
    fake.seed_instance(seed)
    return _Pool(
        women=[fake.first_name_female() for _ in range(_POOL)],
        men=[fake.first_name_male() for _ in range(_POOL)],
        last_names=[fake.last_name() for _ in range(_POOL)],
        streets=[_street_fr(fake) if locale == "fr_CA" else fake.street_name() for _ in range(_POOL)],
    )


def _street_fr(fake: Faker) -> str:
    return f"{fake.random_element(_STREET_TYPES_FR)} {fake.last_name()}"
