"""The two files of the declared map, read strictly: an unknown key, word or clause number is a ConfigError.

`policy.yaml` holds a privacy policy as data, clause by clause; `processors.yaml` the organisations that receive data,
and which. The files' own head comments say what each key means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, cast

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, ValidationError

from inventory.errors import ConfigError
from inventory.vocabulary import (
    Vocabulary,
    categories,
    purposes,
    regions,
    rights,
    roles,
    safeguards,
    service_classes,
    subjects,
)

Kind = Literal[
    "scope", "notice", "acceptance", "law", "collection", "category", "purpose", "prohibition", "recipient",
    "safeguard", "right", "tracking", "control", "retention", "change", "notification", "effective", "contact",
]  # fmt: skip

_NEEDS: dict[Kind, str] = {
    "category": "categories",
    "purpose": "purposes",
    "recipient": "recipients",
    "safeguard": "safeguards",
    "right": "rights",
    "retention": "retention",
    "tracking": "categories",
    "law": "laws",
    "prohibition": "forbids",
}


def _known(vocabulary: Callable[[], Vocabulary]) -> AfterValidator:
    def check(key: str) -> str:
        try:
            return vocabulary().term(key).key
        except ConfigError as error:
            raise ValueError(f"{error.cause} ({error.remedy})") from None

    return AfterValidator(check)


CategoryKey = Annotated[str, _known(categories)]
SubjectKey = Annotated[str, _known(subjects)]
PurposeKey = Annotated[str, _known(purposes)]
RoleKey = Annotated[str, _known(roles)]
ServiceClassKey = Annotated[str, _known(service_classes)]
SafeguardKey = Annotated[str, _known(safeguards)]
RightKey = Annotated[str, _known(rights)]
RegionKey = Annotated[str, _known(regions)]
ProcessorKey = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
ClauseKey = Annotated[str, Field(pattern=r"^[1-9][0-9]*\.[1-9][0-9]*$")]
SectionKey = Annotated[str, Field(pattern=r"^[1-9][0-9]*$")]


class Entry(BaseModel):
    """A part of either file: nothing unknown is let through."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Retention(Entry):
    """How long, and what then. `starts` and `until` say the term in words where the policy gives no length."""

    key: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    name: str
    action: Literal["keep", "delete", "archive", "anonymise"]
    starts: Literal["collection", "account_closed"]
    until: str
    period: Annotated[str, Field(pattern=r"^(P(\d+[YMWD])+)?$", description="ISO 8601 duration, if one is given.")] = ""


class Clause(Entry):
    """One statement of the policy."""

    key: ClauseKey
    kind: Kind
    name: str
    says: str
    source: Literal["", "provided", "observed"] = ""
    subjects: tuple[SubjectKey, ...] = ()
    categories: tuple[CategoryKey, ...] = ()
    purposes: tuple[PurposeKey, ...] = ()
    applies_to: tuple[CategoryKey, ...] = ()
    recipients: tuple[ProcessorKey, ...] = ()
    safeguards: tuple[SafeguardKey, ...] = ()
    rights: tuple[RightKey, ...] = ()
    retention: Retention | None = None
    consent: StrictBool = False
    laws: tuple[str, ...] = ()
    forbids: tuple[Literal["sale"], ...] = ()
    channels: tuple[Literal["email", "dashboard"], ...] = ()


class Section(Entry):
    """A section of the policy."""

    key: SectionKey
    name: str
    clauses: Annotated[tuple[Clause, ...], Field(min_length=1)]


class Contact(Entry):
    """Where to ask: an address, or where it is to be found."""

    email: str = ""
    see: str = ""


class Organisation(Entry):
    """What is known of any organisation. `regions` is where it holds data, empty when nobody has said."""

    key: ProcessorKey
    name: str
    description: str = ""
    clauses: Annotated[tuple[ClauseKey, ...], Field(min_length=1)]
    service_classes: Annotated[tuple[ServiceClassKey, ...], Field(min_length=1)]
    regions: tuple[RegionKey, ...] = ()
    head_office: RegionKey | None = None


class Receipt(Entry):
    """What an organisation is given, what for, and where the policy says so."""

    clauses: Annotated[tuple[ClauseKey, ...], Field(min_length=1)]
    purposes: Annotated[tuple[PurposeKey, ...], Field(min_length=1)]
    categories: Annotated[tuple[CategoryKey, ...], Field(min_length=1)]


class Processor(Organisation):
    """An organisation, or a class of them, that receives data."""

    declared: Literal["class", "named", "instance"]
    role: RoleKey
    member_of: ProcessorKey | None = None
    contacts: dict[str, str] = {}
    receives: Annotated[tuple[Receipt, ...], Field(min_length=1)]


class Policy(Entry):
    """policy.yaml."""

    name: str
    effective: date
    jurisdictions: tuple[RegionKey, ...] = ()
    controller: Organisation
    contact: Contact = Contact()
    sections: Annotated[tuple[Section, ...], Field(min_length=1)]

    @property
    def clauses(self) -> tuple[Clause, ...]:
        """Every clause, in the policy's order."""
        return tuple(clause for section in self.sections for clause in section.clauses)


class Processors(Entry):
    """processors.yaml."""

    processors: Annotated[tuple[Processor, ...], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class DeclaredMap:
    """Both files, checked against each other."""

    policy: Policy
    processors: tuple[Processor, ...]


def read_declared(policy: Path | None = None, processors: Path | None = None) -> DeclaredMap:
    """Read and check both files (None: the ones that the project ships), or raise ConfigError naming file and place."""
    policy_file, the_policy = _read(policy, "policy.yaml", Policy)
    processors_file, the_processors = _read(processors, "processors.yaml", Processors)
    declared = DeclaredMap(the_policy, the_processors.processors)
    _refuse(policy_file, _policy_mistakes(declared))
    _refuse(processors_file, _processor_mistakes(declared))
    return declared


# --- reading ----------------------------------------------------------------------------------------------

Model = TypeVar("Model", bound=Entry)


def _read(path: Path | None, shipped: str, model: type[Model]) -> tuple[str, Model]:
    if path is not None:
        return str(path), _parse(path, str(path), model)
    with as_file(files("seed") / shipped) as found:
        return f"seed/{shipped}", _parse(found, f"seed/{shipped}", model)


def _parse(path: Path, source: str, model: type[Model]) -> Model:
    try:
        document: object = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(source, "there is no such file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(source, "cannot be read as UTF-8 text") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise ConfigError(f"{source}, line {line}", f"is not valid YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise ConfigError(source, "is not valid YAML") from error
    try:
        return model.model_validate(document)
    except ValidationError as error:
        mistakes = error.errors(include_input=False, include_url=False, include_context=False)
        _refuse(source, (f"{_place(document, mistake['loc'])}: {mistake['msg']}" for mistake in mistakes))
        raise


def _place(document: object, location: tuple[int | str, ...]) -> str:
    """The location in words: an entry of a list by its key where it has one, else by its place."""
    steps: list[str] = []
    here = document
    for step in location:
        try:
            here = cast("Any", here)[step]
        except (LookupError, TypeError):
            here = None
        key = cast("dict[str, object]", here).get("key") if isinstance(here, dict) else None
        steps.append(str(key or step) if isinstance(step, int) else step)
    return ".".join(steps) or "the file"


def _refuse(source: str, mistakes: Iterable[str]) -> None:
    found = list(mistakes)
    if found:
        raise ConfigError(source, "; ".join(found))


# --- what the files say of each other ---------------------------------------------------------------------


def _policy_mistakes(declared: DeclaredMap) -> Iterator[str]:
    policy = declared.policy
    yield from _repeated("sections", (section.key for section in policy.sections))
    yield from _repeated("clauses", (clause.key for clause in policy.clauses))
    yield from _repeated("retention", (clause.retention.key for clause in policy.clauses if clause.retention))
    processors = {processor.key for processor in declared.processors}
    known = {clause.key for clause in policy.clauses}
    yield from (f"controller: there is no clause {key}" for key in policy.controller.clauses if key not in known)
    for section in policy.sections:
        for clause in section.clauses:
            if clause.key.partition(".")[0] != section.key:
                yield f"clause {clause.key}: stands in section {section.key}"
            needed = _NEEDS.get(clause.kind, "")
            if needed and not getattr(clause, needed):
                yield f"clause {clause.key}: a clause of kind {clause.kind} needs {needed}"
            for key in clause.recipients:
                if key not in processors:
                    yield f"clause {clause.key}: recipient {key!r} is not in the processors' file"


def _processor_mistakes(declared: DeclaredMap) -> Iterator[str]:
    by_key = {processor.key: processor for processor in declared.processors}
    clauses = {clause.key: clause for clause in declared.policy.clauses}
    collected = {key for clause in clauses.values() for key in clause.categories}
    yield from _repeated("processors", (processor.key for processor in declared.processors))
    if declared.policy.controller.key in by_key:
        yield f"{declared.policy.controller.key}: is the controller, no recipient"
    for processor in declared.processors:
        cited = {*processor.clauses, *(key for receipt in processor.receives for key in receipt.clauses)}
        yield from (f"{processor.key}: there is no clause {key}" for key in sorted(cited - clauses.keys()))
        for key in processor.clauses:
            listed = key in clauses and processor.key in clauses[key].recipients
            if key in clauses and listed == (processor.declared == "instance"):
                yield f"{processor.key}: is declared as {processor.declared}, and clause {key} " + (
                    "lists it" if listed else "does not list it"
                )
        received = {key for receipt in processor.receives for key in receipt.categories}
        yield from (
            f"{processor.key}: receives {key}, which no clause says is collected"
            for key in sorted(received)
            if not _covered(key, collected)
        )
        yield from _membership_mistakes(processor, by_key, received)


def _membership_mistakes(processor: Processor, by_key: dict[str, Processor], received: set[str]) -> Iterator[str]:
    if processor.member_of is None:
        if processor.declared == "instance":
            yield f"{processor.key}: an instance needs member_of, the class that the policy declares"
        return
    whole = by_key.get(processor.member_of)
    if whole is None or whole.declared != "class":
        yield f"{processor.key}: member_of {processor.member_of!r} is not a class of processors"
        return
    if list(by_key).index(whole.key) >= list(by_key).index(processor.key):
        yield f"{processor.key}: stands before its class {whole.key}"  # and so no class is above itself
    of_class = {key for receipt in whole.receives for key in receipt.categories}
    for key in sorted(received):
        if not _covered(key, of_class):
            yield f"{processor.key}: receives {key}, which its class {whole.key} does not"


def _covered(category: str, by: set[str]) -> bool:
    return category in by or any(term.key in by for term in categories().ancestors(category))


def _repeated(what: str, keys: Iterable[str]) -> Iterator[str]:
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            yield f"{what}: {key} is there more than once"
        seen.add(key)
