"""`manifest.json`, `catalog.json`, `run_results.json` and `sources.json` of a dbt project, as far as they serve."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from inventory.errors import UnreadableError

OLDEST, NEWEST = 7, 12  # versions of the manifest: dbt-core 1.3 to 1.11
_VERSION = re.compile(r"/manifest/v(\d+)\.json")

#: sqlglot's names of the dialects that dbt's adapters speak.
DIALECTS = {
    **{name: name for name in ("bigquery", "clickhouse", "databricks", "duckdb", "mysql", "oracle", "postgres")},
    **{name: name for name in ("redshift", "snowflake", "spark", "sqlite", "trino", "athena")},
    **{"sqlserver": "tsql", "synapse": "tsql", "fabric": "fabric"},
}


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class _Metadata(_Part):
    dbt_schema_version: str = ""
    adapter_type: str = ""
    project_name: str = ""


class _DependsOn(_Part):
    nodes: tuple[str, ...] = ()


class _Configured(_Part):
    materialized: str = ""


class _Column(_Part):
    name: str


class Node(_Part):
    """A model, seed, snapshot or source, or something that is none of these."""

    resource_type: str = ""
    name: str
    alias: str | None = None
    identifier: str | None = None
    database: str | None = None
    schema_name: str | None = Field(default=None, alias="schema")
    relation_name: str | None = None
    description: str | None = None
    language: str | None = None
    compiled_code: str | None = None
    package_name: str = ""
    original_file_path: str = ""
    depends_on: _DependsOn = _DependsOn()
    config: _Configured = _Configured()
    columns: dict[str, _Column] = Field(default_factory=dict[str, _Column])

    @property
    def table(self) -> str:
        """Its name in the database."""
        return self.identifier or self.alias or self.name


class Exposure(_Part):
    """What uses models: a dashboard, an application."""

    name: str
    type: str = ""
    url: str | None = None
    depends_on: _DependsOn = _DependsOn()


class _Manifest(_Part):
    metadata: _Metadata
    nodes: dict[str, Node]
    sources: dict[str, Node] = Field(default_factory=dict[str, Node])
    exposures: dict[str, Exposure] = Field(default_factory=dict[str, Exposure])


class _TableMetadata(_Part):
    schema_name: str = Field(default="", alias="schema")
    name: str = ""
    database: str | None = None


class _TableColumn(_Part):
    name: str
    index: int = 0


class _Table(_Part):
    metadata: _TableMetadata = _TableMetadata()
    columns: dict[str, _TableColumn] = Field(default_factory=dict[str, _TableColumn])


class _Catalog(_Part):
    nodes: dict[str, _Table] = Field(default_factory=dict[str, _Table])
    sources: dict[str, _Table] = Field(default_factory=dict[str, _Table])


class _Result(_Part):
    unique_id: str
    status: str


class _Results(_Part):
    results: tuple[_Result, ...] = ()


File = TypeVar("File", bound=_Part)


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view of the project: its names in the database, and its columns in order as far as they are known."""

    key: str  # dbt's own: model.shop.customers
    node: Node
    database: str
    schema: str
    table: str
    columns: tuple[str, ...]
    sql: str  # compiled; "" when there is none
    built: bool  # it is in the catalogue, or nothing says that its last run failed


@dataclass(frozen=True, slots=True)
class Project:
    """What the files say. `ephemeral` are models that are no relation: their SQL stands inside that of others."""

    name: str
    adapter: str
    relations: dict[str, Relation]
    ephemeral: dict[str, Node]
    exposures: tuple[Exposure, ...]
    stale: frozenset[str]  # keys of sources that dbt found to be older than they should be
    catalogued: bool

    @property
    def dialect(self) -> str:
        """sqlglot's name of its SQL; "" when the adapter is not known."""
        return DIALECTS.get(self.adapter, "")

    def upstream(self, node: Node) -> list[str]:
        """Keys of the relations that a node is made of, through ephemeral models."""
        found: dict[str, None] = {}
        waiting, passed = list(reversed(node.depends_on.nodes)), set[str]()
        while waiting:
            key = waiting.pop()
            if key in passed:
                continue
            passed.add(key)
            if key in self.relations:
                found[key] = None
            elif key in self.ephemeral:
                waiting.extend(reversed(self.ephemeral[key].depends_on.nodes))
        return list(found)


def read_project(target: Path) -> Project:
    """The project whose dbt has written into the folder `target`. Raises UnreadableError.

    Only the manifest must be there; without a catalogue (`dbt docs generate`) columns are known as far as the project
    describes them.
    """
    manifest = _read(target / "manifest.json", _Manifest)
    if manifest is None:
        raise UnreadableError(str(target), "holds no manifest.json", "give dbt's target folder, after `dbt compile`")
    _check_version(target, manifest.metadata.dbt_schema_version)
    catalog = _read(target / "catalog.json", _Catalog)
    results = {
        each.unique_id: each.status for each in (_read(target / "run_results.json", _Results) or _Results()).results
    }
    stale = {
        each.unique_id
        for each in (_read(target / "sources.json", _Results) or _Results()).results
        if each.status in ("warn", "error")
    }
    tables = {**catalog.nodes, **catalog.sources} if catalog else {}
    kept = {key: node for key, node in manifest.nodes.items() if node.resource_type in ("model", "seed", "snapshot")}
    ephemeral = {key: node for key, node in kept.items() if node.config.materialized == "ephemeral"}
    relations = {
        key: _relation(key, node, tables.get(key), results.get(key, ""), manifest.metadata.adapter_type, target)
        for key, node in {**kept, **manifest.sources}.items()
        if key not in ephemeral
    }
    return Project(
        name=manifest.metadata.project_name,
        adapter=manifest.metadata.adapter_type,
        relations=relations,
        ephemeral=ephemeral,
        exposures=tuple(manifest.exposures.values()),
        stale=frozenset(stale),
        catalogued=catalog is not None,
    )


def _relation(key: str, node: Node, table: _Table | None, status: str, adapter: str, target: Path) -> Relation:
    sql = _compiled(node, target)
    if table is None:
        names = (node.database or "", node.schema_name or "", node.table)
        database, schema, name = (part.upper() for part in names) if adapter == "snowflake" else names
        columns = tuple(column.name for column in node.columns.values())
        return Relation(key, node, database, schema, name, columns, sql, status not in ("error", "fail", "skipped"))
    said = table.metadata
    columns = tuple(column.name for column in sorted(table.columns.values(), key=lambda column: column.index))
    return Relation(
        key, node, said.database or node.database or "", said.schema_name, said.name, columns, sql, built=True
    )


def _compiled(node: Node, target: Path) -> str:
    """A model's SQL. Commands that compile nothing (`dbt source freshness`) write a manifest without it; then it is in
    the file that an earlier one has written.
    """
    if node.resource_type not in ("model", "snapshot") or (node.language or "sql") != "sql":
        return ""
    if node.compiled_code:
        return node.compiled_code
    folder = (target / "compiled").resolve()
    path = (folder / node.package_name / node.original_file_path).resolve()
    if not path.is_relative_to(folder) or not path.is_file():
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _check_version(target: Path, said: str) -> None:
    version = _VERSION.search(said)
    if version is None or not OLDEST <= int(version[1]) <= NEWEST:
        which = f"version {version[1]}" if version else "an unknown version"
        raise UnreadableError(
            str(target / "manifest.json"), f"is of {which}; {OLDEST} to {NEWEST} are understood", "dbt 1.3 to 1.11"
        )


def _read(path: Path, form: type[File]) -> File | None:
    """The file's content; None when there is no such file."""
    try:
        content: Any = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnreadableError(str(path), error.strerror or "cannot be read") from error
    try:
        return form.model_validate_json(content)
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors(include_url=False, include_input=False)[0]["loc"][:4])
    raise UnreadableError(str(path), f"is not as dbt writes it{f' (at {place})' if place else ''}", "run dbt again")
