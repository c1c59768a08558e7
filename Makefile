# Every target sets itself up from the lock files in requirements/; nothing is done by hand.
#   make demo [ARGS=--once]   the demo estate, scanned, loaded, asked and served
#   make test [ARGS=tests/unit]  all tests, with real servers
#   make check                formatting, lint, types, imports, contract
#   make bench                benchmarks, with ratios against a peer or the bare cost
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

# The first Python that is 3.11 or later and runs (a version manager's stub may be on the path and not run).
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v $$python && break; done)
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv pip
STATIC := inventory/api/static/graphiql/graphiql.html
EXPLORER := $(shell find explorer -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)
# Node of the machine if there is one (20.19 or later), else the one that came with the lock file.
NODE_PATH_PREFIX := $(shell node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null || echo '$(CURDIR)/$(BIN):')

.PHONY: help
help: ## Say what there is to make
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | column -t -s "$$(printf '\t')"

.PHONY: demo
demo: $(VENV)/.demo $(STATIC) ## Scan the demo estate and answer; ARGS=--once exits after the answer
	@$(BIN)/inventory demo $(ARGS)

.PHONY: test
test: $(VENV)/.dev $(STATIC) $(VENV)/.fleet ## Run all tests; ARGS narrows them
	@$(BIN)/pytest $(ARGS)

.PHONY: check
check: $(VENV)/.dev explorer/node_modules/.ready ## Check formatting, lint, types, imports and the contract
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/pyright
	@$(BIN)/lint-imports
	@$(BIN)/python -m inventory.api.sdl --check
	@cd explorer && PATH="$(NODE_PATH_PREFIX)$$PATH" npm run --silent check

.PHONY: fmt
fmt: $(VENV)/.dev ## Format everything
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: contract
contract: $(VENV)/.dev ## Write graphql/schema.graphql anew from the code
	@$(BIN)/python -m inventory.api.sdl --write

.PHONY: bench
bench: $(VENV)/.dev ## Run the benchmarks; ARGS narrows them
	@$(BIN)/python -m benchmarks $(ARGS)

.PHONY: lock
lock: $(VENV)/.uv ## Resolve the lock files anew from pyproject.toml
	@$(UV) compile -q --universal --python-version 3.11 --generate-hashes --no-header --all-extras --group dev --group build pyproject.toml -o requirements/dev.lock
	@$(UV) compile -q --universal --python-version 3.11 --generate-hashes --no-header --extra demo --group build -c requirements/dev.lock pyproject.toml -o requirements/demo.lock
	@$(UV) compile -q --universal --python-version 3.11 --generate-hashes --no-header -c requirements/dev.lock pyproject.toml -o requirements/runtime.lock

.PHONY: clean
clean: ## Remove what make has made
	rm -rf $(VENV) .cache .inventory explorer/node_modules inventory/api/static

# --- setting up -------------------------------------------------------------------------------------------

$(VENV)/.uv: requirements/bootstrap.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed: install it, or make PYTHON=/path/to/python3"; exit 1; }
	@echo "Setting up $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(VENV)/.demo: $(VENV)/.uv requirements/demo.lock pyproject.toml
	@echo "Installing requirements/demo.lock"
	@$(UV) install -q --compile-bytecode --require-hashes -r requirements/demo.lock
	@$(UV) install -q --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.uv requirements/dev.lock pyproject.toml
	@echo "Installing requirements/dev.lock"
	@$(UV) install -q --compile-bytecode --require-hashes -r requirements/dev.lock
	@$(UV) install -q --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.demo

$(VENV)/.fleet: $(VENV)/.dev $(wildcard tests/fleet/*.sh)
	@bash tests/fleet/install.sh
	@touch $@

explorer/node_modules/.ready: $(VENV)/.demo explorer/package-lock.json
	@echo "Installing explorer/package-lock.json"
	@cd explorer && PATH="$(NODE_PATH_PREFIX)$$PATH" npm ci --silent --no-audit --no-fund
	@touch $@

$(STATIC): explorer/node_modules/.ready $(EXPLORER)
	@echo "Building the browser pages"
	@cd explorer && PATH="$(NODE_PATH_PREFIX)$$PATH" npm run --silent build -- --logLevel error
	@touch $@

.PHONY: pictures
pictures: $(VENV)/.dev $(STATIC) $(VENV)/.fleet ## Make the docs' pictures anew, by the browser tests
	@mkdir -p docs/pictures
	@GRAPHIQL_SCREENSHOT=docs/pictures/graphiql.png $(BIN)/pytest -q tests/e2e/test_graphiql.py
