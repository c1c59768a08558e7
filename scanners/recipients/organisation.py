"""What a file of known organisations may say, and reading them.

An entry says who an organisation is and what gives it away. Of an organisation that has a connector
(`scanners/integrations/vendors`), the connector says who it is; the entry adds what gives it away, and says of who it
is only what differs: the name of a company with several products, the services beside the connector's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from inventory.errors import ConfigError
from scanners.integrations.connector import Connector, RegionKey, RoleKey, ServiceClassKey, connectors
from scanners.yaml_files import read_as

FOLDER = Path(__file__).parent / "known"

Ecosystem: TypeAlias = Literal[
    "pypi", "npm", "go", "maven", "gem", "composer", "cargo", "nuget", "terraform", "image", "action"
]
Key = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
Host = Annotated[str, Field(pattern=r"^([a-z0-9_*-]+\.)+[a-z0-9-]+$")]
PackageName = Annotated[str, Field(pattern=r"^[^\s*]{2,}\*?$")]
VariableName = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{2,}\*?$")]
Selector = Annotated[str, Field(pattern=r"^[a-z0-9_-]+$")]
TextPrefix = Annotated[str, Field(pattern=r"^[a-z0-9_.:-]{2,}[=:_-]$|^[a-z0-9_.-]{8,}$")]


class Organisation(BaseModel):
    """An organisation that may receive data.

    `hosts` are where it is reached, and stand for all names below them: domains, API and ingest hosts, mail servers,
    what SPF includes, what DKIM selectors and CNAMEs lead to, what a content security policy allows. The longest
    name that fits wins, so that a product may have its own host below a company's domain. A `*` in a host stands for
    anything within a label, and at the end of a package's or a variable's name for any end.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: Key
    name: str = ""
    legal_entity: str = ""
    role: RoleKey | None = Field(default=None, description="By default processor.")
    service_classes: tuple[ServiceClassKey, ...] = ()
    head_office: RegionKey | None = None
    description: str = ""
    hosts: tuple[Host, ...] = ()
    dkim_selectors: tuple[Selector, ...] = Field(
        default=(), description="Names that no other organisation's keys have."
    )
    verification: tuple[TextPrefix, ...] = Field(
        default=(), description="How the TXT record begins that shows it whose domain it is, in small letters."
    )
    packages: Mapping[Ecosystem, tuple[PackageName, ...]] = Field(
        default={}, description="Its libraries, Terraform providers, container images and actions, in small letters."
    )
    variables: tuple[VariableName, ...] = Field(default=(), description="Environment variables of its programs.")

    @property
    def facts(self) -> dict[str, object]:
        """What is said of who it is, without its key."""
        return self.model_dump(include=_FACTS, exclude_defaults=True)


_FACTS = {"name", "legal_entity", "role", "service_classes", "head_office"}


def load_organisations(path: Path) -> tuple[Organisation, ...]:
    """Read a file; ConfigError naming the file, the place in it and what is wrong there."""
    return read_as(_FORM, path)


_FORM = TypeAdapter(tuple[Organisation, ...])


@cache
def organisations() -> Mapping[str, Organisation]:
    """Every organisation of this folder by its key."""
    found: dict[str, Organisation] = {}
    for path in sorted(FOLDER.glob("*.yaml")):
        for organisation in load_organisations(path):
            if organisation.key in found:
                raise ConfigError(f"{path}: {organisation.key}", "is there already")
            found[organisation.key] = organisation
    return found


@cache
def connectors_of() -> Mapping[str, tuple[Connector, ...]]:
    """The connectors to an organisation's services, by its key."""
    found: dict[str, tuple[Connector, ...]] = {}
    for connector in connectors().values():
        found[connector.processor] = (*found.get(connector.processor, ()), connector)
    return found


def defects(known: Mapping[str, Organisation], of: Mapping[str, tuple[Connector, ...]]) -> Iterator[str]:
    """What is amiss among the entries together, in one line each."""
    for key in of.keys() - known.keys():
        yield f"{key}: has a connector and no entry"
    for key, organisation in known.items():
        said, agreed = organisation.facts, _agreed(of.get(key, ()))
        for fact in said.keys() & agreed.keys():
            if said[fact] == agreed[fact] or fact in ("legal_entity", "head_office"):
                yield f"{key}: its connector says its {fact} already"
        if not agreed and not said.keys() >= {"name", "service_classes"}:
            yield f"{key}: name or service_classes is missing"
    yield from _twice(known)


def _agreed(connectors: tuple[Connector, ...]) -> dict[str, object]:
    """Who the organisation is, as far as its connectors say the same of it."""
    each = [
        {
            "name": connector.name,
            "legal_entity": connector.legal_entity,
            "role": connector.role,
            "service_classes": (connector.service_class,),
            "head_office": connector.head_office,
        }
        for connector in connectors
    ]
    return {fact: said for fact, said in each[0].items() if all(other[fact] == said for other in each)} if each else {}


def _twice(known: Mapping[str, Organisation]) -> Iterator[str]:
    owner: dict[tuple[str, str], str] = {}
    for key, organisation in known.items():
        signatures: list[tuple[str, str]] = [("host", host) for host in organisation.hosts]
        signatures += [("DKIM selector", name) for name in organisation.dkim_selectors]
        signatures += [("verification", prefix) for prefix in organisation.verification]
        signatures += [("variable", name) for name in organisation.variables]
        signatures += [(ecosystem, name) for ecosystem, names in organisation.packages.items() for name in names]
        for signature in signatures:
            other = owner.setdefault(signature, key)
            if other != key or signatures.count(signature) > 1:
                yield f"{key}: {signature[0]} {signature[1]} is {other}'s already"
        for host in organisation.hosts:
            above = next((other for other in organisation.hosts if host.endswith(f".{other}")), "")
            if above and "*" not in host:
                yield f"{key}: host {host} lies below {above}, which is there"
