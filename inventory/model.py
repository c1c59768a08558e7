"""What a scanner may say: small frozen observations about systems, datasets and fields, and how they are named.

Names follow the OpenLineage naming specification: a *system* is a dataset namespace (`postgres://host:5432`,
`s3://bucket`), a *dataset* is `namespace/name` (`postgres://host:5432/db.schema.table`), a *field* is
`dataset#column`, and a place inside a JSON or nested column is `dataset#column/json/pointer` (RFC 6901).

Observations carry facts about data and never a value of it. Text that people wrote into the scanned system
(comments, object keys, JSON keys) is redacted by the scanner before it becomes part of an observation.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TypeAlias
from urllib.parse import quote, unquote


class SystemKind(StrEnum):
    """What a system is."""

    DATABASE = "database"
    BUCKET = "bucket"
    STREAM = "stream"
    INTEGRATION = "integration"
    DNS_ZONE = "dns_zone"
    REPOSITORY = "repository"


class DatasetKind(StrEnum):
    """What a dataset is, in the words of the system that holds it."""

    TABLE = "table"
    VIEW = "view"
    MATERIALIZED_VIEW = "materialized_view"
    COLLECTION = "collection"
    TOPIC = "topic"
    OBJECT_GROUP = "object_group"
    API_RESOURCE = "api_resource"
    RECORD_SET = "record_set"  # of a DNS zone: the records of one name
    FILE = "file"  # of a repository: a manifest, a template of settings


class Provenance(StrEnum):
    """Where a statement about the data comes from."""

    CONSTRAINT = "constraint"
    COMMENT = "comment"
    CONFIG = "config"
    NAME = "name"
    VALUE = "value"
    OVERLAP = "overlap"
    SQL = "sql"
    DBT = "dbt"
    OPENLINEAGE = "openlineage"
    LINEAGE = "lineage"  # it follows from where the data comes from
    API = "api"
    DNS = "dns"
    SDK = "sdk"  # a program depends on the organisation's library
    REGISTER = "register"  # people wrote down that it was disclosed
    DECLARED = "declared"
    REVIEW = "review"


class ReviewState(StrEnum):
    """What people have said of a classification."""

    SUGGESTED = "suggested"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"


class Transformation(StrEnum):
    """What a flow does to the data (after the OpenLineage column-lineage facet)."""

    COPIED = "copied"
    TRANSFORMED = "transformed"
    HASHED = "hashed"
    MASKED = "masked"
    AGGREGATED = "aggregated"
    UNKNOWN = "unknown"


class PrincipalKind(StrEnum):
    """What a system lets in: an account that signs in, a role that accounts have, or everyone."""

    USER = "user"
    ROLE = "role"
    PUBLIC = "public"


class Aspect(StrEnum):
    """What a scan has looked at when it says `Covered`."""

    LISTING = "listing"  # of a system: which datasets it holds
    STRUCTURE = "structure"  # of a dataset: fields, types, keys, flows, disclosures
    CONTENT = "content"  # of a dataset: profiles and classifications
    ACCESS = "access"  # of a system or a dataset: who may read it


class Severity(StrEnum):
    """How much of the answer a finding takes away."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


# --- names ------------------------------------------------------------------------------------------------


def dataset_urn(namespace: str, name: str) -> str:
    """`postgres://db:5432` and `shop.public.orders` give `postgres://db:5432/shop.public.orders`."""
    return f"{namespace}/{quote_name(name)}"


def field_urn(dataset: str, column: str, pointer: str = "") -> str:
    """`…/shop.public.orders`, `payload`, `/customer/email` give `…/shop.public.orders#payload/customer/email`.

    `pointer` is an RFC 6901 JSON pointer inside the column ("" for the column itself). A slash in the column's
    own name is written `~1` and a tilde `~0`, as in a JSON pointer, so that the two never mix.
    """
    return f"{dataset}#{_quoted_column(column)}{quote_name(pointer) if pointer else pointer}"


@lru_cache(maxsize=4096)  # a few names, many columns
def _quoted_column(column: str) -> str:
    return quote_name(column.replace("~", "~0").replace("/", "~1"))


def principal_urn(system: str, name: str) -> str:
    """`postgres://db:5432` and `analyst` give `principal:postgres://db:5432/analyst`."""
    return f"principal:{system}/{quote_name(name)}"


def quote_name(name: str) -> str:
    """Percent-encode what would break a URN apart (`#`, `%`, control characters); the rest stays readable."""
    if name.isprintable() and "#" not in name and "%" not in name:
        return name
    return "".join(c if c.isprintable() and c not in "#%" else quote(c, safe="", errors="replace") for c in name)


def dataset_of(field: str) -> str:
    """The dataset's URN in a field's URN."""
    return field.split("#", 1)[0]


def column_of(field: str) -> tuple[str, str]:
    """The column's name and the JSON pointer inside it, of a field's URN (the inverse of `field_urn`)."""
    path = unquote(field.split("#", 1)[1])
    column, slash, pointer = path.partition("/")
    return column.replace("~1", "/").replace("~0", "~"), slash + pointer


# --- observations -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SystemSeen:
    """A database server, bucket, stream or vendor account that a scan reached."""

    urn: str
    kind: SystemKind
    name: str
    engine: str  # "postgresql", "sqlite", "s3", "stripe"
    version: str = ""
    region: str = ""  # ISO 3166-1 alpha-2, with subdivision where known ("CA-QC"); "" when unknown
    processor: str = ""  # key of the organisation that runs it, when it is not ourselves


@dataclass(frozen=True, slots=True)
class SafeguardSeen:
    """A protection (vocabulary `safeguards`) that the system was seen to have, or not."""

    system: str
    safeguard: str  # "encryption_in_transit", "encryption_at_rest", ...
    present: bool
    evidence: str


@dataclass(frozen=True, slots=True)
class DatasetSeen:
    """A table, view, collection, topic, group of objects or API resource."""

    urn: str
    system: str
    kind: DatasetKind
    name: str  # as in the OpenLineage dataset name
    description: str = ""  # the source's own comment, redacted
    row_estimate: int | None = None
    object_count: int | None = None  # of an object group
    retention_days: float | None = None  # after so many days the source itself deletes a record; None: not that we know
    retention_evidence: str = ""  # what says so: a TTL, a topic's retention.ms, a lifecycle rule


@dataclass(frozen=True, slots=True)
class FieldSeen:
    """A column, or a path inside a nested column."""

    urn: str
    dataset: str
    name: str  # "email", or "payload/customer/email"
    type: str
    position: int
    nullable: bool = True
    primary_key: bool = False
    description: str = ""  # the source's own comment, redacted


@dataclass(frozen=True, slots=True)
class Profile:
    """Counts and shapes of the values that were sampled from a field. Shares are in 0..1."""

    sampled: int
    null_share: float
    distinct_share: float
    min_length: int | None = None
    max_length: int | None = None
    mean_length: float | None = None


@dataclass(frozen=True, slots=True)
class FieldProfiled:
    """A field's profile in this scan."""

    field: str
    profile: Profile


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reason for a classification, that a person can read.

    `signal` names what spoke ("value:email", "name:courriel", "checksum:luhn"); `detail` says how strongly
    ("412 of 420 sampled values"); `weight` is its share in the confidence, in log-odds, positive or negative.
    """

    signal: str
    detail: str
    weight: float


@dataclass(frozen=True, slots=True)
class FieldClassified:
    """A detector's verdict: the field holds this category, with this confidence (calibrated, 0..1)."""

    field: str
    category: str  # vocabulary key
    confidence: float
    evidence: tuple[Evidence, ...]
    detector: str  # name and version


@dataclass(frozen=True, slots=True)
class FieldSketched:
    """What stands for a field's values where they may not go: keyed hashes, with which copies of it are found.

    They are kept apart from the graph (`inventory.lineage.sketches`); without the installation's key they tell
    nothing of a value. `scanners.sketching` makes them.
    """

    field: str
    kind: str  # how the values were brought to one form: "email", "phone", "ip", "code", "text", "number", "digest"
    form: str  # "", or the unkeyed hash that each value was given first: "md5", "sha1", "sha256"
    values: tuple[int, ...]  # the smallest 64-bit hashes, ascending
    distinct: int  # values among the sampled ones
    sampled: int  # values that are not null
    whole: bool  # every row of the dataset was looked at
    rows: int  # that were looked at
    key: str  # tells the keys of installations apart


@dataclass(frozen=True, slots=True)
class DatasetClassified:
    """A detector's verdict on the records: they are of this category (an access log), which no field alone says."""

    dataset: str
    category: str  # vocabulary key
    confidence: float
    evidence: tuple[Evidence, ...]
    detector: str  # name and version


@dataclass(frozen=True, slots=True)
class FieldReferences:
    """A field's values are keys of another field. The pairs of a composite key share `group`."""

    source: str
    target: str
    group: str
    position: int
    provenance: Provenance
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class JobSeen:
    """What moves data: a view, a pipeline, a sync. `statement` is its SQL with every literal replaced."""

    urn: str
    name: str
    kind: str  # "view", "materialized_view", "export", "sync"
    dataset: str  # the dataset it defines or writes
    statement: str = ""
    dialect: str = ""  # sqlglot's name of the SQL dialect


@dataclass(frozen=True, slots=True)
class FlowSeen:
    """Data goes from one dataset to another, or from one field to another."""

    source: str
    target: str
    provenance: Provenance
    transformation: Transformation = Transformation.UNKNOWN
    job: str = ""
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class ProcessorSeen:
    """An organisation that a scan came upon, as the catalogue of known vendors or a connector describes it.

    What the policy or the register of organisations declares of the same key stands before it.
    """

    key: str  # "stripe"; "unknown:<registrable domain>" of a recipient that the catalogue does not know
    name: str
    role: str = "processor"  # vocabulary `roles`
    service_classes: tuple[str, ...] = ()  # vocabulary `service_classes`
    legal_entity: str = ""
    head_office: str = ""  # ISO 3166-1 alpha-2
    regions: tuple[str, ...] = ()  # where it holds data
    contacts: tuple[str, ...] = ()  # "erasure: https://…", "privacy: mailto:…"
    description: str = ""


@dataclass(frozen=True, slots=True)
class DisclosureSeen:
    """A dataset or a field is at, or is sent to, an outside organisation."""

    source: str
    processor: str
    provenance: Provenance
    evidence: str
    confidence: float = 1.0
    aspect: Aspect = Aspect.STRUCTURE  # of the dataset: what shows it, and may end it


@dataclass(frozen=True, slots=True)
class AccessSeen:
    """A principal of the scanned system may read all of it, one of its datasets, or one field of a dataset.

    One of each `data` and `principal`: the most direct way. Principals are accounts and roles of the system, as it
    names them; whoever is behind them is not known here.
    """

    data: str  # URN of a system, a dataset or a field
    principal: str  # "analyst"
    kind: PrincipalKind
    privilege: str  # in the system's own word: "SELECT", "SUPERUSER", "roles/bigquery.dataViewer"
    via: str = ""  # the role through which the principal has it, "" when it was granted to itself
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something the scan could not do or saw amiss, in one line: what, where, what to do.

    `about` is the URN of the system or dataset; `code` is stable ("unreachable", "no-permission", "truncated").
    """

    about: str
    code: str
    severity: Severity
    message: str


@dataclass(frozen=True, slots=True)
class Covered:
    """The scan has looked at all of this aspect of `scope`: a system's or a dataset's URN.

    A listing may be of a part of a system, when several sources share one (two databases on a server): `scope` is
    then what the URNs of that part's datasets begin with, such as `postgres://db:5432/shop.public.`.

    Only what was covered may end: a dataset that a complete listing no longer names, a column that a complete
    structure no longer has. What a scan could not look at keeps what earlier scans knew of it.
    """

    scope: str
    aspect: Aspect
    token: str = ""  # of a dataset's content: what the source says of its state; the same token, the same content


Observation: TypeAlias = (
    SystemSeen
    | SafeguardSeen
    | DatasetSeen
    | FieldSeen
    | FieldProfiled
    | FieldClassified
    | FieldSketched
    | DatasetClassified
    | FieldReferences
    | JobSeen
    | FlowSeen
    | ProcessorSeen
    | DisclosureSeen
    | AccessSeen
    | Finding
    | Covered
)
