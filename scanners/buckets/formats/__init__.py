"""The formats that objects are read in: every module here with a `FORMAT`, found by being there."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache

from scanners.base import Sampling
from scanners.buckets.content import Content
from scanners.buckets.formats.interface import Format, Recognition, Table


@cache
def formats() -> tuple[Format, ...]:
    """All formats, in the order of their names."""
    modules = (importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__))
    found: list[Format] = [module.FORMAT for module in modules if hasattr(module, "FORMAT")]
    return tuple(sorted(found, key=lambda each: each.name))


def format_of(content: Content) -> Format | None:
    """The format that is surest of the content; among equals, the one whose suffix it has."""
    asked = [(each.recognises(content), content.head.suffix in each.suffixes, each) for each in formats()]
    recognition, _, best = max(asked, key=lambda answer: answer[:2])
    return best if recognition > Recognition.NO else None


def tables_of(content: Content, sampling: Sampling) -> Iterator[Table]:
    """The content's tables in the format that it is in; UnreadableError when that is none of ours."""
    found = format_of(content)
    if found is None:
        raise content.unreadable("unknown-format", "is in a format that is not read")
    yield from found.open(content, sampling)
