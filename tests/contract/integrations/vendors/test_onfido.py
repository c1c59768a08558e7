"""Scanning an Onfido account as its documentation has it."""

from __future__ import annotations

APPLICANT = {
    "id": "a1canary",
    "created_at": "2024-01-02T03:04:05Z",
    "href": "/v3.6/applicants/a1canary",
    "first_name": "Canary",
    "last_name": "First",
    "email": "first@canary.example",
    "phone_number": "+15145550100",
    "dob": "1990-01-31",
    "id_numbers": [{"type": "tax_id", "value": "canary-1"}],
    "address": {
        "flat_number": "1",
        "building_number": "2",
        "building_name": "Canary House",
        "street": "rue Canary",
        "sub_street": "Canary court",
        "line1": "2 rue Canary",
        "line2": "1",
        "line3": "",
        "town": "Montréal",
        "state": "QC",
        "postcode": "H2X 1Y4",
        "country": "CAN",
    },
    "location": {"ip_address": "203.0.113.7", "country_of_residence": "CAN"},
}
MEDIA = {
    "id": "m1",
    "created_at": "2024-01-02T03:04:05Z",
    "file_name": "canary.png",
    "file_type": "image/png",
    "file_size": 1000,
    "download_href": "https://api.eu.onfido.com/v3.6/live_photos/m1/download",
}
PERSON = {
    "first_name": "Canary",
    "middle_name": "C.",
    "last_name": "First",
    "date_of_birth": "1990-01-31",
    "place_of_birth": "Montréal",
    "gender": "Female",
    "nationality": "CAN",
    "civil_state": "single",
    "religion": "",
    "profession": "engineer",
    "father_name": "Canary Father",
    "mother_name": "Canary Mother",
    "spouse_name": "Canary Spouse",
    "address": "2 rue Canary",
    "address_lines": {"street_address": "2 rue Canary"},
    "personal_number": "canary-2",
    "tax_number": "canary-3",
    "document_numbers": [{"type": "document_number", "value": "canary-4"}],
    "date_of_expiry": "2031-05-28",
    "mrz_line1": "P<CANCANARY",
    "mrz_line2": "CANARY<<",
    "mrz_line3": "",
    "extracted_data": {"document_number": "canary-4"},
    "nfc": {"document_number": "canary-4"},
    "barcode": [{"document_number": "canary-4"}],
    "ip": {"address": "203.0.113.7"},
    "geolocation": {"city": "Montréal", "country": "Canada"},
    "device": {"os": "iOS", "browser": "Safari"},
    "records": [{"full_name": "Canary First", "event": []}],
}


def test_an_account(documented, exchange):
    of_applicant = {"applicant_id": "a1canary"}
    document = {**MEDIA, "applicant_id": "a1canary", "type": "passport", "issuing_country": "CAN"}
    check = {"id": "c1", "applicant_id": "a1canary", "status": "complete", "result": "clear"}
    report = {"id": "r1", "check_id": "c1", "name": "document", "result": "clear", "properties": PERSON}
    run = {
        "id": "w1",
        "workflow_id": "f1",
        "applicant_id": "a1canary",
        "customer_user_id": "77",
        "output": {"dob": "x"},
    }
    hook = {"id": "h1", "url": "https://hooks.zapier.com/canary", "token": "canary", "enabled": True}
    seen = documented(
        "onfido",
        "ours",
        {"Authorization": "Token token=api_live.secret"},
        [
            exchange("/v3.6/ping", {}),
            exchange("/v3.6/applicants", {"applicants": [APPLICANT]}, {"page": "1", "per_page": "100"}),
            exchange("/v3.6/documents", {"documents": [document]}, of_applicant),
            exchange("/v3.6/live_photos", {"live_photos": [MEDIA]}, of_applicant),
            exchange("/v3.6/live_videos", {"live_videos": [MEDIA]}, of_applicant),
            exchange("/v3.6/motion_captures", {"motion_captures": [MEDIA]}, of_applicant),
            exchange("/v3.6/id_photos", {"id_photos": [MEDIA]}, of_applicant),
            exchange("/v3.6/checks", {"checks": [{**check, "privacy_notices_read_consent_given": True}]}, of_applicant),
            exchange("/v3.6/reports", {"reports": [{**report, "breakdown": {"x": {}}}]}, {"check_id": "c1"}),
            exchange("/v3.6/workflow_runs", [run], {"page": "1"}),
            exchange("/v3.6/webhooks", {"webhooks": [{**hook, "oauth_server_client_secret": "canary"}]}),
        ],
        {"api_token": "api_live.secret"},
        variables={"region": "eu"},
        path="/v3.6",
    )
    assert seen.recipients("webhooks") == {"onfido", "zapier"}
    assert seen.recipients("reports") == {"onfido"}
