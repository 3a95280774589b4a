# `make help` lists the targets. Needs Python 3.11 or later, make and git; everything else is locked.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Keeps what it compiles, also where an image says not to: each run would compile all tests twice.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help install demo ui test test-nightly test-fast story test-postgres lint format types lock audit sbom clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

install: $(STAMP) ## make the virtual environment from the lock file

# uv resolves nothing here: it installs exactly what requirements.lock names, hash by hash. Compiled
# once, because every sweep, command and test starts processes that load pandas and scikit-learn.
$(STAMP): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@grep -A 60 '^uv==' requirements.lock | awk 'NR==1 || /^ /{print; next} {exit}' > $(VENV)/uv.lock.txt
	$(BIN)/python -m pip install --quiet --require-hashes -r $(VENV)/uv.lock.txt
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $(STAMP)

demo: install ## invented companies from a BILL look-alike to a published ledger (PORT=8765)
	$(BIN)/bill-pipeline demo $(if $(PORT),--port $(PORT))

ui: install ## the console and Dagster over the same home as the demo
	$(BIN)/bill-pipeline ui

test: install lint types ## what CI runs: lint, types, and today's part of the tests
	BILL_PIPELINE_TEST_DAY=$${BILL_PIPELINE_TEST_DAY:-$$(date -u +%F)} $(PYTEST)

test-nightly: install lint types ## lint, types, and every test that this machine can run
	$(PYTEST)

test-fast: install ## in 90 s, between edits: no processes, browsers, random lives, most stories
	$(PYTEST) -q -m "not slow and not rotating and not browser and not real_data"

story: install ## run story files: make story FILES="/any/a.yaml b.yaml"
	@$(BIN)/python -m tests.stories $(FILES)

test-postgres: install ## the operations suite on a real PostgreSQL, from Debian's package
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || { apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql; }
	BILL_PIPELINE_TEST_STORAGE=postgres $(BIN)/python -m pytest tests/dagster

lint: install ## ruff: lint and format check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install ## mypy
	$(BIN)/mypy

format: install ## let ruff rewrite what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: install ## resolve the dependencies anew
	$(BIN)/uv pip compile pyproject.toml --group dev --all-extras --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements.lock

audit: install ## known vulnerabilities of the locked dependencies, by pip-audit (needs PyPI's service)
	@$(BIN)/python .ci/audit.py

sbom: install ## every locked package with its hashes, as CycloneDX: dist/sbom.cdx.json
	@$(BIN)/python .ci/sbom.py dist/sbom.cdx.json

clean: ## remove the virtual environment and caches, never the books in data/
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
