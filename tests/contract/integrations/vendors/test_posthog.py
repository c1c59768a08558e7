"""Scanning a PostHog project as its documentation has it."""

from __future__ import annotations

WHERE = {
    "$geoip_city_name": "Montréal",
    "$geoip_country_name": "Canada",
    "$geoip_postal_code": "H2X",
    "$geoip_latitude": 45.5,
    "$geoip_longitude": -73.6,
}
PERSON = {
    "id": 1,
    "uuid": "0190-canary",
    "name": "first@canary.example",
    "distinct_ids": ["user-canary-1", "0190-device"],
    "created_at": "2024-01-02T03:04:05Z",
    "properties": {
        **WHERE,
        "email": "first@canary.example",
        "plan": "pro",
        "backup": "second@canary.example",
        "$browser": "Firefox",
        "$os": "Linux",
        "$initial_referrer": "https://search.example/?q=canary",
        "$initial_current_url": "https://ours.example/?ref=canary",
    },
}
EVENT = {
    "id": "e1",
    "event": "$pageview",
    "distinct_id": "user-canary-1",
    "timestamp": "2024-01-02T03:04:05Z",
    "person": {"distinct_ids": ["user-canary-1"], "properties": {"email": "first@canary.example"}},
    "properties": {
        **WHERE,
        "$ip": "203.0.113.7",
        "$current_url": "https://ours.example/canary",
        "$pathname": "/canary",
        "$referrer": "https://search.example/?q=canary",
        "$raw_user_agent": "Mozilla/5.0 (Canary)",
        "$device_id": "0190-device-canary",
        "$session_id": "0190-session-canary",
    },
}
RECORDING = {
    "id": "0190-recording-canary",
    "distinct_id": "user-canary-1",
    "start_url": "https://ours.example/canary",
    "person": {"properties": {"email": "first@canary.example"}},
}
MEMBER = {"uuid": "0190-canary", "distinct_id": "d-canary", "first_name": "Canary", "last_name": "First"}


def test_a_project(documented, documented_server, exchange):
    def page(*results: dict, following: str | None = None) -> dict:
        following = f"{documented_server.address}{following}" if following else None
        return {"next": following, "previous": None, "results": list(results)}

    member = {"id": "m1", "level": 15, "user": {**MEMBER, "email": "first@canary.example"}}
    destination = {"id": "h1", "name": "To the channel", "template": {"id": "template-slack", "name": "Slack"}}
    maker = {"id": 1, "first_name": "Canary", "email": "first@canary.example"}
    seen = documented(
        "posthog",
        "7",
        {"Authorization": "Bearer phx_secret"},
        [
            exchange("/api/projects/7/", {"id": 7, "name": "Ours"}),
            exchange(
                "/api/projects/7/persons/",
                page(PERSON, following="/api/projects/7/persons/?cursor=c2"),
                {"limit": "100", "cursor": None},
            ),
            exchange("/api/projects/7/persons/", page({**PERSON, "uuid": "0191-canary"}), {"cursor": "c2"}),
            exchange("/api/projects/7/events/", page(EVENT)),
            exchange("/api/projects/7/session_recordings/", page(RECORDING)),
            exchange("/api/organizations/@current/members/", page(member)),
            exchange(
                "/api/projects/7/hog_functions/", page({**destination, "created_by": maker}), {"types": "destination"}
            ),
            exchange(
                "/api/projects/7/batch_exports/",
                page({"id": "b1", "destination": {"type": "S3", "config": {"bucket_name": "canary"}}}),
            ),
        ],
        {"personal_api_key": "phx_secret"},
    )
    assert seen.recipients("destinations") == {"posthog", "slack"}
    assert seen.recipients("batch_exports") == {"posthog", "aws"}
    assert "user.contact.email" in seen.categories("persons")["properties"]
