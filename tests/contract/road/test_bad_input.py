"""Bad input by the command line: one clear line, the other sources go on, exit status 3, and nothing known is lost."""

from __future__ import annotations

import gzip
import socket
import sqlite3
from pathlib import Path

import pytest

PEOPLE = "email\n" + "".join(f"person{n}@example.org\n" for n in range(50))


@pytest.fixture
def shop(tmp_path: Path) -> dict[str, object]:
    """A small source that is all right."""
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT)")
        database.executemany("INSERT INTO people (email) VALUES (?)", [(f"p{n}@example.org",) for n in range(50)])
    database.close()
    return {"type": "sqlite", "name": "shop", "path": str(path), "namespace": "sqlite://shop"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bucket in a folder."""
    path = tmp_path / "bucket"
    path.mkdir()
    (path / "people.csv").write_text(PEOPLE)
    return path


def bucket(folder: Path) -> dict[str, object]:
    return {"type": "local", "name": "files", "path": str(folder), "namespace": "file://files"}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def emails(inventory, **extra: str) -> set[str]:
    variables = ["category=user.contact.email", *(f"{k}={v}" for k, v in extra.items())]
    answer = inventory.json("ask", "WhereIs", *variables)
    return {edge["node"]["field"]["urn"] for edge in answer["whereIs"]["edges"]}


def findings(inventory) -> str:
    answer = inventory.json("ask", "Findings")
    return " ".join(edge["node"]["message"] for edge in answer["findings"]["edges"])


def test_an_unreachable_database_is_one_line_and_the_other_source_goes_on(command, shop):
    port = free_port()
    gone = {"type": "postgresql", "name": "gone", "host": "127.0.0.1", "port": port, "database": "x", "user": "x"}
    inventory = command(sources=[gone, shop])
    done = inventory.run("scan", status=3)
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: gone")]
    assert str(port) in line
    assert emails(inventory) == {"sqlite://shop/people#email"}
    assert "gone" in findings(inventory)


def test_what_an_earlier_scan_found_is_not_ended_by_one_that_could_not_look(command, shop, folder, tmp_path):
    inventory = command(sources=[shop, bucket(folder)])
    inventory.run("scan")
    before = emails(inventory)
    assert before == {"sqlite://shop/people#email", "file://files/people.csv#email"}
    Path(str(shop["path"])).rename(tmp_path / "elsewhere.db")
    (folder / "people.csv").unlink()
    (folder / "people.csv").write_bytes(b"PAR1" + b"\x00" * 50 + b"PAR1")
    inventory.run("scan", status=3)
    assert emails(inventory) == before


def test_broken_objects_are_findings_that_name_them(command, folder):
    (folder / "cut.csv.gz").write_bytes(gzip.compress(PEOPLE.encode())[:-20])
    (folder / "no.parquet").write_bytes(b"PAR1" + b"jane@example.org" * 9 + b"PAR1")
    (folder / "latin.csv").write_bytes(b"name,note\n" + b"Zo\xeb,\xff\xfe\n" * 30)
    inventory = command(sources=[bucket(folder)])
    done = inventory.run("scan", status=3)
    for name in ("no.parquet", "cut.csv.gz", "latin.csv"):
        assert len([line for line in done.stderr.splitlines() if name in line]) == 1
    assert "jane@example.org" not in done.stderr
    assert "file://files/people.csv#email" in emails(inventory)


def test_every_mistake_in_the_configuration_is_named_with_its_place(command, shop):
    inventory = command(up=False, sources=[{**shop, "pth": "x"}, {"type": "oracle", "name": "o"}], grpah={})
    done = inventory.run("scan", status=1)
    assert done.stderr.count("\n") == 1
    for part in (
        "grpah: unknown key, did you mean graph?",
        "sources[0].pth: unknown key, did you mean path?",
        "oracle",
    ):
        assert part in done.stderr


def test_a_missing_secret_is_named_and_no_secret_is_shown(command, shop):
    source = {
        "type": "postgresql",
        "name": "cp",
        "host": "127.0.0.1",
        "database": "x",
        "user": "x",
        "password": {"env": "NO_SUCH_VARIABLE"},
    }
    done = command(sources=[source, shop]).run("scan", status=3)
    assert "environment variable NO_SUCH_VARIABLE: is not set" in done.stderr


def test_a_password_in_the_configuration_is_refused_without_repeating_it(command):
    source = {"type": "postgresql", "name": "cp", "host": "h", "database": "x", "user": "x", "password": "hunter2"}
    done = command(up=False, sources=[source]).run("scan", status=1)
    assert "sources[0].password" in done.stderr
    assert "hunter2" not in done.stderr + done.stdout


def test_a_wrong_password_is_told_without_it(road_estate, command, shop, tmp_path):
    (tmp_path / "wrong").write_text("not-the-password")
    source = next(s for s in road_estate.sources() if s["type"] == "postgresql")
    inventory = command(sources=[{**source, "password": {"file": str(tmp_path / "wrong")}}, shop])
    done = inventory.run("scan", status=3)
    assert "password" in done.stderr
    assert "not-the-password" not in done.stderr
    assert emails(inventory) == {"sqlite://shop/people#email"}


def test_a_table_without_permission_is_a_finding_and_its_columns_are_known(road_estate, command):
    source = next(s for s in road_estate.sources() if s["type"] == "postgresql")
    with road_estate.connect() as owner:
        owner.execute("CREATE TABLE IF NOT EXISTS public.closed (email text)")
        owner.execute("REVOKE ALL ON public.closed FROM PUBLIC, inventory_scanner")
    try:
        inventory = command(sources=[source])
        done = inventory.run("scan", status=None)
        assert done.returncode == 3, done.stderr
        assert "public.closed" in done.stderr
        assert "closed#email" in inventory.run(
            "ask", "Search", "text=closed", "--json"
        ).stdout or "public.closed" in findings(inventory)
    finally:
        with road_estate.connect() as owner:
            owner.execute("DROP TABLE public.closed")


def test_a_file_of_rules_that_is_not_there_is_one_clear_line(command, shop):
    done = command(up=False, sources=[shop], detection={"rules": ["gone.yaml"]}).run("scan", status=1)
    assert done.stderr.count("\n") == 1
    assert "gone.yaml" in done.stderr
