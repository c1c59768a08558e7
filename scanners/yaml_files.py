"""YAML files of our own form: read, held to their schema, and what is amiss in them told by its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

from inventory.errors import ConfigError

T = TypeVar("T")

#: A safe loader; the one in C, where PyYAML has libyaml, takes a tenth of the time.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_as(form: TypeAdapter[T], path: Path) -> T:
    """The file's content; ConfigError naming the file, the place in it and what is wrong there, and no value."""
    try:
        content: Any = yaml.load(path.read_text(encoding="utf-8"), LOADER)  # noqa: S506 - a safe loader
    except OSError as error:
        raise ConfigError(str(path), error.strerror or "cannot be read") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark is not None else ""
        raise ConfigError(f"{path}{place}", "is not YAML") from None
    try:
        return form.validate_python(content)
    except ValidationError as error:
        first, *others = error.errors(include_url=False, include_input=False)
        place = ".".join(str(part) for part in first["loc"])
        cause = "unknown key" if first["type"] == "extra_forbidden" else first["msg"].removeprefix("Value error, ")
        more = f"; and {len(others)} more" if others else ""
        raise ConfigError(f"{path}: {place}" if place else str(path), cause + more) from None
