.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
WORKERS ?= 2

.PHONY: help
help: ## Say what can be made.
	@grep -E '^[a-z]+:.*## ' Makefile | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

.PHONY: install
install: $(STAMP) ## Make .venv with everything; .venv/bin/runbook works afterwards.

$(STAMP): pyproject.toml .ci/constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; say which with: make PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "No virtual environment could be made here: is the folder writable, and is python3-venv installed (Debian: apt install python3-venv)?"; exit 1; }
	@echo "Installing into $(VENV); the first time takes a minute or two."
	@if command -v uv >/dev/null 2>&1; then \
	  uv pip install --quiet --python $(BIN)/python -c .ci/constraints.txt -e '.[dev]'; \
	else \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check -c .ci/constraints.txt -e '.[dev]'; \
	fi
	@touch $(STAMP)

.PHONY: sandbox
sandbox: $(STAMP) ## Open the whole thing in a browser: a local Slack, a database with faults, a local Stripe, the bot.
	@$(BIN)/runbook sandbox $(ARGS)

.PHONY: test
test: check ## Run everything: format, lint, types, contracts and the whole suite.
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup $(ARGS)

.PHONY: check
check: $(STAMP) ## Format, lint, types and import contracts.
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

.PHONY: bench
bench: $(STAMP) ## Measure, each figure beside a floor taken in the same run.
	@$(BIN)/runbook bench $(ARGS)
