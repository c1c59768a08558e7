"""Categories along flows."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.lineage.propagation import LEAST, FieldFlow, Known, conflicts, propagated
from inventory.model import Transformation

T = Transformation
EMAIL, PHONE, CONTACT = "user.contact.email", "user.contact.phone_number", "user.contact"


def field(name):
    return f"postgres://db/shop.public.{name}"


A, B, C, D = (field(f"t{n}#c") for n in range(4))


def flow(source, target, transformation=T.COPIED, confidence=1.0):
    return FieldFlow(source, target, transformation, confidence)


def derived(known, flows):
    return propagated(known, flows).derived


def said(known, flows):
    return {(each.field, each.category): each.confidence for each in derived(known, flows)}


def found(known, flows):
    return list(conflicts(propagated(known, flows).contradicted, known))


def test_a_copy_holds_what_its_source_holds():
    (only,) = derived([Known(A, EMAIL, 0.9)], [flow(A, B)])
    assert (only.field, only.category, only.confidence, only.origin, only.steps) == (B, EMAIL, 0.9, A, 1)
    (reason,) = only.classified().evidence
    assert reason.detail == f"its data comes from {A} in 1 step"


def test_it_weakens_with_what_is_done_to_the_data():
    flows = [flow(A, B, T.HASHED), flow(A, C, T.MASKED), flow(A, D, T.AGGREGATED)]
    assert said([Known(A, EMAIL, 1.0)], flows) == {(B, EMAIL): 0.9, (C, EMAIL): 0.6}


def test_it_goes_on_from_field_to_field_by_the_surest_way():
    flows = [flow(A, B, T.TRANSFORMED), flow(B, D), flow(A, C), flow(C, D, confidence=0.7)]
    of = {each.field: each for each in derived([Known(A, EMAIL, 1.0)], flows)}
    assert (of[D].confidence, of[D].steps, of[D].origin) == (0.8, 2, A)
    assert "transformed on the way" in of[D].classified().evidence[0].detail


def test_what_is_known_of_the_field_itself_stands():
    flows = [flow(A, B), flow(B, C)]
    for own in (EMAIL, CONTACT):
        known = [Known(A, EMAIL, 0.9), Known(B, own, 0.6)]
        assert said(known, flows).keys() == {(C, own)}, "from there on its own category flows"
        assert found(known, flows) == []


def test_a_weak_guess_at_something_else_does_not_stand_in_the_way():
    assert said([Known(A, EMAIL, 0.9), Known(B, PHONE, 0.4)], [flow(A, B)]).keys() == {(B, EMAIL)}


def test_of_a_source_with_several_kinds_what_the_values_say_stands():
    known = [Known(A, EMAIL, 0.9), Known(A, PHONE, 0.9), Known(B, PHONE, 0.95)]
    assert said(known, [flow(A, B)]) == {}
    assert found(known, [flow(A, B)]) == []


def test_what_a_person_rejected_is_not_said_again():
    known = [Known(A, EMAIL, 0.9), Known(B, EMAIL, 0.9, held=False)]
    assert derived(known, [flow(A, B), flow(B, C)]) == ()


def test_what_is_about_nobody_does_not_flow():
    assert derived([Known(A, "system", 0.9)], [flow(A, B)]) == ()


def test_a_sure_contradiction_is_a_finding():
    known = [Known(A, EMAIL, 0.95), Known(B, PHONE, 0.95)]
    (finding,) = found(known, [flow(A, B)])
    assert finding.code == "category-conflict"
    assert EMAIL in finding.message
    assert PHONE in finding.message
    assert found(known, [flow(A, B, T.HASHED)]) == []
    unsure = [Known(A, EMAIL, 0.95), Known(B, PHONE, 0.5)]
    assert found(unsure, [flow(A, B)]) == []


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef"), st.sampled_from(list(T))), max_size=15),
    st.dictionaries(st.sampled_from("abcdef"), st.floats(0.3, 1.0), max_size=3),
)
def test_circles_end_and_nothing_gets_surer(pairs, known):
    observed = [Known(field(f"t#{key}"), EMAIL, sure) for key, sure in known.items()]
    flows = [flow(field(f"t#{one}"), field(f"t#{other}"), change) for one, other, change in pairs]
    for each in derived(observed, flows):
        assert LEAST <= each.confidence <= max(known.values())
        assert each.field not in {known.field for known in observed if known.confidence >= 0.5}
