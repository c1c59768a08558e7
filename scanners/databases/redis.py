"""Redis 4 and later and what speaks its protocol (Valkey, KeyDB, Dragonfly), by redis-py.

A dataset is what the keys of one pattern hold: `user:42:cart` and its kin are `user:{number}:cart`. Patterns are found
as in buckets, from a bounded SCAN; names and identifiers in keys become placeholders, and what stood there is looked at
as the field `_key`. Nothing is written, `KEYS` is never called, and keys are not marked as used where the server knows
how (CLIENT NO-TOUCH).

Redis counts no writes to a pattern. One is read again when the number of its keys, or the name, type or MEMORY USAGE of
a key that is looked at, is another; a value that took the place of one as large is found `recheck_days` later.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, TypeAlias, cast

from pydantic import Field, model_validator

from inventory.errors import UnreadableError
from inventory.model import DatasetKind
from scanners.access import without_credentials
from scanners.base import Secret, SourceSettings, stable_seed
from scanners.buckets.grouping import Group, Grouping, ObjectRef
from scanners.databases.catalog import Fault, Reader
from scanners.databases.redis_access import Grant, key_grants
from scanners.detection.interface import Detection
from scanners.record_store import (
    DAY,
    CountedSettings,
    Opening,
    RecordSet,
    RecordStoreScanner,
    Retention,
    TLSSettings,
    encryption_in_transit,
    host_and_port,
    missing_driver,
    parsed,
    quiet,
)
from scanners.sightings import KnownField

Redis: TypeAlias = Any  # redis.Redis, whose annotations say what all its clients may answer, not what this one does

APPLICATION_NAME = "privacy-inventory"
MOST_KEYS = 200  # of one pattern that are looked at
MOST_MEMBERS = 100  # of one collection
_SCANNED = 1000  # keys a round trip

REFUSED = ""  # the type of a key that we may not look at
KEY = "_key"  # the field of what varies in a pattern's keys


class RedisSettings(CountedSettings, TLSSettings):
    """The databases of one Redis server; of a cluster, each primary is a source."""

    type: Literal["redis"] = "redis"
    host: str = "localhost"
    port: int = Field(default=6379, ge=1, le=65535)
    user: str = Field(
        default="", description="May +@read +scan +info +select +client|setname; with +acl|list, who may read is told."
    )
    password: Secret | None = None
    databases: tuple[int, ...] = Field(default=(), description="Only these; all that hold keys when empty.")
    max_keys: int = Field(default=200_000, ge=1, description="Most keys of a database to list.")
    timeout: float = Field(default=10.0, gt=0, le=300, description="Seconds to wait for an answer.")

    @model_validator(mode="after")
    def _fits_together(self) -> RedisSettings:
        if self.user and self.password is None:
            raise ValueError("a user needs a password: {env: NAME} or {file: PATH}")
        return self


@dataclass(frozen=True, slots=True)
class _Key:
    """A key that is looked at: what it is called, which type it has, and what varies in it."""

    database: int
    name: bytes
    type: str
    parts: Mapping[str, str]


class RedisScanner(RecordStoreScanner[RedisSettings, "Connections"]):
    """Scans the databases of one Redis server."""

    settings_type: ClassVar[type[SourceSettings]] = RedisSettings
    engine_name = "redis"
    queries_of_sample = MOST_KEYS

    @property
    def system(self) -> str:
        """`redis://host:port`."""
        return self.settings.namespace or f"redis://{host_and_port(self.settings.host, self.settings.port)}"

    def listed(self) -> tuple[str, ...]:
        """All, or what each of the wanted databases holds."""
        return tuple(f"{database}/" for database in self.settings.databases) or ("",)

    @contextmanager
    def connected(self) -> Generator[Connections]:
        """Clients that read; nothing is sent yet."""
        try:
            import redis
        except ImportError:
            raise missing_driver(self.settings.name, "redis") from None
        quiet(redis.__name__)
        connections = Connections(self.settings)
        try:
            yield connections
        finally:
            connections.close()

    def opening(self, client: Connections) -> Opening:
        """The version; TLS by our own session; who may read every key."""
        server = client.of(0).info("server")
        version = str(cast(Mapping[str, Any], server).get("redis_version", ""))
        safeguards = [encryption_in_transit(self.system, self.settings.tls)]
        grants = self._grants(client)
        if any(grant.everyone for grant in grants or ()):
            safeguards.append(without_credentials(self.system, "read")[0])
        whole = [grant for grant in grants or () if grant.all_keys]
        readers = tuple(grant.reader(self.system, "reads every key") for grant in whole)
        return Opening(version, tuple(safeguards), None if grants is None else readers)

    def _grants(self, client: Connections) -> list[Grant] | None:
        """Who may read which keys; None when the server does not tell us."""
        from redis.exceptions import ResponseError

        with suppress(ResponseError):  # not permitted, or older than 6
            return key_grants(cast("list[str | bytes]", client.of(0).execute_command("ACL LIST")))
        return [Grant("default", ("*",), everyone=True)] if self.settings.password is None else None

    # --- listing -------------------------------------------------------------------------------------------

    def listing(self, client: Connections, detection: Detection) -> Iterator[RecordSet | UnreadableError]:
        """The patterns of each database's keys."""
        settings, grants = self.settings, self._grants(client)
        for database in settings.databases or client.databases():
            redis = client.of(database)
            grouping = Grouping(
                min(settings.sampling.rows, MOST_KEYS),
                stable_seed(self.system, str(database), str(settings.sampling.seed)),
            )
            seen = 0
            for key in _keys(redis, settings.max_keys):
                seen += 1
                grouping.add(ObjectRef(_path(key), 1, 0.0))
            if seen >= settings.max_keys and seen < redis.dbsize():
                title = f"{settings.name}: database {database}"
                yield UnreadableError(title, f"has more than {seen} keys", "raise max_keys", "truncated")
            for name, found in _patterns(grouping, detection).items():
                subject = self._record_set(redis, database, name, found)
                yield replace(subject, readers=None if grants is None else tuple(self._readers(grants, subject)))

    def _record_set(self, redis: Redis, database: int, name: str, found: list[tuple[str, Group]]) -> RecordSet:
        """What the keys of a pattern are; `found` are the templates (one, but for redaction) and their keys."""
        named = [(_name(ref.key), _varying(template, ref.key)) for template, group in found for ref in group.sample()]
        pipeline = redis.pipeline(transaction=False)
        for key, _ in named:
            pipeline.type(key).pttl(key).execute_command("MEMORY USAGE", key)
        answers = pipeline.execute(raise_on_error=False)
        types = [answer.decode() if isinstance(answer, bytes) else REFUSED for answer in answers[::3]]
        keys = tuple(
            _Key(database, key, kind, parts)
            for (key, parts), kind in zip(named, types, strict=True)
            if kind != "none"  # gone since it was listed
        )
        count = sum(group.count for _, group in found)
        known = (KnownField(KEY, "", primary_key=True),) if any(key.parts for key in keys) else ()
        return RecordSet(
            f"{database}/{name}",
            DatasetKind.COLLECTION,
            ", ".join(sorted({key.type for key in keys if key.type != REFUSED})),
            row_estimate=count,
            retention=_retention([answer for answer in answers[1::3] if isinstance(answer, int) and answer != -2]),
            known=known,
            state=_state(count, [key for key, _ in named], types, answers[2::3]),
            exact=False,
            handle=keys,
        )

    def _readers(self, grants: Iterable[Grant], subject: RecordSet) -> Iterator[Reader]:
        """Those who may read keys of a pattern, and not all keys of the server."""
        keys = cast("tuple[_Key, ...]", subject.handle)
        for grant in grants:
            read = 0 if grant.all_keys else sum(grant.covers(key.name) for key in keys)
            if read:
                yield grant.reader(self.system, f"reads {'all' if read == len(keys) else 'some'} of the sampled keys")

    # --- content -------------------------------------------------------------------------------------------

    def pulse(self, client: Connections) -> None:
        """PING, to a user who may."""
        from redis.exceptions import NoPermissionError

        with suppress(NoPermissionError):
            client.of(0).ping()

    def sample(self, client: Connections, subject: RecordSet) -> Iterator[Mapping[str, Any]]:
        """What the keys hold: one record a string or hash, one a member or entry of anything else."""
        from redis.exceptions import NoPermissionError, ResponseError

        refused = 0
        for key in cast("tuple[_Key, ...]", subject.handle):
            if key.type == REFUSED:
                refused += 1
                continue
            try:
                found = list(self._records(client.of(key.database), key))
            except NoPermissionError:
                refused += 1
                continue
            except ResponseError:  # it is of another type now
                continue
            for record in found:
                yield {KEY: key.parts, **record} if key.parts else record
        if refused:
            title = f"{self.settings.name}: {subject.name}"
            cause = f"no permission to read {refused} of {len(subject.handle)} keys"
            raise UnreadableError(title, cause, "grant the user these keys and +@read", "no-permission")

    def _records(self, redis: Redis, key: _Key) -> Iterator[Mapping[str, Any]]:
        name = key.name
        match key.type:
            case "string":
                yield _record("value", redis.getrange(name, 0, self.settings.sampling.value_bytes - 1))
            case "hash":
                yield _fields(redis.hscan(name, count=MOST_MEMBERS)[1])
            case "list":
                yield from (_record("member", each) for each in redis.lrange(name, 0, MOST_MEMBERS - 1))
            case "set":
                yield from (_record("member", each) for each in redis.sscan(name, count=MOST_MEMBERS)[1])
            case "zset":
                yield from (_record("member", each) for each, _ in redis.zscan(name, count=MOST_MEMBERS)[1])
            case "stream":
                yield from (_fields(entry) for _, entry in redis.xrange(name, count=MOST_MEMBERS))
            case "ReJSON-RL":
                yield _record("value", redis.execute_command("JSON.GET", name))
            case _:
                yield {}

    def fault(self, error: Exception) -> Fault | None:
        """By the driver's class."""
        from redis import exceptions

        where = host_and_port(self.settings.host, self.settings.port)
        if isinstance(error, exceptions.AuthenticationError | exceptions.AuthenticationWrongNumberOfArgsError):
            return Fault("sign-in", "the server refused the user or password", "check user and password", True)
        if isinstance(error, exceptions.BusyLoadingError):
            return Fault("unreachable", "the server is still loading its data", "scan again later", True)
        if isinstance(error, exceptions.TimeoutError):
            return Fault("unreachable", f"{where} did not answer in time", "raise timeout, or scan later", True)
        if isinstance(error, exceptions.ConnectionError):
            return Fault("unreachable", f"cannot reach {where}", "check host, port, tls and network", True)
        if isinstance(error, exceptions.NoPermissionError):
            return Fault("no-permission", "the user may not ask that", "grant +@read +scan +info", True)
        if isinstance(error, exceptions.RedisError):
            return Fault("unreadable", f"the server refused ({type(error).__name__})", "report this")
        return None


SCANNER = RedisScanner


class Connections:
    """One connection for each database, made when it is asked for."""

    def __init__(self, settings: RedisSettings) -> None:
        self._settings = settings
        self._open: dict[int, Redis] = {}

    def of(self, database: int) -> Redis:
        """A client of the database; it names itself."""
        if database not in self._open:
            self._open[database] = self._connect(database)
        return self._open[database]

    def databases(self) -> list[int]:
        """Those that hold keys."""
        names = cast(Mapping[str, Any], self.of(0).info("keyspace"))
        return sorted(int(name[2:]) for name in names if re.fullmatch(r"db\d+", name))

    def close(self) -> None:
        """Close all."""
        for redis in self._open.values():
            redis.close()

    def _connect(self, database: int) -> Redis:
        import redis
        from redis.backoff import ConstantBackoff
        from redis.retry import Retry

        settings = self._settings
        options: dict[str, Any] = {"ssl": True} if settings.tls else {}
        if settings.authorities is not None:
            options["ssl_ca_certs"] = settings.authorities
        client: Redis = redis.Redis(
            host=settings.host,
            port=settings.port,
            db=database,
            username=settings.user or None,
            password=settings.password.reveal().get_secret_value() if settings.password else None,
            client_name=APPLICATION_NAME,
            socket_timeout=settings.timeout,
            socket_connect_timeout=settings.timeout,
            retry=Retry(ConstantBackoff(0.2), 2),
            protocol=2,
            driver_info=None,  # CLIENT SETINFO is newer, and one more right to ask for
            **options,
        )
        with suppress(redis.ResponseError):  # older than 7.2
            client.execute_command("CLIENT", "NO-TOUCH", "ON")
        return client


# --- keys -------------------------------------------------------------------------------------------------

#: A key as a path, as buckets are grouped by: what a path or a template means otherwise is put aside and back again.
_ASIDE = (("/", "\ue000"), ("{", "\ue001"), ("}", "\ue002"))
_PLACEHOLDER = re.compile(r"\{[a-z]+\}")
_LITERAL = re.compile(r"[^\W\d_]+")


def _keys(redis: Redis, most: int) -> Iterator[bytes]:
    cursor, seen = 0, 0
    while True:
        cursor, page = cast("tuple[int, list[bytes]]", redis.scan(cursor, count=_SCANNED))
        yield from page[: most - seen]
        seen += len(page)
        if cursor == 0 or seen >= most:
            return


def _path(key: bytes) -> str:
    text = key.decode("utf-8", "surrogateescape")
    for character, aside in _ASIDE:
        text = text.replace(character, aside)
    return text.replace(":", "/")


def _name(path: str) -> bytes:
    return _back(path).encode("utf-8", "surrogateescape")


def _back(path: str) -> str:
    path = path.replace("/", ":")
    for character, aside in _ASIDE:
        path = path.replace(aside, character)
    return path


def _patterns(grouping: Grouping, detection: Detection) -> dict[str, list[tuple[str, Group]]]:
    """The templates and their groups, by names without personal values."""
    found: dict[str, list[tuple[str, Group]]] = {}
    for template, group in grouping.groups().items():
        name = ":".join(detection.redact(part) for part in _back(template).split(":"))
        found.setdefault(name.encode("utf-8", "replace").decode(), []).append((template, group))
    return found


def _varying(template: str, path: str) -> dict[str, str]:
    """What stands for the placeholders, each by the word before it: `user:{number}` and `user:42` give `user` 42."""
    literals = _PLACEHOLDER.split(template)
    if len(literals) == 1:
        return {}
    pattern = "(.+?)".join(re.escape(literal) for literal in literals)
    match = re.fullmatch(pattern, path, re.DOTALL) if len(path) < 1024 else None
    found: dict[str, str] = {}
    for literal, value in zip(literals, match.groups() if match else (), strict=False):
        words = _LITERAL.findall(literal)
        name = words[-1] if words else "part"
        number = 2
        while name in found:
            name = f"{name.rstrip('0123456789')}{number}"
            number += 1
        found[name] = _back(value).encode("utf-8", "replace").decode()
    return found


def _state(count: int, names: list[bytes], types: list[str], sizes: list[object]) -> tuple[object, ...]:
    """How many keys there are, and those looked at with their types and sizes; () when these are not told."""
    if REFUSED in types or not all(isinstance(size, int | None) for size in sizes):
        return ()
    return count, sorted(zip(names, types, (str(size) for size in sizes), strict=True))


# --- values -----------------------------------------------------------------------------------------------


def _record(name: str, value: Any) -> Mapping[str, Any]:
    """A value as a record: an object is one itself."""
    found = _value(value)
    return cast(Mapping[str, Any], found) if isinstance(found, dict) else {name: found}


def _fields(entries: Mapping[bytes, bytes]) -> Mapping[str, Any]:
    return {key.decode("utf-8", "replace"): _value(value) for key, value in entries.items()}


def _value(value: Any) -> object:
    """Text as text, or as the JSON document that it is."""
    if isinstance(value, bytes):
        with suppress(UnicodeDecodeError):
            return parsed(value.decode("utf-8"))
    return value


# --- retention --------------------------------------------------------------------------------------------

_HOUR = 1 / 24
_STEPS = (_HOUR, 2 * _HOUR, 6 * _HOUR, 12 * _HOUR, 1, 2, 3, 7, 14, 30, 60, 90, 180, 365)


def _retention(times: Iterable[int]) -> Retention:
    """Of the milliseconds that sampled keys have left to live, -1 where they do not expire.

    What is left is at most what was given: the longest, rounded up to a usual term so that it is the same tomorrow.
    """
    times = list(times)
    expiring = [time for time in times if time >= 0]
    if not times:
        return Retention()
    if not expiring:
        return Retention(None, f"none of {len(times)} sampled keys expires")
    said = f"{len(expiring)} of {len(times)} sampled keys expire"
    if len(expiring) < len(times):
        return Retention(None, said)
    days = max(expiring) / 1000 / DAY
    term = next((step for step in _STEPS if days <= step), -(-days // 365) * 365)
    return Retention(round(term, 4), f"{said}, all within {_words(term)}")


def _words(days: float) -> str:
    return f"{round(days * 24)} h" if days < 1 else f"{round(days)} d"
