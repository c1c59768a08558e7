"""The field set: schemas of public products written down from memory, with the dirt of real exports. Nothing was tuned
before its first run (docs/detection.md says what that gave).

It differs from the other sets in the dirt: half the columns are a quarter empty, a tenth of them hold junk (`N/A`, `-`,
stray blanks), numbers are stored as floats, texts in capitals, and tables have 8 to 150 rows.
"""

# One kind of column a line reads better than five.
# ruff: noqa: E501

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks.detection import holdout
from benchmarks.detection.corpus import Column, Table

SCHEMAS = Path(__file__).with_name("field.txt")
LANGUAGES = {"en": "EN_CA", "fr": "FR", "us": "EN", "uk": "EN_GB"}
JUNK = ("N/A", "-", "unknown", "?", "x", "TBD")


def _more(language: str, seed: int) -> dict[str, Callable[[int], Any]]:
    """Makers that the hold-out lacks, and the hold-out's people from this table's country."""
    from mimesis import Address, Person
    from mimesis.locales import Locale

    r = random.Random(seed)
    locale = getattr(Locale, LANGUAGES[language])
    person, place = Person(locale, seed=seed), Address(locale, seed=seed)
    figures: Callable[[int], str] = lambda n: "".join(r.choice("0123456789") for _ in range(n))  # noqa: E731
    capitals: Callable[[int], str] = lambda n: "".join(r.choice("ABCDEFGHJKLMNPRSTUVWXYZ") for _ in range(n))  # noqa: E731
    hexes: Callable[[int], str] = lambda n: "".join(r.choice("0123456789abcdef") for _ in range(n))  # noqa: E731
    one_of: Callable[..., Callable[[int], Any]] = lambda *choices: lambda row: r.choice(choices)  # noqa: E731

    def born() -> date:
        return date(r.randint(1938, 2007), r.randint(1, 12), r.randint(1, 28))

    def recent() -> date:
        return date(r.randint(2019, 2025), r.randint(1, 12), r.randint(1, 28))

    def nhs() -> str:
        while True:
            body = figures(9)
            check = (11 - sum(int(d) * (10 - i) for i, d in enumerate(body)) % 11) % 11
            if check < 10:
                return f"{body[:3]} {body[3:6]} {body[6:]}{check}"

    def imei() -> str:
        body = "35" + figures(12)
        total = sum((d * 2 - 9 if d > 4 else d * 2) if i % 2 else d for i, d in enumerate(map(int, body)))
        return body + str(-total % 10)

    def ramq() -> str:
        day = born()
        woman = r.random() < 0.5
        return f"{capitals(4)}{day.year % 100:02d}{day.month + 50 * woman:02d}{day.day:02d}{figures(2)}"

    def ukpost() -> str:
        return f"{r.choice(('SW', 'M', 'LS', 'EH', 'CF'))}{r.randint(1, 28)} {r.randint(1, 9)}{capitals(1)}{r.choice('ABDEFGH')}"

    return {
        "small": lambda i: r.randint(0, 6), "big": lambda i: 10**11 + r.randint(0, 10**9), "pad9": lambda i: figures(9),
        "pad7": lambda i: f"{r.randint(1, 9)}{figures(6)}", "empcode": lambda i: f"HR-EMP-{i + 1:05d}",
        "dobdash": lambda i: f"{r.randint(1, 28):2d}-{r.randint(1, 12):2d}-{r.randint(1950, 2006)}",
        "dobuk": lambda i: born().strftime("%d/%m/%Y"), "dobint": lambda i: int(born().strftime("%Y%m%d")),
        "dateint": lambda i: int(recent().strftime("%Y%m%d")), "dated": lambda i: recent(), "dob": lambda i: born(),
        "langcode": one_of("fr", "en", "de", "es"), "digits14": lambda i: figures(14), "digits12": lambda i: figures(12),
        "digits8": lambda i: figures(8), "aliasaddr": one_of("Domicile", "Mon adresse", "Bureau"),
        "cityup": lambda i: place.city().upper(), "marital": one_of("Single", "Married", "Divorced", "Widowed", "Common-law"),
        "prov": one_of("QC", "ON", "BC", "AB", "NS"), "deptw": one_of("Sales", "Finance", "Legal", "Operations", "IT"),
        "leadsource": one_of("Cold Call", "Web Site", "Trade Show", "Word of mouth"), "sexw": one_of("Male", "Female"),
        "sexfr": one_of("man", "woman"), "relig": one_of("Catholic", "Muslim", "Jewish", "None", "Sikh", "Protestant"),
        "eth": one_of("White", "Black", "South Asian", "Métis", "Chinese"), "state3": one_of("active", "pending", "failed"),
        "lastfirst": lambda i: f"{person.last_name()}, {person.first_name()}", "fullup": lambda i: person.full_name().upper(),
        "mixed40": lambda i: "".join(r.choice("abcdefghABCDEFGH0123456789xyzXYZ") for _ in range(40)),
        "avatar": lambda i: f"https://cdn.example.org/avatars/{hexes(12)}.png", "bankname": one_of("RBC", "TD", "Desjardins", "BMO"),
        "acct": lambda i: figures(r.choice((7, 10, 12))), "acct8": lambda i: figures(8), "blood": one_of("A+", "O-", "B+", "AB+", "O+"),
        "mxid": lambda i: f"@{person.username().lower()}:matrix.example.org", "upper10": lambda i: capitals(10), "upper4": lambda i: capitals(4),
        "upper5": lambda i: capitals(1) + figures(3) + ".", "token2": lambda i: hexes(40) if r.random() < 0.4 else None,
        "emailsome": lambda i: person.email() if r.random() < 0.2 else None, "ctype": one_of("Individual", "Organization"),
        "nhs": lambda i: nhs(), "ukpost": lambda i: ukpost(), "ukphone": lambda i: f"07{figures(3)} {figures(6)}" if r.random() < 0.7 else f"020 {r.choice('78')}{figures(3)} {figures(4)}",
        "nino": lambda i: f"{r.choice('ABCEGHJ')}{r.choice('ABCEGHJ')}{figures(6)}{r.choice('ABCD')}", "allergy": one_of("Penicillin", "Peanuts", "None known", "Latex", None),
        "smoke": one_of("Smoker", "Never", "Ex-smoker"), "time": lambda i: f"{r.randint(8, 17):02d}:{r.choice(('00', '15', '30'))}", "outcome": one_of("Attended", "DNA", "Cancelled"),
        "streetup": lambda i: place.address().upper(), "usst": one_of("NY", "CA", "TX", "WA", "IL"), "zipint": lambda i: r.randint(10001, 99950),
        "phoneint": lambda i: float(f"{r.choice((212, 415, 312, 646, 514))}{r.randint(220, 989)}{figures(4)}"), "emailup": lambda i: person.email().upper(),
        "transit": lambda i: figures(5), "inst": one_of("001", "003", "006", "815"), "mmyy": lambda i: f"{r.randint(1, 12):02d}/{r.randint(25, 31)}",
        "brandc": one_of("visa", "mastercard", "amex"), "ref16": lambda i: f"RUM{figures(13)}", "bic": lambda i: f"{capitals(4)}FR{r.choice(('PP', '2A'))}{r.choice(('', 'XXX'))}",
        "ramq": lambda i: ramq(), "natio": one_of("Française", "Belge", "Algérienne", "Portugaise"), "http": one_of(200, 200, 301, 404, 500),
        "hostport": lambda i: f"10.0.{r.randint(0, 9)}.{r.randint(2, 250)}:8080", "itemtype": one_of("Order", "User", "Invoice"), "evtcrud": one_of("create", "update", "destroy"),
        "sku": lambda i: f"{capitals(3)}-{figures(4)}", "sha1": lambda i: hexes(40), "urlpath": lambda i: f"https://ci.example.org/builds/{i}/log",
        "cursym": one_of("$", "€", "£"), "make": one_of("Ford", "Toyota", "Honda"), "plate": lambda i: f"{capitals(1)}{figures(2)} {capitals(3)}", "imei": lambda i: imei(),
        "uuidup": lambda i: f"{hexes(8)}-{hexes(4)}-4{hexes(3)}-9{hexes(3)}-{hexes(12)}".upper(), "last4": lambda i: figures(4), "height": lambda i: r.randint(48, 199),
        "pbkdf": lambda i: f"pbkdf2_sha256$600000${hexes(22)}${hexes(43)}=", "sortcode": lambda i: f"{figures(2)}-{figures(2)}-{figures(2)}", "agef": lambda i: float(r.randint(16, 94)),
        "textmail": lambda i: f"Hello, please write to {person.email()} about invoice {figures(5)}." if r.random() < 0.5 else "It does not start since the upgrade, see the log.",
        "first": lambda i: person.first_name(), "last": lambda i: person.last_name(), "full": lambda i: person.full_name(), "email": lambda i: person.email(),
        "firstup": lambda i: person.first_name().upper(), "lastup": lambda i: person.last_name().upper(), "street": lambda i: place.address(), "city": lambda i: place.city(),
        "state": lambda i: place.state(), "zip": lambda i: place.postal_code(), "fulladdr": lambda i: f"{place.address()}, {place.city()} {place.postal_code()}", "job": lambda i: person.occupation(),
    }  # fmt: skip


def _dirty(values: list[Any], r: random.Random) -> list[Any]:
    """As exports are: gaps, and in texts junk, stray blanks and capitals."""
    gaps = r.choice((0.0, 0.0, 0.25, 0.6))
    junk = r.choice((0.0, 0.0, 0.05)) if any(isinstance(value, str) for value in values) else 0.0
    return [None if r.random() < gaps else _junk(value, r) if r.random() < junk else value for value in values]


def _junk(value: Any, r: random.Random) -> Any:
    return r.choice((*JUNK, f" {value} ")) if isinstance(value, str) else value


FRESH = Path(__file__).with_name("fresh.txt")
"""More of them, run once after the field set had been learnt from, and not looked at since."""


def tables(seed: int = 311, schemas: Path = SCHEMAS) -> Iterator[Table]:
    """Every table of the field set, labelled as in the hold-out."""
    for index, line in enumerate(schemas.read_text(encoding="utf-8").splitlines()):
        name, language, *columns = line.split()
        r = random.Random(seed + index)
        makers = holdout._makers("fr" if language == "fr" else "en", seed + index) | _more(language, seed + index)
        rows = r.choice((8, 15, 40, 150))
        data: dict[str, list[Any]] = {}
        known: list[Column] = []
        for column in columns:
            left, _, kind = column.rpartition(":")
            title, _, label = left.partition("=")
            data[title] = _dirty([makers[kind](row) for row in range(rows)], r)
            known.append(Column(title, kind, *holdout.labels(label), {}))
        yield Table(name, language, "field", tuple(known), pa.RecordBatch.from_pydict(data))
