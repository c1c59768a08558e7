"""What the shape of the flows tells, against small maps that can be counted by hand and against brute force."""

from __future__ import annotations

import asyncio
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.analysis import Place, Step, Subgraph, explored
from inventory.errors import QuestionError
from inventory.model import Provenance, Transformation


def step(source, target, *, id_="", confidence=1.0):
    name = id_ or f"{source}>{target}"
    return Step(name, source, target, "FLOWS_TO", Provenance.SQL, confidence, Transformation.COPIED, "", "", False)


def subgraph(*steps):
    keys = sorted({key for each in steps for key in (each.source, each.target)})
    return Subgraph([Place("Field", key, key) for key in keys], steps)


def ways(reached):
    return {each.place.key: [reached_step.source for reached_step in each.way] for each in reached}


DIAMOND = subgraph(step("a", "b"), step("a", "c", confidence=0.5), step("b", "d"), step("c", "d"), step("d", "e"))


def test_what_is_reached_is_told_nearest_first_with_the_surest_way():
    reached = DIAMOND.reached(["a"], "downstream")
    assert [(each.place.key, each.distance, each.confidence) for each in reached] == [
        ("b", 1, 1.0),
        ("c", 1, 0.5),
        ("d", 2, 1.0),
        ("e", 3, 1.0),
    ]
    assert ways(reached)["e"] == ["a", "b", "d"]


def test_upstream_ways_run_with_the_data():
    reached = DIAMOND.reached(["e"], "upstream")
    assert ways(reached)["a"] == ["a", "b", "d"]
    assert [each.place.key for each in reached] == ["d", "b", "c", "a"]


def test_of_two_steps_between_the_same_places_the_surer_is_told():
    graph = subgraph(step("a", "b", id_="guess", confidence=0.3), step("a", "b", id_="sure", confidence=0.9))
    assert graph.reached(["a"], "downstream")[0].way[0].id == "sure"
    assert len(list(graph.steps())) == 2


def test_what_is_lost_has_no_other_source():
    assert DIAMOND.lost_without(["b"], ["a", "b"]) == set()
    assert DIAMOND.lost_without(["d"], ["a", "d"]) == {"e"}
    assert DIAMOND.lost_without(["a"], ["a"]) == {"b", "c", "d", "e"}


def test_choke_points_are_what_all_ways_pass():
    assert [(place.key, ends) for place, ends in DIAMOND.choke_points(["a"], ["e"])] == [("d", 1)]
    assert DIAMOND.choke_points(["a"], ["d"]) == []


def test_a_cut_is_the_fewest_flows():
    assert [[s.id for s in steps] for steps in DIAMOND.cut(["a"], ["e"])] == [["d>e"]]
    assert len(DIAMOND.cut(["a"], ["d"])) == 2
    assert DIAMOND.cut(["e"], ["a"]) == []


def test_a_flow_that_carries_many_fields_is_stopped_once():
    fields = [step(f"t#{n}", f"out#{n}", id_="export") for n in range(5)]
    graph = subgraph(*fields, *(step(f"out#{n}", "vendor", id_=f"sync{n}") for n in range(5)))
    (stopped,) = graph.cut([f"t#{n}" for n in range(5)], ["vendor"])
    assert {each.id for each in stopped} == {"export"}
    assert len(stopped) == 5


def test_two_jobs_between_the_same_places_are_both_stopped():
    graph = subgraph(step("a", "b", id_="one"), step("a", "b", id_="two"))
    assert len(graph.cut(["a"], ["b"])) == 2


def test_no_cut_parts_a_place_from_itself():
    with pytest.raises(QuestionError, match="both sides"):
        DIAMOND.cut(["a", "d"], ["d"])


def test_cycles_are_told_by_one_of_their_shortest_ways():
    graph = subgraph(*(step(*pair) for pair in ["ab", "bc", "ca", "ac", "xx", "yz"]))
    assert graph.cycles(10) == [("x", "x"), ("a", "c", "a")]
    assert DIAMOND.cycles(10) == []


def test_it_is_explored_a_level_a_query_and_as_deep_as_asked():
    asked = []

    async def ask(entry, keys, as_of):
        asked.append(keys)
        edge = {"id": "r", "provenance": "sql", "confidence": 0.9}
        return [
            {
                "key": key,
                "target": f"{key}x",
                "label": "Field",
                "name": "",
                "edge": edge,
                "type": "FLOWS_TO",
                "coarse": 0,
            }
            for key in keys
        ]

    found = asyncio.run(explored(ask, [Place("Field", "a", "a"), Place("Field", "b", "b")], "now", "downstream", 3))
    assert asked == [["a", "b"], ["ax", "bx"], ["axx", "bxx"]]
    assert found.truncated
    assert len(found.places) == 8


@st.composite
def maps(draw):
    names = "abcdef"
    pairs = draw(st.lists(st.tuples(st.sampled_from(names), st.sampled_from(names)), min_size=1, max_size=10))
    return [step(*pair, id_=str(number)) for number, pair in enumerate(pairs) if pair[0] != pair[1]]


def leads(steps, start, end):
    found, waiting = {start}, [start]
    while waiting:
        here = waiting.pop()
        for each in steps:
            if each.source == here and each.target not in found:
                found.add(each.target)
                waiting.append(each.target)
    return end in found


@settings(max_examples=70, deadline=None)
@given(maps())
def test_the_cut_parts_and_no_smaller_one_does(steps):
    graph = Subgraph([Place("Field", key, key) for key in "abcdef"], steps)
    stopped = {s.id for each in graph.cut(["a"], ["f"]) for s in each}
    assert not leads([s for s in steps if s.id not in stopped], "a", "f")
    for fewer in combinations([s.id for s in steps], max(len(stopped) - 1, 0)):
        if stopped:
            assert leads([s for s in steps if s.id not in fewer], "a", "f")


@settings(max_examples=70, deadline=None)
@given(maps(), st.sampled_from("bcde"))
def test_a_choke_point_is_what_the_end_is_lost_without(steps, place):
    graph = Subgraph([Place("Field", key, key) for key in "abcdef"], steps)
    if leads(steps, "a", "f"):
        points = {found.key for found, _ in graph.choke_points(["a"], ["f"])}
        assert (place in points) == ("f" in graph.lost_without([place], ["a"]))
