"""All tables of the estate, in an order in which each finds what it refers to."""

from __future__ import annotations

from collections.abc import Iterator

from seed.estate.content.accounts import accounts
from seed.estate.content.audit import audit
from seed.estate.content.billing import billing, plans
from seed.estate.content.identity import identity
from seed.estate.content.marketing import marketing
from seed.estate.content.platform import platform
from seed.estate.content.staff import staff
from seed.estate.content.support import support
from seed.estate.content.telemetry import telemetry
from seed.estate.content.world import Table, World


def tables(world: World) -> Iterator[Table]:
    """Each table's rows; the same for the same world."""
    yield plans()
    for domain in (accounts, staff, identity, billing, support, platform, telemetry, audit, marketing):
        yield from domain(world)
