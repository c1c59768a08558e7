"""`inventory ask`: a named question, answered in the terminal."""

from __future__ import annotations

from typing import Annotated

import typer

from inventory.cli.console import out, print_json
from inventory.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption


def ask(
    question: Annotated[str, typer.Argument(help="Name of a question; without it, they are listed.")] = "",
    variables: Annotated[list[str] | None, typer.Argument(help="Its variables, as name=value.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Ask one of the named questions.

    [bold]Examples[/bold]

      inventory ask

      inventory ask WhereIs category=user.contact.email

      inventory ask ProcessorsOf category=user.financial --json
    """
    if not question:
        _print_questions(as_json=as_json)
        return
    from inventory.cli import road
    from inventory.cli.telling import print_answer

    given = dict(_pair(variable) for variable in variables or [])
    settings = road.opened_config(config)
    with road.opened_graph(settings) as graph:
        answer = road.answer(graph, question, given, lambda: road.opened_register(settings))
    if as_json:
        print_json(answer)
    else:
        print_answer(out, answer)


def _pair(variable: str) -> tuple[str, str]:
    from inventory.errors import QuestionError

    name, equals, value = variable.partition("=")
    if not equals:
        raise QuestionError(variable, "is not name=value", "for example category=user.contact.email")
    return name, value


def _print_questions(*, as_json: bool) -> None:
    from inventory.api.contract import operations

    asked = operations().values()
    if as_json:
        print_json([{"name": o.name, "variables": dict(o.variables), "asks": o.asks} for o in asked])
        return
    for operation in asked:
        variables = " ".join(f"{name}={kind}" for name, kind in operation.variables.items())
        out.print(f"[bold]{operation.name}[/bold]  {variables}")
        out.print(f"    {operation.asks}", style="dim")
