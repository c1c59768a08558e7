"""What the detector says of columns whose names tell the truth, lie, or say nothing."""

from __future__ import annotations

import pyarrow as pa
import pytest

from scanners.detection import ColumnDetector
from scanners.detection.interface import ColumnContext, FieldVerdict, TableContext

DETECTOR = ColumnDetector()


def judge(columns: dict[str, list[object] | pa.Array], table: str = "stuff", **context: str) -> dict[str, FieldVerdict]:
    known = tuple(ColumnContext(name, references=context.get(name, "")) for name in columns)
    detection = DETECTOR.table(TableContext(table, known))
    detection.feed(pa.RecordBatch.from_pydict(columns))
    return {verdict.column + verdict.pointer: verdict for verdict in detection.verdicts()}


def category(verdict: FieldVerdict) -> str:
    return verdict.verdicts[0].category if verdict.verdicts else ""


def test_values_speak_where_the_name_says_nothing():
    emails = [f"person{i}@example{i % 7}.org" for i in range(50)]
    assert category(judge({"ref_3": emails})["ref_3"]) == "user.contact.email"


@pytest.mark.parametrize("values", [list(range(50)), [f"{i:08x}-0000-4000-8000-000000000000" for i in range(50)]])
def test_a_name_that_lies_is_not_believed(values: list[object]):
    assert category(judge({"email_template_id": values})["email_template_id"]) == ""


def test_a_key_of_a_person_is_personal_by_linkage():
    verdict = judge({"user_id": list(range(50))}, user_id="public.users.id")["user_id"]
    assert category(verdict) == "user.unique_id"
    assert 0.5 <= verdict.verdicts[0].confidence < 0.95


def test_order_numbers_that_pass_luhn_by_luck_are_no_cards():
    numbers = [str(4_000_000_000_000_000 + i * 7919) for i in range(200)]
    assert category(judge({"order_no": numbers})["order_no"]) == ""


def test_json_is_judged_by_its_pointers():
    documents = [f'{{"customer": {{"email": "a{i}@b.org"}}, "lines": [{{"sku": "x{i}"}}]}}' for i in range(30)]
    found = judge({"payload": documents})
    assert category(found["payload/customer/email"]) == "user.contact.email"
    assert category(found["payload/lines/-/sku"]) == ""


def test_keys_of_an_open_map_are_data():
    documents = [f'{{"a{i}@b.org": {i}}}' for i in range(30)]
    found = judge({"by_email": documents})
    assert not any("@" in place for place in found)


def test_evidence_counts_and_never_quotes():
    found = judge({"courriel": ["zoe.canary@example.org"] * 20})["courriel"]
    text = repr(found)
    assert "20 of 20" in text
    assert "canary" not in text


def test_redact_replaces_values_by_their_kind():
    redacted = DETECTOR.redact("write to zoe@example.org or +1 514 288 1234, card 4111 1111 1111 1111")
    assert redacted == "write to ‹email› or ‹phone›, card ‹card›"


def test_nothing_to_see_has_a_reason():
    assert judge({"empty": [None, None]})["empty"].reason
