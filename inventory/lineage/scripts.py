"""The flows of SQL that is kept in files: the scripts of pipelines, in a repository or beside a scheduler."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from inventory.lineage.sql.statements import Written, flows_of_script
from inventory.lineage.sql.tables import Table, Tables
from inventory.lineage.views import flows_of, gap_finding
from inventory.model import Finding, FlowSeen, Severity, dataset_urn

MOST_FILES = 10_000
MOST_BYTES = 5_000_000  # of a file; the rest is not read


class SqlFiles(Protocol):
    """Files of SQL, as the configuration has them."""

    @property
    def files(self) -> str:
        """A pattern of paths."""
        ...

    @property
    def dialect(self) -> str:
        """sqlglot's name of their dialect."""
        ...

    @property
    def system(self) -> str:
        """URN of the system that runs them."""
        ...

    @property
    def home(self) -> str:
        """What completes short names: `database.schema`."""
        ...


@dataclass(frozen=True, slots=True)
class Script:
    """A file that was read: the URN of its Job, its name, and what it says."""

    job: str
    name: str
    targets: tuple[str, ...]
    flows: tuple[FlowSeen, ...]
    findings: tuple[Finding, ...]


def scripts(configured: Iterable[SqlFiles], systems: Mapping[str, Sequence[Table]]) -> Iterator[Script]:
    """What the files let flow between the datasets that the inventory holds."""
    for entry in configured:
        try:
            tables = Tables(systems.get(entry.system, ()), entry.dialect)
        except ValueError:
            yield _refused(entry, entry.files, f"the SQL dialect {entry.dialect!r} is unknown")
            continue
        paths = _paths(entry.files)
        if not paths:
            yield _refused(entry, entry.files, "there is no such file")
        for name, path in paths:
            yield _script(entry, name, path, tables)


def _script(entry: SqlFiles, name: str, path: Path, tables: Tables) -> Script:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError:
        return _refused(entry, name, "cannot be read")
    job = f"job:sql/{name}"
    home = [part for part in entry.home.split(".") if part]
    targets, flows, findings = list[str](), dict[tuple[str, str], FlowSeen](), list[Finding]()
    if len(content) > MOST_BYTES:
        findings.append(_finding(entry, name, f"only its first {MOST_BYTES:,} bytes were read"))
    for written in flows_of_script(content[:MOST_BYTES].decode("utf-8", "replace"), tables, home):
        about = _about(written, entry)
        if about:
            targets.append(about)
        if written.lineage.gap:
            findings.append(
                gap_finding(about or entry.system, f"{name}, statement {written.position + 1}", written.lineage)
            )
        if about:
            for flow in flows_of(job, written.lineage):
                flows.setdefault((flow.source, flow.target), flow)
    return Script(job, name, tuple(dict.fromkeys(targets)), tuple(flows.values()), tuple(findings))


def _about(written: Written, entry: SqlFiles) -> str:
    if written.target is not None:
        return written.target.urn
    scheme, separator, rest = written.place.partition("://")
    bucket, slash, key = rest.partition("/")
    return dataset_urn(f"{scheme}://{bucket}", key) if separator and slash and key else ""


def _paths(pattern: str) -> list[tuple[str, Path]]:
    """The files with the names that they have below the fixed part of the pattern."""
    parts = Path(pattern).parts
    fixed = next((index for index, part in enumerate(parts) if set(part) & set("*?[")), len(parts) - 1)
    base = Path(*parts[:fixed]) if fixed else Path()
    found = sorted(path for path in base.glob(str(Path(*parts[fixed:]))) if path.is_file())
    return [(path.relative_to(base).as_posix(), path) for path in found[:MOST_FILES]]


def _refused(entry: SqlFiles, name: str, cause: str) -> Script:
    return Script(f"job:sql/{name}", name, (), (), (_finding(entry, name, cause),))


def _finding(entry: SqlFiles, name: str, cause: str) -> Finding:
    message = f"{name}: {cause} (see lineage.sql in the configuration)"
    return Finding(entry.system, "lineage-unknown", Severity.WARNING, message)
