"""GraphiQL in a real browser: signed in by the link, a question asked, nothing fetched from elsewhere."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path
from typing import NoReturn

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def _missing(what: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(f"GraphiQL's browser test: {what}")
    pytest.skip(f"GraphiQL's browser test: {what}")


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The service over a small graph, served by uvicorn; gives its address and a sign-in link."""
    from datetime import UTC, datetime

    from inventory import model as m
    from inventory.api.app import create_app, create_sign_in_link, stop
    from inventory.api.app import serve as serve_app
    from inventory.api.settings import ApiSettings
    from inventory.graph.catalogue import Catalogue
    from inventory.graph.engine import engine_graph
    from inventory.graph.schema import migrate
    from inventory.graph.writer import GraphWriter, ScanRun
    from inventory.policy.declared import declare_vocabulary

    at = datetime(2026, 1, 1, tzinfo=UTC)
    system, table = "postgres://db.example:5432", "postgres://db.example:5432/shop.public.customers"
    field = m.field_urn(table, "email")
    with engine_graph(tmp_path_factory.mktemp("graphiql-engine")) as graph:
        migrate(graph)
        writer = GraphWriter(graph)
        declare_vocabulary(writer, at)
        writer.load(
            ScanRun("run1", "shop", at),
            [
                m.SystemSeen(system, m.SystemKind.DATABASE, "Shop database", "postgresql"),
                m.DatasetSeen(table, system, m.DatasetKind.TABLE, "shop.public.customers"),
                m.FieldSeen(field, table, "email", "text", 0),
                m.FieldClassified(
                    field, "user.contact.email", 0.9, (m.Evidence("value:email", "9 of 9 values", 4.0),), "columns/1"
                ),
                m.Covered(table, m.Aspect.STRUCTURE),
                m.Covered(table, m.Aspect.CONTENT),
                m.Covered(system, m.Aspect.LISTING),
            ],
        )
        app = create_app(Catalogue(graph), ApiSettings(port=0))
        ready = threading.Event()
        found: list[str] = []

        def note(where: str) -> None:
            found.append(where)
            ready.set()

        serving = threading.Thread(target=serve_app, args=(app,), kwargs={"ready": note})
        serving.start()
        assert ready.wait(30)
        try:
            yield found[0], create_sign_in_link(app, found[0])
        finally:
            stop(app)
            serving.join(30)
            assert not serving.is_alive()


@pytest.fixture(scope="module")
def page():
    try:
        from playwright import sync_api as playwright
    except ImportError:
        _missing("Playwright is not installed")
    if CHROMIUM is None:
        _missing("there is no chromium")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser.new_page(viewport={"width": 1280, "height": 800})
        finally:
            browser.close()


def test_a_question_is_asked_in_the_browser(address, page):
    from inventory.api.pages import STATIC

    if not (STATIC / "graphiql" / "graphiql.html").exists():
        _missing("GraphiQL is not built (npm ci && npm run build in explorer/)")
    origin, link = address
    requested: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.add_init_script(
        "addEventListener('securitypolicyviolation', e => console.error('CSP', e.violatedDirective, e.blockedURI))"
    )

    page.goto(link)
    page.wait_for_url(f"{origin}/graphql")
    page.locator(".graphiql-query-editor").get_by_text("whereIs", exact=True).wait_for()
    page.locator(".result-window .CodeMirror").wait_for()
    page.get_by_role("button", name="Execute query").click()
    answer = page.locator(".result-window")
    answer.get_by_text("shop.public.customers#email").first.wait_for()
    assert "user.contact.email" in answer.inner_text()
    page.get_by_label("Open settings dialog").click()
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    page.get_by_label("Show Documentation Explorer").click()
    page.get_by_text("Root Types").wait_for()
    if picture := os.environ.get("GRAPHIQL_SCREENSHOT"):
        page.screenshot(path=Path(picture))

    elsewhere = [url for url in requested if not url.startswith((origin, "data:", "blob:"))]
    assert elsewhere == []
    assert complaints == []
    assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
