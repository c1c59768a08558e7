"""The tables of docs/connectors.md, from the connectors' files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from inventory.vocabulary import regions, service_classes
from scanners.integrations.connector import Connector
from scanners.integrations.lint import credentials_of

BEGIN = "<!-- connectors: written by `inventory connector table --into docs/connectors.md` -->"
END = "<!-- connectors: end -->"


def tables(connectors: Mapping[str, Connector]) -> str:
    """Both tables in Markdown: who the vendors are, and what a source of each needs."""
    listed = sorted(connectors.values(), key=lambda each: (_class(each), each.name.lower()))
    vendors = _table(
        (
            "Vendor",
            "Service",
            "Legal entity",
            "Head office",
            "Data held in",
            "Resources",
            "Onward",
            "Erases",
            "Verified by",
        ),
        (_vendor(each) for each in listed),
    )
    sources = _table(
        ("`type`", "API version", "`variables`", "`credentials`", "Least permission"),
        (_source(each) for each in sorted(listed, key=lambda each: each.vendor)),
    )
    return f"### Vendors\n\n{vendors}\n### What a source of each needs\n\n{sources}"


def replaced(document: str, text: str) -> str:
    """The document with the text between its two marks; ValueError when it has none."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("has not both marks")
    return f"{before}{BEGIN}\n\n{text}\n{END}{after}"


def _class(connector: Connector) -> str:
    return service_classes().term(connector.service_class).name


def _vendor(connector: Connector) -> Iterator[str]:
    yield f"[{connector.name}]({connector.documentation})"
    yield _class(connector)
    yield connector.legal_entity
    yield _region(connector.head_office)
    yield ", ".join(_region(region) for region in connector.regions) or "as the account says"
    yield ", ".join(resource.name for resource in connector.resources)
    yield ", ".join(resource.name for resource in connector.resources if resource.onward)
    yield ", ".join(resource.name for resource in connector.resources if resource.erase is not None)
    yield connector.verified


def _source(connector: Connector) -> Iterator[str]:
    yield f"`{connector.vendor}`"
    yield connector.api_version
    yield "<br>".join(f"`{name}`: {said}" for name, said in connector.variables.items())
    yield ", ".join(f"`{name}`" for name in credentials_of(connector))
    scopes = dict.fromkeys(scope for resource in connector.resources for scope in resource.scopes)
    yield ", ".join(f"`{scope}`" for scope in scopes)


def _region(key: str) -> str:
    return regions().term(key).name


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = tuple(heads)
    lines = [f"| {' | '.join(heads)} |", f"|{'|'.join('---' for _ in heads)}|"]
    lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "".join(f"{line}\n" for line in lines)
