# The two commands are `make run` and `make test`; each does all of its own set-up.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check install --quiet

.PHONY: run test install dev check format bench docs lock clean

run: install  ## the demo: a server with two numbers, five texts, and lines to paste
	@exec $(BIN)/roost demo $(if $(PORT),--port $(PORT))

test: dev  ## the whole suite, on SQLite and on a real PostgreSQL; much of it waits for processes, so that two cores carry three
	@$(BIN)/python -m pytest -n 3 --dist worksteal $(ARGS)

install: $(VENV)/.installed  ## only what running needs; leaves .venv/bin/roost

dev: $(VENV)/.installed-dev

check: dev  ## lint, format, types, and the direction of imports
	@$(BIN)/ruff check src tests bench examples docs
	@$(BIN)/ruff format --check src tests bench examples docs
	@$(BIN)/mypy
	@$(BIN)/python -m pytest tests/test_architecture.py

format: dev
	@$(BIN)/ruff check --fix src tests bench examples docs
	@$(BIN)/ruff format src tests bench examples docs

bench: dev  ## ratios within one run, on both databases; see docs/benchmarks.md
	@$(BIN)/python -m bench $(ARGS)

docs: $(VENV)/.installed-docs  ## the documentation as a site in site/; a link that leads nowhere is an error
	@$(BIN)/sphinx-build --quiet --nitpicky --fail-on-warning --builder html docs site
	@echo "Open site/index.html"

lock: dev  ## pin again what pyproject.toml asks for
	@$(PIP) pip-tools
	@$(BIN)/pip-compile --quiet --upgrade --strip-extras --allow-unsafe --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --all-build-deps --output-file requirements.lock pyproject.toml
	@$(BIN)/pip-compile --quiet --upgrade --strip-extras --allow-unsafe --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --extra dev --constraint requirements.lock --output-file requirements-dev.lock pyproject.toml
	@$(BIN)/pip-compile --quiet --upgrade --strip-extras --allow-unsafe --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --extra docs --constraint requirements.lock --constraint requirements-dev.lock --output-file requirements-docs.lock pyproject.toml

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("Roost needs Python 3.11 or newer, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "Installing Roost into $(VENV) ..."
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock | $(VENV)/.installed
	@echo "Installing what the tests need ..."
	@$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@

$(VENV)/.installed-docs: requirements-docs.lock | $(VENV)/.installed-dev
	@echo "Installing what builds the documentation ..."
	@$(PIP) --require-hashes -r requirements-docs.lock
	@touch $@

clean:
	rm -rf $(VENV)
