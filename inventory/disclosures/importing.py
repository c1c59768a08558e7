"""Disclosures from a file that people keep: CSV with a header, or a YAML list, with the register's own fields."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, cast

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from inventory.disclosures.register import Disclosure, LegalBasis
from inventory.errors import ConfigError, InventoryError
from inventory.identifiers import Identifier, normalised, parse_identifier


def _listed(value: object) -> object:
    return tuple(part.strip() for part in value.split(";") if part.strip()) if isinstance(value, str) else value


def _day(value: object) -> object:
    if value == "":
        return None
    return value.date() if isinstance(value, datetime) else value


def _or_zero(value: object) -> object:
    return 0 if value == "" else value


def _or_no(value: object) -> object:
    return False if value == "" else value


_Texts = Annotated[tuple[str, ...], BeforeValidator(_listed)]
_Number = Annotated[int, BeforeValidator(_or_zero)]
_Day = Annotated[date, BeforeValidator(_day)]
_MaybeDay = Annotated[date | None, BeforeValidator(_day)]
_YesNo = Annotated[bool, BeforeValidator(_or_no)]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    recipient: str
    asked_by: str
    legal_basis: LegalBasis
    reference: str = ""
    categories: _Texts
    disclosed_on: _Day
    sources: _Texts = ()
    subjects: _Number = 0
    people: _Texts = ()
    suppressed: _YesNo = False
    suppressed_until: _MaybeDay = None
    corrects: _Number = 0


def read_disclosures(file: Path) -> list[tuple[Disclosure, list[Identifier]]]:
    """Every disclosure of the file with its people. Raises ConfigError with every mistake: which row, which field.

    Mistakes say what is wrong and never what was written, as it may be an identifier.
    """
    read: list[tuple[Disclosure, list[Identifier]]] = []
    mistakes: list[str] = []
    for place, row in _rows(file):
        try:
            read.append(_disclosure(_Row.model_validate(row)))
        except ValidationError as error:
            mistakes += [f"{place}, {_field(detail['loc'])}: {_cause(detail)}" for detail in _details(error)]
        except InventoryError as error:
            mistakes.append(f"{place}: {error}")
    if mistakes:
        raise ConfigError(str(file), "; ".join(mistakes), "nothing was written")
    return read


def _rows(file: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(file), "cannot be read as UTF-8 text") from error
    if file.suffix.lower() in (".yaml", ".yml"):
        yield from _rows_of_yaml(file, text)
        return
    for number, row in enumerate(csv.DictReader(text.splitlines(), strict=True), start=2):
        if None in row:
            raise ConfigError(f"{file}, line {number}", "has more cells than the header", "nothing was written")
        yield f"line {number}", {name.strip(): (cell or "").strip() for name, cell in row.items()}


def _rows_of_yaml(file: Path, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        content: object = yaml.safe_load(text)
    except yaml.YAMLError:
        raise ConfigError(str(file), "is not YAML", "nothing was written") from None
    if not isinstance(content, list):
        raise ConfigError(str(file), "should hold a list of disclosures", "nothing was written")
    for number, row in enumerate(cast("list[object]", content), start=1):
        if not isinstance(row, dict):
            raise ConfigError(f"{file}, entry {number}", "should hold keys and values", "nothing was written")
        yield f"entry {number}", cast("dict[str, Any]", row)


def _disclosure(row: _Row) -> tuple[Disclosure, list[Identifier]]:
    people = [parse_identifier(text) for text in row.people]
    for person in people:
        normalised(person)
    said: dict[str, Any] = row.model_dump(exclude={"people", "subjects"})
    return Disclosure(**said, subjects=row.subjects or len(people)), people


def _details(error: ValidationError) -> list[Any]:
    return list(error.errors(include_url=False, include_input=False, include_context=False))


def _field(place: tuple[Any, ...]) -> str:
    return str(place[0]) if place else "row"


def _cause(detail: Mapping[str, Any]) -> str:
    if detail["type"] == "extra_forbidden":
        return "unknown field"
    if detail["type"] == "enum":
        return f"is none of {', '.join(LegalBasis)}"
    return "is missing" if detail["type"] == "missing" else "cannot be read"
