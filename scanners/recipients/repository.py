"""A code repository: which outside organisations its manifests and settings name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal, cast

from pathspec import GitIgnoreSpec
from pydantic import Field

from inventory.errors import SourceError
from inventory.model import (
    Aspect,
    Covered,
    DatasetKind,
    DatasetSeen,
    Finding,
    Observation,
    Provenance,
    Severity,
    SystemKind,
    SystemSeen,
    dataset_urn,
)
from scanners.base import Progress, ScanContext, SourceSettings
from scanners.disclosure import configured_disclosure
from scanners.recipients.catalogue import of_package
from scanners.recipients.manifests import Malformed, reader_of
from scanners.recipients.settings_files import is_settings, settings_signs
from scanners.recipients.sightings import Sign, disclosures

# What others wrote, what is made from the code, and what tests make up.
_SKIPPED = frozenset(
    {".git", ".hg", ".svn", "node_modules", "bower_components", "vendor", "third_party", "site-packages", ".venv",
     "venv", "__pycache__", ".tox", ".nox", ".terraform", ".gradle", ".next", ".nuxt", ".cache", "Pods", "target",
     "dist", "build", "coverage", "testdata", "fixtures", "__fixtures__"}
)  # fmt: skip


class RepositorySettings(SourceSettings):
    """A checkout of a repository."""

    type: Literal["repository"]
    path: Path = Field(description="The folder.")
    most_files: int = Field(default=200_000, ge=1, description="Most files whose names are looked at.")
    file_bytes: int = Field(default=2 * 2**20, ge=1024, description="A longer file is not read.")


class RepositoryScanner:
    """Scans a folder of code. Of its files, only those that name somebody outside are datasets."""

    settings_type: ClassVar[type[SourceSettings]] = RepositorySettings

    def __init__(self, settings: SourceSettings) -> None:
        self.settings = settings
        self._repository = cast(RepositorySettings, settings)
        self._folder = self._repository.path.expanduser().absolute()

    @property
    def system(self) -> str:
        """`repository://` and the source's name: the folder differs from machine to machine."""
        return self.settings.namespace or f"repository://{self.settings.name}"

    def scan(self, context: ScanContext) -> Iterator[Observation]:
        """Look at every file whose name says that it may name somebody."""
        if not self._folder.is_dir():
            raise SourceError(self.settings.name, "there is no such folder", "check path", "missing")
        settings = self.settings
        yield SystemSeen(
            self.system,
            SystemKind.REPOSITORY,
            settings.name,
            "repository",
            region=settings.region,
            processor=settings.processor,
        )
        found: list[Finding] = []
        said: set[str] = set()
        for done, path in enumerate(self._files(found)):
            context.report(Progress(settings.name, done, None, context.detection.redact(path)))
            yield from self._file(path, context, found, said)
        yield from found
        if not found:
            yield Covered(self.system, Aspect.LISTING)

    def _file(self, path: str, context: ScanContext, found: list[Finding], said: set[str]) -> Iterator[Observation]:
        text = self._text(path, found)
        if text is None:
            return
        own = self.settings.own_domains
        try:
            libraries = list(_libraries(path, text))
        except Malformed:
            libraries = []
            found.append(
                self._finding("damaged", f"{context.detection.redact(path)} is not of its format", "correct it")
            )
        configured = list(settings_signs(path, text, own)) if is_settings(path) else []
        if not libraries and not configured:
            return
        shown = context.detection.redact(path)
        dataset = dataset_urn(self.system, shown)
        yield DatasetSeen(dataset, self.system, DatasetKind.FILE, shown)
        yield from configured_disclosure(self.settings, dataset)
        yield from disclosures(dataset, Provenance.SDK, libraries, said)
        yield from disclosures(dataset, Provenance.CONFIG, configured, said)
        yield Covered(dataset, Aspect.STRUCTURE)

    def _files(self, found: list[Finding]) -> Iterator[str]:
        """Paths of the files to read, from the folder on; links are not followed, ignored files left out."""
        ignored: dict[str, GitIgnoreSpec] = {}
        unlistable: list[OSError] = []
        left = self._repository.most_files
        for folder, folders, files in os.walk(self._folder, onerror=unlistable.append):
            here = Path(folder).relative_to(self._folder).as_posix()
            here = "" if here == "." else f"{here}/"
            if ".gitignore" in files:
                ignored[here] = _gitignore(Path(folder, ".gitignore"))
            above = {base: spec for base, spec in ignored.items() if here.startswith(base)}
            folders[:] = sorted(
                name for name in folders if name not in _SKIPPED and not _is_ignored(f"{here}{name}/", above)
            )
            left -= len(files)
            if left < 0:
                found.append(self._finding("truncated", "it has more files than are looked at", "raise most_files"))
                return
            for name in sorted(files):
                path = f"{here}{name}"
                if (reader_of(path) or is_settings(path)) and not _is_ignored(path, above):
                    yield path
        if unlistable:
            found.append(self._finding("no-permission", f"{len(unlistable)} folders cannot be listed", "grant reading"))

    def _text(self, path: str, found: list[Finding]) -> str | None:
        file = self._folder / path
        try:
            if file.is_symlink() or not file.is_file():
                return None
            with file.open("rb") as opened:
                data = opened.read(self._repository.file_bytes + 1)
        except OSError:
            found.append(self._finding("no-permission", "a file cannot be read", "grant reading"))
            return None
        return data.decode("utf-8", errors="replace") if len(data) <= self._repository.file_bytes else None

    def _finding(self, code: str, cause: str, remedy: str) -> Finding:
        return Finding(self.system, code, Severity.WARNING, f"{self.settings.name}: {cause} ({remedy})")


def _libraries(path: str, text: str) -> Iterator[Sign]:
    reader = reader_of(path)
    for dependency in reader(text) if reader is not None else ():
        recipient = of_package(dependency.ecosystem, dependency.name)
        if recipient is not None:
            evidence = f"depends on {dependency.name} ({dependency.ecosystem})"
            if dependency.developing:
                yield Sign(recipient, f"{evidence}, for development", 0.5)
            else:
                yield Sign(recipient, evidence, 0.8)


def _gitignore(path: Path) -> GitIgnoreSpec:
    try:
        return GitIgnoreSpec.from_lines(path.read_text(encoding="utf-8", errors="replace").splitlines())
    except (OSError, ValueError):
        return GitIgnoreSpec([])


def _is_ignored(path: str, specs: dict[str, GitIgnoreSpec]) -> bool:
    return any(spec.match_file(path.removeprefix(base)) for base, spec in specs.items())


SCANNER = RepositoryScanner
