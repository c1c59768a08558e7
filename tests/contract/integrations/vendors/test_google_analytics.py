"""Scanning a Google Analytics account as the documentation of its two APIs has it."""

from __future__ import annotations

import json

import pytest


@pytest.fixture(scope="module")
def key() -> str:
    """The key file of a service account, made for this run."""
    from joserfc.jwk import RSAKey

    pem = RSAKey.generate_key(2048).as_pem(private=True).decode()
    return json.dumps({"client_email": "scanner@project.iam.example", "private_key": pem, "private_key_id": "1"})


def test_an_account(documented, exchange, key: str):
    def report(*values: str) -> dict:
        return {"rows": [{"dimensionValues": [{"value": value} for value in values], "metricValues": [{"value": "3"}]}]}

    def run(dimension: str) -> dict:
        return {"dimensions": [{"name": dimension}]}

    last = [{"name": "deviceModel"}, {"name": "operatingSystemWithVersion"}, {"name": "browser"}, {"name": "language"}]
    link = {"name": "properties/11/googleAdsLinks/1", "customerId": "1", "creatorEmailAddress": "first@canary.example"}
    stream = {"name": "properties/11/dataStreams/1", "type": "WEB_DATA_STREAM", "displayName": "Site"}
    page_path = "/welcome?mail=second@canary.example"
    seen = documented(
        "google_analytics",
        "7",
        {"Authorization": "Bearer token"},
        [
            exchange("/v1beta/accounts/7", {"name": "accounts/7"}),
            exchange(
                "/v1alpha/accounts/7/accessBindings",
                {
                    "accessBindings": [
                        {"name": "accounts/7/accessBindings/1", "user": "first@canary.example", "roles": []}
                    ]
                },
                {"pageToken": None},
            ),
            exchange(
                "/v1beta/accounts/7:runAccessReport",
                report("first@canary.example"),
                method="POST",
                body={"dimensions": [{"dimensionName": "userEmail"}], "offset": 0, "limit": 1000},
            ),
            exchange(
                "/v1beta/properties",
                {"properties": [{"name": "properties/11"}], "nextPageToken": "t2"},
                {"filter": "parent:accounts/7", "pageToken": None},
            ),
            exchange("/v1beta/properties", {"properties": [{"name": "properties/12"}]}, {"pageToken": "t2"}),
            exchange("/v1beta/properties/11/dataStreams", {"dataStreams": [stream]}),
            exchange("/v1beta/properties/12/dataStreams", {}),
            *(
                exchange(f"/v1beta/properties/{n}/dataRetentionSettings", {"eventDataRetention": "TWO_MONTHS"})
                for n in (11, 12)
            ),
            *(exchange(f"/v1beta/properties/{n}/customDimensions", {}) for n in (11, 12)),
            exchange("/v1beta/properties/11/googleAdsLinks", {"googleAdsLinks": [link]}),
            exchange("/v1beta/properties/12/googleAdsLinks", {}),
            *(
                exchange(f"/v1beta/properties/{n}/metadata", {"dimensions": [{"apiName": "city", "uiName": "City"}]})
                for n in (11, 12)
            ),
            *(
                exchange(f"/v1beta/properties/{n}:runReport", report(*values), method="POST", body=body)
                for n in (11, 12)
                for values, body in (
                    ([page_path], run("pagePathPlusQueryString")),
                    (
                        ["Canada", "Quebec", "Montréal"],
                        {"dimensions": [{"name": k} for k in ("country", "region", "city")]},
                    ),
                    (["iPhone", "iOS 17", "Safari", "French"], {"dimensions": last}),
                )
            ),
        ],
        {"service_account": key},
    )
    assert seen.recipients("places_of_visitors") == {"google"}
    assert "user.contact.email" in seen.categories("pages_seen")["dimensionValues"]
    assert seen.recipients("dimensions") == {"google"}
    assert not seen.categories("dimensions")
