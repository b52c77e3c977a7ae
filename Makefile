PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready
QUICK := not slow and not browser

.PHONY: run test test-all ui bench

run: $(READY)
	$(BIN)/pointsman retrain

test: $(READY) check
	$(BIN)/pytest -m "$(QUICK)" -n 2 --dist loadfile -q

test-all: $(READY) check
	$(BIN)/pytest -n 2 --dist loadfile -q

ui: $(READY)
	$(BIN)/pointsman ui

bench: $(READY)
	$(BIN)/python -m tests.benchmarks

.PHONY: check
check: $(READY)
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e .
	touch $@
