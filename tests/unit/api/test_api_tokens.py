"""API tokens: made once, known by their digest, refused when they are expired or revoked."""

from __future__ import annotations

import json
import os
import re
import stat
import threading
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from starlette.websockets import WebSocketDisconnect
from typer.testing import CliRunner

from inventory.api.roles import Permission, Role
from inventory.api.tokens import TokenStore
from inventory.errors import ConfigError, QuestionError

QUESTION = {"query": "{ __typename }"}
MONTH = timedelta(days=30)


@pytest.fixture
def store(tmp_path):
    return TokenStore(tmp_path)


@pytest.fixture
def app(deaf_catalogue, tmp_path):
    from inventory.api.app import create_app
    from inventory.api.settings import ApiSettings

    settings = ApiSettings(tokens=(SecretStr("configured"),), token_roles=(Role.VIEWER,))
    return create_app(deaf_catalogue, settings, tokens=TokenStore(tmp_path))


def test_a_token_has_256_bits_and_is_kept_as_its_digest(store):
    secret, token = store.create("ci", [Role.ENGINEER], MONTH)
    assert re.fullmatch(f"inv_{token.id}_[A-Za-z0-9_-]{{43}}", secret)
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert secret.rpartition("_")[2].encode() not in store.path.read_bytes()
    assert secret not in repr(store.tokens())


def test_what_was_made_is_found_and_nothing_else(store):
    secret, token = store.create("ci", [Role.ENGINEER], MONTH, [Permission.SEND_LINEAGE])
    found = store.find(secret)
    assert (found.name, found.roles, found.scopes) == ("ci", {Role.ENGINEER}, {Permission.SEND_LINEAGE})
    flipped = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    for wrong in (flipped, secret + "x", f"inv_{token.id}_", f"inv_{token.id}", "inv", "inv_", "", "inv_' OR 1=1 --_x"):
        assert store.find(wrong) is None


def test_expired_and_revoked_tokens_are_refused(tmp_path):
    now = datetime(2026, 1, 1, 10, 30, tzinfo=UTC)
    store = TokenStore(tmp_path, clock=lambda: now)
    (first, _), (second, _) = (store.create(name, [Role.VIEWER], MONTH) for name in ("first", "second"))
    store.revoke("second")
    assert [store.find(first) is None, store.find(second) is None] == [False, True]
    now += MONTH
    assert store.find(first) is None
    with pytest.raises(QuestionError, match="not valid any more"):
        store.revoke("first")
    store.create("first", [Role.VIEWER], MONTH)  # the name is free again


def test_a_revocation_in_another_process_counts_at_once(tmp_path):
    service, shell = TokenStore(tmp_path), TokenStore(tmp_path)
    assert service.find("inv_00000000_x") is None, "nothing is made by looking"
    assert not service.path.exists()
    secret, token = shell.create("ci", [Role.VIEWER], MONTH)
    assert service.find(secret) is not None
    shell.revoke(token.id)
    assert service.find(secret) is None


def test_when_it_was_used_is_known_to_the_hour(tmp_path):
    now = datetime(2026, 1, 1, 10, 30, tzinfo=UTC)
    store = TokenStore(tmp_path, clock=lambda: now)
    secret, _ = store.create("ci", [Role.VIEWER], MONTH)
    store.find(secret)
    assert store.tokens()[0].used == now.replace(minute=0)
    now += timedelta(hours=2)
    store.find(secret)
    assert store.tokens()[0].used == now.replace(minute=0)


def test_of_many_who_make_the_same_one_does(tmp_path):
    made, refused = [], []

    def make():
        try:
            made.append(TokenStore(tmp_path).create("same", [Role.VIEWER], MONTH))
        except QuestionError as error:
            refused.append(error)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(made), len(refused)) == (1, 7)


@pytest.mark.parametrize("name", ["", "x" * 61, "a\nb", "\x1b[31m"])
def test_names_are_short_and_printable(store, name):
    with pytest.raises(QuestionError, match="printable"):
        store.create(name, [Role.VIEWER], MONTH)


def test_a_file_that_others_can_read_or_that_is_none_is_refused(store, tmp_path):
    store.create("ci", [Role.VIEWER], MONTH)
    os.chmod(store.path, 0o644)  # noqa: PTH101
    with pytest.raises(ConfigError, match="can be read by others"):
        TokenStore(tmp_path).tokens()
    os.chmod(store.path, 0o600)  # noqa: PTH101
    store.close()
    store.path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(ConfigError, match="cannot be read"):
        TokenStore(tmp_path).tokens()


def test_the_service_lets_them_in_until_they_are_revoked(app, store, client_of):
    secret, _ = store.create("ci", [Role.ENGINEER], MONTH)
    client = client_of(app, authorization=f"Bearer {secret}")
    assert client.post("/graphql", json=QUESTION).status_code == 200
    store.revoke("ci")
    assert client.post("/graphql", json=QUESTION).status_code == 401


def test_a_broken_file_refuses_these_tokens_and_no_others(app, store, client_of):
    store.path.write_bytes(b"not a database at all" * 100)
    store.path.chmod(0o600)
    answer = client_of(app, authorization="Bearer inv_00000000_x").post("/graphql", json=QUESTION)
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (503, "SIGN_IN_UNAVAILABLE")
    assert str(store.path) not in answer.text
    assert client_of(app, authorization="Bearer configured").post("/graphql", json=QUESTION).status_code == 200


def test_a_scope_narrows_what_a_token_may(app, store, client_of):
    secret, _ = store.create("airflow", [Role.ENGINEER], MONTH, [Permission.SEND_LINEAGE])
    client = client_of(app, authorization=f"Bearer {secret}")
    answer = client.post("/graphql", json=QUESTION)
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (403, "FORBIDDEN")
    assert "scope read" in answer.text
    headers = {"content-type": "application/json"}
    assert client.post("/api/v1/lineage", content=b"{}", headers=headers).status_code == 400


def test_whoever_only_reads_sends_no_lineage_and_decides_nothing(app, client_of):
    client = client_of(app, authorization="Bearer configured")
    answer = client.post("/api/v1/lineage", json={})
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (403, "FORBIDDEN")
    review = 'mutation { reviewClassification(field: "a#b", category: "user", state: CONFIRMED) { id } }'
    (error,) = client.post("/graphql", json={"query": review}).json()["errors"]
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert "needs one of the roles engineer, privacy, admin; you have viewer" in error["message"]


def test_an_open_connection_ends_when_its_token_is_revoked(app, store, client_of):
    secret, _ = store.create("dashboard", [Role.VIEWER], MONTH)
    client = client_of(app, authorization=f"Bearer {secret}")
    with client.websocket_connect("ws://127.0.0.1:8484/graphql", subprotocols=["graphql-transport-ws"]) as opened:
        opened.send_json({"type": "connection_init"})
        assert opened.receive_json()["type"] == "connection_ack"
        store.revoke("dashboard")
        opened.send_json({"type": "ping"})
        with pytest.raises(WebSocketDisconnect) as ended:
            opened.receive_json()
    assert ended.value.code == 4401


def test_the_command_line_makes_lists_and_revokes(tmp_path, monkeypatch):
    from inventory.cli import app as commands

    monkeypatch.chdir(tmp_path)
    runner = CliRunner()
    made = runner.invoke(
        commands, ["token", "create", "--name", "ci", "--role", "engineer", "--role", "dsar", "--json"]
    )
    assert made.exit_code == 0, made.output
    said = json.loads(made.stdout)
    assert (said["roles"], said["used"]) == (["dsar", "engineer"], None)
    found = TokenStore(tmp_path / ".inventory").find(said["token"])
    assert found is not None
    assert found.name == "ci"
    listed = runner.invoke(commands, ["token", "list"]).stdout
    assert said["id"] in listed
    assert said["token"] not in listed
    assert runner.invoke(commands, ["token", "revoke", "ci"]).exit_code == 0
    assert TokenStore(tmp_path / ".inventory").find(said["token"]) is None
    assert isinstance(
        runner.invoke(commands, ["token", "create", "--name", "x", "--role", "boss"]).exception, ConfigError
    )
