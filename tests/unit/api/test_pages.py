"""GraphiQL's page, built or not."""

import pytest

from inventory.api import pages


@pytest.fixture
def static(tmp_path, monkeypatch):
    monkeypatch.setattr(pages, "STATIC", tmp_path)
    return tmp_path


def test_without_built_files_the_service_says_how_to_build_them(browser, static):
    answer = browser.get("/graphql", headers={"accept": "text/html"})
    assert answer.status_code == 503
    assert "npm run build" in answer.text
    assert browser.post("/graphql", json={"query": "{ __typename }"}).status_code == 200


def test_the_page_has_the_nonce_of_its_own_policy(browser, static):
    (static / "graphiql").mkdir()
    (static / "graphiql" / "graphiql.html").write_text('<meta property="csp-nonce" nonce="__CSP_NONCE__">')
    answer = browser.get("/graphql")
    nonce = answer.text.split('nonce="')[1].split('"')[0]
    assert f"'nonce-{nonce}'" in answer.headers["content-security-policy"]
