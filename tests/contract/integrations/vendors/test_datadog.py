"""Where Datadog sends on, and how its lists go on; its answers' places are held by its API description."""

from __future__ import annotations


def test_an_account(documented, exchange):
    user = {"id": "u1", "type": "users", "attributes": {"name": "Canary First", "email": "first@canary.example"}}
    line = {
        "id": "l1",
        "attributes": {"message": "signed in", "attributes": {"usr": {"email": "first@canary.example"}}},
    }
    first, second = {"page": {"limit": 1000, "cursor": None}}, {"page": {"limit": 1000, "cursor": "c2"}}
    archive = {"id": "a1", "attributes": {"destination": {"type": "s3", "bucket": "canary"}}}
    forwarder = {"type": "http", "endpoint": "https://http-intake.splunkcloud.com/canary"}
    jira = {"id": "j1", "attributes": {"instance_url": "https://canary.atlassian.net"}}
    seen = documented(
        "datadog",
        "ours",
        {"DD-API-KEY": "secret-1", "DD-APPLICATION-KEY": "secret-2"},
        [
            exchange("/api/v1/validate", {"valid": True}),
            exchange("/api/v2/users", {"data": [user] * 100}, {"page[number]": "0", "page[size]": "100"}),
            exchange("/api/v2/users", {"data": [{**user, "id": "u2"}]}, {"page[number]": "1"}),
            exchange("/api/v2/audit/events/search", {"data": [line], "meta": {}}, method="POST", body=first),
            exchange(
                "/api/v2/logs/events/search",
                {"data": [line], "meta": {"page": {"after": "c2"}}},
                method="POST",
                body={**first, "filter": {"from": "now-24h"}},
            ),
            exchange("/api/v2/logs/events/search", {"data": [line], "meta": {}}, method="POST", body=second),
            exchange("/api/v2/rum/applications", {"data": []}),
            exchange("/api/v2/rum/events/search", {"data": [line]}, method="POST", body=first),
            exchange("/api/v2/logs/config/archives", {"data": [archive]}),
            exchange(
                "/api/v2/logs/config/custom-destinations",
                {"data": [{"id": "d1", "attributes": {"forwarder_destination": forwarder}}]},
            ),
            exchange("/api/v2/integration/jira/accounts", {"data": [jira]}),
            exchange("/api/v2/integration/opsgenie/services", {"data": [{"id": "o1", "type": "opsgenie-service"}]}),
        ],
        {"api_key": "secret-1", "application_key": "secret-2"},
        whole=False,
    )
    assert seen.recipients("log_archives") == {"datadog", "aws"}
    assert seen.recipients("log_destinations") == {"datadog", "splunk"}
    assert seen.recipients("jira_accounts") == {"datadog", "atlassian"}
    assert "opsgenie" in {name.removeprefix("unknown:") for name in seen.recipients("opsgenie_services")}
    assert "user.contact.email" in seen.categories("logs")["attributes"]
