"""How Auth0 is signed in to, and where it sends on; its answers' places are held by its API description."""

from __future__ import annotations


def test_a_tenant(documented, exchange):
    user = {"user_id": "auth0|canary", "email": "first@canary.example", "user_metadata": {"plan": "pro"}}
    first = {"page": "0", "per_page": "100"}
    streams = [
        {"id": "s1", "type": "http", "sink": {"httpEndpoint": "https://hooks.zapier.com/canary", "x": "canary"}},
        {"id": "s2", "type": "datadog", "sink": {"datadogRegion": "eu", "datadogApiKey": "canary"}},
        {"id": "s3", "type": "splunk", "sink": {"splunkDomain": "http-inputs-ours.splunkcloud.com"}},
        {"id": "s4", "type": "eventbridge", "sink": {"awsAccountId": "1", "awsRegion": "us-east-1"}},
    ]
    event_stream = {"configuration": {"webhook_endpoint": "https://hooks.slack.com/canary"}, "type": "webhook"}
    provider = {"name": "smtp", "credentials": {"smtp_host": "smtp.postmarkapp.com", "smtp_user": "canary"}}
    seen = documented(
        "auth0",
        "ours.auth0.example",
        {"Authorization": "Bearer token"},
        [
            exchange("/api/v2/tenants/settings", {"friendly_name": "Ours"}),
            exchange("/api/v2/users", [user] * 99 + [{**user, "user_id": "auth0|canary-2"}], first),
            exchange("/api/v2/users", [user], {"page": "1"}),
            exchange("/api/v2/users/auth0%7Ccanary/authentication-methods", [{"id": "m1", "phone_number": "+1514"}]),
            exchange(
                "/api/v2/users/auth0%7Ccanary/sessions", {"sessions": [{"id": "s1"}], "next": "c2"}, {"from": None}
            ),
            exchange("/api/v2/users/auth0%7Ccanary/sessions", {"sessions": []}, {"from": "c2"}),
            exchange(
                "/api/v2/logs", [{"log_id": "l1", "user_name": "first@canary.example", "ip": "203.0.113.7"}], first
            ),
            exchange("/api/v2/organizations", [{"id": "org_1", "name": "canary"}], first),
            exchange("/api/v2/organizations/org_1/members", [{"user_id": "auth0|canary", "name": "Canary"}], first),
            exchange(
                "/api/v2/organizations/org_1/invitations", [{"id": "i1", "invitee": {"email": "x@canary.example"}}]
            ),
            exchange("/api/v2/device-credentials", [], first),
            exchange("/api/v2/grants", [{"id": "g1", "user_id": "auth0|canary", "scope": ["openid"]}], first),
            exchange("/api/v2/log-streams", streams),
            exchange("/api/v2/event-streams", {"eventStreams": [{"id": "est_1", "destination": event_stream}]}),
            exchange("/api/v2/emails/provider", provider),
        ],
        {"client_id": "scanner", "client_secret": "secret"},
        whole=False,
    )
    assert seen.recipients("log_streams") == {"auth0", "zapier", "datadog", "splunk", "aws"}
    assert seen.recipients("event_streams") == {"auth0", "slack"}
    assert seen.recipients("email_provider") == {"auth0", "postmark"}
    assert seen.recipients("users") == {"auth0"}
