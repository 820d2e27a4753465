# Two commands do all the set-up: `make demo` and `make test`. The rest is for those who change the code.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000

PIP := $(BIN)/pip install --quiet --disable-pip-version-check
# What comes from elsewhere is what its hash in requirements/ says, and comes built: no stranger's build script runs here.
LOCKED := $(PIP) --require-hashes --only-binary :all:
# Wheels for every system, not for this one only. `make lock UPGRADE=--upgrade` takes the newest versions that fit.
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --only-binary :all: --generate-hashes \
  --no-annotate --custom-compile-command 'make lock' $(UPGRADE) - pyproject.toml

.PHONY: demo test check audit format bench lock clean

demo: $(VENV)/ready
	$(BIN)/kb --data data/demo demo --port $(PORT)

# In as many processes as there are cores; but one browser at a time, which takes them all.
test: $(VENV)/tests
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile -m 'not browser'
	$(BIN)/python -m pytest -m browser

check: $(VENV)/checks
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/bandit --quiet -ll --recursive kb ingest search web
	$(BIN)/python tests/supply/floors.py

# For machines that reach the public advisories. In an environment of its own, so that it changes nothing that is locked.
audit: $(BIN)/pip
	$(PYTHON) -m venv $(VENV)/audit
	$(VENV)/audit/bin/pip install --quiet --disable-pip-version-check pip-audit
	$(BIN)/python tests/supply/audit.py $(VENV)/audit/bin/pip-audit

format: $(VENV)/checks
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/ready
	$(PIP) --editable '.[bench]'
	$(BIN)/python tests/benchmarks/search.py --pages 20000 --peers tantivy,fts5,whoosh
	$(BIN)/python tests/benchmarks/ingest.py

# After a change of pyproject.toml. setuptools builds the project itself; each lock takes the versions of the one before it.
lock: $(BIN)/pip
	$(PIP) uv
	echo setuptools | $(COMPILE) --output-file requirements/run.lock
	echo setuptools | $(COMPILE) --output-file requirements/test.lock --constraints requirements/run.lock --extra test
	echo setuptools | $(COMPILE) --output-file requirements/check.lock --constraints requirements/test.lock \
	  --extra test --extra check

clean:
	rm -rf $(VENV) data/demo

# A Debian without python3-venv makes half a virtual environment: say so, or install it where that is allowed.
$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Carbet needs Python 3.11 or newer (PYTHON=... make demo)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || sh tests/system-packages.sh python3-venv
	$(PYTHON) -m venv $(VENV)

$(VENV)/ready: $(BIN)/pip pyproject.toml requirements/run.lock
	$(LOCKED) --requirement requirements/run.lock
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/tests: $(VENV)/ready requirements/test.lock
	@sh tests/system-packages.sh chromium tesseract-ocr tesseract-ocr-fra
	$(LOCKED) --requirement requirements/test.lock
	@touch $@

$(VENV)/checks: $(VENV)/ready requirements/check.lock
	$(LOCKED) --requirement requirements/check.lock
	@touch $@
