"""The declared map in the embedded engine: loaded, loaded again, changed."""

import copy
from datetime import UTC, datetime, timedelta
from importlib.resources import files

import pytest
import yaml

from inventory.graph.catalogue import Catalogue
from inventory.graph.engine import engine_graph
from inventory.graph.schema import migrate
from inventory.graph.writer import GraphWriter
from inventory.policy.declared import declare_policy, declare_vocabulary

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    with engine_graph(tmp_path_factory.mktemp("engine")) as graph:
        migrate(graph)
        yield graph


@pytest.fixture(scope="module")
def loaded(graph):
    """The graph with the shipped map; a test that loads another one loads this one again."""
    writer = GraphWriter(graph)
    declare_vocabulary(writer, AT)
    declare_policy(writer, None, None, AT)
    return graph


def test_a_second_load_writes_nothing(loaded):
    writer, later = GraphWriter(loaded), AT + timedelta(days=1)
    vocabulary, policy = declare_vocabulary(writer, later), declare_policy(writer, None, None, later)
    assert (vocabulary.complete, policy.complete) == (True, True)
    assert (vocabulary.versions, policy.versions) == (0, 0)
    assert vocabulary.counts["nodes_unchanged"] > 400
    assert policy.counts["edges_unchanged"] > 400


def test_the_graph_answers_who_receives_an_email_address(loaded):
    rows = Catalogue(loaded).ask("recipients_of_categories", keys=["user.contact.email"], as_of=AT)
    found = {
        row["node"]["key"]: (row["node"], disclosure["edge"])
        for row in rows
        for disclosure in row["disclosures"]
        if disclosure["node"]["key"] == "user.contact.email"
    }
    assert found.keys() >= {"stripe", "payment-gateways", "email-delivery", "google", "law-enforcement"}
    assert "cloudflare" not in found
    assert {edge["provenance"] for _, edge in found.values()} == {"declared"}
    assert found["stripe"][1]["clauses"] == ["4.5"]
    assert found["stripe"][0]["declared_as"] == "instance"


def test_the_graph_answers_which_clause_declares_a_thing(loaded):
    rows = Catalogue(loaded).ask("clauses_of", label="Category", keys=["user.government_id"], as_of=AT)
    assert [row["node"]["key"] for row in rows] == ["2.4"]
    assert rows[0]["node"]["says"]
    rows = Catalogue(loaded).ask("purposes_of_categories", keys=["user.device.cookie"], as_of=AT)
    assert "analytics" in {row["node"]["key"] for row in rows}


def test_what_the_policy_no_longer_says_ends_and_is_still_answerable(loaded, tmp_path):
    policy = yaml.safe_load(files("seed").joinpath("policy.yaml").read_text("utf-8"))
    processors = yaml.safe_load(files("seed").joinpath("processors.yaml").read_text("utf-8"))
    changed = copy.deepcopy(processors)
    changed["processors"] = [one for one in changed["processors"] if one["key"] != "stripe"]
    (tmp_path / "policy.yaml").write_text(yaml.safe_dump(policy), "utf-8")
    (tmp_path / "processors.yaml").write_text(yaml.safe_dump(changed), "utf-8")
    later = AT + timedelta(days=2)
    report = declare_policy(GraphWriter(loaded), tmp_path / "policy.yaml", tmp_path / "processors.yaml", later)
    assert report.counts["nodes_ended"] == 1
    assert report.counts["nodes_changed"] == 0

    def recipients(at):
        rows = Catalogue(loaded).ask("recipients_of_categories", keys=["user.contact.email"], as_of=at)
        return {row["node"]["key"] for row in rows}

    assert "stripe" not in recipients(later)
    assert "stripe" in recipients(later - timedelta(days=1))
    assert recipients(later) == recipients(later - timedelta(days=1)) - {"stripe"}
    declare_policy(GraphWriter(loaded), None, None, later + timedelta(days=1))
    assert "stripe" in recipients(later + timedelta(days=1))
    assert "stripe" not in recipients(later)
