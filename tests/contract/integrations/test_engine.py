"""The HTTP engine before servers that do what servers should not."""

from __future__ import annotations

import gzip
import json
import logging
import pickle
import threading
import tracemalloc
import zlib
from urllib.parse import parse_qs, urlsplit

import pytest

from inventory.errors import InventoryError, SourceError, UnreadableError
from scanners.integrations.connector import CursorPaging, LinkPaging, NoPaging, OffsetPaging, Paging, TokenPaging
from scanners.integrations.engine import Engine, Limits, Pages, Request

CURSOR = CursorPaging(style="cursor", parameter="after", key="/id", more="/more")
THINGS = Request("things", "/things", parameters={"limit": "2"})


@pytest.fixture
def engine(misbehaving):
    """An engine that notes how long it would have slept."""
    waits: list[float] = []
    engine = Engine("crm", misbehaving.address, headers={"Authorization": "Bearer sk_secret"}, wait=waits.append)
    engine.waits = waits  # pyright: ignore[reportAttributeAccessIssue]
    yield engine
    engine.close()


def failing(engine: Engine, paging: Paging = CURSOR, request: Request = THINGS) -> InventoryError:
    with pytest.raises(InventoryError) as caught:
        list(engine.records(request, "/data", paging, Pages()))
    message = str(caught.value)
    assert message.startswith("crm")
    for secret in ("sk_secret", "canary", "127.0.0.1", "169.254", "http:"):
        assert secret not in message
    return caught.value


def parameters(path: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}


def read(engine: Engine, paging) -> tuple[list[int], bool]:
    pages = Pages()
    return [row["id"] for row in engine.records(THINGS, "/data", paging, pages)], pages.complete


def test_a_cursor_leads_through_all_pages(engine, misbehaving):
    def reply(handler):
        start = int(parameters(handler.path).get("after", 0))
        page = [{"id": n} for n in range(start + 1, min(start + 3, 6))]
        misbehaving.send(
            handler,
            repr({"data": page, "more": start + 3 <= 5}).replace("'", '"').replace("T", "t").replace("F", "f").encode(),
        )

    misbehaving.answers["/things"] = reply
    assert read(engine, CURSOR) == ([1, 2, 3, 4, 5], True)
    assert [parameters(path) for path in misbehaving.asked][1] == {"limit": "2", "after": "2"}


def test_a_token_leads_through_all_pages(engine, misbehaving):
    misbehaving.sequence(
        "/things", (200, {"data": [{"id": 1}], "next": "t1"}, {}), (200, {"data": [{"id": 2}], "next": ""}, {})
    )
    assert read(engine, TokenPaging(style="token", parameter="t", token="/next")) == ([1, 2], True)


def test_an_offset_leads_through_all_pages(engine, misbehaving):
    misbehaving.sequence("/things", (200, {"data": [{"id": 1}, {"id": 2}]}, {}), (200, {"data": [{"id": 3}]}, {}))
    paging = OffsetPaging(style="offset", parameter="offset", size_parameter="limit", size=2)
    assert read(engine, paging) == ([1, 2, 3], True)
    assert parameters(misbehaving.asked[1]) == {"limit": "2", "offset": "2"}


@pytest.mark.parametrize("in_header", [True, False])
def test_a_link_leads_through_all_pages(engine, misbehaving, in_header: bool):
    body = {"data": [{"id": 1}]} | ({} if in_header else {"next": "/things/2"})
    misbehaving.answer("/things", body, **({"Link": '</things/2>; rel="next"'} if in_header else {}))
    misbehaving.answer("/things/2", {"data": [{"id": 2}]})
    assert read(engine, LinkPaging(style="link", next=None if in_header else "/next")) == ([1, 2], True)


def test_a_list_whose_every_page_has_a_next_one_ends_with_an_empty_page(engine, misbehaving):
    misbehaving.answer("/things", {"data": [{"id": 1}], "next": "/things/2"})
    misbehaving.answer("/things/2", {"data": [], "next": "/things/3"})
    assert read(engine, LinkPaging(style="link", next="/next", ends_empty=True)) == ([1], True)


def test_a_busy_server_is_asked_again_when_it_says(engine, misbehaving):
    misbehaving.sequence(
        "/things",
        (429, {}, {"Retry_After": "7"}),
        (503, {}, {}),
        (200, {"data": [{"id": 1}], "more": False}, {}),
    )
    assert read(engine, CURSOR) == ([1], True)
    assert engine.waits == [7.0, 1.0]


def test_a_storm_of_429_ends(engine, misbehaving):
    misbehaving.answer("/things", {"canary": 1}, 429, Retry_After="50")
    assert failing(engine).code == "rate-limited"
    assert 1 < len(misbehaving.asked) <= Limits().attempts
    assert sum(engine.waits) <= Limits().all_waits
    failing(engine)
    assert sum(engine.waits) <= Limits().all_waits


def test_nobody_is_asked_again_before_it_wants_to_be(engine, misbehaving):
    misbehaving.answer("/things", {}, 429, Retry_After="86400")
    assert failing(engine).code == "rate-limited"
    assert (len(misbehaving.asked), engine.waits) == (1, [])


@pytest.mark.parametrize(
    "body, status, kind, code",
    [
        (b"<html>canary</html>", 200, "text/html", "not-json"),
        (b'{"data": [{"canary": ', 200, "application/json", "not-json"),
        (b"[" * 200_000, 200, "application/json", "not-json"),
        ({"data": {"canary": 1}}, 200, "application/json", "unexpected-answer"),
        ({"data": ["canary"]}, 200, "application/json", "unexpected-answer"),
        ({"data": [], "more": True}, 200, "application/json", "half-page"),
        ({"error": "canary"}, 400, "application/json", "refused"),
        ({"error": "canary"}, 403, "application/json", "not-granted"),
        ({"error": "canary"}, 500, "application/json", "server-error"),
    ],
)
def test_an_odd_answer_is_said_without_its_content(engine, misbehaving, body, status: int, kind: str, code: str):
    misbehaving.answer("/things", body, status, kind)
    error = failing(engine)
    assert isinstance(error, UnreadableError)
    assert error.code == code


def test_refused_credentials_are_the_whole_sources_fault(engine, misbehaving):
    misbehaving.answer("/things", {"message": "canary"}, 401)
    assert isinstance(failing(engine), SourceError)


@pytest.mark.parametrize(
    "where",
    ["http://169.254.169.254/latest/meta-data/", "http://canary.example/", "http://localhost:1/", "//x.example/"],
)
def test_nothing_leads_elsewhere(engine, misbehaving, where: str):
    misbehaving.answer("/things", {"data": [{"id": 1}], "next": where}, 302, Location=where)
    assert failing(engine).code == "redirect"
    misbehaving.answer("/things", {"data": [{"id": 1}], "next": where})
    assert failing(engine, LinkPaging(style="link", next="/next")).code == "elsewhere"
    assert len(misbehaving.asked) == 2


def test_a_link_local_address_is_never_asked():
    engine = Engine("crm", "http://169.254.169.254", wait=lambda _: None)
    assert failing(engine).code == "elsewhere"


def test_a_circle_of_pages_is_noticed(engine, misbehaving):
    misbehaving.answer("/things", {"data": [{"id": 1}], "more": True})
    assert failing(engine).code == "cycle"
    assert len(misbehaving.asked) == 2


def test_pages_without_end_have_one(misbehaving):
    engine = Engine("crm", misbehaving.address, limits=Limits(pages=20), wait=lambda _: None)
    count = iter(range(10**6))
    misbehaving.answers["/things"] = lambda handler: misbehaving.send(
        handler, b'{"data": [{"id": %d}], "more": true}' % next(count)
    )
    assert failing(engine).code == "too-many-pages"
    assert len(misbehaving.asked) == 20
    engine.close()


def test_an_answer_of_two_gigabytes_is_not_read(engine, misbehaving):
    sent = 0

    def reply(handler):
        nonlocal sent
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(2**31))
        handler.end_headers()
        block = b" " * 2**20
        try:
            for _ in range(2**11):
                handler.wfile.write(block)
                sent += len(block)
        except OSError:
            pass

    misbehaving.answers["/things"] = reply
    assert failing(engine).code == "too-large"
    assert sent < 64 * 2**20


def packed(engine, misbehaving, data: bytes):
    misbehaving.answer("/things", data, Content_Encoding="gzip")
    return list(engine.records(THINGS, "/data", NoPaging(), Pages()))


def test_a_packed_answer_is_unpacked(engine, misbehaving):
    rows = [{"id": n} for n in range(1000)]
    assert packed(engine, misbehaving, gzip.compress(json.dumps({"data": rows}).encode())) == rows
    assert misbehaving.headers[0]["accept-encoding"] == "gzip"


def test_what_is_packed_small_and_is_large_is_not_unpacked(engine, misbehaving):
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    data = b"".join(packer.compress(b" " * 2**20) for _ in range(2**7)) + packer.flush()
    assert len(data) < Limits().response
    tracemalloc.start()
    with pytest.raises(UnreadableError) as caught:
        packed(engine, misbehaving, data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.code == "too-large"
    assert peak < 4 * Limits().response < 2**27


@pytest.mark.parametrize(
    "data, code",
    [(b"canary", "not-json"), (gzip.compress(b'{"data": []}' * 99)[:-9], "broken-answer"), (b"", "broken-answer")],
)
def test_what_is_badly_packed_is_said(engine, misbehaving, data: bytes, code: str):
    with pytest.raises(UnreadableError) as caught:
        packed(engine, misbehaving, data)
    assert caught.value.code == code


def test_no_cookie_is_kept(engine, misbehaving):
    misbehaving.answer("/things", {"data": []}, Set_Cookie="session=canary")
    for _ in range(2):
        list(engine.records(THINGS, "/data", NoPaging(), Pages()))
    assert "cookie" not in misbehaving.headers[1]


@pytest.mark.parametrize("status", [401, 403, 500])
def test_what_goes_wrong_travels_between_processes(engine, misbehaving, status: int):
    misbehaving.answer("/things", {}, status)
    error = failing(engine)
    there = pickle.loads(pickle.dumps(error))
    assert isinstance(error, type(there))
    assert (str(there), there.code) == (str(error), error.code)


def test_an_answer_that_drips_is_not_waited_for(misbehaving):
    engine = Engine("crm", misbehaving.address, limits=Limits(answer=0.2, attempts=2), wait=lambda _: None)
    gone = threading.Event()

    def reply(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.end_headers()
        try:
            while not gone.wait(0.02):
                handler.wfile.write(b" ")
        except OSError:
            pass

    misbehaving.answers["/things"] = reply
    try:
        assert failing(engine).code == "timeout"
    finally:
        gone.set()
        engine.close()


def test_half_an_answer_is_asked_for_again(engine, misbehaving):
    def reply(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b'{"data": [{"canary":')
        handler.close_connection = True

    misbehaving.answers["/things"] = reply
    assert failing(engine).code == "broken-answer"
    assert len(misbehaving.asked) == Limits().attempts


def test_a_server_that_is_not_there(misbehaving):
    engine = Engine("crm", "http://127.0.0.1:1", wait=lambda _: None)
    assert failing(engine).code == "unreachable"


def test_nothing_of_a_request_is_logged(engine, misbehaving, caplog):
    misbehaving.answer("/things", {"data": []})
    with caplog.at_level(logging.DEBUG):
        list(engine.records(Request("things", "/things", parameters={"id": "canary"}), "/data", NoPaging(), Pages()))
    assert "canary" not in caplog.text
    assert "sk_secret" not in caplog.text


def many_pages(misbehaving, seconds: list[float]) -> None:
    """Pages that are answered after so many seconds each."""
    rest = list(enumerate(seconds))

    def reply(handler):
        number, wait = rest.pop(0)
        threading.Event().wait(wait)
        misbehaving.send(handler, b'{"data": [{"id": %d}], "more": %s}' % (number, b"true" if rest else b"false"))

    misbehaving.answers["/things"] = reply


def test_a_vendor_that_becomes_slow_is_left_time(misbehaving):
    waits: list[float] = []
    engine = Engine("crm", misbehaving.address, limits=Limits(alike=0.05), wait=waits.append)
    many_pages(misbehaving, [0.0, 0.4, 0.4, 0.4, 0.4, 0.0])
    assert read(engine, CURSOR) == (list(range(6)), True)
    assert waits
    assert waits == sorted(waits)
    engine.close()


def test_what_differs_by_little_is_not_slow(engine, misbehaving):
    many_pages(misbehaving, [0.0, 0.05, 0.1, 0.1, 0.1, 0.1])
    assert read(engine, CURSOR) == (list(range(6)), True)
    assert engine.waits == []
