"""Rows of the schema `support`."""

from __future__ import annotations

from collections.abc import Iterator

from seed.estate.content import texts, values
from seed.estate.content.people import Customer
from seed.estate.content.world import Row, Table, World, as_json


def support(world: World) -> Iterator[Table]:
    """Tickets and their messages, calls, surveys."""
    random = world.random("support")
    tickets = list(enumerate(world.some("tickets", 0.6), 1))
    agents = len(world.employees)
    yield Table(
        "support.tickets",
        (
            *("ticket_id", "tenant_id", "customer_id", "assigned_to", "subject", "body", "language", "channel"),
            *("status", "opened_at"),
        ),
        [_ticket(random, number, customer, agents) for number, customer in tickets],
    )
    yield Table(
        "support.ticket_messages",
        ("message_id", "ticket_id", "author", "body", "attachments", "sent_at"),
        _messages(random, tickets),
    )
    yield Table(
        "support.call_logs",
        ("call_id", "caller_number", "compte", "agent_id", "duration_seconds", "summary", "started_at"),
        [_call(random, number, customer, agents) for number, customer in enumerate(world.some("calls", 0.3), 1)],
    )
    answered = random.sample(tickets, k=max(1, len(tickets) // 3))
    yield Table(
        "support.satisfaction_surveys",
        ("survey_id", "ticket_id", "score", "commentaire", "answered_at"),
        [_survey(random, number, ticket, customer) for number, (ticket, customer) in enumerate(answered, 1)],
    )


def _ticket(random: values.Random, number: int, customer: Customer, agents: int) -> Row:
    language = customer.person.language
    subject, body = random.choice(texts.TICKETS[language])
    return (
        number,
        customer.tenant_id,
        customer.customer_id,
        random.randint(1, agents) if random.random() < 0.9 else None,
        subject,
        texts.fill(random, body, customer),
        language,
        random.choice(("web", "e-mail", "chat")),
        random.choices(("new", "open", "closed"), (10, 30, 60))[0],
        values.moment(random, 500),
    )


def _messages(random: values.Random, tickets: list[tuple[int, Customer]]) -> Iterator[Row]:
    number = 0
    for ticket, customer in tickets:
        for _ in range(random.randint(1, 3)):
            number += 1
            ours = random.random() < 0.5
            author = "soutien@setbytes.example" if ours else customer.person.email
            body = texts.fill(random, random.choice(texts.REPLIES[customer.person.language]), customer)
            files = [{"file": f"capture-{number}.png", "bytes": random.randrange(10_000, 900_000)}]
            attachments = files if random.random() < 0.3 else []
            yield number, ticket, author, body, as_json(attachments), values.moment(random, 500)


def _call(random: values.Random, number: int, customer: Customer, agents: int) -> Row:
    summary = texts.fill(random, random.choice(texts.CALLS[customer.person.language]), customer)
    account = customer.customer_id if random.random() < 0.8 else None
    handled = random.randint(1, agents), random.randint(20, 1800)
    return (number, customer.person.phone, account, *handled, summary, values.moment(random, 500))


def _survey(random: values.Random, number: int, ticket: int, customer: Customer) -> Row:
    comment = texts.fill(random, random.choice(texts.SURVEYS[customer.person.language]), customer)
    return number, ticket, random.randint(1, 5), comment, values.moment(random, 400)
