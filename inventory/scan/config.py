"""`inventory.yaml`: one file that says what to scan, where the graph is and how to serve.

Secrets are never in it: wherever one is needed, `{env: NAME}` or `{file: PATH}` says where it is. An unknown key, a
wrong type or a missing value is one line that names the place in the file and what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from inventory.api.roles import Role
from inventory.api.settings import Limits, OidcClient, checked_origins
from inventory.errors import ConfigError
from scanners.base import Scanner, Secret
from scanners.registry import scanner_types

DEFAULT_PATH = Path("inventory.yaml")


class Section(BaseModel):
    """A part of the configuration: nothing unknown is let through."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class GraphSection(Section):
    """Where the graph is. Without `uri` the embedded engine is used, in `data_dir`."""

    uri: str = Field(default="", description="Bolt address of a Neo4j 5.26 or later, such as bolt://127.0.0.1:7687.")
    user: str = Field(default="neo4j", description="Database user.")
    password: Secret | None = Field(default=None, description="Its password.")
    database: str = Field(default="neo4j", description="Database name.")

    @model_validator(mode="after")
    def _password_with_uri(self) -> GraphSection:
        if self.uri and self.password is None:
            raise ValueError("a graph with a uri needs a password: {env: NAME} or {file: PATH}")
        return self


class OidcSection(OidcClient):
    """The OpenID Connect issuer that people sign in with."""

    client_secret: Secret | None = Field(default=None, description="What the service proves itself with, besides PKCE.")


class ServeSection(Section):
    """How the service listens and who may ask."""

    host: str = Field(default="127.0.0.1", description="Address to listen on; loopback unless told otherwise.")
    port: int = Field(default=8383, ge=0, le=65535, description="Port; 0 takes a free one.")
    allowed_hosts: tuple[str, ...] = Field(default=(), description="Host names it is reached by, besides loopback.")
    https: bool = Field(default=False, description="Browsers reach it by TLS, which a proxy ends.")
    token: Secret | None = Field(default=None, description="Bearer token that programs sign in with.")
    token_roles: tuple[Role, ...] = Field(
        default=(Role.ENGINEER, Role.PRIVACY), description="What programs with that token are."
    )
    oidc: OidcSection | None = Field(default=None, description="The OpenID Connect issuer that people sign in with.")
    cors: tuple[str, ...] = Field(default=(), description="Origins of other pages that may ask with a bearer token.")
    session_minutes: int = Field(default=720, ge=1, description="How long a browser stays signed in, at most.")
    limits: Limits = Field(default=Limits(), description="What one request, and one caller, may ask for.")
    ad_hoc: bool = Field(
        default=True, description="Answer any question; false: trusted documents only, no introspection, no GraphiQL."
    )

    @field_validator("cors")
    @classmethod
    def _origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        return checked_origins(origins)


class DeclaredSection(Section):
    """The declared map: what the privacy policy says. By default the one that the project ships."""

    policy: Path | None = Field(default=None, description="The policy's clauses as data.")
    processors: Path | None = Field(default=None, description="The organisations it names.")


class DetectionSection(Section):
    """What is added to the detectors that come with the program."""

    rules: tuple[Path, ...] = Field(default=(), description="YAML files of your own detectors (inventory detect lint).")


class FlowSection(Section):
    """A flow that people know of and no scanner can see, such as a nightly export."""

    source: str = Field(alias="from", description="URN of the dataset or field it reads.")
    target: str = Field(alias="to", description="URN of the dataset or field it writes.")
    job: str = Field(description="What moves the data: a short name.")
    kind: str = Field(default="export", description="export, sync, copy, …")


class ReferenceSection(Section):
    """A key that people know of and no constraint declares; of a composite key, as many fields on both sides."""

    source: tuple[str, ...] = Field(alias="from", description="URNs of the fields that hold the key.")
    target: tuple[str, ...] = Field(alias="to", description="URNs of the fields whose key it is.")

    @model_validator(mode="before")
    @classmethod
    def _one_or_more(cls, given: object) -> object:
        if not isinstance(given, dict):
            return given
        sides = cast("dict[str, object]", given)
        return {name: [side] if isinstance(side, str) else side for name, side in sides.items()}

    @model_validator(mode="after")
    def _pairs(self) -> ReferenceSection:
        if not self.source or len(self.source) != len(self.target):
            raise ValueError("from and to should name as many fields")
        if any("#" not in urn for urn in (*self.source, *self.target)):
            raise ValueError("from and to should be URNs of fields, such as postgres://db:5432/shop.public.orders#id")
        return self


class SqlFilesSection(Section):
    """Files of SQL that a system runs."""

    files: str = Field(description="Pattern of their paths, such as pipelines/**/*.sql.")
    dialect: str = Field(description="sqlglot's name of their dialect, such as postgres, mysql, snowflake, bigquery.")
    system: str = Field(description="URN of the system that runs them, such as postgres://db:5432.")
    home: str = Field(default="", description="Database and schema that complete short names, such as shop.public.")


class DbtSection(Section):
    """A dbt project, by what dbt has written of it."""

    target: Path = Field(description="Its target folder, with manifest.json and catalog.json.")
    namespace: str = Field(
        default="", description="The system that its tables are in. By default the scanned one that holds the most."
    )


class LineageSection(Section):
    """Where the inventory learns of flows, besides what scans see."""

    sql: tuple[SqlFilesSection, ...] = Field(default=(), description="Files of SQL that systems run.")
    dbt: tuple[DbtSection, ...] = Field(default=(), description="dbt projects.")


class Config(Section):
    """The whole file."""

    data_dir: Path = Field(default=Path(".inventory"), description="Where the embedded graph and its secrets live.")
    installation_key: Secret | None = Field(
        default=None,
        description="Secret of this installation, for keyed hashes. By default one is made in `data_dir`.",
    )
    graph: GraphSection = GraphSection()
    serve: ServeSection = ServeSection()
    declared: DeclaredSection = DeclaredSection()
    detection: DetectionSection = DetectionSection()
    own_domains: tuple[str, ...] = Field(default=(), description="Our own domains, for each source without its own.")
    sources: tuple[Scanner, ...] = Field(default=(), description="What to scan.")
    flows: tuple[FlowSection, ...] = Field(default=(), description="Flows known to people.")
    references: tuple[ReferenceSection, ...] = Field(default=(), description="Keys known to people.")
    lineage: LineageSection = LineageSection()


def load_config(path: Path) -> Config:
    """Read and validate the file; ConfigError with every mistake, one a line. Relative paths are the file's."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(str(path), "there is no such file", "inventory.example.yaml is one to start from") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), "cannot be read as UTF-8 text") from error
    try:
        document: object = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise ConfigError(f"{path}, line {line}", f"is not valid YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise ConfigError(str(path), "is not valid YAML") from error
    return parse_config(document, str(path), base=path.parent)


def parse_config(document: object, origin: str, base: Path = Path()) -> Config:
    """Validate a parsed document; `origin` is named in errors, `base` is what relative paths start from."""
    if document is None:
        document = {}
    if not isinstance(document, dict):
        raise ConfigError(origin, "should hold keys and values", "see inventory.example.yaml")
    content: dict[str, Any] = {str(key): value for key, value in cast("dict[object, object]", document).items()}
    mistakes: list[str] = []
    shared = {name: content[name] for name in ("own_domains",) if isinstance(content.get(name), list)}
    sources = _sources(content.pop("sources", None) or [], shared, mistakes)
    try:
        config = Config.model_validate({**content, "sources": tuple(sources)})
    except ValidationError as error:
        mistakes = [*_lines(error, (), Config), *mistakes]
        raise ConfigError(origin, "; ".join(mistakes), "see inventory.example.yaml") from None
    if mistakes:
        raise ConfigError(origin, "; ".join(mistakes), "see inventory.example.yaml")
    return _anchored(config, base)


def _sources(entries: object, shared: Mapping[str, Any], mistakes: list[str]) -> list[Scanner]:
    if not isinstance(entries, list):
        mistakes.append("sources: should be a list")
        return []
    scanners: list[Scanner] = []
    for index, entry in enumerate(cast("list[object]", entries)):
        place = ("sources", index)
        if not isinstance(entry, dict):
            mistakes.append(f"{_dotted(place)}: should hold keys and values")
            continue
        settings = {**shared, **cast("dict[str, Any]", entry)}
        scanner = scanner_types().get(str(settings.get("type", "")))
        if scanner is None:
            known = ", ".join(scanner_types())
            mistakes.append(f"{_dotted((*place, 'type'))}: {settings.get('type', 'missing')!r} is none of {known}")
            continue
        try:
            scanners.append(scanner(scanner.settings_type.model_validate(settings)))
        except ValidationError as error:
            mistakes.extend(_lines(error, place, scanner.settings_type))
        except ConfigError as error:
            mistakes.append(f"{_dotted(place)}: {error}")
    mistakes.extend(f"sources: two are named {name}" for name in _repeated(s.settings.name for s in scanners))
    return scanners


def _repeated(names: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    return sorted({name for name in names if name in seen or seen.add(name)})


def _lines(error: ValidationError, place: tuple[str | int, ...], model: type[BaseModel]) -> list[str]:
    return [_line(detail, place, model) for detail in error.errors(include_url=False, include_input=False)]


def _line(detail: ErrorDetails, place: tuple[str | int, ...], model: type[BaseModel]) -> str:
    where = _dotted((*place, *detail["loc"]))
    if detail["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(detail["loc"][-1]), list(model.model_fields), n=1)
        return f"{where}: unknown key" + (f", did you mean {near[0]}?" if near else "")
    if detail["type"] == "missing":
        return f"{where}: is missing"
    return f"{where or 'file'}: {detail['msg'].removeprefix('Value error, ')}"


def _dotted(place: Iterable[str | int]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")


def _anchored(config: Config, base: Path) -> Config:
    def anchor(path: Path | None) -> Path | None:
        return None if path is None else base / path.expanduser()

    declared = DeclaredSection(policy=anchor(config.declared.policy), processors=anchor(config.declared.processors))
    rules = tuple(base / path.expanduser() for path in config.detection.rules)
    data_dir = base / config.data_dir.expanduser()
    sql = tuple(each.model_copy(update={"files": str(base / each.files)}) for each in config.lineage.sql)
    dbt = tuple(each.model_copy(update={"target": base / each.target.expanduser()}) for each in config.lineage.dbt)
    update = {
        "data_dir": data_dir,
        "declared": declared,
        "detection": DetectionSection(rules=rules),
        "lineage": config.lineage.model_copy(update={"sql": sql, "dbt": dbt}),
    }
    return config.model_copy(update=update)
