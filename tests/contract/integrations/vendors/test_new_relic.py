"""Scanning a New Relic account as the documentation of NerdGraph has it."""

from __future__ import annotations

from typing import Any

USER = {"id": "1", "name": "Canary First", "email": "first@canary.example", "lastActive": "2024-01-02T03:04:05Z"}
VIEW = {
    "session": "s-canary",
    "pageUrl": "https://ours.example/canary",
    "referrerUrl": "https://search.example/?q=canary",
    "city": "Montréal",
    "regionCode": "QC",
    "countryCode": "CA",
    "asnLatitude": 45.5,
    "asnLongitude": -73.6,
    "userAgentName": "Firefox",
    "userAgentOS": "Linux",
    "deviceType": "Desktop",
}


class Asking(str):
    """Equal to a query that has this in it."""

    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and str(self) in other


def test_an_account(documented, exchange):
    def asked(part: str, answer: Any, **variables: Any):
        body = {"query": Asking(part), **({"variables": variables} if variables else {})}
        return exchange("/graphql", {"data": answer}, method="POST", body=body)

    def domains(*found: dict) -> dict:
        inner = {"authenticationDomains": {"authenticationDomains": list(found)}}
        return {"actor": {"organization": {"userManagement": inner}}}

    def of_account(**found: Any) -> dict:
        return {"actor": {"account": found}}

    def destinations(*found: dict, cursor: str | None = None) -> dict:
        return of_account(aiNotifications={"destinations": {"entities": list(found), "nextCursor": cursor}})

    mail = {"id": "d1", "type": "EMAIL", "properties": [{"key": "email", "value": "first@canary.example"}]}
    duty = {"id": "d2", "type": "PAGERDUTY_ACCOUNT_INTEGRATION", "properties": []}
    line = {"message": "first@canary.example signed in", "timestamp": 1700000000000}
    seen = documented(
        "new_relic",
        "7",
        {"API-Key": "NRAK-secret"},
        [
            asked("requestContext", {"requestContext": {"userId": "1"}}),
            asked("{ authenticationDomains { id name } }", domains({"id": "ad1", "name": "Default"})),
            asked("users { users", domains({"users": {"users": [USER]}}), domain=["ad1"]),
            asked("account(id: 7) { aiNotifications", destinations(mail, cursor="c2"), cursor=None),
            asked("account(id: 7) { aiNotifications", destinations(duty), cursor="c2"),
            asked("account(id: 7) { nrql", of_account(nrql={"results": [line]}), nrql=Asking("FROM Log ")),
            asked("account(id: 7) { nrql", of_account(nrql={"results": [VIEW]}), nrql=Asking("FROM PageView ")),
        ],
        {"user_key": "NRAK-secret"},
    )
    assert seen.recipients("notification_destinations") == {"new-relic", "pagerduty"}
    assert "user.contact.email" in seen.categories("logs")["message"]
