"""OpenLineage events by the project's own client, against a served inventory and what is then in the graph."""

from __future__ import annotations

import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

TOKEN = "a-token-for-pipelines-0123456789"
DB = "postgres://db.example:5432"
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def client(served):
    """The real client, signed in by its API key."""
    from openlineage.client import OpenLineageClient
    from openlineage.client.transport.http import ApiKeyTokenProvider, HttpConfig, HttpTransport

    config = HttpConfig(url=served, auth=ApiKeyTokenProvider({"apiKey": TOKEN}), timeout=30)
    return OpenLineageClient(transport=HttpTransport(config))


def run_event(state, seconds, name="copy", run=1, inputs=(), outputs=(), facets=None):
    from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState

    return RunEvent(
        eventType=RunState[state],
        eventTime=(BEGAN + timedelta(seconds=seconds)).isoformat(),
        run=Run(str(UUID(int=run))),
        job=Job("nightly", name, facets or {}),
        inputs=[InputDataset(DB, each) for each in inputs],
        outputs=[OutputDataset(DB, each, facets=output_facets) for each, output_facets in outputs],
        producer="https://example.org/producer",
    )


def column_lineage(source, **columns):
    from openlineage.client.facet_v2 import column_lineage_dataset as facet

    def fields(column, subtype, masking):
        change = facet.Transformation("DIRECT", subtype, "", masking)
        return facet.Fields([facet.InputField(DB, source, column, [change])])

    return {"columnLineage": facet.ColumnLineageDatasetFacet({name: fields(*said) for name, said in columns.items()})}


def flows(graph, *, at_all=False):
    rows = graph.read(
        "MATCH (a)-[r:FLOWS_TO]->(b) WHERE $all OR r.valid_to IS NULL "
        "RETURN a.urn AS a, b.urn AS b, r.transformation AS way, r.provenance AS by, r.job AS job",
        all=at_all,
    )
    return {(row["a"], row["b"], row["way"]) for row in rows}


def test_the_client_s_events_become_flows_and_a_run_without_an_input_ends_one(client, embedded_graph):
    from openlineage.client.facet_v2 import sql_job

    statement = sql_job.SQLJobFacet("INSERT INTO b SELECT email FROM a WHERE email = 'jane@example.ca'")
    lineage = column_lineage(
        "shop.public.a", email=("email", "IDENTITY", False), hash=("email", "TRANSFORMATION", True)
    )
    outputs = [("shop.public.b", lineage)]
    client.emit(run_event("START", 0, inputs=["shop.public.a", "shop.public.c"], facets={"sql": statement}))
    assert flows(embedded_graph) == set()
    client.emit(run_event("COMPLETE", 1, outputs=outputs))
    a, b, c = (f"{DB}/shop.public.{name}" for name in "abc")
    expected = {
        (a, b, "copied"),
        (c, b, "unknown"),
        (f"{a}#email", f"{b}#email", "copied"),
        (f"{a}#email", f"{b}#hash", "masked"),
    }
    assert flows(embedded_graph) == expected
    job = embedded_graph.read("MATCH (:Dataset {urn: $b})-[:DEFINED_BY]->(j:Job) RETURN properties(j) AS job", b=b)
    (job,) = (row["job"] for row in job)
    assert job["urn"] == "job:nightly/copy"
    assert job["name"] == "copy"
    assert "SELECT email FROM a" in job["statement"]
    assert "jane" not in json.dumps(embedded_graph.read("MATCH (n) RETURN properties(n) AS p"), default=str)
    client.emit(run_event("COMPLETE", 1, outputs=outputs))
    client.emit(run_event("COMPLETE", 9, run=2, inputs=["shop.public.a"], outputs=outputs))
    assert flows(embedded_graph) == expected - {(c, b, "unknown")}
    assert flows(embedded_graph, at_all=True) == expected, "what ended is remembered, and nothing is there twice"
    client.emit(run_event("FAIL", 10, run=3, inputs=["shop.public.z"], outputs=outputs))
    assert flows(embedded_graph) == expected - {(c, b, "unknown")}


def test_job_and_dataset_events(client, embedded_graph):
    from openlineage.client.event_v2 import DatasetEvent, InputDataset, Job, JobEvent, OutputDataset, StaticDataset

    producer = "https://example.org/producer"
    client.emit(
        JobEvent(
            eventTime=BEGAN.isoformat(),
            job=Job("dags", "export"),
            inputs=[InputDataset(DB, "shop.public.a")],
            outputs=[OutputDataset("s3://exports", "a.csv")],
            producer=producer,
        )
    )
    facets: Any = column_lineage("shop.public.a", x=("y", "IDENTITY", False))
    told = StaticDataset(DB, "shop.public.view", facets=facets)
    client.emit(DatasetEvent(eventTime=BEGAN.isoformat(), dataset=told, producer=producer))
    a, view = f"{DB}/shop.public.a", f"{DB}/shop.public.view"
    assert flows(embedded_graph) == {
        (a, "s3://exports/a.csv", "unknown"),
        (a, view, "copied"),
        (f"{a}#y", f"{view}#x", "copied"),
    }


def test_many_at_once_are_all_in_the_graph_when_they_are_acknowledged(client, embedded_graph):
    events = [
        run_event(state, seconds, f"job-{number}", number, [f"in.{number}"], [(f"out.{number}", {})])
        for number in range(60)
        for seconds, state in enumerate(("START", "COMPLETE", "COMPLETE"))
    ]
    with ThreadPoolExecutor(12) as executor:
        list(executor.map(client.emit, events))
    assert len(flows(embedded_graph)) == 60
    assert embedded_graph.read("MATCH (j:Job) RETURN count(*) AS jobs")[0]["jobs"] == 60


def test_what_is_refused(served, embedded_graph):
    from openlineage.client.serde import Serde

    good = json.loads(Serde.to_json(run_event("COMPLETE", 1, inputs=["a"], outputs=[("b", {})])))
    signed_in = {"Authorization": f"Bearer {TOKEN}"}
    with httpx.Client(base_url=served, headers=signed_in, timeout=30) as program:

        def sent(content, **headers):
            headers = {"Content-Type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()}
            return program.post("/api/v1/lineage", content=content, headers=headers)

        text = json.dumps(good)
        assert httpx.post(f"{served}/api/v1/lineage", json=good).status_code == 401
        assert sent(text, Content_Type="text/plain").status_code == 415
        assert sent(text, Content_Encoding="br").status_code == 415
        assert sent(text, Content_Encoding="gzip").status_code == 400
        assert sent(gzip.compress(text.encode())[:-4], Content_Encoding="gzip").status_code == 400
        assert sent(b" " * 300_000).status_code == 413
        assert sent(gzip.compress(b" " * 300_000), Content_Encoding="gzip").status_code == 413
        wrong = sent(json.dumps(good | {"outputs": [{"namespace": DB}]}))
        assert wrong.status_code == 400
        assert "$.outputs[0].name is missing" in wrong.json()["errors"][0]["message"]
        assert flows(embedded_graph) == set()
        assert sent(gzip.compress(text.encode()), Content_Encoding="gzip").status_code == 201
        assert program.get("/api/v1/lineage").status_code == 405
        assert len(flows(embedded_graph)) == 1


def test_a_batch_takes_what_is_in_order_and_names_the_rest(served, embedded_graph):
    from openlineage.client.serde import Serde

    good = [json.loads(Serde.to_json(run_event("COMPLETE", 1, n, 1, ["a"], [("b", {})]))) for n in ("one", "two")]
    with httpx.Client(base_url=served, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30) as program:
        answer = program.post("/api/v1/lineage/batch", json=[good[0], {"eventTime": 1}, good[1]])
        assert answer.status_code == 200
        said = answer.json()
        assert said["summary"] == {"received": 3, "successful": 2, "failed": 1}
        assert said["failed_events"][0]["index"] == 1
        assert program.post("/api/v1/lineage/batch", json=good).json()["status"] == "success"
        assert program.post("/api/v1/lineage/batch", json=good[0]).status_code == 400
        assert program.post("/api/v1/lineage/batch", json=[1] * 5001).status_code == 413
    assert len(embedded_graph.read("MATCH (:Dataset)-[r:FLOWS_TO]->() RETURN r.id AS id")) == 2


def test_names_join_with_what_scans_have_seen(client, embedded_graph):
    from openlineage.client.event_v2 import InputDataset
    from openlineage.client.facet_v2 import symlinks_dataset

    from inventory import model as m
    from inventory.graph.writer import GraphWriter, ScanRun

    hive = "hive://meta.example:9083"
    table = f"{hive}/sales.orders"
    seen = [
        m.SystemSeen(hive, m.SystemKind.DATABASE, "Warehouse", "hive"),
        m.DatasetSeen(table, hive, m.DatasetKind.TABLE, "sales.orders"),
        m.Covered(hive, m.Aspect.LISTING),
    ]
    GraphWriter(embedded_graph).load(ScanRun("run", "warehouse", BEGAN), seen)
    event = run_event("COMPLETE", 1, outputs=[("shop.public.b", {})])
    links = symlinks_dataset.SymlinksDatasetFacet([symlinks_dataset.Identifier(hive, "sales.orders", "TABLE")])
    event.inputs = [InputDataset("s3://lake", "warehouse/orders", facets={"symlinks": links})]
    client.emit(event)
    assert flows(embedded_graph) == {(table, f"{DB}/shop.public.b", "unknown")}


def test_two_writers_of_one_job_come_to_the_same_end(graph):
    from openlineage.client.serde import Serde

    from inventory.graph.batch import Counts
    from inventory.lineage.openlineage.events import read_event
    from inventory.lineage.openlineage.loading import Loader

    events = [
        read_event(Serde.to_json(event))
        for number in range(8)
        for event in (
            run_event("COMPLETE", 5, "shared", 1, [f"in.{number}"], [("out", {})]),
            run_event("COMPLETE", 5, f"own-{number}", 1, ["in"], [(f"out.{number}", {})]),
        )
    ]
    loader = Loader(graph, lambda text: text)
    with ThreadPoolExecutor(4) as executor:
        list(executor.map(lambda event: loader.load([event]), events))
    assert len(flows(graph)) == 16
    before = flows(graph, at_all=True)
    again = loader.load(events)
    assert again.news == 0
    assert again.changes == Counts(), "nothing of what it says was even looked at"
    assert flows(graph, at_all=True) == before


def test_what_is_exported_is_openlineage_and_gives_the_same_flows(graph, tmp_path):
    from openlineage.client.event_v2 import InputDataset, Job, JobEvent, OutputDataset
    from openlineage.client.facet_v2 import column_lineage_dataset as facet
    from openlineage.client.serde import Serde

    from inventory.graph.catalogue import Catalogue
    from inventory.graph.schema import EdgeFact, NodeFact, NodeRef
    from inventory.graph.writer import GraphWriter
    from inventory.lineage.openlineage.exporting import export_events
    from inventory.lineage.openlineage.files import import_events
    from inventory.lineage.openlineage.loading import Loader

    a, b, c, d = (f"{DB}/shop.public.{name}" for name in "abcd")

    def edge(source, target, way, job="job:config/night"):
        label = "Field" if "#" in source else "Dataset"
        identity = {"job": job, "provenance": "config"}
        return EdgeFact("FLOWS_TO", NodeRef(label, source), NodeRef(label, target), identity, {"transformation": way})

    edges = [
        edge(a, b, "copied"),
        edge(f"{a}#email", f"{b}#email", "copied"),
        edge(f"{a}#payload/customer/email", f"{b}#hash", "hashed"),
        edge(f"{a}#name", f"{b}#initials", "masked"),
        edge(f"{a}#odd name%23", f"{b}#n", "unknown"),
        edge(c, b, "aggregated"),
        edge(c, d, "transformed"),
        edge(c, "s3://exports/c-{date}.csv", "unknown", "job:postgres://db.example:5432/shop.public.c"),
        edge(a, d, "copied", ""),
    ]
    GraphWriter(graph).declare("test", [NodeFact("Job", "job:config/night", {"kind": "sync"})], edges, BEGAN)
    before = flows(graph)
    events = list(export_events(Catalogue(graph)))
    assert [(event["job"]["namespace"], event["job"]["name"]) for event in events] == [
        ("config", "night"),
        ("inventory", f"config/{d}"),
        (DB, "shop.public.c"),
    ]
    for event in events:  # the client's classes refuse what the specification does not have
        outputs = []
        for output in event["outputs"]:
            lineage = output["facets"].get("columnLineage", {"fields": {}, "dataset": []})

            def field(said):
                return facet.InputField(
                    said["namespace"],
                    said["name"],
                    said["field"],
                    [facet.Transformation(**change) for change in said["transformations"]],
                )

            fields = {k: facet.Fields([*map(field, v["inputFields"])]) for k, v in lineage["fields"].items()}
            made = facet.ColumnLineageDatasetFacet(fields, [*map(field, lineage["dataset"])])
            outputs.append(OutputDataset(output["namespace"], output["name"], facets={"columnLineage": made}))
            assert lineage.get("_schemaURL", made._schemaURL) == made._schemaURL
        job = Job(event["job"]["namespace"], event["job"]["name"])
        inputs = [InputDataset(each["namespace"], each["name"]) for each in event["inputs"]]
        said = JobEvent(
            eventTime=event["eventTime"], producer=event["producer"], job=job, inputs=inputs, outputs=outputs
        )
        assert said.schemaURL == event["schemaURL"]
        assert len(json.loads(Serde.to_json(said))["outputs"]) == len(event["outputs"])
    file = tmp_path / "events.ndjson"
    file.write_text("".join(json.dumps(event) + "\n" for event in events))
    while graph.write("MATCH (n) WITH n LIMIT 5000 DETACH DELETE n RETURN count(*) AS gone")[0]["gone"]:
        pass
    imported = import_events(file, Loader(graph).load)
    assert (imported.events, imported.findings) == (3, ())
    assert flows(graph) == before


def test_a_line_that_is_no_event_is_named_and_the_others_are_loaded(embedded_graph, tmp_path):
    from openlineage.client import OpenLineageClient
    from openlineage.client.transport.file import FileConfig, FileTransport

    from inventory.lineage.openlineage.files import import_events
    from inventory.lineage.openlineage.loading import Loader

    file = tmp_path / "events.ndjson"
    client = OpenLineageClient(transport=FileTransport(FileConfig(log_file_path=str(file), append=True)))
    client.emit(run_event("START", 0, inputs=["a"]))
    with file.open("a") as lines:
        lines.write('{"eventTime": "jane@example.ca"}\n\nno JSON\n')
    client.emit(run_event("COMPLETE", 1, outputs=[("b", {})]))
    loader = Loader(embedded_graph)
    imported = import_events(file, loader.load)
    assert imported.events == 2
    assert [finding.message.partition(" (")[0] for finding in imported.findings] == [
        "events.ndjson, line 2: $.eventTime is no time in ISO 8601",
        "events.ndjson, line 4: $ is no JSON",
    ]
    assert flows(embedded_graph) == {(f"{DB}/a", f"{DB}/b", "unknown")}
    assert import_events(file, loader.load).news == 0


def test_airflow_s_provider_tells_of_a_task(fleet, running, served, embedded_graph, tmp_path):
    running(fleet.emitted, served, TOKEN, tmp_path)
    customers, orders, target = (f"{DB}/shop.{name}" for name in ("raw.customers", "raw.orders", "mart.mailable"))
    said = flows(embedded_graph)
    assert {(a, b) for a, b, _ in said if "#" not in a} == {(customers, target), (orders, target)}
    assert (f"{customers}#email", f"{target}#email", "unknown") in said
    (job,) = (row["j"] for row in embedded_graph.read("MATCH (j:Job) RETURN properties(j) AS j"))
    assert (job["urn"], job["kind"], job["owner"]) == ("job:airflow/nightly.mailable", "airflow", "team-data")
    assert "nobody@example.ca" not in job["statement"]
