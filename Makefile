# All commands for developers. They need Python 3.13, Node and access to the package registries. Nothing global is
# installed: packages go to .venv and node_modules, local state goes to .local.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PORT ?= 7071
KEYWORDS ?=
LIVE ?=
KEEP ?=
SAMPLES ?=
TESTS ?= tests
LOOP ?= asyncio
SUITES ?=
ROUNDS ?= 3
SEED ?=
FILES ?= 50000
EXTRAS ?=
DOCS_PORT ?= 8000
OLDEST ?= python3.10
VENV := .venv
PY := $(VENV)/bin/python
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export PYTHONDONTWRITEBYTECODE :=

# Each pin has the hashes of all its files, and pip installs no other files. Pins that do not change keep their hashes
# without a download.
COMPILE := pip-compile --quiet --strip-extras --allow-unsafe --generate-hashes --no-annotate --no-header \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host
INSTALL := $(PY) -m pip install --quiet --disable-pip-version-check

.PHONY: help setup demo telemetry-demo start test test-client check chaos fuzz bench format workbook catalogue settings requirements package assets screenshots docs docs-serve clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | column -t -s "$$(printf '\t')"

setup: $(VENV)/.installed node_modules/.installed ## Install what the other targets need (only if something changed)

$(VENV)/.installed: requirements-dev.txt requirements.txt
	@python="$$(sh playground/find_python.sh)" && \
	if ! $(PY) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null; then \
	  echo "Making $(VENV) with $$python"; rm -rf $(VENV); "$$python" -m venv $(VENV); fi
	@echo "Installing the pinned Python packages"
	@$(INSTALL) --require-hashes -r requirements-dev.txt
	@touch $@

node_modules/.installed: package.json package-lock.json requirements-node.txt $(VENV)/.installed
	@if ! node --version >/dev/null 2>&1; then \
	  echo "No Node on PATH: taking it from PyPI"; \
	  $(INSTALL) --require-hashes -r requirements-node.txt; fi
	@echo "Installing Azurite, the assets of pages, and a browser for the tests"
	@npm ci --silent --no-audit --no-fund --ignore-scripts
	@touch $@

demo: setup ## Make a dataset from keywords with a local host and storage, and verify it (KEYWORDS="a,b"; LIVE=1 searches the real Openverse; KEEP=1 keeps them running)
	@$(PY) -m playground.demo --keywords "$(KEYWORDS)" $(if $(LIVE),--live) $(if $(KEEP),--keep)

telemetry-demo: setup ## What a job, a failing job and a night send to Application Insights, as trees that must be whole
	@$(PY) -m playground.telemetry_demo

start: setup ## Run Azurite and the Functions host until Ctrl-C (PORT=7071; SAMPLES=1 searches sample photos, not Openverse)
	@$(PY) -m playground.start --port $(PORT) $(if $(SAMPLES),--samples)

# Coverage is measured when all tests run, for a part of them cannot reach the floor. The report shows the lowest files
# and the total. It measures the processes of the tests, not the worker processes that devhost starts.
FLOOR := 97
ifeq ($(TESTS) $(LOOP),tests asyncio)
COVERAGE := --cov --cov-report=
endif

test: setup ## Run all tests (TESTS=tests/unit for a part; LOOP=uvloop for asynchronous tests on the event loop of the worker on Azure)
	@$(PY) -m pytest -n 2 --dist loadfile --loop $(LOOP) $(COVERAGE) $(TESTS)
ifdef COVERAGE
	@coverage report --fail-under=$(FLOOR) | sed -n '1,12p;/^TOTAL/p;/^Coverage failure/p'
endif

# The client stands alone, and so do its tests: no package of the app is installed beside it. Python 3.10 made the pins:
# pip-compile with the options of COMPILE, -o client/requirements-oldest.txt client/pyproject.toml client/requirements-oldest.in
test-client: ## Test the client with the oldest Python that it supports (OLDEST=python3.10)
	@$(OLDEST) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 10))' || { echo "OLDEST=$(OLDEST) must be Python 3.10"; exit 1; }
	@rm -rf .local/client && $(OLDEST) -m venv .local/client
	@.local/client/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r client/requirements-oldest.txt
	@.local/client/bin/python -m pytest -c client/pyproject.toml --rootdir . --confcutdir tests/client tests/client

chaos: setup ## Run a job undisturbed and with many faults, and compare the datasets (SEED=1 repeats the moments of the faults)
	@$(PY) -m playground.chaos $(if $(SEED),--seed $(SEED))

fuzz: setup ## Judge JPEGs with forged headers in child processes, which must not crash (FILES=50000)
	@$(PY) -m tests.unit.crawling.judging.fuzz_jpegs --files $(FILES)

bench: setup ## Measure the app, other tools and the limits of the machine (SUITES="start devhost calls crawl claims hosts scale archive metrics lifecycle costs prices", ROUNDS=3)
	@$(PY) -m bench $(SUITES) --rounds $(ROUNDS)

check: setup ## Check what CI checks: lint, format, types, layers, drift of the requirements
	ruff check .
	ruff format --check .
	mypy
	mypy --config-file client/pyproject.toml
	lint-imports
	$(MAKE) --no-print-directory drift

.PHONY: drift
drift:
	@mkdir -p .local && rm -rf .local/drift && mkdir .local/drift && cp requirements*.txt .local/drift/
	@$(COMPILE) -o .local/drift/requirements.txt pyproject.toml
	@$(COMPILE) --extra dev -c requirements.txt -o .local/drift/requirements-dev.txt pyproject.toml
	@diff -u requirements.txt .local/drift/requirements.txt && diff -u requirements-dev.txt .local/drift/requirements-dev.txt \
	  || { echo "requirements drifted from pyproject.toml: run 'make requirements'"; exit 1; }
	@echo "requirements match pyproject.toml"

requirements: setup ## Pin the dependencies of pyproject.toml, and keep pins that still fit
	$(COMPILE) -o requirements.txt pyproject.toml
	$(COMPILE) --extra dev -c requirements.txt -o requirements-dev.txt pyproject.toml

format: setup ## Sort imports, fix what ruff can fix, and format
	ruff check --fix .
	ruff format .

workbook: setup ## Make the Azure workbook from the reports' queries
	@$(PY) -m infra.workbook.generate

catalogue: setup ## Make the table of signals in docs/reference/telemetry.md
	@$(PY) -m infra.catalogue

settings: setup ## Make the tables of docs/reference/settings.md and the example of local.settings.json
	@$(PY) -m infra.settings_documents

package: setup ## Build the zip that a deployment uploads, and print its size (EXTRAS="parquet" adds optional packages)
	@$(PY) -m infra.package $(foreach extra,$(EXTRAS),--extra $(extra))

assets: setup ## Copy the npm packages' files of the pages to where a deployment takes them from
	@$(PY) -m functions.http.pages.assets

# Material for MkDocs prints a notice about its successor unless it is told not to.
MKDOCS := NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs

screenshots: setup ## Make the screenshots of README and docs of the real page
	@$(PY) -m pytest -q -n 0 tests/e2e/dashboard/test_screenshots.py --screenshots docs/images

docs: setup ## Build the site of the documents in .local/site, and check its links
	@$(MKDOCS) build --strict
	@echo "The site is in .local/site; 'make docs-serve' shows it."

docs-serve: setup ## Show the site of the documents, and build it again when a page changes (DOCS_PORT=8000)
	@$(MKDOCS) serve --strict --dev-addr localhost:$(DOCS_PORT)

clean: ## Delete local state (not the installed packages)
	rm -rf .local .mypy_cache .ruff_cache .pytest_cache .hypothesis
