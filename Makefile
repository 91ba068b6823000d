# Two commands are enough: `make demo` and `make test`. Each sets up what it needs, once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEV_READY := $(VENV)/.ready-dev
OUT ?= var/demo

.PHONY: demo test check lock clean
.DEFAULT_GOAL := demo

# --require-hashes: what is installed is what was reviewed, byte for byte. --no-deps: a lock is
# complete, and a resolver takes the newest release of a requirement with extras, locked or not.
INSTALL := $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --no-deps

# What the main job needs, and nothing else.
$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "xuanpin needs Python 3.11 or newer, found " + sys.version.split()[0] + ": name another with make PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) --require-hashes -r requirements.lock
	$(INSTALL) --no-build-isolation --editable .
	touch $(READY)

# The rest: test tools, and the optional clusters that tests run for real.
$(DEV_READY): $(READY) requirements-dev.lock
	$(INSTALL) --require-hashes -r requirements-dev.lock
	touch $(DEV_READY)

# The main job, then a few candidates asked of the real service. On a market of our own, or on DATA:
# an Online Retail file (doi 10.24432/C5BW33) or a directory of tables.
ifdef DATA
ifeq ($(wildcard $(DATA)),)
$(error DATA names nothing that exists: $(DATA))
endif
endif
ifndef DATA
TABLES := $(OUT)/market
MAKE_TABLES := $(BIN)/xuanpin simulate --out $(TABLES)
else ifeq ($(wildcard $(DATA)/.),)
TABLES := $(OUT)/imported
MAKE_TABLES := $(BIN)/xuanpin import online-retail "$(DATA)" --out $(TABLES)
else
TABLES := $(DATA)
MAKE_TABLES := true
endif

demo: $(READY)
	@mkdir -p $(OUT)
	@$(MAKE_TABLES)
	@$(BIN)/xuanpin run --data "$(TABLES)" --out $(OUT)/run
	@echo
	@$(BIN)/python -m experiments.http_demo $(OUT)/run

# PYTHONDONTWRITEBYTECODE: where it is set, each worker and each command that a test starts compiles
# all that it imports anew, and writes the assertions of all tests anew: a third of their collection.
test: $(DEV_READY)
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(PYTEST_FLAGS)

check: $(DEV_READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .

# Needs uv once (`pip install uv`); hashes of every platform's files, no addresses. The second lock
# holds the first, at the same versions.
LOCK := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate
lock:
	$(LOCK) --extra build --output-file requirements.lock
	$(LOCK) --extra build --extra dev --constraints requirements.lock --output-file requirements-dev.lock

clean:
	rm -rf $(VENV) var build dist .pytest_cache .mypy_cache .ruff_cache .coverage
