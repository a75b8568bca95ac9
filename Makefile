# Python 3.11 or later and make are all that must be there: all else, node included, comes into .venv.

# Not the Python of an activated .venv, which is rebuilt when a pin changes.
HOST_PATH := $(subst $(CURDIR)/.venv/bin:,,$(PATH))
PYTHON ?= $(shell PATH='$(HOST_PATH)' python3.11 --version >/dev/null 2>&1 && echo python3.11 || echo python3)
PIP := .venv/bin/python -m pip --quiet --disable-pip-version-check

FUZZ = .venv/bin/python -m pytest -n 2 --hypothesis-profile=fuzz
# What servers read their configuration with, before Python 3.12.
OLD_PARSER := pyhocon==0.3.57

# Where jsii finds the node that is installed with it.
export PATH := $(CURDIR)/.venv/bin:$(HOST_PATH)
# It would take the docstrings away, which are descriptions of values.
unexport PYTHONOPTIMIZE

.PHONY: help synth imports values migrate images hash-password check-cluster test fuzz mutants test-cluster lint format docs snapshots bench cdk8s clean
.DEFAULT_GOAL := help

help: ## List the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 16

synth: .venv/synth.stamp ## Write the manifests into dist/ (values: CLEARML_VALUES or config/values.yaml)
	@.venv/bin/python main.py

imports: .venv/synth.stamp ## Fetch the Helm charts that the values name, and helm if there is none
	@.venv/bin/python -m imports

values: .venv/synth.stamp ## Print all defaults as a commented values file
	@.venv/bin/python -m config.publishing.defaults

migrate: .venv/synth.stamp ## Print FILE, the values file of another ClearML chart, in our words; with TO=NEW write it there
	@.venv/bin/python migrate.py "$$FILE" $(if $(TO),"$$TO")

images: .venv/synth.stamp ## List the images of the values; with COPY_TO=REGISTRY print how to copy them
	@.venv/bin/python list_images.py $(if $(COPY_TO),"$$COPY_TO")

hash-password: .venv/synth.stamp ## Ask for a password, and print its hash for clearml.fixedUsers
	@.venv/bin/python -c 'import bcrypt' 2>/dev/null || $(PIP) install --constraint requirements-dev.txt bcrypt
	@.venv/bin/python hash_password.py

check-cluster: .venv/synth.stamp ## Ask the cluster of kubectl what it would refuse of dist/, or lose by it
	@.venv/bin/python check_cluster.py

test: .venv/dev.stamp cdk8s ## Run all tests
	@.venv/bin/python -m pytest -n 2

fuzz: .venv/dev.stamp ## Look for values that are neither refused nor fit for Kubernetes; takes minutes
	@$(FUZZ) tests/test_hostile.py tests/test_awkward.py
	@old=$$(mktemp -d); trap 'rm -rf "$$old"' EXIT; export PYTHONPATH="$$old"; \
	if $(PIP) install --target "$$old" $(OLD_PARSER) && .venv/bin/python -c 'import pyhocon'; then \
		$(FUZZ) --disable-warnings tests/test_awkward.py; \
	else echo "$(OLD_PARSER) cannot be had for this Python: not tried" >&2; fi

test-cluster: .venv/dev.stamp ## Test on Kubernetes: KUBEBUILDER_ASSETS, or built with Go (20 minutes, once)
	@PYTHONPATH=tests .venv/bin/python -m cluster

lint: .venv/dev.stamp ## Check style and types
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy --strict

format: .venv/dev.stamp ## Rewrite the sources in the common style
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

docs: .venv/synth.stamp ## Generate the schema, the reference, all defaults and the picture
	.venv/bin/python -m config.publishing
	.venv/bin/python docs/picture.py

snapshots: .venv/dev.stamp ## Accept the present manifests as the expected ones
	.venv/bin/python -m pytest --snapshot-update

bench: .venv/dev.stamp ## Measure synthesis
	.venv/bin/python tests/bench.py

mutants: .venv/dev.stamp cdk8s ## Plant mistakes, and tell which of them no test sees
	.venv/bin/python tests/mutants.py

cdk8s: node_modules/.package-lock.json ## Install the cdk8s CLI that is tested, as node_modules/.bin/cdk8s, and an editor's language server

clean: ## Remove all that make made
	rm -rf .venv node_modules dist .mypy_cache .pytest_cache .ruff_cache

# The environment. Stamps are written last, so that an interrupted installation is repeated.

# The lock is for two that start at once: the second finds all done.
.venv/synth.stamp: requirements.txt
	@PATH='$(HOST_PATH)' $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed, this is " + sys.version.split()[0])'
	@exec 9<$< && PATH='$(HOST_PATH)' $(PYTHON) -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)' && if [ ! $@ -nt $< ]; then \
		echo "Installing Python packages into .venv" >&2 && rm -rf .venv && \
		PATH='$(HOST_PATH)' $(PYTHON) -m venv .venv && $(PIP) install -r $< && touch $@; fi

.venv/dev.stamp: .venv/synth.stamp requirements-dev.txt
	@echo "Installing test and check tools into .venv" >&2
	@$(PIP) install -r requirements-dev.txt
	@touch $@

# npm writes this file last.
node_modules/.package-lock.json: package-lock.json | .venv/synth.stamp
	@echo "Installing cdk8s-cli and yaml-language-server into node_modules" >&2
	@.venv/bin/npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error >/dev/null
