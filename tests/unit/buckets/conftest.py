"""A folder as a bucket, and what its scan says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from inventory.model import Observation


@pytest.fixture
def scan_folder(tmp_path: Path, small_detection) -> Callable[..., list[Observation]]:
    """Write the given files below a folder and scan it."""
    from scanners.base import Sampling, ScanContext
    from scanners.buckets.local import LocalScanner, LocalSettings

    def scan(files: dict[str, bytes], processor: str = "", **sampling: int) -> list[Observation]:
        for name, data in files.items():
            path = tmp_path / "bucket" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        settings = LocalSettings(
            name="folder",
            type="local",
            path=tmp_path / "bucket",
            namespace="file:///b",
            processor=processor,
            sampling=Sampling(**sampling),
        )
        return list(LocalScanner(settings).scan(ScanContext(detection=small_detection)))

    return scan
