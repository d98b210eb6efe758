# Every target works from a fresh clone on a machine with make and Python 3.11 or newer; the first one run builds .venv.
# pip listens to its own PIP_* variables (index, certificates, find-links).
# Another Python, beside the first: make test PYTHON=python3.13 VENV=.venv-3.13

PYTHON ?= $(firstword $(foreach p,python3 python3.14 python3.13 python3.12 python3.11,$(shell \
	$(p) -c 'import sys; sys.version_info >= (3, 11) and print(sys.executable)' 2>/dev/null)))
VENV  := .venv
BIN   := $(VENV)/bin
DEPS  := pyproject.toml clients/python/pyproject.toml clients/python/build_hook.py
STAMP := $(VENV)/installed-$(firstword $(shell cat $(DEPS) | cksum))
PROTO := .venv-proto
BUF   := node_modules/.bin/buf
WORKERS ?= 2

# An inherited PYTHONDONTWRITEBYTECODE makes every start two to three times slower.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help install demo run test test-all lint format docs site proto proto-tools bench clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

install: $(STAMP)  ## .venv with hostd (editable) and everything that development needs

$(STAMP):
	@test -n "$(PYTHON)" || { echo "hostd needs Python 3.11 or newer; none was found. Install one, or say make PYTHON=/path/to/python3"; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv --clear $(VENV) || { echo "Python's venv module is missing (Debian: apt-get install python3-venv)"; exit 1; }
	@echo "installing into $(VENV) (once; a few minutes on a slow line)"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e . --group dev --group test
	@$(BIN)/python -m pip install -q --disable-pip-version-check --group docs || echo "no site: its generator could not be installed"
	@$(BIN)/python -m compileall -q -j 0 $(VENV)/lib hostd plugins >/dev/null || true
	@rm -f $(VENV)/installed-*
	@touch $@

demo: $(STAMP)  ## a real workflow from a webhook to its end, through a kill -9 in the middle
	@$(BIN)/python tests/e2e/demo.py

run: $(STAMP)  ## the daemon, on the default ports; ARGS="--data DIR" and others are passed on
	@$(BIN)/hostd serve $(ARGS)

test: $(STAMP)  ## the tests, without the slow ones
	@$(BIN)/python -m pytest -q -rs -n $(WORKERS) -m "not slow" $(ARGS)

test-all: $(STAMP)  ## every test
	@$(BIN)/python -m pytest -q -rs -n $(WORKERS) --timeout 900 $(ARGS)

lint: $(STAMP)  ## style, types, import floors, proto
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@PYTHONPATH=plugins/builtin $(BIN)/lint-imports --no-logo
	@if [ -x $(BUF) ]; then $(BUF) lint proto; \
	 elif command -v npm >/dev/null; then npm install --silent --no-save --no-package-lock --prefix . @bufbuild/buf@1.75.0 && $(BUF) lint proto; \
	 else echo "SKIPPED buf lint: npm is not installed"; fi

format: $(STAMP)  ## rewrite the sources in house style
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: $(STAMP)  ## the generated pages in docs/reference/
	@$(BIN)/python tests/tidy/reference_pages.py

site: $(STAMP)  ## the documentation as a site, in site/
	@$(BIN)/python docs/build_site.py

proto: $(STAMP) $(PROTO)/ready  ## Python code from proto/
	@PATH="$(CURDIR)/$(PROTO)/bin:$$PATH" $(PROTO)/bin/python proto/generate.py

proto-tools: $(PROTO)/ready  ## the pinned generator, in an environment of its own

$(PROTO)/ready: pyproject.toml
	@$(PYTHON) -m venv --clear $(PROTO)
	@$(PROTO)/bin/python -m pip install -q --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(PROTO)/bin/python -m pip install -q --disable-pip-version-check --group proto
	@touch $@

bench: $(STAMP)  ## the workloads of docs/performance.md, short form
	@$(BIN)/python -m benchmarks $(ARGS)

clean:  ## remove what was built
	@rm -rf $(VENV) $(PROTO) node_modules dist build site .pytest_cache .mypy_cache .ruff_cache .hypothesis
