"""Scans of files that a test writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from inventory.model import Observation


@pytest.fixture
def scan_zone(tmp_path: Path, small_detection) -> Callable[..., list[Observation]]:
    """Write a zone file of setbytes.example and scan it."""
    from scanners.base import ScanContext
    from scanners.recipients.dns import DnsScanner, DnsSettings

    def scan(zone: str, **settings: object) -> list[Observation]:
        path = tmp_path / "zone"
        path.write_text("$TTL 3600\n" + zone, encoding="utf-8")
        content = {"type": "dns", "name": "zone", "domain": "setbytes.example", "zone_file": path, **settings}
        return list(DnsScanner(DnsSettings.model_validate(content)).scan(ScanContext(small_detection)))

    return scan


@pytest.fixture
def scan_repository(tmp_path: Path, small_detection) -> Callable[..., list[Observation]]:
    """Write files below a folder and scan it as a repository called `code`."""
    from scanners.base import ScanContext
    from scanners.recipients.repository import RepositoryScanner, RepositorySettings

    def scan(files: dict[str, str], **settings: object) -> list[Observation]:
        for name, text in files.items():
            path = tmp_path / "code" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        content = {"type": "repository", "name": "code", "path": tmp_path / "code", **settings}
        return list(RepositoryScanner(RepositorySettings.model_validate(content)).scan(ScanContext(small_detection)))

    return scan
