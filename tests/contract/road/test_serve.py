"""`inventory serve` as a user runs it: the printed link signs in once, and nobody else is let in."""

from __future__ import annotations

import re
import signal

import httpx
import pytest

QUESTION = {"query": "{ systems(first: 5) { edges { node { name } } } }"}


@pytest.fixture
def served(command):
    """The address and the sign-in link that the command prints."""
    inventory = command()
    process = inventory.start("serve", "--port", "0")
    assert process.stdout is not None
    address = re.search(r"GraphQL at (http://127\.0\.0\.1:\d+)/graphql", process.stdout.readline())
    link = re.search(r"http://\S+/sign-in\?token=\S+", process.stdout.readline())
    assert address is not None
    assert link is not None
    yield address[1], link[0]
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert "Traceback" not in told
    assert process.returncode in (0, 130)


def test_the_link_signs_in_once_and_the_session_may_ask(served):
    address, link = served
    with httpx.Client(timeout=30) as browser:
        assert browser.get(f"{address}/healthz").status_code == 200
        assert browser.get(f"{address}/readyz").status_code == 200
        assert browser.post(f"{address}/graphql", json=QUESTION).status_code == 401
        assert browser.get(link).status_code == 303
        origin = {"Origin": address}
        answer = browser.post(f"{address}/graphql", json=QUESTION, headers=origin)
        assert answer.json() == {"data": {"systems": {"edges": []}}}
        assert (
            browser.post(f"{address}/graphql", json=QUESTION, headers={"Origin": "http://evil.example"}).status_code
            == 403
        )
    with httpx.Client(timeout=30) as another:
        assert another.get(link).status_code == 401
        assert another.post(f"{address}/graphql", json=QUESTION).status_code == 401


def test_a_taken_port_is_one_clear_line(served, command):
    port = served[0].rpartition(":")[2]
    done = command().run("serve", "--port", port, status=1)
    assert done.stderr.count("\n") == 1
    assert f"127.0.0.1:{port}" in done.stderr
