"""A folder on this machine, read as a bucket is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal, cast

from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore
from pydantic import Field

from inventory.errors import SourceError, UnreadableError
from scanners.base import SourceSettings
from scanners.buckets.bucket import BucketScanner
from scanners.buckets.grouping import ObjectRef
from scanners.buckets.metered import MeteredStore


class LocalSettings(SourceSettings):
    """A folder with everything below it."""

    type: Literal["local"]
    path: Path = Field(description="The folder.")


class LocalScanner(BucketScanner):
    """Scans the regular files of a folder. Links are not followed: they may lead out of it, or in circles."""

    settings_type: ClassVar[type[SourceSettings]] = LocalSettings
    engine = "local"

    def __init__(self, settings: SourceSettings) -> None:
        super().__init__(settings)
        self._folder = cast(LocalSettings, settings).path.expanduser().absolute()

    @property
    def system(self) -> str:
        """`file:///the/folder`."""
        return self.settings.namespace or f"file://{self._folder.as_posix()}"

    @property
    def title(self) -> str:
        """The folder's name."""
        return self._folder.name

    def open(self) -> ObjectStore:
        """The folder, if it is one."""
        if not self._folder.is_dir():
            raise SourceError(self.settings.name, "there is no such folder", "check path", "missing-bucket")
        try:
            return LocalStore(self._folder)
        except (BaseError, OSError, ValueError):
            raise SourceError(self.settings.name, "the folder cannot be opened", "check path", "unreachable") from None

    def list(self, store: MeteredStore) -> Iterator[ObjectRef | UnreadableError | SourceError]:
        """Depth first. obstore's own listing would follow links, and stop at the first circle."""
        unlistable: list[OSError] = []
        for folder, folders, files in os.walk(self._folder, onerror=unlistable.append):
            folders.sort()
            for name in sorted(files):
                path = Path(folder, name)
                found = self._file(path)
                if found is not None:
                    yield found
        if unlistable:
            cause = f"{len(unlistable)} folders cannot be listed"
            yield UnreadableError(self.settings.name, cause, "grant read permission", "no-permission")

    def _file(self, path: Path) -> ObjectRef | UnreadableError | None:
        try:
            if path.is_symlink() or not path.is_file():
                return None
            stat = path.stat()
        except OSError:
            return None  # deleted since its folder was read
        key = path.relative_to(self._folder).as_posix()
        try:
            key.encode()
        except UnicodeEncodeError:
            cause = "holds files whose names are not UTF-8"
            return UnreadableError(self.settings.name, cause, "rename them", "unlistable-keys")
        return ObjectRef(key, stat.st_size, stat.st_mtime)


SCANNER = LocalScanner
