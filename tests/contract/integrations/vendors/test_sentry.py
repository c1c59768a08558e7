"""Where Sentry sends on, and how its lists go on; its answers' places are held by its API description."""

from __future__ import annotations


def test_an_organisation(documented, exchange):
    of_ours, of_site = "/api/0/organizations/ours", "/api/0/projects/ours/site"
    member = {"id": "1", "email": "first@canary.example", "name": "Canary First"}
    user = {"id": "7", "email": "first@canary.example", "ip_address": "203.0.113.7", "data": {"plan": "pro"}}
    integration = {"id": "3", "provider": {"key": "slack", "name": "Slack"}, "domainName": "ours.slack.com"}
    seen = documented(
        "sentry",
        "ours",
        {"Authorization": "Bearer sntryu_secret"},
        [
            exchange(f"{of_ours}/", {"slug": "ours"}),
            exchange(f"{of_ours}/members/", [member], {"cursor": None}, link=f"{of_ours}/members/?cursor=c2"),
            exchange(f"{of_ours}/members/", [{**member, "id": "2"}], {"cursor": "c2"}),
            exchange(f"{of_ours}/projects/", [{"id": "11", "slug": "site", "name": "Site"}]),
            exchange(f"{of_site}/users/", [{"id": "1", "email": "first@canary.example", "ipAddress": "203.0.113.7"}]),
            exchange(f"{of_site}/events/", [{"id": "e1", "eventID": "e1", "user": user, "tags": []}]),
            exchange(f"{of_site}/user-feedback/", [{"id": "1", "name": "Canary", "comments": "It broke"}]),
            exchange(f"{of_ours}/issues/", [{"id": "21", "title": "TypeError", "assignedTo": None}]),
            exchange(f"{of_ours}/replays/", {"data": [{"id": "r1", "user": {"email": "first@canary.example"}}]}),
            exchange(f"{of_site}/hooks/", [{"id": "h1", "url": "https://hooks.zapier.com/canary", "secret": "canary"}]),
            exchange(f"{of_ours}/forwarding/", [{"id": "1", "provider": "segment", "config": {"write_key": "canary"}}]),
            exchange(f"{of_ours}/integrations/", [integration]),
            exchange(f"{of_ours}/sentry-apps/", [{"uuid": "u1", "webhookUrl": "https://api.pagerduty.com/canary"}]),
        ],
        {"auth_token": "sntryu_secret"},
        whole=False,
    )
    assert seen.recipients("service_hooks") == {"sentry", "zapier"}
    assert seen.recipients("data_forwarders") == {"sentry", "segment"}
    assert seen.recipients("integrations") == {"sentry", "slack"}
    assert seen.recipients("custom_integrations") == {"sentry", "pagerduty"}
    assert seen.recipients("events") == {"sentry"}
