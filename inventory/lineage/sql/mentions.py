"""The tables that a text of SQL mentions, when it could not be parsed: by the words that stand before names."""

from __future__ import annotations

import re
from collections.abc import Sequence

from inventory.lineage.sql.bounds import MOST_TEXT
from inventory.lineage.sql.tables import Table, Tables

_NOISE = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
_NAME = r"(?:[A-Za-z_][\w$]*|\"[^\"]{1,128}\"|`[^`]{1,128}`|\[[^\]]{1,128}\])"
_MENTION = re.compile(
    rf"\b(?P<word>FROM|JOIN|USING|INTO|UPDATE|TABLE|VIEW)[\s(]+(?:ONLY\s+|IF\s+NOT\s+EXISTS\s+)?"
    rf"(?P<path>{_NAME}(?:\s?\.\s?{_NAME}){{0,3}})",
    re.IGNORECASE,
)
_PART = re.compile(_NAME)
_READS = frozenset({"FROM", "JOIN", "USING"})


def mentions(text: str, tables: Tables, home: Sequence[str]) -> tuple[list[Table], list[Table]]:
    """The known tables that it seems to read, and those that it seems to write; of a long text, the first part."""
    reads: dict[str, Table] = {}
    writes: dict[str, Table] = {}
    for match in _MENTION.finditer(_NOISE.sub(" ", text[:MOST_TEXT])):
        parts = [part.strip('"`[]') for part in _PART.findall(match["path"])]
        table = tables.find(parts, home) or tables.find([part.lower() for part in parts], home)
        if table is not None:
            (reads if match["word"].upper() in _READS else writes)[table.urn] = table
    return list(reads.values()), list(writes.values())
