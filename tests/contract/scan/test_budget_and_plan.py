"""Plans before a scan, and budgets during one, against a real server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, event

from inventory.model import Aspect, Covered
from inventory.scan.plan import plan_scan
from inventory.scan.run import observations
from scanners.base import ScanContext


@pytest.fixture
def tables(database):
    for number in range(6):
        database.execute(
            f"CREATE TABLE t{number} AS SELECT i, 'p' || i || '@b.ca' AS mail FROM generate_series(1, {number + 1}00) i"
        )
    database.execute(
        "CREATE TABLE odd (); CREATE VIEW v AS SELECT mail FROM t1; ANALYZE; SELECT pg_stat_force_next_flush()"
    )
    return database


@pytest.fixture
def statements():
    """What is asked of any server meanwhile."""
    asked: list[str] = []

    def note(_connection, _cursor, statement, *_):
        asked.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield asked
    event.remove(Engine, "before_cursor_execute", note)


def scanned(scanner, detection, tokens=None):
    """The observations, the findings, and the tokens of the tables read."""
    findings = []
    said = list(observations(scanner, ScanContext(detection, tokens=tokens or {}), findings))
    read = {one.scope: one.token for one in said if isinstance(one, Covered) and one.aspect is Aspect.CONTENT}
    return said, findings, read


@pytest.mark.usefixtures("tables")
def test_a_plan_is_what_the_scan_then_reads_and_touches_no_table(source, small_detection, statements):
    plan = plan_scan(source(sampling={"rows": 250}), ScanContext(small_detection))
    assert not [statement for statement in statements if 'FROM "public".' in statement]
    planned = {one.dataset.rpartition(".")[2]: one for one in plan.datasets}
    assert {name: one.rows for name, one in planned.items()} == {
        **{"t0": 100, "t1": 200, "t2": 250, "t3": 250, "t4": 250, "t5": 250},
        **{"v": 250, "odd": 0},
    }
    of_catalog = len(statements)
    statements.clear()
    scanner = source(sampling={"rows": 250})
    _, _, read = scanned(scanner, small_detection)
    assert len([statement for statement in statements if 'FROM "public".' in statement]) == 7
    # Of a view, and of a table that the statistics know to be small, no size is asked.
    assert plan.queries - 2 <= len(statements) - of_catalog <= plan.queries

    unchanged = plan_scan(scanner, ScanContext(small_detection, tokens=read))
    assert (unchanged.unchanged, unchanged.rows) == (7, 250)  # all but the view


def test_a_plan_of_what_is_not_there_says_why(source, small_detection):
    plan = plan_scan(source(database="none"), ScanContext(small_detection))
    assert (plan.datasets, plan.reason) == ((), "pg: no such database (check the name)")


@pytest.mark.usefixtures("tables")
def test_a_spent_budget_leaves_the_rest_for_the_next_scan(source, small_detection):
    scanner = source(budget={"rows": 350}, exclude_schemas=["none"])
    said, findings, first = scanned(scanner, small_detection)
    assert [finding.code for finding in findings] == ["over-budget"]
    structure = [one for one in said if isinstance(one, Covered) and one.aspect is Aspect.STRUCTURE]
    assert len(structure) == 8  # of all, though not all were sampled
    assert sorted(urn.rpartition(".")[2] for urn in first) == ["odd", "t0", "t1", "t2"]
    _, _, second = scanned(scanner, small_detection, first)
    assert "t3" in {urn.rpartition(".")[2] for urn in second}
    assert not first.keys() & second.keys()


@pytest.mark.usefixtures("tables")
def test_outside_its_window_a_source_is_left_alone(source, small_detection, statements):
    now = datetime.now(UTC)
    window = f"{now + timedelta(hours=2):%H:%M}-{now + timedelta(hours=3):%H:%M}"
    said, findings, _ = scanned(source(budget={"window": window}), small_detection)
    assert said == findings
    assert [finding.code for finding in findings] == ["over-budget"]
    assert statements == []


@pytest.mark.usefixtures("tables")
def test_queries_are_spread_over_time(source, small_detection, statements):
    began = datetime.now(UTC)
    scanned(source(budget={"queries_per_second": 20}), small_detection)
    assert (datetime.now(UTC) - began).total_seconds() >= (len(statements) - 4) / 20  # the last are not waited for
