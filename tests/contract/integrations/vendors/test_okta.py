"""Scanning an Okta organisation as its documentation has it."""

from __future__ import annotations

USER = {
    "id": "00u1canary",
    "status": "ACTIVE",
    "created": "2024-01-02T03:04:05.000Z",
    "lastLogin": "2024-05-02T03:04:05.000Z",
    "type": {"id": "oty1"},
    "profile": {
        "login": "first@canary.example",
        "email": "first@canary.example",
        "secondEmail": "first@home.canary.example",
        "firstName": "Canary",
        "middleName": "C.",
        "lastName": "First",
        "displayName": "Canary First",
        "nickName": "Canary",
        "honorificPrefix": "Dr",
        "honorificSuffix": "II",
        "mobilePhone": "+1 514 555 0100",
        "primaryPhone": "+1 514 555 0101",
        "postalAddress": "1 rue Canary, Montréal",
        "streetAddress": "1 rue Canary",
        "city": "Montréal",
        "state": "QC",
        "zipCode": "H2X 1Y4",
        "countryCode": "CA",
        "profileUrl": "https://home.canary.example",
        "preferredLanguage": "fr",
        "locale": "fr_CA",
        "employeeNumber": "4711",
        "title": "Engineer",
        "organization": "Platform",
        "division": "Hosting",
        "department": "Operations",
        "costCenter": "12",
        "manager": "Canary Second",
        "managerId": "00u2canary",
        "shoeSize": "42",
    },
    "credentials": {"recovery_question": {"question": "Who was the first canary?"}},
}
FACTOR = {
    "id": "fac1",
    "factorType": "sms",
    "provider": "OKTA",
    "profile": {
        "phoneNumber": "+15145550100",
        "email": "first@canary.example",
        "credentialId": "first@canary.example",
        "name": "Canary's telephone",
        "deviceType": "SmartPhone_IPhone",
        "platform": "IOS",
        "question": "food",
        "questionText": "What does a canary eat?",
    },
}
DEVICE = {
    "id": "guo1canary",
    "status": "ACTIVE",
    "profile": {
        "displayName": "Canary's laptop",
        "serialNumber": "XXCANARY",
        "udid": "36A56558-1793-5B3A-8362-CANARY",
        "imei": "490154203237518",
        "meid": "A0000CANARY",
        "sid": "S-1-CANARY",
        "tpmPublicKeyHash": "canary",
        "manufacturer": "APPLE",
        "model": "MacBookPro",
        "platform": "MACOS",
    },
}
EVENT = {
    "uuid": "dc9fd3c0",
    "published": "2024-05-02T03:04:05.000Z",
    "eventType": "user.session.start",
    "displayMessage": "User login to Okta",
    "actor": {"id": "00u1canary", "type": "User", "alternateId": "first@canary.example", "displayName": "Canary First"},
    "target": [{"id": "00u1canary", "type": "User", "alternateId": "first@canary.example", "displayName": "Canary"}],
    "client": {
        "ipAddress": "203.0.113.7",
        "device": "Computer",
        "userAgent": {"rawUserAgent": "Mozilla/5.0 (Canary)", "browser": "FIREFOX", "os": "Mac OS X"},
        "geographicalContext": {
            "city": "Montréal",
            "state": "Quebec",
            "country": "Canada",
            "postalCode": "H2X",
            "geolocation": {"lat": 45.5, "lon": -73.6},
        },
    },
    "request": {"ipChain": [{"ip": "203.0.113.7", "version": "V4"}]},
    "authenticationContext": {"externalSessionId": "trsCanary"},
    "debugContext": {"debugData": {"requestUri": "/login", "behaviour": "first@canary.example"}},
}


def test_an_organisation(documented, exchange):
    hook = {"id": "who1", "channel": {"type": "HTTP", "config": {"uri": "https://hooks.slack.com/services/canary"}}}
    hook["channel"]["config"]["authScheme"] = {"type": "HEADER", "key": "authorization", "value": "canary"}
    sign_on = {"signOn": {"ssoAcsUrl": "https://canary.zendesk.com/access/saml"}}
    saml = {"id": "app1", "name": "canary_1", "label": "CRM", "signOnMode": "SAML_2_0", "settings": sign_on}
    client = {"oauthClient": {"redirect_uris": ["https://app.intercom.com/callback"]}}
    oidc = {"id": "app2", "name": "oidc_client", "signOnMode": "OPENID_CONNECT", "settings": client}
    app_user = {"id": "00u1canary", "externalId": "77canary", "credentials": {"userName": "first@canary.example"}}
    stream = {"id": "0oa1", "type": "splunk_cloud_logstreaming", "settings": {"host": "c.splunkcloud.com"}}
    seen = documented(
        "okta",
        "ours.okta.example",
        {"Authorization": "SSWS 00secret"},
        [
            exchange("/api/v1/org", {"companyName": "Ours"}),
            exchange("/api/v1/users", [USER], {"limit": "200", "after": None}, link="/api/v1/users?after=x&limit=200"),
            exchange("/api/v1/users", [{**USER, "id": "00u2canary"}], {"after": "x"}),
            exchange("/api/v1/users/00u1canary/factors", [FACTOR]),
            exchange("/api/v1/users/00u2canary/factors", []),
            exchange("/api/v1/groups", [{"id": "00g1", "profile": {"name": "Everyone"}}]),
            exchange("/api/v1/apps", [saml, oidc]),
            exchange("/api/v1/apps/app1/users", [{**app_user, "profile": {"email": "first@canary.example"}}]),
            exchange("/api/v1/apps/app2/users", []),
            exchange("/api/v1/devices", [DEVICE]),
            exchange("/api/v1/logs", [EVENT], {"sortOrder": "DESCENDING"}),
            exchange("/api/v1/eventHooks", [hook]),
            exchange("/api/v1/inlineHooks", [{"id": "cal1", "channel": hook["channel"]}]),
            exchange("/api/v1/logStreams", [{**stream, "settings": {**stream["settings"], "token": "canary"}}]),
            exchange("/api/v1/email-servers", {"email-servers": [{"id": "1", "host": "smtp.sendgrid.net"}]}),
        ],
        {"api_token": "00secret"},
    )
    assert seen.recipients("users") == {"okta"}
    assert seen.recipients("apps") == {"okta", "zendesk", "intercom"}
    assert seen.recipients("event_hooks") == {"okta", "slack"}
    assert seen.recipients("log_streams") == {"okta", "splunk"}
    assert seen.recipients("email_servers") == {"okta", "sendgrid"}
    assert "user.contact.email" in seen.categories("system_log")["debugContext"]
