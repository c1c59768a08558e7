"""From the graph's rows to observations."""

from __future__ import annotations

from inventory.lineage.views import DatasetRow, JobRow, derive
from inventory.model import Finding, FlowSeen, Provenance, Transformation

PG = "postgres://db:5432"
USERS = DatasetRow(
    f"{PG}/shop.public.users", PG, "shop.public.users",
    tuple(f"{PG}/shop.public.users#{path}" for path in ("email", "payload", "payload/e~1x")),
)  # fmt: skip
VIEW = DatasetRow(f"{PG}/shop.public.v", PG, "shop.public.v", (f"{PG}/shop.public.v#h",))


def job(statement: str, dataset: DatasetRow = VIEW) -> JobRow:
    return JobRow(f"job:{dataset.urn}", dataset.urn, statement, "postgres")


def test_flows_carry_their_job_and_provenance():
    whole, field = derive([job("SELECT md5(email) AS h FROM public.users")], [USERS, VIEW])
    assert whole == FlowSeen(USERS.urn, VIEW.urn, Provenance.SQL, Transformation.HASHED, f"job:{VIEW.urn}")
    assert isinstance(field, FlowSeen)
    assert (field.source, field.target) == (f"{USERS.urn}#email", f"{VIEW.urn}#h")


def test_a_field_inside_json_is_found_by_its_pointer():
    _, field = derive([job("SELECT payload ->> 'e/x' AS h FROM public.users")], [USERS, VIEW])
    assert isinstance(field, FlowSeen)
    assert (field.source, field.transformation) == (f"{USERS.urn}#payload/e~1x", Transformation.COPIED)


def test_another_systems_table_of_that_name_is_not_meant():
    elsewhere = DatasetRow("postgres://other:5432/shop.public.users", "postgres://other:5432", USERS.name, USERS.fields)
    (finding,) = derive([job("SELECT md5(email) AS h FROM public.users")], [elsewhere, VIEW])
    assert isinstance(finding, Finding)
    assert (finding.about, finding.code) == (VIEW.urn, "lineage-incomplete")


def test_a_statement_that_does_not_parse_is_a_finding_and_no_flow():
    (finding,) = derive([job("SELECT ((( FROM")], [USERS, VIEW])
    assert isinstance(finding, Finding)
    assert (finding.about, finding.code) == (VIEW.urn, "lineage-unknown")


def test_a_job_of_an_unknown_dataset_or_without_a_statement_says_nothing():
    assert list(derive([job("SELECT 1", USERS), job("")], [VIEW])) == []
