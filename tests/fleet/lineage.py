"""What emits lineage, each in an environment of its own: dbt with its OpenLineage wrapper, Airflow's provider."""

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
TREE = ROOM.parents[1]


class ToolchainMissing(Exception):
    """The environment could not be made."""


def built(folder: Path) -> tuple[Path, Path, list[dict[str, Any]]]:
    """Build the dbt project, on a DuckDB file: its target folder, its database, and the events of the run."""
    programs = _environment("dbt") / "bin"
    project, database, events = folder / "project", folder / "shop.duckdb", folder / "events.ndjson"
    shutil.copytree(ROOM / "dbt" / "project", project)
    subprocess.run([str(programs / "python"), str(ROOM / "dbt" / "database.py"), str(database)], check=True, timeout=60)
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


def emitted(address: str, token: str, folder: Path) -> None:
    """Have Airflow's provider send the events of a task of SQL to a service."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__OPENLINEAGE__NAMESPACE": "airflow",
        "OPENLINEAGE_URL": address,
        "OPENLINEAGE_API_KEY": token,
    }
    command = [str(_environment("airflow") / "bin" / "python"), str(ROOM / "airflow" / "emit.py")]
    subprocess.run(command, check=True, env=environment, capture_output=True, timeout=180)


def _environment(name: str) -> Path:
    """The environment of `requirements.txt` in the folder of that name, made once into .cache/fleet."""
    cache = Path(os.environ.get("INVENTORY_CACHE") or TREE / ".cache") / "fleet" / name
    cache.mkdir(parents=True, exist_ok=True)
    requirements = ROOM / name / "requirements.txt"
    wanted, made, place = requirements.read_text(), cache / "requirements.txt", cache / "venv"
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs at once make it one after the other
        if not made.exists() or made.read_text() != wanted:
            shutil.rmtree(place, ignore_errors=True)
            try:
                for command in _making(place, requirements):
                    subprocess.run(command, check=True, capture_output=True, timeout=600)
            except (subprocess.SubprocessError, OSError):
                raise ToolchainMissing(f"{name} needs an environment of its own (pip)") from None
            made.write_text(wanted)
    return place


def _making(place: Path, requirements: Path) -> list[list[str]]:
    """By uv where it is, which is much faster than pip."""
    python, wanted = str(place / "bin" / "python"), ["-q", "-r", str(requirements)]
    uv = shutil.which("uv")
    if uv is not None:
        return [[uv, "venv", "-q", "-p", sys.executable, str(place)], [uv, "pip", "install", "-p", python, *wanted]]
    return [[sys.executable, "-m", "venv", str(place)], [python, "-m", "pip", "install", *wanted]]
