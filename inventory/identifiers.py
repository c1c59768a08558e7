"""Identifiers of people, brought to one form, so that the same one written in two ways is the same.

Identifiers are personal: they are given to functions here and never kept. What is kept is `digest`, a keyed hash
(HMAC-SHA-256, RFC 2104) that nobody can try guesses on without the installation's key.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

import phonenumbers

from inventory.errors import QuestionError

MOST_CHARACTERS = 512


class IdentifierKind(StrEnum):
    """What kind of identifier it is, which says how it is brought to one form."""

    EMAIL = "email"
    PHONE = "phone"
    USERNAME = "username"
    CUSTOMER_ID = "customer_id"
    ACCOUNT_ID = "account_id"
    IP_ADDRESS = "ip_address"
    OTHER = "other"


@dataclass(frozen=True, slots=True, repr=False)
class Identifier:
    """One identifier of a person. Its value shows in no `repr`, message or log."""

    kind: IdentifierKind
    value: str

    def __repr__(self) -> str:
        return f"Identifier({self.kind})"


def normalised(identifier: Identifier) -> str:
    """The identifier in its one form: Unicode NFKC, no space around it, and as its kind demands.

    An e-mail address and a user name lose their case; a telephone number becomes E.164, with +1 where it names no
    country. Raises QuestionError, which does not hold the value, for what cannot be one of its kind.
    """
    value = unicodedata.normalize("NFKC", identifier.value).strip()
    if not value or len(value) > MOST_CHARACTERS or not value.isprintable():
        raise QuestionError(f"identifier of kind {identifier.kind}", "is empty, too long or holds control characters")
    match identifier.kind:
        case IdentifierKind.EMAIL:
            return _email(value)
        case IdentifierKind.PHONE:
            return _phone(value)
        case IdentifierKind.USERNAME | IdentifierKind.IP_ADDRESS:
            return value.casefold()
        case IdentifierKind.CUSTOMER_ID | IdentifierKind.ACCOUNT_ID | IdentifierKind.OTHER:
            return value


def digest(key: bytes, identifier: Identifier) -> str:
    """The keyed hash that stands for the identifier: 64 hexadecimal digits."""
    text = f"{identifier.kind}\0{normalised(identifier)}"
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def parse_identifier(text: str) -> Identifier:
    """`email:person@example.ca` as an Identifier. Raises QuestionError, which holds nothing after the colon."""
    kind, colon, value = text.partition(":")
    if not colon or kind not in IdentifierKind.__members__.values():
        raise QuestionError("identifier", "is not of the form kind:value", f"kinds are {', '.join(IdentifierKind)}")
    return Identifier(IdentifierKind(kind), value)


def _email(value: str) -> str:
    local, at, domain = value.rpartition("@")
    if not at or not local or not domain or any(c.isspace() for c in value):
        raise QuestionError("identifier of kind email", "is no e-mail address")
    return f"{local.casefold()}@{domain.casefold().rstrip('.')}"


def _phone(value: str) -> str:
    try:
        number = phonenumbers.parse(value, "CA")
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_possible_number(number):
        raise QuestionError("identifier of kind phone", "is no telephone number")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
