# make demo and make test do all the set-up themselves, in .venv; they need git, make and Python >= 3.11.
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
WRDS := .venvs/wrds
DIST := .venvs/dist
INTEROP := .venvs/interop
# which real servers the tests talked to, to be said at the end
export RISKMODEL_SERVERS := $(VENV)/servers

# The newest suitable interpreter: one that starts, is new enough, and can make virtual environments.
FIND_PYTHON = \
	for p in $(PYTHON) python3.13 python3.12 python3.11 python3.14 python3 python; do \
	  "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue; \
	  found="$$p"; \
	  "$$p" -c 'import ensurepip, venv' >/dev/null 2>&1 && { python="$$p"; break; }; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "riskmodel needs Python 3.11 or newer, and no python3.x on the PATH is." >&2; \
	  echo "Install one from your system or python.org, or say: make PYTHON=/path/to/python3.12 ..." >&2; exit 1; \
	elif [ -z "$$python" ]; then \
	  echo "$$found lacks the modules venv and ensurepip, which make virtual environments." >&2; \
	  echo "On Debian and Ubuntu: apt install python3-venv; or say: make PYTHON=/path/to/python3.12 ..." >&2; exit 1; \
	fi
# what make check runs: a file of each floor, together a few seconds
FAST = tests/test_horizon.py tests/test_panel.py tests/test_ols.py tests/test_strategy.py tests/test_walk_forward.py README.md
# processes that run the tests
WORKERS = 2

PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: help demo check test docs dist changelog test-wrds test-interop test-versions bench mutation clean

help:
	@echo "make demo           print a risk report for a small portfolio and write report.html"
	@echo "make check          run lint, import floors and a few fast tests: half a minute"
	@echo "make test           run every check: lint, types, architecture, tests, doctests"
	@echo "make docs           build the documentation into build/html and run its examples"
	@echo "make dist           build wheel, sdist and bill of materials; check and use them on each Python 3.11-3.14"
	@echo "make changelog      put the fragments of changelog.d into CHANGELOG.md, for the version of pyproject.toml"
	@echo "make test-wrds      run the WRDS tests alone: the real client on a real PostgreSQL"
	@echo "make test-interop   run the tests of riskmodel.interop alone, on the optimisers it adapts to"
	@echo "make test-versions  run the tests on each Python 3.11-3.13 that is present, and on the lowest versions"
	@echo "make bench          measure against what else there is; print the table, write JSON and pictures"
	@echo "make mutation       change a token of the core at a time, and count the changes that no test notices"
	@echo "make clean          remove what the above made"

$(BIN)/python:
	@$(FIND_PYTHON); "$$python" -m venv $(VENV)

$(VENV)/demo.stamp: pyproject.toml | $(BIN)/python
	@echo "Installing riskmodel into $(VENV) ..."
	@$(PIP) --editable ".[report]"
	@touch $@

$(VENV)/test.stamp: pyproject.toml | $(BIN)/python
	@echo "Installing riskmodel and its test tools into $(VENV) ..."
	@$(PIP) --editable ".[test]"
	@touch $@ $(VENV)/demo.stamp

$(VENV)/docs.stamp: pyproject.toml | $(BIN)/python
	@echo "Installing riskmodel and what builds its documentation into $(VENV) ..."
	@$(PIP) --editable ".[docs,report]"
	@touch $@ $(VENV)/demo.stamp

demo: $(VENV)/demo.stamp
	@$(BIN)/riskmodel report MSFT=0.5 JPM=0.3 XOM=0.2 --budget 1e6 --horizon month --cap 0.2 --output report.html

check: $(VENV)/test.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	HYPOTHESIS_PROFILE=quick $(BIN)/python -m pytest --quiet --exitfirst -n 2 $(FAST)

test: $(VENV)/test.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@rm -f $(RISKMODEL_SERVERS)
	COVERAGE_FILE=.coverage.core $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --cov --cov-report= --cov-fail-under=0
	@$(MAKE) --no-print-directory test-wrds test-interop
	$(BIN)/coverage combine .coverage.core .coverage.wrds .coverage.interop
	$(BIN)/coverage report
	@$(MAKE) --no-print-directory docs
	@sort -u $(RISKMODEL_SERVERS)

# Warnings are errors, and a parallel build would warn of an extension. What cells give is kept in build/ until their page or
# the library changes.
docs: $(VENV)/docs.stamp
	OPENBLAS_NUM_THREADS=1 $(BIN)/sphinx-build -q -W --keep-going -d build/doctrees docs build/html
	@echo "Open build/html/index.html"

# The wrds client holds pandas below 2.3 and the rest is tested on the newest, so its tests have an environment of their own.
$(WRDS)/test.stamp: pyproject.toml | $(BIN)/python
	@echo "Installing the WRDS client and its tests into $(WRDS) ..."
	@$(BIN)/python -m venv $(WRDS)
	@$(WRDS)/bin/python -m pip install --quiet --disable-pip-version-check --editable ".[test-wrds]"
	@touch $@

test-wrds: $(WRDS)/test.stamp
	COVERAGE_FILE=.coverage.wrds $(WRDS)/bin/python -m pytest tests/test_wrds.py tests/test_wrds_contract.py tests/test_wrds_extra.py \
	  --cov --cov-report= --cov-fail-under=0

$(INTEROP)/test.stamp: pyproject.toml | $(BIN)/python
	@echo "Installing optimisers and the tests of riskmodel.interop into $(INTEROP) ..."
	@$(BIN)/python -m venv $(INTEROP)
	@$(INTEROP)/bin/python -m pip install --quiet --disable-pip-version-check --editable ".[test-interop]"
	@touch $@

test-interop: $(INTEROP)/test.stamp
	COVERAGE_FILE=.coverage.interop RISKMODEL_NEEDS_PEERS=1 $(INTEROP)/bin/python -m pytest -n $(WORKERS) \
	  tests/test_interop_*.py riskmodel/interop --cov --cov-report= --cov-fail-under=0

test-versions: $(BIN)/python
	@sh tests/versions.sh

# The tools have an environment of their own: they need no riskmodel.
$(DIST)/dist.stamp: pyproject.toml | $(BIN)/python
	@echo "Installing what builds and checks packages into $(DIST) ..."
	@$(BIN)/python -m venv $(DIST)
	@$(BIN)/python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['optional-dependencies']['dist'], sep='\n')" >$(DIST)/tools.txt
	@$(DIST)/bin/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	@$(DIST)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $(DIST)/tools.txt
	@touch $@

dist: $(DIST)/dist.stamp
	@sh tests/dist.sh

changelog: $(DIST)/dist.stamp
	$(DIST)/bin/towncrier build --yes --version $$($(DIST)/bin/python -c "import tomllib; print(tomllib.load(open('pyproject.toml', 'rb'))['project']['version'])")

bench: | $(BIN)/python
	@$(PIP) --editable ".[bench]"
	@$(BIN)/python -m benchmarks --growth --figures docs/images

# what the mutants are to run is said by SAMPLE and SEED
SAMPLE = 100
SEED = 0
mutation: $(VENV)/test.stamp
	@$(PIP) --editable ".[mutation]"
	@$(BIN)/python -m benchmarks.mutation --sample $(SAMPLE) --seed $(SEED)

clean:
	rm -rf $(VENV) .venvs build dist docs/reference/*.rst docs/reference/api .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache report.html benchmarks.json mutation.json
