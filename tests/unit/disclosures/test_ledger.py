"""The sealed file: what is written stays, and whatever is done to it shows."""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from inventory.errors import ConfigError
from inventory.ledger import Ledger, LedgerError

KEY = b"k" * 32


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger(tmp_path / "a.jsonl", KEY)
    for number in range(4):
        ledger.append({"what": number, "é": "ü"})
    return ledger


def entries(ledger):
    return [line.entry["what"] for line in ledger.lines()]


def test_lines_are_read_as_they_were_written(ledger):
    assert entries(ledger) == [0, 1, 2, 3]
    assert [line.number for line in ledger.lines()] == [1, 2, 3, 4]
    assert ledger.path.stat().st_mode & 0o777 == 0o600


def test_an_absent_ledger_has_no_lines(tmp_path):
    ledger = Ledger(tmp_path / "none.jsonl", KEY)
    assert list(ledger.lines()) == []
    assert ledger.head().lines == 0
    assert list(tmp_path.iterdir()) == []


def test_any_change_of_a_byte_shows(ledger):
    content = ledger.path.read_bytes()
    for place, byte in enumerate(content):
        changed = byte ^ (1, 0x20, 0xFF)[place % 3]
        ledger.path.write_bytes(content[:place] + bytes([changed]) + content[place + 1 :])
        with pytest.raises(LedgerError):
            list(ledger.lines())


@pytest.mark.parametrize(
    "order",
    [[0, 2, 3], [1, 0, 2, 3], [0, 1, 2], [0, 1, 2, 3, 3], [0, 0, 1, 2], [], [3, 2, 1, 0]],
    ids=["removed", "moved", "cut at the end", "doubled", "doubled first", "emptied", "turned"],
)
def test_removed_moved_and_doubled_lines_show(ledger, order):
    lines = ledger.path.read_bytes().splitlines(keepends=True)
    ledger.path.write_bytes(b"".join(lines[number] for number in order))
    with pytest.raises(LedgerError) as raised:
        list(ledger.lines())
    assert str(ledger.path) in str(raised.value)


def test_nothing_is_written_to_a_ledger_whose_end_is_gone(ledger):
    lines = ledger.path.read_bytes().splitlines(keepends=True)
    ledger.path.write_bytes(b"".join(lines[:-1]))
    with pytest.raises(LedgerError, match="missing"):
        ledger.append({"what": 4})
    assert ledger.path.read_bytes() == b"".join(lines[:-1])


def test_a_line_of_another_key_shows(ledger):
    before = ledger.head()
    line = json.loads(ledger.path.read_text("utf-8").splitlines()[-1])
    forged = Ledger(ledger.path.with_name("forged.jsonl"), b"x" * 32).append({"what": 9})
    line |= {"n": before.lines + 1, "entry": {"what": 9}, "seal": forged.seal}
    with ledger.path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n")
    with pytest.raises(LedgerError, match="line 5"):
        list(ledger.lines())


def test_an_altered_head_shows(ledger):
    head = ledger.path.with_name("a.jsonl.head")
    head.write_text(head.read_text("utf-8").replace('"lines": 4', '"lines": 3'), "utf-8")
    with pytest.raises(LedgerError, match="altered"):
        list(ledger.lines())
    head.unlink()
    with pytest.raises(LedgerError, match="gone"):
        list(ledger.lines())


def test_a_program_that_died_between_line_and_head_loses_nothing(ledger, tmp_path):
    head = ledger.path.with_name("a.jsonl.head")
    before = head.read_bytes()
    ledger.append({"what": 4})
    head.write_bytes(before)
    assert entries(ledger) == [0, 1, 2, 3, 4]
    assert ledger.append({"what": 5}).number == 6


def test_half_a_line_of_a_program_that_died_is_cut(ledger):
    with ledger.path.open("ab") as file:
        file.write(b'{"at": "2026')
    assert ledger.append({"what": 4}).number == 5
    assert entries(ledger) == [0, 1, 2, 3, 4]


def append_some(path, count):
    for number in range(count):
        Ledger(path, KEY).append({"what": number})


def test_processes_that_write_at_once_take_turns(tmp_path):
    path = tmp_path / "a.jsonl"
    with ProcessPoolExecutor(2, mp_context=get_context("fork")) as pool:
        for done in [pool.submit(append_some, path, 10) for _ in range(2)]:
            done.result()
    assert sorted(entries(Ledger(path, KEY))) == sorted([*range(10), *range(10)])


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(ConfigError, match=r"file/a\.jsonl"):
        Ledger(tmp_path / "file" / "a.jsonl", KEY).append({})


def test_lines_written_together_keep_their_order_and_the_last_is_found(tmp_path):
    ledger = Ledger(tmp_path / "a.jsonl", KEY)
    assert ledger.last() is None
    assert [line.number for line in ledger.append_all([{"what": number} for number in range(5)])] == [1, 2, 3, 4, 5]
    ledger.append({"what": "é" * 9000})
    last = ledger.last()
    assert last is not None
    assert (last.number, last.entry) == (6, {"what": "é" * 9000})
    assert entries(ledger)[:5] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("before", [0, 3])
def test_a_program_that_died_after_several_lines_loses_the_half_one_only(tmp_path, before):
    ledger = Ledger(tmp_path / "a.jsonl", KEY)
    ledger.append_all([{"what": number} for number in range(before)])
    head = ledger.path.with_name("a.jsonl.head")
    kept = head.read_bytes()
    ledger.append_all([{"what": number} for number in range(before, before + 4)])
    head.write_bytes(kept)
    with ledger.path.open("r+b") as file:
        file.truncate(ledger.path.stat().st_size - 5)
    assert entries(ledger) == list(range(before + 3))
    assert ledger.append({"what": 9}).number == before + 4
