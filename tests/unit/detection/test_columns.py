"""What the detector says of columns whose names tell the truth, lie, or say nothing."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pytest

from scanners.detection import ColumnDetector, Review
from scanners.detection.interface import ColumnContext, FieldVerdict, TableContext

DETECTOR = ColumnDetector()


def judge(columns: Mapping[str, Any], table: str = "stuff", **context: str) -> dict[str, FieldVerdict]:
    known = tuple(ColumnContext(name, references=context.get(name, "")) for name in columns)
    detection = DETECTOR.table(TableContext(table, known))
    detection.feed(pa.RecordBatch.from_pydict(dict(columns)))
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


@pytest.mark.parametrize(
    "address",
    ["https://public@o0.ingest.sentry.io/0", "git+ssh://git@github.com/org/shop", "//cdn@files.example.org/x"],
)
def test_the_user_of_a_url_is_no_email_and_is_redacted(address: str):
    found = judge({"c9": [address] * 20, "remark": [f"it is sent there, to {address} each night"] * 20})
    for field in found.values():
        assert "user.contact.email" not in {verdict.category for verdict in field.verdicts}
    before, _, after = address.partition("//")
    host = after.partition("@")[2]
    assert DETECTOR.redact(f"sent to {address}") == f"sent to {before}//‹user›@{host}"


def test_emails_and_secrets_in_urls_are_found():
    assert DETECTOR.redact("by mailto://zoe@b.ca") == "by ‹email›"
    assert DETECTOR.redact("redis://:hunter2@cache.internal.net") == "‹basic_auth_url›"
    assert DETECTOR.redact("smtp://zoe%40b.ca:hunter2@smtp.b.ca:587") == "‹basic_auth_url›"
    texts = ["https://shop.example.org/?mail=zoe@example.org"] * 20
    assert "user.contact.email" in {verdict.category for verdict in judge({"c9": texts})["c9"].verdicts}
    handles = judge({"c9": ["https://medium.com/@user.name"] * 20})["c9"]
    assert "user.contact.email" not in {verdict.category for verdict in handles.verdicts}


def test_nothing_to_see_has_a_reason():
    assert judge({"empty": [None, None]})["empty"].reason


def test_what_people_rejected_lowers_the_confidence_of_the_like_and_is_evidence():
    values = {"reference": [f"{2000 + i % 9}-{200 + i:03}-{4000 + i}" for i in range(60)]}
    names = pa.RecordBatch.from_pydict({"contact": ["Anna Martin", "Luc Roy", "Eve Cote", "Jane Smith"] * 15, **values})

    def confidence(*reviews: Review) -> tuple[float, str]:
        detection = ColumnDetector(reviews=reviews).table(TableContext("t", ()))
        detection.feed(names)
        found = {v.category: v for v in detection.verdicts()[0].verdicts}
        verdict = found.get("user.name")
        return (verdict.confidence, repr(verdict.evidence)) if verdict else (0.0, "")

    plain, _ = confidence()
    lowered, evidence = confidence(Review("Contact", "text", "user.name", confirmed=False))
    assert lowered < plain
    assert "review:rejected" in evidence or lowered == 0.0
    raised, evidence = confidence(Review("contact", "text", "user.name", confirmed=True))
    assert raised > plain
    assert "review:confirmed" in evidence


def test_values_are_found_under_one_layer_of_encoding():
    mails = [f"zoe{i}@example.org" for i in range(40)]
    found = judge(
        {
            "b64": [base64.b64encode(f"mail {mail} ok".encode()).decode() for mail in mails],
            "query": [f"/signup?mail=zoe%2B{i}%40example.org" for i in range(40)],
        }
    )
    assert category(found["b64"]) == "user.contact.email"
    assert "user.contact.email" in {v.category for v in found["query"].verdicts}


def test_key_value_blobs_are_judged_by_key():
    found = judge({"extra": [f"mail=z{i}@b.org;dob=19{i + 20}-02-03;n={i}" for i in range(40)]})
    assert category(found["extra/mail"]) == "user.contact.email"
    assert category(found["extra/dob"]) == "user.demographic.date_of_birth"
    assert category(found["extra/n"]) == ""


@pytest.mark.parametrize(
    "text, kind",
    [
        ("please call Mrs. Anna Martin about it", "user.name"),
        ("livrer au 1234, rue Saint-Denis avant midi", "user.contact.address"),
        ("she moved to 77 Maple Grove Avenue last May", "user.contact.address"),
        ("reset done for zoe@example.org by support", "user.contact.email"),
        ("mon NAS est le 130 692 544 merci", "user.government_id.national_identification_number.sin"),
    ],
)
def test_free_text_tells_what_occurs_in_it(text: str, kind: str):
    texts = ["nothing to see in this sentence at all", text] * 20
    found = judge({"c9": texts})["c9"]
    assert kind in {verdict.category for verdict in found.verdicts}
    assert "20 of 40" in repr(found.verdicts)


def test_records_are_told_by_their_columns_together():
    def kinds(table: str, *columns: str) -> list[str]:
        detection = DETECTOR.table(TableContext(table, tuple(ColumnContext(name) for name in columns)))
        return [verdict.category for verdict in detection.records()]

    assert kinds("audit_events", "actor_id", "action", "target_id", "occurred_at")[0] == "user.telemetry.audit_log"
    assert kinds("requests", "client_ip", "path", "status", "received_at")[0] == "user.telemetry.access_log"
    assert kinds("api_usage", "api_key_id", "endpoint", "call_count", "date")[0] == "user.telemetry.api_usage"
    assert kinds("products", "id", "name", "price", "created_at") == []


def test_a_short_name_is_read_after_its_table_or_object():
    documents = [f'{{"user": {{"id": {i}}}, "plan": {{"id": {i % 3}}}}}' for i in range(60)]
    found = judge({"payload": documents})
    assert category(found["payload/user/id"]) == "user.unique_id"
    assert category(found["payload/plan/id"]) == ""
    granted = {"granted": [True, False] * 20, "status": ["a", "b"] * 20}
    assert category(judge(granted, table="consents")["granted"]) == "user.privacy_preferences"


def test_names_of_people_as_keys_do_not_become_names_of_fields():
    documents = [f'{{"Zoe Tremblay": {i}, "Luc Martin": {i}}}' for i in range(20)]
    assert not any("Tremblay" in place for place in judge({"scores": documents}))


def test_keys_of_an_open_map_are_judged_as_data():
    found = judge({"shared_with": [f'{{"zoe{i}@example.org": "read"}}' for i in range(40)]})["shared_with"]
    assert category(found) == "user.contact.email"
    assert found.type == "object"


def test_a_network_and_a_version_are_no_address():
    assert category(judge({"ip": [f"1.{i % 9}.0.{i % 30}" for i in range(60)]})["ip"]) == ""
    assert category(judge({"pool": [f"198.51.{i}.0/25" for i in range(60)]})["pool"]) == ""
