"""Scanning a Grafana stack as its documentation has it."""

from __future__ import annotations

USER = {
    "orgId": 1,
    "userId": 2,
    "email": "first@canary.example",
    "name": "Canary First",
    "login": "canary",
    "avatarUrl": "/avatar/canary",
    "role": "Viewer",
    "lastSeenAt": "2024-01-02T03:04:05Z",
    "lastSeenAtAge": "2m",
}
NOTE = {"id": 1, "userId": 2, "login": "canary", "email": "first@canary.example", "avatarUrl": "/avatar/canary"}


def test_a_stack(documented, exchange):
    source = {"id": 1, "uid": "P1", "type": "prometheus", "url": "https://prom.datadoghq.eu/canary", "user": "canary"}
    slack = {"uid": "c1", "type": "slack", "settings": {"url": "https://hooks.slack.com/services/canary"}}
    mail = {"uid": "c2", "type": "email", "settings": {"addresses": "first@canary.example"}}
    hook = {"uid": "c3", "type": "webhook", "settings": {"url": "https://events.pagerduty.com/canary"}}
    team = {"id": 1, "name": "Operations", "email": "ops@canary.example"}
    seen = documented(
        "grafana",
        "ours",
        {"Authorization": "Bearer glsa_secret"},
        [
            exchange("/api/org", {"id": 1, "name": "Ours"}),
            exchange("/api/org/users", [USER]),
            exchange("/api/teams/search", {"totalCount": 1, "teams": [team]}, {"page": "1", "perpage": "1000"}),
            exchange("/api/annotations", [{**NOTE, "text": "Restarted for Canary", "time": 1700000000000}]),
            exchange("/api/datasources", [{**source, "basicAuthUser": "canary", "jsonData": {"httpMethod": "POST"}}]),
            exchange("/api/v1/provisioning/contact-points", [slack, mail, hook]),
        ],
        {"service_account_token": "glsa_secret"},
    )
    assert seen.recipients("data_sources") == {"grafana-labs", "datadog"}
    assert seen.recipients("contact_points") == {"grafana-labs", "slack", "pagerduty"}
