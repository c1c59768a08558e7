"""A real dbt with its OpenLineage wrapper, in an environment of its own, run on a small project on a DuckDB file."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOM = Path(__file__).parent
TREE = ROOM.parents[2]


class ToolchainMissing(Exception):
    """The environment could not be made."""


def built(folder: Path) -> tuple[Path, Path, list[dict[str, Any]]]:
    """Build the project: its target folder, its database, and the events that were emitted of the run."""
    programs = _environment() / "bin"
    project, database, events = folder / "project", folder / "shop.duckdb", folder / "events.ndjson"
    shutil.copytree(ROOM / "project", project)
    subprocess.run([str(programs / "python"), str(ROOM / "database.py"), str(database)], check=True, timeout=60)
    transport = {"type": "file", "log_file_path": str(events), "append": True}
    (project / "openlineage.yml").write_text(json.dumps({"transport": transport}))
    environment = {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "SHOP_DATABASE": str(database),
        "OPENLINEAGE_CONFIG": str(project / "openlineage.yml"),
        "OPENLINEAGE_NAMESPACE": "nightly",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }
    for command in (["dbt-ol", "build"], ["dbt", "docs", "generate"]):
        done = subprocess.run(
            [str(programs / command[0]), *command[1:], "--profiles-dir", "."],
            cwd=project,
            env=environment,
            capture_output=True,
            text=True,
            timeout=180,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return project / "target", database, [json.loads(line) for line in events.read_text().splitlines()]


def _environment() -> Path:
    """The environment, made once into .cache/fleet/dbt."""
    cache = Path(os.environ.get("INVENTORY_CACHE") or TREE / ".cache") / "fleet" / "dbt"
    cache.mkdir(parents=True, exist_ok=True)
    wanted, made, place = (ROOM / "requirements.txt").read_text(), cache / "requirements.txt", cache / "venv"
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs at once make it one after the other
        if not made.exists() or made.read_text() != wanted:
            shutil.rmtree(place, ignore_errors=True)
            try:
                for command in _making(place):
                    subprocess.run(command, check=True, capture_output=True, timeout=600)
            except (subprocess.SubprocessError, OSError):
                raise ToolchainMissing("dbt needs dbt-core and dbt-duckdb in an environment of its own (pip)") from None
            made.write_text(wanted)
    return place


def _making(place: Path) -> list[list[str]]:
    """By uv where it is, which is much faster than pip."""
    python, wanted = str(place / "bin" / "python"), ["-q", "-r", str(ROOM / "requirements.txt")]
    uv = shutil.which("uv")
    if uv is not None:
        return [[uv, "venv", "-q", "-p", sys.executable, str(place)], [uv, "pip", "install", "-p", python, *wanted]]
    return [[sys.executable, "-m", "venv", str(place)], [python, "-m", "pip", "install", *wanted]]
