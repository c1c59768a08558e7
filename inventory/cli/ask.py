"""`inventory ask`: a named question, answered in the terminal."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from inventory.api.contract import ask as ask_operation
from inventory.api.contract import operations
from inventory.cli.console import out, print_json
from inventory.cli.opening import ConfigOption, JsonOption, opened_config, opened_graph
from inventory.cli.table import print_answer
from inventory.errors import QuestionError
from inventory.graph.catalogue import Catalogue
from inventory.graph.connection import Graph
from inventory.scan.config import DEFAULT_PATH


def ask(
    question: Annotated[
        str, typer.Argument(help="Name of a question in graphql/operations; without it, they are listed.")
    ] = "",
    variables: Annotated[list[str] | None, typer.Argument(help="Its variables, as name=value.")] = None,
    config: ConfigOption = DEFAULT_PATH,
    as_json: JsonOption = False,
) -> None:
    """Ask one of the named questions.

    [bold]Examples[/bold]

      inventory ask
      inventory ask WhereIs category=user.contact.email
      inventory ask ProcessorsOf category=user.financial --json
    """
    if not question:
        print_questions(as_json=as_json)
        return
    given = dict(_pair(variable) for variable in variables or [])
    with opened_graph(opened_config(config)) as graph:
        answer = answered(graph, question, given)
    if as_json:
        print_json(answer)
    else:
        print_answer(out, answer)


def answered(graph: Graph, question: str, variables: dict[str, str]) -> dict[str, Any]:
    """The data that answers a named question."""

    async def run() -> dict[str, Any]:
        try:
            return await ask_operation(Catalogue(graph), question, variables)
        finally:
            await graph.aclose()

    return asyncio.run(run())


def _pair(variable: str) -> tuple[str, str]:
    name, equals, value = variable.partition("=")
    if not equals:
        raise QuestionError(variable, "is not name=value", "for example category=user.contact.email")
    return name, value


def print_questions(*, as_json: bool) -> None:
    """Which questions there are, and what each asks."""
    if as_json:
        print_json(
            [{"name": o.name, "variables": list(o.variables), "asks": o.description} for o in operations().values()]
        )
        return
    for operation in operations().values():
        out.print(f"[bold]{operation.name}[/bold] {' '.join(f'{v}=…' for v in operation.variables)}")
        out.print(f"    {operation.description}", style="dim")
