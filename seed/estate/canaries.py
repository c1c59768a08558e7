"""Values that nobody could mistake for others, planted wherever a scan looks: none of them may ever come out of it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
from psycopg import sql

from seed.estate.content.values import check_digit
from seed.estate.database import SCANNER
from seed.estate.estate import Estate

_SIN = "07317731" + check_digit("07317731")


@dataclass(frozen=True, slots=True)
class _Canary:
    """One person who exists in no other place; `place` makes them another one in each store."""

    place: str

    @property
    def name(self) -> str:
        return f"Zephyrine Canarienne-{self.place.capitalize()}"

    @property
    def email(self) -> str:
        return f"canary.{self.place}.q7w@canari-{self.place}.example.org"

    @property
    def text(self) -> str:
        return f"xanthocanari {self.place} ne doit jamais sortir"

    def all(self) -> list[str]:
        return [self.name, self.email, self.text]


_ROW, _NESTED, _COMMENT, _LITERAL, _CAST, _EXPORT, _KEY, _BROKEN, _VENDOR, _MAP, _CONFIG = map(
    _Canary, ("row", "nested", "comment", "literal", "cast", "export", "key", "broken", "vendor", "map", "config")
)
_PHONE = "+1 873-555-0119"
_BIRTH = "3847-11-23"  # with "BC", which no driver for Python can represent: it complains, and quotes it


def plant_canaries(estate: Estate) -> list[str]:
    """Plant them in a running estate and give all of their texts; the next start makes the estate anew without them.

    They stand in rows, nested keys and values, comments, view literals, values that make the database complain,
    objects' contents and keys, contents that break in mid-value, and the vendor's records and metadata.
    """
    estate.forget()
    _plant_in_database(estate)
    store = estate.store()
    for key, content in _objects():
        store.put(key, content)
    _plant_at_vendor(estate)
    _plant_in_files(estate)
    people = (_ROW, _NESTED, _CAST, _EXPORT, _BROKEN, _VENDOR, _CONFIG)
    values = [value for canary in people for value in canary.all()]
    written = [_COMMENT.email, _LITERAL.email, _KEY.email, _KEY.name, _MAP.email]
    return [*values, *written, _PHONE, _SIN, f"{_SIN[:3]} {_SIN[3:6]} {_SIN[6:]}", _BIRTH]


def _plant_in_files(estate: Estate) -> None:
    secret = _CONFIG.text.replace(" ", "-")
    lines = [
        f"SENTRY_DSN=https://{secret}:{_CONFIG.email}@o0.ingest.sentry.io/{secret}",
        f"MAILGUN_API_KEY={_CONFIG.name} {_CONFIG.text}",
        f"NOTIFY_WEBHOOK_URL=https://hooks.slack.com/{_CONFIG.email}?text={secret}",
    ]
    folder = estate.repository / "people" / _CONFIG.email
    folder.mkdir(parents=True)
    (folder / ".env.example").write_text("\n".join(lines), encoding="utf-8")
    (folder / "package.json").write_text(f'{{"{_CONFIG.email}": {_CONFIG.text}', encoding="utf-8")
    with estate.zone_file.open("a", encoding="utf-8") as zone:
        zone.write(f'@ IN TXT "stripe-verification={_CONFIG.email} {_CONFIG.text}"\n')
        zone.write(f'_dmarc IN TXT "v=DMARC1; ruf=mailto:{_CONFIG.email},mailto:{_CONFIG.email}@ag.dmarcian.com"\n')


def _plant_in_database(estate: Estate) -> None:
    nested = {
        "contact": {"name": _NESTED.name, "notes": [_NESTED.text]},
        _NESTED.email: "as a key",
        "shared_with": {_MAP.email: "viewer"},
    }
    statements: tuple[tuple[str, tuple[object, ...]], ...] = (
        (
            "CREATE TABLE support.canaries"
            " (id int PRIMARY KEY, name text, email text, phone text, sin text, note text, detail jsonb, born date)",
            (),
        ),
        (
            "INSERT INTO support.canaries SELECT n, %s, %s, %s, %s, %s, %s, %s FROM generate_series(1, 30) AS n",
            (_ROW.name, _ROW.email, _PHONE, f"{_SIN[:3]} {_SIN[3:6]} {_SIN[6:]}", _ROW.text, json.dumps(nested), None),
        ),
        ("UPDATE support.canaries SET born = (%s || ' BC')::date WHERE id = 7", (_BIRTH,)),
        (
            "INSERT INTO platform.notification_channels VALUES (99, %s, %s, true)",
            (_CONFIG.text, f"https://{_CONFIG.email}:{_CONFIG.email}@hooks.slack.com/{_CONFIG.email}"),
        ),
        ("CREATE TABLE support.canary_numbers (label text)", ()),
        ("INSERT INTO support.canary_numbers VALUES (%s), (%s), (%s)", (_CAST.name, _CAST.email, _CAST.text)),
        # reading it fails, and PostgreSQL's message quotes the value that is no number
        ("CREATE VIEW support.canary_sum AS SELECT label::integer AS number FROM support.canary_numbers", ()),
    )
    with estate.connect() as owner:
        for statement, values in statements:
            owner.execute(statement.encode(), values or None)
        for statement, text in (
            ("COMMENT ON TABLE support.canaries IS {}", f"Ask {_COMMENT.email} or {_PHONE}"),
            ("COMMENT ON COLUMN support.canaries.note IS {}", f"Par exemple {_COMMENT.email}"),
            ("CREATE VIEW support.canary_people AS SELECT * FROM support.canaries WHERE email = {}", _LITERAL.email),
        ):
            owner.execute(sql.SQL(statement.replace("{}", "{0}")).format(sql.Literal(text)))  # pyright: ignore[reportArgumentType]
        owner.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA support TO {}").format(sql.Identifier(SCANNER)))
        owner.execute("ANALYZE support.canaries, support.canary_numbers")


def _objects() -> Iterator[tuple[str, bytes]]:
    row = f"{_EXPORT.name},{_EXPORT.email},{_PHONE},{_EXPORT.text}\n"
    broken = f"{_BROKEN.name},{_BROKEN.email},{_BROKEN.text}"
    log = f'192.0.2.7 - {_EXPORT.email} [14/Jan/2026:05:00:00 +0000] "GET /?q={_EXPORT.email} HTTP/1.1" 200 1 "-" "x"\n'
    record = {"name": _EXPORT.name, _EXPORT.email: _EXPORT.text, "by": {_MAP.email: {"seen": True}}}
    yield "canaries/people.csv", ("name,email,phone,note\n" + row * 20).encode()
    yield "canaries/no-header.csv", (row * 20).encode()
    yield "canaries/records.jsonl", (json.dumps(record) + "\n").encode() * 20
    yield "canaries/access.log.gz", gzip.compress((log * 20).encode(), mtime=0)
    yield "canaries/notes.txt", f"{_EXPORT.text}\n{_EXPORT.email}\n".encode()
    yield f"canaries/{_KEY.email}/{_KEY.email}.csv", b"a,b\n1,2\n"
    yield f"users/{_KEY.name}/photo.csv", b"a,b\n1,2\n"
    yield "broken/cut.csv.gz", gzip.compress((broken + "\n").encode() * 2000, mtime=0)[:-40]
    yield "broken/latin-1.csv", ("name,note\n" + f"{_BROKEN.name},{_BROKEN.text} é\n" * 20).encode("latin-1")
    yield "broken/bytes.csv", b"name,note\n\xff\xfe\x80" + broken.encode() + b"\x00\n"
    yield "broken/quote.csv", f'name,note\n"{broken}\n'.encode()
    yield "broken/ragged.csv", f"a,b\n1,2\n{broken},4,5,6,7\n".encode()
    yield "broken/cut.json", f'{{"email": "{_BROKEN.email}", "note": "{_BROKEN.text}'.encode()
    yield "broken/lines.jsonl", (f'{{"n": 1}}\n{{"{_BROKEN.email}": {_BROKEN.text}\n' * 20).encode()
    yield "broken/not.parquet", b"PAR1" + broken.encode() * 20 + b"PAR1"


def _plant_at_vendor(estate: Estate) -> None:
    customer = {
        "name": _VENDOR.name,
        "email": _VENDOR.email,
        "phone": _PHONE,
        "description": _VENDOR.text,
        "metadata": {_MAP.email: _VENDOR.text, "sin": _SIN},
    }
    auth = (estate.secret("stripe-api-key"), "")
    httpx.post(f"{estate.vendor_url}/v1/customers", json=customer, auth=auth, timeout=30).raise_for_status()
