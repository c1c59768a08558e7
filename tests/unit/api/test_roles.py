"""What each role may: every field of the schema, and every role."""

from __future__ import annotations

import asyncio

import pytest
import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLObjectType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)
from strawberry.tools import merge_types

from inventory.api.context import Context
from inventory.api.contract import contract_folder
from inventory.api.needs import Needs, all_guarded, needs_of
from inventory.api.resolvers import DECISIONS, SUBSCRIPTIONS
from inventory.api.roles import MAY, Permission, Role, permissions_of
from inventory.api.schema import build_schema
from inventory.api.settings import Limits
from inventory.api.sign_in import Caller, SignedInBy
from inventory.api.types.datasets import Dataset
from inventory.graph.catalogue import moment

EVERYONE = set(Role)
REGISTER = {Role.PRIVACY, Role.DSAR, Role.ADMIN}

#: Who may ask for what is not for everyone. A field that is not here is a question that every role may ask.
GUARDED = {
    "Query.disclosureRegister": REGISTER,
    "Query.disclosuresAbout": REGISTER,
    "Query.disclosuresAbout(includeSuppressed: true)": {Role.PRIVACY, Role.ADMIN},
    "Mutation.recordDisclosure": REGISTER,
    "Mutation.reviewClassification": {Role.ENGINEER, Role.PRIVACY, Role.ADMIN},
    "Dataset.readableBy": {Role.ENGINEER, Role.PRIVACY, Role.ADMIN},
}


def _graphql_schema():
    from graphql import build_schema as schema_of_text

    return schema_of_text((contract_folder() / "schema.graphql").read_text(encoding="utf-8"))


SCHEMA = _graphql_schema()
ROOTS = [root for root in (SCHEMA.query_type, SCHEMA.mutation_type) if root]
ASKED = [f"{root.name}.{name}" for root in ROOTS for name in root.fields] + [
    "Query.disclosuresAbout(includeSuppressed: true)"
]
_TEXTS = {"Int": "1", "Float": "1", "Boolean": "true", "Date": '"2026-01-01"', "DateTime": '"2026-01-01T00:00:00Z"'}


@pytest.fixture(scope="module")
def schema():
    return build_schema(Limits())


def value_of(type_):
    """Some value of an input type, as GraphQL text."""
    named = get_named_type(type_)
    if isinstance(named, GraphQLInputObjectType):
        wanted = [name for name, field in named.fields.items() if is_required_input_field(field)]
        given = [f"{name}: {value_of(named.fields[name].type)}" for name in wanted or [next(iter(named.fields))]]
        text = "{" + ", ".join(given) + "}"
    elif isinstance(named, GraphQLEnumType):
        text = next(iter(named.values))
    else:
        text = _TEXTS.get(named.name, '"x"')
    return f"[{text}]" if "[" in str(type_) else text


def question(asked):
    """An operation that asks for `Query.field` or `Query.field(argument: value)`."""
    path, _, argument = asked.rstrip(")").partition("(")
    root, name = path.split(".")
    field = next(type_ for type_ in ROOTS if type_.name == root).fields[name]
    given = [f"{n}: {value_of(a.type)}" for n, a in field.args.items() if is_required_argument(a)]
    given += [argument] if argument else []
    arguments = f"({', '.join(given)})" if given else ""
    below = "" if is_leaf_type(get_named_type(field.type)) else " { __typename }"
    return f"{root.lower()} {{ {name}{arguments}{below} }}"


def codes(schema, catalogue, role, text):
    async def run():
        caller = Caller.of(SignedInBy.TOKEN, "somebody", [role])
        try:
            return await schema.execute(text, context_value=Context(catalogue, caller))
        finally:
            await catalogue.graph.aclose()

    result = asyncio.run(run())
    return [((error.extensions or {}).get("code"), error.message) for error in result.errors or []]


@pytest.mark.parametrize("role", list(Role))
def test_each_role_gets_what_it_may_and_nothing_else(schema, deaf_catalogue, role):
    """Whoever may comes as far as the graph, which does not answer here, or the register, which is not kept here."""
    wrong = []
    for asked in ASKED:
        got = codes(schema, deaf_catalogue, role, question(asked))
        may = role in GUARDED.get(asked, EVERYONE)
        refused = [message for code, message in got if code == "FORBIDDEN"]
        if may and (refused or "INVALID" in [code for code, _ in got]):
            wrong.append((asked, got))
        if not may and (len(got) != 1 or not refused or "needs one of the roles" not in refused[0]):
            wrong.append((asked, got))
    assert wrong == []


def test_every_mutation_is_in_the_table():
    assert {f"Mutation.{name}" for name in ROOTS[1].fields} <= GUARDED.keys()


def test_what_is_declared_is_in_the_table_and_the_other_way_round(schema):
    declared = set()
    for name, type_ in SCHEMA.type_map.items():
        if not isinstance(type_, GraphQLObjectType) or name.startswith("__"):
            continue
        definition = schema.get_type_by_name(name)
        for field in definition.fields if definition else ():
            written = f"{name}.{schema.config.name_converter.get_graphql_name(field)}"
            for needs in (each for each in field.extensions if isinstance(each, Needs)):
                declared |= {written, *(f"{written}({argument})" for argument in needs.arguments)}
    table = {asked.replace("includeSuppressed: true", "include_suppressed") for asked in GUARDED}
    assert declared == table


@strawberry.type
class OneDataset:
    @strawberry.field
    def dataset(self) -> Dataset:
        return Dataset.of({"urn": "s3://b/x"}, moment())


def test_a_field_inside_a_type_is_refused(schema, deaf_catalogue):
    """`Dataset.readableBy`, asked of a dataset at hand: the graph is not reached before the caller's role is."""
    small = strawberry.Schema(query=OneDataset)
    text = "{ dataset { readableBy { name } } }"
    for role in Role:
        refused = "FORBIDDEN" in [code for code, _ in codes(small, deaf_catalogue, role, text)]
        assert refused == (role not in GUARDED["Dataset.readableBy"]), role


def test_what_can_be_watched_is_for_whoever_may_read():
    assert set(needs_of(merge_types("Subscription", SUBSCRIPTIONS)).values()) == {None}


def test_a_mutation_that_says_nothing_stops_the_service():
    @strawberry.type
    class Careless:
        @strawberry.mutation
        async def drop_everything(self) -> bool:
            return True

    with pytest.raises(TypeError, match="drop_everything"):
        all_guarded(merge_types("Mutation", (*DECISIONS, Careless)))


def test_every_role_may_read_and_the_administrator_everything():
    assert all(Permission.READ in permissions for permissions in MAY.values())
    assert MAY[Role.ADMIN] == set(Permission)
    assert permissions_of([]) == set()


def test_scopes_narrow_and_never_widen():
    assert permissions_of([Role.ENGINEER], [Permission.SEND_LINEAGE]) == {Permission.SEND_LINEAGE}
    assert permissions_of([Role.VIEWER], [Permission.SEND_LINEAGE]) == set()
    assert permissions_of([Role.DSAR, Role.ENGINEER]) == MAY[Role.DSAR] | MAY[Role.ENGINEER]
