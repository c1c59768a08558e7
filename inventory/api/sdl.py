"""Print the schema as SDL, or write it where it is checked in: `python -m inventory.api.sdl [--write]`."""

from __future__ import annotations

import sys

from inventory.api.contract import contract_folder
from inventory.api.schema import build_schema
from inventory.api.settings import Limits


def sdl() -> str:
    """The schema as SDL text, as `graphql/schema.graphql` holds it."""
    return build_schema(Limits()).as_str().rstrip() + "\n"


def main(arguments: list[str]) -> int:
    """Print or write the SDL."""
    if arguments == ["--write"]:
        (contract_folder() / "schema.graphql").write_text(sdl(), encoding="utf-8")
    else:
        sys.stdout.write(sdl())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
