"""Scanning a PagerDuty account as its documentation has it."""

from __future__ import annotations


def reference(identifier: str, summary: str) -> dict:
    return {"id": identifier, "type": "user_reference", "summary": summary, "self": None, "html_url": None}


USER = {
    **reference("PU1", "Canary First"),
    "name": "Canary First",
    "email": "first@canary.example",
    "time_zone": "America/Toronto",
    "role": "user",
    "job_title": "Engineer",
    "avatar_url": "https://secure.gravatar.example/avatar/canary",
    "http_cal_url": "https://ours.pagerduty.example/private/canary/feed",
    "web_cal_url": "webcal://ours.pagerduty.example/private/canary/feed",
    "contact_methods": [{"id": "PC1", "type": "phone_contact_method", "summary": "Canary", "address": "5145550100"}],
}
INCIDENT = {
    **reference("PI1", "[#1] Disk is full"),
    "incident_number": 1,
    "title": "Disk of canary is full",
    "created_at": "2024-01-02T03:04:05Z",
    "status": "acknowledged",
    "urgency": "high",
    "assignments": [{"at": "2024-01-02T03:04:05Z", "assignee": reference("PU1", "Canary First")}],
    "acknowledgements": [{"at": "2024-01-02T03:04:05Z", "acknowledger": reference("PU1", "Canary First")}],
    "last_status_change_by": reference("PU1", "Canary First"),
    "body": {"type": "incident_body", "details": {"from": "first@canary.example"}},
}
NOTE = {"id": "PN1", "user": reference("PU1", "Canary First"), "content": "Called Canary.", "created_at": "2024-01-02"}
RECORD = {
    "id": "PA1",
    "execution_time": "2024-01-02T03:04:05.000Z",
    "execution_context": {"request_id": "1", "remote_address": "203.0.113.7"},
    "actors": [reference("PU1", "Canary First")],
    "action": "update",
    "details": {"fields": [{"name": "email", "value": "first@canary.example"}]},
}
HOOK = {"id": "PW1", "delivery_method": {"type": "http_delivery_method", "url": "https://hooks.slack.com/canary"}}


def test_an_account(documented, exchange):
    def page(name: str, *records: dict, offset: int = 0, more: bool = False) -> dict:
        return {name: list(records), "offset": offset, "limit": 100, "more": more, "total": None}

    hook = {**HOOK, "delivery_method": {**HOOK["delivery_method"], "secret": "canary"}}
    extension = {"id": "PE1", "endpoint_url": "https://ours.service-now.com/api/canary", "config": {"user": "canary"}}
    first = {"offset": "0", "limit": "100"}
    seen = documented(
        "pagerduty",
        "ours",
        {"Authorization": "Token token=secret", "Accept": "application/vnd.pagerduty+json;version=2"},
        [
            exchange("/abilities", {"abilities": ["sso"]}),
            exchange("/users", page("users", *[USER] * 100, more=True), first),
            exchange("/users", page("users", {**USER, "id": "PU2"}, offset=100), {"offset": "100"}),
            exchange("/oncalls", page("oncalls", {"user": reference("PU1", "Canary First")}), first),
            exchange("/incidents", page("incidents", INCIDENT), {**first, "date_range": "all"}),
            exchange("/incidents/PI1/notes", {"notes": [NOTE]}),
            exchange("/audit/records", {"records": [RECORD], "limit": 100, "next_cursor": "c2"}, {"cursor": None}),
            exchange("/audit/records", {"records": [], "limit": 100, "next_cursor": None}, {"cursor": "c2"}),
            exchange("/webhook_subscriptions", page("webhook_subscriptions", hook), first),
            exchange("/extensions", page("extensions", extension), first),
        ],
        {"api_token": "secret"},
    )
    assert seen.recipients("webhook_subscriptions") == {"pagerduty", "slack"}
    assert seen.recipients("extensions") == {"pagerduty", "servicenow"}
    assert seen.recipients("users") == {"pagerduty"}
    assert "user.contact.email" in seen.categories("incidents")["body"]
