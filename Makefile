# Both main targets set themselves up; all that they need is Python 3.11 or newer.
PYTHON ?= python3
BIN := .venv/bin
UV_VERSION := 0.13.9
RUN := $(BIN)/

.PHONY: demo test bench faults format clean

.venv/ready: pyproject.toml uv.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "nbsync needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	UV_PROJECT_ENVIRONMENT=.venv $(BIN)/uv sync --quiet --frozen --inexact --compile-bytecode
	touch $@

demo: .venv/ready   ## the main job, start to end, against the built-in simulator
	$(RUN)python examples/demo.py

test: .venv/ready   ## format check, lint, strict types, import contracts, tests
	$(RUN)ruff format --check --quiet .
	$(RUN)ruff check --quiet .
	$(RUN)mypy
	$(RUN)lint-imports --no-logo
	$(RUN)pytest -n 2 -q

bench: .venv/ready  ## wall time, CPU time, memory and requests on generated accounts
	$(RUN)python tests/bench.py

faults: .venv/ready ## cuts an apply at every call in every way, and counts what became of it
	NBSYNC_TEST_CUTS=1 $(RUN)python -m pytest -n 2 -q -p tests.fault_matrix tests/unit/apply/test_cuts.py

format: .venv/ready
	$(RUN)ruff format .
	$(RUN)ruff check --fix .

clean:
	rm -rf .venv dist build
