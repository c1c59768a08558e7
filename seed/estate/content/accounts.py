"""Rows of the schema `accounts`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from faker import Faker

from seed.estate.content import texts, values
from seed.estate.content.people import Customer, mailbox
from seed.estate.content.world import Row, Table, World, as_json

_PHONE_MODELS = ("iPhone 15", "Pixel 9", "Galaxy S24", "Fairphone 5", "Moto G84")
_TITLES = {
    "en": ("Developer", "Site reliability engineer", "Office manager", "Founder"),
    "fr": ("Développeuse", "Administrateur de systèmes", "Directrice technique", "Fondateur"),
}
_TEMPLATES = (
    ("welcome", "Welcome", "Bienvenue", "Hello {{first_name}}, welcome aboard.", "Bonjour {{first_name}}, bienvenue."),
    ("reset", "Reset your password", "Nouveau mot de passe", "Follow this link: {{link}}", "Suivez ce lien : {{link}}"),
    ("invoice", "Your invoice", "Votre facture", "Your invoice is attached.", "Votre facture est jointe."),
    ("breach", "Important notice", "Avis important", "Please read this notice.", "Veuillez lire cet avis."),
    (
        "terms",
        "New terms",
        "Nouvelles conditions",
        "Our terms change on {{date}}.",
        "Nos conditions changent le {{date}}.",
    ),
)


def accounts(world: World) -> Iterator[Table]:
    """Organisations, customers, how to reach them and how they sign in."""
    yield Table(
        "accounts.email_templates",
        ("email_template_id", "code", "subject_en", "subject_fr", "body_en", "body_fr", "version"),
        [(number, *template, f"{number}.0.{number + 2}.1") for number, template in enumerate(_TEMPLATES, 1)],
    )
    yield Table(
        "accounts.organisations",
        ("tenant_id", "parent_id", "name", "legal_name", "business_number", "plan_code", "country", "created_at"),
        _organisations(world),
    )
    yield Table(
        "accounts.customers",
        (
            *("tenant_id", "customer_id", "username", "first_name", "last_name", "email", "ref_3", "phone", "language"),
            *("date_of_birth", "standing", "email_template_id", "profile", "preferences", "created_at"),
        ),
        _customers(world),
    )
    yield Table(
        "accounts.addresses",
        (
            *("address_id", "tenant_id", "customer_id", "kind", "line_1", "line_2", "city", "province"),
            *("postal_code", "country"),
        ),
        _addresses(world),
    )
    yield Table(
        "accounts.contacts_techniques",
        (
            *("contact_id", "tenant_id", "prenom", "nom", "courriel", "telephone", "fonction", "adresse", "ville"),
            *("code_postal", "remarques"),
        ),
        _technical_contacts(world),
    )
    yield Table(
        "accounts.credentials",
        ("tenant_id", "customer_id", "password_hash", "mfa_method", "recovery_email", "changed_at"),
        _credentials(world),
    )
    yield Table(
        "accounts.api_keys",
        ("key_id", "tenant_id", "customer_id", "label", "api_key", "scopes", "created_at", "last_used_at"),
        _api_keys(world),
    )
    yield Table(
        "accounts.sessions",
        ("session_id", "tenant_id", "customer_id", "ip_address", "user_agent", "started_at", "expires_at"),
        _sessions(world),
    )
    yield Table(
        "accounts.devices",
        ("device_id", "tenant_id", "customer_id", "phone_model", "os_version", "mac_address", "enrolled_at"),
        _devices(world),
    )
    yield Table(
        "accounts.invitations",
        ("invitation_id", "tenant_id", "invited_by", "destinataire", "role", "message", "sent_at"),
        _invitations(world),
    )


def _organisations(world: World) -> Iterator[Row]:
    random = world.random("organisations")
    fake = Faker("fr_CA")
    fake.seed_instance(world.seed)
    for position, tenant in enumerate(world.tenants):
        parent = random.choice(world.tenants[:position]) if position and random.random() < 0.2 else None
        name = fake.company()
        number = f"11{values.digits(random, 8)}" if random.random() < 0.7 else None
        plan = random.choice(("solo", "team", "business", "dedicated"))
        yield tenant, parent, name, f"{name} inc.", number, plan, "CA", values.moment(random, 2000)


def _customers(world: World) -> Iterator[Row]:
    random = world.random("customers")
    for customer in world.customers:
        person = customer.person
        yield (
            customer.tenant_id,
            customer.customer_id,
            customer.username,
            person.first_name,
            person.last_name,
            person.email,
            customer.second_email if random.random() < 0.6 else None,
            person.phone if random.random() < 0.9 else None,
            person.language,
            person.born if random.random() < 0.7 else None,
            random.choices(("trial", "active", "suspended", "closed"), (15, 75, 3, 7))[0],
            random.randint(1, len(_TEMPLATES)),
            as_json(_profile(world, random, customer)),
            as_json(_preferences(world, random, customer)),
            customer.created_at,
        )


def _profile(world: World, random: values.Random, customer: Customer) -> dict[str, object]:
    person, other = customer.person, random.choice(world.customers).person
    profile: dict[str, object] = {
        "display_name": person.full_name,
        "job": {"title": random.choice(_TITLES[person.language]), "since": random.randint(2008, 2025)},
        "timezone": random.choice(("America/Toronto", "America/Vancouver", "America/Halifax")),
    }
    if random.random() < 0.5:
        profile["emergency_contact"] = {"name": other.full_name, "phone": other.phone}
    if random.random() < 0.5:
        profile["emails"] = [person.email, customer.second_email]
    return profile


def _preferences(world: World, random: values.Random, customer: Customer) -> dict[str, object]:
    shared = random.sample(world.customers, k=min(random.randrange(3), len(world.customers)))
    return {
        "theme": random.choice(("light", "dark")),
        "notifications": {"email": random.random() < 0.8, "sms": random.random() < 0.2},
        "locale": f"{customer.person.language}-CA",
        # an open map: its keys are themselves personal
        "shared_with": {other.person.email: random.choice(("viewer", "editor")) for other in shared},
    }


def _addresses(world: World) -> Iterator[Row]:
    random, number = world.random("addresses"), 0
    for customer in world.customers:
        for kind in ("billing", "shipping"):
            if kind == "shipping" and random.random() > 0.2:
                continue
            number += 1
            place = customer.person.address
            lines = (place.line_1, place.line_2, place.city, place.province, place.postal_code)
            yield (number, customer.tenant_id, customer.customer_id, kind, *lines, "CA")


def _technical_contacts(world: World) -> Iterator[Row]:
    random = world.random("contacts_techniques")
    for number, tenant in enumerate(world.tenants, 1):
        someone = random.choice(world.customers)
        person = someone.person
        place = person.address
        yield (
            number,
            tenant,
            person.first_name,
            person.last_name,
            f"{mailbox(person.last_name)}.{number}@technique.example.org",
            person.phone if random.random() < 0.8 else None,
            random.choice(_TITLES["fr"]),
            place.line_1 if random.random() < 0.7 else None,
            place.city,
            place.postal_code if random.random() < 0.7 else None,
            texts.fill(random, random.choice(texts.REMARKS), someone),
        )


def _credentials(world: World) -> Iterator[Row]:
    random = world.random("credentials")
    for customer in world.customers:
        method = random.choice(("totp", "webauthn", "sms", None))
        recovery = customer.second_email if random.random() < 0.4 else None
        hashed = values.password_hash(random)
        yield customer.tenant_id, customer.customer_id, hashed, method, recovery, values.moment(random, 700)


def _api_keys(world: World) -> Iterator[Row]:
    random = world.random("api_keys")
    for customer in world.some("api_keys", 0.6):
        label = random.choice(("CI", "staging", "intégration continue", "terraform", "sauvegardes"))
        scopes = random.sample(("projects:read", "projects:write", "billing:read", "dns:write"), k=random.randint(1, 3))
        made = values.moment(random, 900)
        used = made + timedelta(days=random.randrange(90)) if random.random() < 0.7 else None
        key = values.identifier(random), customer.tenant_id, customer.customer_id, label, values.api_key(random)
        yield (*key, scopes, made, used)


def _sessions(world: World) -> Iterator[Row]:
    random = world.random("sessions")
    for customer in world.some("sessions", 2):
        started = values.moment(random, 60)
        owner = customer.tenant_id, customer.customer_id
        seen = customer.person.ip, customer.person.user_agent
        yield (values.token(random, 40), *owner, *seen, started, started + timedelta(hours=12))


def _devices(world: World) -> Iterator[Row]:
    random = world.random("devices")
    for customer in world.some("devices", 0.7):
        version = f"{random.randint(11, 18)}.{random.randint(0, 6)}.{random.randint(0, 3)}"
        address = values.mac_address(random) if random.random() < 0.8 else None
        owner = values.identifier(random), customer.tenant_id, customer.customer_id
        yield (*owner, random.choice(_PHONE_MODELS), version, address, values.moment(random, 700))


def _invitations(world: World) -> Iterator[Row]:
    random = world.random("invitations")
    for number, customer in enumerate(world.some("invitations", 0.3), 1):
        guest = f"invite.{number}@{random.choice(('example.org', 'example.net'))}"
        message = texts.fill(random, random.choice(texts.INVITATIONS[customer.person.language]), customer)
        role = random.choice(("owner", "developer", "billing"))
        owner = customer.tenant_id, customer.customer_id
        yield (number, *owner, guest, role, message, values.moment(random, 400))
