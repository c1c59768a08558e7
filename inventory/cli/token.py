"""`inventory token create|list|revoke`: the tokens that programs sign in to the service with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from inventory.cli.console import out, print_json, say
from inventory.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption

if TYPE_CHECKING:
    from collections.abc import Iterable
    from enum import StrEnum
    from typing import TypeVar

    from inventory.api.tokens import ApiToken, TokenStore

    Word = TypeVar("Word", bound=StrEnum)

app = typer.Typer(
    help="Make, list and revoke the tokens that programs sign in to the service with. A running service knows at once.",
    no_args_is_help=True,
)


@app.command()
def create(
    name: Annotated[str, typer.Option(help="What it is for; decisions made with it are named so.")],
    role: Annotated[list[str], typer.Option(help="viewer, engineer, privacy, dsar or admin; can be repeated.")],
    days: Annotated[int, typer.Option(min=1, max=730, help="For how many days it is valid.")] = 90,
    scope: Annotated[
        list[str] | None, typer.Option(help="Only this of what the role may, such as lineage; can be repeated.")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Make a token and print it, once: it is kept nowhere.

    [bold]Examples[/bold]

      inventory token create --name ci --role engineer --days 90

      inventory token create --name airflow --role engineer --scope lineage
    """
    from datetime import timedelta

    from inventory.api.roles import Permission, Role

    roles, scopes = _words("--role", role, Role), _words("--scope", scope or [], Permission)
    secret, token = _store(config).create(name, roles, timedelta(days=days), scopes)
    if as_json:
        print_json({**_document(token), "token": secret})
        return
    out.print(secret, soft_wrap=True, markup=False)
    say(f"{token.name}: {_roles(token)}, until {token.expires:%Y-%m-%d}. This is shown once.", style="green")


@app.command("list")
def list_tokens(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Every token that was made: what it may, until when, and when it was last used."""
    from datetime import UTC, datetime

    tokens, now = _store(config).tokens(), datetime.now(UTC)
    if as_json:
        print_json([_document(token) for token in tokens])
        return
    for token in tokens:
        state = "revoked" if token.revoked else "valid" if token.valid(now) else "expired"
        used = f"used {token.used:%Y-%m-%d}" if token.used else "never used"
        line = f"{token.id}  {state:<7}  {token.name}  {_roles(token)}  until {token.expires:%Y-%m-%d}, {used}"
        out.print(line, soft_wrap=True, markup=False)


@app.command()
def revoke(
    token: Annotated[str, typer.Argument(help="Its id or name, as `inventory token list` gives them.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Refuse a token from now on."""
    revoked = _store(config).revoke(token)
    say(f"revoked: {revoked.id} {revoked.name}", style="green")


def _store(path: ConfigOption) -> TokenStore:
    from inventory.cli import road

    return road.opened_tokens(road.opened_config(path))


def _words(option: str, given: Iterable[str], words: type[Word]) -> list[Word]:
    from inventory.errors import ConfigError

    known = [str(word) for word in words]
    for each in given:
        if each not in known:
            raise ConfigError(f"{option} {each}", f"is none of {', '.join(known)}")
    return [words(each) for each in dict.fromkeys(given)]


def _roles(token: ApiToken) -> str:
    narrowed = f" (only {', '.join(sorted(token.scopes))})" if token.scopes else ""
    return ", ".join(sorted(token.roles)) + narrowed


def _document(token: ApiToken) -> dict[str, object]:
    return {
        "id": token.id,
        "name": token.name,
        "roles": sorted(token.roles),
        "scopes": sorted(token.scopes),
        "created": token.created.isoformat(),
        "expires": token.expires.isoformat(),
        "used": token.used.isoformat() if token.used else None,
        "revoked": token.revoked.isoformat() if token.revoked else None,
    }
