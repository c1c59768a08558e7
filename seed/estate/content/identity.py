"""Rows of the schema `identity`."""

from __future__ import annotations

from collections.abc import Iterator

from seed.estate.content import values
from seed.estate.content.people import Customer
from seed.estate.content.world import Row, Table, World, as_json


def identity(world: World) -> Iterator[Table]:
    """Verifications with documents, their pictures, and hits on watch lists."""
    random = world.random("verifications")
    checked = [(values.identifier(random), customer) for customer in world.some("verifications", 0.5)]
    yield Table(
        "identity.verifications",
        (
            *("verification_id", "tenant_id", "customer_id", "provider", "document_type", "document_number", "sin"),
            *("outcome", "result", "checked_at"),
        ),
        [_verification(random, key, customer) for key, customer in checked],
    )
    yield Table(
        "identity.document_images",
        ("image_id", "verification_id", "storage_key", "sha256", "mime_type", "width", "height"),
        [_image(random, key, side) for key, _ in checked for side in ("front", "back")],
    )
    hits = world.random("watchlist_hits").sample(checked, k=max(1, len(checked) // 8))
    yield Table(
        "identity.watchlist_hits",
        ("hit_id", "verification_id", "matched_name", "list_name", "score", "cleared"),
        [_hit(random, number, key, customer) for number, (key, customer) in enumerate(hits, 1)],
    )


def _verification(random: values.Random, key: str, customer: Customer) -> Row:
    kind = random.choice(("passport", "drivers_licence"))
    number = _passport(random) if kind == "passport" else _licence(random, customer)
    person = customer.person
    result = {
        "extracted": {
            "given_name": person.first_name,
            "family_name": person.last_name,
            "birth_date": person.born.isoformat(),
            "document": {
                "number": number,
                "expires_on": f"{random.randint(2026, 2034)}-{random.randint(1, 12):02d}-01",
            },
        },
        "checks": [{"name": name, "score": round(random.uniform(0.4, 1), 3)} for name in ("liveness", "mrz", "face")],
        "proof_of_address": {"street": person.address.line_1, "postal_code": person.address.postal_code},
    }
    return (
        key,
        customer.tenant_id,
        customer.customer_id,
        "verifio",
        kind,
        number,
        values.social_insurance_number(random) if random.random() < 0.5 else None,
        random.choices(("verified", "refused", "pending"), (85, 10, 5))[0],
        as_json(result),
        values.moment(random, 800),
    )


def _passport(random: values.Random) -> str:
    return f"{random.choice('ABGHJKP')}{random.choice('ABCDEFGHJK')}{values.digits(random, 6)}"


def _licence(random: values.Random, customer: Customer) -> str:
    """In the form of Québec's driving licence: a letter and twelve digits."""
    initial = next((c for c in customer.person.last_name.upper() if "A" <= c <= "Z"), "X")
    digits = values.digits(random, 12)
    return f"{initial}{digits[:4]}-{digits[4:10]}-{digits[10:]}"


def _image(random: values.Random, key: str, side: str) -> Row:
    digest = values.hexadecimal(random, 64)
    return (
        values.identifier(random),
        key,
        f"kyc/{digest[:2]}/{digest[:16]}-{side}.jpg",
        digest,
        "image/jpeg",
        1600,
        1008,
    )


def _hit(random: values.Random, number: int, key: str, customer: Customer) -> Row:
    name = customer.person.full_name.upper()
    return number, key, name, random.choice(("OSFI", "UN-1267", "DFATD")), round(random.uniform(0.6, 0.99), 3), True
