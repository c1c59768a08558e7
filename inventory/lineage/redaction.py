"""Text that people wrote, without the personal values in it, where no scan is under way that has a detector."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache


@cache
def built_in_redaction() -> Callable[[str], str]:
    """The redaction of the detectors that come with the program; they take most of a second to load, once."""
    from scanners.detection import ColumnDetector

    return ColumnDetector().redact
