PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready
# errors alone: its warnings are about packages that nobody here chose
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore PIP_NO_PYTHON_VERSION_WARNING=1 \
	PIP_PROGRESS_BAR=off $(BIN)/pip -qq
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
	@echo "setting up .venv: some minutes and about 3 GB the first time"
	@$(PYTHON) -m venv .venv
	@$(PIP) install -r requirements.lock
	@$(PIP) install --no-deps -e .
	@touch $@

.PHONY: sbom
sbom: $(READY)
	$(PYTHON) -m venv .venv-sbom
	.venv-sbom/bin/pip -qq install cyclonedx-bom
	.venv-sbom/bin/cyclonedx-py environment --output-reproducible --output-file sbom.json $(BIN)/python
