"""Scanning a Persona organisation as its documentation has it."""

from __future__ import annotations

ACCOUNT = {
    "type": "account",
    "id": "act_canary",
    "attributes": {
        "reference-id": "user-canary-1",
        "account-type-name": "User",
        "created-at": "2024-01-02T03:04:05.000Z",
        "name-first": "CANARY",
        "name-middle": "C",
        "name-last": "FIRST",
        "email-address": "first@canary.example",
        "phone-number": "+15145550100",
        "birthdate": "1990-01-31",
        "address-street-1": "1 RUE CANARY",
        "address-street-2": None,
        "address-city": "MONTRÉAL",
        "address-subdivision": "QC",
        "address-postal-code": "H2X 1Y4",
        "country-code": "CA",
        "social-security-number": None,
        "identification-numbers": {"dl": [{"issuing-country": "CA", "identification-number": "CANARY-1"}]},
        "fields": {"email-address": {"type": "string", "value": "second@canary.example"}},
    },
}
INQUIRY = {
    "type": "inquiry",
    "id": "inq_canary",
    "attributes": {
        "status": "completed",
        "reference-id": "user-canary-1",
        "note": "Looks like a canary",
        "fields": {"name-first": {"type": "string", "value": "CANARY"}},
    },
    "relationships": {"account": {"data": {"type": "account", "id": "act_canary"}}},
}
SESSION = {
    "type": "inquiry-session",
    "id": "iqse_1",
    "attributes": {
        "status": "expired",
        "ip-address": "203.0.113.7",
        "user-agent": "Mozilla/5.0 (Canary)",
        "os-name": "Mac",
        "os-full-version": "10.15.7",
        "device-type": "desktop",
        "device-name": None,
        "browser-name": "Firefox",
        "latitude": 45.5,
        "longitude": -73.6,
    },
    "relationships": {"inquiry": {"data": {"type": "inquiry", "id": "inq_canary"}}},
}


def test_an_organisation(documented, exchange):
    hook = {"url": "https://hooks.zapier.com/canary", "secret": "canary", "status": "enabled"}
    last = {"prev": None, "next": None}
    size = {"page[size]": "100"}
    more = {"prev": None, "next": "/api/v1/accounts?page%5Bafter%5D=act_canary&page%5Bsize%5D=100"}
    seen = documented(
        "persona",
        "ours",
        {"Authorization": "Bearer persona_secret", "Persona-Version": "2023-01-05", "Key-Inflection": "kebab"},
        [
            exchange("/api/v1/accounts", {"data": [ACCOUNT], "links": more}, {"page[after]": None}),
            exchange("/api/v1/accounts", {"data": [ACCOUNT], "links": last}, {"page[after]": "act_canary", **size}),
            exchange("/api/v1/inquiries", {"data": [INQUIRY], "links": last}, size),
            exchange("/api/v1/inquiry-sessions", {"data": [SESSION], "links": last}, size),
            exchange(
                "/api/v1/webhooks", {"data": [{"type": "webhook", "id": "wbh_1", "attributes": hook}], "links": last}
            ),
        ],
        {"api_key": "persona_secret"},
        path="/api/v1",
    )
    assert seen.recipients("webhooks") == {"persona", "zapier"}
    assert seen.recipients("accounts") == {"persona"}
    assert "user.contact.email" in seen.categories("accounts")["attributes"]
