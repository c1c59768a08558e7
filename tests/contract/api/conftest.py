"""A small map in both engines, loaded by the real writer: two systems, a view, flows, the policy."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = datetime(2026, 2, 1, tzinfo=UTC)

DB = "postgres://db.example:5432"
CUSTOMERS = f"{DB}/shop.public.customers"
ORDERS = f"{DB}/shop.public.orders"
MAILABLE = f"{DB}/shop.public.mailable"
BUCKET = "s3://exports"
EXPORT = f"{BUCKET}/customers-{{date}}.csv"


def observations_of_database(*, with_fax: bool):
    from inventory import model as m

    evidence = (
        m.Evidence("value:email", "412 of 420 sampled values", 4.0),
        m.Evidence("name:email", "the column's name says it", 1.5),
    )
    yield m.SystemSeen(DB, m.SystemKind.DATABASE, "Shop database", "postgresql", "15.4", "CA-QC")
    yield m.SafeguardSeen(DB, "encryption_in_transit", True, "the connection used TLS 1.3")
    yield m.AccessSeen(DB, "postgres", m.PrincipalKind.USER, "SUPERUSER", "", "is a superuser")
    yield m.AccessSeen(CUSTOMERS, "clerk", m.PrincipalKind.USER, "SELECT", "staff")
    yield m.AccessSeen(m.field_urn(CUSTOMERS, "email"), "mailer", m.PrincipalKind.ROLE, "SELECT")
    for urn, kind, columns in (
        (CUSTOMERS, m.DatasetKind.TABLE, ["id", "email", "full_name", *(["fax"] if with_fax else [])]),
        (ORDERS, m.DatasetKind.TABLE, ["id", "customer_id"]),
        (MAILABLE, m.DatasetKind.VIEW, ["email"]),
    ):
        yield m.DatasetSeen(urn, DB, kind, urn.rpartition("/")[2], row_estimate=420)
        for position, column in enumerate(columns):
            field = m.field_urn(urn, column)
            yield m.FieldSeen(field, urn, column, "text", position, primary_key=column == "id")
            yield m.FieldProfiled(field, m.Profile(420, 0.0, 0.98, 6, 40, 21.5))
            category = {"email": "user.contact.email", "full_name": "user.name", "fax": "user.contact.fax_number"}
            if column in category:
                yield m.FieldClassified(field, category[column], 0.93, evidence, "columns/1")
    yield m.FieldReferences(
        m.field_urn(ORDERS, "customer_id"), m.field_urn(CUSTOMERS, "id"), "orders_fk", 0, m.Provenance.CONSTRAINT
    )
    job = "job:shop/mailable"
    yield m.JobSeen(job, "mailable", "view", MAILABLE, "SELECT email FROM customers", "postgres")
    yield m.FlowSeen(
        m.field_urn(CUSTOMERS, "email"),
        m.field_urn(MAILABLE, "email"),
        m.Provenance.SQL,
        m.Transformation.COPIED,
        job,
    )
    yield m.FlowSeen(CUSTOMERS, MAILABLE, m.Provenance.SQL, m.Transformation.COPIED, job)
    yield m.DisclosureSeen(MAILABLE, "mailer", m.Provenance.CONFIG, "the pipeline sends it by this vendor's API", 0.9)
    yield m.Finding(ORDERS, "no-permission", m.Severity.WARNING, "orders: content not readable (grant SELECT)")
    for urn in (CUSTOMERS, ORDERS, MAILABLE):
        yield m.Covered(urn, m.Aspect.STRUCTURE)
        if urn != ORDERS:
            yield m.Covered(urn, m.Aspect.CONTENT)
    yield m.Covered(DB, m.Aspect.LISTING)


def observations_of_bucket():
    from inventory import model as m

    evidence = (m.Evidence("value:email", "99 of 100 sampled values", 4.0),)
    yield m.SystemSeen(BUCKET, m.SystemKind.BUCKET, "exports", "s3", region="US-VA", processor="storage-inc")
    yield m.DatasetSeen(EXPORT, BUCKET, m.DatasetKind.OBJECT_GROUP, "customers-{date}.csv", object_count=12)
    field = m.field_urn(EXPORT, "courriel")
    yield m.FieldSeen(field, EXPORT, "courriel", "string", 0)
    yield m.FieldClassified(field, "user.contact.email", 0.9, evidence, "columns/1")
    yield m.FlowSeen(MAILABLE, EXPORT, m.Provenance.CONFIG, m.Transformation.COPIED)
    yield m.DisclosureSeen(BUCKET, "storage-inc", m.Provenance.CONFIG, "the bucket is at this vendor")
    yield m.Covered(EXPORT, m.Aspect.STRUCTURE)
    yield m.Covered(EXPORT, m.Aspect.CONTENT)
    yield m.Covered(BUCKET, m.Aspect.LISTING)


@pytest.fixture(scope="module", params=["embedded", pytest.param("neo4j", marks=pytest.mark.neo4j)])
def map_graph(request):
    """The map in both engines, one after the other."""
    from inventory.graph.schema import migrate
    from inventory.graph.writer import GraphWriter, ScanRun
    from inventory.policy.declared import declare_policy, declare_vocabulary

    graph = request.getfixturevalue(f"_{request.param}_connection")
    while graph.write("MATCH (n) WITH n LIMIT 5000 DETACH DELETE n RETURN count(*) AS gone")[0]["gone"]:
        pass
    migrate(graph)
    writer = GraphWriter(graph)
    declare_vocabulary(writer, FIRST)
    declare_policy(writer, None, None, FIRST)
    writer.load(ScanRun("run1", "shop", FIRST), observations_of_database(with_fax=True))
    writer.load(ScanRun("run1", "exports", FIRST), observations_of_bucket())
    writer.load(ScanRun("run2", "shop", SECOND), observations_of_database(with_fax=False))
    return graph


@pytest.fixture
def catalogue(map_graph):
    from inventory.graph.catalogue import Catalogue

    return Catalogue(map_graph)


@pytest.fixture
def ask(catalogue):
    """Asks a named question in process, in an event loop of its own, and closes that loop's connections."""
    from inventory.api.contract import ask

    async def asked(name, variables):
        try:
            return await ask(catalogue, name, variables)
        finally:
            await catalogue.graph.aclose()

    return lambda name, **variables: asyncio.run(asked(name, variables))
