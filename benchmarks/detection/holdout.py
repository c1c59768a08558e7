"""The hold-out: schemas as published by others, values by other makers. Nothing is tuned on it.

Column names follow public schemas (Northwind, Sakila, Chinook, AdventureWorks, WordPress, Magento, Odoo, Moodle, Keycloak,
OpenMRS, Salesforce, Shopify, Auth0, Matomo, a French and a Quebec administration, and opaque exports); values come
from mimesis, whose lists share nothing with Faker's or our dictionaries', and from makers written apart.

    uv pip install --target .cache/mimesis mimesis     (set_up_peers.sh does it)
"""

# One kind of column a line reads better than five.
# ruff: noqa: E501

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks.detection.corpus import Column, Table

sys.path.append(str(Path(".cache/mimesis").resolve()))

ROWS = 150

SCHEMAS = Path(__file__).with_name("holdout.txt")


def _makers(language: str, seed: int) -> dict[str, Callable[[int], Any]]:
    from mimesis import Address, Code, Datetime, Finance, Food, Internet, Payment, Person, Text
    from mimesis.locales import Locale

    locale = {"en": Locale.EN_CA, "fr": Locale.FR, "de": Locale.DE, "es": Locale.ES}[language]
    r = random.Random(seed)
    person, place, text = Person(locale, seed=seed), Address(locale, seed=seed), Text(locale, seed=seed)
    net, pay, food, when = Internet(seed=seed), Payment(seed=seed), Food(locale, seed=seed), Datetime(locale, seed=seed)
    money, code = Finance(locale, seed=seed), Code(seed=seed)
    figures = lambda n: "".join(r.choice("0123456789") for _ in range(n))  # noqa: E731
    hexes = lambda n: "".join(r.choice("0123456789abcdef") for _ in range(n))  # noqa: E731
    mixed = lambda n: "".join(r.choice("abcdefghijklmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789") for _ in range(n))  # noqa: E731
    stamp = lambda: datetime(2025, 6, 1) - timedelta(seconds=r.randint(0, 10**8))  # noqa: E731

    def with_luhn(body: str) -> str:
        total = sum((d * 2 - 9 if d > 4 else d * 2) if i % 2 == 0 else d for i, d in enumerate(map(int, body[::-1])))
        return body + str(-total % 10)

    def nir() -> str:
        body = f"{r.choice('12')}{r.randint(40, 99)}{r.randint(1, 12):02d}{r.randint(1, 95):02d}{r.randint(1, 400):03d}{r.randint(1, 400):03d}"
        return body + f"{97 - int(body) % 97:02d}"

    def iban() -> str:
        body = figures(18)
        return "DE" + f"{98 - int(body + '131400') % 97:02d}" + body

    def phone() -> str:
        return r.choice(("({}) {}-{}", "{}-{}-{}", "+1 {} {} {}", "{} {} {}")).format(
            r.choice((514, 416, 604, 202, 303, 403, 819)), r.randint(220, 989), figures(4)
        )

    def vin() -> str:
        number = [r.choice("ABCDEFGHJKLMNPRSTUVWXYZ0123456789") for _ in range(17)]
        order = dict(
            zip(
                "ABCDEFGHJKLMNPRSTUVWXYZ",
                (1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9),
                strict=True,
            )
        )
        total = sum(
            w * (order[c] if c in order else int(c))
            for c, w in zip(number, (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2), strict=True)
        )
        number[8] = "X" if total % 11 == 10 else str(total % 11)
        return "".join(number)

    numbered = {"n": 0}
    return {
        "seq": lambda i: i + 1, "ref": lambda i: r.randint(1, 600), "int": lambda i: r.randint(0, 300),
        "bool": lambda i: r.random() < 0.4, "price": lambda i: round(r.uniform(0.5, 2000), 2), "stamp": lambda i: stamp(),
        "uuid": lambda i: code.random.uuid4() if hasattr(code.random, "uuid4") else f"{hexes(8)}-{hexes(4)}-4{hexes(3)}-a{hexes(3)}-{hexes(12)}",
        "null": lambda i: None, "epoch": lambda i: int(stamp().timestamp()), "epochms": lambda i: int(stamp().timestamp() * 1000),
        "first": lambda i: person.first_name(), "last": lambda i: person.last_name(), "full": lambda i: person.full_name(),
        "firstup": lambda i: person.first_name().upper(), "lastup": lambda i: person.last_name().upper(),
        "email": lambda i: person.email(), "login": lambda i: person.username(), "phone": lambda i: phone(),
        "frphone": lambda i: f"0{r.randint(1, 7)} {figures(2)} {figures(2)} {figures(2)} {figures(2)}",
        "job": lambda i: person.occupation(), "courtesy": lambda i: r.choice(("Mr.", "Ms.", "Dr.", "Mrs.")),
        "civ": lambda i: r.choice(("M.", "Mme")), "mf": lambda i: r.choice("MF"), "digit12": lambda i: r.choice((1, 2)),
        "ms": lambda i: r.choice("MS"), "sitfam": lambda i: r.choice(("Célibataire", "Marié(e)", "Pacsé(e)", "Divorcé(e)")),
        "dob": lambda i: when.date(start=1935, end=2006), "street": lambda i: place.address(), "city": lambda i: place.city(),
        "state": lambda i: place.state(), "zip": lambda i: place.postal_code(), "country": lambda i: place.country(),
        "iso2": lambda i: r.choice(("CA", "US", "FR", "BE", "CH", "DZ")), "capostal": lambda i: f"{r.choice('GHJ')}{r.randint(1, 9)}{r.choice('ABCEGHJKLMNPRSTVWXYZ')} {r.randint(1, 9)}{r.choice('ABCEGHJKLMNPRSTVWXYZ')}{r.randint(1, 9)}",
        "fulladdr": lambda i: f"{place.address()}, {place.city()}, {place.postal_code()}", "apt": lambda i: f"Bât. {r.choice('ABC')}" if r.random() < 0.5 else None,
        "ext": lambda i: figures(4), "text": lambda i: text.text(2), "title": lambda i: text.title(), "company": lambda i: money.company(),
        "code5": lambda i: "".join(r.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for _ in range(5)), "code9": lambda i: f"{r.randint(100, 999)}{figures(6)}",
        "dish": lambda i: food.dish(), "qty": lambda i: f"{r.randint(1, 48)} boxes x {r.randint(2, 30)} bags", "year": lambda i: r.randint(1995, 2029),
        "month": lambda i: r.randint(1, 12), "rating": lambda i: r.choice(("A", "B", "C", "D1", "E2")), "features": lambda i: r.choice(("Trailers", "Deleted Scenes,Trailers", "Commentaries")),
        "industry": lambda i: r.choice(("Banking", "Energy", "Media", "Retail")), "cardtype": lambda i: r.choice(("Vista", "Distinguish", "ColonialVoice")),
        "card": lambda i: pay.credit_card_number(), "ssn": lambda i: f"{r.randint(1, 665):03d}-{r.randint(1, 99):02d}-{r.randint(1, 9999):04d}",
        "ssnflat": lambda i: f"{r.randint(1, 665):03d}{r.randint(1, 99):02d}{r.randint(1, 9999):04d}",
        "sin": lambda i: with_luhn(r.choice("1245679") + figures(7)), "nir": lambda i: nir(), "iban": lambda i: iban(),
        "phpass": lambda i: "$P$B" + mixed(30), "bcrypt": lambda i: "$2y$10$" + mixed(53), "magehash": lambda i: f"{hexes(64)}:{mixed(16)}:3_32_2_67108864",
        "token": lambda i: mixed(32), "md5": lambda i: hexes(32), "sha256": lambda i: hexes(64), "hex16": lambda i: hexes(16),
        "url": lambda i: net.url(), "ip": lambda i: net.ip_v4() if r.random() < 0.9 else net.ip_v6(), "ua": lambda i: net.user_agent(), "mac": lambda i: net.mac_address(),
        "vat": lambda i: f"FR{figures(11)}", "dept": lambda i: r.choice(("Direction générale", "Ressources humaines", "Informatique", "Finances")),
        "locale": lambda i: r.choice(("fr_FR", "en_US", "fr_CA")), "tz": lambda i: r.choice(("Europe/Paris", "America/Montreal", "UTC")),
        "lat": lambda i: round(r.uniform(43, 50), 7), "lng": lambda i: round(r.uniform(-79, 7), 7), "slug": lambda i: f"{text.word()}-{r.randint(1, 20)}".lower(),
        "gid": lambda i: f"gid://shopify/Customer/{figures(12)}", "ordername": lambda i: f"#{1000 + i}", "cur": lambda i: r.choice(("CAD", "USD")),
        "path": lambda i: f"/{text.word()}/{text.word()}?ref={mixed(6)}", "hostn": lambda i: f"{text.word().lower()}{r.randint(1, 99):02d}.dc{r.randint(1, 3)}.corp.example.com",
        "eventtype": lambda i: r.choice(("LOGIN", "LOGIN_ERROR", "CODE_TO_TOKEN", "LOGOUT", "invalid_user_credentials")),
        "version4": lambda i: f"{r.randint(1, 10)}.{r.randint(0, 12)}.{r.randint(0, 15)}.{r.randint(0, 9)}", "semver": lambda i: f"{r.randint(1, 140)}.{r.randint(0, 9)}.{r.randint(0, 30)}",
        "phonemodel": lambda i: r.choice(("iPhone 15 Pro", "Pixel 8", "Galaxy S24", "Xeon E5-2680", "EPYC 7302P")), "order16": lambda i: "5" + figures(15),
        "skey": lambda i: "sk_test_" + mixed(24), "ghp": lambda i: "ghp_" + mixed(36), "jwt": lambda i: f"eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.{mixed(90)}.{mixed(60)}",
        "pem": lambda i: f"-----BEGIN PRIVATE KEY-----\n{mixed(64)}\n-----END PRIVATE KEY-----", "textkey": lambda i: text.text(1) + (f" use AKIA{'ABCDEFGHIJKLMNOP'[i % 16]}{mixed(15).upper().replace('O', '2')} " if i % 5 == 0 else ""),
        "arn": lambda i: f"arn:aws:kms:ca-central-1:{figures(12)}:key/{hexes(8)}", "dis": lambda i: r.choice(("Asthma", "Stroke", "Pneumonia", None, None)), "_": lambda i: numbered["n"],
        "digits15": lambda i: "302720" + figures(9), "intphone": lambda i: {"de": "+49 1", "es": "+34 6"}[language] + ("7" if language == "de" else "") + f"{figures(1)} " + figures(3) + " " + figures(4 if language == "es" else 5), "passp": lambda i: f"{r.choice('ABCDEFG')}{r.choice('ABCDEFG')}{figures(6)}",
        "vin": lambda i: vin(), "plate": lambda i: f"{''.join(r.choice('ABCDEFGH') for _ in range(4))} {figures(3)}", "lic": lambda i: f"{r.choice('ABCDEFGH')}{figures(4)}-{figures(5)}-{figures(5)}", "eth": lambda i: r.choice(("White", "Black or African American", "Asian", "Two or more races")),
        "transit": lambda i: figures(5), "codeperm": lambda i: "".join(r.choice("ABCDEFGHLMNPRST") for _ in range(4)) + figures(8), "langw": lambda i: r.choice(("français", "anglais", "créole", "arabe")),
        "req": lambda i: f"{r.choice(('GET', 'POST'))} /{text.word().lower()}/{r.randint(1, 99)} HTTP/1.1", "cookie": lambda i: f"_ga=GA1.1.{figures(9)}; sess={mixed(20)}",
    }  # fmt: skip


def labels(label: str) -> tuple[frozenset[str], frozenset[str]]:
    """What a column must be said to hold, and what it may be: `a|b` either is right, `a?` may be said or not."""
    either = frozenset(part.rstrip("?") for part in label.split("|") if part)
    optional = "?" in label or not label
    return (frozenset() if optional else frozenset({label.split("|")[0].rstrip("?")})), either


BLIND = Path(__file__).with_name("blind.txt")


def tables(rows: int = ROWS, seed: int = 7, schemas: Path = SCHEMAS) -> Iterator[Table]:
    """Every table of the hold-out. `a|b` in a label: either is right; `a?`: it may be said or not."""
    for index, line in enumerate(schemas.read_text(encoding="utf-8").splitlines()):
        name, language, *columns = line.split()
        makers = _makers(language, seed + index)
        data: dict[str, list[Any]] = {}
        known: list[Column] = []
        for column in columns:
            left, _, kind = column.rpartition(":")
            title, _, label = left.partition("=")
            data[title] = [makers[kind](row) for row in range(rows)]
            known.append(Column(title, kind, *labels(label), {}))
        yield Table(name, language, "holdout", tuple(known), pa.RecordBatch.from_pydict(data))
