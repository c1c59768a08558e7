"""What a catalogue file must be, and how the graph's texts become times and lists."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.errors import QuestionError
from inventory.graph.catalogue import decode, entries, entry_named, moment, parse_entry

ENTRY = """\
// Things of a kind,
// by name.
// parameters: kind, labels = ["A","B"], as_of, after = "", limit = 10
// columns: key, node, cursor
MATCH (n) WHERE n.kind = $kind AND labels(n)[0] IN $labels AND n.valid_from <= $as_of AND n.key > $after
RETURN n.key AS key, n AS node, n.key AS cursor LIMIT $limit
"""


def test_a_file_is_an_entry():
    entry = parse_entry("things", ENTRY)
    assert entry.answers == "Things of a kind, by name."
    assert entry.defaults == {"labels": ["A", "B"], "after": "", "limit": 10}
    assert entry.parameters == {"kind", "labels", "as_of", "after", "limit"}
    assert entry.columns == ("key", "node", "cursor")
    assert entry.query.startswith("MATCH")


@pytest.mark.parametrize("text", [ENTRY.replace("$kind", "'x'"), ENTRY.replace("kind, ", "")])
def test_a_header_that_does_not_agree_is_refused(text):
    with pytest.raises(QuestionError, match="declares other parameters"):
        parse_entry("things", text)


def test_a_near_name_is_offered():
    with pytest.raises(QuestionError, match="where_is"):
        entry_named("whereis")


@pytest.mark.parametrize("name", sorted(entries()))
def test_every_entry_says_what_it_answers_and_is_bounded(name):
    entry = entries()[name]
    assert entry.answers.endswith(".")
    assert entry.columns
    assert "limit" in entry.parameters or "keys" in entry.parameters or "key" in entry.parameters or name == "counts"


def test_statements_read_and_never_write():
    words = {"CREATE", "MERGE", "SET", "DELETE", "REMOVE", "LOAD"}
    assert not [name for name, entry in entries().items() if words & set(entry.query.split())]


@given(
    st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)),
    st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)),
)
def test_moments_compare_as_the_times_do(one, other):
    here = timezone(timedelta(hours=-4))
    texts = [moment(time.replace(tzinfo=here)) for time in (one, other)]
    assert (texts[0] < texts[1]) == (one < other)
    assert {len(text) for text in texts} == {27}
    assert decode({"valid_from": texts[0]})["valid_from"] == one.replace(tzinfo=here)


def test_a_moment_is_now_when_none_is_given():
    before = datetime.now(UTC)
    assert before <= datetime.fromisoformat(moment("")) <= datetime.now(UTC)
    assert moment("2026-01-01T00:00:00") == moment(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00.000000Z"


def test_what_is_kept_as_text_comes_out_as_what_it_is():
    row = {
        "edge": {"evidence_json": '[{"signal": "x"}]', "by": "2026"},
        "nodes": [{"started_at": moment("2026-01-01")}],
    }
    assert decode(row) == {
        "edge": {"evidence": [{"signal": "x"}], "by": "2026"},
        "nodes": [{"started_at": datetime(2026, 1, 1, tzinfo=UTC)}],
    }
