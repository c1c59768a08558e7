#!/bin/sh
# Install what SQL lineage is compared with into a virtual environment of its own (never into ours).
#   benchmarks/lineage/set_up_peers.sh [DIRECTORY]      default: .cache/lineage-venv
# DuckDB's TPC extensions come as wheels of the same version as DuckDB.
set -u
venv=${1:-.cache/lineage-venv}
uv=${UV:-uv}
[ -x "$venv/bin/python" ] || "$uv" venv --seed --python 3.11 "$venv"
install() { "$uv" pip install --quiet --python "$venv/bin/python" "$@" || echo "not installed: $*" >&2; }
install "sqllineage>=1.5"
install duckdb==1.5.5 duckdb-extension-tpch==1.5.5 duckdb-extension-tpcds==1.5.5
