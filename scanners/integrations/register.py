"""The scanner of a register of recipients: a YAML or CSV file of sites and organisations that have no API.

One line an organisation (a data centre, an auditor, "any other recipient"), with the columns of `Line`. Each is a
dataset of the register with a field for each category that is handed over, and is disclosed to the organisation; so are
the datasets that the line names. A line that is wrong is one finding that names its line and column, and the others
go on.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, cast

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from inventory.errors import ConfigError, SourceError
from inventory.model import (
    Aspect,
    Covered,
    DatasetKind,
    DatasetSeen,
    DisclosureSeen,
    Evidence,
    FieldClassified,
    FieldSeen,
    Finding,
    Observation,
    ProcessorSeen,
    Provenance,
    Severity,
    SystemKind,
    SystemSeen,
    dataset_urn,
    field_urn,
)
from inventory.vocabulary import Vocabulary, categories, purposes, regions, roles, service_classes
from scanners.base import Progress, ScanContext, SourceSettings
from scanners.detection.interface import Detection
from scanners.recipients.catalogue import known

#: Why data may be handed over, in the words of the disclosure register (PIPEDA 7(3), and consent).
LEGAL_BASES = frozenset(
    {"consent", "contract", "warrant", "lawful_authority", "financial_intelligence", "own_initiative"}
    | {"fraud_prevention", "emergency", "required_by_law"}
)
MOST_BYTES = 16 * 2**20
_DETECTOR = "register/1"
_WEIGHT = 6.0  # in log-odds: people who know it wrote it down


class RegisterSettings(SourceSettings):
    """A register of recipients that somebody keeps by hand."""

    type: Literal["register"]
    path: Path = Field(description="The file: .yaml or .yml (a list of mappings) or .csv (a header and lines).")


def _words(value: object) -> object:
    """One word or several: a list, or text with semicolons between."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(";") if part.strip())
    return value


def _in(vocabulary: Vocabulary, what: str) -> AfterValidator:
    def check(key: str) -> str:
        if key not in vocabulary:
            raise ValueError(f"is no {what} of the vocabulary")
        return key

    return AfterValidator(check)


def _known_basis(basis: str) -> str:
    if basis not in LEGAL_BASES:
        raise ValueError(f"is none of {', '.join(sorted(LEGAL_BASES))}")
    return basis


def _address(text: str) -> str:
    if not re.fullmatch(r"(https://|mailto:|tel:)\S+", text):
        raise ValueError("is no address: write https://, mailto: or tel: before it")
    return text


def _text(value: object) -> object:
    """A number or a date that YAML made of what should be text."""
    return str(value) if isinstance(value, int | float | date) else value


Text = Annotated[str, BeforeValidator(_text), Field(max_length=200)]
Category = Annotated[str, _in(categories(), "category")]
Purpose = Annotated[str, _in(purposes(), "purpose")]
ServiceClass = Annotated[str, _in(service_classes(), "service class")]
Region = Annotated[str, _in(regions(), "region")]
Role = Annotated[str, _in(roles(), "role")]


class Line(BaseModel):
    """What a line says. A column that has several words has them in a list, or with semicolons between."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    who: Text = Field(min_length=1, description="The organisation, as people call it.")
    key: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")] | None = Field(
        default=None, description="Its key; by default made of its name. A known vendor's key brings what is known."
    )
    legal_entity: Text = ""
    service_class: Annotated[tuple[ServiceClass, ...], BeforeValidator(_words)] = ()
    role: Role | None = Field(default=None, description="By default processor.")
    head_office: Region | None = None
    region: Annotated[tuple[Region, ...], BeforeValidator(_words)] = Field(default=(), description="Where it has it.")
    categories: Annotated[tuple[Category, ...], BeforeValidator(_words), Field(min_length=1)]
    purpose: Annotated[tuple[Purpose, ...], BeforeValidator(_words)] = ()
    legal_basis: Annotated[str, AfterValidator(_known_basis)] | None = None
    contact: Annotated[str, AfterValidator(_address)] | None = Field(
        default=None, description="For erasure and access."
    )
    since: date | None = None
    description: Text = Field(default="", description="The site, the agreement: no person's name.")
    data: Annotated[tuple[str, ...], BeforeValidator(_words)] = Field(
        default=(), description="URNs of the datasets that go there; a * stands for anything: postgres://db:5432/shop.*"
    )


@dataclass(frozen=True, slots=True)
class _Row:
    """A line as it stands in the file: where it begins, its columns, and where each of these is."""

    line: int
    columns: Mapping[str, Any]
    places: Mapping[str, int]
    fault: tuple[int, str] | None = None  # line and cause, when it is no line at all


class RegisterScanner:
    """Reads a register of recipients."""

    settings_type: ClassVar[type[SourceSettings]] = RegisterSettings

    def __init__(self, settings: SourceSettings) -> None:
        self.settings = settings
        self._register = cast(RegisterSettings, settings)

    @property
    def system(self) -> str:
        """`register://<name of the source>`."""
        return self._register.namespace or f"register://{self._register.name}"

    def scan(self, context: ScanContext) -> Iterator[Observation]:
        """Say what each line says. Raises SourceError when the file cannot be read."""
        rows = list(self._rows())
        name = f"register {self._register.path.name}"
        yield SystemSeen(self.system, SystemKind.INTEGRATION, name, "register", region=self.settings.region)
        said: dict[str, int] = {}
        faults = 0
        for done, row in enumerate(rows):
            context.report(Progress(self.settings.name, done, len(rows)))
            try:
                line = _line(row)
                key = line.key or _slug(line.who)
                if key in said:
                    raise _FaultError(row.line, "key", f"has a line already, line {said[key]}")
            except _FaultError as fault:
                faults += 1
                yield self._finding(fault)
                continue
            said[key] = row.line
            yield from self._said(key, line, row.line, context)
        context.report(Progress(self.settings.name, len(rows), len(rows)))
        if not faults:  # what a wrong line said before stays
            yield Covered(self.system, Aspect.LISTING)

    def _finding(self, fault: _FaultError) -> Finding:
        column = f", column {fault.column}" if fault.column else ""
        message = f"{self.settings.name}: {self._register.path.name} line {fault.line}{column}: {fault.cause}"
        return Finding(self.system, "bad-line", Severity.WARNING, message)

    def _said(self, key: str, line: Line, number: int, context: ScanContext) -> Iterator[Observation]:
        dataset = dataset_urn(self.system, key)
        evidence = _evidence(self._register.path.name, number, line)
        yield _processor(key, line, context.detection)
        yield DatasetSeen(
            dataset, self.system, DatasetKind.FILE, key, context.detection.redact(line.description or line.who)
        )
        for position, category in enumerate(line.categories):
            field = field_urn(dataset, category)
            reason = Evidence("register", evidence, _WEIGHT)
            yield FieldSeen(field, dataset, category, "", position)
            yield FieldClassified(field, category, 1.0, (reason,), _DETECTOR)
        yield DisclosureSeen(dataset, key, Provenance.REGISTER, evidence)
        for source in _named(line.data, context):
            yield DisclosureSeen(source, key, Provenance.REGISTER, evidence)
        yield Covered(dataset, Aspect.STRUCTURE)
        yield Covered(dataset, Aspect.CONTENT)

    # --- the file -----------------------------------------------------------------------------------------

    def _rows(self) -> Iterator[_Row]:
        path = self._register.path.expanduser()
        kind = path.suffix.lower()
        if kind not in (".csv", ".yaml", ".yml"):
            raise ConfigError(self.settings.name, "path names neither a .csv nor a .yaml file")
        text = self._text(path)
        return self._csv_rows(text) if kind == ".csv" else self._yaml_rows(text)

    def _text(self, path: Path) -> str:
        try:
            if path.stat().st_size > MOST_BYTES:
                raise SourceError(self.settings.name, "the register is larger than 16 MiB", "", "too-large")
            return path.read_text(encoding="utf-8-sig")
        except OSError as error:
            cause = error.strerror or "cannot be read"
            raise SourceError(self.settings.name, f"the register cannot be read: {cause}", "", "unreachable") from None
        except UnicodeDecodeError:
            raise SourceError(self.settings.name, "the register is not UTF-8", "save it as UTF-8", "not-text") from None

    def _csv_rows(self, text: str) -> Iterator[_Row]:
        first = text.partition("\n")[0]
        reader = csv.reader(
            io.StringIO(text, newline=""), delimiter=";" if first.count(";") > first.count(",") else ","
        )
        try:
            header = [name.strip() for name in next(reader, list[str]())]
            unknown = [position for position, name in enumerate(header, 1) if name not in Line.model_fields]
            if unknown:
                cause = f"column {unknown[0]} of the header is none of {', '.join(Line.model_fields)}"
                raise SourceError(self.settings.name, f"the register's line 1: {cause}", "", "bad-header")
            begun = reader.line_num + 1
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    yield _csv_row(begun, header, cells)
                begun = reader.line_num + 1
        except csv.Error:
            cause = f"the register's line {reader.line_num} is no CSV"
            raise SourceError(self.settings.name, cause, "", "not-text") from None

    def _yaml_rows(self, text: str) -> Iterator[_Row]:
        try:
            root = yaml.compose(text, yaml.SafeLoader)
        except (yaml.YAMLError, RecursionError) as error:
            mark = getattr(error, "problem_mark", None)
            place = f"the register's line {mark.line + 1}" if mark is not None else "the register"
            raise SourceError(self.settings.name, f"{place} is no YAML", "", "not-text") from None
        if root is None:
            return
        if not isinstance(root, yaml.SequenceNode):
            raise SourceError(self.settings.name, "the register is no list of organisations", "", "not-text")
        for node in cast("list[yaml.Node]", root.value):
            yield _yaml_row(node)


class _FaultError(Exception):
    def __init__(self, line: int, column: str, cause: str) -> None:
        self.line = line
        self.column = column
        self.cause = cause
        super().__init__(cause)


def _csv_row(line: int, header: list[str], cells: list[str]) -> _Row:
    fault = None if len(cells) <= len(header) else (line, "has more cells than the header has columns")
    columns = {name: cell.strip() for name, cell in zip(header, cells, strict=False) if cell.strip()}
    return _Row(line, columns, {}, fault)


def _yaml_row(node: yaml.Node) -> _Row:
    line = node.start_mark.line + 1
    if not isinstance(node, yaml.MappingNode):
        return _Row(line, {}, {}, (line, "is no mapping of columns"))
    columns: dict[str, Any] = {}
    places: dict[str, int] = {}
    for name, value in cast("list[tuple[yaml.Node, yaml.Node]]", node.value):
        at = name.start_mark.line + 1
        column = str(name.value) if isinstance(name, yaml.ScalarNode) else ""
        if column not in Line.model_fields:
            return _Row(line, {}, {}, (at, f"is none of the columns {', '.join(Line.model_fields)}"))
        if column in columns:
            return _Row(line, {}, {}, (at, f"says {column} twice"))
        try:
            columns[column] = _plain(value)
        except (yaml.YAMLError, ValueError, RecursionError):
            return _Row(line, {}, {}, (at, f"column {column} is no plain YAML"))
        places[column] = at
    return _Row(line, columns, places)


def _plain(node: yaml.Node) -> Any:
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_object(node, deep=True)  # pyright: ignore[reportUnknownMemberType]
    finally:
        loader.dispose()


def _line(row: _Row) -> Line:
    """The line, or _FaultError naming the first column that is wrong; never what stands in it."""
    if row.fault is not None:
        raise _FaultError(row.fault[0], "", row.fault[1])
    try:
        return Line.model_validate(row.columns)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        column = str(first["loc"][0]) if first["loc"] else ""
        cause = "is missing" if first["type"] == "missing" else first["msg"].removeprefix("Value error, ")
        cause = cause[0].lower() + cause[1:]
        raise _FaultError(row.places.get(column, row.line), column, cause) from None


def _processor(key: str, line: Line, detection: Detection) -> ProcessorSeen:
    """The organisation as the line describes it, and for what it leaves out as the catalogue does."""
    catalogued = known(key) or ProcessorSeen(key, line.who)
    contact = (f"erasure: {line.contact}",) if line.contact else catalogued.contacts
    return ProcessorSeen(
        key,
        detection.redact(line.who),
        line.role or catalogued.role,
        line.service_class or catalogued.service_classes,
        detection.redact(line.legal_entity) or catalogued.legal_entity,
        line.head_office or catalogued.head_office,
        line.region or catalogued.regions,
        contact,
        catalogued.description,
    )


def _evidence(file: str, number: int, line: Line) -> str:
    said = [f"{file} line {number}"]
    if line.purpose:
        said.append(f"for {', '.join(line.purpose)}")
    if line.legal_basis:
        said.append(f"by {line.legal_basis.replace('_', ' ')}")
    if line.since:
        said.append(f"since {line.since.isoformat()}")
    return ", ".join(said)


def _named(data: tuple[str, ...], context: ScanContext) -> Iterator[str]:
    """The datasets that a line names, and those of its patterns that earlier scans know."""
    found: dict[str, None] = {}
    for pattern in data:
        begins, star, _ = pattern.partition("*")
        if not star:
            found[pattern] = None
            continue
        plain = pattern.replace("[", "[[]").replace("?", "[?]")
        found |= {urn: None for urn in sorted(context.datasets(begins)) if fnmatchcase(urn, plain)}
    yield from found


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:63] or "unnamed"


SCANNER = RegisterScanner
