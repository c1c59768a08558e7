"""What no scanner foresaw."""

from __future__ import annotations

import traceback
from pathlib import Path

import structlog

from inventory.errors import SourceError
from scanners.base import Scanner

log = structlog.get_logger(__name__)


def defect(scanner: Scanner, error: Exception) -> SourceError:
    """The error in our words: the text of an unforeseen one may hold a value of the data, so its type is told alone."""
    name = scanner.settings.name
    log.error("scanner failed", source=name, error=type(error).__name__, at=_place(error))
    return SourceError(name, f"the scanner failed with {type(error).__name__}", "please report it", "scanner-defect")


def _place(error: Exception) -> str:
    """Where it was raised: the innermost lines of code, without any value."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames))
