"""Rows of the schema `platform`."""

from __future__ import annotations

from collections.abc import Iterator

from seed.estate.content import values
from seed.estate.content.people import Customer
from seed.estate.content.world import Row, Table, World, as_json

_REGIONS = ("ca-east", "ca-west")
_POOLS = (
    ("mtl-publique-1", "198.51.100.0/25"),
    ("mtl-publique-2", "198.51.100.128/25"),
    ("tor-public-1", "203.0.113.0/25"),
    ("tor-public-2", "203.0.113.128/25"),
    ("internal-1", "10.20.0.0/16"),
    ("internal-2", "10.30.0.0/16"),
)
_CHANNELS = (
    ("deployment.failed", "https://hooks.slack.com/services/T0SETBYTES/B0DEPLOY/setbytes", True),
    ("node.down", "https://events.pagerduty.com/integration/setbytes/enqueue", True),
    ("invoice.paid", "https://hooks.zapier.com/hooks/catch/0/setbytes/", True),
    ("project.created", "https://hooks.relais-fictif-setbytes.ca/setbytes", True),
    ("build.finished", "https://console.setbytes.example/hooks/build", False),
)
_SETTINGS = (
    ("maintenance_window", "02:00-04:00"),
    ("metrics_endpoint", "https://otlp-gateway-prod-ca-east-0.grafana.net/otlp"),
    ("smtp_host", "smtp.postmarkapp.com"),
    ("smtp_port", "587"),
    ("status_page_theme", "dark"),
    ("webhook_retries", "5"),
)
_PROJECTS = ("boutique", "api", "site-web", "intranet", "portfolio", "billetterie", "warehouse", "newsroom")


def platform(world: World) -> Iterator[Table]:
    """What people run on the platform."""
    random = world.random("platform")
    projects = list(enumerate(world.some("projects", 0.6), 1))
    yield Table(
        "platform.ip_pools",
        ("pool_id", "ip_pool_name", "network", "region"),
        [(number, name, network, _REGIONS[number % 2]) for number, (name, network) in enumerate(_POOLS, 1)],
    )
    yield Table(
        "platform.projects",
        ("project_id", "tenant_id", "owner_id", "name", "repository_url", "region", "created_at"),
        [_project(random, number, customer) for number, customer in projects],
    )
    yield Table(
        "platform.deployments",
        (
            *("deployment_id", "project_id", "previous_id", "version", "commit_sha", "commit_author", "environment"),
            *("status", "started_at"),
        ),
        _deployments(random, projects),
    )
    yield Table(
        "platform.virtual_machines",
        ("vm_id", "project_id", "pool_id", "hostname", "private_ip", "size", "image_version"),
        [_machine(random, number, project) for number, (project, _) in enumerate(projects, 1)],
    )
    yield Table(
        "platform.ssh_keys",
        ("ssh_key_id", "tenant_id", "customer_id", "public_key", "fingerprint", "added_at"),
        [_ssh_key(random, number, customer) for number, customer in enumerate(world.some("ssh_keys", 0.3), 1)],
    )
    yield Table(
        "platform.domains",
        ("domain_id", "project_id", "fqdn", "registrant_name", "registrant_email", "dns_records"),
        [_domain(random, number, *project) for number, project in enumerate(projects, 1)],
    )
    yield Table(
        "platform.notification_channels",
        ("channel_id", "event", "webhook_url", "enabled"),
        [(number, *channel) for number, channel in enumerate(_CHANNELS, 1)],
    )
    yield Table("platform.settings", ("setting", "value"), list(_SETTINGS))


def _project(random: values.Random, number: int, customer: Customer) -> Row:
    name = f"{random.choice(_PROJECTS)}-{number}"
    url = f"https://git.setbytes.example/t{customer.tenant_id}/{name}.git"
    owner = customer.tenant_id, customer.customer_id
    return (number, *owner, name, url, random.choice(_REGIONS), values.moment(random, 1200))


def _deployments(random: values.Random, projects: list[tuple[int, Customer]]) -> Iterator[Row]:
    number = 0
    for project, customer in projects:
        previous = None
        for _ in range(random.randint(1, 6)):
            number += 1
            version = f"10.{random.randrange(10)}.{random.randrange(30)}.{random.randrange(200)}"
            author = f"{customer.person.full_name} <{customer.person.email}>"
            environment = {
                "APP_ENV": "production",
                "LOG_LEVEL": random.choice(("info", "debug")),
                "SMTP_FROM": customer.person.email,
                "WORKERS": str(random.randint(1, 8)),
            }
            status = random.choices(("succeeded", "failed"), (90, 10))[0]
            sha = values.hexadecimal(random, 40)
            yield (
                *(number, project, previous, version, sha, author),
                *(as_json(environment), status, values.moment(random, 300)),
            )
            previous = number


def _machine(random: values.Random, number: int, project: int) -> Row:
    private = f"10.{random.choice((20, 30))}.{random.randrange(256)}.{random.randrange(1, 255)}"
    image = f"12.{random.randrange(9)}.{random.randrange(9)}.{random.randrange(99)}"
    pool = random.randint(1, len(_POOLS))
    return number, project, pool, f"vm-{number:05d}.ca-east.internal", private, random.choice(("s", "m", "l")), image


def _ssh_key(random: values.Random, number: int, customer: Customer) -> Row:
    public = f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{values.token(random, 43)} {customer.username}@portable"
    owner = customer.tenant_id, customer.customer_id
    return (number, *owner, public, f"SHA256:{values.token(random, 43)}", values.moment(random, 900))


def _domain(random: values.Random, number: int, project: int, customer: Customer) -> Row:
    records = [
        {"type": "A", "name": "@", "value": f"198.51.100.{random.randrange(1, 255)}"},
        {"type": "MX", "name": "@", "value": "mx.setbytes.example"},
    ]
    name = f"{random.choice(_PROJECTS)}-{number}.example"
    return number, project, name, customer.person.full_name, customer.person.email, as_json(records)
