# Two commands are enough: `make demo` and `make test`. Each sets up what it needs, once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
OUT ?= var/demo

.PHONY: demo test check lock clean
.DEFAULT_GOAL := demo

# --require-hashes: what is installed is what was reviewed, byte for byte.
$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "xuanpin needs Python 3.11 or newer, found " + sys.version.split()[0] + ": name another with make PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $(READY)

demo: $(READY)
ifndef DATA
	@echo 'make demo needs a data set until the simulated market is built:' >&2
	@echo '  make demo DATA=online_retail.parquet   the Online Retail transactions (doi 10.24432/C5BW33, CC BY 4.0)' >&2
	@echo '  make demo DATA=DIR                     a directory with products, listings and orders tables (see README.md)' >&2
	@exit 2
else
	@mkdir -p $(OUT)
	@if test -f "$(DATA)"; then $(BIN)/xuanpin import online-retail "$(DATA)" --out $(OUT)/data; fi
	@if test -f "$(DATA)"; then $(BIN)/xuanpin run --data $(OUT)/data --out $(OUT)/run; else $(BIN)/xuanpin run --data "$(DATA)" --out $(OUT)/run; fi
endif

test: $(READY)
	$(BIN)/python -m pytest $(PYTEST_FLAGS)

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .

# Needs uv once (`pip install uv`); hashes of every platform's files, no addresses.
lock:
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --output-file requirements.lock

clean:
	rm -rf $(VENV) var build dist .pytest_cache .mypy_cache .ruff_cache .coverage
