"""The flows of the estate that people know of: what jobs export every night, and what is synced to the vendor."""

from __future__ import annotations

from collections.abc import Iterator

from inventory.model import dataset_urn
from seed.estate import names

# (table or view, object group, job)
_EXPORTS = (
    ("accounts.customer_directory", "exports/customers-{date}.csv", "nightly-customer-export"),
    ("marketing.audience", "exports/infolettre-{date}.csv", "nightly-audience-export"),
    ("telemetry.client_events", "events/{date}.jsonl", "event-archive"),
    ("billing.usage_records", "usage/month={date}/usage.parquet", "monthly-usage-export"),
    ("billing.invoices", "finance/invoices-{date}.parquet", "monthly-invoice-export"),
    ("telemetry.access_log", "logs/access/{date}/edge-{number}.log.gz", "log-archive"),
    ("accounts.customers", "logs/access/{date}/edge-{number}.log.gz", "log-archive"),
)
_SYNCED = ("accounts.customers", "accounts.addresses")


def known_flows() -> Iterator[dict[str, str]]:
    """Each as `inventory.yaml` has it."""
    for table, group, job in _EXPORTS:
        yield _flow(_table(table), dataset_urn(names.BUCKET_NAMESPACE, group), job, "export")
    customers = dataset_urn(names.VENDOR_NAMESPACE, "customers")
    for table in _SYNCED:
        yield _flow(_table(table), customers, "payment-customer-sync", "sync")
    yield _flow(customers, _table("billing.payment_methods"), "payment-customer-sync", "sync")


def _table(name: str) -> str:
    return dataset_urn(names.DATABASE_NAMESPACE, f"{names.DATABASE}.{name}")


def _flow(source: str, target: str, job: str, kind: str) -> dict[str, str]:
    return {"from": source, "to": target, "job": job, "kind": kind}
