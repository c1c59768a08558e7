"""Every named question of the contract, asked of a real graph."""

import base64
from pathlib import Path

import pytest

from inventory.api.contract import operations
from inventory.errors import QuestionError

DB = "postgres://db.example:5432"
CUSTOMERS = f"{DB}/shop.public.customers"
ORDERS = f"{DB}/shop.public.orders"
MAILABLE = f"{DB}/shop.public.mailable"
BUCKET = "s3://exports"
EXPORT = f"{BUCKET}/customers-{{date}}.csv"


def nodes(connection):
    return [edge["node"] for edge in connection["edges"]]


def test_where_is_names_field_dataset_system_and_reasons(ask):
    places = nodes(ask("WhereIs", category="user.contact.email")["whereIs"])
    assert {place["field"]["urn"] for place in places} == {
        f"{CUSTOMERS}#email",
        f"{MAILABLE}#email",
        f"{EXPORT}#courriel",
    }
    place = next(place for place in places if place["dataset"]["urn"] == CUSTOMERS)
    assert place["system"] == {
        "id": place["system"]["id"],
        "urn": DB,
        "name": "Shop database",
        "kind": "DATABASE",
        "engine": "postgresql",
        "region": "CA-QC",
    }
    assert place["classification"]["confidence"] == pytest.approx(0.93)
    assert place["classification"]["state"] == "SUGGESTED"
    assert place["classification"]["evidence"][0] == {
        "signal": "value:email",
        "detail": "412 of 420 sampled values",
    }


def test_where_is_counts_what_is_below_a_category(ask):
    places = nodes(ask("WhereIs", category="user.contact")["whereIs"])
    assert {place["classification"]["categoryKey"] for place in places} == {"user.contact.email"}
    assert len(places) == 3


def test_where_is_as_of_an_earlier_time(ask):
    assert nodes(ask("WhereIs", category="user.contact.fax_number")["whereIs"]) == []
    then = nodes(ask("WhereIs", category="user.contact.fax_number", asOf="2026-01-15T00:00:00Z")["whereIs"])
    assert [place["field"]["urn"] for place in then] == [f"{CUSTOMERS}#fax"]
    before = nodes(ask("Systems", asOf="2025-12-31T00:00:00Z")["systems"])
    assert before == []


def test_a_category_that_is_no_word_is_not_nowhere(ask):
    for question in ("WhereIs", "ProcessorsOf"):
        with pytest.raises(QuestionError, match="not in the vocabulary"):
            ask(question, category="user.contact.emial")


def test_processors_of_puts_declared_and_observed_side_by_side(ask):
    recipients = {
        r["processor"]["key"]: r
        for r in nodes(ask("ProcessorsOf", category="user.contact.email", first="200")["processorsOf"])
    }
    mailer, storage, stripe = recipients["mailer"], recipients["storage-inc"], recipients["stripe"]
    assert (mailer["declared"], mailer["observed"]) == (False, True)
    assert [d["source"]["urn"] for d in mailer["disclosures"]] == [MAILABLE]
    assert [(d["source"]["__typename"], d["source"]["urn"]) for d in storage["disclosures"]] == [("System", BUCKET)]
    assert (stripe["declared"], stripe["observed"]) == (True, False)
    assert {d["provenance"] for d in stripe["disclosures"]} == {"DECLARED"}
    assert "user.contact.email" in {d["source"]["key"] for d in stripe["disclosures"]}


def test_flows_from_a_category_to_a_processor(ask):
    paths = ask("Flows", **{"from": '{"category": "user.contact.email"}', "to": '{"processor": "mailer"}'})["flows"]
    keys = [[stop["key"] for stop in path["stops"]] for path in paths]
    assert [MAILABLE, "mailer"] in keys
    assert [CUSTOMERS, MAILABLE, "mailer"] in keys
    path = paths[keys.index([CUSTOMERS, MAILABLE, "mailer"])]
    assert [step["kind"] for step in path["steps"]] == ["FLOWS_TO", "DISCLOSED_TO"]
    assert path["steps"][0]["job"]["name"] == "mailable"
    assert path["steps"][0]["transformation"] == "COPIED"


def test_flows_between_places_and_to_a_category(ask):
    start = {"urn": f"{CUSTOMERS}#email"}
    assert ask("Flows", **{"from": start, "to": {"urn": f"{MAILABLE}#email"}})["flows"]
    ends = {p["stops"][-1]["key"] for p in ask("Flows", **{"from": start, "to": {"category": "user.contact"}})["flows"]}
    assert f"{MAILABLE}#email" in ends
    assert ask("Flows", **{"from": {"urn": EXPORT}, "to": {"urn": CUSTOMERS}})["flows"] == []
    assert ask("Flows", **{"from": start})["flows"]


@pytest.mark.parametrize(
    "ends", [{"from": {}}, {"from": {"urn": "a", "category": "b"}}, {"from": {"processor": "mailer"}}]
)
def test_an_end_of_a_flow_is_exactly_one_thing(ask, ends):
    with pytest.raises(QuestionError):
        ask("Flows", **ends)


def test_categories_with_their_parents(ask):
    found = nodes(ask("Categories", foundOnly="true")["categories"])
    assert {category["key"] for category in found} == {"user.contact.email", "user.name"}
    email = next(category for category in found if category["key"] == "user.contact.email")
    assert email["parent"]["key"] == "user.contact"
    assert len(nodes(ask("Categories")["categories"])) > 50


def test_systems_with_safeguards(ask):
    systems = {system["urn"]: system for system in nodes(ask("Systems")["systems"])}
    assert systems.keys() == {DB, BUCKET}
    assert systems[BUCKET]["processor"]["key"] == "storage-inc"
    assert systems[DB]["processor"] is None
    (seen,) = systems[DB]["safeguards"]
    assert (seen["present"], seen["safeguard"]["key"]) == (True, "encryption_in_transit")


def test_datasets_of_one_system_and_of_all(ask):
    datasets = {dataset["urn"]: dataset for dataset in nodes(ask("Datasets", system=DB)["datasets"])}
    assert datasets.keys() == {CUSTOMERS, ORDERS, MAILABLE}
    assert datasets[CUSTOMERS]["rowEstimate"] == 420
    assert datasets[MAILABLE]["job"]["statement"] == "SELECT email FROM customers"
    assert [d["processor"]["key"] for d in datasets[MAILABLE]["disclosures"]] == ["mailer"]
    assert {dataset["urn"] for dataset in nodes(ask("Datasets")["datasets"])} == {*datasets, EXPORT}


def test_who_may_read_the_datasets_of_a_system(ask):
    datasets = {dataset["urn"]: dataset["readableBy"] for dataset in nodes(ask("Readers", system=DB)["datasets"])}
    readers = [(r["name"], r["kind"], r["readable"], r["privilege"], r["via"]) for r in datasets[CUSTOMERS]]
    assert readers == [
        ("clerk", "USER", CUSTOMERS, "SELECT", "staff"),
        ("mailer", "ROLE", f"{CUSTOMERS}#email", "SELECT", ""),
        ("postgres", "USER", DB, "SUPERUSER", ""),
    ]
    assert [r["name"] for r in datasets[ORDERS]] == ["postgres"]


def test_fields_of_a_dataset_and_by_category(ask):
    fields = nodes(ask("Fields", dataset=CUSTOMERS)["fields"])
    assert [field["name"] for field in fields] == ["id", "email", "full_name"]
    assert fields[0]["primaryKey"]
    assert fields[1]["profile"]["meanLength"] == pytest.approx(21.5)
    assert fields[1]["classifications"][0]["category"]["name"] == "E-mail address"
    (foreign_key,) = [f for f in nodes(ask("Fields", dataset=ORDERS)["fields"]) if f["name"] == "customer_id"]
    assert foreign_key["references"][0]["target"]["urn"] == f"{CUSTOMERS}#id"
    by_category = nodes(ask("Fields", category="user.name")["fields"])
    assert [field["urn"] for field in by_category] == [f"{CUSTOMERS}#full_name"]
    assert nodes(ask("Fields", dataset=CUSTOMERS, state="CONFIRMED")["fields"]) == []


def standing_of(answer):
    return {known["processor"]["key"]: known["standing"] for known in nodes(answer["processors"])}


def test_processors_say_whether_they_are_declared_observed_or_both(ask):
    standing = standing_of(ask("Processors", first="200"))
    assert standing["stripe"] == standing["regulators"] == "UNSEEN"
    assert standing["storage-inc"] == standing["mailer"] == "UNDECLARED"
    only = standing_of(ask("Processors", first="200", standing=["UNDECLARED"]))
    assert only == {key: state for key, state in standing.items() if state == "UNDECLARED"}


def test_one_processor_with_all_that_it_receives(ask):
    stripe = ask("Processor", key="stripe")["processor"]
    assert stripe["name"] == "Stripe"
    assert "user.contact.email" in {d["source"].get("key") for d in nodes(stripe["disclosures"])}
    received = {row["category"]["key"]: row for row in stripe["categories"]}
    assert received["user.contact.email"]["declared"]
    assert {purpose["key"] for purpose in received["user.payment"]["purposes"]} >= {
        "essential.service.payment_processing"
    }
    assert ask("Processor", key="nobody")["processor"] is None


def test_what_leaves_a_country(ask):
    leaving = {d["processor"]["key"]: d for d in nodes(ask("Leaving", first="200")["leaving"])}
    assert leaving["google"]["leaving"] == "POSSIBLE", "its head office is in the United States"
    assert leaving["storage-inc"]["leaving"] == "UNKNOWN"
    assert leaving["google"]["processor"]["categories"]
    with pytest.raises(QuestionError, match="ISO 3166"):
        ask("Leaving", country="Canada")
    outside = {
        system["urn"]: system["region"] for system in nodes(ask("SystemsOutside", country="US")["systemsOutside"])
    }
    assert outside["postgres://db.example:5432"].startswith("CA")


def test_node_by_global_id(ask):
    place = nodes(ask("WhereIs", category="user.name")["whereIs"])[0]
    found = ask("Node", id=place["field"]["id"])["node"]
    assert found["__typename"] == "Field"
    assert found["urn"] == f"{CUSTOMERS}#full_name"
    gone = base64.urlsafe_b64encode(b"Field:nothing#here").decode().rstrip("=")
    assert ask("Node", id=gone)["node"] is None
    for no_id in ("", "§", "aGVsbG8", base64.urlsafe_b64encode(b"User:1").decode()):
        with pytest.raises(QuestionError, match="no id"):
            ask("Node", id=no_id)


def test_search_ranks_exact_names_first(ask):
    found = nodes(ask("Search", text="EMAIL")["search"])
    assert [node["__typename"] for node in found[:2]] == ["Field", "Field"]
    assert {node["urn"] for node in found[:2]} == {f"{CUSTOMERS}#email", f"{MAILABLE}#email"}
    only = nodes(ask("Search", text="shop", kinds="DATASET,SYSTEM")["search"])
    assert {node["__typename"] for node in only} == {"Dataset", "System"}
    with pytest.raises(QuestionError, match="1 to 200"):
        ask("Search", text=" ")


def test_scans_and_findings(ask):
    scans = nodes(ask("Scans")["scans"])
    assert scans[0]["urn"] == "scan:run2/shop"
    assert {scan["state"] for scan in scans} <= {"COMPLETED", "PARTIAL"}
    assert [system["urn"] for system in scans[0]["systems"]] == [DB]
    (finding,) = nodes(ask("Findings", about=ORDERS)["findings"])
    assert (finding["code"], finding["severity"], finding["about"]["urn"]) == ("no-permission", "WARNING", ORDERS)


def test_policy_clause_by_clause(ask):
    clauses = {clause["key"]: clause for clause in nodes(ask("Policy", section="2")["clauses"])}
    assert all(clause["section"] == "2" for clause in clauses.values())
    assert "user.government_id" in {node.get("key") for node in clauses["2.4"]["declares"]}
    order = [clause["key"] for clause in nodes(ask("Policy", section="4")["clauses"])]
    assert order == sorted(order, key=lambda key: [int(part) for part in key.split(".")])
    retention = nodes(ask("Policy", kind="retention")["clauses"])
    assert "RetentionRule" in {node["__typename"] for clause in retention for node in clause["declares"]}


def test_overview_holds_the_map(ask):
    overview = ask("Overview")
    assert {system["urn"] for system in nodes(overview["systems"])} == {DB, BUCKET}
    assert len(nodes(overview["findings"])) == 1


def test_pages_join_up_without_gaps_or_repeats(ask):
    whole = [node["key"] for node in nodes(ask("Categories", first="200")["categories"])]
    paged, after = [], None
    while True:
        page = ask("Categories", first="7", **({"after": after} if after else {}))["categories"]
        paged += [node["key"] for node in nodes(page)]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert paged == whole


@pytest.mark.parametrize("first", ["0", "201", "-1"])
def test_a_page_has_a_limit(ask, first):
    with pytest.raises(QuestionError, match="1 to 200"):
        ask("Categories", first=first)


def test_a_cursor_that_is_none(ask):
    with pytest.raises(QuestionError, match="no cursor"):
        ask("Categories", after="%%%")


def test_every_named_question_is_asked_here():
    """So that a new operation does not stay without a test."""
    text = "".join(file.read_text(encoding="utf-8") for file in Path(__file__).parent.glob("test_*.py"))
    assert [name for name in operations() if f'"{name}"' not in text] == []
