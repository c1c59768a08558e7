"""Rows of the schema `telemetry`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from seed.estate.content import values
from seed.estate.content.world import Row, Table, World, as_json

_HOSTS = ("app.setbytes.example", "api.setbytes.example", "console.setbytes.example")
_PATHS = ("/", "/login", "/projects", "/billing/invoices", "/fr/connexion", "/fr/projets", "/docs/deploy")
_REFERRERS = ("https://www.example.com/search?q=paas", "https://setbytes.example/fr/", None, None)
_ENDPOINTS = ("/v1/projects", "/v1/deployments", "/v1/domains", "/v1/machines")
_LOG_DAYS = 8


def telemetry(world: World) -> Iterator[Table]:
    """Access logs, use of the API, events of the console, uptime."""
    yield Table(
        "telemetry.access_log",
        (
            *("request_id", "logged_at", "host", "client_ip", "tenant_id", "customer_id", "method", "path", "status"),
            *("bytes", "referrer", "user_agent"),
        ),
        _requests(world),
    )
    yield Table(
        "telemetry.api_usage",
        ("tenant_id", "customer_id", "day", "endpoint", "calls", "errors"),
        _api_usage(world),
    )
    yield Table("telemetry.client_events", ("event_id", "occurred_at", "name", "payload"), _events(world))
    yield Table(
        "telemetry.uptime_checks",
        ("check_id", "region", "target", "latency_ms", "healthy", "checked_at"),
        _uptime(world),
    )


def _requests(world: World) -> Iterator[Row]:
    random = world.random("access_log")
    for number, customer in enumerate(world.some("access_log", 10), 1):
        known = random.random() < 0.7
        yield (
            number,
            values.moment(random, _LOG_DAYS),
            random.choice(_HOSTS),
            customer.person.ip,
            customer.tenant_id if known else None,
            customer.customer_id if known else None,
            random.choices(("GET", "POST", "DELETE"), (85, 13, 2))[0],
            random.choice(_PATHS),
            random.choices((200, 302, 401, 404, 500), (85, 6, 3, 5, 1))[0],
            random.randrange(200, 60_000),
            random.choice(_REFERRERS),
            customer.person.user_agent,
        )


def _api_usage(world: World) -> Iterator[Row]:
    random = world.random("api_usage")
    for customer in world.customers:
        for back in range(2):
            for endpoint in random.sample(_ENDPOINTS, k=2):
                owner = customer.tenant_id, customer.customer_id
                yield (
                    *owner,
                    date(2026, 1, 14) - timedelta(days=back),
                    endpoint,
                    random.randrange(900),
                    random.randrange(9),
                )


def _events(world: World) -> Iterator[Row]:
    random = world.random("client_events")
    for customer in world.some("client_events", 3):
        person = customer.person
        user: dict[str, object] = {"id": customer.customer_id, "tenant": customer.tenant_id}
        if random.random() < 0.5:
            user["email"] = person.email
        payload = {
            "user": user,
            "client": {"ip": person.ip, "agent": person.user_agent, "screen": random.choice(("1920x1080", "390x844"))},
            "page": {"path": random.choice(_PATHS), "millis": random.randrange(40, 4000)},
            "experiments": random.sample(("new-nav", "dark-default", "fr-first"), k=random.randrange(3)),
        }
        name = random.choice(("page_view", "click", "form_error"))
        yield values.identifier(random), values.moment(random, _LOG_DAYS), name, as_json(payload)


def _uptime(world: World) -> Iterator[Row]:
    random = world.random("uptime_checks")
    for number in range(1, 200 + len(world.customers) // 2):
        healthy = random.random() < 0.995
        target = random.choice(_HOSTS)
        region = random.choice(("ca-east", "ca-west"))
        yield number, region, target, random.randrange(8, 400), healthy, values.moment(random, 30)
