"""Rows of the schema `billing`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from seed.estate.content import values
from seed.estate.content.people import Customer
from seed.estate.content.world import Row, Table, World, as_json

_PLANS = (
    ("solo", "Solo", "Solo", 900, {"seats": 1, "support": "community", "regions": ["ca-east"]}),
    ("team", "Team", "Équipe", 4900, {"seats": 10, "support": "e-mail", "regions": ["ca-east", "ca-west"]}),
    ("business", "Business", "Affaires", 19900, {"seats": 50, "support": "telephone", "regions": ["ca-east"]}),
    ("dedicated", "Dedicated", "Dédié", 79900, {"seats": 500, "support": "telephone", "regions": ["ca-east"]}),
)
_PRODUCTS = ("Compute hours", "Managed PostgreSQL", "Outbound e-mail", "Bande passante", "Sauvegardes", "Domain name")
_SERVICES = ("compute", "database", "e-mail", "bandwidth")


def plans() -> Table:
    """What can be bought; organisations refer to it."""
    return Table(
        "billing.plans",
        ("plan_code", "name", "nom", "price_cents", "currency", "features"),
        [(code, name, nom, price, "CAD", as_json(features)) for code, name, nom, price, features in _PLANS],
    )


def billing(world: World) -> Iterator[Table]:
    """How people pay, what they were billed and what they used."""
    random = world.random("billing")
    methods = {c.customer_id: (values.identifier(random), c) for c in world.customers if random.random() < 0.8}
    invoices = list(enumerate(world.some("invoices", 2), 1))
    yield Table(
        "billing.payment_methods",
        (
            *("payment_method_id", "tenant_id", "customer_id", "kind", "holder", "card_number", "card_expiry", "last4"),
            *("transit_institution", "account_number", "stripe_customer"),  # the sync fills in the last
        ),
        [_payment_method(random, key, customer) for key, customer in methods.values()],
    )
    yield Table(
        "billing.invoices",
        (
            *("invoice_id", "tenant_id", "customer_id", "order_number", "issued_on", "total_cents", "currency"),
            *("status", "bill_to"),
        ),
        [_invoice(random, number, customer) for number, customer in invoices],
    )
    yield Table(
        "billing.invoice_lines",
        ("invoice_id", "line_number", "name", "quantity", "unit_price_cents"),
        [line for number, _ in invoices for line in _lines(random, number)],
    )
    yield Table(
        "billing.payments",
        ("payment_id", "invoice_id", "payment_method_id", "amount_cents", "payer_ip", "paid_at"),
        [
            _payment(random, number, methods[customer.customer_id][0], customer)
            for number, customer in invoices
            if customer.customer_id in methods
        ],
    )
    yield Table(
        "billing.usage_records",
        ("tenant_id", "customer_id", "month", "service", "quantity", "amount_cents"),
        _usage(world),
    )


def _payment_method(random: values.Random, key: str, customer: Customer) -> Row:
    owner = key, customer.tenant_id, customer.customer_id
    holder = customer.person.full_name
    if random.random() < 0.75:
        number = values.card_number(random)
        expiry = f"{random.randint(1, 12):02d}/{random.randint(26, 31)}"
        return (*owner, "card", holder, number, expiry, number[-4:], None, None, None)
    transit = f"{values.digits(random, 5)}-{random.choice(('001', '002', '003', '004', '006', '815'))}"
    account = values.digits(random, random.choice((7, 9, 12)))
    return (*owner, "pad", holder, None, None, account[-4:], transit, account, None)


def _invoice(random: values.Random, number: int, customer: Customer) -> Row:
    person = customer.person
    place = person.address
    bill_to = {
        "name": person.full_name,
        "email": person.email,
        "address": {"line1": place.line_1, "city": place.city, "province": place.province, "code": place.postal_code},
    }
    return (
        number,
        customer.tenant_id,
        customer.customer_id,
        values.order_number(number),
        values.moment(random, 700).date(),
        random.randrange(500, 90_000),
        "CAD",
        random.choices(("paid", "open", "void"), (85, 12, 3))[0],
        as_json(bill_to),
    )


def _lines(random: values.Random, invoice: int) -> Iterator[Row]:
    for line in range(1, random.randint(1, 3) + 1):
        yield invoice, line, random.choice(_PRODUCTS), random.randint(1, 40), random.randrange(100, 9000)


def _payment(random: values.Random, invoice: int, method: str, customer: Customer) -> Row:
    ip = customer.person.ip if random.random() < 0.8 else None
    return values.identifier(random), invoice, method, random.randrange(500, 90_000), ip, values.moment(random, 700)


def _usage(world: World) -> Iterator[Row]:
    random = world.random("usage_records")
    for customer in world.customers:
        for month in (date(2025, 11, 1), date(2025, 12, 1)):
            for service in random.sample(_SERVICES, k=2):
                quantity = round(random.uniform(0, 5000), 3)
                owner = customer.tenant_id, customer.customer_id
                yield (*owner, month, service, quantity, round(quantity * 3))
