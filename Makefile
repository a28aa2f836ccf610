# Everything a developer or CI runs. `make help` lists it.
#
# Environments are made once: each holds a stamp that is older than what it was made from only when it
# has to be installed again. PYTHON=python3.12 chooses the Python of a new environment.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?=
WORKERS ?= 2
BIN := .venv/bin
# Node trusts its own certificates only; those of the system are added, as pip and curl have them.
CERTIFICATES := $(wildcard /etc/ssl/certs/ca-certificates.crt)
NODE := PATH="$(CURDIR)/$(BIN):$$PATH" NODE_EXTRA_CA_CERTS="$${NODE_EXTRA_CA_CERTS:-$(CERTIFICATES)}"
MADE_FROM := pyproject.toml scripts/venv.sh scripts/oldest.py

.PHONY: help demo test lint lab test-lab test-newest test-oldest test-wheel test-all benchmarks benchmarks-peers images clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/.demo ## Create the demo project in blocks-demo/, export its notebook, run it, show the result
	@$(BIN)/jupyter blocks demo blocks-demo
	@echo "  (first: source $(BIN)/activate)"

test: lint test-lab test-newest test-oldest test-wheel ## Run everything CI runs: format, lint, types, tests, old versions, wheel

lint: .venv/.test ## Check format, style and types
	@echo "== format, lint and types"
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

lab: node_modules/.installed ## Build the JupyterLab plugin, for the JupyterLab of .venv
	@$(NODE) npm run --silent build
	@mkdir -p .venv/share/jupyter/labextensions
	@ln -sfn ../../../../jupyter_blocks/labextension .venv/share/jupyter/labextensions/jupyter-blocks

test-lab: node_modules/.installed ## Check types of the JupyterLab plugin, run its tests, build it
	@echo "== the JupyterLab plugin"
	@$(NODE) npm run --silent check
	@$(NODE) npm run --silent test
	@$(NODE) npm run --silent build > /dev/null
	@scripts/chromium.sh
	@$(BIN)/pytest -q labextension/browser

test-newest: .venv/.test ## Run the tests with the newest packages
	@echo "== tests, newest packages"
	$(BIN)/pytest -q -n $(WORKERS) --dist worksteal

test-oldest: .venv-oldest/.test ## Run the tests with the oldest packages pyproject.toml allows
	@echo "== tests, oldest packages"
	.venv-oldest/bin/pytest -q -n $(WORKERS) --dist worksteal --ignore tests/crashes

test-wheel: .venv/.test ## Build the wheel and try it in an environment of its own
	@echo "== the built wheel"
	@scripts/test_wheel.sh

test-all: test ## Run `test`, and the tests on every other supported Python of this machine
	@scripts/test_pythons.sh 3.12 3.13

benchmarks: .venv/.test ## Measure, and print the table
	@$(BIN)/python -m benchmarks

benchmarks-peers: .venv/.test ## Measure other tools on the same work, each in an environment of its own
	@$(BIN)/python -m benchmarks.peers

images: lab ## Draw the pictures of the documentation again
	@scripts/chromium.sh
	@$(BIN)/python scripts/draw_readme.py
	@$(BIN)/python scripts/screenshots.py

clean: ## Remove environments, caches and build results; blocks-demo/ stays
	rm -rf .venv .venv-* node_modules labextension/lib jupyter_blocks/labextension build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.demo: $(MADE_FROM)
	@scripts/venv.sh .venv $(PYTHON)
	@echo "Installing Jupyter Blocks with the extra 'demo' ..."
	@$(BIN)/python -m pip install --quiet --editable '.[demo]'
	@touch $@

.venv/.test: $(MADE_FROM)
	@scripts/venv.sh .venv $(PYTHON)
	@echo "Installing Jupyter Blocks and its tools ..."
	@$(BIN)/python -m pip install --quiet --editable '.[demo]' --group test --group newest
	@touch $@ .venv/.demo

# Node comes from PyPI: nothing has to be installed for it.
node_modules/.installed: package-lock.json .venv/.test
	@echo "Installing the packages of the JupyterLab plugin ..."
	@$(BIN)/python -m pip install --quiet --group lab
	@$(NODE) npm ci --ignore-scripts --loglevel error > /dev/null
	@touch $@

.venv-oldest/.test: $(MADE_FROM)
	@scripts/venv.sh .venv-oldest 3.11 3.12
	@echo "Installing Jupyter Blocks with the oldest packages ..."
	@.venv-oldest/bin/python scripts/oldest.py pyproject.toml > .venv-oldest/constraints.txt
	@.venv-oldest/bin/python -m pip install --quiet --editable '.[demo]' --group test \
		--constraint .venv-oldest/constraints.txt
	@touch $@
