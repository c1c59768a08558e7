"""Questions about the shape of the flows, by the service, on both engines."""

from __future__ import annotations

import pytest

from inventory.errors import QuestionError

DB = "postgres://db.example:5432"
CUSTOMERS, MAILABLE = f"{DB}/shop.public.customers", f"{DB}/shop.public.mailable"
EXPORT = "s3://exports/customers-{date}.csv"
EMAIL = f"{CUSTOMERS}#email"


def keys(reach):
    return [place["stop"]["key"] for place in reach["places"]]


def test_downstream_tells_each_place_with_the_way(ask):
    reach = ask("Downstream", of={"urn": EMAIL})["downstream"]
    assert keys(reach)[0] == f"{MAILABLE}#email"
    assert {"mailer", EXPORT, "storage-inc"} <= set(keys(reach))
    assert not reach["truncated"]
    vendor = next(place for place in reach["places"] if place["stop"]["key"] == "storage-inc")
    assert [stop["key"] for stop in vendor["way"]["stops"]] == [EMAIL, f"{MAILABLE}#email", EXPORT, "storage-inc"]
    assert [each["kind"] for each in vendor["way"]["steps"]] == ["FLOWS_TO", "FLOWS_TO", "DISCLOSED_TO"]


def test_a_field_does_not_go_where_only_its_neighbours_go(ask):
    reach = ask("Downstream", of={"urn": f"{CUSTOMERS}#full_name"})["downstream"]
    assert keys(reach) == [], "the view takes the address alone"


def test_upstream_leads_back(ask):
    assert {f"{MAILABLE}#email", EMAIL} <= set(keys(ask("Upstream", of={"processor": "mailer"})["upstream"]))
    assert keys(ask("Upstream", of={"urn": f"{MAILABLE}#email"})["upstream"]) == [EMAIL]


def test_depth_ends_it_and_says_so(ask):
    reach = ask("Downstream", of={"urn": EMAIL}, depth=1)["downstream"]
    assert keys(reach) == [f"{MAILABLE}#email"]
    assert reach["truncated"]


def test_impact_of_dropping_a_column(ask):
    impact = ask("Impact", urn=EMAIL)["impact"]
    assert f"{MAILABLE}#email" in {place["stop"]["key"] for place in impact["lost"]}
    assert {place["stop"]["key"] for place in impact["processors"]} >= {"mailer"}
    assert "job:shop/mailable" in impact["jobs"]
    assert ask("Impact", urn=f"{CUSTOMERS}#id")["impact"]["references"] == [f"{DB}/shop.public.orders#customer_id"]


def test_where_to_cut(ask):
    cut = ask("Cut", **{"from": {"category": "user.contact.email"}, "to": {"processor": "mailer"}})["cut"]
    (stopped,) = cut["stopped"]
    ends = {stop["key"] for each in stopped["steps"] for stop in each["stops"]}
    assert "mailer" in ends
    abroad = ask("Cut", **{"from": {"urn": EMAIL}, "leaving": "CA"})["cut"]
    assert EXPORT in {stop["key"] for stop in abroad["ends"]}
    with pytest.raises(QuestionError, match="no end or two"):
        ask("Cut", **{"from": {"urn": EMAIL}})


def test_choke_points_cycles_and_orphans(ask):
    points = ask("ChokePoints", **{"from": {"urn": EMAIL}})["chokePoints"]
    assert points[0]["stop"]["key"] == f"{MAILABLE}#email"
    assert ask("Cycles")["cycles"] == []
    assert ask("Orphans")["orphans"]["edges"] == []


def test_a_place_that_is_not_there_is_said(ask):
    with pytest.raises(QuestionError, match="not in the inventory"):
        ask("Downstream", of={"urn": f"{CUSTOMERS}#nothing"})
