"""How a bucket is protected and when it deletes: what its store says of it, beside the objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from inventory.model import (
    AccessSeen,
    Aspect,
    Covered,
    DatasetSeen,
    Finding,
    Observation,
    PrincipalKind,
    SafeguardSeen,
    Severity,
)

#: Whom a public bucket lets in.
EVERYONE = "everyone"


@dataclass(frozen=True, slots=True)
class Expiry:
    """A lifecycle rule: the store deletes objects whose keys begin with `prefix` after so many days."""

    prefix: str
    days: float


@dataclass(slots=True)
class Posture:
    """What is known of one bucket. `unknown` names what the store did not tell us; that is no fault of the scan."""

    system: str
    safeguards: list[SafeguardSeen] = field(default_factory=list[SafeguardSeen])
    expiries: list[Expiry] = field(default_factory=list[Expiry])
    unknown: list[str] = field(default_factory=list[str])
    public: bool | None = None  # None: not known
    privilege: str = ""  # what everyone may do, in the store's word
    public_evidence: str = ""

    def state(self, safeguard: str, present: bool, evidence: str) -> None:
        """A protection is there, or is not."""
        self.safeguards.append(SafeguardSeen(self.system, safeguard, present, evidence))

    def open_to_all(self, public: bool, privilege: str, evidence: str) -> None:
        """Whether everyone may read."""
        self.public, self.privilege, self.public_evidence = public, privilege, evidence
        self.state("private_access", not public, evidence)

    def observations(self, source: str) -> Iterator[Observation]:
        """All of it but the expiries, which are said of datasets."""
        yield from self.safeguards
        if self.public:
            yield AccessSeen(self.system, EVERYONE, PrincipalKind.PUBLIC, self.privilege, evidence=self.public_evidence)
        if self.public is not None:
            yield Covered(self.system, Aspect.ACCESS)
        if self.unknown:
            asked = ", ".join(self.unknown)
            message = f"{source}: the store does not tell us of {asked} (grant reading the bucket's settings)"
            yield Finding(self.system, "posture-not-granted", Severity.INFO, message)

    def with_retention(self, dataset: DatasetSeen) -> DatasetSeen:
        """The dataset with the earliest time after which all its objects are deleted, if there is one."""
        days = earliest(self.expiries, dataset.name)
        if days is None:
            return dataset
        return replace(dataset, retention_days=days, retention_evidence="a lifecycle rule of the bucket")


def earliest(expiries: Iterable[Expiry], template: str) -> float | None:
    """The days of the rules that hold for every key of the template: those of a part of its group do not count."""
    fixed = template.partition("{")[0]
    return min((expiry.days for expiry in expiries if fixed.startswith(expiry.prefix)), default=None)


def listed(folders: Sequence[str], names: Iterable[str]) -> list[str]:
    """Of folders that were listed: those below which every dataset must be named, none if names are elsewhere.

    A folder's own name may be a part that varies, and is then a placeholder in the names of its datasets.
    """
    beginnings = [f"{folder}/" for folder in folders]
    if all(any(name.startswith(beginning) for beginning in beginnings) for name in names):
        return beginnings
    return []
