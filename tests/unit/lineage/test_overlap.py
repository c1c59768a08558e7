"""Copies by their sketches: how much of a field is in another, which are candidates, and what is said of them."""

from __future__ import annotations

import hashlib
import itertools
import random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.lineage.overlap import MOST_SHARING, FieldFacts, Overlap, containment, sharing
from inventory.lineage.sketches import KeptSketch
from inventory.model import (
    DisclosureSeen,
    FieldReferences,
    FlowSeen,
    Provenance,
    Transformation,
    dataset_of,
)
from scanners.sketching import Sketching

SHOP, LAKE, VENDOR = "postgres://shop.test:5432", "s3://lake", "stripe://acct"
KINDS = {SHOP: "database", LAKE: "bucket", VENDOR: "integration"}
SKETCHING = Sketching(b"k" * 32)


class Map:
    """Fields with their sketches and facts."""

    def __init__(self):
        self.kept: list[KeptSketch] = []
        self.facts: dict[str, FieldFacts] = {}

    def add(self, urn, values, category="", kind="text", *, rows=None, whole=True, first_seen=0.0, **facts):
        array = pa.array([str(value) for value in values])
        for s in SKETCHING.sketch(array, kind, sampled=len(array), rows=len(array)):
            hashes = np.array(s.values, dtype=np.uint64)
            self.kept.append(
                KeptSketch(urn, s.kind, s.form, hashes, s.distinct, s.sampled, whole, s.rows, s.key, first_seen)
            )
        dataset = dataset_of(urn)
        system = next(each for each in KINDS if dataset.startswith(each))
        name = urn.partition("#")[2]
        facts.setdefault("dataset_kind", "table")
        self.facts[urn] = FieldFacts(urn, name, dataset, system=system, system_kind=KINDS[system], category=category,
                                     rows=rows, **facts)  # fmt: skip
        return urn

    def emails(self, urn, numbers, **facts):
        return self.add(urn, [f"p{n}@mail.example" for n in numbers], "user.contact.email", "email", **facts)

    def overlap(self, references=()):
        return Overlap(self.kept, self.facts, references)

    def said(self, kind, references=()) -> list[Any]:
        return [each for each in self.overlap(references).observations() if isinstance(each, kind)]

    def flows(self, references=()):
        return {(flow.source, flow.target): flow for flow in self.said(FlowSeen, references)}


@pytest.fixture
def fields():
    return Map()


def kept(values, distinct=None, **more):
    hashes = np.array(sorted(values), dtype=np.uint64)
    count = len(hashes) if distinct is None else distinct
    return KeptSketch("f", "text", "", hashes, count, count, True, count, "k", 0.0, **more)


# --- the estimate -----------------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(st.sets(st.integers(0, 2**64 - 1), max_size=20), st.sets(st.integers(0, 2**64 - 1), max_size=20))
def test_of_whole_sketches_containment_is_exact(part, whole):
    found = containment(kept(part), kept(whole))
    assert found.shared == len(part & whole)
    assert found.estimate == (len(part & whole) / len(part) if part else 0.0)
    assert 0 <= found.low <= found.estimate <= found.high <= 1


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32), st.floats(0.1, 1.0), st.integers(1100, 3000), st.integers(500, 3000))
def test_of_cut_sketches_it_is_within_its_bounds(seed, contained, size, part):
    draw = random.Random(seed)
    whole = [draw.getrandbits(64) for _ in range(size)]
    inside = round(min(part, size) * contained)
    other = [*draw.sample(whole, inside), *(draw.getrandbits(64) for _ in range(part - inside))]
    cut = [kept(sorted(values)[:1024], len(values)) for values in (other, whole)]
    found = containment(cut[0], cut[1])
    true = inside / part
    assert found.low - 0.12 <= true <= found.high + 0.12  # 95 % bounds, with room for the tails


def test_of_a_sample_it_is_raised_by_the_share_that_was_read(fields):
    whole = random.Random(1).sample(range(100_000), 20_000)
    copy = random.Random(2).sample(whole, 1000)
    seen = random.Random(3).sample(whole, 1000)
    first = fields.emails(f"{SHOP}/d.s.people#email", seen, rows=20_000, whole=False)
    second = fields.emails(f"{LAKE}/people.csv#email", copy, rows=20_000, whole=False)
    assert fields.overlap().contained(second, first) == pytest.approx(1.0, abs=0.45)
    assert list(fields.flows()) == [(first, second)]


# --- candidates -------------------------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(st.lists(st.sets(st.integers(0, 30), max_size=12), max_size=MOST_SHARING))
def test_candidates_are_the_pairs_that_share_values(sets):
    found = sharing([kept(values) for values in sets], least=1)
    true = {(a, b): len(sets[a] & sets[b]) for a, b in itertools.combinations(range(len(sets)), 2) if sets[a] & sets[b]}
    assert found == true


def test_a_value_that_very_many_hold_joins_them_to_the_greatest():
    many = [kept({1, 2, 3}) for _ in range(60)]
    found = sharing([*many, kept({1, 2, 3, 4})], least=3)
    assert len(found) < 3 * 61
    assert all((place, 60) in found for place in range(60))


# --- what is said -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("contained", [0.3, 0.5, 0.8, 1.0])
def test_a_copy_flows_from_the_database_to_the_bucket(fields, contained):
    inside = round(400 * contained)
    source = fields.emails(f"{SHOP}/d.s.people#email", range(1000))
    target = fields.emails(f"{LAKE}/people.csv#email", [*range(inside), *range(5000, 5400 - inside)])
    flow = fields.flows()[source, target]
    assert flow.provenance is Provenance.OVERLAP
    assert flow.transformation is Transformation.COPIED
    assert 0.3 < flow.confidence < 1


@pytest.mark.parametrize("digest", ["md5", "sha1", "sha256"])
def test_a_hashed_copy_is_found_and_said_to_be_one(fields, digest):
    source = fields.emails(f"{SHOP}/d.s.people#email", range(300))
    hashed = [hashlib.new(digest, f"p{n}@mail.example".encode()).hexdigest() for n in range(100)]
    target = fields.add(f"{LAKE}/news.csv#mark", hashed, kind="digest")
    assert fields.flows()[source, target].transformation is Transformation.HASHED


CHANCE = [
    ("countries", "user.contact.address.country", "text", lambda n: f"country {n % 195}"),
    ("switches", "user.privacy_preferences", "text", lambda n: str(n % 2 == 0)),
    ("years", "user.demographic.date_of_birth", "number", lambda n: 1940 + n % 70),
    ("small numbers", "user.financial", "number", lambda n: n % 500),
    ("keys that count from one", "user.unique_id", "number", lambda n: n + 1),
    ("given names", "user.name.first", "text", lambda n: f"name {n % 400}"),
    ("a few addresses of a test", "user.contact.email", "email", lambda n: f"test{n % 9}@mail.example"),
]


@pytest.mark.parametrize("category, kind, value", [case[1:] for case in CHANCE], ids=[case[0] for case in CHANCE])
def test_what_is_shared_by_chance_is_no_copy(fields, category, kind, value):
    for dataset in (f"{SHOP}/d.s.people", f"{LAKE}/things.csv"):
        fields.add(f"{dataset}#x", [value(n) for n in range(900)], category, kind)
    assert fields.flows() == {}


def test_what_is_shared_by_chance_is_a_copy_beside_one(fields):
    cities = [f"city {n % 40}" for n in range(400)]
    for dataset in (f"{SHOP}/d.s.people", f"{LAKE}/people.csv", f"{LAKE}/things.csv"):
        fields.add(f"{dataset}#city", cities, "user.contact.address.city")
    fields.emails(f"{SHOP}/d.s.people#email", range(400))
    fields.emails(f"{LAKE}/people.csv#email", range(400))
    assert (f"{SHOP}/d.s.people#city", f"{LAKE}/people.csv#city") in fields.flows()
    assert not [target for _, target in fields.flows() if "things" in target]


def test_of_several_copies_each_has_one_source(fields):
    source = fields.emails(f"{SHOP}/d.s.people#email", range(500))
    targets = [fields.emails(f"{LAKE}/export-{n}.csv#email", range(400)) for n in range(3)]
    assert set(fields.flows()) == {(source, target) for target in targets}


def test_a_union_has_a_source_for_each_part(fields):
    first = fields.emails(f"{SHOP}/d.s.buyers#email", range(300))
    second = fields.emails(f"{SHOP}/d.s.readers#email", range(1000, 1300))
    target = fields.emails(f"{LAKE}/all.csv#email", [*range(300), *range(1000, 1300)])
    assert set(fields.flows()) == {(first, target), (second, target)}


def test_without_a_direction_it_is_said_with_less_confidence(fields):
    known = fields.emails(f"{LAKE}/a.csv#email", range(300))
    fields.emails(f"{LAKE}/b.csv#email", range(300))
    (undirected,) = fields.flows().values()
    assert undirected.source == known
    assert undirected.confidence < 0.5


def test_the_later_of_two_is_the_copy(fields):
    later = fields.emails(f"{LAKE}/a.csv#email", range(300), first_seen=1e9)
    earlier = fields.emails(f"{LAKE}/b.csv#email", range(300), first_seen=1e6)
    assert list(fields.flows()) == [(earlier, later)]


def test_a_reference_is_no_copy(fields):
    ids = [f"{n:032x}-" for n in range(300)]
    key = fields.add(f"{SHOP}/d.s.people#person_id", ids, "user.unique_id", primary_key=True)
    other = fields.add(f"{SHOP}/d.s.orders#person_id", ids[:200] * 2, "user.unique_id")
    assert fields.flows() == {}
    (said,) = fields.said(FieldReferences)
    assert (said.source, said.target, said.provenance) == (other, key, Provenance.OVERLAP)
    assert fields.said(FieldReferences, [(other, key)]) == []


def test_a_key_of_another_name_is_not_referred_to(fields):
    for name in ("people", "orders"):
        fields.add(f"{SHOP}/d.s.{name}#id", range(1, 300), kind="number", primary_key=True)
    fields.add(f"{SHOP}/d.s.tickets#rank", range(1, 200), kind="number")
    assert fields.said(FieldReferences) == []
    assert fields.overlap().contained(f"{SHOP}/d.s.tickets#rank", f"{SHOP}/d.s.people#id") == 1.0
    assert fields.overlap().contained(f"{SHOP}/d.s.tickets#none", f"{SHOP}/d.s.people#id") is None


def test_what_is_at_a_vendor_is_disclosed_by_the_field_inside(fields):
    inside = fields.emails(f"{SHOP}/d.s.people#email", range(500))
    fields.emails(f"{VENDOR}/customers#email", range(300), processors=("stripe",))
    (said,) = fields.said(DisclosureSeen)
    assert (said.source, said.processor, said.provenance) == (inside, "stripe", Provenance.OVERLAP)
    assert "@" not in said.evidence


def test_sketches_of_different_keys_are_not_compared(fields):
    fields.emails(f"{SHOP}/d.s.people#email", range(300))
    source = fields.kept[0]
    values = (source.values, source.distinct, source.sampled, True, source.rows, "other key", 0.0)
    fields.emails(f"{LAKE}/people.csv#email", range(300))
    fields.kept[-3:] = [KeptSketch(f"{LAKE}/people.csv#email", "email", "", *values)]
    assert fields.flows() == {}
