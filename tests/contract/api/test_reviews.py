"""What people decide by the service holds, and is shown with the field."""

from __future__ import annotations

import pytest

from inventory.errors import QuestionError

CUSTOMERS = "postgres://db.example:5432/shop.public.customers"


def of(field, category):
    return next(c for c in field["classifications"] if c["categoryKey"] == category)


@pytest.mark.parametrize("state", ["CONFIRMED", "REJECTED"])
def test_a_decision_is_kept_and_can_be_taken_back(ask, state):
    field, category = f"{CUSTOMERS}#email", "user.contact.email"
    decided = ask("ReviewClassification", field=field, category=category, state=state)["reviewClassification"]
    assert of(decided, category)["state"] == state
    assert of(decided, category)["provenance"] == "REVIEW"
    assert of(decided, category)["evidence"], "the detector's reasons stay"
    back = ask("ReviewClassification", field=field, category=category, state="SUGGESTED")["reviewClassification"]
    assert [c for c in back["classifications"] if c["state"] == state] == []


def test_a_category_that_the_detector_missed_can_be_confirmed(ask):
    category = "user.contact.phone_number"
    decided = ask("ReviewClassification", field=f"{CUSTOMERS}#id", category=category, state="CONFIRMED")
    assert of(decided["reviewClassification"], category)["confidence"] == 1.0
    ask("ReviewClassification", field=f"{CUSTOMERS}#id", category=category, state="SUGGESTED")


def test_a_decision_on_what_is_not_there_is_an_error_that_says_so(ask):
    with pytest.raises(QuestionError, match="is not in the inventory"):
        ask("ReviewClassification", field=f"{CUSTOMERS}#nothing", category="user.name", state="CONFIRMED")
