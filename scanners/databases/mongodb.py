"""MongoDB 4.4 and later and what speaks its protocol (FerretDB, DocumentDB), by PyMongo.

A sample is short stretches spread over the `_id`s, which the index that every collection has answers at once and
which are the same at every scan; `$sample` gives other documents each time, and reads a whole collection when it is
asked for many. A collection is read again when its counts, its size, its last `_id` or, where WiredTiger keeps them,
its own counters of writes have moved; a write that moves none of them, and one that the member read has not yet taken
over, is found `recheck_days` later.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, model_validator

from inventory.errors import SourceError, UnreadableError
from inventory.model import (
    DatasetKind,
    FlowSeen,
    JobSeen,
    Observation,
    Provenance,
    SafeguardSeen,
    dataset_urn,
)
from scanners.access import without_credentials
from scanners.base import Secret, SourceSettings, stable_seed
from scanners.databases.catalog import Fault, Reader
from scanners.databases.mongodb_access import Grant, readers_of, role_grants
from scanners.detection.interface import Detection
from scanners.record_store import (
    DAY,
    MOST_DEPTH,
    CountedSettings,
    Opening,
    RecordSet,
    RecordStoreScanner,
    Retention,
    TLSSettings,
    dotted,
    encryption_in_transit,
    listed_parts,
    missing_driver,
    quiet,
)
from scanners.records import json_object, json_objects
from scanners.sightings import KnownField

if TYPE_CHECKING:
    from bson import ObjectId
    from pymongo import MongoClient
    from pymongo.collection import Collection

APPLICATION_NAME = "privacy-inventory"
STRETCHES = 20
SYSTEM_DATABASES = frozenset({"admin", "config", "local"})
MOST_DECLARED = 1000  # fields of a validator's schema
_WRITES = ("bulk", "insert", "modify", "remove", "truncate", "update")  # how WiredTiger's counters of them begin

Document = dict[str, Any]


class MongoDBSettings(CountedSettings, TLSSettings):
    """The databases of a MongoDB server, replica set or cluster."""

    type: Literal["mongodb"] = "mongodb"
    hosts: tuple[str, ...] = Field(default=("localhost:27017",), min_length=1, description="host:port of any members.")
    srv: bool = Field(default=False, description="The one host is a DNS seed list (mongodb+srv); TLS is on.")
    replica_set: str = Field(default="", description="The replica set's name, if it is to be checked.")
    user: str = Field(
        default="", description="A user with the role `read`, or `readAnyDatabase`; to see who may read, with viewUser."
    )
    password: Secret | None = None
    auth_source: str = Field(default="admin", description="The database that knows the user.")
    auth_mechanism: str = Field(default="", description="Such as SCRAM-SHA-256; by default what the server offers.")
    read_preference: Literal["primary", "primaryPreferred", "secondary", "secondaryPreferred", "nearest"] = (
        "secondaryPreferred"
    )
    databases: tuple[str, ...] = Field(default=(), description="Only these databases; all when empty.")
    exclude_databases: tuple[str, ...] = Field(default=(), description="Not these databases.")
    statement_timeout: float = Field(default=30.0, gt=0, description="Seconds after which a question is given up.")
    connect_timeout: float = Field(default=10.0, gt=0, le=300, description="Seconds to wait for a server.")

    @model_validator(mode="after")
    def _fits_together(self) -> MongoDBSettings:
        if any("@" in host or "/" in host for host in self.hosts):
            raise ValueError("hosts are host:port: credentials belong in user and password")
        if self.srv and len(self.hosts) != 1:
            raise ValueError("srv takes one host")
        if bool(self.user) != bool(self.password):
            raise ValueError("user and password go together")
        return self


class MongoDBScanner(RecordStoreScanner[MongoDBSettings, "MongoClient[Document]"]):
    """Scans the databases of one MongoDB deployment."""

    settings_type: ClassVar[type[SourceSettings]] = MongoDBSettings
    engine_name = "mongodb"
    queries_of_sample = STRETCHES + 2

    @property
    def system(self) -> str:
        """`mongodb://host:port` of the first host."""
        settings = self.settings
        host = settings.hosts[0]
        return settings.namespace or f"mongodb://{host if settings.srv or ':' in host else host + ':27017'}"

    def listed(self) -> tuple[str, ...]:
        """All, or what each of the wanted databases holds."""
        return listed_parts(self.settings.databases, self.settings.exclude_databases)

    # --- connection ----------------------------------------------------------------------------------------

    @contextmanager
    def connected(self) -> Generator[MongoClient[Document]]:
        """A client that reads; nothing is sent yet."""
        settings = self.settings
        try:
            from pymongo import MongoClient
            from pymongo.errors import PyMongoError
        except ImportError:
            raise missing_driver(settings.name, "mongodb") from None
        quiet("pymongo")
        options: dict[str, Any] = {
            "appname": APPLICATION_NAME,
            "connectTimeoutMS": _milliseconds(settings.connect_timeout),
            "serverSelectionTimeoutMS": _milliseconds(settings.connect_timeout),
            "socketTimeoutMS": _milliseconds(settings.statement_timeout + 10),
            "readPreference": settings.read_preference,
            "tls": self._encrypted,
            "unicode_decode_error_handler": "replace",
            "datetime_conversion": "DATETIME_AUTO",  # a date that Python has not is no error
            "uuidRepresentation": "standard",
            "maxPoolSize": 2,
        }
        if settings.password is not None:
            options |= {
                "username": settings.user,
                "password": settings.password.reveal().get_secret_value(),
                "authSource": settings.auth_source,
                **({"authMechanism": settings.auth_mechanism} if settings.auth_mechanism else {}),
            }
        if settings.replica_set:
            options["replicaSet"] = settings.replica_set
        if settings.authorities is not None:
            options["tlsCAFile"] = settings.authorities
        hosts = [f"mongodb+srv://{settings.hosts[0]}"] if settings.srv else list(settings.hosts)
        try:
            client: MongoClient[Document] = MongoClient(hosts, **options)
        except (PyMongoError, ValueError, OSError):
            raise SourceError(settings.name, "the settings make no client", "check hosts and tls", "settings") from None
        with client:
            yield client

    @property
    def _encrypted(self) -> bool:
        return self.settings.tls or self.settings.srv

    def opening(self, client: MongoClient[Document]) -> Opening:
        """The version; encryption at rest is told to users who may monitor the server, by servers that can encrypt."""
        from pymongo.errors import OperationFailure

        safeguards = [encryption_in_transit(self.system, self._encrypted)]
        version = str(client.server_info().get("version", ""))
        with suppress(OperationFailure):
            status = client.admin.command("serverStatus", maxTimeMS=self._limit)
            at_rest = json_object(status.get("encryptionAtRest"))
            if at_rest:
                enabled = bool(at_rest.get("encryptionEnabled"))
                safeguards.append(
                    SafeguardSeen(self.system, "encryption_at_rest", enabled, f"serverStatus says {enabled}".lower())
                )
        readers = self._server_readers(client, safeguards)
        return Opening(version, tuple(safeguards), readers)

    def _server_readers(
        self, client: MongoClient[Document], safeguards: list[SafeguardSeen]
    ) -> tuple[Reader, ...] | None:
        """Those who may read every database; everyone, when the server lets us in without a user."""
        if not self.settings.user:
            client.admin.command("listDatabases", nameOnly=True, maxTimeMS=self._limit)
            safeguard, everyone = without_credentials(self.system, "find")
            safeguards.append(safeguard)
            return (everyone,)
        grants = self._grants(client)
        return None if grants is None else tuple(g.reader for g in grants if not g.database and not g.collection)

    def _grants(self, client: MongoClient[Document]) -> tuple[Grant, ...] | None:
        """Who may read what; None when we may not ask, or the server does not know."""
        from pymongo.errors import OperationFailure

        users_info: Document = {"usersInfo": {"forAllDBs": True}, "maxTimeMS": self._limit}
        with suppress(OperationFailure):
            users = json_objects(client.admin.command(users_info).get("users"))
            roles = sorted({(each["db"], each["role"]) for user in users for each in json_objects(user.get("roles"))})
            named = [{"role": role, "db": database} for database, role in roles]
            roles_info: Document = {"rolesInfo": named, "showPrivileges": True, "maxTimeMS": self._limit}
            return tuple(
                role_grants(users, json_objects(client.admin.command(roles_info).get("roles")) if named else ())
            )
        return None

    # --- listing -------------------------------------------------------------------------------------------

    def listing(self, client: MongoClient[Document], detection: Detection) -> Iterator[RecordSet | UnreadableError]:
        """The collections and views of every database but the server's own."""
        from pymongo.errors import OperationFailure

        settings = self.settings
        grants, process = self._grants(client) if settings.user else None, self._process(client)
        for database in settings.databases or sorted(client.list_database_names()):
            if database in SYSTEM_DATABASES or database in settings.exclude_databases:
                continue
            try:
                found = list(client[database].list_collections())
            except OperationFailure as error:
                yield _unlisted(settings.name, database, self.fault(error))
                continue
            for entry in found:
                if not str(entry["name"]).startswith("system."):
                    subject = self._record_set(client[database][entry["name"]], entry, process)
                    yield replace(subject, readers=readers_of(grants, database, str(entry["name"])))

    def _record_set(self, collection: Collection[Document], entry: Mapping[str, Any], process: str) -> RecordSet:
        options = json_object(entry.get("options"))
        schema = json_object(json_object(options.get("validator")).get("$jsonSchema"))
        description = str(schema.get("description") or schema.get("title") or "")
        if entry.get("type") == "view":
            related = tuple(self._view(collection, options))
            return RecordSet(collection.full_name, DatasetKind.VIEW, description, related=related)
        indexes = self._indexes(collection)
        return RecordSet(
            collection.full_name,
            DatasetKind.COLLECTION,
            description,
            row_estimate=self._count(collection),
            retention=_retention(indexes, options),
            known=(*_declared(schema), *_indexed(indexes)),
            state=self._state(collection, str(json_object(entry.get("info")).get("uuid", "")), process),
            exact=False,
        )

    def _process(self, client: MongoClient[Document]) -> str:
        """What is another when the server was started anew: its counters are then too."""
        from pymongo import ReadPreference

        answer = client.admin.command("hello", read_preference=ReadPreference.PRIMARY_PREFERRED)
        return str(json_object(answer.get("topologyVersion")).get("processId", ""))

    def _state(self, collection: Collection[Document], uuid: str, process: str) -> tuple[object, ...]:
        """Counts, size and writes; where these are not counted, the last `_id`. () when we may not ask."""
        from pymongo import ReadPreference
        from pymongo.errors import OperationFailure

        with suppress(OperationFailure):
            primary = ReadPreference.PRIMARY_PREFERRED
            asked: Document = {"collStats": collection.name, "maxTimeMS": self._limit}
            stats = collection.database.command(asked, read_preference=primary)
            writes = _writes(stats)
            newest = process if writes else self._end(collection.with_options(read_preference=primary), -1)
            return uuid, stats.get("count", 0), stats.get("size", 0), *writes, str(newest)
        return ()

    def _view(self, collection: Collection[Document], options: Mapping[str, Any]) -> Iterator[Observation]:
        dataset = dataset_urn(self.system, collection.full_name)
        source = dataset_urn(self.system, f"{collection.database.name}.{options.get('viewOn', '')}")
        job = f"job:{dataset}"
        yield JobSeen(job, collection.full_name, "view", dataset)
        yield FlowSeen(source, dataset, Provenance.CONFIG, job=job)

    def _indexes(self, collection: Collection[Document]) -> list[Mapping[str, Any]]:
        from pymongo.errors import OperationFailure

        with suppress(OperationFailure):
            return list(collection.list_indexes())
        return []

    def _count(self, collection: Collection[Document]) -> int | None:
        from pymongo.errors import OperationFailure

        with suppress(OperationFailure):
            return collection.estimated_document_count(maxTimeMS=self._limit)
        return None

    # --- content -------------------------------------------------------------------------------------------

    def pulse(self, client: MongoClient[Document]) -> None:
        """`ping`, which needs no right."""
        client.admin.command("ping", maxTimeMS=self._limit)

    def sample(self, client: MongoClient[Document], subject: RecordSet) -> Iterator[Mapping[str, Any]]:
        """Stretches over the `_id`s of a large collection, the first documents of any other and of a view."""
        database, _, name = subject.name.partition(".")
        collection, rows = client[database][name], self.settings.sampling.rows
        if subject.kind is DatasetKind.VIEW:
            yield from collection.find(limit=rows, max_time_ms=self._limit)
            return
        if subject.row_estimate is not None and subject.row_estimate <= rows:
            yield from self._run(collection, {}, rows)
            return
        first, last = self._end(collection, 1), self._end(collection, -1)
        bounds = _bounds(first, last, stable_seed(str(self.settings.sampling.seed), subject.name))
        if not bounds:
            yield from self._run(collection, {}, rows - rows // 2)
            yield from self._run(collection, {}, rows // 2, direction=-1)
            return
        taken = 0
        for number, (low, high) in enumerate(bounds):
            share = -(-(rows - taken) // (len(bounds) - number))
            for document in self._run(collection, {"_id": {"$gte": low, "$lt": high}}, share):
                taken += 1
                yield document

    def _run(
        self, collection: Collection[Document], where: Document, rows: int, direction: int = 1
    ) -> Iterator[Document]:
        if rows > 0:
            cursor = collection.find(where, limit=rows, max_time_ms=self._limit, batch_size=min(rows, 200))
            with cursor.sort("_id", direction):
                yield from cursor

    def _end(self, collection: Collection[Document], direction: int) -> object:
        for document in collection.find({}, {"_id": 1}, limit=1, max_time_ms=self._limit).sort("_id", direction):
            return document.get("_id")
        return None

    @property
    def _limit(self) -> int:
        return _milliseconds(self.settings.statement_timeout)

    def fault(self, error: Exception) -> Fault | None:
        """By the server's code (github.com/mongodb/mongo, error_codes.yml), or the driver's class."""
        from bson.errors import BSONError
        from pymongo import errors

        if isinstance(error, errors.OperationFailure):
            return _FAULTS.get(error.code or 0, Fault("unreadable", f"the server refused with code {error.code or 0}"))
        if isinstance(error, errors.ConfigurationError):
            return Fault("settings", "the settings do not fit the server", "check hosts, srv and replica_set", True)
        if isinstance(error, errors.ConnectionFailure):
            return Fault("unreachable", f"cannot reach {self.settings.hosts[0]}", "check hosts, tls and network", True)
        if isinstance(error, BSONError):
            return Fault("damaged", "holds documents that are not valid", "check the collection")
        if isinstance(error, errors.PyMongoError):
            return Fault("unreadable", f"its documents could not be read ({type(error).__name__})", "report this")
        return None


SCANNER = MongoDBScanner

_NO_PERMISSION = Fault("no-permission", "no permission to read it", "grant the role read to the scanning user")
_FAULTS = {
    13: _NO_PERMISSION,
    18: Fault("sign-in", "the server refused the user or password", "check user, password and auth_source", True),
    26: Fault("changed", "it was dropped while it was read", "scan again"),
    50: Fault("statement-timeout", "reading it took too long", "raise statement_timeout, or exclude it"),
    11600: Fault("unreachable", "the server is shutting down", "scan again later", True),
}


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def _writes(stats: Mapping[str, Any]) -> tuple[object, ...]:
    """WiredTiger's counters of what changes a collection, of each shard that has it; () without WiredTiger."""
    found: list[object] = []
    for name, shard in sorted((json_object(stats.get("shards")) or {"": stats}).items()):
        cursor = json_object(json_object(json_object(shard).get("wiredTiger")).get("cursor"))
        found += [(name, each, cursor[each]) for each in sorted(cursor) if each.startswith(_WRITES)]
    return tuple(found)


def _unlisted(source: str, database: str, fault: Fault | None) -> UnreadableError:
    fault = fault or _NO_PERMISSION
    if fault.fatal:
        raise SourceError(source, fault.cause, fault.remedy, fault.code)
    return UnreadableError(f"{source}: database {database}", fault.cause, fault.remedy, fault.code)


def _bounds(first: object, last: object, seed: int) -> list[tuple[object, object]]:
    """Half-open ranges spread over the `_id`s; none if these are not ObjectIds or whole numbers."""
    from bson import ObjectId

    if isinstance(first, ObjectId) and isinstance(last, ObjectId):
        low, high = int.from_bytes(first.binary), int.from_bytes(last.binary)
        return [(_object_id(start), _object_id(end)) for start, end in _stretches(low, high, seed)]
    if type(first) is int and type(last) is int:
        return list(_stretches(first, last, seed))
    return []


def _stretches(low: int, high: int, seed: int) -> Iterator[tuple[int, int]]:
    width = -(-(high - low + 1) // STRETCHES)
    offset = seed % max(width // 2, 1)
    for start in range(low, high + 1, width):
        yield start + offset, start + width


def _object_id(number: int) -> ObjectId:
    from bson import ObjectId

    return ObjectId(min(number, 2**96 - 1).to_bytes(12))


def _indexed(indexes: list[Mapping[str, Any]]) -> Iterator[KnownField]:
    """What is indexed is a field, whether the sample has it or not."""
    yield KnownField("_id", "", primary_key=True)
    for index in indexes:
        for path in json_object(index.get("key")):
            if path not in ("_id", "_fts", "_ftsx") and "$" not in path:
                yield KnownField(*dotted(path))


def _retention(indexes: list[Mapping[str, Any]], options: Mapping[str, Any]) -> Retention:
    """A TTL index deletes documents so many seconds after the time in its field."""
    for seconds, source in (
        *((index.get("expireAfterSeconds"), "a TTL index") for index in indexes),
        (options.get("expireAfterSeconds"), "the time series' expireAfterSeconds"),
    ):
        if isinstance(seconds, int | float):
            return Retention(seconds / DAY, f"{source} deletes after {seconds:.0f} s")
    return Retention()


def _declared(schema: Mapping[str, Any]) -> Iterator[KnownField]:
    """The fields that a validator's JSON schema names, with their types and descriptions."""
    waiting: list[tuple[str, Mapping[str, Any]]] = [("", schema)]
    said = 0
    while waiting:
        path, node = waiting.pop(0)
        properties = json_object(node.get("properties") if path.count("/") < MOST_DEPTH else None)
        for name, about in ((name, json_object(about)) for name, about in properties.items()):
            said += 1
            if said > MOST_DECLARED:
                return
            place = f"{path}/{name.replace('~', '~0').replace('/', '~1')}"
            column, slash, pointer = place[1:].partition("/")
            kind = about.get("bsonType") or about.get("type") or ""
            yield KnownField(
                column.replace("~1", "/").replace("~0", "~"),
                slash + pointer,
                type=kind if isinstance(kind, str) else ",".join(map(str, kind)),
                description=str(about.get("description") or about.get("title") or ""),
                primary_key=place == "/_id",
            )
            waiting.append((place, json_object(about.get("items")) or about))
