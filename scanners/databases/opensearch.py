"""OpenSearch and Elasticsearch 7 and later, over HTTP.

A dataset is an index, or the indices that differ by date or number alone (`logs-2026.01.31` and its kin are
`logs-{date}`; a data stream's backing indices likewise). The mapping says which fields there are, whether documents
have them or not. A sample is drawn by `random_score` over `_seq_no` with a fixed seed, so that it is the same for the
same documents, from no more than `MOST_SCORED` of each shard. Indices whose sequence numbers have not moved are not
read again.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any, ClassVar, Literal, cast
from urllib.parse import quote, urlsplit

from pydantic import Field, field_validator, model_validator

from inventory.errors import UnreadableError
from inventory.model import DatasetKind
from scanners.access import without_credentials
from scanners.base import Secret, SourceSettings, stable_seed
from scanners.buckets.grouping import template_of
from scanners.databases.catalog import Fault
from scanners.databases.opensearch_access import index_grants, readers, readers_of_all
from scanners.detection.interface import Detection
from scanners.integrations.engine import Engine, Limits, Request
from scanners.record_store import (
    MOST_DEPTH,
    Opening,
    RecordSet,
    RecordStoreScanner,
    encryption_in_transit,
    http_address,
)
from scanners.records import json_object
from scanners.sightings import KnownField

MOST_SCORED = 100_000  # documents of a shard that the sample is drawn from
MOST_WINDOW = 10_000  # index.max_result_window
MOST_FIELDS = 2000  # of a mapping
_PAGE = 250


class OpenSearchSettings(SourceSettings):
    """The indices of one cluster."""

    type: Literal["opensearch", "elasticsearch"]
    url: str = Field(description="The address of any node: https://search.example.com:9200.")
    user: str = Field(
        default="",
        description="May monitor, view_index_metadata and read; the security API, to see who may read.",
    )
    password: Secret | None = None
    api_key: Secret | None = Field(default=None, description="Elasticsearch's encoded API key, instead of a user.")
    allow_http: bool = Field(default=False, description="Allow an address without TLS.")
    indices: tuple[str, ...] = Field(default=(), description="Only indices that begin so; all when empty.")
    exclude_indices: tuple[str, ...] = Field(default=(), description="Not those that begin so.")
    timeout: float = Field(default=30.0, gt=0, le=600, description="Seconds to wait for an answer.")

    @field_validator("url")
    @classmethod
    def _is_address(cls, value: str) -> str:
        return http_address(value, "https://search.example.com:9200")

    @model_validator(mode="after")
    def _fits_together(self) -> OpenSearchSettings:
        if self.url.startswith("http:") and not self.allow_http:
            raise ValueError("the url is without TLS: use https, or set allow_http: true")
        if bool(self.user) != bool(self.password):
            raise ValueError("user and password go together")
        return self


class OpenSearchScanner(RecordStoreScanner[OpenSearchSettings, Engine]):
    """Scans the indices of one cluster."""

    settings_type: ClassVar[type[SourceSettings]] = OpenSearchSettings
    engine_name = "opensearch"
    queries_of_sample = 4

    @property
    def system(self) -> str:
        """`opensearch://host:port` or `elasticsearch://host:port`."""
        parts = urlsplit(self.settings.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host = parts.hostname or ""
        return self.settings.namespace or f"{self.settings.type}://{f'[{host}]' if ':' in host else host}:{port}"

    def listed(self) -> tuple[str, ...]:
        """Everything, unless only some indices were asked for: then nothing is known to have ended."""
        return () if self.settings.indices or self.settings.exclude_indices else ("",)

    @contextmanager
    def connected(self) -> Generator[Engine]:
        """An HTTP client; nothing is sent yet."""
        settings = self.settings
        limits = Limits(
            attempts=3, one_wait=10, all_waits=30, silence=settings.timeout + 5, answer=settings.timeout * 2 + 5
        )
        engine = Engine(settings.name, settings.url, headers=self._headers(), limits=limits)
        try:
            yield engine
        finally:
            engine.close()

    def _headers(self) -> dict[str, str]:
        settings = self.settings
        if settings.api_key is not None:
            return {"Authorization": f"ApiKey {settings.api_key.reveal().get_secret_value()}"}
        if settings.password is not None:
            pair = f"{settings.user}:{settings.password.reveal().get_secret_value()}"
            return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
        return {}

    def opening(self, client: Engine) -> Opening:
        """The version; TLS by the scheme; whether it answers without credentials, when we have none."""
        version = json_object(json_object(client.get(Request("cluster", "/"))).get("version"))
        safeguards = [encryption_in_transit(self.system, self.settings.url.startswith("https:"))]
        if self._headers():
            grants = index_grants(client, self.settings.type)
            whole = None if grants is None else readers_of_all(grants)
            return Opening(str(version.get("number", "")), tuple(safeguards), whole)
        unguarded, everyone = without_credentials(self.system, "read")
        return Opening(str(version.get("number", "")), (*safeguards, unguarded), (everyone,))

    # --- listing -------------------------------------------------------------------------------------------

    def listing(self, client: Engine, detection: Detection) -> Iterator[RecordSet | UnreadableError]:
        """The groups of like-named indices; the cluster's own begin with a dot."""
        groups: dict[str, list[Mapping[str, Any]]] = {}
        for index in self._indices(client):
            name = str(index.get("index", ""))
            if index.get("status") == "close":
                title = f"{self.settings.name}: {name}"
                yield UnreadableError(title, "is closed", "open it, or exclude it", "closed")
                continue
            groups.setdefault(detection.redact(template_of(name.removeprefix(".ds-"))), []).append(index)
        states = self._states(client)
        grants = index_grants(client, self.settings.type) if self._headers() else None
        for name, indices in groups.items():
            try:
                subject = self._record_set(client, name, indices, states)
                named = [str(index["index"]) for index in indices]
                yield replace(subject, readers=None if grants is None else readers(grants, named))
            except UnreadableError as error:
                yield error

    def _indices(self, client: Engine) -> Iterator[Mapping[str, Any]]:
        settings = self.settings
        parameters = {"format": "json", "h": "index,uuid,docs.count,status", "expand_wildcards": "all", "s": "index"}
        answer = client.get(Request("list of indices", "/_cat/indices", parameters=parameters))
        for index in cast("list[Mapping[str, Any]]", answer):
            name = str(index.get("index", "")).removeprefix(".ds-")
            wanted = not settings.indices or name.startswith(settings.indices)
            if wanted and not name.startswith((".", *settings.exclude_indices)):
                yield index

    def _states(self, client: Engine) -> Mapping[str, Any]:
        """By index, its shards with their sequence numbers; nothing when we may not ask."""
        parameters = {"level": "shards", "expand_wildcards": "all"}
        with suppress(UnreadableError):
            answer = client.get(Request("statistics", "/_stats/docs", parameters=parameters))
            return json_object(json_object(answer).get("indices"))
        return {}

    def _record_set(
        self, client: Engine, name: str, indices: Sequence[Mapping[str, Any]], states: Mapping[str, Any]
    ) -> RecordSet:
        names = _spread([str(index["index"]) for index in indices], self.settings.sampling.objects)
        path = "/" + ",".join(quote(each, safe="") for each in names)
        mappings = json_object(client.get(Request(f"mapping of {name}", path + "/_mapping")))
        known: dict[tuple[str, str], KnownField] = {}
        description = ""
        for each in mappings.values():
            mapping = json_object(json_object(each).get("mappings"))
            description = str(json_object(mapping.get("_meta")).get("description") or description)
            known |= {(field.column, field.pointer): field for field in _mapped(mapping)}
        return RecordSet(
            name,
            DatasetKind.COLLECTION,
            description,
            row_estimate=self._count(client, name, path, indices),
            known=(KnownField("_id", "", primary_key=True), *known.values()),
            state=_state(indices, states),
            handle=path,
        )

    def _count(self, client: Engine, name: str, path: str, indices: Sequence[Mapping[str, Any]]) -> int | None:
        """Documents; of many indices by the list of them, where nested objects count as well."""
        if len(indices) <= self.settings.sampling.objects:
            with suppress(UnreadableError):
                count = json_object(client.get(Request(f"count of {name}", path + "/_count"))).get("count")
                return count if isinstance(count, int) else None
        counts = [str(index.get("docs.count") or "") for index in indices]
        return sum(map(int, counts)) if all(count.isdigit() for count in counts) else None

    # --- content -------------------------------------------------------------------------------------------

    def pulse(self, client: Engine) -> None:
        """The name and version of the node."""
        client.get(Request("cluster", "/"))

    def sample(self, client: Engine, subject: RecordSet) -> Iterator[Mapping[str, Any]]:
        """Documents in the order of their random scores, page by page; smaller pages where documents are large."""
        rows = min(self.settings.sampling.rows, MOST_WINDOW)
        taken, page = 0, _PAGE
        while taken < rows:
            try:
                hits = self._page(client, subject, taken, min(page, rows - taken))
            except UnreadableError as error:
                if error.code != "too-large" or page == 1:
                    raise
                page = max(page // 8, 1)
                continue
            for hit in hits:
                yield {"_id": hit.get("_id"), **_expanded(json_object(hit.get("_source")))}
            taken += len(hits)
            if not hits:
                return

    def _page(self, client: Engine, subject: RecordSet, start: int, size: int) -> list[Mapping[str, Any]]:
        seed = stable_seed(str(self.settings.sampling.seed), subject.name)
        scores = {"random_score": {"seed": seed, "field": "_seq_no"}, "boost_mode": "replace"}
        query: dict[str, Any] = {
            "from": start,
            "size": size,
            "query": {"function_score": {"query": {"match_all": {}}, **scores}},
            "timeout": f"{round(self.settings.timeout * 1000)}ms",
            "terminate_after": MOST_SCORED,
            "track_total_hits": False,
        }
        parameters = {"source": json.dumps(query), "source_content_type": "application/json"}
        answer = json_object(client.get(Request(subject.name, f"{subject.handle}/_search", parameters=parameters)))
        if answer.get("timed_out"):
            title = f"{self.settings.name}: {subject.name}"
            raise UnreadableError(
                title, "reading it took too long", "raise timeout, or exclude it", "statement-timeout"
            )
        return cast("list[Mapping[str, Any]]", json_object(answer.get("hits")).get("hits") or [])

    def fault(self, error: Exception) -> Fault | None:
        """The HTTP client already speaks in our own words."""
        return None


SCANNER = OpenSearchScanner


def _spread(names: list[str], most: int) -> list[str]:
    """The first, the last, and some between."""
    if len(names) <= most:
        return names
    return [names[number * (len(names) - 1) // max(most - 1, 1)] for number in range(most)]


def _state(indices: Sequence[Mapping[str, Any]], states: Mapping[str, Any]) -> tuple[object, ...]:
    """Each index's identity and the highest sequence number of each of its shards; () if one is not told."""
    found: list[object] = []
    for index in indices:
        shards = json_object(json_object(states.get(str(index["index"]))).get("shards"))
        numbers = [
            (shard, max((json_object(copy.get("seq_no")).get("max_seq_no", -1) for copy in copies), default=-1))
            for shard, copies in sorted(shards.items())
        ]
        if not numbers:
            return ()
        found.append((index.get("uuid"), *numbers))
    return tuple(found)


def _mapped(mapping: Mapping[str, Any]) -> Iterator[KnownField]:
    """The fields of a mapping, nested ones by JSON pointer. A flattened or dynamic object is one field."""
    waiting: list[tuple[tuple[str, ...], Mapping[str, Any]]] = [((), mapping)]
    said = 0
    while waiting:
        path, node = waiting.pop(0)
        for name, about in json_object(node.get("properties")).items():
            about = json_object(about)
            said += 1
            if said > MOST_FIELDS:
                return
            place = (*path, name)
            kind = str(about.get("type") or "object")
            if kind == "alias":
                continue
            pointer = "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in place[1:])
            yield KnownField(
                place[0], pointer, type=kind, description=str(json_object(about.get("meta")).get("description") or "")
            )
            if len(place) < MOST_DEPTH:
                waiting.append((place, about))


def _expanded(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The document with `{"a.b": 1}` as `{"a": {"b": 1}}`, which the index takes for the same."""
    if not any("." in key for key in document):
        return document
    found: dict[str, Any] = {}
    for key, value in document.items():
        place = found
        *parents, last = key.split(".") if all(key.split(".")) else [key]
        for parent in parents:
            inner = place.get(parent)
            if not isinstance(inner, dict):
                inner = {} if inner is None else {"value": inner}
            place[parent] = inner = dict(cast(dict[str, Any], inner))
            place = inner
        place[last] = value
    return found
