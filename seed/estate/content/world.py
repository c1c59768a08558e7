"""Who exists in the estate, and the shape in which tables are handed over."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random

from seed.estate.content import values
from seed.estate.content.people import Customer, People, Person, mailbox

Row = Sequence[object]
_FIRST_TENANT, _FIRST_CUSTOMER = 1001, 100_001
_PEOPLE_PER_ORGANISATION = 8


@dataclass(frozen=True, slots=True)
class Table:
    """Rows for one table, in the order of `columns`; JSON is text already."""

    name: str  # "schema.table"
    columns: tuple[str, ...]
    rows: Iterable[Row]


@dataclass(frozen=True, slots=True)
class World:
    """The people and organisations that all tables speak of."""

    seed: int
    tenants: tuple[int, ...]
    customers: tuple[Customer, ...]
    employees: tuple[Person, ...]

    def random(self, purpose: str) -> Random:
        """A source of chance of its own for each purpose, so that one table's change leaves the others as they were."""
        return Random(f"{self.seed}/{purpose}")

    def some(self, purpose: str, per_customer: float) -> list[Customer]:
        """Customers drawn with repetition, on average `per_customer` times each."""
        random = self.random(f"{purpose}/who")
        return random.choices(self.customers, k=max(1, round(per_customer * len(self.customers))))


def make_world(customers: int, seed: int) -> World:
    """`customers` people with their organisations, and the employees who look after them."""
    random = Random(f"{seed}/people")
    people = People(random, seed)
    tenants = tuple(range(_FIRST_TENANT, _FIRST_TENANT + max(2, customers // _PEOPLE_PER_ORGANISATION)))
    return World(
        seed=seed,
        tenants=tenants,
        customers=tuple(_customer(random, people, random.choice(tenants), number) for number in range(customers)),
        employees=tuple(people.person() for _ in range(max(24, customers // 40))),
    )


def as_json(value: object) -> str:
    """JSON text with accents as they are."""
    return json.dumps(value, ensure_ascii=False)


def _customer(random: Random, people: People, tenant: int, number: int) -> Customer:
    person = people.person()
    handle = f"{mailbox(person.first_name)[:1]}{mailbox(person.last_name)}"
    return Customer(
        tenant_id=tenant,
        customer_id=_FIRST_CUSTOMER + number,
        username=f"{handle}{number + 1}",
        person=person,
        second_email=f"{handle}.{number + 1}@perso.example.net",
        created_at=values.moment(random, 1500),
    )
