"""Rows of the schema `audit`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from seed.estate.content import texts, values
from seed.estate.content.people import Customer
from seed.estate.content.world import Row, Table, World, as_json

_ACTIONS = ("sign_in", "change_email", "create_key", "delete_project")


def audit(world: World) -> Iterator[Table]:
    """Who did what, and requests by people about their own data."""
    random = world.random("audit")
    yield Table(
        "audit.events",
        ("event_id", "occurred_at", "actor", "actor_ip", "action", "object_type", "object_id", "detail"),
        [_event(random, number, customer) for number, customer in enumerate(world.some("audit", 4), 1)],
    )
    requests = world.some("privacy_requests", max(0.05, 24 / len(world.customers)))
    yield Table(
        "audit.privacy_requests",
        (*("request_id", "tenant_id", "customer_id", "kind", "requester", "statement", "received_on", "closed_on"),),
        [_request(random, number, customer) for number, customer in enumerate(requests, 1)],
    )


def _event(random: values.Random, number: int, customer: Customer) -> Row:
    action = random.choices(_ACTIONS, (60, 15, 20, 5))[0]
    detail: dict[str, object] = {"channel": random.choice(("console", "api"))}
    if action == "change_email":
        detail |= {"before": {"email": customer.second_email}, "after": {"email": customer.person.email}}
    what = random.choice(("project", "session", "key")), f"obj-{random.randrange(10**6)}"
    who = customer.username, customer.person.ip
    return (number, values.moment(random, 300), *who, action, *what, as_json(detail))


def _request(random: values.Random, number: int, customer: Customer) -> Row:
    kind = random.choice(tuple(texts.PRIVACY))
    english, french = texts.PRIVACY[kind]
    statement = texts.fill(random, french if customer.person.language == "fr" else english, customer)
    received = values.moment(random, 300).date()
    closed = received + timedelta(days=random.randint(2, 30)) if random.random() < 0.8 else None
    who = customer.tenant_id, customer.customer_id
    return (number, *who, kind, customer.person.email, statement, received, closed)
