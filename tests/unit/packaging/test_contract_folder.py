"""docs/adr/0002: `graphql/` must not hide graphql-core."""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_contract_folder_holds_no_python():
    assert (ROOT / "graphql").is_dir()
    assert not [path for path in (ROOT / "graphql").rglob("*") if path.suffix in {".py", ".pyi", ".pyc"}]


def test_graphql_core_is_found_from_the_top_of_the_tree():
    found = subprocess.run(
        [sys.executable, "-c", "import sys; sys.path.insert(0, ''); import graphql; print(graphql.version)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.startswith("3.")


def test_the_wheel_has_the_contract_under_another_name():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert "graphql" not in wheel["packages"]
    assert wheel["force-include"] == {"graphql": "inventory/contract"}
