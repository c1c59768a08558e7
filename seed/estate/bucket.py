"""The object store: what the database exports every night, logs, and things that are about nobody."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any, cast

import httpx
import psycopg
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from obstore.store import S3Store

from seed.estate.names import BUCKET

EXPORT_DAYS = ("2026-01-14", "2026-01-15")
_EDGES = 6
_UPLOADS_AT_ONCE = 8


def fill(endpoint: str, access_key_id: str, secret_access_key: str, database: psycopg.Connection) -> None:
    """Create the bucket and put all objects into it."""
    httpx.put(f"{endpoint}/{BUCKET}", timeout=30).raise_for_status()
    store = open_store(endpoint, access_key_id, secret_access_key)
    # PUT by PUT, so that it is the same object whichever order they arrive in; nothing is kept but those in flight
    with ThreadPoolExecutor(_UPLOADS_AT_ONCE) as pool:
        for _ in pool.map(lambda item: store.put(item[0], item[1]), objects(database)):
            pass


def open_store(endpoint: str, access_key_id: str, secret_access_key: str) -> S3Store:
    """A client for the bucket."""
    return S3Store(
        BUCKET,
        endpoint=endpoint,
        region="us-east-1",
        access_key_id=access_key_id,
        secret_access_key=secret_access_key,
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
    )


def objects(database: psycopg.Connection) -> Iterator[tuple[str, bytes]]:
    """Every object's key and content; the same for the same database."""
    yield from _customer_exports(database)
    yield from _newsletter_export(database)
    yield from _events(database)
    yield from _usage(database)
    yield from _invoices(database)
    yield from _access_logs(database)
    yield from _about_nobody()


def _customer_exports(database: psycopg.Connection) -> Iterator[tuple[str, bytes]]:
    content = _csv(database, "SELECT * FROM accounts.customer_directory ORDER BY customer_id")
    for day in EXPORT_DAYS:
        yield f"exports/customers-{day}.csv", content


def _newsletter_export(database: psycopg.Connection) -> Iterator[tuple[str, bytes]]:
    query = (
        "SELECT email_sha256 AS empreinte, language AS langue, customer_since AS client_depuis"
        " FROM marketing.audience ORDER BY email_sha256"
    )
    yield f"exports/infolettre-{EXPORT_DAYS[-1]}.csv", _csv(database, query, delimiter=";")


def _csv(database: psycopg.Connection, query: str, delimiter: str = ",") -> bytes:
    with database.cursor() as cursor:
        statement = f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER, DELIMITER '{delimiter}')"
        with cursor.copy(cast(Any, statement)) as copy:  # our own constant queries
            return b"".join(bytes(block) for block in copy)


def _events(database: psycopg.Connection) -> Iterator[tuple[str, bytes]]:
    by_day: dict[str, list[bytes]] = {}
    query = "SELECT event_id, occurred_at, name, payload FROM telemetry.client_events ORDER BY occurred_at, event_id"
    for event, at, name, payload in database.execute(query):
        record = {"id": str(event), "time": _utc(at).isoformat(), "event": name, "context": payload}
        by_day.setdefault(f"{_utc(at):%Y-%m-%d}", []).append(json.dumps(record, ensure_ascii=False).encode() + b"\n")
    for day, lines in by_day.items():
        yield f"events/{day}.jsonl", b"".join(lines)


def _usage(database: psycopg.Connection) -> Iterator[tuple[str, bytes]]:
    query = (
        "SELECT tenant_id, customer_id, service, quantity::float8 AS quantity, amount_cents, month::text AS month"
        " FROM billing.usage_records ORDER BY month, customer_id, service"
    )
    table = pa_csv.read_csv(io.BytesIO(_csv(database, query)))
    months = [cast(date, month) for month in table.column("month").to_pylist()]
    for month in sorted(set(months)):
        mask = pa.array([value == month for value in months])
        yield f"usage/month={month:%Y-%m}/usage.parquet", _parquet(table.filter(mask).drop_columns(["month"]))


def _invoices(database: psycopg.Connection) -> Iterator[tuple[str, bytes]]:
    query = (
        "SELECT invoice_id, customer_id, order_number, issued_on, total_cents, bill_to"
        " FROM billing.invoices WHERE issued_on >= '2025-12-01' AND issued_on < '2026-01-01' ORDER BY invoice_id"
    )
    names = ("invoice_id", "customer_id", "order_number", "issued_on", "total_cents", "bill_to")
    rows: list[dict[str, Any]] = [dict(zip(names, row, strict=True)) for row in database.execute(query)]
    yield "finance/invoices-2025-12.parquet", _parquet(pa.Table.from_pylist(rows))


def _parquet(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


def _access_logs(database: psycopg.Connection) -> Iterator[tuple[str, bytes]]:
    """Combined log format, an object for each day and edge server, gzipped with no time in its header."""
    files: dict[tuple[str, int], list[str]] = {}
    query = (
        "SELECT l.request_id, l.logged_at, host(l.client_ip), c.username, l.method, l.path, l.status, l.bytes,"
        " l.referrer, l.user_agent FROM telemetry.access_log AS l"
        " LEFT JOIN accounts.customers AS c USING (tenant_id, customer_id) ORDER BY l.logged_at, l.request_id"
    )
    for request, at, ip, user, method, path, status, size, referrer, agent in database.execute(query):
        line = (
            f'{ip} - {user or "-"} [{_utc(at):%d/%b/%Y:%H:%M:%S +0000}] "{method} {path} HTTP/1.1"'
            f' {status} {size} "{referrer or "-"}" "{agent}"\n'
        )
        files.setdefault((f"{_utc(at):%Y/%m/%d}", request % _EDGES + 1), []).append(line)
    for (day, edge), lines in files.items():
        yield f"logs/access/{day}/edge-{edge}.log.gz", gzip.compress("".join(lines).encode(), mtime=0)


def _about_nobody() -> Iterator[tuple[str, bytes]]:
    yield "assets/site.css", b"body { margin: 0; font-family: sans-serif }\n"
    yield (
        "assets/logo.svg",
        b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><path d="M0 0h8v8H0z"/></svg>\n',
    )
    yield "docs/LISEZMOI.txt", b"Exports de nuit. Une question? Voir le wiki interne.\n"
    yield "backups/control-plane.dump", hashlib.sha256(b"noise").digest() * 2048
    for day in EXPORT_DAYS:
        lines = ["node,cpu_percent,memory_mib,version"]
        lines += [f"node-{n:02d},{n * 7 % 100},{2048 + n * 64},10.2.{n % 9}.{n % 4}" for n in range(1, 61)]
        yield f"metrics/nodes-{day}.csv", ("\n".join(lines) + "\n").encode()
    settings: Mapping[str, object] = {
        "retries": 3,
        "regions": ["ca-east", "ca-west"],
        "feature_flags": {"new_nav": True},
    }
    yield "config/edge.json", json.dumps(settings).encode()


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC)
