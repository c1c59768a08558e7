"""Whether a text is a telephone number: as `phonenumbers` says, and faster for the plans that we meet most.

`phonenumbers` normalises, parses and then asks every region of a country code in turn. For plans with a plain trunk
prefix, and texts of nothing but digits and separators, the same is done here by one expression a country code, put
together from that library's own metadata; everything else is left to it. A test holds the two equal.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import phonenumbers
from phonenumbers.phonemetadata import PhoneMetadata

_SEPARATED = re.compile(r"\+?[0-9(). /\u00a0-]+")
_NOT_DIGIT = re.compile(r"[^0-9]")
_TYPES = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number", "voip", "pager", "uan",
    "voicemail",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Plan:
    """The numbers of one country code, as `phonenumbers` knows them."""

    code: str
    trunk: str  # what is dialled before a number at home
    abroad: str  # what is dialled before a country code at home
    possible: re.Pattern[str]  # a national number, by its outward form
    valid: re.Pattern[str]  # a national number in use in one of the regions
    shortest: int  # so few digits may be dialled at home
    longest: int  # so many, with the country code and the trunk prefix
    lengths: frozenset[int]  # of national numbers, from abroad

    def holds(self, national: str) -> bool:
        """Whether digits as dialled at home, with or without the trunk prefix or the country code, are a number."""
        if not self.shortest <= len(national) <= self.longest:
            return False
        if national.startswith(self.code) and not self.possible.fullmatch(national):
            bare = self._without_trunk(self._without_trunk(national[len(self.code) :]))  # as the library does
            if self.possible.fullmatch(bare):
                return self.valid.fullmatch(bare) is not None
        bare = self._without_trunk(national)
        return self.possible.fullmatch(bare) is not None and self.valid.fullmatch(bare) is not None

    def holds_international(self, digits: str) -> bool:
        """Whether digits that begin with the country code are a number."""
        national = digits[len(self.code) :]
        bare = self._without_trunk(national)
        return self.valid.fullmatch(bare if len(bare) in self.lengths else national) is not None

    def _without_trunk(self, number: str) -> str:
        bare = number.removeprefix(self.trunk)
        if self.possible.fullmatch(number) and not self.possible.fullmatch(bare):
            return number
        return bare


@cache
def _plan(region: str) -> _Plan:
    home = cast("Any", PhoneMetadata.metadata_for_region(region))
    regions = cast("list[str]", cast("Any", phonenumbers).COUNTRY_CODE_TO_REGION_CODE[home.country_code])
    valid: list[str] = []
    for each in sorted(regions, key=lambda each: each not in {region, regions[0]}):
        known = cast("Any", PhoneMetadata.metadata_for_region(each))
        descriptions = [getattr(known, kind) for kind in _TYPES]
        patterns = {d.national_number_pattern for d in descriptions if d is not None and d.national_number_pattern}
        own = f"(?={known.leading_digits})" if known.leading_digits and len(regions) > 1 else ""
        valid.append(rf"{own}(?:{'|'.join(sorted(patterns))})")
    main = cast("Any", PhoneMetadata.metadata_for_region(regions[0]))
    return _Plan(
        code=str(home.country_code),
        trunk=home.national_prefix or "",
        abroad="011" if region == "CA" else "00",
        possible=re.compile(home.general_desc.national_number_pattern),
        valid=re.compile("|".join(valid)),
        shortest=min(home.general_desc.possible_length),
        lengths=frozenset(main.general_desc.possible_length),
        longest=max(home.general_desc.possible_length)
        + len(str(home.country_code))
        + 2 * len(home.national_prefix or ""),
    )


_EXTENDED = re.compile(r"([+0-9(). \u00a0-]{7,30}[0-9]) ?(?:x|ext\.?) ?[0-9]{1,6}")


def _digits(text: str) -> str | None:
    """The digits of a text of digits and separators, without an extension; None for any other text."""
    extended = _EXTENDED.fullmatch(text)
    plain = extended[1] if extended else text
    return _NOT_DIGIT.sub("", plain) if _SEPARATED.fullmatch(plain) else None


def valid_at_home(text: str, regions: Sequence[str] = ("CA", "FR", "GB")) -> bool:
    """Whether `text` is a number as it is written in one of `regions`; CA stands for all of +1."""
    number = None if text.startswith("+") else _digits(text)
    for region in regions:
        plan = _plan(region)
        if number is None or number.startswith(plan.abroad):
            if _by_library(text, region):
                return True
        elif plan.holds(number):
            return True
    return False


def valid_abroad(text: str) -> bool:
    """Whether `text`, which begins with a plus sign, is a number of some country."""
    number = _digits(text)
    code = None if number is None else _country_code(number)
    plan = None if code is None else _plan_of_code(code)
    if plan is None or number is None:
        return _by_library(text, None)
    return plan.holds_international(number)


def _country_code(number: str) -> str | None:
    known = cast("dict[int, Any]", cast("Any", phonenumbers).COUNTRY_CODE_TO_REGION_CODE)
    if number.startswith("0"):
        return None
    return next((number[:size] for size in (1, 2, 3) if int(number[:size] or 0) in known), None)


@cache
def _plan_of_code(code: str) -> _Plan | None:
    """The plan of a country code; None when its trunk prefix is no plain prefix, or it is no country's."""
    region = cast("list[str]", cast("Any", phonenumbers).COUNTRY_CODE_TO_REGION_CODE[int(code)])[0]
    home = cast("Any", PhoneMetadata.metadata_for_region(region))
    if home is None or home.national_prefix_transform_rule or not home.general_desc.possible_length:
        return None
    return _plan(region) if (home.national_prefix_for_parsing or "") == (home.national_prefix or "") else None


def _by_library(text: str, region: str | None) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(text, region))
    except phonenumbers.NumberParseException:
        return False
