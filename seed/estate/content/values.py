"""Values with a form of their own: numbers with check digits, addresses of the internet, keys and hashes."""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime, timedelta
from random import Random

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
"""The estate's present: fixed, so that it is the same on every day it is made."""

_ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
# The published test numbers of Visa, Mastercard and Discover, all of 16 digits.
_TEST_CARDS = (
    "4242424242424242",
    "4000056655665556",
    "4111111111111111",
    "4012888888881881",
    "5555555555554444",
    "2223003122003222",
    "5200828282828210",
    "5105105105105100",
    "6011111111111117",
    "6011000990139424",
)


def check_digit(digits: str) -> str:
    """The Luhn digit that makes `digits` + it valid."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def digits(random: Random, count: int) -> str:
    """`count` decimal digits."""
    return f"{random.randrange(10**count):0{count}d}"


def social_insurance_number(random: Random) -> str:
    """A valid number that begins with 0, which no person is given: "046 454 286"."""
    body = "0" + digits(random, 7)
    number = body + check_digit(body)
    return f"{number[:3]} {number[3:6]} {number[6:]}"


def card_number(random: Random) -> str:
    """A test number of a card network."""
    return random.choice(_TEST_CARDS)


def order_number(sequence: int) -> str:
    """Sixteen digits that look like a card number and pass Luhn one time in ten, as any such number does."""
    return f"2026{sequence * 7919 % 10**12:012d}"


def ramq_number(random: Random, first: str, last: str, born: datetime, *, female: bool) -> str:
    """A number in the form of Québec's health insurance card: letters of the name, birth date, two digits."""
    letters = "".join(c for c in _ascii(last) if c.isalpha()).upper().ljust(3, "X")[:3] + _ascii(first)[:1].upper()
    month = born.month + (50 if female else 0)
    return f"{letters} {born:%y}{month:02d} {born:%d}{digits(random, 2)}"


def ohip_number(random: Random) -> str:
    """A number in the form of Ontario's health card: ten digits with a Luhn digit, two letters."""
    body = str(random.randint(1, 9)) + digits(random, 8)
    number = body + check_digit(body)
    return f"{number[:4]}-{number[4:7]}-{number[7:]}-{random.choice('ABCDEFGH')}{random.choice('JKLMNPRS')}"


def telephone(random: Random, area: str) -> str:
    """A fictitious number (555-01xx) in one of the ways that people write them."""
    line = f"{random.randrange(100):02d}"
    form = random.choice(("({0}) 555-01{1}", "{0}-555-01{1}", "+1 {0} 555 01{1}", "{0} 555-01{1}", "+1{0}55501{1}"))
    return form.format(area, line)


def ip_address(random: Random) -> str:
    """An address of a documentation range; one in six is of IPv6."""
    if random.random() < 1 / 6:
        return f"2001:db8:{random.randrange(1, 0xFFFF):x}::{random.randrange(1, 0xFFFF):x}"
    return f"{random.choice(('192.0.2', '198.51.100', '203.0.113'))}.{random.randrange(1, 255)}"


def mac_address(random: Random) -> str:
    """A locally administered address."""
    return "02:" + ":".join(f"{random.randrange(256):02x}" for _ in range(5))


def token(random: Random, length: int) -> str:
    """Random letters and digits."""
    return "".join(random.choices(_ALPHANUMERIC, k=length))


def api_key(random: Random) -> str:
    """A key of the platform's own form."""
    return f"setbytes_demo_{token(random, 32)}"


def password_hash(random: Random) -> str:
    """In the form of bcrypt; no password has it."""
    return f"$2b$12${token(random, 53)}"


def hexadecimal(random: Random, length: int) -> str:
    """`length` hexadecimal digits."""
    return f"{random.getrandbits(length * 4):0{length}x}"


def identifier(random: Random) -> str:
    """A version 4 UUID."""
    return str(uuid.UUID(int=random.getrandbits(128), version=4))


def sha256(text: str) -> str:
    """Hexadecimal digest."""
    return hashlib.sha256(text.encode()).hexdigest()


def moment(random: Random, days: int) -> datetime:
    """A second within the last `days` days."""
    return NOW - timedelta(seconds=random.randrange(days * 86_400))


def _ascii(text: str) -> str:
    import unicodedata

    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
