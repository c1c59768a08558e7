"""A register of recipients without an API: files as people write them, and what they do to the graph."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inventory.disclosures.register import LegalBasis
from inventory.errors import ConfigError, SourceError
from inventory.graph.writer import GraphWriter, ScanRun
from inventory.model import (
    Aspect,
    Covered,
    DatasetKind,
    DatasetSeen,
    DisclosureSeen,
    FieldClassified,
    FieldSeen,
    Finding,
    ProcessorSeen,
    Provenance,
    SystemKind,
    SystemSeen,
)
from scanners.base import ScanContext
from scanners.integrations.register import LEGAL_BASES, Line, RegisterScanner, RegisterSettings

SITES = """\
- who: Colocation du Nord
  key: colo-nord
  legal_entity: Colocation du Nord inc.
  service_class: infrastructure.data_centre
  role: processor
  head_office: CA
  region: [CA-QC, CA-ON]
  categories: [user.name, user.contact.email]
  purpose: essential.service.operations
  legal_basis: contract
  contact: mailto:privacy@colo.example
  since: 2021-05-01
  description: two cages, agreement 12
  data: ["postgres://db:5432/shop.public.orders", "postgres://db:5432/crm.*"]
- who: Auditors & Partners
  role: recipient
  categories: user.payment.invoice; user.name
"""
TABLE = """\
who;key;service_class;region;categories;contact
Colocation du Nord;colo-nord;infrastructure.data_centre;CA-QC;"user.name; user.contact.email";https://colo.example
Auditors & Partners;;;;user.payment.invoice;
"""


@pytest.fixture
def scan(tmp_path, small_detection):
    def run(text: str | bytes, name: str = "sites.yaml", datasets=lambda begins: ()) -> list:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        context = replace(ScanContext(small_detection), datasets=datasets)
        return list(RegisterScanner(RegisterSettings(name="sites", type="register", path=path)).scan(context))

    return run


def of(kind: type, seen: list) -> list:
    return [each for each in seen if isinstance(each, kind)]


def messages(seen: list) -> list[str]:
    return [each.message for each in of(Finding, seen)]


def test_a_line_is_an_organisation_and_what_it_is_given(scan):
    seen = scan(SITES)
    assert messages(seen) == []
    assert of(SystemSeen, seen)[0].urn == "register://sites"
    first, second = of(ProcessorSeen, seen)
    assert first == ProcessorSeen(
        "colo-nord",
        "Colocation du Nord",
        "processor",
        ("infrastructure.data_centre",),
        "Colocation du Nord inc.",
        "CA",
        ("CA-QC", "CA-ON"),
        ("erasure: mailto:privacy@colo.example",),
    )
    assert (second.key, second.role) == ("auditors-partners", "recipient")
    given = {(each.field, each.category) for each in of(FieldClassified, seen)}
    assert ("register://sites/colo-nord#user.contact.email", "user.contact.email") in given
    assert ("register://sites/auditors-partners#user.payment.invoice", "user.payment.invoice") in given
    assert {each.field for each in of(FieldClassified, seen)} == {each.urn for each in of(FieldSeen, seen)}
    disclosed = {(each.source, each.processor): each for each in of(DisclosureSeen, seen)}
    own = disclosed["register://sites/colo-nord", "colo-nord"]
    assert own.provenance is Provenance.REGISTER
    assert own.evidence == "sites.yaml line 1, for essential.service.operations, by contract, since 2021-05-01"
    assert seen[-1] == Covered("register://sites", Aspect.LISTING)


def test_the_datasets_that_a_line_names_go_there(scan):
    known = ["postgres://db:5432/crm.public.people", "postgres://db:5432/crm.public.notes", "postgres://db:5432/other"]
    asked = []

    def datasets(begins: str) -> list[str]:
        asked.append(begins)
        return [urn for urn in known if urn.startswith(begins)]

    sources = {each.source for each in of(DisclosureSeen, scan(SITES, datasets=datasets)) if "postgres" in each.source}
    assert sources == {"postgres://db:5432/shop.public.orders", *known[:2]}
    assert asked == ["postgres://db:5432/crm."]


@pytest.mark.parametrize("delimiter", [";", ","])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_table_says_the_same(scan, delimiter: str, mark: str):
    text = mark + (TABLE if delimiter == ";" else TABLE.replace(";", ",").replace("user.name,", "user.name;"))
    seen = scan(text, "sites.csv")
    assert messages(seen) == []
    assert [each.key for each in of(ProcessorSeen, seen)] == ["colo-nord", "auditors-partners"]
    assert len(of(FieldClassified, seen)) == 3


def test_a_known_organisation_brings_what_is_known_of_it(scan):
    (stripe,) = of(ProcessorSeen, scan("- {who: Stripe, key: stripe, categories: [user.name], region: CA}"))
    assert stripe.legal_entity == "Stripe, Inc."
    assert stripe.regions == ("CA",)


@pytest.mark.parametrize(
    "line, place",
    [
        ("who: A", "line 4, column categories: is missing"),
        ("who: A\n  categories: [user.canary]", "line 5, column categories: is no category of the vocabulary"),
        ("who: A\n  categories: user.name\n  role: canary", "line 6, column role: is no role of the vocabulary"),
        ("who: A\n  categories: user.name\n  region: ZZ", "line 6, column region: is no region of the vocabulary"),
        ("who: A\n  categories: user.name\n  contact: canary", "line 6, column contact: is no address"),
        ("who: A\n  categories: user.name\n  since: canary", "line 6, column since: "),
        ("who: A\n  categories: user.name\n  legal_basis: canary", "line 6, column legal_basis: is none of consent"),
        ("who: A\n  categories: user.name\n  canary: 1", "line 6: is none of the columns who, key"),
        ("who: A\n  categories: user.name\n  who: B", "line 6: says who twice"),
        ("who: A\n  categories: {canary: 1}", "line 5, column categories: "),
        ("who: A\n  categories: !!python/object:canary {}", "line 5: column categories is no plain YAML"),
        ("who: A\n  key: fine\n  categories: user.name", "line 4, column key: has a line already, line 1"),
    ],
)
def test_a_wrong_line_is_one_finding_and_the_others_go_on(scan, line: str, place: str):
    seen = scan(
        "- {who: Fine, categories: user.name}\n\n# a note\n- " + line + "\n- {who: Last, categories: user.name}\n"
    )
    (message,) = messages(seen)
    assert message.startswith(f"sites: sites.yaml {place}")
    assert "canary" not in message
    assert [each.name for each in of(DatasetSeen, seen)] == ["fine", "last"]
    # What the wrong line said before stays.
    assert Covered("register://sites", Aspect.LISTING) not in seen


def test_a_wrong_line_of_a_table_is_named_by_where_it_begins(scan):
    seen = scan('who,categories,description\n\nFine,user.name,"a\nb"\nB,,\nC,user.name,x,y\nD,user.name,\n', "t.csv")
    assert messages(seen) == [
        "sites: t.csv line 5, column categories: is missing",
        "sites: t.csv line 6: has more cells than the header has columns",
    ]
    assert [each.name for each in of(DatasetSeen, seen)] == ["fine", "d"]


@pytest.mark.parametrize(
    "text, name, cause",
    [
        ("a: b: canary", "r.yaml", "line 1 is no YAML"),
        ("who: canary", "r.yaml", "is no list of organisations"),
        (b"who,categories\n\xff", "r.csv", "is not UTF-8"),
        ("who,canary\n", "r.csv", "line 1: column 2 of the header is none of who, key"),
        ("[" * 2_000, "r.yaml", "is no YAML"),
    ],
)
def test_what_is_no_register_is_said_in_a_line(scan, text, name: str, cause: str):
    with pytest.raises(SourceError) as caught:
        scan(text, name)
    assert cause in str(caught.value)
    assert "canary" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_register_that_is_not_there(tmp_path, small_detection):
    settings = RegisterSettings(name="sites", type="register", path=tmp_path / "none.yaml")
    with pytest.raises(SourceError, match="sites: the register cannot be read: No such file"):
        list(RegisterScanner(settings).scan(ScanContext(small_detection)))
    with pytest.raises(ConfigError, match="path names neither"):
        list(RegisterScanner(settings.model_copy(update={"path": Path("x.txt")})).scan(ScanContext(small_detection)))


def test_an_empty_register_says_that_there_is_nobody(scan):
    for text, name in (("", "r.yaml"), ("", "r.csv"), ("who,categories\n", "r.csv")):
        assert [type(each) for each in scan(text, name)] == [SystemSeen, Covered]


def test_no_persons_address_comes_out_of_free_text(scan):
    seen = scan("- {who: ask bob@canary.example, categories: user.name, description: call bob@canary.example}")
    assert "canary" not in repr([each for each in seen if not isinstance(each, DatasetSeen)]).replace("-canary-", "")
    assert "bob@canary" not in repr(seen)


def test_its_legal_bases_are_those_of_the_disclosure_register():
    assert {str(each) for each in LegalBasis} == LEGAL_BASES


def test_what_it_says_of_other_systems_datasets_stands_until_it_says_so_no_more(scan, embedded_graph):
    """Whatever the scans of that system cover."""
    graph = embedded_graph
    writer = GraphWriter(graph)
    orders = "postgres://db:5432/shop.public.orders"

    def load(source: str, minute: int, observations: list) -> None:
        writer.load(ScanRun(f"r{minute}", source, datetime(2026, 1, 1, 0, minute, tzinfo=UTC)), observations)

    def disclosed() -> list[str]:
        rows = graph.read(
            "MATCH (d:Dataset {urn: $urn})-[r:DISCLOSED_TO]->(p) WHERE r.valid_to IS NULL RETURN p.key AS key",
            urn=orders,
        )
        return [row["key"] for row in rows]

    database = [
        SystemSeen("postgres://db:5432", SystemKind.DATABASE, "db", "postgresql"),
        DatasetSeen(orders, "postgres://db:5432", DatasetKind.TABLE, "shop.public.orders"),
        Covered(orders, Aspect.STRUCTURE),
        Covered("postgres://db:5432", Aspect.LISTING),
    ]
    load("db", 1, database)
    load("sites", 2, scan(SITES, datasets=writer.datasets))
    assert disclosed() == ["colo-nord"]
    load("db", 3, database)
    assert disclosed() == ["colo-nord"]
    assert list(writer.datasets("postgres://db:5432/shop.")) == [orders]
    load("sites", 4, scan(SITES.replace("postgres://db:5432/shop.public.orders", "postgres://db:5432/x")))
    assert disclosed() == []


CELL = st.one_of(
    st.sampled_from(["user.name", "CA", "contract", "2024-01-01", "", "mailto:a@b.example", "*", "&a", "*a", "<<"]),
    st.text(max_size=12),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.dictionaries(st.sampled_from([*Line.model_fields, "other"]), CELL, max_size=6), max_size=4),
    kind=st.sampled_from(["r.yaml", "r.csv"]),
    quoted=st.booleans(),
)
def test_whatever_stands_in_it_is_said_or_refused(scan, rows, kind: str, quoted: bool):
    """Nothing but findings and SourceError comes of it, and each line is one organisation or one finding."""
    if kind == "r.csv":
        text = ",".join(Line.model_fields) + "\n"
        for row in rows:
            cells = [row.get(name, "") for name in Line.model_fields]
            text += ",".join('"' + cell.replace('"', '""') + '"' if quoted else cell for cell in cells) + "\n"
    elif quoted:
        text = json.dumps(rows)
    else:
        text = "".join("- " + "\n  ".join(f"{name}: {value}" for name, value in row.items()) + "\n" for row in rows)
    with suppress(SourceError):
        seen = scan(text.encode("utf-8", "replace"), kind)
        if kind == "r.yaml" and quoted:
            assert len(of(DatasetSeen, seen)) + len(of(Finding, seen)) == len(rows)
        assert all("\n" not in message for message in messages(seen))
