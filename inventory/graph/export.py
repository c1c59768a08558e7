"""Everything in the graph, as a stream of plain records in a fixed order."""

from __future__ import annotations

from collections.abc import Iterator

from inventory.graph.connection import Graph, Row
from inventory.graph.schema import NODES

PAGE = 500


def export(graph: Graph) -> Iterator[Row]:
    """Every node, each followed by its versions and by the edges that begin at it; memory stays bounded.

    Records are `{"node": label, "key": …, "properties": …}`, `{"version": label, "key": …, "properties": …}` and
    `{"edge": type, "source": [label, key], "target": [label, key], "properties": …}`, sorted by label and key.
    """
    for label in sorted(NODES):
        key = NODES[label].key
        after = ""
        while True:
            nodes = graph.read(
                f"MATCH (n:{label}) WHERE n.{key} > $after RETURN n.{key} AS key, properties(n) AS properties "
                "ORDER BY key LIMIT $page",
                after=after,
                page=PAGE,
            )
            if not nodes:
                break
            after = nodes[-1]["key"]
            keys = [node["key"] for node in nodes]
            versions, edges = _versions(graph, label, keys), _edges(graph, label, keys)
            for node in nodes:
                yield {"node": label, **node}
                yield from versions.get(node["key"], ())
                yield from edges.get(node["key"], ())


def _versions(graph: Graph, label: str, keys: list[str]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in graph.read(
        f"MATCH (n:{label}) WHERE n.{NODES[label].key} IN $keys MATCH (v:Version)-[:VERSION_OF]->(n) "
        f"RETURN n.{NODES[label].key} AS key, properties(v) AS properties ORDER BY key, v.valid_from",
        keys=keys,
    ):
        found.setdefault(row["key"], []).append({"version": label, **row})
    return found


def _edges(graph: Graph, label: str, keys: list[str]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in graph.read(
        f"MATCH (n:{label}) WHERE n.{NODES[label].key} IN $keys MATCH (n)-[r]->(m) "
        f"RETURN n.{NODES[label].key} AS key, type(r) AS type, labels(m)[0] AS label, "
        "coalesce(m.urn, m.key) AS target, properties(r) AS properties "
        "ORDER BY key, type, label, target, r.id, r.valid_from",
        keys=keys,
    ):
        found.setdefault(row["key"], []).append(
            {
                "edge": row["type"],
                "source": [label, row["key"]],
                "target": [row["label"], row["target"]],
                "properties": row["properties"],
            }
        )
    return found
