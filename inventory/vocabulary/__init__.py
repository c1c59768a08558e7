"""The words of the inventory: categories, subjects, purposes, roles, service classes, safeguards, regions.

Each list is a YAML file beside this module, keyed by the field's standard term (fideslang for categories, subjects
and purposes; the project's own keys extend fideslang's below the nearest parent). `category("user.contact.email")`
and its like give typed access; an unknown key raises `VocabularyError` with the nearest known ones.
"""
