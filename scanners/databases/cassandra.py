"""Apache Cassandra 3.11 and later and what speaks its protocol (ScyllaDB, Astra), by cassandra-driver.

A sample is the first rows of ranges spread over the token ring, few of each partition, so that it is bounded, the same
at every scan, and no wide partition is all of it. Rows are read at LOCAL_ONE.

A table is read again when a node of the local data centre has counted writes to it, was started anew, or has truncated
it. Rows that came by streaming (repair, a bulk load) or went by their TTL are found `recheck_days` later.
"""

from __future__ import annotations

import ssl
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any, ClassVar, Literal, TypeAlias, cast

from pydantic import Field, model_validator

from inventory.errors import UnreadableError
from inventory.model import (
    DatasetKind,
    FlowSeen,
    JobSeen,
    Observation,
    PrincipalKind,
    Provenance,
    SafeguardSeen,
    dataset_urn,
)
from scanners.access import without_credentials
from scanners.base import Secret, SourceSettings
from scanners.databases.catalog import Fault, Reader
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
    listed_parts,
    missing_driver,
    quiet,
)
from scanners.sightings import KnownField

APPLICATION_NAME = "privacy-inventory"
STRETCHES = 10
MOST_OF_A_PARTITION = 20  # rows
MOST_NODES = 50  # of the local data centre that are asked for their counts
_PAGE = 100
_RING = (-(2**63), 2**63 - 1)  # tokens of Murmur3Partitioner

Driver: TypeAlias = Any  # cassandra-driver has no annotations


class CassandraSettings(CountedSettings, TLSSettings):
    """The keyspaces of one cluster."""

    type: Literal["cassandra"] = "cassandra"
    hosts: tuple[str, ...] = Field(default=("localhost",), min_length=1, description="Addresses of any nodes.")
    port: int = Field(default=9042, ge=1, le=65535)
    datacenter: str = Field(default="", description="The local data centre; that of the first host by default.")
    user: str = Field(
        default="",
        description="A role with SELECT, and no other permission; on system_views too, to read what changed alone, and "
        "on system_auth, to see who may read.",
    )
    password: Secret | None = None
    keyspaces: tuple[str, ...] = Field(default=(), description="Only these keyspaces; all when empty.")
    exclude_keyspaces: tuple[str, ...] = Field(default=(), description="Not these keyspaces.")
    statement_timeout: float = Field(default=30.0, gt=0, description="Seconds after which a statement is given up.")
    connect_timeout: float = Field(default=10.0, gt=0, le=300, description="Seconds to wait for a node.")

    @model_validator(mode="after")
    def _fits_together(self) -> CassandraSettings:
        if bool(self.user) != bool(self.password):
            raise ValueError("user and password go together")
        return self


@dataclass(frozen=True, slots=True)
class _Table:
    """How a table is asked for: its names and those of its partition key, as CQL writes them."""

    name: str
    key: tuple[str, ...]


class CassandraScanner(RecordStoreScanner[CassandraSettings, Driver]):
    """Scans the keyspaces of one cluster."""

    settings_type: ClassVar[type[SourceSettings]] = CassandraSettings
    engine_name = "cassandra"
    queries_of_sample = STRETCHES

    @property
    def system(self) -> str:
        """`cassandra://host:port` of the first host, after OpenLineage."""
        return self.settings.namespace or f"cassandra://{host_and_port(self.settings.hosts[0], self.settings.port)}"

    def listed(self) -> tuple[str, ...]:
        """All, or what each of the wanted keyspaces holds."""
        return listed_parts(self.settings.keyspaces, self.settings.exclude_keyspaces)

    # --- connection ----------------------------------------------------------------------------------------

    @contextmanager
    def connected(self) -> Generator[Driver]:
        """A session of the cluster."""
        try:
            driver = import_module("cassandra.cluster")
        except ImportError:
            raise missing_driver(self.settings.name, "cassandra") from None
        quiet("cassandra")
        cluster = driver.Cluster(**self._options(driver))
        try:
            yield self._asked(cluster.connect)
        finally:
            cluster.shutdown()

    def _options(self, driver: Driver) -> dict[str, Any]:
        settings = self.settings
        policies, auth = import_module("cassandra.policies"), import_module("cassandra.auth")
        profile = driver.ExecutionProfile(
            load_balancing_policy=policies.DCAwareRoundRobinPolicy(settings.datacenter),
            consistency_level=import_module("cassandra").ConsistencyLevel.LOCAL_ONE,
            request_timeout=settings.statement_timeout,
        )
        options: dict[str, Any] = {
            "contact_points": list(settings.hosts),
            "port": settings.port,
            "connect_timeout": settings.connect_timeout,
            "control_connection_timeout": settings.connect_timeout,
            "application_name": APPLICATION_NAME,
            "execution_profiles": {driver.EXEC_PROFILE_DEFAULT: profile},
        }
        if settings.password is not None:
            password = settings.password.reveal().get_secret_value()
            options["auth_provider"] = auth.PlainTextAuthProvider(settings.user, password)
        if settings.tls:
            options["ssl_context"] = ssl.create_default_context(cafile=settings.authorities)
        return options

    def opening(self, client: Driver) -> Opening:
        """The version of the node that answers; who may read every table."""
        (row,) = client.execute("SELECT release_version FROM system.local")
        safeguards: tuple[SafeguardSeen, ...] = (encryption_in_transit(self.system, self.settings.tls),)
        if not self.settings.user:
            unguarded, everyone = without_credentials(self.system, "SELECT")
            return Opening(str(row.release_version), (*safeguards, unguarded), (everyone,))
        readers = self._readers(client)
        whole = None if readers is None else tuple(readers.get("data", ()))
        return Opening(str(row.release_version), safeguards, whole)

    def _readers(self, client: Driver) -> Mapping[str, Sequence[Reader]] | None:
        """By resource (`data`, `data/shop`, `data/shop/people`), who may read it; None when we may not ask."""
        if not self.settings.user:
            return None
        try:
            roles = list(client.execute("SELECT role, can_login, is_superuser, member_of FROM system_auth.roles"))
            granted = list(client.execute("SELECT role, resource, permissions FROM system_auth.role_permissions"))
        except import_module("cassandra").DriverException:
            return None
        return _resources_readers(roles, granted)

    # --- listing -------------------------------------------------------------------------------------------

    def listing(self, client: Driver, detection: Detection) -> Iterator[RecordSet | UnreadableError]:
        """Tables and materialised views of every keyspace but the cluster's own, as the driver keeps its schema."""
        settings = self.settings
        writes, readers = self._writes(client), self._readers(client)
        keyspaces = cast("Mapping[str, Driver]", client.cluster.metadata.keyspaces)
        for name in settings.keyspaces or sorted(keyspaces):
            if name in settings.exclude_keyspaces or (not settings.keyspaces and _is_systems(name)):
                continue
            if name not in keyspaces:
                title = f"{settings.name}: {name}"
                yield UnreadableError(title, "there is no such keyspace", "check keyspaces", "no-such-keyspace")
                continue
            tables = [(table, DatasetKind.TABLE, table.name) for table in keyspaces[name].tables.values()]
            views = [
                (view, DatasetKind.MATERIALIZED_VIEW, view.base_table_name) for view in keyspaces[name].views.values()
            ]
            for table, kind, base in (*tables, *views):
                yield replace(
                    self._record_set(table, kind),
                    state=writes.get((name, table.name), ()),
                    exact=False,
                    readers=None if readers is None else tuple(_readers_of(readers, name, base)),
                )

    def _writes(self, client: Driver) -> Mapping[tuple[str, str], tuple[object, ...]]:
        """By keyspace and table: its identity, when it was truncated, and what each node has counted of writes to it.

        Nothing when we may not ask every node of the local data centre, or it is older than 4.0.
        """
        hosts = cast("Sequence[Driver]", tuple(client.get_pool_state()))
        near = {host.datacenter for host in hosts}
        away = [each for each in client.cluster.metadata.all_hosts() if each.datacenter in near and each not in hosts]
        if away or len(hosts) > MOST_NODES:
            return {}
        try:
            identities = {(row.keyspace_name, row[1]): row.id for what in _IDENTITIES for row in client.execute(what)}
            found: dict[tuple[str, str], list[object]] = {table: [str(each)] for table, each in identities.items()}
            for host in sorted(hosts, key=lambda host: str(host.host_id)):
                (node,) = client.execute("SELECT gossip_generation, truncated_at FROM system.local", host=host)
                truncated = dict(node.truncated_at or {})
                for row in client.execute(_COUNTS, host=host):
                    table = (row.keyspace_name, row.table_name)
                    if table in found:
                        when = truncated.get(identities[table], b"")
                        found[table].append((str(host.host_id), node.gossip_generation, row.count, when.hex()))
        except (import_module("cassandra").DriverException, import_module("cassandra.cluster").NoHostAvailable):
            return {}
        return {table: tuple(state) for table, state in found.items() if len(state) == len(hosts) + 1}

    def _record_set(self, table: Driver, kind: DatasetKind) -> RecordSet:
        name = f"{table.keyspace_name}.{table.name}"
        options = cast("Mapping[str, Any]", table.options or {})
        keys = {column.name for column in (*table.partition_key, *table.clustering_key)}
        return RecordSet(
            name,
            kind,
            str(options.get("comment") or ""),
            retention=_retention(options),
            known=tuple(
                KnownField(column.name, "", primary_key=column.name in keys, type=str(column.cql_type))
                for column in table.columns.values()
            ),
            related=tuple(self._view(table, name)) if kind is DatasetKind.MATERIALIZED_VIEW else (),
            handle=_Table(
                f"{_quoted(table.keyspace_name)}.{_quoted(table.name)}",
                tuple(_quoted(column.name) for column in table.partition_key),
            ),
        )

    def _view(self, view: Driver, name: str) -> Iterator[Observation]:
        dataset = dataset_urn(self.system, name)
        base = dataset_urn(self.system, f"{view.keyspace_name}.{view.base_table_name}")
        yield JobSeen(f"job:{dataset}", name, "materialized_view", dataset)
        yield FlowSeen(base, dataset, Provenance.CONFIG, job=f"job:{dataset}")

    # --- content -------------------------------------------------------------------------------------------

    def pulse(self, client: Driver) -> None:
        """The node's own row about itself."""
        client.execute("SELECT release_version FROM system.local")

    def sample(self, client: Driver, subject: RecordSet) -> Iterator[Mapping[str, Any]]:
        """The first rows of each range of tokens; without the usual partitioner, of the table."""
        table, rows = cast(_Table, subject.handle), self.settings.sampling.rows
        ordered = str(client.cluster.metadata.partitioner or "").endswith("Murmur3Partitioner")
        statement = f"SELECT * FROM {table.name}"  # noqa: S608 (quoted names)
        if not ordered:
            yield from self._rows(client, f"{statement} LIMIT {rows}", ())
            return
        token = f"token({', '.join(table.key)})"
        taken = 0
        for number, (low, high) in enumerate(_ranges()):
            share = -(-(rows - taken) // (STRETCHES - number))
            if share <= 0:
                return
            bounded = f"{statement} WHERE {token} >= %s AND {token} <= %s PER PARTITION LIMIT {MOST_OF_A_PARTITION}"
            for row in self._rows(client, f"{bounded} LIMIT {share}", (low, high)):
                taken += 1
                yield row

    def _rows(self, client: Driver, statement: str, values: Sequence[int]) -> Iterator[Mapping[str, Any]]:
        query = import_module("cassandra.query")
        asked = query.SimpleStatement(statement, fetch_size=_PAGE, is_idempotent=True)
        result = client.execute(asked, values)
        names = cast("Sequence[str]", result.column_names or ())
        for row in result:
            yield dict(zip(names, row, strict=True))

    def fault(self, error: Exception) -> Fault | None:
        """By the driver's class."""
        cassandra = import_module("cassandra")
        cluster, connection = import_module("cassandra.cluster"), import_module("cassandra.connection")
        where = host_and_port(self.settings.hosts[0], self.settings.port)
        if isinstance(error, cluster.NoHostAvailable):
            causes = cast("Mapping[Any, Exception]", getattr(error, "errors", None) or {}).values()
            if any(isinstance(cause, cassandra.AuthenticationFailed) for cause in causes):
                return _SIGN_IN
            return Fault("unreachable", f"cannot reach {where}", "check hosts, port, tls and network", True)
        if isinstance(error, cassandra.AuthenticationFailed):
            return _SIGN_IN
        if isinstance(error, connection.ConnectionException):
            return Fault("unreachable", f"{where} ended the connection", "scan again later", True)
        for kind, fault in _FAULTS.items():
            if isinstance(error, getattr(cassandra, kind)):
                return fault
        if isinstance(error, cassandra.DriverException):
            return Fault("unreadable", f"its rows could not be read ({type(error).__name__})", "report this")
        return None


SCANNER = CassandraScanner

_SIGN_IN = Fault("sign-in", "the cluster refused the user or password", "check user and password", True)
_TIMEOUT = Fault("statement-timeout", "reading it took too long", "raise statement_timeout, or exclude it")
_FAULTS = {
    "Unauthorized": Fault("no-permission", "no permission to read it", "grant SELECT to the scanning role"),
    "InvalidRequest": Fault("changed", "it was dropped or changed while it was read", "scan again"),
    "OperationTimedOut": _TIMEOUT,
    "ReadTimeout": _TIMEOUT,
    "ReadFailure": Fault("unreadable", "its nodes failed to read it", "look at their logs"),
    "Unavailable": Fault("unreachable", "no node that has it is up", "scan again later"),
}


_IDENTITIES = (
    "SELECT keyspace_name, table_name, id FROM system_schema.tables",
    "SELECT keyspace_name, view_name, id FROM system_schema.views",
)
_COUNTS = "SELECT keyspace_name, table_name, count FROM system_views.local_write_latency"


def _resources_readers(roles: Sequence[Driver], granted: Sequence[Driver]) -> Mapping[str, Sequence[Reader]]:
    """Roles have what they were granted and what the roles have that they are members of; superusers have all."""
    member_of = {str(role.role): sorted(map(str, role.member_of or ())) for role in roles}
    resources: dict[str, set[str]] = {}
    for grant in granted:
        if "SELECT" in (grant.permissions or ()):
            resources.setdefault(str(grant.role), set()).add(str(grant.resource))
    superusers = {str(role.role) for role in roles if role.is_superuser}
    found: dict[str, list[Reader]] = {}
    for role in sorted(roles, key=lambda role: str(role.role)):
        name, kind = str(role.role), PrincipalKind.USER if role.can_login else PrincipalKind.ROLE
        for held in _held_roles(name, member_of):
            via = "" if held == name else held
            if held in superusers:
                found.setdefault("data", []).append(Reader(name, kind, "SUPERUSER", via, "a superuser may read all"))
            for resource in sorted(resources.get(held, ())):
                found.setdefault(resource, []).append(Reader(name, kind, "SELECT", via, "SELECT is granted"))
    return found


def _held_roles(name: str, member_of: Mapping[str, Sequence[str]]) -> list[str]:
    """The role itself and all it is a member of, the nearest first."""
    held = [name]
    for each in held:
        held += [role for role in member_of.get(each, ()) if role not in held]
    return held


def _readers_of(readers: Mapping[str, Sequence[Reader]], keyspace: str, table: str) -> Iterator[Reader]:
    """Those of the table, or of all its keyspace; those of the whole cluster are said of it."""
    everywhere = {reader.principal for reader in readers.get("data", ())}
    for resource in (f"data/{keyspace}/{table}", f"data/{keyspace}", f"data/{keyspace}/*"):
        yield from (reader for reader in readers.get(resource, ()) if reader.principal not in everywhere)


def _is_systems(keyspace: str) -> bool:
    return keyspace == "system" or keyspace.startswith(("system_", "dse_", "datastax_"))


def _ranges() -> Iterator[tuple[int, int]]:
    first, last = _RING
    width = (last - first + 1) // STRETCHES
    for number in range(STRETCHES):
        start = first + number * width
        yield start, last if number == STRETCHES - 1 else start + width - 1


def _retention(options: Mapping[str, Any]) -> Retention:
    seconds = options.get("default_time_to_live")
    if isinstance(seconds, int) and seconds > 0:
        return Retention(round(seconds / DAY, 4), f"default_time_to_live is {seconds} s")
    return Retention()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
