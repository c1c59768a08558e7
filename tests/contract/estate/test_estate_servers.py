"""The servers: closed to others, gone with whoever started them, and there again with the same data."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from inventory.errors import ConfigError
from seed.estate import Estate
from seed.estate.servers.postgres import SUPERUSER

SYSTEM_POSTGRES = Path("/usr/lib/postgresql/15/bin")


def ports(sources: list[dict]) -> list[int]:
    database, bucket, vendor, *_ = sources
    return [database["port"], urlsplit(bucket["endpoint"]).port, urlsplit(vendor["base_url"]).port]  # pyright: ignore[reportReturnType]


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def all_content(estate: Estate) -> str:
    digest = hashlib.sha256()
    with estate.connect() as connection:
        tables = connection.execute(
            "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname !~ '^(pg_|information_schema)'"
            " UNION SELECT schemaname || '.' || matviewname FROM pg_matviews ORDER BY 1"
        ).fetchall()
        for (table,) in tables:
            query = f"SELECT t::text FROM {table} AS t ORDER BY 1".encode()
            digest.update(repr(connection.execute(query).fetchall()).encode())
    for meta in sorted((m for page in estate.store().list() for m in page), key=lambda m: m["path"]):
        digest.update(meta["path"].encode() + bytes(estate.store().get(meta["path"]).bytes()))
    return digest.hexdigest()


def test_content_follows_from_the_seed_alone(make_estate, tmp_path):
    with make_estate(tmp_path / "a") as first:
        found = ports(first.sources())
        assert all(map(listens, found))
        content = all_content(first)
    assert not any(map(listens, found))
    steps: list[str] = []
    with make_estate(tmp_path / "a", report=steps.append) as again:
        assert all_content(again) == content
    assert steps
    assert not any(step.startswith("Making up") for step in steps)
    with make_estate(tmp_path / "b") as elsewhere:
        assert all_content(elsewhere) == content
    with make_estate(tmp_path / "b", seed=1) as other:
        assert all_content(other) != content


def test_one_estate_a_directory(small_estate):
    with pytest.raises(ConfigError, match="another estate is running here"):
        Estate(small_estate.directory).__enter__()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_servers_end_with_their_starter_however_it_ends(make_estate, tmp_path, number):
    estate = make_estate(tmp_path / "estate")
    command = [sys.executable, "-m", "seed.estate", "--directory", estate.directory, "--rows", "5", "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        lines: list[str] = []
        while not lines or len(yaml.safe_load("".join(lines)).get("flows") or ()) < len(estate.flows()):
            line = process.stdout.readline()
            assert line, "the estate ended early"
            lines.append(line)
        found = ports(yaml.safe_load("".join(lines))["sources"])
        assert all(map(listens, found))
        process.send_signal(number)
        process.wait(timeout=30)
    deadline = time.monotonic() + 30
    while any(map(listens, found)):
        assert time.monotonic() < deadline, "a server outlived its starter"
        time.sleep(0.05)
    if number == signal.SIGKILL:
        with estate:  # what was killed starts again
            assert all(map(listens, ports(estate.sources())))


def test_secrets_are_in_closed_files_and_in_no_command_line_or_environment(small_estate):
    directory = small_estate.directory / "secrets"
    files = list(directory.iterdir())
    assert len(files) == 6
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    secrets = [file.read_bytes() for file in files]
    read = 0
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                text = (process / name).read_bytes()
            except OSError:
                continue  # it has ended, or belongs to another user
            read += 1
            assert not any(secret in text for secret in secrets)
    assert read


def test_servers_listen_on_loopback_alone(small_estate):
    ours = {f"{port:04X}" for port in ports(small_estate.sources())}
    listening = [
        line.split()[1].split(":")
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for line in Path(table).read_text().splitlines()[1:]
        if line.split()[3] == "0A"
    ]
    assert sorted(address for address, port in listening if port in ours) == ["0100007F"] * 3


def test_nothing_is_left_in_shared_temporary_files(small_estate):
    with small_estate.connect() as connection:
        row = connection.execute("SELECT email FROM accounts.customers LIMIT 1").fetchone()
    assert row is not None
    assert (
        not Path("/tmp/localstripe.pickle").exists()
        or row[0].encode() not in Path("/tmp/localstripe.pickle").read_bytes()
    )


def test_database_is_closed_to_other_users(small_estate):
    data = next((small_estate.directory / "postgres").resolve().glob("data-*"))
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    expected = 0o711 if os.geteuid() == 0 else 0o700
    assert stat.S_IMODE(small_estate.directory.stat().st_mode) == expected


def test_system_postgresql_15(make_estate):
    if not (SYSTEM_POSTGRES / "postgres").exists():
        if os.environ.get("CI"):
            pytest.fail("PostgreSQL 15 of the system is missing")
        pytest.skip("PostgreSQL 15 of the system is missing")
    with make_estate(programs=SYSTEM_POSTGRES) as estate, estate.connect() as connection:
        assert connection.info.server_version // 10000 == 15
        assert connection.execute("SELECT count(*) FROM accounts.customers").fetchone() == (5,)


def test_unreachable_directory_as_root_keeps_data_elsewhere_and_removes_it(make_estate, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root runs PostgreSQL as another user")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with make_estate(closed / "estate") as estate, estate.connect() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        elsewhere = (estate.directory / "postgres").resolve()
        assert closed not in elsewhere.parents
        assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o700
        owner = elsewhere.owner()
        assert owner in (SUPERUSER, "nobody")
    estate.remove()
    assert not elsewhere.exists()
    assert not estate.directory.exists()
