"""Makers of column values for the corpus: each kind of column with its label and how one value is made.

Faker makes people and places (its lists are no part of our dictionaries); identifiers are made here from their
published rules, apart from the code that checks them.
"""

# One kind of column a line reads better than five.
# ruff: noqa: E501

from __future__ import annotations

import hashlib
import json
import random
import string
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from faker import Faker


@dataclass(frozen=True)
class Made:
    """A kind of column: its label ("" for not personal), other labels that are also right, and its maker."""

    label: str
    make: Callable[[Faker, random.Random, int], Any]
    also: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()  # for free text: categories inside


def luhn_digit(body: str) -> str:
    total = 0
    for index, c in enumerate(reversed(body)):
        d = int(c) * (2 if index % 2 == 0 else 1)
        total += d - 9 if d > 9 else d
    return str(-total % 10)


def figures(r: random.Random, count: int) -> str:
    return "".join(r.choice(string.digits) for _ in range(count))


def letters(r: random.Random, count: int) -> str:
    return "".join(r.choice(string.ascii_uppercase) for _ in range(count))


def token(r: random.Random, count: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    return "".join(r.choice(alphabet) for _ in range(count))


def hexes(r: random.Random, count: int) -> str:
    return token(r, count, "0123456789abcdef")


def sin(_: Faker, r: random.Random, __: int) -> str:
    body = r.choice("12345679") + figures(r, 7)
    full = body + luhn_digit(body)
    return r.choice((full, f"{full[:3]} {full[3:6]} {full[6:]}", f"{full[:3]}-{full[3:6]}-{full[6:]}"))


def ssn(_: Faker, r: random.Random, __: int) -> str:
    area = r.choice([n for n in range(1, 773) if n != 666])
    return f"{area:03d}-{r.randint(1, 99):02d}-{r.randint(1, 9999):04d}"


def nir(_: Faker, r: random.Random, __: int) -> str:
    body = f"{r.choice('12')}{r.randint(30, 99):02d}{r.randint(1, 12):02d}{r.randint(1, 95):02d}{r.randint(1, 600):03d}{r.randint(1, 999):03d}"
    return f"{body}{97 - int(body) % 97:02d}"


def nino(_: Faker, r: random.Random, __: int) -> str:
    return f"{r.choice('ABCEGHJKLMNPRSTWXYZ')}{r.choice('ABCEGHJKLMNPRSTWXYZ')} {figures(r, 2)} {figures(r, 2)} {figures(r, 2)} {r.choice('ABCD')}"


def ohip(_: Faker, r: random.Random, __: int) -> str:
    body = r.choice("123456789") + figures(r, 8)
    full = body + luhn_digit(body)
    return f"{full[:4]}-{full[4:7]}-{full[7:]}-{letters(r, 2)}"


def ramq(f: Faker, r: random.Random, __: int) -> str:
    born = f.date_of_birth(minimum_age=1, maximum_age=95)
    month = born.month + r.choice((0, 50))
    return f"{letters(r, 4)} {born.year % 100:02d}{month:02d} {born.day:02d}{figures(r, 2)}"


def vin(_: Faker, r: random.Random, __: int) -> str:
    alphabet = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"
    values = dict(
        zip(
            "ABCDEFGHJKLMNPRSTUVWXYZ0123456789",
            [1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9, *range(10)],
            strict=True,
        )
    )
    number = [r.choice(alphabet) for _ in range(17)]
    rest = (
        sum(values[c] * w for c, w in zip(number, [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2], strict=True))
        % 11
    )
    number[8] = "X" if rest == 10 else str(rest)
    return "".join(number)


def imei(_: Faker, r: random.Random, __: int) -> str:
    body = r.choice(("35", "86", "01")) + figures(r, 12)
    return body + luhn_digit(body)


def aba(_: Faker, r: random.Random, __: int) -> str:
    while True:
        number = f"{r.choice([*range(1, 13), *range(21, 33)]):02d}{figures(r, 7)}"
        if sum(int(c) * w for c, w in zip(number, (3, 7, 1) * 3, strict=True)) % 10 == 0:
            return number


def licence(_: Faker, r: random.Random, __: int) -> str:
    return r.choice(
        (
            f"{letters(r, 1)}{figures(r, 4)}-{figures(r, 5)}-{figures(r, 5)}",
            f"{letters(r, 1)}{figures(r, 4)}-{figures(r, 6)}-{figures(r, 2)}",
        )
    )


def text_of(f: Faker, r: random.Random, row: int) -> str:
    return f.text(max_nb_chars=r.choice((90, 160, 300)))


def text_with(*kinds: str, every: int = 6) -> Callable[[Faker, random.Random, int], str]:
    def make(f: Faker, r: random.Random, row: int) -> str:
        text = f.text(max_nb_chars=160)
        if row % every == 0:
            found = {
                "email": lambda: f"{r.choice(('Contact', 'reach me at', 'écrire à', 'cc'))} {f.email()}",
                "phone": lambda: f"{r.choice(('call', 'tel.', 'rappeler au', 'my number is'))} {phone(f, r, row)}",
                "ip": lambda: f"{r.choice(('from', 'depuis', 'client'))} {f.ipv4_public()}",
                "card": lambda: f"card {f.credit_card_number(card_type='visa16')}",
                "sin": lambda: f"NAS {sin_spaced(r)}",
            }
            middle = len(text) // 2
            text = text[:middle] + " " + " ".join(found[kind]() for kind in kinds) + ". " + text[middle:]
        return text

    return make


def sin_spaced(r: random.Random) -> str:
    body = r.choice("12345679") + figures(r, 7)
    full = body + luhn_digit(body)
    return f"{full[:3]} {full[3:6]} {full[6:]}"


_PHONES = {
    "CA": ("({a}) {b}-{c}", "{a}-{b}-{c}", "+1 {a} {b} {c}", "+1{a}{b}{c}", "{a}.{b}.{c}", "1-{a}-{b}-{c}"),
}
_AREAS = ("514", "418", "416", "604", "403", "613", "902", "212", "415", "312", "206", "617", "438", "581", "905")


def phone(f: Faker, r: random.Random, row: int) -> str:
    if f.locales[0] in {"en_CA", "fr_CA", "en_US"}:
        form = _PHONES["CA"][hash(str(f.locales)) % 3 if r.random() < 0.5 else r.randrange(6)]
        return form.format(
            a=r.choice(_AREAS), b=f"{r.randint(2, 9)}{r.randint(0, 9)}{r.randint(0, 9)}", c=figures(r, 4)
        )
    if f.locales[0] == "fr_FR":
        return r.choice(("0{x} {a} {b} {c} {d}", "+33 {x} {a} {b} {c} {d}", "0{x}{a}{b}{c}{d}")).format(
            x=r.choice("1234567"), a=figures(r, 2), b=figures(r, 2), c=figures(r, 2), d=figures(r, 2)
        )
    if f.locales[0] == "en_GB":
        return r.choice(
            (
                f"07{figures(r, 3)} {figures(r, 6)}",
                f"+44 7{figures(r, 3)} {figures(r, 6)}",
                f"020 7{figures(r, 3)} {figures(r, 4)}",
            )
        )
    return {
        "de_DE": lambda: f"+49 15{r.randint(1, 9)}{figures(r, 1)} {figures(r, 7)}",
        "es_ES": lambda: f"+34 6{figures(r, 2)} {figures(r, 3)} {figures(r, 3)}",
        "it_IT": lambda: f"+39 3{r.choice('2345')}{r.randint(0, 9)} {figures(r, 7)}",
        "nl_NL": lambda: f"+31 6 {r.randint(1, 5)}{figures(r, 7)}",
        "pt_BR": lambda: f"+55 11 9{r.randint(6, 9)}{figures(r, 3)}-{figures(r, 4)}",
        "pl_PL": lambda: f"+48 {r.choice(('501', '602', '790'))} {figures(r, 3)} {figures(r, 3)}",
        "sv_SE": lambda: f"+46 70 {r.randint(100, 999)} {figures(r, 2)} {figures(r, 2)}",
    }[f.locales[0]]()


def address(f: Faker, r: random.Random, row: int) -> str:
    return f.address() if r.random() < 0.5 else f.address().replace("\n", ", ")


def state(f: Faker, r: random.Random, row: int) -> str:
    if f.locales[0] in {"en_CA", "fr_CA"}:
        return r.choice(("QC", "ON", "BC", "AB", "MB", "SK", "NS", "NB", "NL", "PE"))
    if f.locales[0] == "en_US":
        return f.state()
    if f.locales[0] == "fr_FR":
        return f.region()
    for name in ("state", "county", "region", "administrative_unit", "province"):
        if hasattr(f, name):
            return getattr(f, name)()
    return r.choice(("QC", "ON", "BC"))


def access_line(f: Faker, r: random.Random, row: int) -> str:
    when = f.date_time_between("-2y").strftime("%d/%b/%Y:%H:%M:%S +0000")
    tail = f' "{f.url()}" "{f.user_agent()}"' if row % 2 else ""
    return f'{f.ipv4_public()} - {r.choice(("-", f.user_name()))} [{when}] "{r.choice(("GET", "POST"))} /{f.uri_path()} HTTP/1.1" {r.choice((200, 301, 404, 500))} {r.randint(80, 90000)}{tail}'


def audit_line(f: Faker, r: random.Random, row: int) -> str:
    who = r.choice((f"user {f.user_name()}", f"admin {f.user_name()}", f"User {r.randint(10, 9999)}"))
    return f"{who} {r.choice(('updated', 'deleted', 'viewed', 'exported', 'created'))} {r.choice(('project', 'invoice', 'API key', 'deployment'))} {r.randint(1, 99999)}"


def bcrypt(_: Faker, r: random.Random, __: int) -> str:
    return f"$2b${r.choice(('10', '12'))}${token(r, 53, './' + string.ascii_letters + string.digits)}"


def argon2(_: Faker, r: random.Random, __: int) -> str:
    return f"$argon2id$v=19$m=65536,t=3,p=4${token(r, 22)}${token(r, 43)}"


def pbkdf2(_: Faker, r: random.Random, __: int) -> str:
    return f"pbkdf2_sha256$600000${token(r, 22)}${token(r, 43)}="


def jwt(_: Faker, r: random.Random, __: int) -> str:
    return f"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.{token(r, 80)}.{token(r, 43)}"


def api_key(_: Faker, r: random.Random, __: int) -> str:
    return r.choice(
        (
            f"sk_live_{token(r, 24)}",
            f"ghp_{token(r, 36)}",
            f"AKIA{token(r, 16, string.ascii_uppercase + string.digits)}",
            f"xoxb-{figures(r, 12)}-{figures(r, 12)}-{token(r, 24)}",
        )
    )


def coordinates(f: Faker, r: random.Random, _: int) -> str:
    return f"{r.uniform(-60, 70):.5f},{r.uniform(-170, 170):.5f}"


def uuid4(_: Faker, r: random.Random, __: int) -> str:
    return str(uuid.UUID(int=r.getrandbits(128), version=4))


def profile_json(f: Faker, r: random.Random, row: int) -> str:
    return json.dumps(
        {
            "contact": {"email": f.email(), "phones": [phone(f, r, row)]},
            "plan": r.choice(("free", "pro")),
            "visits": r.randint(0, 90),
        },
        ensure_ascii=False,
    )


_PRODUCTS = ("Charlotte Tilbury lipstick", "Jack Daniel's", "Ben & Jerry's", "Johnnie Walker", "Calvin Klein jeans", "Tommy Hilfiger polo", "Ralph Lauren shirt", "Mary Jane shoes", "Victoria sponge", "Bailey chair", "Oscar lamp", "Stella desk", "Billy bookcase", "Harley Davidson jacket", "Marc Jacobs bag", "Eames lounge", "Earl Grey tea", "Dr Pepper", "Aunt Jemima", "Uncle Ben's", "Wendy burger", "Paul Smith scarf", "Emma mattress", "Martin guitar", "Rose wine", "Henry vacuum", "Pearl necklace", "Windsor knot tie", "Lincoln logs", "Kit Kat")  # fmt: skip
_SERVICES = ("api-gateway", "billing-worker", "auth", "web", "cron", "mailer", "search-indexer", "edge-proxy")
_REGIONS = ("us-east-1", "ca-central-1", "eu-west-3", "ap-south-1", "northamerica-northeast1")


def choice(*values: Any) -> Callable[[Faker, random.Random, int], Any]:
    return lambda f, r, row: r.choice(values)


def past(f: Faker, r: random.Random, _: int) -> datetime:
    return datetime(2026, 1, 1) - timedelta(seconds=r.randint(0, 90_000_000))


def soon(f: Faker, r: random.Random, _: int) -> date:
    return date(2026, 1, 1) + timedelta(days=r.randint(0, 1500))


def order_number(_: Faker, r: random.Random, __: int) -> str:
    return "4" + figures(r, 15)


KINDS: dict[str, Made] = {
    # --- people
    "full": Made("user.name", lambda f, r, i: f.name()),
    "full_lf": Made("user.name", lambda f, r, i: f"{f.last_name()}, {f.first_name()}"),
    "first": Made("user.name.first", lambda f, r, i: f.first_name()),
    "last": Made("user.name.last", lambda f, r, i: f.last_name()),
    "LAST": Made("user.name.last", lambda f, r, i: f.last_name().upper()),
    "email": Made("user.contact.email", lambda f, r, i: f.email()),
    "phone": Made("user.contact.phone_number", phone),
    "fax": Made("user.contact.fax_number", phone, also=("user.contact.phone_number",)),
    "address": Made("user.contact.address", address),
    "street": Made("user.contact.address.street", lambda f, r, i: f.street_address()),
    "city": Made("user.contact.address.city", lambda f, r, i: f.city()),
    "state": Made("user.contact.address.state", state),
    "postal": Made("user.contact.address.postal_code", lambda f, r, i: f.postcode()),
    "country": Made("user.contact.address.country", lambda f, r, i: f.country()),
    "country2": Made("user.contact.address.country", choice("CA", "US", "FR", "GB", "DE", "CA", "CA")),
    "dob": Made("user.demographic.date_of_birth", lambda f, r, i: f.date_of_birth(minimum_age=16, maximum_age=90)),
    "dob_text": Made("user.demographic.date_of_birth", lambda f, r, i: f.date_of_birth(minimum_age=16, maximum_age=90).strftime("%d/%m/%Y")),
    "age": Made("user.demographic.age_range", lambda f, r, i: r.randint(18, 90)),
    "gender": Made("user.demographic.gender", choice("M", "F", "M", "F", "X")),
    "gender_word": Made("user.demographic.gender", choice("Male", "Female", "Non-binary")),
    "sexe": Made("user.demographic.gender", choice("homme", "femme", "autre")),
    "language": Made("user.demographic.language", choice("en", "fr", "en", "es")),
    "marital": Made("user.demographic.marital_status", choice("single", "married", "divorced", "widowed")),
    "etat_civil": Made("user.demographic.marital_status", choice("célibataire", "marié", "divorcé", "veuf", "conjoint de fait")),
    "job": Made("user.job_title", lambda f, r, i: f.job()),
    "employer": Made("user.contact.organization", lambda f, r, i: f.company()),
    "dept": Made("user.workplace", choice("Finance", "R&D", "Sales", "Support", "Legal")),
    "username": Made("user.account.username", lambda f, r, i: f.user_name()),
    "user_key": Made("user.unique_id", lambda f, r, i: 1000 + i),
    "user_uuid": Made("user.unique_id", uuid4),
    "user_ref": Made("user.unique_id", lambda f, r, i: r.randint(1000, 9000)),
    "pseudo": Made("user.unique_id.pseudonymous", lambda f, r, i: hexes(r, 32)),
    "religion": Made("user.demographic.religious_belief", choice("Catholic", "Muslim", "Jewish", "Hindu", "Buddhist", "None", "Sikh")),
    "ethnicity": Made("user.demographic.race_ethnicity", choice("White", "Black", "South Asian", "First Nations", "Hispanic", "Chinese")),
    "orientation": Made("user.demographic.sexual_orientation", choice("heterosexual", "gay", "lesbian", "bisexual")),
    "politics": Made("user.demographic.political_opinion", choice("liberal", "conservative", "green", "none")),
    # --- government and health
    "sin": Made("user.government_id.national_identification_number.sin", sin),
    "ssn": Made("user.government_id.national_identification_number.ssn", ssn),
    "nir": Made("user.government_id.national_identification_number.nir", nir),
    "nino": Made("user.government_id.national_identification_number.nino", nino),
    "passport": Made("user.government_id.passport_number", lambda f, r, i: letters(r, 2) + figures(r, 6)),
    "licence": Made("user.government_id.drivers_license_number", licence),
    "ohip": Made("user.health_and_medical.insurance_beneficiary_id", ohip),
    "ramq": Made("user.health_and_medical.insurance_beneficiary_id", ramq),
    "mrn": Made("user.health_and_medical.record_id", lambda f, r, i: f"MRN{figures(r, 7)}"),
    "vin": Made("user.government_id.vehicle_registration", vin),
    "plate": Made("user.government_id.vehicle_registration", lambda f, r, i: f"{letters(r, 3)} {figures(r, 3)}"),
    "diagnosis": Made("user.health_and_medical", choice("Type 2 diabetes", "Asthma", "Hypertension", "Migraine", "Lumbar pain", "Depression")),
    "icd": Made("user.health_and_medical", choice("E11.9", "J45.0", "I10", "G43.9", "F32.1", "M54.5")),
    "medication": Made("user.health_and_medical", choice("Metformin 500mg", "Ventolin", "Lisinopril 10 mg", "Sertraline", "Ibuprofen")),
    "blood": Made("user.health_and_medical", choice("A+", "O-", "B+", "AB+", "O+")),
    "heart": Made("user.biometric.health", lambda f, r, i: r.randint(48, 140)),
    "faceprint": Made("user.biometric", lambda f, r, i: token(r, 64)),
    "fingerprint": Made("user.biometric.fingerprint", lambda f, r, i: token(r, 64)),
    # --- money
    "card": Made("user.financial.credit_card", lambda f, r, i: f.credit_card_number()),
    "card_spaced": Made("user.financial.credit_card", lambda f, r, i: "{} {} {} {}".format(*(lambda n: (n[:4], n[4:8], n[8:12], n[12:]))(f.credit_card_number("visa16")))),
    "card_last4": Made("user.financial.credit_card", lambda f, r, i: figures(r, 4)),
    "expiry": Made("user.financial.credit_card.expiry", lambda f, r, i: f.credit_card_expire()),
    "iban": Made("user.financial.bank_account.iban", lambda f, r, i: Faker(r.choice(("de_DE", "fr_FR", "en_GB", "nl_NL", "es_ES"))).iban()),
    "bic": Made("user.financial.bank_account.bic", lambda f, r, i: f.swift()),
    "aba": Made("user.financial.bank_account.routing", aba),
    "transit": Made("user.financial.bank_account.routing", lambda f, r, i: f"{figures(r, 5)}-{r.choice(('001', '003', '004', '006', '815'))}"),
    "account_no": Made("user.financial.bank_account", lambda f, r, i: figures(r, r.choice((7, 9, 12)))),
    "invoice": Made("user.payment.invoice", lambda f, r, i: f"INV-{2020 + r.randint(0, 6)}-{r.randint(1, 99999):05d}"),
    "facture": Made("user.payment.invoice", lambda f, r, i: f"FAC{figures(r, 8)}"),
    "salary": Made("user.financial", lambda f, r, i: r.randint(30, 200) * 1000),
    "pay_method": Made("user.payment", choice("visa", "mastercard", "interac", "paypal")),
    # --- credentials
    "bcrypt": Made("user.authorization.password.hash", bcrypt),
    "argon2": Made("user.authorization.password.hash", argon2),
    "pbkdf2": Made("user.authorization.password.hash", pbkdf2),
    "md5pw": Made("user.authorization.password.hash", lambda f, r, i: hexes(r, 32)),
    "password": Made("user.authorization.password", lambda f, r, i: f.password(length=r.randint(8, 14))),
    "api_key": Made("user.authorization.credentials.api_key", api_key),
    "secret": Made("user.authorization.credentials.api_key", lambda f, r, i: token(r, 40)),
    "jwt": Made("user.authorization.credentials.session_token", jwt),
    "session": Made("user.authorization.credentials.session_token", lambda f, r, i: hexes(r, 40)),
    "private_key": Made("user.authorization.credentials.private_key", lambda f, r, i: f"-----BEGIN RSA PRIVATE KEY-----\n{token(r, 64)}\n{token(r, 64)}\n-----END RSA PRIVATE KEY-----"),
    "answer": Made("user.authorization.credentials", lambda f, r, i: f.word()),
    # --- devices and behaviour
    "ip": Made("user.device.ip_address", lambda f, r, i: f.ipv4()),
    "ip6": Made("user.device.ip_address", lambda f, r, i: f.ipv6() if i % 3 else f.ipv4()),
    "mac": Made("user.device.device_id.mac_address", lambda f, r, i: f.mac_address()),
    "imei": Made("user.device.device_id.imei", imei),
    "idfa": Made("user.device.device_id.advertising_id", lambda f, r, i: uuid4(f, r, i).upper()),
    "device": Made("user.device.device_id", lambda f, r, i: hexes(r, 16)),
    "ua": Made("user.device.user_agent", lambda f, r, i: f.user_agent()),
    "cookie": Made("user.device.cookie", lambda f, r, i: f"sid={token(r, 22)}; lang={r.choice(('en', 'fr'))}; _ga=GA1.2.{figures(r, 9)}.{figures(r, 10)}"),
    "cookie_id": Made("user.device.cookie_id", lambda f, r, i: f"GA1.2.{figures(r, 9)}.{figures(r, 10)}"),
    "latlng": Made("user.location.precise", coordinates),
    "lat": Made("user.location.precise", lambda f, r, i: round(r.uniform(42, 60), 6)),
    "lng": Made("user.location.precise", lambda f, r, i: round(r.uniform(-140, -52), 6)),
    "tz": Made("user.location.imprecise", choice("America/Toronto", "Europe/Paris", "America/Vancouver")),
    "referrer": Made("user.behavior.browsing_history.referrer", lambda f, r, i: f.uri()),
    "page": Made("user.behavior.browsing_history", lambda f, r, i: f.uri()),
    "search": Made("user.behavior.search_history", lambda f, r, i: " ".join(f.words(r.randint(1, 4)))),
    "access": Made("user.telemetry.access_log", access_line, also=("user.device.ip_address", "user.device.user_agent", "user.behavior.browsing_history.referrer")),
    "audit": Made("user.telemetry.audit_log", audit_line),
    "api_call": Made("user.telemetry.api_usage", lambda f, r, i: f"{r.choice(('GET', 'POST', 'DELETE'))} /v1/{r.choice(('users', 'apps', 'deploys'))}/{r.randint(1, 9999)}"),
    "consent": Made("user.privacy_preferences", choice(True, False)),
    "avatar": Made("user.content.self_image", lambda f, r, i: f"https://cdn.example.net/u/{hexes(r, 8)}.png"),
    "bio": Made("user.content.public", text_of, also=("user.content.private",)),
    # --- texts
    "msg_plain": Made("user.content.private", text_of),
    "msg_contact": Made("user.content.private", text_with("email", "phone"), contains=("user.contact.email", "user.contact.phone_number")),
    "text_email": Made("", text_with("email"), contains=("user.contact.email",), also=("user.content.private", "user.content.public")),
    "text_phone": Made("", text_with("phone"), contains=("user.contact.phone_number",), also=("user.content.private", "user.content.public")),
    "text_ip": Made("", text_with("ip"), contains=("user.device.ip_address",), also=("user.content.private", "user.content.public")),
    "text_card": Made("", text_with("card"), contains=("user.financial.credit_card",), also=("user.content.private", "user.content.public")),
    "text_sin": Made("", text_with("sin"), contains=("user.government_id.national_identification_number.sin",), also=("user.content.private", "user.content.public")),
    # --- not personal: the easy
    "key": Made("", lambda f, r, i: i + 1),
    "uuid": Made("", uuid4),
    "created": Made("", past),
    "soon": Made("", soon),
    "flag": Made("", choice(True, False)),
    "count": Made("", lambda f, r, i: r.randint(0, 500)),
    "price": Made("", lambda f, r, i: round(r.uniform(1, 900), 2)),
    "percent": Made("", lambda f, r, i: round(r.random(), 4)),
    "status": Made("", choice("active", "pending", "closed", "suspended")),
    "currency": Made("", choice("CAD", "USD", "EUR")),
    "sku": Made("", lambda f, r, i: f"{letters(r, 3)}-{figures(r, 5)}"),
    "slug": Made("", lambda f, r, i: "-".join(f.words(3))),
    "region": Made("", choice(*_REGIONS)),
    "service": Made("", choice(*_SERVICES)),
    "env": Made("", choice("production", "staging", "development")),
    "plan": Made("", choice("free", "starter", "pro", "enterprise")),
    "category_word": Made("", choice("Garden", "Kitchen", "Toys", "Books", "Sports", "Outdoor")),
    "text": Made("", lambda f, r, i: f"{f.catch_phrase() if hasattr(f, 'catch_phrase') else f.sentence()}"),
    "error": Made("", choice("connection refused", "timeout after 30 s", "disk quota exceeded", "invalid manifest: missing field 'image'")),
    "bytes": Made("", lambda f, r, i: r.randint(10**5, 10**10)),
    "ms": Made("", lambda f, r, i: round(r.uniform(0.2, 900), 3)),
    "color": Made("", choice("red", "black", "navy", "forest green", "white")),
    # --- not personal: the hard
    "order16": Made("", order_number),
    "ticket9": Made("", lambda f, r, i: str(r.randint(100_000_000, 799_999_999))),
    "version4": Made("", lambda f, r, i: f"{r.randint(1, 12)}.{r.randint(0, 20)}.{r.randint(0, 9)}.{r.randint(0, 30)}"),
    "semver": Made("", lambda f, r, i: f"v{r.randint(0, 9)}.{r.randint(0, 40)}.{r.randint(0, 20)}"),
    "product": Made("", choice(*_PRODUCTS)),
    "etag": Made("", lambda f, r, i: hexes(r, 32)),
    "sha1": Made("", lambda f, r, i: hexes(r, 40)),
    "digest": Made("", lambda f, r, i: "sha256:" + hexes(r, 64)),
    "image": Made("", lambda f, r, i: f"registry.example.net/{r.choice(_SERVICES)}@sha256:{hexes(r, 12)}"),
    "file": Made("", lambda f, r, i: f"{f.word()}@2x.{r.choice(('png', 'jpg'))}"),
    "host": Made("", lambda f, r, i: f"{r.choice(_SERVICES)}-{r.randint(1, 40)}.internal.example.net"),
    "epoch": Made("", lambda f, r, i: r.randint(1_500_000_000, 1_790_000_000)),
    "epoch_ms": Made("", lambda f, r, i: r.randint(1_500_000_000_000, 1_790_000_000_000)),
    "temp": Made("", lambda f, r, i: round(r.uniform(-30, 40), 2)),
    "ean": Made("", lambda f, r, i: f.ean13()),
    "isbn": Made("", lambda f, r, i: f.isbn13()),
    "month": Made("", choice("January", "April", "May", "June", "August", "Avril", "Juin")),
    "flower": Made("", choice("Rose", "Lily", "Jasmine", "Iris", "Violet", "Daisy", "Heather", "Olive")),
    "endpoint": Made("", lambda f, r, i: f"/v1/{r.choice(('users', 'apps', 'deploys'))}/{{id}}"),
    "template": Made("", choice("welcome_email", "password_reset", "invoice_due", "phone_verification")),
    "tracking": Made("", lambda f, r, i: f"1Z{token(r, 6, string.ascii_uppercase + string.digits)}{figures(r, 10)}"),
    "branch": Made("", lambda f, r, i: f"feature/{f.word()}-{f.word()}"),
    "cron": Made("", choice("0 3 * * *", "*/5 * * * *", "15 2 1 * *")),
    "planet": Made("", choice("Mercury", "Venus", "Madison", "Phoenix", "Orion", "Jordan", "Austin")),
    "hashes8": Made("", lambda f, r, i: hashlib.md5(str(i).encode()).hexdigest()[:8]),
    "year": Made("", lambda f, r, i: r.randint(1950, 2026)),
    "digits10": Made("", lambda f, r, i: figures(r, 10)),
    "phoneish": Made("", lambda f, r, i: f"PO-{figures(r, 4)}-{figures(r, 4)}"),
    "measure": Made("", lambda f, r, i: f"{r.randint(1, 90)}.{r.randint(10, 99)} x {r.randint(1, 90)} cm"),
    "company_thing": Made("", lambda f, r, i: f.company()),
}  # fmt: skip
