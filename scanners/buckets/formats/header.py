"""The header of a table whose first row may be names or data: CSV, sheets."""

from __future__ import annotations

import re
from collections.abc import Sequence

#: A header's names are short.
_LONGEST_NAME = 64

_NAME = re.compile(r"[^\W\d][\w .()#/:%$°'’-]*", re.UNICODE)
#: How programs and exports write names: `first_name`, `firstName`, `FIRST_NAME`, or one lower-case word.
_PROGRAM_NAME = re.compile(r"[a-z][a-z0-9]*(?:[_.-][a-z0-9]+)*|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[a-z]+(?:[A-Z][a-z0-9]*)+")
_HEADER_WORD = re.compile(
    r"\b(?:id|ids|uuid|key|ref|reference|name|nom|prenom|prénom|first|last|surname|email|e-mail|mail|courriel|phone|"
    r"telephone|téléphone|tel|tél|mobile|address|adresse|street|rue|city|ville|province|state|country|pays|postal|zip|"
    r"code|date|created|updated|time|timestamp|birth|naissance|age|âge|sex|gender|amount|montant|total|price|prix|"
    r"currency|status|statut|type|kind|category|description|note|notes|comment|title|titre|user|customer|client|"
    r"account|compte|order|commande|invoice|facture|company|organization|ip|url|language|langue|number|numéro|no)\b",
    re.IGNORECASE,
)


def column_names(header: Sequence[str] | None, width: int) -> list[str]:
    """`width` different names: the header's, and `column_3` for what has none."""
    names = [*(header or ()), *(f"column_{n}" for n in range(len(header or ()) + 1, width + 1))][:width]
    return _unique(names)


def header_of(sample: list[list[str]]) -> list[str] | None:
    """The first row, if it is names and not data.

    In doubt it is data: a row of data taken for a header would put personal values into the names of fields.
    """
    if not sample:
        return None
    head, body = [cell.strip() for cell in sample[0]], sample[1:]
    filled = [cell for cell in head if cell]
    if not filled or len(set(filled)) < len(filled):
        return None
    if any(len(cell) > _LONGEST_NAME or not _NAME.fullmatch(cell) for cell in filled):
        return None
    columns = [[row[i] for row in body if i < len(row) and row[i]] for i in range(len(head))]
    if any(cell in column for cell, column in zip(head, columns, strict=True) if cell):
        return None  # a name does not recur among its own values
    words = sum(1 for cell in filled if _HEADER_WORD.search(_spaced(cell)))
    if words * 2 >= len(filled):
        return head
    as_written = sum(1 for cell in filled if _PROGRAM_NAME.fullmatch(cell))
    contrast = sum(1 for column in columns if column and sum(not _NAME.fullmatch(v) for v in column) * 2 > len(column))
    return head if as_written == len(filled) and (contrast or "_" in "".join(filled)) else None


def _spaced(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[_.-]", " ", name)


def _unique(names: Sequence[str]) -> list[str]:
    found: list[str] = []
    for position, name in enumerate(names, start=1):
        name = name or f"column_{position}"
        found.append(name if name not in found else f"{name}_{position}")
    return found
