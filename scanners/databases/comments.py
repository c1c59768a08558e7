"""Foreign keys that a comment declares instead of a constraint: "references customers.id", "FK → crm.client(id)".

A comment is prose, so it is taken at its word only where it names a relation and a column that the catalog has.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from inventory.model import Provenance
from scanners.databases.catalog import ForeignKey, Relation

CONFIDENCE = 0.8  # comments go stale, and no server checks them
MOST_TEXT = 2000  # characters of a comment that are read

_WORDS = (
    r"foreign[ -]key|fk|references?|refers|points|links|joins"  # English
    r"|clé étrangère|cle etrangere|référence|reference|réfère|refere|renvoie|pointe"  # French
)
_BETWEEN = r"(?:[\s:=(]|->|=>|→|⇒|\b(?:to|of|on|into|with|the|table|column|à|au|a|de|sur|vers|la|le|colonne)\b){1,12}"
_NAME = r"(?:\w[\w$]*|\"[^\"]{1,128}\"|`[^`]{1,128}`|\[[^\]]{1,128}\])"
_PATH = rf"(?P<path>{_NAME}(?:\.{_NAME}){{0,3}})(?:\s?\(\s?(?P<column>{_NAME})\s?\))?"
_DECLARED = re.compile(rf"(?:\b(?:{_WORDS})\b{_BETWEEN}|(?:->|=>|→|⇒)\s?){_PATH}", re.IGNORECASE)
_ABOUT = re.compile(rf"(?P<about>{_NAME})\s(?:is an? |est une? )?\W?$")  # what stands before, in a table's comment


@dataclass(frozen=True, slots=True)
class _Named:
    """Relations by their names in small letters, as people write them."""

    by_path: dict[tuple[str, str], Relation]
    by_name: dict[str, list[Relation]]

    @classmethod
    def of(cls, relations: Sequence[Relation]) -> _Named:
        named = cls({}, defaultdict(list))
        for relation in relations:
            named.by_path[relation.schema.lower(), relation.name.lower()] = relation
            named.by_name[relation.name.lower()].append(relation)
        return named

    def relation(self, schema: str, path: Sequence[str]) -> Relation | None:
        """By `schema.name`, or by a bare name: of the same schema, or the only one of that name."""
        if len(path) > 1:
            return self.by_path.get((path[-2], path[-1]))
        near = self.by_path.get((schema.lower(), path[-1]))
        candidates = self.by_name.get(path[-1], [])
        return near or (candidates[0] if len(candidates) == 1 else None)


def with_declared_references(relations: Sequence[Relation]) -> list[Relation]:
    """The relations, each with the foreign keys that its comments declare and no constraint does."""
    named = _Named.of(relations)
    return [
        replace(relation, foreign_keys=(*relation.foreign_keys, *keys)) if keys else relation
        for relation in relations
        for keys in [_declared_keys(relation, named)]
    ]


def _declared_keys(relation: Relation, named: _Named) -> tuple[ForeignKey, ...]:
    constrained = {column for key in relation.foreign_keys if len(key.columns) == 1 for column in key.columns}
    found: dict[str, ForeignKey] = {}
    for column, match in _declarations(relation):
        if column in constrained or column in found:
            continue
        target = _target(relation, match, named)
        if target is not None and target != (relation, column):
            other, other_column = target
            found[column] = ForeignKey(
                name=f"comment:{column}",
                columns=(column,),
                target_schema=other.schema,
                target_table=other.name,
                target_columns=(other_column,),
                provenance=Provenance.COMMENT,
                confidence=CONFIDENCE,
            )
    return tuple(found.values())


def _declarations(relation: Relation) -> Iterator[tuple[str, re.Match[str]]]:
    """Each column and what a comment says that it points to; a table's comment names the column first."""
    for column in relation.columns:
        if column.comment:
            for match in _DECLARED.finditer(column.comment[:MOST_TEXT]):
                yield column.name, match
    text = relation.comment[:MOST_TEXT]
    matches = list(_DECLARED.finditer(text))
    columns = {column.name.lower(): column.name for column in relation.columns} if matches else dict[str, str]()
    for match in matches:
        about = _ABOUT.search(text[max(0, match.start() - 160) : match.start()])
        if about is not None and _plain(about["about"]) in columns:
            yield columns[_plain(about["about"])], match


def _target(source: Relation, match: re.Match[str], named: _Named) -> tuple[Relation, str] | None:
    path = [_plain(name) for name in re.findall(_NAME, match["path"])]
    if match["column"]:
        relation = named.relation(source.schema, path)
        return _column(relation, _plain(match["column"]))
    if len(path) > 1:  # table.column before schema.table: a column must be there
        relation = named.relation(source.schema, path[:-1])
        found = _column(relation, path[-1])
        if found is not None:
            return found
    relation = named.relation(source.schema, path)
    if relation is None or len(relation.primary_key) != 1:
        return None
    return relation, relation.primary_key[0]


def _column(relation: Relation | None, name: str) -> tuple[Relation, str] | None:
    if relation is None:
        return None
    found = next((column.name for column in relation.columns if column.name.lower() == name), None)
    return None if found is None else (relation, found)


def _plain(name: str) -> str:
    return name.strip('"`[]').lower()
