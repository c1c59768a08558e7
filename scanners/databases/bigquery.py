"""BigQuery, by google-cloud-bigquery: its REST API alone, so that a scan runs no query and costs nothing.

There is no SQL and no connection: the client stands where the other databases have one, a table's metadata is one
request, and a sample is `tabledata.list`, which reads rows by their place. Views hold no rows to list: what they show
follows from their SQL.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import logging
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, ClassVar, Literal, TypeAlias, cast

import pyarrow as pa
import sqlalchemy as sa
from pydantic import Field

from inventory.errors import ConfigError, SourceError
from inventory.model import DatasetKind, Observation, PrincipalKind, SafeguardSeen
from scanners.base import ScanContext, Secret, SourceSettings
from scanners.budget import Meter
from scanners.databases.catalog import ARROW_TYPES, Carrier, Column, Fault, ForeignKey, Reader, Relation
from scanners.databases.relational import DriverFault, RelationalScanner, RelationalSettings, Sample

Client: TypeAlias = Any  # google.cloud.bigquery.Client, which is an extra

STRETCHES = 8  # requests that a large table's sample is spread over
MOST_TRIES = 60.0  # seconds in which a request is tried again


class BigQuerySettings(RelationalSettings):
    """One project. Its BigQuery datasets are what other databases call schemas."""

    type: Literal["bigquery"] = "bigquery"
    project: str = Field(pattern=r"^[a-z0-9.:-]+$", description="The project that holds the datasets.")
    credentials: Secret | None = Field(
        default=None, description="A service account's key (JSON). Without it: the surroundings' own credentials."
    )
    endpoint: str = Field(default="", description="Another address of the API, such as a private endpoint.")


class BigQueryScanner(RelationalScanner[BigQuerySettings]):
    """Scans the datasets of a project."""

    settings_type: ClassVar[type[SourceSettings]] = BigQuerySettings
    engine_name = "bigquery"
    sql_dialect = "bigquery"

    @property
    def system(self) -> str:
        """`bigquery`, as OpenLineage has it: projects are in the datasets' names."""
        return self.settings.namespace or "bigquery"

    def dataset_name(self, schema: str, name: str) -> str:
        """`project.dataset.table`."""
        return f"{self.name_prefix}{schema}.{name}"

    @property
    def name_prefix(self) -> str:
        """`project.`."""
        return f"{self.settings.project}."

    # --- connection ----------------------------------------------------------------------------------------

    def engine(self) -> sa.Engine:
        """There is none."""
        raise NotImplementedError

    def _client(self) -> Client:
        settings = self.settings
        logging.getLogger("google").setLevel(logging.CRITICAL)  # its warnings may quote what was answered
        bigquery = importlib.import_module("google.cloud.bigquery")
        given: dict[str, Any] = {"project": settings.project}
        if settings.credentials is not None:
            given["credentials"] = self._credentials(settings.credentials.reveal().get_secret_value())
        if settings.endpoint:
            given["client_options"] = {"api_endpoint": settings.endpoint}
        return bigquery.Client(**given)

    def _credentials(self, key: str) -> Any:
        accounts = importlib.import_module("google.oauth2.service_account")
        scopes = ["https://www.googleapis.com/auth/bigquery.readonly"]
        try:
            return accounts.Credentials.from_service_account_info(json.loads(key), scopes=scopes)
        except (ValueError, TypeError, AttributeError):
            pass
        raise ConfigError(self.settings.name, "credentials hold no service account's key", "give the JSON key file")

    @contextmanager
    def _connected(self, meter: Meter | None = None) -> Generator[Client]:
        del meter
        try:
            importlib.import_module("google.cloud.bigquery")
        except ImportError:
            cause = "its client is not installed"
            raise SourceError(self.settings.name, cause, "pip install 'privacy-inventory[bigquery]'") from None
        with self._source_errors(), self._own_words():
            client = self._client()
        try:
            yield client
        finally:
            client.close()

    @contextmanager
    def _transaction(self, connection: Client, meter: Meter | None = None) -> Generator[None]:
        del connection, meter
        with self._own_words():
            yield

    @contextmanager
    def _own_words(self) -> Generator[None]:
        api: Any = importlib.import_module("google.api_core.exceptions")
        auth: Any = importlib.import_module("google.auth.exceptions")
        web: Any = importlib.import_module("requests.exceptions")
        try:
            yield
        except (
            *(api.GoogleAPIError, auth.GoogleAuthError, web.RequestException),
            *(ConnectionError, UnicodeError, pa.ArrowException),
        ) as error:
            fault = self.fault(error)
        else:
            return
        raise DriverFault(fault)

    @property
    def _asking(self) -> dict[str, Any]:
        """How long a request may take, and that what is busy is asked again, ever more slowly."""
        retry = importlib.import_module("google.cloud.bigquery.retry").DEFAULT_RETRY
        tries = min(MOST_TRIES, 2 * self.settings.statement_timeout)
        return {"timeout": self.settings.statement_timeout, "retry": retry.with_timeout(tries)}

    def version(self, connection: Client) -> str:
        """The API's."""
        del connection
        return "v2"

    def safeguards(self, connection: Client) -> Sequence[Observation]:
        """Whether the API is asked by HTTPS."""
        del connection
        encrypted = not self.settings.endpoint.startswith("http://")
        evidence = "the API is asked by HTTPS" if encrypted else "the endpoint is asked without TLS"
        return [SafeguardSeen(self.system, "encryption_in_transit", encrypted, evidence)]

    def fault(self, error: BaseException) -> Fault:
        """By the HTTP status, or by what kept the request from being answered."""
        if "ReadTimeout" in (type(error).__name__, type(getattr(error, "cause", None)).__name__):
            return TOO_LONG
        status = getattr(error, "code", None)
        if isinstance(status, int):
            return _FAULTS.get(int(status)) or Fault(
                "unreadable", f"BigQuery answered with status {int(status)}", "scan again, or look at its status page"
            )
        if type(error).__module__.startswith("google.auth"):
            unreached = type(error).__name__ == "TransportError"
            return UNREACHABLE if unreached else WRONG_CREDENTIALS
        if isinstance(error, (UnicodeError, pa.ArrowException)):
            return Fault("unreadable", f"its values could not be read ({type(error).__name__})", "report this")
        return UNREACHABLE

    # --- catalog -------------------------------------------------------------------------------------------

    def schemas(self, connection: Client) -> Sequence[str]:
        """The project's datasets, but not those that hold the results of queries."""
        found = (each.dataset_id for each in connection.list_datasets(**self._asking))
        return sorted(name for name in found if not name.startswith("_"))

    def relations(self, connection: Client, schema: str) -> Sequence[Relation]:
        """Every table and view; one request each."""
        place = f"{self.settings.project}.{schema}"
        readers = tuple(_readers(connection.get_dataset(place, **self._asking).access_entries))
        listed = sorted(each.table_id for each in connection.list_tables(place, **self._asking))
        return [
            _relation(schema, name, connection.get_table(f"{place}.{name}", **self._asking), readers) for name in listed
        ]

    # --- content -------------------------------------------------------------------------------------------

    def _content(
        self, connection: Client, relation: Relation, context: ScanContext, meter: Meter
    ) -> Iterator[Observation]:
        if relation.kind is DatasetKind.TABLE and not relation.foreign:
            yield from super()._content(connection, relation, context, meter)

    def sample(self, connection: sa.Connection, relation: Relation, columns: Sequence[Column]) -> Sample:
        """There is no SQL."""
        raise NotImplementedError

    def _batches(self, connection: Client, relation: Relation, columns: Sequence[Column]) -> Iterator[pa.RecordBatch]:
        """Rows at places that are spread evenly over a large table, all rows of a small one."""
        table = connection.get_table(f"{self.settings.project}.{relation.schema}.{relation.name}", **self._asking)
        rows, total, limit = self.settings.sampling.rows, table.num_rows or 0, self.settings.sampling.value_bytes
        schema = pa.schema([pa.field(column.name, ARROW_TYPES[column.carrier]) for column in columns])
        starts = [total * index // STRETCHES for index in range(STRETCHES)] if total > 2 * rows else [0]
        page = self._chunk_rows(columns)
        for start in starts:
            listed = connection.list_rows(
                table, start_index=start, max_results=max(1, rows // len(starts)), page_size=page, **self._asking
            )
            for some in listed.pages:
                read = [tuple(_text(value, limit) for value in row.values()) for row in some]
                if read:
                    yield self._batch(schema, cast(Any, read))


SCANNER = BigQueryScanner


def _relation(schema: str, name: str, table: Any, readers: tuple[Reader, ...]) -> Relation:
    primary, foreign = _keys(table)
    definition = table.view_query or table.mview_query or ""
    return Relation(
        schema=schema,
        name=name,
        kind=_KINDS.get(table.table_type, DatasetKind.TABLE),
        columns=tuple(
            Column(
                name=field.name,
                type=_declared(field),
                carrier=Carrier.JSON if field.mode == "REPEATED" or field.fields else Carrier.TEXT,
                nullable=field.mode != "REQUIRED",
                comment=field.description or "",
            )
            for field in table.schema
        ),
        primary_key=primary,
        foreign_keys=foreign,
        comment=table.description or "",
        row_estimate=table.num_rows if table.table_type == "TABLE" else None,
        row_bytes=table.num_bytes // table.num_rows if table.num_rows and table.num_bytes else None,
        definition=definition,
        foreign=table.table_type == "EXTERNAL",
        state=_state(table),
        readers=readers,
    )


def _state(table: Any) -> str:
    """Rows that are still being streamed in change nothing of what the table says of itself."""
    if table.table_type != "TABLE" or table.streaming_buffer is not None:
        return ""
    return f"{table.etag} {table.modified} {table.num_rows}"


def _keys(table: Any) -> tuple[tuple[str, ...], tuple[ForeignKey, ...]]:
    constraints = getattr(table, "table_constraints", None)
    if constraints is None:
        return (), ()
    primary = tuple(constraints.primary_key.columns) if constraints.primary_key else ()
    foreign = tuple(
        ForeignKey(
            name=key.name or ",".join(pair.referencing_column for pair in key.column_references),
            columns=tuple(pair.referencing_column for pair in key.column_references),
            target_schema=key.referenced_table.dataset_id,
            target_table=key.referenced_table.table_id,
            target_columns=tuple(pair.referenced_column for pair in key.column_references),
        )
        for key in constraints.foreign_keys or ()
        if key.referenced_table.project == table.project
    )
    return primary, foreign


def _declared(field: Any) -> str:
    inner = f"STRUCT<{', '.join(f'{one.name} {_declared(one)}' for one in field.fields)}>" if field.fields else ""
    declared = inner or str(field.field_type)
    return f"ARRAY<{declared}>" if field.mode == "REPEATED" else declared


def _text(value: Any, limit: int) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value[:limit].decode("utf-8", errors="replace")
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def _readers(entries: Sequence[Any]) -> Iterator[Reader]:
    """Who may read a BigQuery dataset by its own list. An address is a person's, so it is kept as a digest."""
    for entry in entries:
        if entry.role not in _READING or not isinstance(entry.entity_id, str):
            continue  # an authorised view or routine reads for whoever may ask it
        kind, name = _principal(str(entry.entity_type), entry.entity_id)
        yield Reader(name, kind, entry.role, "", f"{entry.role} on the dataset is granted to it")


def _principal(entity: str, named: str) -> tuple[PrincipalKind, str]:
    if entity == "iamMember":
        entity, _, named = named.partition(":")
    local, _, host = named.partition("@")
    if named in ("allUsers", "allAuthenticatedUsers") or entity in ("allUsers", "allAuthenticatedUsers"):
        return PrincipalKind.PUBLIC, named or entity
    if host.endswith("gserviceaccount.com"):
        return PrincipalKind.USER, f"serviceAccount:{local} of {host.partition('.')[0]}"
    if entity in ("userByEmail", "user"):
        return PrincipalKind.USER, f"user:{hashlib.sha256(named.lower().encode()).hexdigest()[:12]}"
    if entity in ("groupByEmail", "group"):
        return PrincipalKind.ROLE, f"group:{local}"
    return PrincipalKind.ROLE, named or entity


_READING = {
    *("READER", "WRITER", "OWNER"),
    *("roles/bigquery.dataViewer", "roles/bigquery.dataEditor", "roles/bigquery.dataOwner", "roles/bigquery.admin"),
}

_KINDS = {"VIEW": DatasetKind.VIEW, "MATERIALIZED_VIEW": DatasetKind.MATERIALIZED_VIEW}

_source_fault = partial(Fault, fatal=True)  # nothing of the source can be read

UNREACHABLE = _source_fault("unreachable", "cannot reach the API", "check network and endpoint")
TOO_LONG = Fault("statement-timeout", "reading it took too long", "raise statement_timeout, or exclude it")
WRONG_CREDENTIALS = _source_fault("wrong-password", "the credentials are wrong or have expired", "renew the key")

_FAULTS = {
    401: WRONG_CREDENTIALS,
    403: Fault("no-permission", "no permission to read it", "grant roles/bigquery.dataViewer, or wait for its quota"),
    404: Fault("changed", "it was dropped or changed while it was read", "scan again"),
}
