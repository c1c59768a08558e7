"""The words of the inventory: categories, subjects, purposes, roles, service classes, safeguards, rights, regions.

Each list is a YAML file beside this module, keyed by the field's standard term: fideslang's keys for categories,
subjects and purposes (our own extend them below the nearest parent), ISO 3166 for regions. `categories()` and its
like read their file once, when first asked; `categories().term(key)` raises ConfigError naming the nearest keys.
"""

from inventory.vocabulary.terms import (
    VOCABULARIES,
    Term,
    Vocabulary,
    categories,
    is_personal,
    is_sensitive,
    purposes,
    regions,
    rights,
    roles,
    safeguards,
    service_classes,
    subjects,
)

__all__ = [
    "VOCABULARIES",
    "Term",
    "Vocabulary",
    "categories",
    "is_personal",
    "is_sensitive",
    "purposes",
    "regions",
    "rights",
    "roles",
    "safeguards",
    "service_classes",
    "subjects",
]
