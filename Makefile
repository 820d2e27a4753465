# Two commands do all the set-up: `make demo` and `make test`. The rest is for those who change the code.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000

.PHONY: demo test check format bench clean

demo: $(VENV)/ready
	$(BIN)/kb --data data/demo demo --port $(PORT)

test: $(VENV)/tests
	$(BIN)/python -m pytest

check: $(VENV)/checks
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/checks
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/ready
	$(BIN)/pip install --quiet --editable '.[bench]'
	$(BIN)/python tests/benchmarks/search.py --pages 20000 --peers tantivy,fts5,whoosh
	$(BIN)/python tests/benchmarks/ingest.py

clean:
	rm -rf $(VENV) data/demo

# A Debian without python3-venv makes half a virtual environment: say so, or install it where that is allowed.
$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Carbet needs Python 3.11 or newer (PYTHON=... make demo)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || sh tests/system-packages.sh python3-venv
	$(PYTHON) -m venv $(VENV)

$(VENV)/ready: $(BIN)/pip pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/tests: $(VENV)/ready
	@sh tests/system-packages.sh chromium
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

$(VENV)/checks: $(VENV)/ready
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test,check]'
	@touch $@
