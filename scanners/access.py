"""From what a source tells of its readers to what a scanner says of access."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from inventory.model import AccessSeen, Aspect, Covered, Observation, PrincipalKind, SafeguardSeen, field_urn
from scanners.databases.catalog import Reader
from scanners.detection.interface import Detection

EVERYONE = "everyone"


def access_sightings(
    data: str, readers: Sequence[Reader] | None, detection: Detection, *, complete: bool = True
) -> Iterator[Observation]:
    """Who may read a system or a dataset, or some of its columns: one observation of each place and principal, the
    most direct way; then, if it is complete, that this was all. Nothing when the source does not tell (None).
    """
    if readers is None:
        return
    said: set[tuple[str, str]] = set()
    whole = {reader.principal for reader in readers if not reader.columns}
    for reader in sorted(readers, key=lambda reader: bool(reader.via)):
        if reader.columns and reader.principal in whole:
            continue
        for place in [field_urn(data, column) for column in reader.columns] or [data]:
            if (place, reader.principal) in said:
                continue
            said.add((place, reader.principal))
            yield AccessSeen(
                data=place,
                principal=detection.redact(reader.principal),
                kind=reader.kind,
                privilege=reader.privilege,
                via=detection.redact(reader.via),
                evidence=reader.evidence,
            )
    if complete:
        yield Covered(data, Aspect.ACCESS)


def without_credentials(system: str, privilege: str) -> tuple[SafeguardSeen, Reader]:
    """What follows when a server has answered a scanner that gave no credentials."""
    evidence = "the server answers without credentials"
    reader = Reader(EVERYONE, PrincipalKind.PUBLIC, privilege, evidence=evidence)
    return SafeguardSeen(system, "private_access", False, evidence), reader
