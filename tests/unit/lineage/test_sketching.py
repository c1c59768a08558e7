"""Keyed sketches: what is sketched, in which form, and what they tell without the key."""

from __future__ import annotations

import hashlib
import pickle
from contextlib import closing

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.lineage.sketches import SketchStore
from inventory.model import Aspect, Covered, DatasetKind, DatasetSeen, FieldSketched, SystemKind, SystemSeen
from scanners.detection import ColumnDetector
from scanners.detection.interface import ColumnContext, TableContext
from scanners.sketching import K, Sketching, SketchingDetection, one_form

KEY, OTHER = b"k" * 32, b"o" * 32
EMAILS = [f"Person{number}@Mail.example" for number in range(60)]


def sketches(texts, kind="text", key=KEY):
    found = Sketching(key).sketch(pa.array(texts, pa.string()), kind, sampled=len(texts), rows=len(texts))
    return {sketch.form: sketch for sketch in found}


@pytest.mark.parametrize(
    "kind, texts",
    [
        ("email", ["Ada@Example.CA", " ada@example.ca ", "ada@example.ca."]),
        ("phone", ["(514) 555-0123", "+1 514 555 0123", "1-514-555-0123", "514.555.0123"]),
        ("code", ["AB 123-456", "ab123456"]),
        ("ip", ["192.0.2.7", "192.0.2.7/32"]),
        ("number", ["42", "42.0", " 42 "]),
        ("text", ["Łódź", "łódź", "L\u0301o".replace("L\u0301o", "ŁÓDŹ")]),
    ],
)
def test_the_same_value_has_one_form(kind, texts):
    assert len(one_form(pa.array(texts), kind)) == 1


def test_what_agrees_does_so_whatever_kind_it_was_taken_for():
    assert sketches(["ada@example.ca"], "email")[""].values == sketches(["Ada@Example.ca"], "text")[""].values
    assert sketches(["42"], "number")[""].values == sketches(["42"], "text")[""].values


@pytest.mark.parametrize("form, name", [("md5", "md5"), ("sha1", "sha1"), ("", "sha256")])
def test_a_column_of_unkeyed_hashes_meets_the_addresses_it_was_made_of(form, name):
    hashed = [hashlib.new(name, email.lower().encode()).hexdigest() for email in EMAILS]
    assert set(sketches(hashed, "digest")[""].values) == set(sketches(EMAILS, "email")[form].values)


def test_without_the_key_no_guess_matches():
    stolen = set(sketches(EMAILS, "email")[""].values)
    guesses = {email.lower() for email in EMAILS}
    assert not stolen & set(sketches(EMAILS, "email", OTHER)[""].values)
    for digest in (hashlib.sha256, hashlib.md5, hashlib.sha1, hashlib.blake2b):
        halves = [digest(guess.encode()).digest()[:8] for guess in guesses]
        assert not stolen & {int.from_bytes(half, order) for half in halves for order in ("little", "big")}


def test_the_key_shows_nowhere():
    sketching = Sketching(KEY)
    detection = SketchingDetection(ColumnDetector(), sketching)
    assert KEY.decode() not in repr(sketching) + repr(detection) + repr(vars(detection)) + sketching.name
    assert sketching.name != Sketching(OTHER).name


def table(detection, **columns):
    names = tuple(ColumnContext(name, primary_key=name == "id") for name in columns)
    progress = detection.table(TableContext("customers", names))
    progress.feed(pa.record_batch(columns))
    return {(verdict.column, verdict.pointer): verdict.sketches for verdict in progress.verdicts()}


def test_personal_fields_keys_and_digests_are_sketched_and_nothing_else():
    detection = pickle.loads(pickle.dumps(SketchingDetection(ColumnDetector(), Sketching(KEY))))  # as to a worker
    count = len(EMAILS)
    found = table(
        detection,
        id=list(range(count)),
        email=EMAILS,
        profile=[f'{{"contact": {{"email": "{email}"}}, "theme": "dark"}}' for email in EMAILS],
        fingerprint=[hashlib.sha256(email.lower().encode()).hexdigest() for email in EMAILS],
        status=["open", "closed"] * (count // 2),
        ratio=[number / 7 for number in range(count)],
        order_id=[number * 3 for number in range(count)],
    )
    kinds = {place: [(sketch.kind, sketch.form) for sketch in each] for place, each in found.items() if each}
    hashed = [("email", ""), ("email", "md5"), ("email", "sha1")]
    assert kinds == {
        ("id", ""): [("number", "")],
        ("email", ""): hashed,
        ("profile", "/contact/email"): hashed,
        ("fingerprint", ""): [("digest", "")],
        ("order_id", ""): [("number", "")],
    }
    plain = found["email", ""][0].values
    assert plain == found["profile", "/contact/email"][0].values == found["fingerprint", ""][0].values


def test_numbers_are_told_by_the_values_as_files_have_them_as_texts():
    assert sketches(["7", "42"])[""].kind == "number"
    assert sketches(["1234567890123", "1234567890124"], "number")[""].kind == "text"
    assert sketches(["7", "a42"])[""].kind == "text"


def test_a_sketch_is_bounded_and_counts_what_it_leaves_out():
    (sketch,) = sketches([f"value {number}" for number in range(3 * K)]).values()
    assert len(sketch.values) == K
    assert sketch.distinct == sketch.sampled == 3 * K
    assert list(sketch.values) == sorted(sketch.values)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text()), max_size=40), st.sampled_from(["email", "phone", "code", "number"]))
def test_whatever_the_texts_they_are_sketched_once_each(texts, kind):
    forms = one_form(pa.array(texts, pa.string()), kind)
    assert len(set(forms)) == len(forms)
    assert all(forms)
    for sketch in Sketching(KEY).sketch(pa.array(texts, pa.string()), kind, sampled=len(texts), rows=len(texts)):
        assert 0 < sketch.distinct <= len(texts)


# --- the store --------------------------------------------------------------------------------------------------

SYSTEM = "postgres://db.test:5432"
ORDERS, PEOPLE = (f"{SYSTEM}/shop.public.{name}" for name in ("orders", "people"))
SEEN = SystemSeen(SYSTEM, SystemKind.DATABASE, "shop", "postgresql")


def sketched(field, *values):
    return FieldSketched(field, "email", "", values or (1, 2**64 - 1), 2, 2, whole=True, rows=2, key="k")


def listed(*datasets):
    return [SEEN, *(DatasetSeen(urn, SYSTEM, DatasetKind.TABLE, urn.rpartition("/")[2]) for urn in datasets)]


@pytest.fixture
def store(tmp_path):
    with closing(SketchStore(tmp_path / "data")) as opened:
        yield opened


def fields(store):
    return [sketch.field for sketch in store.sketches()]


def test_sketches_are_taken_out_of_what_a_scan_says_and_kept(store, tmp_path):
    said = [*listed(PEOPLE), sketched(f"{PEOPLE}#email"), Covered(PEOPLE, Aspect.CONTENT)]
    assert list(store.taken_from(said)) == [said[0], said[1], said[3]]
    (kept,) = store.sketches()
    assert (kept.field, kept.values.tolist(), kept.whole) == (f"{PEOPLE}#email", [1, 2**64 - 1], True)
    assert (tmp_path / "data" / "sketches.db").stat().st_mode & 0o777 == 0o600


def test_they_stay_while_the_dataset_is_unchanged_and_end_with_their_field_and_dataset(store):
    end = Covered(SYSTEM, Aspect.LISTING)
    first = [sketched(f"{PEOPLE}#email"), sketched(f"{PEOPLE}#gone"), Covered(PEOPLE, Aspect.CONTENT)]
    first += [sketched(f"{ORDERS}#email"), Covered(ORDERS, Aspect.CONTENT)]
    list(store.taken_from([*listed(PEOPLE, ORDERS), *first, end]))
    since = {sketch.field: sketch.first_seen for sketch in store.sketches()}
    assert len(since) == 3
    list(store.taken_from([*listed(PEOPLE, ORDERS), end]))  # unchanged: not read
    assert fields(store) == sorted(since)
    again = [sketched(f"{PEOPLE}#email", 5), Covered(PEOPLE, Aspect.CONTENT)]
    list(store.taken_from([*listed(PEOPLE, ORDERS), *again, end]))
    assert fields(store) == [f"{ORDERS}#email", f"{PEOPLE}#email"]
    assert {sketch.field: sketch.first_seen for sketch in store.sketches()}.items() <= since.items()
    list(store.taken_from([*listed(PEOPLE), end]))
    assert fields(store) == [f"{PEOPLE}#email"]


def test_another_system_whose_name_begins_alike_keeps_its_sketches(store):
    other = f"{SYSTEM}1/shop.public.people"
    list(store.taken_from([sketched(f"{other}#email"), Covered(other, Aspect.CONTENT)]))
    list(store.taken_from([SEEN, Covered(SYSTEM, Aspect.LISTING)]))
    assert fields(store) == [f"{other}#email"]


def test_a_lost_store_has_another_identity(tmp_path):
    identities = set()
    for name in ("one", "two", "one"):
        with closing(SketchStore(tmp_path / name)) as opened:
            identities.add(opened.identity)
    assert len(identities) == 2
