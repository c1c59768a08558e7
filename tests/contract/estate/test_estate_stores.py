"""The bucket and the vendor's account hold what the database holds."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re

import httpx
import pyarrow.parquet as pq

from inventory.scan.config import parse_config
from seed.estate import names
from seed.estate.canaries import plant_canaries
from seed.estate.truth import truth


def read(estate, key: str) -> bytes:
    return bytes(estate.store().get(key).bytes())


def keys(estate) -> list[str]:
    return sorted(meta["path"] for page in estate.store().list() for meta in page)


def customers_at_vendor(estate) -> list[dict]:
    found, last = [], {}
    while True:
        query = {"limit": 100, **last}
        auth = (estate.secret("stripe-api-key"), "")
        page = httpx.get(f"{estate.vendor_url}/v1/customers", params=query, auth=auth).raise_for_status().json()
        found += page["data"]
        if not page["has_more"]:
            return found
        last = {"starting_after": found[-1]["id"]}


def test_configuration_is_accepted(small_estate):
    config = parse_config({"sources": small_estate.sources(), "flows": small_estate.flows()}, "test")
    systems = [scanner.system for scanner in config.sources]
    assert systems == [
        names.DATABASE_NAMESPACE,
        names.BUCKET_NAMESPACE,
        names.VENDOR_NAMESPACE,
        names.ZONE_NAMESPACE,
        names.REPOSITORY_NAMESPACE,
    ]
    assert len(config.flows) == len(small_estate.flows())


def test_known_flows_are_between_datasets_of_the_estate(small_estate):
    datasets = {field.partition("#")[0] for field in truth().fields}
    for flow in small_estate.flows():
        assert {flow["from"], flow["to"]} <= datasets


def test_customer_export_is_the_view(small_estate):
    rows = list(csv.DictReader(io.StringIO(read(small_estate, "exports/customers-2026-01-14.csv").decode())))
    with small_estate.connect() as connection:
        cursor = connection.execute("SELECT * FROM accounts.customer_directory ORDER BY customer_id")
        assert cursor.description is not None
        columns = [column.name for column in cursor.description]
        expected = [["" if v is None else str(v) for v in row] for row in cursor]
    assert [list(row.values()) for row in rows] == expected
    assert list(rows[0]) == columns


def test_newsletter_export_is_hashed_and_french(small_estate):
    header, *rows = read(small_estate, "exports/infolettre-2026-01-15.csv").decode().splitlines()
    assert header == "empreinte;langue;client_depuis"
    assert rows
    assert all(re.fullmatch(r"[0-9a-f]{64};(en|fr);\d{4}", row) for row in rows)


def test_events_are_the_tables(small_estate):
    lines = [
        json.loads(line)
        for key in keys(small_estate)
        if key.startswith("events/")
        for line in read(small_estate, key).splitlines()
    ]
    with small_estate.connect() as connection:
        rows = dict(connection.execute("SELECT event_id::text, payload FROM telemetry.client_events").fetchall())
    assert {line["id"]: line["context"] for line in lines} == rows


def test_parquet_is_the_tables(small_estate):
    usage = [pq.read_table(io.BytesIO(read(small_estate, k))) for k in keys(small_estate) if k.startswith("usage/")]
    invoices = pq.read_table(io.BytesIO(read(small_estate, "finance/invoices-2025-12.parquet")))
    with small_estate.connect() as connection:
        amounts = connection.execute("SELECT amount_cents FROM billing.usage_records ORDER BY 1").fetchall()
        bill_to = connection.execute(
            "SELECT bill_to FROM billing.invoices WHERE to_char(issued_on, 'YYYY-MM') = '2025-12' ORDER BY invoice_id"
        ).fetchall()
    exported = [amount for table in usage for amount in table["amount_cents"].to_pylist() if amount is not None]
    assert sorted(exported) == [amount for (amount,) in amounts]
    assert invoices["bill_to"].to_pylist() == [value for (value,) in bill_to]


def test_access_logs_are_many_objects_with_every_request(small_estate):
    logs = [key for key in keys(small_estate) if key.startswith("logs/access/")]
    lines = [line for key in logs for line in gzip.decompress(read(small_estate, key)).decode().splitlines()]
    combined = re.compile(r'[0-9a-f.:]+ - \S+ \[[^\]]+\] "[A-Z]+ \S+ HTTP/1\.1" \d{3} \d+ "[^"]*" "[^"]+"')
    assert len(logs) >= 40
    assert all(combined.fullmatch(line) for line in lines)
    with small_estate.connect() as connection:
        assert connection.execute("SELECT count(*) FROM telemetry.access_log").fetchone() == (len(lines),)


def test_vendor_knows_everybody_who_pays_and_the_database_knows_their_ids(small_estate):
    at_vendor = {c["id"]: (c["email"], c["metadata"]["user_id"]) for c in customers_at_vendor(small_estate)}
    with small_estate.connect() as connection:
        rows = connection.execute(
            "SELECT m.stripe_customer, c.email, c.customer_id::text FROM billing.payment_methods AS m"
            " JOIN accounts.customers AS c USING (tenant_id, customer_id)"
        ).fetchall()
    assert at_vendor == {stripe: (email, number) for stripe, email, number in rows}


def test_vendor_records_have_what_must_be_found_in_them(small_estate):
    payer = next(c for c in customers_at_vendor(small_estate) if c["invoice_settings"]["default_payment_method"])
    for resource, query in {
        "customers": {},
        "payment_methods": {"customer": payer["id"], "type": "card"},
        "charges": {},
        "invoices": {},
        "subscriptions": {},
    }.items():
        auth = (small_estate.secret("stripe-api-key"), "")
        answer = httpx.get(f"{small_estate.vendor_url}/v1/{resource}", params={"limit": 100, **query}, auth=auth)
        found = {path for record in answer.raise_for_status().json()["data"] for path in paths(record)}
        prefix = f"{names.VENDOR_NAMESPACE}/{resource}#"
        must = {f.removeprefix(prefix) for f, e in truth().fields.items() if f.startswith(prefix) and e.required}
        assert must
        assert must <= found


def paths(value: object, path: str = "") -> set[str]:
    """Places that hold a value, such as `address/city`; elements of an array are `-`."""
    if isinstance(value, dict):
        return set().union(*(paths(inner, f"{path}/{key}".strip("/")) for key, inner in value.items()))
    if isinstance(value, list):
        return set().union(*(paths(inner, f"{path}/-") for inner in value))
    return set() if value is None else {path}


def test_vendor_wants_a_key(small_estate):
    assert httpx.get(f"{small_estate.vendor_url}/v1/customers").status_code == 401


def test_canaries_are_in_every_store_and_not_in_the_next_estate(make_estate):
    with make_estate() as estate:
        canaries = plant_canaries(estate)
        assert len(set(canaries)) == len(canaries) >= 20
        with estate.connect() as connection:
            planted = connection.execute("SELECT canaries::text FROM support.canaries").fetchall()
        names_of_objects = keys(estate)
        contents = b"".join(
            gzip.decompress(content) if key == "canaries/access.log.gz" else content
            for key in names_of_objects
            if not key.startswith(("logs/", "usage/", "finance/"))
            for content in [read(estate, key)]
        ).decode("utf-8", "replace")
        sources = (str(planted), str(names_of_objects), contents, json.dumps(customers_at_vendor(estate)))
        assert all(any(canary in source for canary in canaries) for source in sources)
    with make_estate() as estate, estate.connect() as connection:
        assert connection.execute("SELECT to_regclass('support.canaries')").fetchone() == (None,)
