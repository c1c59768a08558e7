"""Emits what Airflow's OpenLineage provider emits of a task of SQL, by its own parser and adapter, in its environment.

Arguments: nothing. Where to is in OPENLINEAGE_URL and OPENLINEAGE_API_KEY, as Airflow has it.
"""

import uuid
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

from airflow.providers.openlineage.plugins.adapter import OpenLineageAdapter  # pyright: ignore[reportMissingImports]
from airflow.providers.openlineage.sqlparser import DatabaseInfo, SQLParser  # pyright: ignore[reportMissingImports]

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
SQL = """
INSERT INTO mart.mailable (email, label)
SELECT c.email, upper(c.full_name) FROM raw.customers c JOIN raw.orders o ON o.customer_id = c.id
WHERE c.email <> 'nobody@example.ca'
"""

database = DatabaseInfo(scheme="postgres", authority="db.example:5432", database="shop")
task = SQLParser(dialect="postgres", default_schema="public").generate_openlineage_metadata_from_sql(
    SQL, hook=SimpleNamespace(), database_info=database, database="shop", use_connection=False
)
adapter = OpenLineageAdapter()
said = {
    "run_id": str(uuid.UUID(int=1)),
    "job_name": "nightly.mailable",
    "job_description": "Who may be mailed",
    "nominal_start_time": BEGAN.isoformat(),
    "nominal_end_time": BEGAN.isoformat(),
    "owners": ["team-data"],
    "tags": [],
    "task": task,
}
adapter.start_task(event_time=BEGAN.isoformat(), **said)
adapter.complete_task(end_time=(BEGAN + timedelta(seconds=9)).isoformat(), **said)
