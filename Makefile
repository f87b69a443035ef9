# POSIX sh and any make from 3.81 on, on Linux and macOS. `make help` lists what there is.
#
#   PYTHON=/path/to/python3   the interpreter to build .venv with (default: the first here that is 3.11 or newer)
#   ARGS="…"                  passed on to `rto demo`, to the lab, to pytest or to the benchmarks

.POSIX:
.SUFFIXES:
.PHONY: help demo lab soak test check lint layout types floors bench format docs clean

PYTHON ?= python3 python3.13 python3.12 python3.11
ARGS =
VENV = .venv
BIN = $(VENV)/bin

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1	\2/p' Makefile

demo: $(VENV)/installed-all ## run a drill on an embedded cluster, capture it, reconcile it, judge it (ARGS="--seconds 30")
	@$(BIN)/rto demo $(ARGS)
	@command -v rto >/dev/null || echo "Here rto is $(BIN)/rto; to type it as above: . $(BIN)/activate" >&2

lab: $(VENV)/installed-dev ## conduct drills on real Kafka; needs Java 17 and Maven (ARGS="broker-kill --bundle DIR")
	@$(BIN)/python -m tests.lab run $(ARGS)

soak: $(VENV)/installed-dev ## ten minutes at 20,000 records a second on real Kafka, collectors on (ARGS="--seconds 60")
	@$(BIN)/python -m tests.lab.soak $(ARGS)

test: $(VENV)/installed-dev ## run every test (ARGS="-k ledger")
	@$(BIN)/python -m pytest -n auto --dist loadgroup $(ARGS)

check: lint layout types floors ## lint, format, types and floors (each is a target of its own; make -k runs all)

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .

layout: $(VENV)/installed-dev
	$(BIN)/ruff format --check .

types: $(VENV)/installed-dev
	$(BIN)/mypy

floors: $(VENV)/installed-dev
	$(BIN)/lint-imports

bench: $(VENV)/installed-dev ## measure everything against what it is held to, on ten million records (ARGS="--size 100M")
	@$(BIN)/python -m benchmarks $(ARGS)

format: $(VENV)/installed-dev ## format the code and repair what the linter can
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

docs: $(VENV)/installed-dev ## write the generated parts of docs/ anew from schemas, queries and commands
	$(BIN)/python -m tests.house.evidence_tables --write
	$(BIN)/python -m tests.house.query_list --write
	$(BIN)/python -m tests.core.docs.query_graph --write
	$(BIN)/python -m tests.house.command_line --write

clean: ## remove the environment, caches and builds; drills stay
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/installed-all: pyproject.toml $(BIN)/python
	@echo "Installing rtoanalytics into $(VENV) (once, a minute or two)" >&2
	@$(BIN)/python -m ensurepip >/dev/null
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[all]'
	@touch $@

$(VENV)/installed-dev: pyproject.toml $(BIN)/python
	@echo "Installing rtoanalytics and its development tools into $(VENV) (once, a minute or two)" >&2
	@$(BIN)/python -m ensurepip >/dev/null
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ $(VENV)/installed-all

# `import ensurepip` fails where Debian and Ubuntu left venv out of python3. pip comes into .venv with the stamps above,
# so that an interrupted first run is repaired by the second.
$(BIN)/python:
	@for python in $(PYTHON); do \
	    "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	    echo "Making $(VENV) with $$python" >&2; \
	    exec "$$python" -m venv --clear --without-pip $(VENV); \
	done; \
	echo "rtoanalytics needs Python 3.11 or newer, with venv. Tried: $(PYTHON); python3 is $$(python3 --version 2>&1)." >&2; \
	echo "Debian, Ubuntu: apt install python3 python3-venv. macOS: brew install python. Fedora: dnf install python3." >&2; \
	echo "Or name an interpreter: make demo PYTHON=/path/to/python3" >&2; \
	exit 1
