"""The contract is what is checked in, and a stranger can read it."""

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    build_schema,
    parse,
    validate,
)

from inventory.api.contract import contract_folder, operations
from inventory.api.sdl import main, sdl


@pytest.fixture(scope="module")
def text():
    return (contract_folder() / "schema.graphql").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def schema(text):
    return build_schema(text)


def test_the_checked_in_schema_is_the_one_that_is_served(text):
    assert text == sdl(), "run `python -m inventory.api.sdl --write` and look at what changed"


def test_the_schema_is_printed(capsys):
    assert main([]) == 0
    assert capsys.readouterr().out == sdl()


def test_everything_is_described(schema):
    bare = []
    for name, type_ in schema.type_map.items():
        if name.startswith("__") or name in {
            "Query",
            "Mutation",
            "Subscription",
            "Boolean",
            "Float",
            "ID",
            "Int",
            "String",
        }:
            continue
        bare += [name] if not type_.description else []
        if isinstance(type_, GraphQLEnumType):
            bare += [f"{name}.{value}" for value, definition in type_.values.items() if not definition.description]
    for name, type_ in schema.type_map.items():
        if name.startswith("__") or not isinstance(
            type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType
        ):
            continue
        for field_name, field in type_.fields.items():
            bare += [f"{name}.{field_name}"] if not field.description else []
            for argument_name, argument in getattr(field, "args", {}).items():
                bare += [f"{name}.{field_name}({argument_name})"] if not argument.description else []
    assert bare == []


def test_every_question_can_be_asked_about_another_time(schema):
    without = [name for name, field in schema.query_type.fields.items() if "asOf" not in field.args]
    assert without == []


def test_every_list_of_the_graph_is_paged(schema):
    for name, type_ in schema.type_map.items():
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) and not name.startswith("__"):
            for field_name, field in type_.fields.items():
                if str(field.type).rstrip("!").endswith("Connection"):
                    assert {"first", "after"} <= field.args.keys(), f"{name}.{field_name}"


@pytest.mark.parametrize("name", sorted(operations()))
def test_a_named_question_is_valid(schema, name):
    assert validate(schema, parse(operations()[name].text)) == []


def test_the_named_questions_are_all_there():
    assert set(operations()) == {
        "Categories",
        "Datasets",
        "Fields",
        "Findings",
        "Flows",
        "Node",
        "Overview",
        "Policy",
        "Processor",
        "ChokePoints",
        "Cut",
        "Cycles",
        "DisclosureRegister",
        "Downstream",
        "Impact",
        "Orphans",
        "Upstream",
        "DisclosuresAbout",
        "Leaving",
        "Processors",
        "ProcessorsOf",
        "Readers",
        "ReviewClassification",
        "ScanProgress",
        "Scans",
        "Search",
        "RecordDisclosure",
        "Systems",
        "SystemsOutside",
        "WhereIs",
    }
