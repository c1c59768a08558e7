"""Scanning a Zendesk account as its documentation has it."""

from __future__ import annotations

import pytest

USER = {
    "id": 1,
    "url": "https://ours.zendesk.example/api/v2/users/1.json",
    "external_id": "canary-1",
    "name": "Canary First",
    "alias": "Canary",
    "email": "first@canary.example",
    "phone": "+15145550100",
    "photo": {"content_url": "https://pictures.example/canary.png"},
    "locale": "fr-CA",
    "time_zone": "Eastern Time (US & Canada)",
    "iana_time_zone": "America/Toronto",
    "last_login_at": "2024-01-02T03:04:05Z",
    "details": "Knows canaries",
    "notes": "Likes canaries",
    "signature": "Canary",
    "user_fields": {"backup": "second@canary.example"},
    "role": "end-user",
}
IDENTITY = {"id": 1, "user_id": 1, "type": "email", "value": "first@canary.example", "deliverable_state": "deliverable"}
ORGANISATION = {
    "id": 5,
    "name": "Canary Inc.",
    "domain_names": ["canary.example"],
    "details": "Of canaries",
    "notes": "Canaries",
    "organization_fields": {"tier": "gold"},
}
TICKET = {
    "id": 9,
    "requester_id": 1,
    "submitter_id": 1,
    "assignee_id": 2,
    "subject": "Canary is locked out",
    "raw_subject": "Canary is locked out",
    "description": "Write to first@canary.example",
    "recipient": "help@canary.example",
    "collaborator_ids": [1],
    "follower_ids": [2],
    "email_cc_ids": [1],
    "via": {"channel": "email", "source": {"from": {"address": "first@canary.example", "name": "Canary First"}}},
    "satisfaction_rating": {"score": "good", "comment": "Canary is happy"},
    "custom_fields": [{"id": 1, "value": "canary"}],
    "status": "open",
}
COMMENT = {
    "id": 10,
    "author_id": 1,
    "body": "I am Canary.",
    "html_body": "<p>I am Canary.</p>",
    "plain_body": "I am Canary.",
    "attachments": [{"file_name": "canary.png", "content_url": "https://ours.zendesk.example/canary.png"}],
    "metadata": {
        "system": {
            "client": "Mozilla/5.0 (Canary)",
            "ip_address": "203.0.113.7",
            "location": "Montréal, QC, Canada",
            "latitude": 45.5,
            "longitude": -73.6,
        },
        "custom": {},
    },
}
HELD = {
    "id": 11,
    "author": {"name": "Canary Third", "email": "third@canary.example"},
    "subject": "Canaries for sale",
    "content": "Buy canaries",
    "recipient": "help@canary.example",
}
CHANGE = {
    "id": 13,
    "actor_id": 2,
    "actor_name": "Canary Second",
    "ip_address": "203.0.113.7",
    "source_label": "Canary First",
    "change_description": "Role of Canary First changed",
}


@pytest.fixture
def scanned(documented, exchange):
    """`scanned(…)`: scan the account, with what else `documented` takes."""

    def page(name: str, *records: dict, after: str | None = None) -> dict:
        # Zendesk gives a cursor on the last page as well, and says that there is no more.
        return {name: list(records), "meta": {"has_more": after is not None, "after_cursor": after or "end"}}

    size = {"page[size]": "100"}
    rating = {"id": 12, "score": "good", "requester_id": 1, "assignee_id": 2, "ticket_id": 9, "comment": "Canary"}
    target = {"id": 1, "type": "url_target_v2", "target_url": "https://hooks.slack.com/canary", "email": None}
    second = {"id": 2, "type": "email_target", "email": "ours@canary.freshdesk.com", "password": "x", "token": "x"}
    exchanges = [
        exchange("/api/v2/users/me", {"user": {"id": 2}}),
        exchange("/api/v2/users", page("users", USER, after="c2"), {**size, "page[after]": None}),
        exchange("/api/v2/users", page("users", {**USER, "id": 2, "role": "agent"}), {"page[after]": "c2"}),
        exchange("/api/v2/users/1/identities", page("identities", IDENTITY)),
        exchange("/api/v2/users/2/identities", page("identities")),
        exchange("/api/v2/organizations", page("organizations", ORGANISATION), size),
        exchange("/api/v2/tickets", page("tickets", TICKET), size),
        exchange("/api/v2/tickets/9/comments", page("comments", COMMENT), size),
        exchange("/api/v2/suspended_tickets", page("suspended_tickets", HELD), size),
        exchange("/api/v2/satisfaction_ratings", page("satisfaction_ratings", rating), size),
        exchange("/api/v2/audit_logs", page("audit_logs", CHANGE), size),
        exchange("/api/v2/webhooks", page("webhooks", {"id": "w1", "endpoint": "https://hooks.zapier.com/canary"})),
        exchange("/api/v2/targets", {"targets": [target, second]}),
    ]
    headers = {"Authorization": "Basic YWdlbnRAb3Vycy5leGFtcGxlL3Rva2VuOnNlY3JldA=="}
    credentials = {"user": "agent@ours.example/token", "token": "secret"}
    return lambda **more: documented("zendesk", "ours", headers, exchanges, credentials, **more)


def test_an_account(scanned):
    seen = scanned()
    assert seen.recipients("webhooks") == {"zendesk", "zapier"}
    assert seen.recipients("targets") == {"zendesk", "slack", "freshworks"}
    assert "user.contact.email" in seen.categories("users")["user_fields"]


def test_what_is_documented_as_technical_is_about_nobody(scanned):
    from scanners.detection import ColumnDetector

    seen = scanned(detection=ColumnDetector())
    assert "user.contact.email" in seen.categories("users")["user_fields/backup"]
    for resource, field in [("users", "url"), ("tickets", "status"), ("tickets", "via/channel"), ("audit_logs", "id")]:
        assert seen.categories(resource).get(field, set()) <= {"user.unique_id"}
    assert "created_at" not in seen.categories("users")
