"""What sqllineage says of statements. Runs in the peers' environment: JSON lines in, JSON lines out.

In: first {"schema": {"users": ["id", …]}}, then {"sql": …, "dialect": …}. Out: {"flows": [["users.email", "v.e"], …]}
in small letters, or {"error": name}. With `tpc` as its argument: {"tpch": {"queries": […], "schema": …}, …}.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

SCHEMA = "main"  # with a default schema, it looks tables up that are named without one
_DIALECTS = {"spark": "sparksql"}


def _flows(sql: str, dialect: str, provider: object) -> list[list[str]]:
    from sqllineage.runner import LineageRunner

    runner = LineageRunner(sql, dialect=_DIALECTS.get(dialect, dialect), metadata_provider=provider)
    found = {(_name(path[0]), _name(path[-1])) for path in runner.get_column_lineage() if len(path) > 1}
    return sorted([source, target] for source, target in found)


def _name(column: object) -> str:
    return str(column).replace("<default>.", "").lower().removeprefix(f"{SCHEMA}.")


def _tpc() -> dict[str, object]:
    import duckdb

    said: dict[str, object] = {}
    columns = "SELECT table_name, list(column_name ORDER BY column_index) FROM duckdb_columns() WHERE NOT internal"
    for name, generate in (("tpch", "dbgen"), ("tpcds", "dsdgen")):
        connection = duckdb.connect()
        room = Path(duckdb.__file__).parents[1] / f"duckdb_extension_{name}"
        (extension,) = room.rglob("*.duckdb_extension")
        connection.execute(f"LOAD '{extension}'; CALL {generate}(sf=0)")
        queries = connection.execute(f"SELECT query FROM {name}_queries() ORDER BY query_nr").fetchall()
        schema = dict(connection.execute(f"{columns} GROUP BY 1").fetchall())
        said[name] = {"queries": [query for (query,) in queries], "schema": schema}
    return said


def main() -> None:
    """Answer line by line."""
    if sys.argv[1:] == ["tpc"]:
        json.dump(_tpc(), sys.stdout)
        return
    os.environ["SQLLINEAGE_DEFAULT_SCHEMA"] = SCHEMA
    from sqllineage.core.metadata.dummy import DummyMetaDataProvider

    schema = json.loads(sys.stdin.readline())["schema"]
    provider = DummyMetaDataProvider({f"{SCHEMA}.{name}": columns for name, columns in schema.items()})
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer: dict[str, object] = {"flows": _flows(asked["sql"], asked["dialect"], provider)}
        except Exception as error:  # noqa: BLE001  # whatever it raises of a statement is an answer
            answer = {"error": type(error).__name__}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
