"""A small estate as its scan would tell it, with knobs for what changes between scans."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from inventory.graph.writer import GraphWriter, ScanRun
from inventory.model import (
    AccessSeen,
    Aspect,
    Covered,
    DatasetKind,
    DatasetSeen,
    DisclosureSeen,
    Evidence,
    FieldClassified,
    FieldProfiled,
    FieldReferences,
    FieldSeen,
    Finding,
    FlowSeen,
    JobSeen,
    PrincipalKind,
    Profile,
    Provenance,
    SafeguardSeen,
    Severity,
    SystemKind,
    SystemSeen,
    Transformation,
    dataset_urn,
    field_urn,
)

SYSTEM = "postgres://db.test:5432"


class Estate:
    """One database of `tables` tables: `t0`, `t1`, …, each with `id`, `payload` (JSON with an e-mail) and `name`."""

    def __init__(self, system: str = SYSTEM) -> None:
        self.system = system

    def table(self, number: int) -> str:
        return dataset_urn(self.system, f"shop.public.t{number}")

    def column(self, number: int, name: str, pointer: str = "") -> str:
        return field_urn(self.table(number), name, pointer)

    def scan(self, tables: int = 4, *, listing: bool = True, **knobs):
        """Every observation of a scan of it."""
        yield SystemSeen(self.system, SystemKind.DATABASE, "shop", "postgresql", "15.4", "CA-QC")
        yield SafeguardSeen(self.system, "encryption_in_transit", True, "TLSv1.3 was negotiated")
        if "readers" in knobs:
            yield AccessSeen(self.system, "postgres", PrincipalKind.USER, "SUPERUSER")
            yield Covered(self.system, Aspect.ACCESS)
        for number in range(tables):
            if number not in knobs.get("without_tables", ()):
                yield from self.observations(number, tables, **knobs)
        if listing:
            yield Covered(self.system, Aspect.LISTING)

    def observations(
        self,
        number: int,
        tables: int,
        *,
        without_tables=(),
        without_names=(),
        without_payloads=(),
        unreadable=(),
        type_of_name="text",
        confidence=0.9,
        rows=100,
        readers=None,
    ):
        table, key = self.table(number), self.column(number, "id")
        payload, email = self.column(number, "payload"), self.column(number, "payload", "/email")
        name = self.column(number, "name")
        yield DatasetSeen(table, self.system, DatasetKind.TABLE, f"shop.public.t{number}", row_estimate=rows)
        yield FieldSeen(key, table, "id", "bigint", 1, nullable=False, primary_key=True)
        if number not in without_payloads:
            yield FieldSeen(payload, table, "payload", "jsonb", 2)
        if number not in without_names:
            yield FieldSeen(name, table, "name", type_of_name, 3)
        if number > 0:
            target = self.column(number - 1, "id")
            yield FieldReferences(key, target, f"fk_t{number}", 0, Provenance.CONSTRAINT)
            job = f"job:{self.system}/v{number}"
            yield JobSeen(job, f"v{number}", "view", table, "SELECT id FROM t WHERE id > ?", "postgres")
            yield FlowSeen(target, key, Provenance.SQL, Transformation.COPIED, job)
        if number == 0:
            yield DisclosureSeen(table, "stripe", Provenance.CONFIG, "the configuration says so")
        yield Covered(table, Aspect.STRUCTURE)
        if number == 0 and readers is not None:
            for reader in readers:
                yield AccessSeen(table, reader, PrincipalKind.ROLE, "SELECT")
            yield AccessSeen(name, "support", PrincipalKind.USER, "SELECT", "staff")
            yield Covered(table, Aspect.ACCESS)
        if number in unreadable:
            yield Finding(table, "no-permission", Severity.ERROR, f"t{number}: no permission to read (grant SELECT)")
            return
        yield FieldProfiled(key, Profile(rows, 0.0, 1.0, 1, 3, 2.0))
        if number not in without_payloads:
            yield FieldSeen(email, table, "payload/email", "string", 2)
            yield FieldProfiled(email, Profile(rows, 0.1, 0.9, 9, 30, 17.5))
            seen = (Evidence("value:email", f"{rows} of {rows} sampled values", 4.2),)
            yield FieldClassified(email, "user.contact.email", confidence, seen, "small/1")
        if number not in without_names:
            named = (Evidence("name:name", "the column is called name", 1.5),)
            yield FieldClassified(name, "user.name", 0.7, named, "small/1")
        yield Covered(table, Aspect.CONTENT)


class Clock:
    """Times of scans, a minute apart, that end a while ago."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC) - timedelta(days=30)

    def tick(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now


@pytest.fixture
def estate():
    return Estate()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def load(clock):
    """Load observations as one scan: `load(graph, observations)`."""
    runs = iter(range(1_000_000))

    def run(graph, observations, source="shop"):
        return GraphWriter(graph).load(ScanRun(f"run{next(runs)}", source, clock.tick()), observations)

    return run


@pytest.fixture
def settled():
    """The export of a graph without what differs between two roads to the same state: times, scans, versions."""
    from inventory.graph.export import export

    passing = {"valid_from", "changed_at", "scan"}

    def kept(properties):
        return ((name, "ended" if name == "valid_to" else value) for name, value in properties.items())

    def settle(graph):
        return [
            {**record, "properties": {k: v for k, v in kept(record["properties"]) if k not in passing}}
            for record in export(graph)
            if record.get("node") != "Scan" and record.get("source", [""])[0] != "Scan" and "version" not in record
        ]

    return settle


@pytest.fixture(scope="module")
def shop():
    return Estate()
