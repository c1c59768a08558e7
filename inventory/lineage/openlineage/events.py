"""OpenLineage events as they come in: RunEvent, JobEvent and DatasetEvent of the 2-0-2 specification.

Only what is known here is read, and nothing else of an event is kept: an error message, a command line or a facet that
somebody made up may hold anything. What is wrong is said by its place in the event (`$.outputs[0].name`) and never by
its value.
"""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from inventory.errors import QuestionError
from inventory.model import quote_name

MOST_NAME = 2000  # bytes of one part, of which a field's URN has three; indexes hold 8,000
MOST_PAIRS = 10_000  # of inputs and outputs in one event
_SHOWN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_CAUSES = {
    "missing": "is missing",
    "json_invalid": "is no JSON",
    "string_type": "is no text",
    "string_too_short": "is empty",
    "string_too_long": "is too long",
    "dict_type": "is no object",
    "model_type": "is no object",
    "list_type": "is no list",
    "uuid_parsing": "is no UUID",
    "uuid_type": "is no UUID",
    "datetime_parsing": "is no time in ISO 8601",
    "datetime_from_date_parsing": "is no time in ISO 8601",
    "datetime_type": "is no time in ISO 8601",
    "bool_type": "is neither true nor false",
    "bool_parsing": "is neither true nor false",
    "enum": "is none of START, RUNNING, COMPLETE, ABORT, FAIL, OTHER",
}


def _short_enough(name: str) -> str:
    if len(quote_name(name).encode("utf-8", "surrogatepass")) > MOST_NAME:
        raise ValueError(f"has more than {MOST_NAME} bytes as part of a name in the graph")
    return name


Name = Annotated[str, Field(min_length=1), AfterValidator(_short_enough)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class RunState(StrEnum):
    """What a RunEvent tells of its run."""

    START = "START"
    RUNNING = "RUNNING"
    COMPLETE = "COMPLETE"
    ABORT = "ABORT"
    FAIL = "FAIL"
    OTHER = "OTHER"


# --- facets of datasets -----------------------------------------------------------------------------------


class Change(_Part):
    """One thing that is done to a field on its way (`transformations` of the facet from 1-1-0 on)."""

    type: str = ""
    subtype: str | None = None
    description: str | None = None
    masking: bool | None = None


class InputField(_Part):
    """A field that goes into another. `*` stands for no field, but the whole dataset."""

    namespace: Name
    name: Name
    field: Name
    transformations: tuple[Change, ...] | None = None


class OutputField(_Part):
    """What goes into a field. The two last ones are of the facet 1-0-0."""

    inputFields: tuple[InputField, ...] = ()
    transformationDescription: str | None = None
    transformationType: str | None = None


class ColumnLineage(_Part):
    """The facet `columnLineage`, 1-0-0 to 1-2-0."""

    fields: dict[Name, OutputField] = Field(default_factory=dict[str, OutputField])
    dataset: tuple[InputField, ...] | None = None


class Identifier(_Part):
    """Another name of a dataset."""

    namespace: Name
    name: Name


class Symlinks(_Part):
    """The facet `symlinks`."""

    identifiers: tuple[Identifier, ...] | None = None


class DatasetFacets(_Part):
    """The facets that are read of a dataset."""

    columnLineage: ColumnLineage | None = None
    symlinks: Symlinks | None = None


class Dataset(_Part):
    """An input, an output, or what a DatasetEvent is about."""

    namespace: Name
    name: Name
    facets: DatasetFacets | None = None


# --- facets of jobs and runs ------------------------------------------------------------------------------


class Sql(_Part):
    """The facet `sql`."""

    query: str = ""
    dialect: str | None = None


class Documentation(_Part):
    """The facet `documentation`."""

    description: str = ""


class Owner(_Part):
    """A team, or a person, of whom only the kind is read."""

    name: str


class Ownership(_Part):
    """The facet `ownership`."""

    owners: tuple[Owner, ...] | None = None


class JobType(_Part):
    """The facet `jobType`."""

    processingType: str = ""
    integration: str = ""
    jobType: str | None = None


class JobFacets(_Part):
    """The facets that are read of a job."""

    sql: Sql | None = None
    documentation: Documentation | None = None
    ownership: Ownership | None = None
    jobType: JobType | None = None


class Job(_Part):
    """What moves data."""

    namespace: Name
    name: Name
    facets: JobFacets | None = None


class ParentJob(_Part):
    """The job whose run started this one."""

    namespace: Name
    name: Name


class Parent(_Part):
    """The facet `parent`."""

    job: ParentJob | None = None


class RunFacets(_Part):
    """The facets that are read of a run."""

    parent: Parent | None = None


class Run(_Part):
    """One run of a job."""

    runId: UUID
    facets: RunFacets | None = None


class Event(_Part):
    """Any of the three: with `run` and `job` a RunEvent, with `job` a JobEvent, with `dataset` a DatasetEvent."""

    eventTime: datetime
    eventType: RunState | None = None
    run: Run | None = None
    job: Job | None = None
    dataset: Dataset | None = None
    inputs: tuple[Dataset, ...] | None = None
    outputs: tuple[Dataset, ...] | None = None

    @model_validator(mode="after")
    def _one_of_three(self) -> Self:
        if self.job is None and (self.dataset is None or self.run is not None):
            raise ValueError("has neither a job nor a dataset")
        if self.job is not None and self.dataset is not None:
            raise ValueError("has both a job and a dataset")
        if len(self.inputs or ()) * len(self.outputs or ()) > MOST_PAIRS:
            raise ValueError(f"has more than {MOST_PAIRS} pairs of inputs and outputs")
        if not 1970 <= self.eventTime.year < 9999:
            raise ValueError("has a time before 1970 or after 9998")
        return self


def read_event(text: bytes | str, origin: str = "event") -> Event:
    """The event of its JSON. Raises QuestionError that names the place of the first mistake: `$.job.name`."""
    try:
        return Event.model_validate_json(text)
    except ValidationError as error:
        mistakes = error.errors(include_url=False, include_input=False, include_context=False)
    raise QuestionError(origin, _said(mistakes[0]), "see the OpenLineage specification 2-0-2")


def _said(mistake: ErrorDetails) -> str:
    own = mistake["msg"].removeprefix("Value error, ") if mistake["type"] == "value_error" else ""
    return f"{_path(mistake)} {own or _CAUSES.get(mistake['type'], 'is not as the specification has it')}"


def _path(mistake: ErrorDetails) -> str:
    """Where it is. The names of columns stand in the path when they look like names, else they could be anything."""
    path = "$"
    for part in mistake["loc"]:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part != "[key]":
            path += f".{part}" if _SHOWN.fullmatch(part) else "[…]"
    return path
