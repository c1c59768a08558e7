"""The demo estate as one thing: `with Estate(directory, rows=500) as estate:` starts and fills all of it."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

import psycopg

from inventory.errors import ConfigError
from seed.estate import bucket, database, names, vendor
from seed.estate.content.world import make_world
from seed.estate.flows import known_flows
from seed.estate.servers.object_store import object_store
from seed.estate.servers.payment_vendor import payment_vendor
from seed.estate.servers.postgres import SUPERUSER, Postgres, connect, find_programs, postgres
from seed.estate.servers.process import LOOPBACK

DEFAULT_ROWS = 500
_SECRETS = {
    "postgres-superuser": "",
    "postgres-owner": "",
    "postgres-scanner": "",
    "s3-access-key-id": "",
    "s3-secret-access-key": "",
    "stripe-api-key": "sk_estate_",  # what localstripe takes for a secret key; no vendor gives such ones
}
Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Made:
    """What a directory's database was made from; when it is asked for again, it is there already."""

    rows: int
    seed: int
    sources: str  # digest of the schema and the generator


@dataclass(frozen=True, slots=True)
class _Running:
    postgres: Postgres
    endpoint: str
    vendor_url: str


class Estate:
    """A control-plane database, an object store and a payment vendor's account, each a real server on loopback; the
    zone file of a domain, and a repository of code.

    `directory` keeps the database, the servers' logs and all secrets, and is closed to other users. The other two
    servers live in memory and are filled from the database at each start. Entering waits until all is filled; leaving
    (or the end of this process, however it ends) stops the servers.
    """

    def __init__(
        self,
        directory: Path | str,
        rows: int = DEFAULT_ROWS,
        seed: int = 0,
        *,
        programs: Path | None = None,
        report: Report = lambda step: None,
    ) -> None:
        """`rows` is the number of customers; `programs` is where PostgreSQL's are; `report` is told each step."""
        if rows < 1:
            raise ConfigError("estate", f"{rows} customers are too few", "give --rows of 1 or more")
        self.directory = Path(directory).expanduser().resolve()
        self.rows = rows
        self.seed = seed
        self._programs = programs or find_programs()
        self._report = report
        self._stack = contextlib.ExitStack()
        self._running: _Running | None = None

    def __enter__(self) -> Estate:
        with contextlib.ExitStack() as stack:
            self._prepare_directory()
            stack.enter_context(_locked(self.directory / "lock"))
            self._start(stack)
            self._fill()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._running = None
        self._stack.close()

    # --- what others ask --------------------------------------------------------------------------------------

    def sources(self) -> list[dict[str, object]]:
        """The sources, as `inventory.yaml` has them."""
        running = self._now()
        return [
            {
                "type": "postgresql",
                "name": names.DATABASE_SOURCE,
                "namespace": names.DATABASE_NAMESPACE,
                "host": LOOPBACK,
                "port": running.postgres.port,
                "database": names.DATABASE,
                "user": database.SCANNER,
                "password": self._secret_file("postgres-scanner"),
                "region": "CA-QC",
            },
            {
                "type": "s3",
                "name": names.BUCKET_SOURCE,
                "bucket": names.BUCKET,
                "endpoint": running.endpoint,
                "allow_http": True,
                "access_key_id": self._secret_file("s3-access-key-id"),
                "secret_access_key": self._secret_file("s3-secret-access-key"),
                "region": "CA",
                "processor": "cloudflare",
            },
            {
                "type": "stripe",
                "name": names.VENDOR_SOURCE,
                "account": names.ACCOUNT,
                "base_url": running.vendor_url,
                "credentials": {"api_key": self._secret_file("stripe-api-key")},
            },
            {
                "type": "dns",
                "name": names.ZONE_SOURCE,
                "domain": names.ZONE,
                "zone_file": str(self.zone_file),
            },
            {
                "type": "repository",
                "name": names.REPOSITORY_SOURCE,
                "path": str(self.repository),
            },
        ]

    def flows(self) -> list[dict[str, str]]:
        """The flows that people know of: what the nightly jobs export and what is synced to the vendor."""
        return list(known_flows())

    def connect(self) -> psycopg.Connection:
        """A connection to the database as its owner; the caller closes it."""
        password = self.secret("postgres-owner")
        return connect(self._now().postgres.port, names.DATABASE, database.OWNER, password)

    def store(self) -> bucket.S3Store:
        """A client for the bucket that may write."""
        keys = self.secret("s3-access-key-id"), self.secret("s3-secret-access-key")
        return bucket.open_store(self._now().endpoint, *keys)

    @property
    def zone_file(self) -> Path:
        """The zone of the estate's domain."""
        return self.directory / "zone" / f"{names.ZONE}.zone"

    @property
    def repository(self) -> Path:
        """A checkout of the estate's code."""
        return self.directory / "repository"

    @property
    def vendor_url(self) -> str:
        """The payment vendor's base URL."""
        return self._now().vendor_url

    def secret(self, name: str) -> str:
        """One of the estate's secrets, made on first use."""
        path = self.directory / "secrets" / name
        with contextlib.suppress(FileExistsError):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(_SECRETS[name] + secrets.token_hex(16))
        return path.read_text()

    def forget(self) -> None:
        """Make the next start fill the database anew: what is in it is no longer what was generated."""
        self._made_file.unlink(missing_ok=True)

    def remove(self) -> None:
        """Delete the directory and all data, also what lives elsewhere (see servers.postgres); not while running."""
        shutil.rmtree((self.directory / "postgres").resolve(), ignore_errors=True)
        shutil.rmtree(self.directory, ignore_errors=True)

    # --- starting and filling -----------------------------------------------------------------------------------

    def _prepare_directory(self) -> None:
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Started by root, the database's own user must pass through; what is inside is closed to everybody else.
        self.directory.chmod(0o711 if os.geteuid() == 0 else 0o700)
        for name in ("logs", "secrets"):
            (self.directory / name).mkdir(mode=0o700, exist_ok=True)
        for name in _SECRETS:
            self.secret(name)

    def _start(self, stack: contextlib.ExitStack) -> None:
        self._report("Starting PostgreSQL, the object store and the payment vendor")
        logs = self.directory / "logs"
        superuser = self.secret(f"{SUPERUSER}-superuser")
        contexts = (
            postgres(self.directory / "postgres", superuser, logs / "postgres.log", self._programs),
            object_store(logs / "object-store.log"),
            payment_vendor(logs / "payment-vendor.log", self.secret("stripe-api-key")),
        )
        with ThreadPoolExecutor(len(contexts)) as pool:
            starting = [pool.submit(context.__enter__) for context in contexts]
        for context, started in zip(contexts, starting, strict=True):
            if started.exception() is None:
                stack.push(context)
        server, endpoint, vendor_url = (started.result() for started in starting)
        assert isinstance(server, Postgres)
        self._running = _Running(server, str(endpoint), str(vendor_url))

    def _fill(self) -> None:
        self._fill_database()
        self._copy_files()
        running = self._now()
        with self.connect() as connection:
            self._report("Putting exports and logs into the object store")
            keys = self.secret("s3-access-key-id"), self.secret("s3-secret-access-key")
            bucket.fill(running.endpoint, *keys, connection)
            self._report("Syncing customers to the payment vendor")
            vendor.sync(running.vendor_url, self.secret("stripe-api-key"), connection)

    def _copy_files(self) -> None:
        """The zone and the code, anew at each start."""
        for name in ("zone", "repository"):
            shutil.rmtree(self.directory / name, ignore_errors=True)
            shutil.copytree(Path(__file__).with_name(name), self.directory / name)

    def _fill_database(self) -> None:
        wanted = _Made(self.rows, self.seed, _digest_of_sources())
        passwords = {database.OWNER: self.secret("postgres-owner"), database.SCANNER: self.secret("postgres-scanner")}
        with self._now().postgres.connect() as superuser:
            if self._is_made(wanted) and database.exists(superuser):
                return
            self.forget()
            self._report(f"Making up {self.rows} customers and what follows from them")
            database.create_roles(superuser, passwords)
            database.create_database(superuser)
        with self.connect() as owner:
            database.fill(owner, make_world(self.rows, self.seed))
        unfinished = self._made_file.with_suffix(".new")
        unfinished.write_text(json.dumps(asdict(wanted)))
        unfinished.rename(self._made_file)

    def _is_made(self, wanted: _Made) -> bool:
        return self._made_file.exists() and json.loads(self._made_file.read_text()) == asdict(wanted)

    @property
    def _made_file(self) -> Path:
        version = self._programs.parent.name  # another PostgreSQL has its own data, see servers.postgres
        return self.directory / f"made-{version}.json"

    def _secret_file(self, name: str) -> dict[str, str]:
        return {"file": str(self.directory / "secrets" / name)}

    def _now(self) -> _Running:
        if self._running is None:
            raise ConfigError("estate", "is not running", "use it in a with statement")
        return self._running


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Two estates never run on one directory; the lock goes with the process."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(
                str(path.parent), "another estate is running here", "stop it or give --directory"
            ) from None
        yield


def _digest_of_sources() -> str:
    here = Path(__file__).parent
    digest = hashlib.sha256()
    for file in sorted([*here.glob("schema/*.sql"), *here.glob("content/*.py"), here / "database.py"]):
        digest.update(file.read_bytes())
    return digest.hexdigest()
