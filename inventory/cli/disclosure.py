"""`inventory disclosure record|import|list|about|verify`: the register of what was disclosed by a decision."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inventory.cli.console import out, print_json, say
from inventory.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption

if TYPE_CHECKING:
    from inventory.disclosures.register import Entry
    from inventory.identifiers import Identifier

app = typer.Typer(
    help="The disclosure register: what was handed to authorities and others by a decision, to whom, when and why. "
    "Entries are only ever added, each sealed; people stand in it as keyed hashes.",
    no_args_is_help=True,
)

PeopleOption = Annotated[
    Path | None,
    typer.Option(
        help="File with the people's identifiers, one a line as kind:value (email:…, phone:…, customer_id:…); - reads "
        "standard input. Never on the command line, where other processes see them."
    ),
]
DAY = ["%Y-%m-%d"]


@app.command()
def record(
    recipient: Annotated[str, typer.Argument(help="Key of the organisation or class, such as law-enforcement.")],
    category: Annotated[list[str], typer.Option(help="Key of a category that was disclosed; may be given again.")],
    basis: Annotated[str, typer.Option(help="Legal basis: warrant, lawful_authority, emergency, required_by_law, …")],
    asked_by: Annotated[str, typer.Option(help="Which authority or office asked; not which officer.")],
    on: Annotated[datetime, typer.Option(formats=DAY, help="The day it was disclosed.")],
    reference: Annotated[str, typer.Option(help="Number of the warrant, order or agreement.")] = "",
    source: Annotated[list[str] | None, typer.Option(help="URN of a system or dataset it was taken from.")] = None,
    subjects: Annotated[int, typer.Option(help="How many people it concerns; by default as many as identifiers.")] = 0,
    people: PeopleOption = None,
    suppressed: Annotated[bool, typer.Option(help="The law forbids telling the people concerned.")] = False,
    until: Annotated[datetime | None, typer.Option(formats=DAY, help="Until when it forbids that.")] = None,
    corrects: Annotated[int, typer.Option(help="Number of the entry in whose place this one stands.")] = 0,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Write one disclosure down.

    [bold]Example[/bold]

      inventory disclosure record law-enforcement --category user.telemetry.access_log --basis warrant
          --asked-by "Federal Policing" --reference W-2026-118 --on 2026-11-20 --people people.txt --suppressed
    """
    from inventory.disclosures.register import Disclosure, LegalBasis
    from inventory.errors import QuestionError

    if basis not in list(LegalBasis):
        raise QuestionError(f"--basis {basis}", "is no legal basis", ", ".join(LegalBasis))
    identifiers = _people(people)
    disclosure = Disclosure(
        recipient=recipient,
        asked_by=asked_by,
        legal_basis=LegalBasis(basis),
        reference=reference,
        categories=tuple(category),
        disclosed_on=on.date(),
        sources=tuple(source or ()),
        subjects=subjects or len(identifiers),
        suppressed=suppressed,
        suppressed_until=until.date() if until else None,
        corrects=corrects,
    )
    _write([(disclosure, identifiers)], config, as_json=as_json)


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="CSV or YAML with one disclosure a row.")],
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Write the disclosures of a file down: all of them, or none when one is wrong.

    Columns (or keys): recipient, asked_by, legal_basis, reference, categories, disclosed_on, sources, subjects, people,
    suppressed, suppressed_until, corrects. In CSV a list is separated by semicolons.
    """
    from inventory.disclosures.importing import read_disclosures

    _write(read_disclosures(file), config, as_json=as_json)


@app.command("list")
def list_entries(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Every entry, oldest first, after checking its seal."""
    from inventory.cli import road

    _tell(road.opened_register(road.opened_config(config)).entries(), as_json=as_json)


@app.command()
def about(
    people: PeopleOption,
    include_suppressed: Annotated[bool, typer.Option(help="Also what the person may not be told of.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """To whom a person's data was disclosed.

    [bold]Example[/bold]

      echo email:person@example.ca | inventory disclosure about --people -
    """
    from inventory.cli import road

    register = road.opened_register(road.opened_config(config))
    _tell(register.about(_people(people), date.today(), suppressed=include_suppressed), as_json=as_json)


@app.command()
def verify(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Check every seal: exit status 1 and the first line that was altered, removed, added or moved."""
    from inventory.cli import road

    entries = road.opened_register(road.opened_config(config)).verify()
    if as_json:
        print_json({"entries": entries, "intact": True})
    else:
        say(f"disclosure register: {entries} entries, all seals hold", style="green")


def _write(disclosures: Sequence[tuple[Any, Sequence[Identifier]]], config: Path, *, as_json: bool) -> None:
    from datetime import UTC

    from inventory.cli import road
    from inventory.disclosures.facts import declare_register
    from inventory.graph.writer import GraphWriter

    settings = road.opened_config(config)
    register = road.opened_register(settings)
    register.check([disclosure for disclosure, _ in disclosures])
    written = [register.record(disclosure, people, getpass.getuser()) for disclosure, people in disclosures]
    with road.opened_graph(settings) as graph:
        declare_register(GraphWriter(graph), register.entries(), datetime.now(UTC))
    _tell(written, as_json=as_json)


def _people(file: Path | None) -> list[Identifier]:
    from inventory.errors import QuestionError
    from inventory.identifiers import parse_identifier

    if file is None:
        return []
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionError(f"--people {file}", "cannot be read", "one kind:value a line") from error
    return [parse_identifier(line.strip()) for line in text.splitlines() if line.strip()]


def _tell(entries: Sequence[Entry], *, as_json: bool) -> None:
    if as_json:
        print_json([_document(entry) for entry in entries])
        return
    for entry in entries:
        said = entry.disclosure
        notes = "".join(
            (
                "  suppressed" if said.suppressed else "",
                f"  corrects {said.corrects}" if said.corrects else "",
                f"  corrected by {entry.corrected_by}" if entry.corrected_by else "",
            )
        )
        out.print(
            f"{entry.number:>4}  {said.disclosed_on}  {said.recipient}  {said.legal_basis}  "
            f"{', '.join(said.categories)}  {said.subjects} people{notes}",
            soft_wrap=True,
            markup=False,
        )
    if not entries:
        say("none")


def _document(entry: Entry) -> dict[str, object]:
    said = entry.disclosure
    return {
        "number": entry.number,
        "recordedAt": entry.recorded_at,
        "recordedBy": entry.recorded_by,
        "recipient": said.recipient,
        "askedBy": said.asked_by,
        "legalBasis": str(said.legal_basis),
        "reference": said.reference,
        "categories": list(said.categories),
        "disclosedOn": said.disclosed_on.isoformat(),
        "sources": list(said.sources),
        "subjects": said.subjects,
        "suppressed": said.suppressed,
        "suppressedUntil": said.suppressed_until.isoformat() if said.suppressed_until else None,
        "corrects": said.corrects or None,
        "correctedBy": entry.corrected_by or None,
    }
