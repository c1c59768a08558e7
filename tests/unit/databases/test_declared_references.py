"""References that people wrote into comments."""

from __future__ import annotations

import time

import pytest

from inventory.model import DatasetKind, Provenance
from scanners.databases.catalog import Column, ForeignKey, Relation
from scanners.databases.comments import with_declared_references


def relation(schema, name, comment="", keys=(), **columns):
    return Relation(
        schema,
        name,
        DatasetKind.TABLE,
        tuple(Column(column, "int", comment=text) for column, text in columns.items()),
        ("id",),
        keys,
        comment,
    )


CUSTOMERS = relation("accounts", "customers", id="", email="")
CLIENT = relation("crm", "Client", id="")


def declared(comment, **more):
    orders = relation("accounts", "orders", id="", who=comment, **more)
    keys = with_declared_references([CUSTOMERS, CLIENT, orders])[2].foreign_keys
    return [(key.columns, f"{key.target_schema}.{key.target_table}", key.target_columns) for key in keys]


@pytest.mark.parametrize(
    "comment",
    [
        "references customers.id",
        "Who ordered; REFERENCES accounts.customers(id).",
        "FK → accounts.customers(id)",
        "fk: customers",
        "FK to the table customers (id), kept by hand",
        "foreign key (customers.id)",
        "points to shop.accounts.customers.id",
        "→ customers.id",
        'refers to "customers"."id"',
        "référence à customers.id",
        "Clé étrangère vers la table accounts.customers",
        "renvoie à `accounts`.`customers`",
    ],
)
def test_a_comment_declares_a_reference(comment):
    assert declared(comment) == [(("who",), "accounts.customers", ("id",))]


@pytest.mark.parametrize(
    "comment",
    [
        "",
        "the customer's name",
        "reference number of the parcel",
        "references the old system",
        "references customers.no_such_column",
        "references nowhere.customers.id",
        "see customers.id",
        "preferences customers.id",
    ],
)
def test_prose_declares_nothing(comment):
    assert declared(comment) == []


def test_a_table_of_another_schema_is_found_by_its_name_alone_and_in_any_case():
    assert declared("fk client.id") == [(("who",), "crm.Client", ("id",))]


def test_a_tables_comment_declares_for_the_column_that_it_names():
    orders = relation("accounts", "orders", "All orders. who references customers.id; x is a fk", id="", who="")
    (key,) = with_declared_references([CUSTOMERS, orders])[1].foreign_keys
    assert (key.columns, key.target_columns, key.provenance) == (("who",), ("id",), Provenance.COMMENT)
    assert key.confidence < 1


def test_a_constraint_says_it_already():
    constraint = ForeignKey("fk", ("who",), "accounts", "customers", ("id",))
    orders = relation("accounts", "orders", keys=(constraint,), id="", who="references customers.id")
    assert with_declared_references([CUSTOMERS, orders])[1].foreign_keys == (constraint,)


def test_a_hostile_comment_takes_no_time():
    started = time.process_time()
    for comment in ("fk " * 100_000, "fk" + " to" * 100_000, "references " + "a." * 50_000, "→" * 100_000, "`" * 9999):
        declared(comment)
    assert time.process_time() - started < 2
