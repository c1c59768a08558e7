"""Which scanners there are: every module of a room that has a `SCANNER`, found by being there."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType, ModuleType
from typing import get_args

from scanners import buckets, databases, integrations, recipients, streams
from scanners.base import Scanner

ROOMS: tuple[ModuleType, ...] = (databases, buckets, streams, integrations, recipients)


@cache
def scanner_types() -> Mapping[str, type[Scanner]]:
    """The scanner class of every source type, by the `type` that its settings fix ("postgresql", "s3", …)."""
    found: dict[str, type[Scanner]] = {}
    for scanner in _scanners():
        for source_type in get_args(scanner.settings_type.model_fields["type"].annotation):
            found[source_type] = scanner
    return MappingProxyType(dict(sorted(found.items())))


def _scanners() -> Iterator[type[Scanner]]:
    for room in ROOMS:
        for module in pkgutil.iter_modules(room.__path__, f"{room.__name__}."):
            scanner = getattr(importlib.import_module(module.name), "SCANNER", None)
            if scanner is not None:
                yield scanner
