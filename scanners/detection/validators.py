"""Checks that a value which looks right is right: checksums, ranges, registries, dictionaries.

A validator takes the stripped text of one value and answers whether it can be what its name says. It never raises.
Sources stand at each. `VALIDATORS` holds them all by the name that a catalogue entry uses.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
import math
import re
from collections.abc import Callable
from datetime import date, datetime
from functools import cache, lru_cache
from typing import TypeAlias

import phonenumbers

from scanners.detection.lexicon import endings, fold, vocabulary, words

Validator: TypeAlias = Callable[[str], bool]

_DIGITS = re.compile(r"[0-9]+")
_NOT_DIGIT = re.compile(r"[^0-9]")


def digits(text: str) -> str:
    """Only the ASCII digits of `text`."""
    return _NOT_DIGIT.sub("", text)


# --- checksums --------------------------------------------------------------------------------------------

_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def luhn(number: str) -> bool:
    """Luhn's check (ISO/IEC 7812-1, annex B) over a string of digits."""
    total = 0
    for position, digit in enumerate(reversed(number)):
        value = ord(digit) - 48
        total += _DOUBLED[value] if position % 2 else value
    return total % 10 == 0


# Issuer ranges as (first, last, number of leading digits, lengths): ISO/IEC 7812 and the networks' own pages.
_CARD_RANGES: tuple[tuple[int, int, int, frozenset[int]], ...] = (
    (4, 4, 1, frozenset({13, 16, 19})),  # Visa
    (51, 55, 2, frozenset({16})),  # Mastercard
    (2221, 2720, 4, frozenset({16})),  # Mastercard
    (34, 34, 2, frozenset({15})),  # American Express
    (37, 37, 2, frozenset({15})),
    (300, 305, 3, frozenset({14, 16})),  # Diners Club
    (3095, 3095, 4, frozenset({14, 16})),
    (36, 36, 2, frozenset({14, 16})),
    (38, 39, 2, frozenset({14, 16})),
    (6011, 6011, 4, frozenset({16, 19})),  # Discover
    (622126, 622925, 6, frozenset({16, 19})),
    (644, 649, 3, frozenset({16, 19})),
    (65, 65, 2, frozenset({16, 19})),
    (3528, 3589, 4, frozenset({15, 16, 19})),  # JCB
    (2131, 2131, 4, frozenset({15})),
    (1800, 1800, 4, frozenset({15})),
    (62, 62, 2, frozenset({16, 17, 18, 19})),  # UnionPay
    (50, 50, 2, frozenset({12, 13, 14, 15, 16, 17, 18, 19})),  # Maestro
    (56, 58, 2, frozenset({12, 13, 14, 15, 16, 17, 18, 19})),
    (63, 63, 2, frozenset({12, 13, 14, 15, 16, 17, 18, 19})),
    (67, 67, 2, frozenset({12, 13, 14, 15, 16, 17, 18, 19})),
)


def card(text: str) -> bool:
    """A payment card number: issuer range, its length, Luhn, and not one repeated digit."""
    number = digits(text)
    length = len(number)
    if not 12 <= length <= 19 or len(set(number)) < 2:
        return False
    in_range = any(
        length in lengths and first <= int(number[:leading]) <= last for first, last, leading, lengths in _CARD_RANGES
    )
    return in_range and luhn(number)


def sin(text: str) -> bool:
    """Canadian social insurance number: nine digits, first digit assigned (not 0 or 8), Luhn."""
    number = digits(text)
    return len(number) == 9 and number[0] not in "08" and len(set(number)) > 2 and luhn(number)


def sin_in_text(text: str) -> bool:
    """A SIN written in three separated groups, as people write it in prose."""
    return len(text) == 11 and text[3] == text[7] and sin(text)


def ssn(text: str) -> bool:
    """US social security number: area 001-899 but 666, group 01-99, serial 0001-9999 (SSA, since 2011)."""
    number = digits(text)
    if len(number) != 9 or len(set(number)) < 2:
        return False
    return number[:3] not in {"000", "666"} and number[0] != "9" and number[3:5] != "00" and number[5:] != "0000"


def ssn_in_text(text: str) -> bool:
    """A US social security number written with hyphens."""
    return len(text) == 11 and text[3] == text[6] == "-" and ssn(text)


def nino(text: str) -> bool:
    """UK national insurance number: prefix letters as HMRC allots them."""
    compact = text.replace(" ", "").upper()
    return len(compact) == 9 and compact[:2] not in {"BG", "GB", "NK", "KN", "TN", "NT", "ZZ"}


def nir(text: str) -> bool:
    """French NIR: 13 characters and a key of 97 minus the rest (INSEE); Corsica's 2A and 2B count as 19 and 18."""
    compact = text.replace(" ", "").upper()
    if len(compact) != 15:
        return False
    body = compact[:13].replace("2A", "19").replace("2B", "18")
    return body.isdecimal() and compact[13:].isdecimal() and 97 - int(body) % 97 == int(compact[13:])


# Length of an IBAN by country: SWIFT IBAN registry.
_IBAN_LENGTHS = {
    code: length
    for length, codes in {
        15: "NO",
        16: "BE",
        18: "DK FI FO GL NL",
        19: "MK SI",
        20: "AT BA EE KZ LT LU XK",
        21: "CH CR HR LI LV",
        22: "BG BH DE GB GE IE ME RS VA",
        23: "AE GI IL IQ OM TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST",
        26: "IS TR",
        27: "BI DJ FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HU LB NI PL SV",
        29: "BR EG PS QA UA",
        30: "JO KW MU YE",
        31: "MT SC",
        32: "LC",
        33: "RU",
    }.items()
    for code in codes.split()
}


def iban(text: str) -> bool:
    """IBAN: the country's length and mod 97 of the rearranged number is 1 (ISO 13616)."""
    compact = text.replace(" ", "").replace("-", "").upper()
    if len(compact) != _IBAN_LENGTHS.get(compact[:2], 0) or not compact.isalnum() or not compact.isascii():
        return False
    return int("".join(str(int(c, 36)) for c in compact[4:] + compact[:4])) % 97 == 1


_COUNTRY_CODES = vocabulary("iso_countries")


def bic(text: str) -> bool:
    """SWIFT or BIC (ISO 9362): letters 5 and 6 are a country."""
    return len(text) in {8, 11} and text[4:6].lower() in _COUNTRY_CODES and text.isupper()


_VIN_VALUES = {
    **{str(d): d for d in range(10)},
    **dict(zip("ABCDEFGH", range(1, 9), strict=True)),
    **dict(zip("JKLMN", range(1, 6), strict=True)),
    **{"P": 7, "R": 9},
    **dict(zip("STUVWXYZ", range(2, 10), strict=True)),
}
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def vin(text: str) -> bool:
    """Vehicle identification number: check digit in the ninth place (49 CFR 565.15)."""
    number = text.upper()
    if len(number) != 17 or number.isdecimal() or not number.isascii():
        return False
    try:
        rest = sum(_VIN_VALUES[c] * w for c, w in zip(number, _VIN_WEIGHTS, strict=True)) % 11
    except KeyError:
        return False
    return number[8] == ("X" if rest == 10 else str(rest))


def imei(text: str) -> bool:
    """IMEI: fifteen digits, a reporting body that the GSMA uses, Luhn."""
    number = digits(text)
    return (
        len(number) == 15
        and number[:2] in {"01", "35", "86", "99", "44", "45", "49", "52", "53", "98"}
        and luhn(number)
    )


def aba(number: str) -> bool:
    """US routing number: the Federal Reserve's ranges and weights 3 7 1."""
    if len(number) != 9 or not number.isdecimal():
        return False
    first = int(number[:2])
    if not (first <= 12 or 21 <= first <= 32 or 61 <= first <= 72 or first == 80):
        return False
    return sum(int(c) * w for c, w in zip(number, (3, 7, 1) * 3, strict=True)) % 10 == 0 and number != "000000000"


def routing_number(text: str) -> bool:
    """A US routing number, a Canadian transit or institution number, a UK sort code, or French bank codes."""
    number = digits(text)
    if len(number) == 9:
        # Canadian electronic form: zero, institution, branch.
        return aba(number) or number.startswith("0")
    return len(number) in {3, 5, 6, 8}


def bank_account(text: str) -> bool:
    """Digits of a plausible length for an account number (Canada 7 to 12, US 4 to 17), masked or not."""
    compact = text.replace(" ", "").replace("-", "")
    count = sum(c.isdigit() for c in compact)
    return 4 <= len(compact) <= 24 and count >= 4


def ramq(text: str) -> bool:
    """Quebec health number: letters of the name, then a birth date (month + 50 for women), then an order number."""
    compact = text.replace(" ", "").upper()
    if len(compact) != 12 or not compact[:4].isalpha() or not compact[4:].isdecimal():
        return False
    month, day = int(compact[6:8]), int(compact[8:10])
    return (1 <= month <= 12 or 51 <= month <= 62) and 1 <= day <= 31


def _nhs(number: str) -> bool:
    """UK NHS number: modulus 11 over the first nine digits."""
    check = 11 - sum(int(c) * w for c, w in zip(number[:9], range(10, 1, -1), strict=True)) % 11
    return check % 11 == int(number[9]) and check != 10


def health_number(text: str) -> bool:
    """OHIP (Luhn), RAMQ, NHS (mod 11), or the nine digits and other forms of the other provinces."""
    compact = text.replace(" ", "").replace("-", "").upper()
    if ramq(compact):
        return True
    number = digits(compact)
    if len(number) == 10:
        return (number[0] != "0" and luhn(number)) or _nhs(number)
    return len(compact) == 9 and len(number) >= 8


# Forms of driving licence numbers: provinces' and states' own publications (AAMVA D20, appendix).
_LICENCES = re.compile(
    r"[A-Z][0-9]{4}-?[0-9]{5}-?[0-9]{5}"  # Ontario, and New Jersey without hyphens
    r"|[A-Z][0-9]{4}-?[0-9]{6}-?[0-9]{2}"  # Quebec
    r"|[0-9]{7,9}"  # British Columbia, New York, Pennsylvania, Texas
    r"|[0-9]{6}-?[0-9]{3}"  # Alberta
    r"|[A-Z]{5}[0-9]{9}|[A-Z]{2}-?[A-Z]{2}-?[A-Z]{2}-?[A-Z]?[0-9]{3}[A-Z]{2}"  # Nova Scotia, Manitoba
    r"|[A-Z][0-9]{7,8}|[A-Z][0-9]{12}|[A-Z][0-9]{11}|[A-Z][0-9]{3}-?[0-9]{4}-?[0-9]{4}"  # California, Florida, Illinois
    r"|[A-Z][0-9]{3}-?[0-9]{3}-?[0-9]{2}-?[0-9]{3}-?[0-9]|[A-Z]{1,2}[0-9]{5,9}|[0-9]{12}|[0-9]{2}[A-Z]{2}[0-9]{5}"
    r"|[A-Z0-9*]{5}[0-9]{6}[A-Z0-9]{2}[A-Z0-9]{3}|[A-Z]{3}[A-Z*0-9]{2}[0-9]{3}[A-Z0-9]{4}|[A-Z][0-9]{9}|[A-Z][0-9]{6}",
)


def drivers_license(text: str) -> bool:
    """A driving licence number in the form of a Canadian province, a main US state, the UK or France."""
    return _LICENCES.fullmatch(text.upper().replace(" ", "")) is not None


# --- contact ----------------------------------------------------------------------------------------------

_FILE_ENDINGS = vocabulary("file_endings")


@lru_cache(maxsize=8192)
def _email_domain(domain: str) -> bool:
    labels = domain.split(".")
    if len(labels) < 2 or len(domain) > 253:
        return False
    if labels[-1].lower() in _FILE_ENDINGS or not labels[-1].isalpha():
        return False
    return all(label and label[0] != "-" and label[-1] != "-" for label in labels)


def email(text: str) -> bool:
    """An address whose parts keep RFC 5321's lengths, and whose top-level domain is no file ending (logo@2x.png)."""
    local, _, domain = text.rpartition("@")
    if not local or local[0] == "." or local[-1] == "." or ".." in local:
        return False
    return _email_domain(domain)


_REGIONS = ("CA", "FR", "GB")  # CA stands for the whole of +1


@lru_cache(maxsize=16384)
def phone(text: str) -> bool:
    """A number that `phonenumbers` finds valid with its country code, or in Canada, the US, France or the UK."""
    count = len(digits(text))
    if not 7 <= count <= 16:
        return False
    bare = text.isdecimal()
    if text.startswith("00"):
        text = "+" + text[2:]
    if text.startswith("+"):
        return _valid_phone(text, None)
    if bare and count not in {9, 10, 11}:
        return False
    if any(_valid_phone(text, region) for region in _REGIONS):
        return True
    # A country code written without its plus sign; only with separators, else any number would do.
    return not bare and count >= 11 and _valid_phone("+" + text, None)


def _valid_phone(text: str, region: str | None) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(text, region))
    except phonenumbers.NumberParseException:
        return False


_PHONE_SHAPE = re.compile(r"\+|\([0-9]{2,4}\)|[0-9]{2,4}[-. ][0-9]{2,4}[-. ][0-9]{2,4}")


def phone_in_text(text: str) -> bool:
    """A phone number written as people do in prose: with a plus sign, brackets or separators."""
    return _PHONE_SHAPE.match(text) is not None and phone(text)


_URL = re.compile(r"(?:https?://)?((?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24})(?::[0-9]{1,5})?(?:[/?#].*)?", re.DOTALL)


def url(text: str) -> bool:
    """A web address."""
    return _URL.fullmatch(text) is not None


def url_or_dash(text: str) -> bool:
    """A web address, or the dash that logs write for none."""
    return text == "-" or text.startswith("android-app://") or url(text)


_POSTAL_CODES = re.compile(
    r"[A-CEGHJ-NPR-TVXY][0-9][A-CEGHJ-NPR-TV-Z][ -]?[0-9][A-CEGHJ-NPR-TV-Z][0-9]"  # Canada
    r"|[0-9]{5}(?:-[0-9]{4})?"  # US, France, Germany, Spain, Italy
    r"|[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][ABD-HJLNP-UW-Z]{2}"  # UK
    r"|[0-9]{4} ?[A-Z]{2}|[0-9]{2}-[0-9]{3}|[0-9]{3} [0-9]{2}|[0-9]{4}-[0-9]{3}|[0-9]{5}-[0-9]{3}|[0-9]{4}"
)
_CANADIAN_POSTAL_CODE = re.compile(r"[A-CEGHJ-NPR-TVXY][0-9][A-CEGHJ-NPR-TV-Z][ -]?[0-9][A-CEGHJ-NPR-TV-Z][0-9]")


def postal_code(text: str) -> bool:
    """A postal code of Canada, the US, the UK, France or another European country."""
    return _POSTAL_CODES.fullmatch(text.upper()) is not None


def postal_code_in_text(text: str) -> bool:
    """A Canadian postal code, in capitals: the only form that stands out in prose."""
    return _CANADIAN_POSTAL_CODE.fullmatch(text) is not None


_WORD = re.compile(r"[^\W\d_]+", re.UNICODE)
_CIVIC = re.compile(r"\b[0-9]{1,6}[A-Za-z]?\b")


@lru_cache(maxsize=16384)
def street(text: str) -> bool:
    """A street line: a street word (any of the main languages) and a number, or a numbered unit or PO box."""
    if len(text) > 100 or text.count(",") > 1:
        return False
    folded = fold(text)
    tokens = [token.strip(",;#()") for token in folded.split()]
    has_number = _CIVIC.search(folded) is not None
    street_words, units = vocabulary("street_words"), vocabulary("unit_words")
    # A line begins or ends with its number, or begins with the kind of street or unit; prose does not.
    if not tokens or not (
        tokens[0][:1].isdigit() or tokens[-1][:1].isdigit() or tokens[0] in street_words or tokens[0] in units
    ):
        return False
    if len(tokens) >= 2 and has_number:
        if any(token in street_words for token in tokens):
            return True
        if any(len(token) > 5 and token.endswith(endings("street_suffixes")) for token in tokens):
            return True
    lead = {" ".join(tokens[:count]) for count in (1, 2, 3)}
    return has_number and not lead.isdisjoint(units)


_POSTAL_ANYWHERE = re.compile(
    r"\b(?:[A-CEGHJ-NPR-TVXY][0-9][A-CEGHJ-NPR-TV-Z] ?[0-9][A-CEGHJ-NPR-TV-Z][0-9]|[0-9]{5}(?:-[0-9]{4})?"
    r"|[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][ABD-HJLNP-UW-Z]{2}|[0-9]{4} ?[A-Z]{2}|[0-9]{2}-[0-9]{3})\b"
)


def full_address(text: str) -> bool:
    """A street line followed by a place: two or more parts, one of them a street, another a town or postal code."""
    parts = [part.strip() for part in re.split(r"[,\n]", text) if part.strip()]
    if len(parts) < 2 or len(text) > 200 or not any(c.isalpha() for c in text):
        return False
    where = next((index for index, part in enumerate(parts[:3]) if street(part)), None)
    if where is None and _CIVIC.search(parts[0]) and len(parts[0]) < 60:
        where = 0
        if not _POSTAL_ANYWHERE.search(" ".join(parts[1:])):
            return False
    if where is None:
        return False
    rest = parts[where + 1 :]
    return any(_POSTAL_ANYWHERE.search(part) or city(part) or state(part.split()[0]) for part in rest)


_ADDRESS_ENGLISH = re.compile(r"[0-9]{1,5}\s+(?:[^\W\d_][^\W\d_'.-]*\s+){1,4}[^\W\d_]+", re.UNICODE)


def address_in_text(text: str) -> bool:
    """A civic number followed by a name and a street word."""
    return _ADDRESS_ENGLISH.match(text) is not None and street(text)


@lru_cache(maxsize=16384)
def city(text: str) -> bool:
    """A known town."""
    folded = fold(text)
    if folded in words("places") or folded in words("towns"):
        return True
    # A name made as towns' names are: Port Hope, Saint-Elzéar, Newbury.
    tokens = folded.split()
    if not 1 <= len(tokens) <= 4 or not text[:1].isupper():
        return False
    return (len(tokens) > 1 and tokens[0] in vocabulary("town_beginnings")) or any(
        len(tokens[-1]) > len(ending) + 2 and tokens[-1].endswith(ending) for ending in vocabulary("town_endings")
    )


@lru_cache(maxsize=8192)
def state(text: str) -> bool:
    """A province, state or region by name, or its two-letter code in capitals."""
    folded = fold(text)
    if len(folded) <= 3:
        return text.isupper() and folded in vocabulary("province_codes")
    return folded in vocabulary("provinces")


@cache
def _countries() -> frozenset[str]:
    return frozenset(words("countries"))


@lru_cache(maxsize=8192)
def country(text: str) -> bool:
    """A country by name (EN, FR) or ISO 3166 code in capitals."""
    if len(text) == 2:
        return text.isupper() and text.lower() in _COUNTRY_CODES
    return fold(text) in _countries()


def organization(text: str) -> bool:
    """A name that ends or begins as companies' names do, or joins family names (`Roy, Côté and Sons`)."""
    tokens = [token.strip(",") for token in fold(text).split()]
    return len(tokens) >= 2 and (
        any(token in vocabulary("companies") for token in (tokens[0], tokens[-1])) or " and " in text or " et " in text
    )


# --- people -----------------------------------------------------------------------------------------------

_TITLES = vocabulary("titles")
_PARTICLES = vocabulary("particles")
_NAME_SHAPE = re.compile(r"[^\W\d_][^\W\d_'’.-]*(?:[ ,'’.-]+[^\W\d_][^\W\d_'’.-]*){0,6}\.?", re.UNICODE)


def _weight(word: str, kind: str) -> int:
    known = words(kind).get(word, 0)
    return known or words(f"{kind}_world").get(word, 0)


def _family_weight(word: str) -> int:
    """The weight of a family name, or 1 for a word that ends as family names do."""
    known = _weight(word, "family_names")
    if known or len(word) < 6:
        return known
    return int(any(word.endswith(ending) for ending in vocabulary("family_endings") if len(word) > len(ending) + 2))


def _capitalised(text: str) -> bool:
    return text[:1].isupper() or not text.isascii()


@lru_cache(maxsize=16384)
def given_name(text: str) -> bool:
    """A given name of the dictionary, alone, hyphened or doubled (`Marie-Ève`, `Jean Paul`)."""
    if len(text) > 40 or not _capitalised(text):
        return False
    tokens = fold(text).split()
    if not 1 <= len(tokens) <= 3:
        return False
    return all(token.isalpha() and (len(token) == 1 or _weight(token, "given_names") > 0) for token in tokens)


@lru_cache(maxsize=16384)
def family_name(text: str) -> bool:
    """A family name of the dictionary, with particles, hyphened or doubled (`St-Pierre`, `García López`)."""
    if len(text) > 50 or not _capitalised(text):
        return False
    folded = fold(text)
    if _weight(folded, "family_names") or _weight(folded.replace(" ", ""), "family_names"):
        return True
    tokens = folded.split()
    if not 1 <= len(tokens) <= 4 or not all(token.isalpha() for token in tokens):
        return False
    proper = [token for token in tokens if token not in _PARTICLES]
    known = sum(_family_weight(token) > 0 for token in proper)
    return known == len(proper) > 0 or (known > 0 and "-" in text)


@lru_cache(maxsize=16384)
def full_name(text: str) -> bool:
    """Two to six words, one of them a known given name and another a known family name."""
    if len(text) > 80 or " " not in text or not _NAME_SHAPE.fullmatch(text):
        return False
    tokens = [t for t in fold(text.replace(",", " ")).split() if t not in _TITLES and t not in _PARTICLES]
    if not 2 <= len(tokens) <= 5 or not vocabulary("company_words").isdisjoint(tokens):
        return False
    given = [index for index, token in enumerate(tokens) if len(token) > 1 and _weight(token, "given_names")]
    return bool(given) and any(_family_weight(token) for index, token in enumerate(tokens) if given != [index])


def name_in_text(text: str) -> bool:
    """A form of address followed by a given and a family name of the dictionaries."""
    words_of = text.split()
    return len(words_of) >= 3 and full_name(" ".join(words_of[-2:]).rstrip(",."))


@lru_cache(maxsize=16384)
def name_in_prose(text: str) -> bool:
    """A given and a family name, both common, that are together no town."""
    tokens = fold(text).split()
    return (
        _weight(tokens[0], "given_names") >= 3
        and _weight(tokens[-1], "family_names") >= 2
        and not city(" ".join(tokens))
    )


_HEXADECIMAL = re.compile(r"[0-9a-fA-F]+(?:-[0-9a-fA-F]{4,})*")


def username(text: str) -> bool:
    """One token that is neither a number nor a date nor a digest or UUID, with a letter in it."""
    if not any(c.isalpha() for c in text) or text.startswith(("http", "www.")):
        return False
    return len(text) < 16 or _HEXADECIMAL.fullmatch(text) is None


def identifier(text: str) -> bool:
    """One token without spaces."""
    return bool(text) and " " not in text


def identifier_with_digits(text: str) -> bool:
    """A token that holds at least three digits."""
    return sum(c.isdigit() for c in text) >= 3


def gender(text: str) -> bool:
    """A word or letter for a gender or sex (or a form of address), or its number (ISO/IEC 5218)."""
    return fold(text) in vocabulary("genders") or text in {"0", "1", "2", "9"}


def marital_status(text: str) -> bool:
    """A word for a marital status."""
    folded = fold(text.replace("_", " ").replace("(e)", ""))
    return folded in vocabulary("marital")


def language(text: str) -> bool:
    """A language by name or code."""
    folded = fold(text)
    return folded in vocabulary("languages") or folded in vocabulary("language_codes")


def job_title(text: str) -> bool:
    """A title with a word of the trades in it."""
    return any(word in vocabulary("job_words") for word in re.split(r"[ ,/()-]+", fold(text)))


def religion(text: str) -> bool:
    """A religion by name."""
    return fold(text) in vocabulary("religions")


def ethnicity(text: str) -> bool:
    """An ethnic group by name."""
    return fold(text.replace("/", " ")) in vocabulary("ethnicities")


def orientation(text: str) -> bool:
    """A sexual orientation by name."""
    return fold(text.replace("/", " ")) in vocabulary("orientations")


_BLOOD_GROUP = re.compile(r"(?:A|B|AB|O)(?:[+−-]| ?(?:pos|neg|positive|negative|positif|négatif))", re.IGNORECASE)
_ICD10 = re.compile(r"[A-TV-Z][0-9][0-9AB](?:\.[0-9A-TV-Z]{1,4})?")


def health_term(text: str) -> bool:
    """A diagnosis, a medicine, a blood group or an ICD-10 code."""
    if len(text) <= 8 and (_ICD10.fullmatch(text) or _BLOOD_GROUP.fullmatch(text)):
        return True
    return any(word in vocabulary("health_words") for word in _WORD.findall(fold(text[:400])))


# --- dates and numbers ------------------------------------------------------------------------------------

_MONTHS = {
    name: index
    for index, names in enumerate(
        (
            "jan january janvier janv", "feb february fevrier fevr fev", "mar march mars", "apr april avril avr",
            "may mai", "jun june juin", "jul july juillet juil", "aug august aout", "sep sept september septembre",
            "oct october octobre", "nov november novembre", "dec december decembre",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_DATE_PARTS = re.compile(r"[-/. ,]+")


@lru_cache(maxsize=16384)
def parse_date(text: str) -> date | None:
    """A date in one of the common orders (ISO, day first, month first, month by name, eight digits), or None."""
    if len(text) == 8 and text.isdecimal():
        return _date(int(text[:4]), int(text[4:6]), int(text[6:]))
    parts = _DATE_PARTS.split(re.split(r"[T ](?=[0-9]{1,2}:)", text)[0].strip())
    if len(parts) != 3:
        return None
    numbers = [int(p) if p.isdecimal() and len(p) <= 4 else _MONTHS.get(fold(p), 0) for p in parts]
    if 0 in numbers:
        return None
    if not parts[1].isdecimal():
        return _date(_year(numbers[2]), numbers[1], numbers[0])
    if len(parts[0]) == 4:
        return _date(numbers[0], numbers[1], numbers[2])
    year = _year(numbers[2])
    return _date(year, numbers[1], numbers[0]) or _date(year, numbers[0], numbers[1])


def _year(number: int) -> int:
    return number if number > 99 else number + (1900 if number > 30 else 2000)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def birth_date(text: str) -> bool:
    """A date from 1900 to today."""
    day = parse_date(text)
    return day is not None and day.year >= 1900 and day <= datetime.now().date()


_NUMBER = re.compile(r"[0-9]+")


def age(text: str) -> bool:
    """A number of years up to 120, a band, or a year of birth."""
    numbers = [int(n) for n in _NUMBER.findall(text)[:2]]
    return bool(numbers) and all(n <= 120 or 1900 <= n <= 2030 for n in numbers)


def card_expiry(text: str) -> bool:
    """Month and year within thirty years of 2000."""
    numbers = _NUMBER.findall(text)
    if len(numbers) == 1 and len(numbers[0]) == 4:
        numbers = [numbers[0][:2], numbers[0][2:]]
    if len(numbers) != 2:
        return False
    first, second = int(numbers[0]), int(numbers[1])
    month, year = (second, first) if len(numbers[0]) == 4 else (first, second)
    return 1 <= month <= 12 and (10 <= year <= 45 or 2010 <= year <= 2045)


def amount(text: str) -> bool:
    """A number, with or without currency."""
    return any(c.isdigit() for c in text) and sum(c.isalpha() for c in text) <= 4


_INVOICE = re.compile(
    r"(?:INV|FAC|FACT|FA|BILL)[-_#/ ]?[A-Z0-9-/_]*[0-9]{2,}[A-Z0-9-/_]*|in_[A-Za-z0-9]{8,32}", re.IGNORECASE
)


def invoice_number(text: str) -> bool:
    """A number that begins as invoices' do (INV-, FAC-, Stripe's in_)."""
    return _INVOICE.fullmatch(text) is not None


# --- devices ----------------------------------------------------------------------------------------------


@lru_cache(maxsize=16384)
def ip_address(text: str) -> bool:
    """IPv4 or IPv6; brackets, a port, a zone and the prefix of a single host are taken off."""
    host = text
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(".") == 3:
        host = host.partition(":")[0] if host.count(":") == 1 else host
    host, _, prefix = host.partition("/")
    if prefix and prefix not in {"32", "128"}:
        return False  # a network is nobody's address
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return not _version_like(address)
    return ":" in host.strip(":") or host == "::1"


def _version_like(address: ipaddress.IPv4Address) -> bool:
    """Four small numbers are a version (1.12.0.3) and, drawn at random, an address once in four thousand times."""
    return max(address.packed) < 32 and not address.is_private


def version(text: str) -> bool:
    """A version number: two to four parts, the first three of them small."""
    parts = text.lstrip("v").split("-")[0].split("+")[0].split(".")
    if len(parts) == 2 and not text.startswith("v"):
        return False
    return all(part.isdecimal() and int(part) < 1000 for part in parts[:2]) and (
        len(parts) < 4 or max(int(p) for p in parts if p.isdecimal()) < 64
    )


def ip_in_text(text: str) -> bool:
    """An address that is no version string: no part with fewer than two digits throughout (1.2.3.4)."""
    if not ip_address(text):
        return False
    if ":" in text and text.count(".") < 3:
        return text.count(":") >= 3 and len(text) >= 8
    return len(digits(text.partition(":")[0].partition("/")[0])) >= 6


def mac_address(text: str) -> bool:
    """An EUI-48 that is neither all zeros nor broadcast."""
    compact = re.sub(r"[^0-9a-f]", "", text.lower())
    return len(compact) == 12 and compact not in {"0" * 12, "f" * 12}


_AGENTS = re.compile(
    r"Mozilla/|Opera/|Dalvik/|okhttp/|curl/|Wget/|PostmanRuntime/|python-requests/|Go-http-client/|Java/|axios/"
    r"|Apache-HttpClient/|node-fetch/|libwww-perl/|AppleCoreMedia/|Googlebot|bingbot|CFNetwork/|Darwin/|iOS|Android|Ruby"
)


def user_agent(text: str) -> bool:
    """Product tokens of known browsers and clients."""
    return _AGENTS.search(text) is not None


def cookie(text: str) -> bool:
    """Name and value pairs; a single pair is one only with a long value."""
    return "; " in text or (len(text) > 20 and text.count("=") == 1) or text.startswith(("Cookie:", "Set-Cookie:"))


_DEGREES = re.compile(r"[-+]?[0-9]{1,3}\.[0-9]+")


def coordinates(text: str) -> bool:
    """A pair of degrees in range."""
    found = [float(n) for n in _DEGREES.findall(text)[:2]]
    return len(found) == 2 and abs(found[0]) <= 180 and abs(found[1]) <= 180 and min(abs(found[0]), abs(found[1])) <= 90


def degree(text: str) -> bool:
    """A number of degrees in -180..180."""
    try:
        return abs(float(text)) <= 180
    except ValueError:
        return False


# --- secrets ----------------------------------------------------------------------------------------------


def entropy(text: str) -> float:
    """Shannon's entropy of the characters of `text`, in bits a character."""
    if not text:
        return 0.0
    size = len(text)
    return -sum(n / size * math.log2(n / size) for n in (text.count(c) for c in set(text)))


def random_token(text: str) -> bool:
    """A string that looks drawn at random: long, varied, and no plain word or date."""
    if len(text) < 12 or len(text) > 4096:
        return False
    sample = text[:256]
    if entropy(sample) < 2.8:
        return False
    return any(c.isdigit() for c in sample) or (sample.lower() != sample and sample.upper() != sample)


def jwt(text: str) -> bool:
    """A JSON Web Token: the header decodes to JSON that names an algorithm."""
    head = text.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return False
    return isinstance(header, dict) and ("alg" in header or "typ" in header)


_HASH_LIKE = re.compile(r"\$|\{[A-Z0-9]+\}|[0-9a-fA-F]{32,128}$|pbkdf2|argon2|bcrypt|scrypt")


def plaintext_password(text: str) -> bool:
    """A short string that is no hash, date or number with decimals."""
    return 4 <= len(text) <= 64 and _HASH_LIKE.match(text) is None and parse_date(text) is None


# --- text -------------------------------------------------------------------------------------------------

_AUDIT = re.compile(
    r"\b(?:user|admin|utilisateur|actor|operator|by|par|account|member|customer)\b.{0,120}?\b(?:created|updated|deleted|"
    r"changed|logged|granted|revoked|viewed|exported|approved|removed|added|modified|signed|reset|invited|enabled|disabled|"
    r"cree|créé|modifi[eé]|supprim[eé]|connect[eé]|consult[eé]|accord[eé]|export[eé]|downloaded|accessed|assigned)\b"
    r"|\b(?:created|updated|deleted|changed|granted|revoked|viewed|exported|approved|removed|modified|reset|disabled|enabled)"
    r" by\b",
    re.IGNORECASE | re.DOTALL,
)


def audit_line(text: str) -> bool:
    """A sentence in which somebody did something to something."""
    return _AUDIT.search(text[:2000]) is not None


def prose(text: str) -> bool:
    """Four or more words."""
    return len(text) >= 12 and text[:4000].count(" ") >= 3


def anything(text: str) -> bool:
    """Whatever the pattern let through."""
    return bool(text)


VALIDATORS: dict[str, Validator] = {
    check.__name__: check
    for check in (
        aba, address_in_text, age, amount, anything, audit_line, bank_account, bic, birth_date, card,
        card_expiry, city, cookie, coordinates, country, degree, drivers_license, email, ethnicity, family_name,
        full_address, full_name, gender, given_name, health_number, health_term, iban, identifier,
        identifier_with_digits, imei, invoice_number, ip_address, ip_in_text, job_title, jwt, language,
        mac_address, marital_status, name_in_prose, name_in_text, nino, nir, organization, orientation, phone,
        phone_in_text, plaintext_password, postal_code, postal_code_in_text, prose, ramq, random_token,
        religion, routing_number, sin, sin_in_text, ssn, ssn_in_text, state, street, url, url_or_dash,
        user_agent, username, version, vin,
    )
}  # fmt: skip
