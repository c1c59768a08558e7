"""`inventory review confirm|reject|reset|list`: what people decide of classifications."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated

import typer

from inventory.cli.console import out, print_json, say
from inventory.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption

if TYPE_CHECKING:
    from pathlib import Path

    from inventory.model import ReviewState

app = typer.Typer(
    help="Confirm or reject that a field holds a category. A decision holds across rescans and detector versions, and "
    "counts as evidence for fields of the same name and type elsewhere.",
    no_args_is_help=True,
)

FieldArgument = Annotated[str, typer.Argument(help="URN of the field, as `inventory ask WhereIs` gives it.")]
CategoryArgument = Annotated[str, typer.Argument(help="Key of the category, such as user.contact.email.")]


@app.command()
def confirm(field: FieldArgument, category: CategoryArgument, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """The field holds the category, also where the detector did not see it."""
    from inventory.model import ReviewState

    _decide(field, category, ReviewState.CONFIRMED, config)


@app.command()
def reject(field: FieldArgument, category: CategoryArgument, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """The field does not hold the category."""
    from inventory.model import ReviewState

    _decide(field, category, ReviewState.REJECTED, config)


@app.command()
def reset(field: FieldArgument, category: CategoryArgument, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Take a decision back: what the detector said holds again."""
    from inventory.model import ReviewState

    _decide(field, category, ReviewState.SUGGESTED, config)


@app.command("list")
def list_decisions(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Every decision, by whom and since when."""
    from inventory.cli import road

    with road.opened_graph(road.opened_config(config)) as graph:
        decided = [
            {
                "field": row["key"],
                "category": row["category"],
                "state": row["edge"]["state"],
                "by": row["edge"].get("by", ""),
                "since": row["edge"]["valid_from"].isoformat(),
            }
            for row in road.reviews(graph)
        ]
    if as_json:
        print_json(decided)
        return
    for each in decided:
        out.print("{state:<9} {category}  {field}  by {by}, {since}".format(**each), soft_wrap=True, markup=False)


def _decide(field: str, category: str, state: ReviewState, config: Path) -> None:
    from datetime import UTC, datetime

    from inventory.cli import road
    from inventory.graph.writer import GraphWriter

    with road.opened_graph(road.opened_config(config)) as graph:
        GraphWriter(graph).review(field, category, state, getpass.getuser(), datetime.now(UTC))
    say(f"{state}: {field} as {category}", style="green")
