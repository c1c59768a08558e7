"""What sqllineage says of statements. Runs in the peers' environment: JSON lines in, JSON lines out.

In: first {"schema": {"users": ["id", …]}}, then {"sql": …, "dialect": …}. Out: {"flows": [["users.email", "v.e"], …]}
in small letters, or {"error": name}. With `tpc` as its argument: {"tpch": {number: text}, "tpcds": …, "schema": …}.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

_DIALECTS = {"spark": "sparksql"}


def _flows(sql: str, dialect: str, provider: object) -> list[list[str]]:
    from sqllineage.runner import LineageRunner

    runner = LineageRunner(sql, dialect=_DIALECTS.get(dialect, dialect), metadata_provider=provider)
    found = {(_name(path[0]), _name(path[-1])) for path in runner.get_column_lineage() if len(path) > 1}
    return sorted([source, target] for source, target in found)


def _name(column: object) -> str:
    return str(column).replace("<default>.", "").lower()


def _tpc() -> dict[str, object]:
    import duckdb

    connection = duckdb.connect()
    said: dict[str, object] = {}
    for name in ("tpch", "tpcds"):
        room = Path(duckdb.__file__).parents[1] / f"duckdb_extension_{name}"
        (extension,) = room.rglob("*.duckdb_extension")
        connection.execute(f"LOAD '{extension}'")
        said[name] = dict(connection.execute(f"SELECT query_nr, query FROM {name}_queries()").fetchall())
    connection.execute("CALL dbgen(sf=0); CALL dsdgen(sf=0)")
    columns = (
        "SELECT table_name, list(column_name ORDER BY column_index) FROM duckdb_columns() WHERE NOT internal GROUP BY 1"
    )
    said["schema"] = dict(connection.execute(columns).fetchall())
    return said


def main() -> None:
    """Answer line by line."""
    if sys.argv[1:] == ["tpc"]:
        json.dump(_tpc(), sys.stdout)
        return
    from sqllineage.core.metadata.dummy import DummyMetaDataProvider

    schema = json.loads(sys.stdin.readline())["schema"]
    provider = DummyMetaDataProvider({f"<default>.{name}": columns for name, columns in schema.items()})
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer: dict[str, object] = {"flows": _flows(asked["sql"], asked["dialect"], provider)}
        except Exception as error:  # noqa: BLE001  # whatever it raises of a statement is an answer
            answer = {"error": type(error).__name__}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
