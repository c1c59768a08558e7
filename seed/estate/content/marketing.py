"""Rows of the schema `marketing`."""

from __future__ import annotations

from collections.abc import Iterator

from seed.estate.content import values
from seed.estate.content.world import Row, Table, World

_CAMPAIGNS = (
    ("Spring launch", "New regions are here", "De nouvelles régions", "spring-launch"),
    ("Rentrée", "Back to school", "C'est la rentrée", "rentree"),
    ("Postgres week", "Managed PostgreSQL", "PostgreSQL géré", "postgres-week"),
    ("Year in review", "Your year with us", "Votre année avec nous", "review"),
)


def marketing(world: World) -> Iterator[Table]:
    """Consents, campaigns and who must not be written to."""
    random = world.random("marketing")
    yield Table(
        "marketing.consents",
        ("tenant_id", "customer_id", "purpose", "granted", "obtained_from", "wording_version", "recorded_at"),
        _consents(world),
    )
    yield Table(
        "marketing.campaigns",
        ("campaign_id", "name", "subject_en", "subject_fr", "utm_campaign", "sent_on"),
        [(n, *campaign, values.moment(random, 300).date()) for n, campaign in enumerate(_CAMPAIGNS, 1)],
    )
    yield Table(
        "marketing.campaign_sends",
        ("campaign_id", "tenant_id", "customer_id", "opened_at"),
        _sends(world),
    )
    yield Table("marketing.suppressions", ("email_sha256", "reason", "added_on"), _suppressions(world))


def _consents(world: World) -> Iterator[Row]:
    random = world.random("consents")
    for customer in world.customers:
        for purpose in ("newsletter", "product_research"):
            seen = customer.person.ip if random.random() < 0.9 else None
            given = random.random() < 0.4
            owner = customer.tenant_id, customer.customer_id
            yield (*owner, purpose, given, seen, f"{random.randint(1, 3)}.0", values.moment(random, 900))


def _sends(world: World) -> Iterator[Row]:
    random = world.random("campaign_sends")
    for campaign in range(1, len(_CAMPAIGNS) + 1):
        for customer in world.customers:
            if random.random() < 0.5:
                opened = values.moment(random, 300) if random.random() < 0.4 else None
                yield campaign, customer.tenant_id, customer.customer_id, opened


def _suppressions(world: World) -> Iterator[Row]:
    random = world.random("suppressions")
    for customer in world.customers:
        if random.random() < 0.3:
            reason = random.choice(("bounce", "complaint", "désabonnement"))
            yield values.sha256(customer.person.email.lower()), reason, values.moment(random, 900).date()
