"""Column-level lineage of one statement."""

from __future__ import annotations

import pytest

from inventory.errors import UnreadableError
from inventory.lineage.sql import Table, Tables, flows_of_script, flows_of_statement

SYSTEM = "postgres://db:5432"
USERS = Table(
    f"{SYSTEM}/shop.public.users", "shop.public.users", ("id", "email", "name", "payload"),
    {"payload": {"/email", "/customer/email"}},
)  # fmt: skip
ORDERS = Table(f"{SYSTEM}/shop.sales.orders", "shop.sales.orders", ("id", "user_id", "total", "Note"))
ODD = Table(f"{SYSTEM}/shop.public.a.b", "shop.public.a.b", ("x y", "é"))
TABLES = (USERS, ORDERS, ODD)


def column_flows(sql: str, *columns: str, dialect: str = "postgres", tables=TABLES) -> set[tuple[str, str, str]]:
    target = Table(f"{SYSTEM}/shop.public.v", "shop.public.v", columns)
    lineage = flows_of_statement(sql, dialect, target, tables)
    assert lineage.resolved
    return {
        (flow.source.rpartition(".")[2], flow.target.partition("#")[2], flow.transformation.value)
        for flow in lineage.flows
        if "#" in flow.target
    }


def one(expression: str) -> set[tuple[str, str]]:
    """The sources and transformations of one expression over `users u`."""
    flows = column_flows(f"SELECT {expression} AS c FROM public.users u JOIN sales.orders o ON o.user_id = u.id")
    return {(source, how) for source, _, how in flows}


@pytest.mark.parametrize(
    "expression,expected",
    [
        ("u.email", {("users#email", "copied")}),
        ("u.email::text", {("users#email", "copied")}),
        ("coalesce(u.email, u.name)", {("users#email", "copied"), ("users#name", "copied")}),
        ("CASE WHEN u.id > 5 THEN u.email ELSE u.name END", {("users#email", "copied"), ("users#name", "copied")}),
        ("nullif(u.email, u.name)", {("users#email", "copied")}),
        ("lower(u.email)", {("users#email", "transformed")}),
        ("u.name || ' ' || u.email", {("users#name", "transformed"), ("users#email", "transformed")}),
        ("jsonb_build_object('e', u.email)", {("users#email", "transformed")}),
        ("max(u.email)", {("users#email", "transformed")}),
        ("string_agg(u.email, ',')", {("users#email", "transformed")}),
        ("md5(u.email)", {("users#email", "hashed")}),
        ("md5(lower(u.email))", {("users#email", "hashed")}),
        ("encode(sha256(u.email::bytea), 'hex')", {("users#email", "hashed")}),
        ("encode(digest(u.email, 'sha256'), 'hex')", {("users#email", "hashed")}),
        ("left(u.email, 2) || '***'", {("users#email", "masked")}),
        ("left(u.email, 2) || u.name", {("users#email", "transformed"), ("users#name", "transformed")}),
        ("mask_email(u.email)", {("users#email", "masked")}),
        ("sum(o.total)", {("orders#total", "aggregated")}),
        ("sum(o.total) OVER (PARTITION BY u.email)", {("orders#total", "aggregated")}),
        ("count(*)", set()),
        ("count(u.email)", {("users#email", "aggregated")}),
        ("count(DISTINCT u.email) FILTER (WHERE u.name = 'x')", {("users#email", "aggregated")}),
        ("u.email LIKE '%x'", set()),
        ("u.email IS NULL", set()),
        ("u.email = ANY (ARRAY['a'])", set()),
        ("u.id > 1 AND NOT u.email = ''", set()),
        ("42", set()),
        ("u.payload ->> 'email'::text", {("users#payload/email", "copied")}),
        ("(u.payload -> 'customer'::text) ->> 'email'::text", {("users#payload/customer/email", "copied")}),
        ("u.payload #>> '{customer,email}'", {("users#payload/customer/email", "copied")}),
        ("md5(u.payload ->> 'email')", {("users#payload/email", "hashed")}),
        ("u.payload ->> 'other'", {("users#payload", "transformed")}),
        ("u.payload ->> u.name", {("users#payload", "transformed")}),
        ("(SELECT max(p.email) FROM public.users p WHERE p.id = o.user_id)", {("users#email", "transformed")}),
        ("EXISTS (SELECT 1 FROM public.users p WHERE p.email = u.email)", set()),
    ],
)
def test_what_an_expression_does_to_its_data(expression, expected):
    assert one(expression) == expected


def test_a_place_reached_twice_keeps_what_tells_the_most():
    assert one("coalesce(md5(u.email), u.email)") == {("users#email", "copied")}


def test_stars_joins_and_a_quoted_name():
    flows = column_flows(
        'SELECT u.*, o."Note" FROM users u LEFT JOIN sales.orders o ON o.user_id = u.id',
        "id", "email", "name", "payload", "Note",
    )  # fmt: skip
    assert flows == {
        ("users#id", "id", "copied"),
        ("users#email", "email", "copied"),
        ("users#name", "name", "copied"),
        ("users#payload", "payload", "copied"),
        ("orders#Note", "Note", "copied"),
    }


def test_ctes_unions_and_a_cte_that_hides_a_table():
    flows = column_flows(
        """
        WITH users AS (SELECT md5(email) AS e, name FROM public.users),
             both_ AS (SELECT e FROM users UNION ALL SELECT name FROM users)
        SELECT b.e AS out FROM both_ b
        """,
        "out",
    )
    assert flows == {("users#email", "out", "hashed"), ("users#name", "out", "copied")}


def test_a_recursive_cte_ends():
    flows = column_flows(
        """
        WITH RECURSIVE up(id, email) AS (
            SELECT id, email FROM public.users
            UNION ALL SELECT u.id, u.email FROM public.users u JOIN up ON up.id = u.id)
        SELECT email FROM up
        """,
        "email",
    )
    assert flows == {("users#email", "email", "copied")}


def test_a_view_renames_by_position():
    flows = column_flows(
        "CREATE VIEW v (who, how_much) AS SELECT name, total FROM users u, sales.orders o", "who", "how_much"
    )
    assert flows == {("users#name", "who", "copied"), ("orders#total", "how_much", "copied")}


def test_names_with_dots_spaces_and_accents():
    target = Table("t", "shop.public.v", ("x y",))
    (whole, field) = flows_of_statement('SELECT "x y" FROM public."a.b"', "postgres", target, TABLES).flows
    assert (whole.source, field.source) == (ODD.urn, f"{ODD.urn}#x y")


def test_case_folds_as_the_dialect_does():
    people = Table("sqlite:///s.db/People", "People", ("ID", "eMail"))
    lineage = flows_of_statement(
        "CREATE VIEW V AS SELECT p.EMAIL AS e FROM people p", "sqlite", Table("sqlite:///s.db/V", "V", ("e",)), [people]
    )
    assert [flow.source for flow in lineage.flows] == [people.urn, f"{people.urn}#eMail"]


def test_rows_unfolded_from_json_come_from_the_document():
    flows = column_flows(
        "SELECT e.value ->> 'x' AS c FROM users u CROSS JOIN LATERAL jsonb_each(u.payload) e(key, value)", "c"
    )
    assert flows == {("users#payload", "c", "transformed")}


def test_a_dataset_that_is_only_counted_flows_as_an_aggregate():
    target = Table("v", "shop.public.v", ("n",))
    lineage = flows_of_statement("SELECT count(*) AS n FROM public.users", "postgres", target, TABLES)
    assert [(flow.source, flow.target, flow.transformation.value) for flow in lineage.flows] == [
        (USERS.urn, "v", "aggregated")
    ]


@pytest.mark.parametrize(
    "sql", ["", "SELECT FROM WHERE ((", "DELETE FROM users", "SELECT 1; SELECT 2", "VACUUM 'a@b.ca'"]
)
def test_what_is_no_query_is_refused_without_its_text(sql, caplog):
    with pytest.raises(UnreadableError, match=r"shop\.public\.v: its SQL could not be parsed as postgres") as refusal:
        flows_of_statement(sql, "postgres", Table("v", "shop.public.v", ()), TABLES)
    assert "a@b.ca" not in str(refusal.value) + caplog.text


def test_a_column_that_no_table_has_is_said_and_not_guessed():
    target = Table("v", "shop.public.v", ("c",))
    lineage = flows_of_statement("SELECT phone AS c FROM public.users u, sales.orders o", "postgres", target, TABLES)
    assert not lineage.resolved
    assert all("#" not in flow.source for flow in lineage.flows)


SUM = "SELECT " + "+".join(["id"] * 3000) + " AS c FROM users"
SELF_JOINS = ",".join(f"a{n + 1} AS (SELECT x.*, y.* FROM a{n} x, a{n} y)" for n in range(30))
ALIASES = ",".join(f"c{n}||c{n} AS c{n + 1}" for n in range(40))


@pytest.mark.parametrize(
    "sql,why",
    [
        ("SELECT email AS c FROM users WHERE city IN (" + "'ab'," * 1_100_000 + "'x')", "is longer than"),
        (SUM, "is nested more than"),
        (f"WITH a0 AS (SELECT * FROM users), {SELF_JOINS} SELECT * FROM a30", "stand for more than"),
        (f"SELECT email AS c0, {ALIASES} FROM users", "stand for more than"),
        ("SELECT * FROM wide, users", "stand for more than"),
        ("SELECT c FROM ((( users", "could not be parsed"),
    ],
)
def test_what_is_too_large_or_broken_is_known_by_its_tables_alone(sql, why):
    wide = Table(f"{SYSTEM}/shop.public.wide", "shop.public.wide", tuple(f"c{n}" for n in range(30_000)))
    target = Table(f"{SYSTEM}/shop.public.v", "shop.public.v", ("c",))
    lineage = flows_of_statement(sql, "postgres", target, [*TABLES, wide])
    assert why in lineage.gap
    assert lineage.guessed
    assert {(flow.target, flow.transformation.value) for flow in lineage.flows} == {(target.urn, "unknown")}
    assert USERS.urn in {flow.source for flow in lineage.flows}


def test_an_unknown_dialect_is_said():
    with pytest.raises(UnreadableError, match="dialect 'klingon' is unknown"):
        flows_of_statement("SELECT 1", "klingon", Table("v", "v", ()), TABLES)


def into_users(sql: str) -> set[tuple[str, str]]:
    flows = flows_of_statement(sql, "postgres", USERS, TABLES).flows
    return {(flow.source.rpartition(".")[2], flow.target.rpartition(".")[2]) for flow in flows}


def test_a_table_that_reads_itself_flows_between_its_columns_only():
    assert into_users("UPDATE users SET name = email") == {("users#email", "users#name")}
    assert into_users("INSERT INTO users SELECT * FROM users") == set()


def test_views_in_a_circle_end():
    a, b = Table("a", "shop.public.a", ("x",)), Table("b", "shop.public.b", ("x",))
    assert flows_of_statement("SELECT x FROM b", "postgres", a, [a, b]).resolved
    assert flows_of_statement("SELECT x FROM a", "postgres", b, [a, b]).resolved


def test_a_script_follows_data_through_the_tables_that_it_makes():
    script = """
    CREATE TEMP TABLE step AS SELECT id, md5(email) AS h FROM users;
    this is no SQL;
    INSERT INTO users (name) SELECT h FROM step WHERE note = 'a;b';
    COPY (SELECT h FROM step) TO 's3://bucket/out.csv';
    """
    found = list(flows_of_script(script, Tables(TABLES, "postgres"), ["shop", "public"]))
    assert [(each.position, each.place) for each in found] == [(2, ""), (3, "s3://bucket/out.csv")]
    said = {(flow.source, flow.target, flow.transformation.value) for flow in found[0].lineage.flows}
    assert said == {(f"{USERS.urn}#email", f"{USERS.urn}#name", "hashed")}
    assert (f"{USERS.urn}#email", "s3://bucket/out.csv#h") in {(f.source, f.target) for f in found[1].lineage.flows}
