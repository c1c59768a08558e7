"""Runs the benchmarks: `python -m benchmarks` lists them, `python -m benchmarks scan …` runs one, with its options.

A benchmark is a module here, or a package with a `__main__`, that has a `main()`.
"""

from __future__ import annotations

import ast
import runpy
import sys
from pathlib import Path

HERE = Path(__file__).parent


def found() -> dict[str, str]:
    """The first line of what each benchmark says of itself, by its name."""
    known: dict[str, str] = {}
    for path in sorted(HERE.rglob("*.py")):
        if path == Path(__file__):
            continue
        module = ast.parse(path.read_text(encoding="utf-8"))
        if any(isinstance(part, ast.FunctionDef) and part.name == "main" for part in module.body):
            name = ".".join(path.relative_to(HERE).with_suffix("").parts).removesuffix(".__main__")
            known[name] = (ast.get_docstring(module) or "").partition("\n")[0]
    return known


def main() -> None:
    """List the benchmarks, run one, or run `all`."""
    known = found()
    asked = sys.argv[1:2]
    if not asked:
        for name, said in known.items():
            print(f"{name:24} {said}")
        print("\npython -m benchmarks NAME [options], or all")
        return
    if asked != ["all"] and asked[0] not in known:
        sys.exit(f"no benchmark {asked[0]}: there are {', '.join(known)}")
    for name in known if asked == ["all"] else asked:
        print(f"--- {name}", flush=True)
        sys.argv = [f"benchmarks.{name}", *(sys.argv[2:] if asked != ["all"] else [])]
        runpy.run_module(f"benchmarks.{name}", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
