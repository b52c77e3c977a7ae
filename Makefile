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

# The locks are complete, so that nothing is resolved here: a file of another digest is refused.
LOCKED := install --require-hashes --no-deps

$(READY): $(wildcard requirements*.lock) pyproject.toml
	@echo "setting up .venv: some minutes and about 3 GB the first time"
	@$(PYTHON) -m venv .venv
	@$(PIP) $(LOCKED) -r requirements-build.lock
	@$(PIP) $(LOCKED) --no-build-isolation -r requirements.lock
	@# torch for the processor alone where an index or a folder that pip knows has it, else PyPI's with all of CUDA;
	@# beside it UMAP is compiled, which else the first run of each process would wait for
	@$(BIN)/python -c 'from components.tasks.density import compile_ahead; compile_ahead()' & \
		{ $(PIP) $(LOCKED) -r requirements-cpu.lock 2> /dev/null || $(PIP) $(LOCKED) -r requirements-cuda.lock; } && wait
	@$(PIP) install --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q pointsman components flows
	@touch $@

# Versions stay as they are unless pyproject.toml asks for others; `make lock UPGRADE=--upgrade` takes the newest.
LOCK := .venv-lock/bin
COMPILE := $(LOCK)/uv pip compile --quiet $(UPGRADE) --universal --python-version 3.11 --generate-hashes \
	--no-annotate --no-header
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
TORCH := $(shell grep -o 'torch==[^"]*' pyproject.toml)

.PHONY: lock
lock:
	$(PYTHON) -m venv .venv-lock
	$(LOCK)/pip -qq install uv==0.13.9
	$(COMPILE) pyproject.toml --extra train --extra postgres --extra dev --no-emit-package torch -o requirements.lock
	$(COMPILE) pyproject.toml --extra serve --extra signing -c requirements.lock -o requirements-serving.lock
	$(COMPILE) --group build -c requirements.lock -o requirements-build.lock
	echo $(TORCH) | $(COMPILE) --no-config - -c requirements.lock -o requirements-cuda.lock
	rm -f .venv-lock/torch-*.whl
	$(LOCK)/pip -qq download --no-deps --dest .venv-lock --extra-index-url $(TORCH_INDEX) $(TORCH)+cpu
	echo "$(TORCH)+cpu $$($(LOCK)/pip hash .venv-lock/torch-*.whl | tail -n 1)" > requirements-cpu.lock

.PHONY: sbom
sbom: $(READY)
	$(PYTHON) -m venv .venv-sbom
	.venv-sbom/bin/pip -qq install cyclonedx-bom==7.5.0
	.venv-sbom/bin/cyclonedx-py environment --output-reproducible --output-file sbom.json $(BIN)/python
