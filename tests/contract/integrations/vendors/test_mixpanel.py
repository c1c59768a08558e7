"""Scanning a Mixpanel project as its documentation has it."""

from __future__ import annotations

PROFILE = {
    "$distinct_id": "user-canary-1",
    "$properties": {
        "$email": "first@canary.example",
        "$phone": "+15145550100",
        "$name": "Canary First",
        "$first_name": "Canary",
        "$last_name": "First",
        "$avatar": "https://pictures.example/canary.png",
        "$city": "Montréal",
        "$region": "Quebec",
        "$country_code": "CA",
        "$timezone": "America/Toronto",
        "$last_seen": "2024-01-02T03:04:05",
        "Plan": "pro",
    },
}


def test_a_project(documented, exchange):
    asked = {"project_id": "7"}
    first = {"session_id": "1234-canary", "page": 0, "page_size": 1000, "status": "ok", "total": 1001}
    second = {**first, "page": 1}
    schema = {"entityType": "event", "name": "Signed up", "schemaJson": {"properties": {"plan": {"type": "string"}}}}
    account = {"id": 1, "username": "scanner.1.mp-service-account", "creator": 2, "email": "first@canary.example"}
    seen = documented(
        "mixpanel",
        "7",
        {"Authorization": "Basic c2Nhbm5lcjpzZWNyZXQ="},
        [
            exchange("/api/app/projects/7/schemas", {"status": "ok", "results": [schema]}),
            exchange(
                "/api/query/engage",
                {**first, "results": [PROFILE] * 1000},
                method="POST",
                body={**asked, "page": "0", "session_id": None},
            ),
            exchange(
                "/api/query/engage",
                {**second, "results": [PROFILE]},
                method="POST",
                body={**asked, "page": "1", "session_id": "1234-canary"},
            ),
            exchange(
                "/api/query/cohorts/list",
                [{"id": 1, "name": "Paying", "count": 3, "project_id": 7}],
                method="POST",
                body=asked,
            ),
            exchange("/api/app/projects/7/service-accounts", {"status": "ok", "results": [account]}),
        ],
        {"service_account": "scanner", "service_account_secret": "secret"},
        rows=2000,
    )
    assert seen.recipients("profiles") == {"mixpanel"}
    assert not seen.categories("cohorts")
