"""The schema as SDL: printed, written or compared (`python -m inventory.api.sdl [--write|--check]`)."""

from __future__ import annotations

import difflib
import sys

from inventory.api.contract import contract_folder
from inventory.api.schema import build_schema
from inventory.api.settings import Limits


def sdl() -> str:
    """The schema as SDL text, as `graphql/schema.graphql` holds it."""
    return build_schema(Limits()).as_str().rstrip() + "\n"


def main(arguments: list[str]) -> int:
    """Print or write the SDL, or compare it with what is checked in: exit status 1 and a diff when they differ."""
    file = contract_folder() / "schema.graphql"
    if arguments == ["--write"]:
        file.write_text(sdl(), encoding="utf-8")
        return 0
    if arguments != ["--check"]:
        sys.stdout.write(sdl())
        return 0
    before, now = file.read_text(encoding="utf-8").splitlines(), sdl().splitlines()
    difference = list(difflib.unified_diff(before, now, "checked in", "of the code", lineterm=""))
    if difference:
        print("\n".join(difference))  # noqa: T201
        print("graphql/schema.graphql is not the code's: make contract")  # noqa: T201
    return 1 if difference else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
