"""The graph's flows as OpenLineage events: one JobEvent of the 2-0-2 specification for each job.

Flows that no job is known for (an overlap) are told as of a job `inventory` / `<provenance>/<dataset>`.
Imported again, the events give the same flows; confidences and provenances do not travel.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import inventory
from inventory.graph.catalogue import PAGE, Catalogue
from inventory.lineage.openlineage.changes import changes_of, most_telling
from inventory.lineage.openlineage.pieces import WHOLE, Ways, keep_most
from inventory.model import Transformation, column_of, dataset_of

PRODUCER = f"https://pypi.org/project/privacy-inventory/{inventory.__version__}"
_SPEC = "https://openlineage.io/spec"
_NAMESPACE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/]*|[^/]*")


@dataclass(slots=True)
class Moved:
    """What a job moves: between datasets, and between fields."""

    datasets: Ways = field(default_factory=Ways)
    fields: Ways = field(default_factory=Ways)

    def add(self, source: str, target: str, way: Transformation) -> None:
        """A flow between two of either."""
        if "#" in source and "#" in target:
            keep_most(self.fields, (source, target), way)
        else:
            keep_most(self.datasets, (dataset_of(source), dataset_of(target)), way)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Every two datasets that data goes between, and what goes round within one."""
        within = ((dataset_of(source), dataset_of(target)) for source, target in self.fields)
        return sorted({*self.datasets, *within})


def export_events(catalogue: Catalogue) -> Iterator[dict[str, Any]]:
    """The events, as JSON has them. Raises GraphError."""
    moved: dict[str, Moved] = {}
    for row in catalogue.pages("all_steps"):
        way = Transformation(row["transformation"] or Transformation.UNKNOWN)
        job = row["job"] or f"job:inventory/{row['provenance']}/{dataset_of(row['target'])}"
        moved.setdefault(job, Moved()).add(row["source"], row["target"], way)
    jobs = _nodes(catalogue, "Job", moved)
    urns = {urn for job in moved.values() for pair in job.pairs for urn in pair}
    systems = {urn: node.get("system", "") for urn, node in _nodes(catalogue, "Dataset", urns).items()}
    at = datetime.now(UTC).isoformat()
    for job in sorted(moved):
        yield _event(job, jobs.get(job, {}), moved[job], systems, at)


def _nodes(catalogue: Catalogue, label: str, keys: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    ordered = sorted(keys)
    found: dict[str, Mapping[str, Any]] = {}
    for start in range(0, len(ordered), PAGE):
        rows = catalogue.ask("nodes", label=label, keys=ordered[start : start + PAGE])
        found |= {row["key"]: row["node"] for row in rows}
    return found


def _event(urn: str, job: Mapping[str, Any], moved: Moved, systems: Mapping[str, str], at: str) -> dict[str, Any]:
    pairs = moved.pairs
    inputs, outputs = sorted({source for source, _ in pairs}), sorted({target for _, target in pairs})
    return {
        "eventTime": at,
        "producer": PRODUCER,
        "schemaURL": f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/JobEvent",
        "job": {**_job_name(urn, job), "facets": _job_facets(job)},
        "inputs": [_name(source, systems) for source in inputs],
        "outputs": [
            {**_name(output, systems), "facets": _column_lineage(output, moved, systems, alone=len(outputs) == 1)}
            for output in outputs
        ],
    }


def _column_lineage(output: str, moved: Moved, systems: Mapping[str, str], *, alone: bool) -> dict[str, Any]:
    """What the facet can say of what goes into a dataset; of whole datasets only what the rest does not say."""
    fields: dict[str, list[dict[str, Any]]] = {}
    told: dict[str, Transformation] = {}
    for (source, target), way in sorted(moved.fields.items()):
        if dataset_of(target) == output:
            origin = dataset_of(source)
            told[origin] = most_telling((way, told.get(origin, way)))
            fields.setdefault(_column(target), []).append(_input(origin, _column(source), way, systems))
    whole = [
        _input(source, WHOLE, way, systems)
        for (source, target), way in sorted(moved.datasets.items())
        if target == output and (told.get(source, Transformation.UNKNOWN) is not way or not (alone or source in told))
    ]
    if not fields and not whole:
        return {}
    said = {"fields": {name: {"inputFields": sources} for name, sources in fields.items()}, "dataset": whole}
    return {"columnLineage": {**_facet("1-2-0", "ColumnLineageDatasetFacet"), **said}}


def _input(dataset: str, column: str, way: Transformation, systems: Mapping[str, str]) -> dict[str, Any]:
    return {**_name(dataset, systems), "field": column, "transformations": list(changes_of(way))}


def _column(urn: str) -> str:
    return "".join(column_of(urn))


def _name(urn: str, systems: Mapping[str, str]) -> dict[str, str]:
    """The namespace and the name in a dataset's URN; by the looks of it where no scan has told its system."""
    system = systems.get(urn) or ""
    if not urn.startswith(f"{system}/") or not system:
        looks = _NAMESPACE.match(urn)
        system = looks[0] if looks else ""
    return {"namespace": system, "name": unquote(urn[len(system) + 1 :]) or urn}


def _job_name(urn: str, job: Mapping[str, Any]) -> dict[str, str]:
    namespace = job.get("namespace", "")
    name = urn.removeprefix("job:")
    if namespace and name.startswith(f"{namespace}/"):
        return {"namespace": namespace, "name": unquote(name[len(namespace) + 1 :])}
    return _name(name, {})


def _job_facets(job: Mapping[str, Any]) -> dict[str, Any]:
    facets: dict[str, Any] = {}
    if job.get("kind"):
        said = {"processingType": "BATCH", "integration": job["kind"].upper(), "jobType": "JOB"}
        facets["jobType"] = {**_facet("2-0-3", "JobTypeJobFacet"), **said}
    if job.get("description"):
        facets["documentation"] = {**_facet("1-0-1", "DocumentationJobFacet"), "description": job["description"]}
    if job.get("statement"):
        said = {"query": job["statement"]} | ({"dialect": job["dialect"]} if job.get("dialect") else {})
        facets["sql"] = {**_facet("1-1-0", "SQLJobFacet"), **said}
    return facets


def _facet(version: str, name: str) -> dict[str, str]:
    return {"_producer": PRODUCER, "_schemaURL": f"{_SPEC}/facets/{version}/{name}.json#/$defs/{name}"}
