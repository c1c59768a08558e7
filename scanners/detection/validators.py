"""Checks that a value which looks right is right: checksums, ranges, registries, dictionaries.

A validator takes the stripped text of one value and answers whether it can be what its name says. It never raises.
Those that consult dictionaries take many texts at once and give back those that pass, so that each text is folded
once for all of them (`Memo`). Sources stand at each. `VALIDATORS` holds them all by the name that a catalogue entry
uses, `PASSING` those for many texts. Nothing here remembers a value: a memo lives as long as its caller's look.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from typing import TypeAlias

from scanners.detection.lexicon import endings, fold, vocabulary, words
from scanners.detection.memo import Memo
from scanners.detection.telephone import valid_abroad, valid_at_home

Validator: TypeAlias = Callable[[str], bool]
Passing: TypeAlias = Callable[[Sequence[str], Memo], list[str]]


def memo(texts: Collection[str] = ()) -> Memo:
    """A memo for one look at `texts`, or at whatever is asked."""
    return Memo(parse_date, texts)


_DIGITS = re.compile(r"[0-9]+")
_NOT_DIGIT = re.compile(r"[^0-9]")


def digits(text: str) -> str:
    """Only the ASCII digits of `text`."""
    return _NOT_DIGIT.sub("", text)


# --- checksums --------------------------------------------------------------------------------------------

_DOUBLED = bytes.maketrans(b"0123456789", b"0246813579")


def luhn(number: str) -> bool:
    """Luhn's check (ISO/IEC 7812-1, annex B) over a string of ASCII digits."""
    figures = number.encode("ascii")
    total = sum(figures[-1::-2]) + sum(figures[-2::-2].translate(_DOUBLED))
    return (total - 48 * len(figures)) % 10 == 0


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


@cache
def _card_lengths() -> Mapping[str, frozenset[int]]:
    """The lengths of card numbers by their leading digits."""
    found: dict[str, frozenset[int]] = {}
    for first, last, _, lengths in _CARD_RANGES:
        for lead in range(first, last + 1):
            found[str(lead)] = found.get(str(lead), frozenset()) | lengths
    return found


def card(text: str) -> bool:
    """A payment card number: issuer range, its length, Luhn, and not one repeated digit."""
    number = digits(text)
    length, known = len(number), _card_lengths()
    if not 12 <= length <= 19 or not luhn(number) or len(set(number)) < 2:
        return False
    return any(length in known.get(number[:leading], ()) for leading in (1, 2, 3, 4, 6))


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


_USER_OF_URL = re.compile(r"(?!mailto:)(?:[A-Za-z][A-Za-z0-9+.-]*:)?//[^\s/?#@]+@", re.IGNORECASE)


def email_in_text(text: str) -> bool:
    """An address that is not the user and host of a URL, nor a name in its path (medium.com/@user.name)."""
    return _USER_OF_URL.match(text) is None and "/@" not in text and email(text)


def phone(text: str) -> bool:
    """A number that `phonenumbers` finds valid with its country code, or in Canada, the US, France or the UK."""
    count = len(digits(text))
    if not 7 <= count <= 16:
        return False
    bare = text.isdecimal()
    if text.startswith("00"):
        text = "+" + text[2:]
    if text.startswith("+"):
        return valid_abroad(text)
    if bare and count not in {9, 10, 11}:
        return False
    if valid_at_home(text):
        return True
    # A country code written without its plus sign; only with separators, else any number would do.
    return not bare and count >= 11 and valid_abroad("+" + text)


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


def _is_street(text: str, memo: Memo) -> bool:
    if len(text) > 100 or text.count(",") > 1:
        return False
    folded = memo.folded[text]
    if _CIVIC.search(folded) is None:
        return False
    tokens = [token.strip(",;#()") for token in memo.tokens[text]]
    street_words, units = vocabulary("street_words"), vocabulary("unit_words")
    # A line begins or ends with its number, or begins with the kind of street or unit; prose does not.
    if not tokens or not (
        tokens[0][:1].isdigit() or tokens[-1][:1].isdigit() or tokens[0] in street_words or tokens[0] in units
    ):
        return False
    if len(tokens) >= 2:
        if not street_words.isdisjoint(tokens):
            return True
        if any(len(token) > 5 and token.endswith(endings("street_suffixes")) for token in tokens):
            return True
    return not units.isdisjoint(" ".join(tokens[:count]) for count in (1, 2, 3))


def street(texts: Sequence[str], memo: Memo) -> list[str]:
    """A street line: a street word (any of the main languages) and a number, or a numbered unit or PO box."""
    if memo.none_holds(_street_clues()) and memo.none_ends(endings("street_suffixes")):
        return []
    return [text for text in texts if _is_street(text, memo)]


@cache
def _street_clues() -> frozenset[str]:
    """Words of which one is in every street line whose kind is no part of a longer word."""
    return vocabulary("street_words") | _heads("unit_words")


_POSTAL_ANYWHERE = re.compile(
    r"\b(?:[A-CEGHJ-NPR-TVXY][0-9][A-CEGHJ-NPR-TV-Z] ?[0-9][A-CEGHJ-NPR-TV-Z][0-9]|[0-9]{5}(?:-[0-9]{4})?"
    r"|[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][ABD-HJLNP-UW-Z]{2}|[0-9]{4} ?[A-Z]{2}|[0-9]{2}-[0-9]{3})\b"
)


_LINE_BREAKS = re.compile(r"[,\n]")


def _is_full_address(text: str, memo: Memo) -> bool:
    if len(text) > 200 or ("," not in text and "\n" not in text):
        return False
    parts = [part for rough in _LINE_BREAKS.split(text) if (part := rough.strip())]
    if len(parts) < 2 or not any(c.isalpha() for c in text):
        return False
    where = next((index for index, part in enumerate(parts[:3]) if _is_street(part, memo)), None)
    if where is None and _CIVIC.search(parts[0]) and len(parts[0]) < 60:
        where = 0
        if not _POSTAL_ANYWHERE.search(" ".join(parts[1:])):
            return False
    if where is None:
        return False
    rest = parts[where + 1 :]
    return any(
        _POSTAL_ANYWHERE.search(part) or _is_city(part, memo) or _is_state(part.split()[0], memo) for part in rest
    )


def full_address(texts: Sequence[str], memo: Memo) -> list[str]:
    """A street line followed by a place: two or more parts, one of them a street, another a town or postal code."""
    return [text for text in texts if _is_full_address(text, memo)]


_ADDRESS_ENGLISH = re.compile(r"[0-9]{1,5}\s+(?:[^\W\d_][^\W\d_'.-]*\s+){1,4}[^\W\d_]+", re.UNICODE)


def address_in_text(text: str) -> bool:
    """A civic number followed by a name and a street word."""
    return _ADDRESS_ENGLISH.match(text) is not None and _is_street(text, memo())


def _is_city(text: str, memo: Memo) -> bool:
    folded = memo.folded[text]
    return folded in words("places") or folded in words("towns") or _made_as_towns_are(text, memo.tokens[text])


def _made_as_towns_are(text: str, tokens: list[str]) -> bool:
    """A name made as towns' names are: Port Hope, Saint-Elzéar, Newbury."""
    if not 1 <= len(tokens) <= 4 or not text[:1].isupper():
        return False
    if len(tokens) > 1 and tokens[0] in vocabulary("town_beginnings"):
        return True
    last, known = tokens[-1], endings("town_endings")
    return last.endswith(known) and any(len(last) > len(ending) + 2 and last.endswith(ending) for ending in known)


def city(texts: Sequence[str], memo: Memo) -> list[str]:
    """A known town."""
    folded, places, towns = memo.folded, words("places"), words("towns")
    return [
        text
        for text in texts
        if folded[text] in places or folded[text] in towns or _made_as_towns_are(text, memo.tokens[text])
    ]


def _is_state(text: str, memo: Memo) -> bool:
    folded = memo.folded[text]
    if len(folded) <= 3:
        return text.isupper() and folded in vocabulary("province_codes")
    return folded in vocabulary("provinces")


def state(texts: Sequence[str], memo: Memo) -> list[str]:
    """A province, state or region by name, or its two-letter code in capitals."""
    folded, known, codes = memo.folded, vocabulary("provinces"), vocabulary("province_codes")
    if memo.none_holds(_heads("provinces")) and memo.none_holds(codes):
        return []
    return [
        text
        for text in texts
        if (folded[text] in known if len(folded[text]) > 3 else folded[text] in codes and text.isupper())
    ]


@cache
def _countries() -> frozenset[str]:
    return frozenset(words("countries"))


@cache
def _country_heads() -> frozenset[str]:
    return frozenset(_WORD.findall(known)[0] for known in _countries())


def country(texts: Sequence[str], memo: Memo) -> list[str]:
    """A country by name (EN, FR) or ISO 3166 code in capitals."""
    folded, known = memo.folded, _countries()
    if memo.none_holds(_country_heads()) and memo.none_holds(_COUNTRY_CODES):
        return []
    return [
        text
        for text in texts
        if (text.isupper() and text.lower() in _COUNTRY_CODES if len(text) == 2 else folded[text] in known)
    ]


@cache
def _company_clues() -> frozenset[str]:
    """Words of which one is in the name of every organization that is told by its name."""
    return vocabulary("companies") | {"and", "et"}


def organization(texts: Sequence[str], memo: Memo) -> list[str]:
    """A name that ends or begins as companies' names do, or joins family names (`Roy, Côté and Sons`)."""
    companies, passing = vocabulary("companies"), list[str]()
    if memo.none_holds(_company_clues()):
        return passing
    for text in texts:
        tokens = memo.tokens[text]
        if len(tokens) >= 2 and (
            tokens[0].strip(",") in companies or tokens[-1].strip(",") in companies or " and " in text or " et " in text
        ):
            passing.append(text)
    return passing


# --- people -----------------------------------------------------------------------------------------------

_TITLES = vocabulary("titles")
_PARTICLES = vocabulary("particles")
_NAME_SHAPE = re.compile(r"[^\W\d_][^\W\d_'’.-]*(?:[ ,'’.-]+[^\W\d_][^\W\d_'’.-]*){0,6}\.?", re.UNICODE)


@cache
def _weights(kind: str) -> Mapping[str, int]:
    """The weights of the names of a kind: from the lists of Canada, the US and France, else from those of the world."""
    known = {**words(f"{kind}_world"), **{word: weight for word, weight in words(kind).items() if weight}}
    return {word: weight for word, weight in known.items() if weight > 0}


def _family_weight(word: str) -> int:
    """The weight of a family name, or 1 for a word that ends as family names do."""
    known = _weights("family_names").get(word, 0)
    if known or len(word) < 6:
        return known
    known_endings = endings("family_endings")
    if not word.endswith(known_endings):
        return 0
    return int(any(word.endswith(ending) for ending in known_endings if len(word) > len(ending) + 2))


def _capitalised(text: str) -> bool:
    return text[:1].isupper() or not text.isascii()


def given_name(texts: Sequence[str], memo: Memo) -> list[str]:
    """A given name of the dictionary, alone, hyphened or doubled (`Marie-Ève`, `Jean Paul`)."""
    known, passing, all_tokens = _weights("given_names"), list[str](), memo.tokens
    for text in texts:
        if len(text) > 40 or not _capitalised(text):
            continue
        tokens = all_tokens[text]
        if len(tokens) == 1 and len(tokens[0]) > 1:
            if tokens[0] in known and tokens[0].isalpha():
                passing.append(text)
        elif 1 <= len(tokens) <= 3 and all((len(token) == 1 or token in known) and token.isalpha() for token in tokens):
            passing.append(text)
    return passing


def family_name(texts: Sequence[str], memo: Memo) -> list[str]:
    """A family name of the dictionary, with particles, hyphened or doubled (`St-Pierre`, `García López`)."""
    known, passing, all_tokens = _weights("family_names"), list[str](), memo.tokens
    for text in texts:
        if len(text) > 50 or not _capitalised(text):
            continue
        tokens = all_tokens[text]
        if " ".join(tokens) in known or (len(tokens) > 1 and "".join(tokens) in known) or _made_of_names(text, tokens):
            passing.append(text)
    return passing


def _made_of_names(text: str, tokens: Sequence[str]) -> bool:
    """One to four family names and particles."""
    if not 1 <= len(tokens) <= 4 or not all(map(str.isalpha, tokens)):
        return False
    proper = [token for token in tokens if token not in _PARTICLES]
    known = sum(_family_weight(token) > 0 for token in proper)
    return known == len(proper) > 0 or (known > 0 and "-" in text)


def _is_full_name(text: str, memo: Memo) -> bool:
    if len(text) > 80 or " " not in text:
        return False
    tokens = memo.tokens[text] if "," not in text else fold(text.replace(",", " ")).split()
    tokens = [token for token in tokens if token not in _TITLES and token not in _PARTICLES]
    if not 2 <= len(tokens) <= 5 or not vocabulary("company_words").isdisjoint(tokens):
        return False
    weights = _weights("given_names")
    given = [index for index, token in enumerate(tokens) if len(token) > 1 and weights.get(token)]
    return (
        bool(given)
        and any(_family_weight(token) for index, token in enumerate(tokens) if given != [index])
        and _NAME_SHAPE.fullmatch(text) is not None
    )


def full_name(texts: Sequence[str], memo: Memo) -> list[str]:
    """Two to six words, one of them a known given name and another a known family name."""
    return [text for text in texts if _is_full_name(text, memo)]


def name_in_text(text: str) -> bool:
    """A form of address followed by a given and a family name of the dictionaries."""
    words_of = text.split()
    return len(words_of) >= 3 and _is_full_name(" ".join(words_of[-2:]).rstrip(",."), memo())


def name_in_prose(text: str) -> bool:
    """A given and a family name, both common, that are together no town."""
    tokens = fold(text).split()
    return (
        _weights("given_names").get(tokens[0], 0) >= 3
        and _weights("family_names").get(tokens[-1], 0) >= 2
        and not _is_city(" ".join(tokens), memo())
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


def gender(texts: Sequence[str], memo: Memo) -> list[str]:
    """A word or letter for a gender or sex (or a form of address), or its number (ISO/IEC 5218)."""
    if memo.none_holds(_heads("genders")):
        return [text for text in texts if text in _GENDER_NUMBERS]
    folded, known = memo.folded, vocabulary("genders")
    return [text for text in texts if folded[text] in known or text in _GENDER_NUMBERS]


_GENDER_NUMBERS = frozenset("0129")


_BRACKETED = frozenset("e")
"""What stands in the brackets of `célibataire(e)`."""


def marital_status(texts: Sequence[str], memo: Memo) -> list[str]:
    """A word for a marital status."""
    if memo.none_holds(_heads("marital")) and memo.none_holds(_BRACKETED):
        return []
    folded, known = memo.folded, vocabulary("marital")
    return [
        text
        for text in texts
        if (fold(text.replace("_", " ").replace("(e)", "")) if "_" in text or "(e)" in text else folded[text]) in known
    ]


def language(texts: Sequence[str], memo: Memo) -> list[str]:
    """A language by name or code."""
    folded, known, codes = memo.folded, vocabulary("languages"), vocabulary("language_codes")
    return [text for text in texts if folded[text] in known or folded[text] in codes]


_TITLE_APART = re.compile(r"[ ,/()-]+")


def job_title(texts: Sequence[str], memo: Memo) -> list[str]:
    """A title with a word of the trades in it."""
    known, passing = vocabulary("job_words"), list[str]()
    if memo.none_holds(known):
        return passing
    for text in texts:
        joined = "," in text or "/" in text or "(" in text or ")" in text
        if not known.isdisjoint(_TITLE_APART.split(memo.folded[text]) if joined else memo.tokens[text]):
            passing.append(text)
    return passing


def religion(texts: Sequence[str], memo: Memo) -> list[str]:
    """A religion by name."""
    if memo.none_holds(_heads("religions")):
        return []
    folded, known = memo.folded, vocabulary("religions")
    return [text for text in texts if folded[text] in known]


def ethnicity(texts: Sequence[str], memo: Memo) -> list[str]:
    """An ethnic group by name."""
    return _of_either(texts, memo, "ethnicities")


def orientation(texts: Sequence[str], memo: Memo) -> list[str]:
    """A sexual orientation by name."""
    return _of_either(texts, memo, "orientations")


def _of_either(texts: Sequence[str], memo: Memo, name: str) -> list[str]:
    """Those that are words of the vocabulary `name`, also when written as `Black/African`."""
    if memo.none_holds(_heads(name)):
        return []
    folded, known = memo.folded, vocabulary(name)
    return [text for text in texts if (fold(text.replace("/", " ")) if "/" in text else folded[text]) in known]


@cache
def _heads(name: str) -> frozenset[str]:
    """The first words of what is in the vocabulary `name`."""
    return frozenset(_WORD.findall(known)[0] for known in vocabulary(name))


_BLOOD_GROUP = re.compile(r"(?:A|B|AB|O)(?:[+−-]| ?(?:pos|neg|positive|negative|positif|négatif))", re.IGNORECASE)
_ICD10 = re.compile(r"[A-TV-Z][0-9][0-9AB](?:\.[0-9A-TV-Z]{1,4})?")


def health_term(texts: Sequence[str], memo: Memo) -> list[str]:
    """A diagnosis, a medicine, a blood group or an ICD-10 code."""
    known, passing = vocabulary("health_words"), list[str]()
    none = memo.none_holds(known)
    for text in texts:
        if (len(text) <= 8 and _is_health_code(text)) or not (none or known.isdisjoint(_health_words(text, memo))):
            passing.append(text)
    return passing


def _is_health_code(text: str) -> bool:
    if text[1:2].isdigit():
        return _ICD10.fullmatch(text) is not None
    return text[:1] in "aAbBoO" and _BLOOD_GROUP.fullmatch(text) is not None


def _health_words(text: str, memo: Memo) -> Sequence[str]:
    if len(text) > 400:
        return _WORD.findall(fold(text[:400]))
    tokens = memo.tokens[text]
    return tokens if all(token.isalpha() for token in tokens) else _WORD.findall(memo.folded[text])


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
_BEFORE_TIME = re.compile(r"[T ](?=[0-9]{1,2}:)")
_ISO_DAY = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:\Z|[T ][0-9]{1,2}:)")


def parse_date(text: str) -> date | None:
    """A date in one of the common orders (ISO, day first, month first, month by name, eight digits), or None."""
    if len(text) == 8 and text.isdecimal():
        return _date(int(text[:4]), int(text[4:6]), int(text[6:]))
    iso = _ISO_DAY.match(text)
    if iso is not None:
        return _date(int(iso[1]), int(iso[2]), int(iso[3]))
    parts = _DATE_PARTS.split(_BEFORE_TIME.split(text, 1)[0].strip())
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


def birth_date(texts: Sequence[str], memo: Memo) -> list[str]:
    """A date from 1900 to today."""
    days, first, today = memo.days, date(1900, 1, 1), datetime.now().date()
    return [text for text in texts if (day := days[text]) is not None and first <= day <= today]


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

_DONE = (
    "created updated deleted changed granted revoked viewed exported approved removed modified reset disabled enabled"
)
_DOINGS = (
    f"{_DONE} logged added signed invited downloaded accessed assigned cree créé modifie modifié supprime supprimé "
    "connecte connecté consulte consulté accorde accordé exporte exporté"
)
_AUDIT = re.compile(
    r"\b(?:user|admin|utilisateur|actor|operator|by|par|account|member|customer)\b.{0,120}?"
    rf"\b(?:{_DOINGS.replace(' ', '|')})\b|\b(?:{_DONE.replace(' ', '|')}) by\b",
    re.IGNORECASE | re.DOTALL,
)
_DOING_WORDS = frozenset(fold(_DOINGS).split())


def audit_line(texts: Sequence[str], memo: Memo) -> list[str]:
    """A sentence in which somebody did something to something."""
    if memo.none_holds(_DOING_WORDS):
        return []
    return [text for text in texts if _AUDIT.search(text[:2000])]


def prose(text: str) -> bool:
    """Four or more words."""
    return len(text) >= 12 and text[:4000].count(" ") >= 3


def anything(text: str) -> bool:
    """Whatever the pattern let through."""
    return bool(text)


PASSING: dict[str, Passing] = {
    check.__name__: check
    for check in (
        audit_line, birth_date, city, country, ethnicity, family_name, full_address, full_name, gender, given_name,
        health_term, job_title, language, marital_status, organization, orientation, religion, state, street,
    )
}  # fmt: skip


def _one(check: Passing) -> Validator:
    return lambda text: bool(check((text,), memo()))


VALIDATORS: dict[str, Validator] = {
    **{
        check.__name__: check
        for check in (
            aba, address_in_text, age, amount, anything, bank_account, bic, card, card_expiry, cookie,
            coordinates, degree, drivers_license, email, email_in_text, health_number, iban, identifier,
            identifier_with_digits, imei, invoice_number, ip_address, ip_in_text, jwt, mac_address, name_in_prose,
            name_in_text, nino, nir, phone, phone_in_text, plaintext_password, postal_code, postal_code_in_text, prose,
            ramq, random_token, routing_number, sin, sin_in_text, ssn, ssn_in_text, url, url_or_dash, user_agent,
            username, version, vin,
        )
    },
    **{name: _one(check) for name, check in PASSING.items()},
}  # fmt: skip

OUTLINES: dict[str, bytes] = {
    "audit_line": rb"[Aa]{2}.*[^0Aa_].*[Aa?]{2}",
    "drivers_license": rb"0",
    "family_name": rb"\AA|\?",
    "full_address": rb"[,\n]",
    "full_name": rb" ",
    "given_name": rb"\AA|\?",
    "health_term": rb"[Aa?]",
    "identifier_with_digits": rb"(?:[0?].*){3}",
    "invoice_number": rb"\A[Aa?].*[0_]",
    "job_title": rb"[Aa?]",
    "organization": rb"[^0Aa]",
    "phone": rb"(?:0[^0]*){7}",
    "postal_code": rb"0",
    "random_token": rb".{12}",
    "street": rb"(?=.*0)(?=.*[Aa?]).*[^0Aa]",
    "vin": rb"[Aa]",
}
"""By check, what the outline (`outlines.py`) of every text that passes holds: others need not be checked."""
