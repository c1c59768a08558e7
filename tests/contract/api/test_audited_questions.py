"""Trusted documents answered by a graph, and what the audit says of them: rows by field, decisions on the disk."""

from __future__ import annotations

import hashlib
import json

import pytest

TOKEN = "a-token-for-programs-0123456789"


@pytest.fixture
def audited(catalogue, tmp_path):
    """A client of a service over the map, and its audit."""
    from pydantic import SecretStr
    from starlette.testclient import TestClient

    from inventory.api.app import create_app
    from inventory.api.audit import Audit
    from inventory.api.settings import ApiSettings
    from inventory.installation import InstallationKey

    audit = Audit(tmp_path, InstallationKey(b"k" * 64))
    app = create_app(catalogue, ApiSettings(tokens=(SecretStr(TOKEN),)), audit=audit)
    headers = {"authorization": f"Bearer {TOKEN}"}
    with TestClient(app, base_url="http://127.0.0.1:8484", headers=headers) as client:
        yield client, audit


def told(folder):
    from inventory.api.audit import lines
    from inventory.installation import InstallationKey

    return [line.entry for _, line in lines(folder, InstallationKey(b"k" * 64))]


def test_trusted_questions_and_decisions_are_answered_and_told(audited, tmp_path):
    from inventory.api.contract import operations

    client, audit = audited
    hashes = {name: hashlib.sha256(operation.text.encode()).hexdigest() for name, operation in operations().items()}

    def ask(name, variables):
        return client.post("/graphql", json={"documentId": f"sha256:{hashes[name]}", "variables": variables}).json()

    for _ in range(2):  # parsed and validated once, answered alike
        assert len(ask("Systems", {})["data"]["systems"]["edges"]) == 2
    by_address = {"documentId": f"sha256:{hashes['Systems']}", "variables": json.dumps({"first": 1})}
    assert len(client.get("/graphql", params=by_address).json()["data"]["systems"]["edges"]) == 1
    field = "postgres://db.example:5432/shop.public.customers#email"
    decision = {"field": field, "category": "user.contact.email", "state": "CONFIRMED"}
    assert "errors" not in ask("ReviewClassification", decision)
    on_disk = told(tmp_path)  # a decision is answered when it is there, and all before it
    audit.close()
    assert [entry["operation"] for entry in on_disk] == ["Systems", "Systems", "Systems", "ReviewClassification"]
    assert [entry.get("rows") for entry in on_disk[:3]] == [{"systems": 2}, {"systems": 2}, {"systems": 1}]
    assert {entry["document"] for entry in on_disk} == {hashes["Systems"], hashes["ReviewClassification"]}
    assert on_disk[3]["kind"] == "mutation"
    assert field not in json.dumps(on_disk)
