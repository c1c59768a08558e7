"""The first values of a field, looked at together: by outline, with many texts to a check, and by anchors."""

from __future__ import annotations

import re

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanners.detection.catalogue import shipped
from scanners.detection.outlines import Outlines, of_pattern, outline
from scanners.detection.telephone import valid_abroad, valid_at_home
from scanners.detection.validators import PASSING, VALIDATORS, memo

_WHOLE = Outlines(shipped())
_VALUES = st.one_of(
    st.text(max_size=30),
    st.sampled_from(shipped()).flatmap(lambda d: st.from_regex(d.pattern, fullmatch=True)),
)


@settings(max_examples=50, deadline=None)
@given(_VALUES)
def test_an_outline_rules_out_no_detector_that_matches_and_settles_only_what_does(text: str):
    said = {candidate.detector.detector: candidate for candidate in _WHOLE.of(outline(text)).candidates}
    for detector in shipped():
        matched = detector.whole.fullmatch(text) is not None
        candidate = said.get(detector.detector)
        assert candidate is not None or not matched
        assert matched or not candidate or not candidate.settled
        assert not matched or not detector.check(text) or (candidate and candidate.hopeful)


_PHRASES = st.lists(
    st.one_of(
        st.sampled_from([
            "Zoe Tremblay", "Saint-Jérôme", "12 rue Principale", "Roy et fils", "Common-law", "célibataire(e)", "QC",
            "Black/African", "Nurse (RN)", "A+", "E11.9", "user-created", "admin DELETED it", "Muslim", "2001-02-03",
            "12 Hauptstrasse", "Canada", "deleted™", "St. John's", "1234, rue Saint-Denis, Laval H2X 1Y4", "F", "™by",
            "", "x" * 300,
        ]),
        st.text(max_size=12),
    ),
    max_size=6,
    unique=True,
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(_PHRASES)
def test_many_texts_pass_a_check_as_each_of_them_does_alone(texts: list[str]):
    known = memo(texts)
    for name, check in PASSING.items():
        assert check(texts, known) == [text for text in texts if VALIDATORS[name](text)], name


def test_an_outline_keeps_no_letter_and_no_digit():
    assert outline("Zoé-12@b.org") == b"Aa?-00@a.aaa"


@pytest.mark.parametrize("pattern", [r"(?i)abc", r"(?=a)b", r"(a)\1", r"^a$", r"(?:[a-m]+[n-z])+"])
def test_what_outlines_cannot_say_is_left_to_the_pattern(pattern: str):
    assert of_pattern(pattern).expression is None
    assert of_pattern(pattern).may_match(outline("Abc"[: of_pattern(pattern).longest]))


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_every_text_that_a_pattern_finds_holds_its_anchor(data: st.DataObject):
    detector = data.draw(st.sampled_from([detector for detector in shipped() if detector.within]))
    text = data.draw(st.from_regex(detector.text_pattern or detector.pattern, fullmatch=True))
    assert re.search(detector.anchor_for_bytes.encode("ascii"), text.encode("utf-8", "replace"))


_NUMBERS = st.builds(
    lambda before, digits, cut, sign, after: before + digits[:cut] + sign + digits[cut:] + after,
    st.sampled_from(["", "0", "1", "00", "33", "44", "330", "440", "1 ", "(0)", "011"]),
    st.one_of(
        st.from_regex("[0-9]{7,13}", fullmatch=True),
        st.sampled_from(
            ["5142881234", "4165550199", "612345678", "123456789", "7911123456", "2079460018", "8005550100"]
        ),
    ),
    st.integers(0, 6),
    st.sampled_from(["", "-", " ", ".", ") ", "/"]),
    st.sampled_from(["", "", "x12", " x 123", "ext. 4", " ext 55555", "x", "/", "-", " poste 3"]),
)


@settings(max_examples=100, deadline=None)
@given(_NUMBERS, st.sampled_from(["CA", "FR", "GB", None]))
def test_numbers_are_valid_when_the_library_says_so(number: str, region: str | None):
    text = number if region else f"+{number}"
    try:
        expected = phonenumbers.is_valid_number(phonenumbers.parse(text, region))
    except phonenumbers.NumberParseException:
        expected = False
    assert (valid_at_home(text, [region]) if region else valid_abroad(text)) == expected
