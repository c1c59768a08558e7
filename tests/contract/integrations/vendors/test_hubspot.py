"""Scanning a HubSpot account as its documentation has it."""

from __future__ import annotations

from scanners.integrations.connector import connectors

CONTACT = {
    "email": "first@canary.example",
    "work_email": "first@work.canary.example",
    "firstname": "Canary",
    "lastname": "First",
    "salutation": "Dr",
    "phone": "+1 514 555 0100",
    "mobilephone": "+1 514 555 0101",
    "fax": None,
    "address": "1 rue Canary",
    "city": "Montréal",
    "state": "QC",
    "zip": "H2X 1Y4",
    "country": "Canada",
    "company": "Canary Inc.",
    "jobtitle": "Engineer",
    "website": "https://home.canary.example",
    "date_of_birth": "1990-01-31",
    "gender": None,
    "hs_language": "fr-ca",
    "ip_city": "montréal",
    "ip_state": "quebec",
    "ip_country": "canada",
    "message": "I am Canary",
    "hs_analytics_first_url": "https://ours.example/?mail=canary",
    "hs_analytics_first_referrer": "https://search.example/?q=canary",
    "hs_legal_basis": "Freely given consent from contact",
    "hs_email_optout": None,
    "createdate": "2024-01-02T03:04:05Z",
}
COMPANY = {"name": "Canary Inc.", "domain": "canary.example", "phone": "+15145550100", "address": "1 rue Canary"}
EMAIL = {
    "hs_email_subject": "Dear Canary",
    "hs_email_text": "Dear Canary,",
    "hs_email_html": "<p>Dear Canary,</p>",
    "hs_email_headers": '{"from": {"email": "second@canary.example"}, "to": [{"email": "first@canary.example"}]}',
}
CALL = {
    "hs_call_title": "With Canary",
    "hs_call_body": "Canary agreed",
    "hs_call_from_number": "+15145550100",
    "hs_call_to_number": "+15145550101",
    "hs_call_recording_url": "https://recordings.example/canary",
}
MESSAGE = {
    "id": "m1",
    "type": "MESSAGE",
    "conversationsThreadId": "9",
    "senders": [{"actorId": "V-1", "name": "Canary First", "deliveryIdentifier": {"value": "first@canary.example"}}],
    "recipients": [{"actorId": "A-2", "name": "Canary", "deliveryIdentifier": {"value": "second@canary.example"}}],
    "subject": "Canary",
    "text": "I am Canary",
    "richText": "<p>I am Canary</p>",
    "attachments": [{"name": "canary.png", "url": "https://files.example/canary.png"}],
}
LOGIN = {
    "id": "l1",
    "userId": 2,
    "email": "second@canary.example",
    "ipAddress": "203.0.113.7",
    "userAgent": "Mozilla/5.0 (Canary)",
    "location": "montréal, canada",
    "countryCode": "CA",
    "regionCode": "QC",
    "loginAt": "2024-01-02T03:04:05Z",
}


def test_an_account(documented, exchange):
    def page(*records: dict, after: str | None = None) -> dict:
        return {"results": list(records), **({"paging": {"next": {"after": after}}} if after else {})}

    def crm(identifier: str, **properties: object) -> dict:
        return {"id": identifier, "archived": False, "createdAt": "2024-01-02T03:04:05Z", "properties": properties}

    owner = {"id": "1", "userId": 2, "email": "second@canary.example", "firstName": "Canary", "lastName": "Second"}
    act = {"id": "a1", "action": "UPDATE", "actingUser": {"userId": 2, "userEmail": "second@canary.example"}}
    thread = {"id": "9", "associatedContactId": "1", "assignedTo": "A-2", "status": "OPEN"}
    first = {"limit": "100", "after": None}
    seen = documented(
        "hubspot",
        "7",
        {"Authorization": "Bearer pat-secret"},
        [
            exchange("/account-info/v3/details", {"portalId": 7}),
            exchange("/crm/v3/objects/contacts", page(crm("1", **CONTACT), after="c2"), first),
            exchange("/crm/v3/objects/contacts", page(crm("2", **CONTACT)), {"after": "c2"}),
            exchange("/crm/v3/objects/companies", page(crm("3", **COMPANY)), first),
            exchange("/crm/v3/objects/deals", page(crm("4", dealname="For Canary", amount="1", description="Canary"))),
            exchange("/crm/v3/objects/tickets", page(crm("5", subject="Canary asks", content="I am Canary"))),
            exchange("/crm/v3/objects/notes", page(crm("6", hs_note_body="Write to third@canary.example"))),
            exchange("/crm/v3/objects/emails", page(crm("7", **EMAIL))),
            exchange("/crm/v3/objects/calls", page(crm("8", **CALL))),
            exchange("/conversations/v3/conversations/threads", page(thread), first),
            exchange("/conversations/v3/conversations/threads/9/messages", page(MESSAGE, after="c2"), first),
            exchange("/conversations/v3/conversations/threads/9/messages", page(), {"after": "c2"}),
            exchange("/crm/v3/owners", page(owner)),
            exchange("/account-info/v3/activity/login", page(LOGIN)),
            exchange("/account-info/v3/activity/audit-logs", page(act)),
        ],
        {"access_token": "pat-secret"},
    )
    assert seen.recipients("contacts") == {"hubspot"}
    assert "user.contact.email" in seen.categories("notes")["properties"]


def test_only_named_properties_are_answered_and_each_of_them_is_known():
    contacts = next(each for each in connectors()["hubspot"].resources if each.name == "contacts")
    named = {f"/properties/{name}" for name in contacts.parameters["properties"].split(",")}
    assert named == {pointer for pointer in contacts.fields if pointer.startswith("/properties/")}
