"""How near a scan of the estate came to the truth: precision and recall."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from inventory.model import FieldClassified, FlowSeen, Transformation, dataset_of, dataset_urn
from seed.estate.names import DATABASE, DATABASE_NAMESPACE
from seed.estate.truth import TrueFlow, Truth

DEFAULT_THRESHOLD = 0.5

_SHOWN = (Transformation.COPIED, Transformation.HASHED)
_VIEWS = frozenset(
    dataset_urn(DATABASE_NAMESPACE, f"{DATABASE}.{name}")
    for name in (
        *("accounts.customer_directory", "billing.revenue_by_province", "marketing.audience", "support.open_tickets"),
        *("identity.verified_people", "audit.sign_ins", "telemetry.daily_activity"),
    )
)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many were found rightly, claimed wrongly, and missed."""

    found: int = 0
    wrong: int = 0
    missed: int = 0

    @property
    def precision(self) -> float:
        """The share of claims that are right, 0..1; 1 when nothing was claimed."""
        return self.found / (self.found + self.wrong) if self.found + self.wrong else 1.0

    @property
    def recall(self) -> float:
        """The share of the truth that was found, 0..1; 1 when there is nothing to find."""
        return self.found / (self.found + self.missed) if self.found + self.missed else 1.0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.found + other.found, self.wrong + other.wrong, self.missed + other.missed)

    def __str__(self) -> str:
        return (
            f"precision {self.precision:.3f}, recall {self.recall:.3f}"
            f" ({self.found} found, {self.wrong} wrong, {self.missed} missed)"
        )


@dataclass(frozen=True, slots=True)
class Score:
    """`categories` counts (field, category) pairs; `personal` counts fields, personal or not."""

    categories: Tally
    personal: Tally
    by_category: Mapping[str, Tally]
    mistakes: tuple[str, ...] = field(repr=False)  # "wrong | field | category", "missed | …", "unknown | …"; sorted


def score(observed: Iterable[FieldClassified], truth: Truth, threshold: float = DEFAULT_THRESHOLD) -> Score:
    """Compare what a scan says with confidence `threshold` or more with the truth.

    Of categories that are equally right, one must be found. A broader category than the right one is neither found
    nor wrong. A category where silence is right too counts neither way. A field that the estate does not have is
    "unknown", and wrong.
    """
    claims: dict[str, set[str]] = defaultdict(set)
    for claim in observed:
        if claim.confidence >= threshold:
            claims[claim.field].add(claim.category)
    tallies: dict[str, Tally] = defaultdict(Tally)
    personal, mistakes = Tally(), list[str]()
    for name in sorted(truth.fields.keys() | claims.keys()):
        expected, claimed = truth.expected(name), claims.get(name, set[str]())
        if expected is None:
            mistakes += [f"unknown | {name} | {category}" for category in sorted(claimed)]
            for category in claimed:
                tallies[category] += Tally(wrong=1)
            personal += Tally(wrong=1)
            continue
        for alternatives in expected.required:
            right = next((category for category in alternatives if category in claimed), None)
            tallies[right or alternatives[0]] += Tally(found=1) if right else Tally(missed=1)
            if right is None:
                mistakes.append(f"missed | {name} | {' or '.join(alternatives)}")
        for category in sorted(claimed):
            if not expected.allows(category):
                tallies[category] += Tally(wrong=1)
                mistakes.append(f"wrong | {name} | {category}")
        if expected.required:
            personal += Tally(found=1) if claimed else Tally(missed=1)
        elif claimed and not expected.allowed:
            personal += Tally(wrong=1)
    return Score(sum(tallies.values(), Tally()), personal, dict(sorted(tallies.items())), tuple(sorted(mistakes)))


def score_flows(observed: Iterable[FlowSeen], truth: Truth) -> tuple[Tally, tuple[str, ...]]:
    """Compare flows between fields (those between datasets are left out); a place inside a field counts as the field.

    Gives the tally and the mistakes. What the flow does to the data is not judged here: see `TrueFlow.transformation`.
    """
    claims = {(flow.source, flow.target) for flow in observed if "#" in flow.source and "#" in flow.target}
    matched = {claim: [flow for flow in truth.flows if _is_of(claim, flow)] for claim in claims}
    found = {flow for flows in matched.values() for flow in flows}
    wrong = [claim for claim, flows in matched.items() if not flows]
    missed = [flow for flow in truth.flows if flow.required and flow not in found]
    mistakes = [f"wrong | {source} | {target}" for source, target in wrong]
    mistakes += [f"missed | {flow.source} | {flow.target}" for flow in missed]
    tally = Tally(sum(flow.required for flow in found), len(wrong), len(missed))
    return tally, tuple(sorted(mistakes))


def score_overlap(claims: set[tuple[str, str]], true: Truth) -> tuple[Tally, tuple[str, ...]]:
    """Claims of copies against all that the truth implies, and the truth that values alone can show against the claims.

    A claim is right when data of its source is in its target by the truth, directly or by way of other fields. Of the
    truth counts what is copied or hashed of personal fields, but into views, whose SQL tells.
    """
    flows = (*true.flows, *true.copies)
    above: defaultdict[str, set[str]] = defaultdict(set)
    for flow in flows:
        above[flow.target].add(flow.source)
    ancestors = {target: _all_above(target, above) for _, target in claims}
    wrong = [(s, t) for s, t in claims if not any(_is_at(s, up) for up in _above_of(t, above, ancestors))]
    wanted = [flow for flow in flows if flow.required and _is_shown(flow, true)]
    missed = [flow for flow in wanted if not any(_is_at(t, flow.target) and (s, t) not in wrong for s, t in claims)]
    mistakes = [f"wrong | {s} | {t}" for s, t in wrong]
    mistakes += [f"missed | {flow.source} | {flow.target}" for flow in missed]
    return Tally(len(claims) - len(wrong), len(wrong), len(missed)), tuple(sorted(mistakes))


def _above_of(target: str, above: dict[str, set[str]], ancestors: dict[str, set[str]]) -> set[str]:
    """Also of what contains the target, and then what is at the same place there."""
    found = set(ancestors[target])
    for holder, sources in above.items():
        if target.startswith(f"{holder}/"):
            rest = target.removeprefix(holder)
            for source in sources:
                found |= {source + rest, source, *_all_above(source + rest, above)}
    return found


def _all_above(target: str, above: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [target]
    while waiting:
        for source in above.get(waiting.pop(), set()):
            if source not in found:
                found.add(source)
                waiting.append(source)
    return found


def _is_at(claimed: str, true: str) -> bool:
    return claimed == true or claimed.startswith(f"{true}/")


def _is_shown(flow: TrueFlow, true: Truth) -> bool:
    """Whether it is personal at its source, and not into a view."""
    expected = true.expected(flow.source)
    into_view = dataset_of(flow.target) in _VIEWS
    return flow.transformation in _SHOWN and expected is not None and bool(expected.required) and not into_view


def score_recipients(observed: Iterable[tuple[str, str]], truth: Truth) -> tuple[Tally, tuple[str, ...]]:
    """Compare pairs of an organisation's key and the source that showed it; gives the tally and the mistakes."""
    claims = set(observed)
    wrong, missed = claims - truth.recipients, truth.recipients - claims
    mistakes = [f"wrong | {key} | {source}" for key, source in wrong]
    mistakes += [f"missed | {key} | {source}" for key, source in missed]
    return Tally(len(claims & truth.recipients), len(wrong), len(missed)), tuple(sorted(mistakes))


def _is_of(claim: tuple[str, str], flow: TrueFlow) -> bool:
    ends = zip(claim, (flow.source, flow.target), strict=True)
    return all(said == true or said.startswith(f"{true}/") for said, true in ends)
