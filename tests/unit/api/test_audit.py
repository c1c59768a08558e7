"""The audit: what is said is kept in order, whatever is done to it shows, and no value of a question is in it."""

from __future__ import annotations

import json
import threading
from concurrent.futures import wait

import pytest
from typer.testing import CliRunner

from inventory.api.audit import FOLDER, Audit, AuditError, files, lines, text_hash, texts_key
from inventory.errors import ConfigError
from inventory.installation import InstallationKey
from inventory.ledger import LedgerError

KEY = InstallationKey(b"k" * 64)
CANARY = "ada.lovelace@canary.example"


def said(folder):
    return [line.entry for _, line in lines(folder, KEY) if "event" not in line.entry]


@pytest.fixture
def three_files(tmp_path):
    """The audit of thirty requests, which three or more files hold."""
    audit = Audit(tmp_path, KEY, file_bytes=2000, soon=0.0)
    for number in range(30):
        audit.say({"number": number}).result(10)
    audit.close()
    assert len(files(tmp_path / FOLDER)) >= 3
    return tmp_path


def test_what_is_said_is_kept_in_order_by_whatever_thread(tmp_path):
    audit = Audit(tmp_path, KEY)
    threads = [
        threading.Thread(target=lambda who=who: [audit.say({"who": who, "n": n}) for n in range(50)])
        for who in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    audit.close()
    entries = said(tmp_path)
    assert len(entries) == 200
    for who in range(4):
        assert [entry["n"] for entry in entries if entry["who"] == who] == list(range(50))
    (path,) = files(tmp_path / FOLDER)
    assert path.stat().st_mode & 0o777 == 0o600


def test_many_lines_cost_few_writes(tmp_path, monkeypatch):
    from inventory.ledger import Ledger

    batches: list[int] = []
    append_all = Ledger.append_all
    monkeypatch.setattr(Ledger, "append_all", lambda self, said: batches.append(len(said)) or append_all(self, said))
    audit = Audit(tmp_path, KEY, soon=0.2)
    futures = [audit.say({"number": number}) for number in range(500)]
    futures[-1].result(10)
    audit.close()
    assert sum(batches) == 500
    assert len(batches) <= 3


def test_the_chain_goes_over_files_and_is_gone_on_with(three_files):
    assert [entry["number"] for entry in said(three_files)] == list(range(30))
    audit = Audit(three_files, KEY, file_bytes=2000)
    audit.say({"number": 30})
    audit.close()
    assert [entry["number"] for entry in said(three_files)] == list(range(31))


def test_a_program_that_died_between_two_files_goes_on(three_files):
    last = files(three_files / FOLDER)[-1]
    for path in (last, last.with_name(last.name + ".head"), last.with_name(last.name + ".lock")):
        path.unlink()
    with pytest.raises(LedgerError, match=last.name):
        said(three_files)
    audit = Audit(three_files, KEY, file_bytes=2000)
    audit.say({"number": 30})
    audit.close()
    assert said(three_files)[-1] == {"number": 30}


@pytest.mark.parametrize("place", [0, 1, -1], ids=["first", "middle", "last"])
@pytest.mark.parametrize("harm", ["file removed", "line altered", "line removed", "lines turned", "emptied"])
def test_any_harm_is_found_and_named(three_files, place, harm):
    path = files(three_files / FOLDER)[place]
    text = path.read_bytes().splitlines(keepends=True)
    match harm:
        case "file removed":
            path.unlink()
            path.with_name(path.name + ".head").unlink()
        case "line altered":
            path.write_bytes(b"".join([text[0].replace(b"20", b"21", 1), *text[1:]]))
        case "line removed":
            path.write_bytes(b"".join(text[1:]))
        case "lines turned":
            path.write_bytes(b"".join([text[1], text[0], *text[2:]]))
        case _:
            path.write_bytes(b"")
    with pytest.raises(LedgerError) as raised:
        said(three_files)
    assert path.name in str(raised.value)


def test_files_of_one_audit_do_not_fit_another(three_files, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    audit = Audit(other, KEY, file_bytes=2000, soon=0.0)
    for number in range(30):
        audit.say({"number": -number}).result(10)
    audit.close()
    second = files(three_files / FOLDER)[1].name
    for name in (second, second + ".head"):
        (three_files / FOLDER / name).write_bytes((other / FOLDER / name).read_bytes())
    with pytest.raises(LedgerError, match=f"{second}, line 1"):
        said(three_files)


def test_one_process_at_a_time_writes(tmp_path):
    audit = Audit(tmp_path, KEY)
    with pytest.raises(ConfigError, match="another process"):
        Audit(tmp_path, KEY)
    audit.close()
    Audit(tmp_path, KEY).close()


def test_an_audit_that_cannot_be_written_says_so_and_recovers_without_loss(tmp_path, monkeypatch):
    from inventory.api import audit as module
    from inventory.ledger import Ledger

    monkeypatch.setattr(module, "AGAIN", 0.01)
    full = threading.Event()
    append_all = Ledger.append_all

    def append(self, entries):
        if full.is_set():
            raise ConfigError(str(self.path), "No space left on device")
        return append_all(self, entries)

    monkeypatch.setattr(Ledger, "append_all", append)
    audit = Audit(tmp_path, KEY, soon=0.0)
    audit.say({"number": 0}).result(10)
    full.set()
    kept = audit.say({"number": 1})

    def check_until_written():
        while not wait([kept], timeout=0.005).done:  # a loop without a rest would keep the writer from its lock
            audit.check()

    with pytest.raises(AuditError, match="No space left"):
        check_until_written()
    full.clear()
    kept.result(10)
    audit.check()
    audit.close()
    assert [entry["number"] for entry in said(tmp_path)] == [0, 1]


def test_a_log_that_is_closed_does_not_end_the_audit(tmp_path, monkeypatch):
    import io

    import structlog

    from inventory.api import audit as module
    from inventory.ledger import Ledger

    closed = io.StringIO()
    closed.close()
    log = structlog.wrap_logger(structlog.PrintLogger(closed), [structlog.processors.JSONRenderer()])
    monkeypatch.setattr(module, "_log", log)
    monkeypatch.setattr(module, "AGAIN", 0.01)
    append_all, fails = Ledger.append_all, iter([True])

    def append(self, entries):
        if next(fails, False):
            raise ConfigError(str(self.path), "No space left on device")
        return append_all(self, entries)

    monkeypatch.setattr(Ledger, "append_all", append)
    audit = Audit(tmp_path, KEY, soon=0.0)
    audit.say({"number": 0}).result(10)
    audit.check()
    audit.close()


def test_lines_that_could_not_be_written_are_not_lost_in_silence(tmp_path, monkeypatch):
    from inventory.ledger import Ledger

    audit = Audit(tmp_path, KEY, soon=0.0)
    monkeypatch.setattr(Ledger, "append_all", lambda *_: (_ for _ in ()).throw(ConfigError("x", "is full")))
    audit.say({"number": 0})
    with pytest.raises(AuditError, match="1 lines could not be written: is full"):
        audit.close()


# --- what the service says --------------------------------------------------------------------------------------


@pytest.fixture
def audited(service, client_of, tmp_path, deaf_catalogue):
    """A client of a service with an audit, and what the audit holds once it is closed."""
    from starlette.testclient import TestClient

    from inventory.api.app import create_app

    audit = Audit(tmp_path, KEY)
    app = create_app(deaf_catalogue, service().state.settings, audit=audit)
    client: TestClient = client_of(app, authorization="Bearer a-token-for-programs-0123456789")

    def entries():
        audit.close()
        return said(tmp_path)

    client.audit = audit  # pyright: ignore[reportAttributeAccessIssue]
    return client, entries


def test_a_question_is_in_the_audit_without_its_values(audited, tmp_path):
    client, entries = audited
    query = (
        'query Who($t: String!, $n: Int) { one: search(text: $t) { edges { cursor } } category(key: "'
        + CANARY
        + '") { key } }'
    )
    client.post("/graphql", json={"query": query, "variables": {"t": CANARY.upper(), "n": 5}})
    client.post("/graphql", json={"query": query, "variables": {"t": "other"}})
    first, second = entries()
    assert first["operation"] == "Who"
    assert first["kind"] == "query"
    assert first["fields"] == ["category", "search"]
    assert first["caller"]["by"] == "token"
    assert first["caller"]["roles"]
    assert first["status"] == 200
    assert first["outcome"] != "OK"
    assert first["ms"] > 0
    assert first["identifiers"]["t"] == first["identifiers"][""] == [text_hash(texts_key(KEY), CANARY)]
    assert second["identifiers"]["t"] != first["identifiers"]["t"]
    assert second["document"] == first["document"]
    assert "n" not in first["identifiers"]
    assert CANARY.casefold() not in "".join(path.read_text("utf-8") for path in files(tmp_path / FOLDER)).casefold()


def test_refusals_and_sign_ins_are_in_the_audit(audited):
    client, entries = audited
    client.post("/graphql", json={"query": "{ __typename }"}, headers={"authorization": "Bearer wrong"})
    client.get("/sign-in", params={"token": "wrong"})
    link = client.app.state.doorkeeper.create_link_token()
    client.get("/sign-in", params={"token": link})
    client.post("/graphql", content=b"{", headers={"content-type": "application/json"})
    client.post("/graphql", json={"query": "{ a }"}, headers={"host": "elsewhere.example"})
    client.get("/healthz")
    told = [(entry["route"], entry["status"], entry["outcome"]) for entry in entries()]
    assert told == [
        ("/graphql", 401, "UNAUTHENTICATED"),
        ("/sign-in", 401, "SIGN_IN_LINK_NOT_VALID"),
        ("/sign-in", 303, "OK"),
        ("/graphql", 400, "BAD_REQUEST"),
        ("/graphql", 421, "UNKNOWN_HOST"),
    ]


def test_strangers_cannot_fill_the_disk(audited, monkeypatch):
    from inventory.api import audited as module

    monkeypatch.setattr(module, "_STRANGERS_A_SECOND", 2)
    client, entries = audited
    for _ in range(40):
        client.post("/graphql", json={}, headers={"authorization": "Bearer wrong", "x": "y"})
    told = entries()
    assert 2 <= len(told) < 40


def test_nothing_is_answered_while_the_audit_cannot_be_written(audited, monkeypatch):
    client, _ = audited
    monkeypatch.setattr(client.audit, "_cause", "No space left on device")
    answer = client.post("/graphql", json={"query": "{ __typename }"})
    assert answer.status_code == 503
    assert answer.json()["errors"][0]["extensions"]["code"] == "AUDIT"
    assert client.get("/healthz").status_code == 200


def test_rows_are_counted_by_field():
    from inventory.api.audited import answered
    from inventory.api.documents import Documents

    document = Documents(ad_hoc=True, tokens=100).chosen({"query": "{ a: x { b } c: x { b } y z n }"})
    data = {"a": {"edges": [1, 2]}, "c": {"b": 1}, "y": [1, 2, 3], "z": 1, "n": None}
    assert answered(document, data, []) == {"rows": {"x": 3, "y": 3, "z": 1, "n": 0}, "outcome": "OK"}


# --- the command line -------------------------------------------------------------------------------------------


@pytest.fixture
def command(tmp_path):
    from inventory.cli import app

    (tmp_path / "inventory.yaml").write_text(f"data_dir: {tmp_path}\n", "utf-8")
    return lambda *words, **options: CliRunner().invoke(
        app, ["audit", *words, "--config", str(tmp_path / "inventory.yaml")], **options
    )


def test_the_command_line_verifies_and_shows(command, tmp_path):
    from inventory.installation import installation_key

    key = installation_key(tmp_path)
    audit = Audit(tmp_path, key)
    ada = {"search": audit.hashes([CANARY])}
    base = {"caller": None, "method": "POST", "route": "/graphql", "outcome": "OK"}
    audit.say(base | {"operation": "Search", "identifiers": ada, "rows": {"search": 2}})
    audit.say(base | {"operation": "Systems", "identifiers": {}})
    audit.close()
    assert json.loads(command("verify", "--json").stdout)["lines"] == 2
    shown = json.loads(command("show", "--json").stdout)
    assert [line["operation"] for line in shown] == ["Search", "Systems"]
    assert json.loads(command("show", "--json", "--since", "2999-01-01").stdout) == []
    about = json.loads(command("show", "--json", "--about", "-", input=f" {CANARY.upper()}\n").stdout)
    assert [line["operation"] for line in about] == ["Search"]
    (path,) = files(tmp_path / FOLDER)
    path.write_bytes(path.read_bytes().replace(b"Search", b"Orphan"))
    result = command("verify")
    assert isinstance(result.exception, LedgerError)
    assert "line 1" in str(result.exception)
