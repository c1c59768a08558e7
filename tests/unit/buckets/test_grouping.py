"""Grouping objects by their keys."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanners.buckets.grouping import MOST_FOLDERS, Grouping, ObjectRef, template_of, whole_template


def groups_of(keys: list[str], keep: int = 5, most: int = 2000):
    grouping = Grouping(keep, seed=0, most=most)
    for key in keys:
        grouping.add(ObjectRef(key, 1, modified=float(sum(map(ord, key)))))
    return grouping.groups()


@pytest.mark.parametrize(
    "key, template",
    [
        ("logs/access/2026-01-31/web-1.log.gz", "logs/access/{date}/web-{number}.log.gz"),
        ("logs/access/2026/01/31/web-01.log", "logs/access/{date}/web-{number}.log"),
        ("exports/customers-20260131.csv", "exports/customers-{date}.csv"),
        ("exports/customers_2026-01.csv", "exports/customers_{date}.csv"),
        ("b/20260131T102030Z.json", "b/{date}.json"),
        ("a/550e8400-e29b-41d4-a716-446655440000.json", "a/{uuid}.json"),
        ("users/jane.roy@example.ca/photo.png", "users/{email}/photo.png"),
        ("inbox/jane%40example.ca.eml", "inbox/{email}.eml"),
        ("year=2026/month=01/f.csv", "year={number}/month={number}/f.csv"),
        ("user=jane/f.csv", "user={name}/f.csv"),
        ("spark/part-00000-deadbeef01.snappy.parquet", "spark/part-{number}-{hex}.snappy.parquet"),
        ("logs/10.0.0.1/x.log", "logs/{ip}/x.log"),
        ("k/01HZX3K7J9QW8T.json", "k/{id}.json"),
        ("exports/customers.csv", "exports/customers.csv"),
        ("api/v2/notes.txt", "api/v2/notes.txt"),
        ("sauvegarde/rôle-été.csv", "sauvegarde/rôle-été.csv"),
    ],
)
def test_what_varies_becomes_a_placeholder(key: str, template: str):
    assert template_of(key) == template


def test_a_lone_object_keeps_its_own_name():
    assert list(groups_of(["exports/customers.csv", "readme.txt"])) == ["exports/customers.csv", "readme.txt"]


def test_tables_side_by_side_stay_apart():
    keys = [f"exports/{table}.csv" for table in ("customers", "orders", "invoices", "payments")]
    assert list(groups_of(keys)) == sorted(keys)


def test_names_of_people_are_no_names_of_datasets():
    keys = ["users/jane/photo.png", "users/bob/photo.png", "clients/alice.pdf", "clients/robert.pdf"]
    assert list(groups_of(keys)) == ["clients/{name}.pdf", "users/{name}/photo.png"]


def test_many_siblings_that_differ_in_a_word_are_one_group():
    words = ["".join(random.Random(n).choices("bcdfgklmnprst", k=9)) for n in range(3000)]
    groups = groups_of([f"scans/{word}.pdf" for word in words] + [f"shops/{word}/sales.csv" for word in words])
    assert {template: group.count for template, group in groups.items()} == {
        "scans/{name}.pdf": len(words),
        "shops/{name}/sales.csv": len(words),
    }


def test_the_sample_holds_the_oldest_and_the_newest_and_no_empty_object():
    grouping = Grouping(keep=4, seed=7)
    refs = [ObjectRef(f"d/{n}.csv", 0 if n % 10 == 0 else 1, float(n)) for n in range(1000)]
    for ref in refs:
        grouping.add(ref)
    group = grouping.groups()["d/{number}.csv"]
    sample = group.sample()
    assert [sample[0].key, sample[-1].key] == ["d/1.csv", "d/999.csv"]
    assert len(sample) == 4
    assert all(ref.size for ref in sample)
    assert group.count == 1000


WORDS = st.sampled_from(
    [
        "users",
        "logs",
        "exports",
        "alice",
        "bob",
        "x",
        "2026",
        "01",
        "2026-01-31",
        "part-00001",
        "a.csv",
        "b.csv",
        "c.png",
    ]
)
TEXT = st.text(st.characters(exclude_characters="/", exclude_categories=("Cs",)), min_size=1, max_size=12)
KEYS = st.lists(st.lists(WORDS | TEXT, min_size=1, max_size=20).map("/".join), unique=True, max_size=150)


@settings(max_examples=40, deadline=None)
@given(keys=KEYS, order=st.randoms(use_true_random=False))
def test_every_object_is_in_one_group_whatever_the_order(keys: list[str], order: random.Random):
    groups = groups_of(keys)
    assert sum(group.count for group in groups.values()) == len(keys)
    shuffled = list(keys)
    order.shuffle(shuffled)
    again = groups_of(shuffled)
    assert {name: (group.count, group.sample()) for name, group in groups.items()} == {
        name: (group.count, group.sample()) for name, group in again.items()
    }


PIECES = st.sampled_from(
    "2026 19 20 01 31 12 7 - _ . / T @ %40 ca v2 deadbeef {date} = user csv 10.0.0.1 é ٣ ²".split()  # noqa: SIM905
)


@settings(max_examples=150, deadline=None)
@given(key=st.lists(PIECES, max_size=14).map("".join))
def test_what_folders_and_names_have_in_common_is_looked_at_once_and_changes_nothing(key: str):
    assert template_of(key) == whole_template(key)


@settings(max_examples=40, deadline=None)
@given(keys=KEYS)
def test_the_number_of_groups_is_bounded(keys: list[str]):
    most = 10
    groups = groups_of(keys, most=most)
    # With no name left, what remains is at most one group a depth.
    assert len(groups) <= max(most, MOST_FOLDERS + 2)
    assert sum(group.count for group in groups.values()) == len(keys)
