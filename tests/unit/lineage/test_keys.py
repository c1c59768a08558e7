"""Keys that names suggest."""

from __future__ import annotations

import pytest

from inventory.lineage.keys import KeyColumn, KeyTable, inferred_references


def table(name: str, *columns: str, key: str = "", schema: str = "public", kind: str = "integer") -> KeyTable:
    keys = key.split()
    return KeyTable(
        f"{schema}.{name}", "db", schema, name, tuple(KeyColumn(column, kind, column in keys) for column in columns)
    )


def inferred(*tables: KeyTable, **options) -> set[tuple[str, str]]:
    return {(each.source, each.target) for each in inferred_references(tables, **options)}


@pytest.mark.parametrize("column", ["customer_id", "customerId", "id_customer", "CustomerID", "billing_customer_id"])
def test_a_column_that_names_a_table_is_its_key(column):
    found = inferred(table("customers", "id", key="id"), table("orders", "id", column, key="id"))
    assert found == {(f"public.orders#{column}", "public.customers#id")}


def test_ids_are_never_paired_however_many_there_are():
    assert inferred(*(table(f"t{n}", "id", "name", "code", key="id") for n in range(50))) == set()


def test_types_must_agree_and_another_schemas_table_must_be_the_only_one():
    customers = table("customers", "id", key="id", schema="a")
    assert inferred(customers, table("orders", "customer_id", kind="uuid")) == set()
    assert inferred(customers, table("orders", "customer_id")) == {("public.orders#customer_id", "a.customers#id")}
    assert inferred(customers, table("customers", "id", key="id", schema="b"), table("orders", "customer_id")) == set()


def test_a_composite_key_is_one_group():
    people = table("customers", "tenant_id", "customer_id", key="tenant_id customer_id")
    found = list(inferred_references([people, table("orders", "order_id", "tenant_id", "customer_id", key="order_id")]))
    assert len({each.group for each in found}) == 1
    assert [(each.source, each.position) for each in found] == [
        ("public.orders#tenant_id", 1),
        ("public.orders#customer_id", 2),
    ]


def test_a_parent_is_of_the_table_itself_and_a_primary_key_is_no_reference():
    assert inferred(table("nodes", "id", "parent_id", key="id")) == {("public.nodes#parent_id", "public.nodes#id")}


def test_declared_ones_are_left_out_and_values_speak_louder_than_names():
    tables = table("customers", "id", key="id"), table("orders", "customer_id")
    pair = "public.orders#customer_id", "public.customers#id"
    assert inferred(*tables, declared=[pair]) == set()
    assert inferred(*tables, contained=lambda *_: 0.1) == set()
    (sure,) = inferred_references(tables, contained=lambda *_: 0.97)
    (unsure,) = inferred_references(tables, contained=lambda *_: None)
    assert (sure.confidence, unsure.confidence) == (0.97, 0.7)
