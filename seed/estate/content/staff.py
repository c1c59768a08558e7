"""Rows of the schema `staff`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from seed.estate.content import texts, values
from seed.estate.content.people import Person, mailbox
from seed.estate.content.world import Row, Table, World

_TITLES = ("Support agent", "Agent de soutien", "Engineer", "Ingénieure", "Accountant", "Privacy officer")


def staff(world: World) -> Iterator[Table]:
    """Employees, and their leaves with health numbers that no policy declares."""
    yield Table(
        "staff.employees",
        ("employee_id", "manager_id", "full_name", "work_email", "job_title", "office", "gender", "hired_on"),
        _employees(world),
    )
    yield Table(
        "staff.leave_requests",
        ("leave_id", "employee_id", "kind", "starts_on", "ends_on", "ref_medicale", "note"),
        _leave_requests(world),
    )


def _employees(world: World) -> Iterator[Row]:
    random = world.random("employees")
    for number, person in enumerate(world.employees, 1):
        manager = random.randrange(1, number) if number > 1 else None
        email = f"{mailbox(person.first_name)}.{mailbox(person.last_name)}.{number}@setbytes.example"
        office = random.choice(("Montréal", "Toronto", "Québec"))
        hired = values.moment(random, 3000).date()
        yield number, manager, person.full_name, email, random.choice(_TITLES), office, person.gender, hired


def _leave_requests(world: World) -> Iterator[Row]:
    random = world.random("leave_requests")
    for number in range(1, 3 * len(world.employees)):
        employee = random.randrange(len(world.employees))
        kind, note = random.choice(texts.LEAVES)
        start = values.moment(random, 600).date()
        card = _health_card(random, world.employees[employee]) if kind == "maladie" else None
        yield number, employee + 1, kind, start, start + timedelta(days=random.randint(1, 30)), card, note


def _health_card(random: values.Random, person: Person) -> str:
    if person.language == "en":
        return values.ohip_number(random)
    born = datetime.combine(person.born, datetime.min.time())
    return values.ramq_number(random, person.first_name, person.last_name, born, female=person.gender == "F")
