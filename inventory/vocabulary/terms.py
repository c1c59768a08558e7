"""Typed access to the vocabulary's YAML files.

Sources: fideslang 3.1 (data categories, subjects and uses), W3C DPV 2.3 (`dpv:`, `dpv-pd:`, `eu-gdpr:`, `loc:`),
ISO 3166-1 and -2, PIPEDA schedule 1.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import ClassVar, Literal

import yaml
from pydantic import ConfigDict, StrictBool, TypeAdapter, ValidationError

from inventory.errors import ConfigError

Name = Literal["categories", "subjects", "purposes", "roles", "service_classes", "safeguards", "rights", "regions"]

_ONE_OF: dict[Name, str] = {
    "categories": "category",
    "subjects": "subject",
    "purposes": "purpose",
    "roles": "role",
    "service_classes": "service class",
    "safeguards": "safeguard",
    "rights": "right",
    "regions": "region",
}
_FIDESLANG = ("categories", "subjects", "purposes")


@dataclass(frozen=True, slots=True)
class Term:
    """One word of a vocabulary, in English and in French.

    `dpv` is the nearest DPV term ("" when there is none near). `extends` marks a key that is ours, below a key of
    the standard. `personal` and `sensitive` are said of categories alone.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    key: str
    name: str
    name_fr: str
    description: str = ""
    dpv: str = ""
    extends: StrictBool = False
    personal: StrictBool = True
    sensitive: StrictBool = False


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A list of terms, some below others; the order is the file's."""

    name: Name
    terms: Mapping[str, Term]

    def __contains__(self, key: object) -> bool:
        return key in self.terms

    def __iter__(self) -> Iterator[Term]:
        return iter(self.terms.values())

    def __len__(self) -> int:
        return len(self.terms)

    def term(self, key: str, where: str = "vocabulary") -> Term:
        """The term of that key, or ConfigError that begins with `where` (file and place) and names the nearest keys."""
        found = self.terms.get(key)
        if found is None:
            near = ", ".join(difflib.get_close_matches(key, self.terms, n=3))
            remedy = f"nearest: {near}" if near else f"inventory/vocabulary/{self.name}.yaml has the known ones"
            raise ConfigError(where, f"{key!r} is not a known {_ONE_OF[self.name]}", remedy)
        return found

    def parent(self, key: str) -> Term | None:
        """The term right above, None at the top."""
        above = _above(self.name, self.term(key).key)
        return self.terms[above] if above else None

    def ancestors(self, key: str) -> tuple[Term, ...]:
        """Every term above, nearest first."""
        parent = self.parent(key)
        return () if parent is None else (parent, *self.ancestors(parent.key))

    def descendants(self, key: str) -> tuple[Term, ...]:
        """Every term below, at any depth, in the file's order."""
        prefix = self.term(key).key + _separator(self.name)
        return tuple(term for term in self if _separator(self.name) and term.key.startswith(prefix))

    def fideslang(self, key: str) -> str:
        """The fideslang key: the term's own, or that of the nearest one above; "" where fideslang has no such list."""
        if self.name not in _FIDESLANG:
            return ""
        standard = (term.key for term in (self.term(key), *self.ancestors(key)) if not term.extends)
        return next(standard, "")


@cache
def _load(name: Name) -> Vocabulary:
    source = f"inventory/vocabulary/{name}.yaml"
    text = files("inventory.vocabulary").joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    return Vocabulary(name, _parse(name, text, source))


def _parse(name: Name, text: str, source: str) -> dict[str, Term]:
    """The terms of a file by key, or ConfigError for what is malformed, repeated or below nothing."""
    try:
        terms = TypeAdapter(list[Term]).validate_python(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise ConfigError(source, "is not valid YAML") from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise ConfigError(f"{source}: {'.'.join(map(str, first['loc']))}", first["msg"]) from None
    by_key = {term.key: term for term in terms}
    if len(by_key) != len(terms):
        repeated = sorted({term.key for term in terms if by_key[term.key] is not term})
        raise ConfigError(source, f"{', '.join(repeated)} is there more than once")
    orphans = [key for key in by_key if (above := _above(name, key)) and above not in by_key]
    if orphans:
        raise ConfigError(source, f"{', '.join(orphans)}: the term above is missing")
    return by_key


def _separator(name: Name) -> str:
    if name == "regions":
        return "-"
    return "" if name == "roles" else "."  # "sub-processor" is below nothing


def _above(name: Name, key: str) -> str:
    separator = _separator(name)
    return key.rpartition(separator)[0] if separator else ""


def categories() -> Vocabulary:
    """Data categories: what the data says about a person (fideslang)."""
    return _load("categories")


def subjects() -> Vocabulary:
    """Data subjects: whose data it is (fideslang)."""
    return _load("subjects")


def purposes() -> Vocabulary:
    """Purposes: what the data is used for (fideslang's data uses)."""
    return _load("purposes")


def roles() -> Vocabulary:
    """What an organisation is to the data: controller, processor, sub-processor, recipient."""
    return _load("roles")


def service_classes() -> Vocabulary:
    """What a recipient does for the controller."""
    return _load("service_classes")


def safeguards() -> Vocabulary:
    """How data is protected."""
    return _load("safeguards")


def rights() -> Vocabulary:
    """What a person may ask (PIPEDA)."""
    return _load("rights")


def regions() -> Vocabulary:
    """Where: ISO 3166 countries, Canadian provinces and territories, states of the US."""
    return _load("regions")


VOCABULARIES = (categories, subjects, purposes, roles, service_classes, safeguards, rights, regions)


def is_personal(category: str) -> bool:
    """Whether that category is about a person."""
    return categories().term(category).personal


def is_sensitive(category: str) -> bool:
    """Whether that category is sensitive in most contexts (PIPEDA principle 4.3.4)."""
    return categories().term(category).sensitive
