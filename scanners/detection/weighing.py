"""Evidence weighed: for every detector the log-odds that a field is of its category, and the reasons in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import cast

import yaml

from inventory.model import Evidence
from scanners.detection.catalogue import Detector
from scanners.detection.interface import Verdict
from scanners.detection.naming import NameMatch

# What holds other things: only in these are values inside the text of a fully recognised field told too.
_HOLDERS = frozenset(
    {
        "user.telemetry.access_log",
        "user.telemetry.audit_log",
        "user.content.private",
        "user.content.public",
        "user.device.cookie",
        "user.health_and_medical",
    }
)

THRESHOLD = 0.5
"""A verdict with less confidence is not given, unless categories share the odds of being personal."""

_SHARED = 0.3

_PRIOR = -3.0
_NAME = 5.2
_HINT = 2.2
_THING = 4.4
"""A column called after a thing, such as `product`, yields to values that are surely personal."""

PLACES = ("user.contact.address", "user.location")
"""What things have as well as people."""

_ANYWHERE = ("user.authorization", "user.financial", "user.government_id", "user.account.username", "user.unique_id")
"""What is about a person in a table about things too: its secrets, and who made or owns them."""

_LINKAGE = 2.0
"""A key of a person is personal by linkage alone, so it is never surer than this."""


@dataclass(slots=True)
class Seen:
    """How one detector fared on the values of one field."""

    shaped: int = 0  # values that the pattern matched
    valid: int = 0  # of them, values that passed the check
    narrow: int = 0  # of them, values of the distinctive form
    texts: int = 0  # longer texts that hold such a value
    text_shaped: int = 0  # longer texts that hold its form, right or wrong
    uncovered: int = 0  # texts that were not searched for it, because it had been found often enough


@dataclass(frozen=True, slots=True)
class Look:
    """What was counted over all looked-at values of a field, whatever the detector."""

    kind: str = ""
    looked: int = 0
    distinct: int = 0
    profiled: int = 0
    years: tuple[int, int, int] | None = None  # of dates: 10th, 50th and 90th percentile
    counts: int = 0  # of the looked-at values, numbers that could be a count, a rank or a moment


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the table says of its columns."""

    people: float = 0.0  # the table's name: 1 about people, -1 about things
    personal_neighbours: int = 0  # columns that are surely personal
    people_beside: int = 0  # of them, those that no thing has: all but places
    references_people: bool = False
    references_things: bool = False
    key_of_people: bool = False


@dataclass(frozen=True, slots=True)
class Score:
    """One detector's log-odds with its reasons."""

    detector: Detector
    logit: float
    reasons: tuple[Evidence, ...]


def score(
    detector: Detector,
    seen: Seen,
    look: Look,
    name: NameMatch | None,
    around: Surroundings,
    reviewed: tuple[int, int] = (0, 0),
) -> Score | None:
    """Log-odds of one detector on one field, or None when it has nothing to say."""
    looked = look.looked
    if look.kind and look.kind not in detector.types:
        return None
    named = name is not None and name.strength > 0
    linked = detector.detector == "unique_id" and (around.references_people or around.key_of_people)
    if detector.needs_name and not named and not linked:
        return None
    if detector.needs_person and around.people <= 0 and around.personal_neighbours < 2:
        return None
    if not named and not linked and (not looked or not seen.valid):
        return None
    if not named and not linked and look.counts * 2 > looked:
        return None  # numbers as 2 or 1718000000 mean nothing without a name
    if name is not None and name.hint and named and not linked and seen.valid <= 0.1 * looked:
        return None  # a hint speaks only together with values
    if name is not None and named and _elsewhere(detector, name, around):
        return None
    reasons: list[Evidence] = []
    if name is not None:
        reasons.extend(_name_evidence(name, detector.category.startswith("system"), looked > 0))
    if looked:
        reasons.extend(
            _value_evidence(detector, seen, look, name is not None and name.strength >= 0.9 and not name.hint)
        )
        reasons.extend(_spread_evidence(detector, look, name is not None and name.phrase not in {"name", "nom"}))
    reasons.extend(_table_evidence(detector, name, around, linked))
    reasons.extend(_review_evidence(*reviewed))
    logit = _PRIOR + sum(reason.weight for reason in reasons)
    if detector.detector == "unique_id":
        logit = min(logit, _LINKAGE)
    return Score(detector, logit, tuple(reasons))


def _elsewhere(detector: Detector, name: NameMatch, around: Surroundings) -> bool:
    """A place or a by-name category in a table about things, with nobody beside it, is of the thing."""
    placed = detector.category.startswith(PLACES)
    weak = detector.needs_name and detector.weight <= 1 and not detector.category.startswith(_ANYWHERE)
    return around.people <= -1 and around.people_beside == 0 and (placed or weak) and name.strength > 0


def _name_evidence(name: NameMatch, thing: bool, values: bool) -> Sequence[Evidence]:
    if name.strength < 0:
        return [Evidence(f"name:{name.phrase}", "the name is of something about it", -3.5)]
    if name.hint:
        weight = _HINT if values else _HINT / 2
        return [Evidence(f"name:{name.phrase}", "the name hints at it", round(weight * name.strength, 2))]
    detail = "the name says it" if name.strength >= 0.9 else "a part of the name says it"
    weight = _THING if thing else _NAME
    return [Evidence(f"name:{name.phrase}", detail, round(weight * name.strength, 2))]


def _value_evidence(detector: Detector, seen: Seen, look: Look, named: bool) -> Sequence[Evidence]:
    looked = look.looked
    share = seen.valid / looked
    # Where the name says it, values of the right form that fail the check (test data, typing errors) do not deny it.
    numbered = detector.category.startswith(("user.government_id", "user.financial"))
    denied = max(share, 0.5 * seen.shaped / looked) if named and numbered else share
    passed = seen.valid / seen.shaped if seen.shaped else 0.0
    beyond_luck = max(0.0, (passed - detector.chance) / (1 - detector.chance)) if detector.chance < 1 else 0.0
    effective = beyond_luck * seen.shaped / looked
    bits = seen.valid * -math.log(max(detector.chance, 0.002))
    # No dictionary of names or towns holds all: a part says much where the values are many and different.
    rich = detector.spread and look.distinct >= 40
    strength = min(detector.weight, bits) * effective ** (0.35 if rich else 0.5) if effective > 0.04 else 0.0
    if detector.complete and denied < 0.5:
        strength -= 7.0 * (1 - denied * 2) * (looked / (looked + 1))
    elif detector.validator != "anything" and share < 0.1 and detector.weight >= 1.5:
        strength -= 4.0 if detector.closed or seen.shaped * 2 < looked else 1.8
    found = [
        Evidence(f"value:{detector.detector}", f"{seen.valid} of {looked} sampled values", round(strength, 2)),
    ]
    if detector.narrow is not None and seen.narrow:
        narrow = detector.distinctive_weight * math.sqrt(seen.narrow / looked)
        detail = f"{seen.narrow} of {looked} in the distinctive form"
        found.append(Evidence(f"form:{detector.detector}", detail, round(narrow, 2)))
    return found


def _review_evidence(confirmed: int, rejected: int) -> Sequence[Evidence]:
    """What people said of like fields elsewhere: it moves the odds, and does not decide."""
    found: list[Evidence] = []
    if rejected:
        found.append(
            Evidence("review:rejected", f"people rejected it for {rejected} like it", max(-4.5, -1.5 * rejected))
        )
    if confirmed:
        found.append(
            Evidence("review:confirmed", f"people confirmed it for {confirmed} like it", min(2.0, 1.0 * confirmed))
        )
    return found


def _spread_evidence(detector: Detector, look: Look, named: bool) -> Sequence[Evidence]:
    if detector.detector == "date_of_birth" and look.years is not None:
        return _years_evidence(look.years)
    handful = look.looked >= 40 and look.distinct <= 15
    if (
        detector.spread
        and not named
        and (handful or (look.profiled >= 40 and look.distinct * 5 < min(look.profiled, 500)))
    ):
        return [Evidence("distinct", f"only {look.distinct} different values", -2.6 if handful else -1.5)]
    if detector.few and look.looked >= 40 and look.distinct > 40:
        return [Evidence("distinct", f"as many as {look.distinct} different values", -2.5)]
    return []


def _years_evidence(years: tuple[int, int, int]) -> Sequence[Evidence]:
    """Births lie decades apart and mostly decades back; what happens to records lies in a few recent years."""
    early, middle, late = years
    if late - early >= 20 and 1930 <= middle <= 2012:
        return [Evidence("years", f"dates spread over {late - early} years around {middle}", 3.0)]
    if late - early < 10 and middle >= 2000:
        return [Evidence("years", f"dates within {late - early + 1} years around {middle}", -2.4)]
    return []


def _table_evidence(
    detector: Detector, name: NameMatch | None, around: Surroundings, linked: bool
) -> Sequence[Evidence]:
    found: list[Evidence] = []
    if detector.detector in {"unique_id", "pseudonymous_id"}:
        if linked:
            why = "a key to a table about people" if around.references_people else "the key of a table about people"
            found.append(Evidence("key:person", why, 4.2))
        elif around.references_things:
            found.append(Evidence("key:thing", "a key to a table about things", -4.0))
        return found
    if around.references_people or around.references_things:
        found.append(Evidence("key:reference", "a key to another table", -3.0))
    hinted = name is not None and name.hint and name.strength >= 0.9
    if around.people > 0:
        weight = around.people * (1.6 if hinted else 0.6)
        found.append(Evidence("table:people", "the table is about people", round(weight, 2)))
    elif around.people < 0:
        found.append(Evidence("table:things", "the table is about things", -2.4 if hinted else -0.9))
    if around.personal_neighbours:
        weight = min(1.2, 0.4 * around.personal_neighbours) * (1.0 if hinted else 0.6)
        found.append(
            Evidence("neighbours", f"{around.personal_neighbours} personal columns beside it", round(weight, 2))
        )
    return found


def verdicts(scores: Sequence[Score], in_text: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """The categories that win: they compete with each other and with none at all (softmax over log-odds)."""
    best: dict[str, Score] = {}
    for each in scores:
        known = best.get(each.detector.category)
        if known is None or each.logit > known.logit:
            best[each.detector.category] = each
    total = 1.0 + sum(math.exp(min(each.logit, 30)) for each in best.values())
    ranked = sorted(best.items(), key=lambda item: -item[1].logit)
    found = [
        Verdict(category, round(min(0.995, math.exp(min(each.logit, 30)) / total), 3), each.reasons)
        for category, each in ranked
    ]
    personal = sum(verdict.confidence for verdict in found if not verdict.category.startswith("system"))
    whole = [verdict for verdict in found if verdict.confidence >= THRESHOLD]
    if not whole and personal >= THRESHOLD:
        # Surely personal, though two categories share the odds (a street line in a column called address).
        whole = [verdict for verdict in found if verdict.confidence >= _SHARED][:1]
    said = {verdict.category for verdict in whole}
    if not said or said & _HOLDERS:
        whole += [verdict for verdict in in_text if verdict.category not in said]
    whole = [verdict for verdict in whole if not verdict.category.startswith("system")]
    calibrated = [
        verdict
        if verdict.category == "user.unique_id"
        else replace(verdict, confidence=_calibrated(verdict.confidence))
        for verdict in whole
    ]
    return tuple(sorted(calibrated, key=lambda verdict: -verdict.confidence))


@cache
def calibration() -> tuple[float, float]:
    """Slope and intercept in log-odds, as `benchmarks/detection/calibrate.py` fitted them."""
    text = (files("scanners.detection") / "calibration.yaml").read_text(encoding="utf-8")
    fitted = cast("dict[str, float]", yaml.safe_load(text))
    return float(fitted["slope"]), float(fitted["intercept"])


def _calibrated(confidence: float) -> float:
    slope, intercept = calibration()
    odds = math.log(confidence / (1 - confidence))
    return round(min(0.995, 1 / (1 + math.exp(-(slope * odds + intercept)))), 3)


def _beyond_luck(seen: Seen, chance: float) -> float:
    """Confidence that the hits in texts are no look-alikes: how often the check passed, against luck."""
    passed = seen.texts / max(seen.text_shaped, seen.texts)
    lucky = chance ** min(seen.texts, 3)
    if passed < min(0.5, 3 * chance + 0.1):
        return 0.0
    return max(0.0, min(0.97, 0.9 + 0.02 * seen.texts) - lucky)


def texts_verdicts(detectors: Mapping[str, Detector], seen: Mapping[str, Seen], looked: int) -> list[Verdict]:
    """Categories that occur inside longer texts, with the share of the texts that hold them."""
    found: list[Verdict] = []
    for name, each in seen.items():
        detector = detectors[name]
        covered = looked - each.uncovered
        if not each.texts or covered <= 0 or each.texts < detector.least * covered:
            continue
        confidence = round(_beyond_luck(each, max(detector.chance, 0.02)), 3)
        if confidence >= THRESHOLD:
            detail = f"inside {each.texts} of {covered} sampled texts"
            weight = round(math.log(confidence / (1 - confidence)), 2)
            found.append(Verdict(detector.category, confidence, (Evidence(f"text:{name}", detail, weight),)))
    return found
