"""A question costs at most one query to the graph a level, however many nodes are on it."""

import asyncio

import pytest

from inventory.api.context import Context
from inventory.api.contract import operations
from inventory.api.schema import build_schema
from inventory.api.settings import Limits


@pytest.fixture
def queries_of(catalogue, monkeypatch):
    """Asks a question and counts the statements that go to the graph."""
    sent: list[str] = []
    aread = catalogue.graph.aread

    async def counted(query, /, **parameters):
        sent.append(query)
        return await aread(query, **parameters)

    monkeypatch.setattr(catalogue.graph, "aread", counted)

    async def ask(query, variables):
        try:
            return await build_schema(Limits()).execute(query, variables, Context(catalogue))
        finally:
            await catalogue.graph.aclose()

    def queries(query, **variables):
        sent.clear()
        result = asyncio.run(ask(query, variables))
        assert result.errors is None
        assert result.data is not None
        return len(sent), result.data

    return queries


def test_nested_lists_cost_one_query_a_level(queries_of):
    count, data = queries_of(
        """{
          systems(first: 10) { edges { node { urn
            datasets(first: 20) { edges { node { urn
              fields(first: 20) { edges { node { urn
                classifications { confidence category { key parent { key } } }
              } } }
            } } }
          } } }
        }"""
    )
    fields = [
        field
        for system in data["systems"]["edges"]
        for dataset in system["node"]["datasets"]["edges"]
        for field in dataset["node"]["fields"]["edges"]
    ]
    assert len(fields) == 7
    assert count == 6  # systems, datasets, fields, classifications, categories, parents


def test_siblings_of_one_level_share_a_query(queries_of):
    count, data = queries_of("{ datasets { edges { node { urn system { urn region } system2: system { name } } } } }")
    assert len(data["datasets"]["edges"]) == 4
    assert count == 2


@pytest.mark.parametrize(
    "name, variables, most",
    [
        ("WhereIs", {"category": "user.contact.email"}, 2),
        ("ProcessorsOf", {"category": "user.contact.email"}, 2),
        ("Overview", {}, 5),
        ("Systems", {}, 3),
        ("Datasets", {}, 6),
        ("Fields", {"dataset": "postgres://db.example:5432/shop.public.customers"}, 4),
        ("Policy", {}, 2),
        ("Processors", {}, 3),
        ("Processor", {"key": "stripe"}, 6),
        ("Leaving", {}, 2),
        ("Scans", {}, 3),
    ],
)
def test_a_named_question_costs_this_much(queries_of, name, variables, most):
    count, _ = queries_of(operations()[name].text, **variables)
    assert count <= most
