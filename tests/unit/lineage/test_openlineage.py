"""What is read of OpenLineage events, and how a job's events come together whatever their order."""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.errors import InventoryError, QuestionError
from inventory.lineage.openlineage.events import read_event
from inventory.lineage.openlineage.history import History
from inventory.lineage.openlineage.pieces import Reader

DB = "postgres://db.example:5432"
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
RUN, OTHER = str(UUID(int=1)), str(UUID(int=2))


@pytest.fixture(scope="module")
def reader():
    return Reader(lambda text: ADDRESS.sub("‹email›", text))


def dataset(name, namespace=DB, **facets):
    return {"namespace": namespace, "name": name, "facets": facets}


def event(state="COMPLETE", at=0, run=RUN, inputs=None, outputs=None, job=None, facets=None):
    said = {
        "eventTime": f"2026-01-01T00:00:{at:02}Z",
        "producer": "https://example.org/producer",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "eventType": state,
        "run": {"runId": run, "facets": facets or {}},
        "job": {"namespace": "nightly", "name": "copy", "facets": job or {}},
    }
    said |= {} if inputs is None else {"inputs": inputs}
    return said | ({} if outputs is None else {"outputs": outputs})


def job_event(at, inputs, outputs):
    said = event(at=at, inputs=inputs, outputs=outputs)
    return {key: value for key, value in said.items() if key not in ("run", "eventType")}


def told(reader, *events):
    history = History()
    for one in events:
        history.take(reader.piece(read_event(json.dumps(one))))
        history = History.of_text(history.text())
    return history


def flows(history, known=None):
    return {(flow.source, flow.target): str(flow.transformation) for flow in history.flows("job:x/y", known or {})}


def column_lineage(*changes, output="email", field="email", **more):
    source: dict[str, Any] = {"namespace": DB, "name": "shop.public.customers", "field": field}
    if changes:
        source["transformations"] = list(changes)
    return {"fields": {output: {"inputFields": [source], **more}}}


SOURCE, TARGET = f"{DB}/shop.public.customers", f"{DB}/shop.public.mailable"
FIELD_FLOW = (f"{SOURCE}#email", f"{TARGET}#email")


# --- one event ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change, way",
    [
        ({"type": "DIRECT", "subtype": "IDENTITY"}, "copied"),
        ({"type": "DIRECT", "subtype": "TRANSFORMATION"}, "transformed"),
        ({"type": "DIRECT", "subtype": "TRANSFORMATION", "masking": True}, "masked"),
        ({"type": "DIRECT", "subtype": "TRANSFORMATION", "masking": True, "description": "sha2(email)"}, "hashed"),
        ({"type": "DIRECT", "subtype": "AGGREGATION", "masking": True}, "aggregated"),
        ({"type": "DIRECT"}, "unknown"),
    ],
)
def test_what_the_facet_says_is_done_to_a_field(reader, change, way):
    output = dataset("shop.public.mailable", columnLineage=column_lineage(change))
    said = flows(told(reader, event(inputs=[dataset("shop.public.customers")], outputs=[output])))
    assert said == {(SOURCE, TARGET): way, FIELD_FLOW: way}


def test_a_field_that_only_decides_gives_a_flow_of_datasets_alone(reader):
    output = dataset("shop.public.mailable", columnLineage=column_lineage({"type": "INDIRECT", "subtype": "FILTER"}))
    assert flows(told(reader, event(outputs=[output]))) == {(SOURCE, TARGET): "aggregated"}
    whole = {"fields": {}, "dataset": column_lineage({"type": "INDIRECT"})["fields"]["email"]["inputFields"]}
    output = dataset("shop.public.mailable", columnLineage=whole)
    assert flows(told(reader, event(outputs=[output]))) == {(SOURCE, TARGET): "aggregated"}


@pytest.mark.parametrize("kind, way", [("IDENTITY", "copied"), ("MASKED", "masked"), ("", "unknown")])
def test_the_first_version_of_the_facet(reader, kind, way):
    lineage = column_lineage(transformationType=kind, transformationDescription="left(email, 2)")
    output = dataset("shop.public.mailable", columnLineage=lineage)
    assert flows(told(reader, event(outputs=[output])))[FIELD_FLOW] == way


def test_of_a_job_only_what_is_known_is_kept_and_no_value(reader):
    secret = "jane.roe@example.ca"
    job = {
        "sql": {"query": f"INSERT INTO mailable SELECT email FROM customers WHERE email <> '{secret}' -- {secret}"},
        "documentation": {"description": f"Copies addresses, ask {secret}"},
        "ownership": {"owners": [{"name": "team:data"}, {"name": secret}, {"name": "user:jane"}]},
        "sourceCode": {"language": "python", "sourceCode": f"mail('{secret}')"},
    }
    facets = {
        "errorMessage": {"message": f"duplicate key ({secret})", "programmingLanguage": "SQL"},
        "environmentVariables": {"environmentVariables": [{"name": "ADMIN", "value": secret}]},
        "parent": {"job": {"namespace": "nightly", "name": "all"}, "run": {"runId": OTHER}},
    }
    place = dataset(f"exports/{secret}/all.csv", "s3://bucket")
    history = told(reader, event(inputs=[dataset("a")], outputs=[place], job=job, facets=facets))
    about = {name: value for name, (_, value) in history.about.items()}
    assert about["owner"] == "team:data"
    assert about["parent"] == "job:nightly/all"
    assert about["dialect"] == "postgres"
    assert "SELECT email FROM customers" in about["statement"]
    assert "s3://bucket/exports/‹email›/all.csv" in history.text()
    assert "jane" not in history.text()


@pytest.mark.parametrize(
    "text, place",
    [
        (b"", r"\$ is no JSON"),
        (b"[]", r"\$ is no object"),
        (b'{"eventTime": "yesterday, jane@example.ca"}', r"\$\.eventTime is no time"),
        (json.dumps(event() | {"run": {"runId": "jane@example.ca"}}), r"\$\.run\.runId is no UUID"),
        (json.dumps(event(state="DONE")), r"\$\.eventType is none of START"),
        (json.dumps(event(outputs=[dataset("a"), {"namespace": DB}])), r"\$\.outputs\[1\]\.name is missing"),
        (json.dumps(event(outputs=[dataset("a", columnLineage={"fields": {"x": []}})])), r"columnLineage\.fields\.x "),
        (json.dumps(event(outputs=[dataset("a", columnLineage={"fields": {"jane@example.ca": 1}})])), r"fields\[…\] "),
        (json.dumps(event(outputs=[dataset("x" * 3000)])), r"\$\.outputs\[0\]\.name has more than 2000 bytes"),
        (json.dumps(event(inputs=[dataset("a")] * 101, outputs=[dataset("b")] * 100)), "more than 10000 pairs"),
        (
            b'{"eventTime": "2026-01-01T00:00:00Z", "run": {"runId": "%s"}}' % RUN.encode(),
            "neither a job nor a dataset",
        ),
        (b'{"a":' * 100_000, r"\$ is no JSON"),
        (b'{"eventTime": "2026-01-01T00:00:00Z", "job": {"namespace": "\\ud800", "name": "x"}}', r"\$ is no JSON"),
    ],
)
def test_what_is_wrong_is_said_by_its_place_and_not_by_its_value(text, place):
    with pytest.raises(QuestionError, match=place) as refused:
        read_event(text)
    assert "jane" not in str(refused.value)


wild = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [*event(), "namespace", "name", "facets", "columnLineage", "fields", "inputFields", "dataset"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=25, deadline=None)
@given(changes=st.dictionaries(st.sampled_from([*event(inputs=[], outputs=[]), "dataset"]), wild, max_size=3))
def test_whatever_comes_is_read_or_refused(changes):
    reader = Reader(lambda text: text)
    try:
        piece = reader.piece(read_event(json.dumps(event(inputs=[dataset("a")], outputs=[dataset("b")]) | changes)))
    except InventoryError:
        return
    history = History()
    history.take(piece)
    assert History.of_text(history.text()) == history
    assert "|" not in piece.scope


# --- events of one job --------------------------------------------------------------------------------------


def test_a_run_starts_with_its_inputs_and_completes_with_its_outputs(reader):
    start = event("START", 1, inputs=[dataset("a")])
    end = event("COMPLETE", 2, outputs=[dataset("b")])
    assert flows(told(reader, start)) == {}
    assert flows(told(reader, start, end)) == {(f"{DB}/a", f"{DB}/b"): "unknown"}
    assert told(reader, end, start, end).text() == told(reader, start, end).text()


def test_a_run_that_failed_proves_nothing_and_the_one_before_stands(reader):
    good = event("COMPLETE", 1, inputs=[dataset("a")], outputs=[dataset("b")])
    bad = [
        event("START", 2, OTHER, [dataset("c")], [dataset("d")]),
        event("FAIL", 3, OTHER, [dataset("c")], [dataset("d")]),
    ]
    assert flows(told(reader, *bad)) == {}
    assert set(flows(told(reader, good, *bad))) == {(f"{DB}/a", f"{DB}/b")}


def test_the_last_complete_run_says_what_flows_even_when_it_is_heard_of_first(reader):
    old = event("COMPLETE", 1, RUN, [dataset("a"), dataset("b")], [dataset("c")])
    new = event("COMPLETE", 2, OTHER, [dataset("a")], [dataset("c")])
    for order in ((old, new), (new, old), (new, old, old, new)):
        assert set(flows(told(reader, *order))) == {(f"{DB}/a", f"{DB}/c")}


def test_a_job_that_never_completes_flows_while_it_runs(reader):
    streaming = {"jobType": {"processingType": "STREAMING", "integration": "FLINK"}}
    start = event("START", 1, job=streaming)
    running = event("RUNNING", 2, inputs=[dataset("topic")], outputs=[dataset("b")])
    failed = event("FAIL", 3)
    assert set(flows(told(reader, start, running))) == {(f"{DB}/topic", f"{DB}/b")}
    assert set(flows(told(reader, running, start, failed))) == {(f"{DB}/topic", f"{DB}/b")}
    assert flows(told(reader, event("RUNNING", 2, inputs=[dataset("a")], outputs=[dataset("b")]))) == {}


def test_a_run_that_names_no_datasets_leaves_the_flows_and_one_without_an_input_ends_its_flow(reader):
    first = event("COMPLETE", 1, RUN, [dataset("a")], [dataset("b")])
    silent = event("COMPLETE", 2, OTHER, [], [])
    assert len(flows(told(reader, first, silent))) == 1
    assert flows(told(reader, first, event("COMPLETE", 2, OTHER, [], [dataset("b")]))) == {}


def test_a_job_event_says_all_at_once(reader):
    events = [job_event(1, [dataset("a")], [dataset("b")]), job_event(2, [dataset("c")], [dataset("b")])]
    assert set(flows(told(reader, *events))) == {(f"{DB}/c", f"{DB}/b")}
    assert set(flows(told(reader, *reversed(events)))) == {(f"{DB}/c", f"{DB}/b")}


def test_of_several_outputs_one_with_column_lineage_is_made_of_what_that_names(reader):
    described = dataset("shop.public.mailable", columnLineage=column_lineage())
    inputs = [dataset("shop.public.customers"), dataset("shop.public.orders")]
    said = flows(told(reader, event(inputs=inputs, outputs=[described, dataset("log")])))
    orders = f"{DB}/shop.public.orders"
    assert {pair for pair in said if "#" not in pair[0]} == {
        (SOURCE, TARGET), (SOURCE, f"{DB}/log"), (orders, f"{DB}/log"),
    }  # fmt: skip


def test_a_dataset_is_called_by_the_name_that_the_inventory_knows(reader):
    links = {"identifiers": [{"namespace": "hive://meta:9083", "name": "sales.orders", "type": "TABLE"}]}
    said = told(
        reader, event(inputs=[dataset("warehouse/orders", "s3://lake", symlinks=links)], outputs=[dataset("b")])
    )
    assert said.also == {"s3://lake/warehouse/orders": ("hive://meta:9083/sales.orders",)}
    known = {"s3://lake/warehouse/orders": "hive://meta:9083/sales.orders"}
    assert set(flows(said, known)) == {("hive://meta:9083/sales.orders", f"{DB}/b")}


STATES = st.sampled_from(["START", "RUNNING", "COMPLETE", "FAIL"])
PIECES = st.builds(
    lambda state, at, run, source, target: event(state, at, str(UUID(int=run)), [dataset(source)], [dataset(target)]),
    STATES,
    st.integers(0, 59),
    st.integers(1, 4),
    st.sampled_from("abc"),
    st.sampled_from("xyz"),
)


@settings(max_examples=25, deadline=None)
@given(events=st.lists(PIECES, max_size=8, unique_by=lambda e: e["eventTime"]), data=st.data())
def test_any_order_and_any_repetition_come_to_the_same_flows(events, data):
    reader = Reader(lambda text: text)
    shuffled = data.draw(st.permutations(events))
    assert flows(told(reader, *events)) == flows(told(reader, *shuffled, *events))


def test_what_is_remembered_of_runs_that_never_end_is_bounded(reader):
    many = [event("START", at % 60, str(UUID(int=at + 10)), [dataset("a")]) for at in range(100)]
    assert len(told(reader, *many).runs) == 16
